"""Random networks, and ways to their gradients that use none of the package's backward passes.

`problems` draws a `Problem`: a network with random settings and a loss on it. `core_gradients` asks the package.
`complex_step`, `central_differences` and `torch_gradients` need the forward pass or nothing of the package at all.
"""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from bptt_core import lstm, readout, rnn

STEP = 1e-30  # of the complex step: so small that nothing but the first order is left
LOSSES = {"softmax": readout.softmax_cross_entropy, "squared": readout.squared_error}


class Problem(NamedTuple):
    """A network, its inputs, and a loss: Σ dh∘h + Σ dc∘c, or a readout with a softmax or a squared error."""

    cell: Any  # the module rnn or lstm
    leaves: dict  # W_xh, W_hh, b_h, x, h_0, c_0, W_hy, b_y: all that gets a gradient
    grid: tuple
    settings: dict  # of forward
    truncated: bool = False
    dh: Any = None  # array, {t: array} or None
    dc: Any = None
    loss: str | None = None  # of the readout
    target: Any = None
    loss_settings: dict | None = None

    def __repr__(self):
        shapes = {name: leaf.shape for name, leaf in self.leaves.items()}
        settings = {
            **self.settings,
            "truncated": self.truncated,
            "loss": self.loss,
            **(self.loss_settings or {}),
        }
        return f"Problem({self.cell.__name__}, {shapes}, {settings})"

    @property
    def parameter_names(self):
        return [name for name in ("W_xh", "W_hh", "b_h") if name in self.leaves]

    @property
    def state_names(self):
        return ["h_0", "c_0"] if self.cell is lstm else ["h_0"]


def params_of(problem, leaves):
    return problem.cell.Params(*(leaves.get(name) for name in ("W_xh", "W_hh", "b_h")))


def run(problem, leaves):
    return problem.cell.forward(
        params_of(problem, leaves),
        leaves["x"],
        *(leaves[name] for name in problem.state_names),
        **problem.settings,
    )


@st.composite
def problems(draw, cell, *, grids=True, **fixed):
    """Different sizes, states and biases non-zero and distinct, random upstream gradients. `fixed` pins choices."""

    def choose(name, *options):
        return fixed[name] if name in fixed else draw(st.sampled_from(options), label=name)

    T = draw(st.integers(1, 12), label="T")
    B, D, H, K = draw(st.permutations([n for n in range(1, 6) if n != T][:4]), label="B, D, H, K")
    grid = choose("grid", (), (), (), (2,), (2, 3)) if grids else ()
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    # A saturated tanh has lost its digits: 1 − h² of an h next to 1 is rounding, in PyTorch as here. A lone unit of an
    # RNN with large weights can be saturated in every sequence, and then no two witnesses agree.
    scale = choose("scale", 0.3, 0.7, 1.2) if cell is rnn else choose("scale", 0.3, 1.0, 2.0)

    shapes = {"W_xh": (*grid, H, D), "W_hh": (*grid, H, H), "b_h": (*grid, H)}
    settings = {"activation": choose("activation", "tanh", "sigmoid", "relu", "identity")}
    if cell is lstm:
        shapes = {"W_xh": (*grid, 4 * H, D), "W_hh": (*grid, 4 * H, H), "b_h": (*grid, 4 * H)}
        settings = {
            "forget_gate": choose("forget_gate", True, True, False),
            "squash": choose("squash", "tanh", "sigmoid"),
        }
    shapes["x"] = choose("x", (T, B, D), (T, *grid, B, D))
    shapes["h_0"] = shapes["c_0"] = (*grid, B, H)
    if cell is rnn:
        del shapes["c_0"]
    if not choose("bias", True, True, False):
        del shapes["b_h"]
    leaves = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    leaves["W_xh"] *= scale / np.sqrt(D)
    leaves["W_hh"] *= scale / np.sqrt(H)

    def gradient():
        form = choose("upstream", "array", "steps", "last")
        full = rng.standard_normal((T, *grid, B, H))
        chosen = (
            [T]
            if form == "last"
            else draw(st.lists(st.integers(1, T), min_size=1, unique=True), label="steps")
        )
        return full if form == "array" else {t: full[t - 1] for t in chosen}

    truncated = cell is lstm and choose("truncated", False, False, True)
    dc = gradient() if cell is lstm and choose("loss on c", True, False) else None
    kind = choose("loss", None, None, *LOSSES)
    if kind is None:
        return Problem(cell, leaves, grid, settings, truncated, gradient(), dc)
    K = 6 if K == 1 else K  # the softmax of one logit has no gradient
    leaves["W_hy"] = rng.standard_normal((*grid, K, H))
    if choose("readout bias", True, False):
        leaves["b_y"] = rng.standard_normal((*grid, K))
    target = rng.standard_normal((T, B, K))
    if kind == "softmax":
        classes = choose("classes", True, False)
        target = rng.integers(K, size=(T, B)) if classes else rng.dirichlet(np.ones(K), size=(T, B))
    steps = choose("loss at", None, "last", [1], [T, 1] if T > 1 else [1])
    loss_settings = {"steps": steps, "reduction": choose("reduction", "sum", "mean")}
    return Problem(cell, leaves, grid, settings, truncated, None, dc, kind, target, loss_settings)


def paired(upstream, states):
    """Σ upstream ∘ states per network, for upstream (T, …), {t: …} or None."""
    if upstream is None:
        return 0
    items = upstream.items() if isinstance(upstream, dict) else enumerate(upstream, start=1)
    return sum((value * states[t]).sum((-2, -1)) for t, value in items)


def loss(problem, leaves):
    """The loss of every network of the grid, from the package's forward passes."""
    cache = run(problem, leaves)
    total = paired(problem.dh, cache.h) + (
        paired(problem.dc, cache.c) if problem.cell is lstm else 0
    )
    if problem.loss:
        y = readout.forward(readout.Params(leaves["W_hy"], leaves.get("b_y")), cache.h[1:])
        total = total + LOSSES[problem.loss](y, problem.target, **problem.loss_settings)[0]
    return total


def core_backward(problem, **options):
    """What the package's backward passes say: the cell's `Gradients`, and the readout's or None."""
    cache, dh, read = run(problem, problem.leaves), problem.dh, None
    if problem.loss:
        weights = readout.Params(problem.leaves["W_hy"], problem.leaves.get("b_y"))
        y = readout.forward(weights, cache.h[1:])
        dy = LOSSES[problem.loss](y, problem.target, **problem.loss_settings)[1]
        read = readout.backward(weights, cache.h[1:], dy)
        dh = read.h
    if problem.cell is lstm:
        options = {"dc": problem.dc, "truncated": problem.truncated, **options}
    return problem.cell.backward(params_of(problem, problem.leaves), cache, dh, **options), read


def core_gradients(problem):
    """The package's gradient of every leaf; an input shared by the grid gets the sum over the grid."""
    back, read = core_backward(problem)
    found = {name: getattr(back.params, name) for name in problem.parameter_names}
    found |= {"x": back.x, "h_0": back.h[0]} | ({"c_0": back.c[0]} if problem.cell is lstm else {})
    found |= {
        name: getattr(read.params, name) for name in ("W_hy", "b_y") if name in problem.leaves
    }
    if found["x"].shape != problem.leaves["x"].shape:
        found["x"] = found["x"].sum(tuple(range(1, 1 + len(problem.grid))))
    return found


def complex_step(problem):
    """dL/dθ = Im L(θ + i·1e-30) / 1e-30 for every entry of every leaf: a grid of networks, each moved in one entry."""
    return {name: _complex_step(problem, name) for name in problem.leaves}


def _complex_step(problem, name):
    leaf, grid = problem.leaves[name], problem.grid
    n = leaf.size
    moved = leaf + 1j * STEP * np.eye(n).reshape(n, *leaf.shape)
    wide = {}
    for other, value in problem.leaves.items():
        value = moved if other == name else np.broadcast_to(value, (n, *value.shape))
        if other == "x":
            value = np.moveaxis(value, 0, 1)  # time comes before the grid
            if value.ndim == 4:
                value = value.reshape(*value.shape[:2], *[1] * len(grid), *value.shape[2:])
                value = np.broadcast_to(value, (*value.shape[:2], *grid, *value.shape[-2:]))
        wide[other] = value
    losses = loss(problem, wide)
    return losses.reshape(n, -1).sum(1).imag.reshape(leaf.shape) / STEP


def central_differences(problem, eps=1e-6):
    """(L(θ + ε) − L(θ − ε)) / 2ε for every entry of every leaf."""
    found = {}
    for name, leaf in problem.leaves.items():
        found[name] = np.empty(leaf.shape)
        for index in np.ndindex(leaf.shape):
            ends = []
            for sign in (1, -1):
                moved = leaf.copy()
                moved[index] += sign * eps
                ends.append(np.sum(loss(problem, problem.leaves | {name: moved})))
            found[name][index] = (ends[0] - ends[1]) / (2 * eps)
    return found


def torch_gradients(problem, states=None):
    """Every gradient by PyTorch's autograd, through a forward pass and a loss written with PyTorch alone.

    `states(problem, leaves)` gives the lists h_0…h_T and c_0…c_T; by default step by step, with every setting."""
    import torch

    leaves = {name: torch.tensor(leaf, requires_grad=True) for name, leaf in problem.leaves.items()}
    h, c = (states or torch_states)(problem, leaves)

    def on_states(upstream, of):
        items = upstream.items() if isinstance(upstream, dict) else enumerate(upstream, start=1)
        return sum((torch.from_numpy(value) * of[t]).sum() for t, value in items)

    total = sum(on_states(u, of) for u, of in ((problem.dh, h), (problem.dc, c)) if u is not None)
    if problem.loss:
        total = total + torch_readout_loss(problem, leaves, h)
    found = torch.autograd.grad(total, list(leaves.values()), materialize_grads=True)
    return {name: gradient.numpy() for name, gradient in zip(leaves, found, strict=True)}


def torch_states(problem, leaves):
    """The cell step by step, as its equations read. A truncated LSTM detaches the h that enters the gates."""
    import torch

    phi = {
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "identity": lambda a: a,
    }
    h, c = [leaves["h_0"]], [leaves.get("c_0")]
    for x_t in leaves["x"]:
        seen = h[-1].detach() if problem.truncated else h[-1]
        a = x_t @ leaves["W_xh"].mT + seen @ leaves["W_hh"].mT
        if "b_h" in leaves:
            a = a + leaves["b_h"].unsqueeze(-2)
        if problem.cell is rnn:
            h.append(phi[problem.settings["activation"]](a))
            continue
        squash = phi[problem.settings["squash"]]
        a_i, a_f, a_g, a_o = a.chunk(4, dim=-1)
        f = torch.sigmoid(a_f) if problem.settings["forget_gate"] else 1.0
        c.append(f * c[-1] + torch.sigmoid(a_i) * squash(a_g))
        h.append(torch.sigmoid(a_o) * squash(c[-1]))
    return h, c


def torch_module_states(problem, leaves):
    """The same through torch.nn.RNN or torch.nn.LSTM, one step a call, so that every c_t can be seen."""
    import torch

    H, D = problem.leaves["W_hh"].shape[-1], problem.leaves["x"].shape[-1]
    bias = "b_h" in leaves
    if problem.cell is rnn:
        module = torch.nn.RNN(
            D, H, nonlinearity=problem.settings["activation"], bias=bias, dtype=torch.float64
        )
    else:
        module = torch.nn.LSTM(D, H, bias=bias, dtype=torch.float64)
    weights = {"weight_ih_l0": leaves["W_xh"], "weight_hh_l0": leaves["W_hh"]}
    if bias:
        weights |= {"bias_ih_l0": leaves["b_h"], "bias_hh_l0": torch.zeros_like(leaves["b_h"])}
    h, c = [leaves["h_0"]], [leaves.get("c_0")]
    for x_t in leaves["x"]:
        state = h[-1][None] if problem.cell is rnn else (h[-1][None], c[-1][None])
        _, state = torch.func.functional_call(module, weights, (x_t[None], state))
        h.append(state[0] if problem.cell is rnn else state[0][0])
        c.append(None if problem.cell is rnn else state[1][0])
    return h, c


def torch_readout_loss(problem, leaves, h):
    """Linear readout and loss, summed over the grid."""
    import torch

    steps, reduction = problem.loss_settings["steps"], problem.loss_settings["reduction"]
    T = len(h) - 1
    chosen = range(1, T + 1) if steps is None else [T] if steps == "last" else steps
    total = 0
    for t in chosen:
        y = h[t] @ leaves["W_hy"].mT
        if "b_y" in leaves:
            y = y + leaves["b_y"].unsqueeze(-2)
        target = torch.from_numpy(np.asarray(problem.target[t - 1]))
        if problem.loss == "squared":
            total = total + ((y - target) ** 2).sum() / 2
        elif target.ndim == 1:
            flat = y.reshape(-1, *y.shape[-2:])
            total = total + sum(
                torch.nn.functional.cross_entropy(z, target, reduction="sum") for z in flat
            )
        else:
            total = total - (target * torch.log_softmax(y, -1)).sum()
    return total / (len(chosen) * h[0].shape[-2]) if reduction == "mean" else total


def worst(found, right):
    """The largest error of any leaf, relative to that leaf's largest gradient; what is zero must be exactly zero."""
    assert found.keys() == right.keys()
    errors = {}
    for name, value in right.items():
        assert found[name].shape == value.shape, name
        size, error = np.abs(value).max(), np.abs(found[name] - value).max()
        errors[name] = 0.0 if error == 0 else error / size if size else np.inf
    name = max(errors, key=errors.get)
    return errors[name], name


def jacobian(function, at):
    """df/dx of a real-analytic array function by the complex step, (*f.shape, *x.shape)."""
    at = np.asarray(at, dtype=float)
    columns = []
    for index in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[index] += 1j * STEP
        columns.append(np.imag(function(moved)) / STEP)
    stacked = np.array(columns).reshape(at.shape + np.shape(columns[0]))
    return np.moveaxis(stacked, range(at.ndim), range(-at.ndim, 0))
