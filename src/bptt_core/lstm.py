"""The long short-term memory and backpropagation through time.

    i_t = σ(W_xi x_t + W_hi h_{t−1} + b_i)       c_t = f_t ∘ c_{t−1} + i_t ∘ g_t
    f_t = σ(W_xf x_t + W_hf h_{t−1} + b_f)       h_t = o_t ∘ tanh(c_t)
    g_t = tanh(W_xg x_t + W_hg h_{t−1} + b_g)
    o_t = σ(W_xo x_t + W_ho h_{t−1} + b_o)

The four gates are stacked in this order, so that one matrix product serves them all. The state is
the pair (h, c).

init_params      draws weights
step             one step; `step_back` its transpose, which carries a gradient one step back
forward          the whole sequence; keeps what `backward` needs
backward         turns ∂⁺L/∂h_t and ∂⁺L/∂c_t into the gradient of everything
slopes           the local derivatives of every step; `jacobian` puts them together to ∂(h_t,
                 c_t)/∂(h_{t−1}, c_{t−1})

`rnn` and `gru` offer the same names; `cells` says which.
"""

from typing import NamedTuple

import numpy as np
from numpy import multiply, tanh

from bptt_core._affine import all_gradients, joint_map, parameter_gradients
from bptt_core._arrays import (
    diagonal,
    fast_matmul,
    gate_rows,
    report_overflow,
    scale_rows,
    segments,
    state_gradients,
)
from bptt_core._checks import (
    check_cache,
    check_inputs,
    check_number,
    check_sizes,
    check_step,
    check_step_back,
    check_weights,
    common_dtype,
    initial_state,
    wanted,
)
from bptt_core.activations import ACTIVATIONS, Activation, get_activation, sigmoid

__all__ = [
    "GATES",
    "SQUASHES",
    "STATES",
    "Cache",
    "Gradients",
    "Params",
    "Slopes",
    "backward",
    "buffers",
    "cell_by_state",
    "forward",
    "init_params",
    "jacobian",
    "output_derivative",
    "parameter_gradients",
    "slopes",
    "step",
    "step_back",
    "step_back_into",
]

GATES = "ifgo"  # what the rows of W_xh, W_hh and b_h compute, in this order
STATES = ("h", "c")
SQUASHES = ("tanh", "sigmoid")


class Params(NamedTuple):
    """Weights of all four gates, rows stacked in the order i, f, g, o.

    Leading axes G are a grid of networks.

    Per gate, as views: `W_xi … W_xo` (H, D), `W_hi … W_ho` (H, H), `b_i … b_o` (H).
    Per gate in the [h, x] form of `B22` and `D-eq11`: `W_i … W_o` (H, H+D), made by `hx`, read by
    `from_hx`."""

    W_xh: np.ndarray  # (*G, 4H, D)
    W_hh: np.ndarray  # (*G, 4H, H)
    b_h: np.ndarray | None = None  # (*G, 4H)

    W_xi = gate_rows(GATES, "W_xh", "i")
    W_xf = gate_rows(GATES, "W_xh", "f")
    W_xg = gate_rows(GATES, "W_xh", "g")
    W_xo = gate_rows(GATES, "W_xh", "o")
    W_hi = gate_rows(GATES, "W_hh", "i")
    W_hf = gate_rows(GATES, "W_hh", "f")
    W_hg = gate_rows(GATES, "W_hh", "g")
    W_ho = gate_rows(GATES, "W_hh", "o")
    b_i = gate_rows(GATES, "b_h", "i")
    b_f = gate_rows(GATES, "b_h", "f")
    b_g = gate_rows(GATES, "b_h", "g")
    b_o = gate_rows(GATES, "b_h", "o")
    W_i = property(lambda params: params.hx("i"))
    W_f = property(lambda params: params.hx("f"))
    W_g = property(lambda params: params.hx("g"))
    W_o = property(lambda params: params.hx("o"))

    @classmethod
    def from_hx(cls, W_i, W_f, W_g, W_o, b=None):
        """From one matrix per gate that acts on [h_{t−1}, x_t], each (H, H+D), and biases b (4, H)
        or None.

        ValueError: shapes that differ."""
        shapes = [np.shape(W) for W in (W_i, W_f, W_g, W_o)]
        H = shapes[0][-2]
        if len(set(shapes)) > 1 or (b is not None and np.shape(b)[-2:] != (4, H)):
            got = f"shapes {shapes}, {np.shape(b)}"
            raise wanted("W_i, W_f, W_g, W_o, b", got, "(…, H, H+D) each, (…, 4, H)")
        W = np.concatenate([W_i, W_f, W_g, W_o], axis=-2)
        b_h = None if b is None else np.reshape(b, (*np.shape(b)[:-2], 4 * H))
        return cls(W[..., H:], W[..., :H], b_h)

    def hx(self, gate):
        """[W_h, W_x] of one gate: what multiplies [h_{t−1}, x_t]."""
        return np.concatenate([getattr(self, f"W_h{gate}"), getattr(self, f"W_x{gate}")], axis=-1)


class Cache(NamedTuple):
    """What `forward` computed: 7H + D + 1 numbers a step and sequence."""

    x: np.ndarray  # (T, B, D) or (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), h[0] is the initial state
    c: np.ndarray  # (T+1, *G, B, H), c[0] is the initial cell
    gates: np.ndarray  # (T, *G, B, 4, H), after their activations
    s: np.ndarray  # (T, *G, B, H), the squashed cell tanh(c_t)
    squash: Activation  # of the candidate and of the cell
    forget_gate: bool
    joint: (
        np.ndarray
    )  # (T+1, *G, B, H+D+1), rows [h_t, x_{t+1}, 1], h being a part; no 1 without b_h

    i = property(lambda cache: cache.gates[..., 0, :], doc="input gate i_t, (T, *G, B, H)")
    f = property(lambda cache: cache.gates[..., 1, :], doc="forget gate f_t, (T, *G, B, H)")
    g = property(lambda cache: cache.gates[..., 2, :], doc="candidate g_t, (T, *G, B, H)")
    o = property(lambda cache: cache.gates[..., 3, :], doc="output gate o_t, (T, *G, B, H)")

    @property
    def bias(self):
        """Whether the network has biases."""
        return self.joint.shape[-1] > self.h.shape[-1] + self.x.shape[-1]


class Gradients(NamedTuple):
    """What `backward` computed: every gradient has the shape of what it belongs to."""

    params: Params  # dL/dθ, summed over steps and batch
    x: np.ndarray  # (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), the total dL/dh_t (ε); h[0] belongs to the initial state
    c: np.ndarray  # (T+1, *G, B, H), the total dL/dc_t (the δ of `D-eq19`); c[0]: the initial cell
    a: np.ndarray  # (T, *G, B, 4H), dL/da_t of the gates before their activations
    per_step: Params | None = None  # the terms of the sum over steps, leading axis T


class Slopes(NamedTuple):
    """The local derivatives of every step, or of one (`cells.at`), each (T, *G, B, H)."""

    i: np.ndarray  # ∂c_t/∂a_i = g_t ∘ i_t (1 − i_t)
    f: np.ndarray  # ∂c_t/∂a_f = c_{t−1} ∘ f_t (1 − f_t)
    g: np.ndarray  # ∂c_t/∂a_g = i_t ∘ (1 − g_t²)
    o: np.ndarray  # ∂h_t/∂a_o = tanh(c_t) ∘ o_t (1 − o_t), c_t held fixed
    tau: np.ndarray  # τ_t = ∂h_t/∂c_t = o_t ∘ tanh′(c_t) (`D-eq21`, `C28`)
    keep: np.ndarray  # ∂c_t/∂c_{t−1} = f_t, the gates held fixed


def init_params(
    input_size, hidden_size, rng, *, scale=1.0, bias=True, forget_bias=1.0, dtype=float
):
    """Random weights: W_x ~ N(0, 1/D) and W_h ~ N(0, scale²/H) for each gate; biases 0,
    but b_f = forget_bias.

    ValueError: sizes that are no positive whole numbers, no generator, another type than a float.

    >>> lstm.init_params(2, 3, np.random.default_rng(0)).b_h.reshape(4, 3).tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    check_sizes(rng, dtype, input_size=input_size, hidden_size=hidden_size)
    check_number("scale", scale)
    check_number("forget_bias", forget_bias)
    W_xh = rng.standard_normal((4 * hidden_size, input_size)) / np.sqrt(input_size)
    W_hh = rng.standard_normal((4 * hidden_size, hidden_size)) * scale / np.sqrt(hidden_size)
    b_h = np.repeat([0, forget_bias, 0, 0], hidden_size).astype(dtype) if bias else None
    return Params(W_xh.astype(dtype), W_hh.astype(dtype), b_h)


def step(params, x_t, h_prev, c_prev, *, forget_gate=True, squash="tanh"):
    """One step (`D-eq11`–`D-eq16`, `B22`–`B27`, `C12`–`C17`): (h_t, c_t) from x_t,
    h_{t−1} and c_{t−1}.

    ValueError: shapes that do not fit, NaN or infinity, an unknown squash.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> h_t, c_t = lstm.step(params, [[1.0]], [[0.0]], [[2.0]])
    >>> h_t.round(3).tolist(), c_t.round(3).tolist()
    ([[0.706]], [[2.019]])
    """
    phi = get_activation(squash, "squash", SQUASHES).f
    (W_xh, W_hh, b_h), grid, H, D = check_weights(params, Params, GATES)
    x_t, h_prev, c_prev = check_step(grid, x_t=(x_t, D), h_prev=(h_prev, H), c_prev=(c_prev, H))
    a_t = x_t @ W_xh.mT + h_prev @ W_hh.mT
    a_i, a_f, a_g, a_o = np.split(a_t if b_h is None else a_t + b_h[..., None, :], 4, axis=-1)
    f_t = sigmoid(a_f) if forget_gate else 1
    c_t = f_t * c_prev + sigmoid(a_i) * phi(a_g)
    h_t = sigmoid(a_o) * phi(c_t)
    return h_t, c_t


def forward(params, x, h_0=None, c_0=None, *, forget_gate=True, squash="tanh"):
    """Run the LSTM over x (T, B, D) from h_0 and c_0 (B, H), zero if not given; returns a `Cache`.

    forget_gate  False: f_t = 1, the cell of 1997 (`A69`); the rows of f are then without effect
    squash       of candidate and cell: "tanh" (A, B, D) or "sigmoid" (`C15`, `C17`)

    ValueError: shapes that do not fit, an empty sequence, NaN or infinity, an unknown squash.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> cache = lstm.forward(params, np.ones((3, 1, 1)))
    >>> cache.c.ravel().round(3).tolist()
    [0.0, 0.557, 0.964, 1.261]
    """
    phi = get_activation(squash, "squash", SQUASHES)
    params, grid, H, D = check_weights(params, Params, GATES)
    x, T, B = check_inputs(x, grid, D)
    h_0 = initial_state("h_0", h_0, (*grid, B, H))
    c_0 = initial_state("c_0", c_0, (*grid, B, H))
    dtype = common_dtype(*params, x, h_0, c_0)
    joint, W = joint_map(params, x, h_0, dtype)
    h = joint[..., :H]
    c = np.empty((T + 1, *grid, B, H), dtype)
    c[0] = 0 if c_0 is None else c_0
    s = np.empty((T, *grid, B, H), dtype)
    gates = np.empty((T, *grid, B, 4, H), dtype)
    i, f, g, o = (gates[..., k, :] for k in range(4))

    # σ(a) = ½ tanh(½ a) + ½, so one call of tanh serves all four gates: stretch · tanh(stretch · a)
    # + shift, where σ has (½, ½), tanh has (1, 0), and the constant 1 of a missing forget gate has
    # (0, 1). Both are laid out like a_t: NumPy has its shortest way with arrays of one shape.
    sigma, identity, one = (0.5, 0.5), (1.0, 0.0), (0.0, 1.0)
    kinds = [sigma, sigma if forget_gate else one, identity if squash == "tanh" else sigma, sigma]
    stretch, shift = layout = np.empty((2, B, 4 * H), W.real.dtype)
    layout[:] = np.repeat(kinds, H, axis=0).T[:, None]
    W *= stretch[0]

    stacked = gates.reshape(*s.shape[:-1], 4 * H)
    ig_t = np.empty_like(s[0])
    matmul = fast_matmul(grid)
    c_prev = c[0]
    # The last argument of a call is where its result goes: the loop makes no new array.
    with np.errstate(over="ignore", invalid="ignore"):
        for joint_prev, a_t, i_t, f_t, g_t, o_t, c_t, s_t, h_t in zip(
            joint[:-1], stacked, i, f, g, o, c[1:], s, h[1:], strict=True
        ):
            matmul(joint_prev, W, a_t)
            tanh(a_t, a_t)
            a_t *= stretch
            a_t += shift
            multiply(f_t, c_prev, c_t)
            c_t += multiply(i_t, g_t, ig_t)
            phi.f(c_t, s_t)
            multiply(o_t, s_t, h_t)
            c_prev = c_t
    report_overflow("the state", joint, c, gates, s, watch=(joint, c))
    return Cache(x, h, c, gates, s, phi, forget_gate, joint)


def backward(params, cache, dh=None, dc=None, *, truncated=False, per_step=False):
    """Backpropagation through time over the pair (h, c), which is the state (`C18`;
    it mends `D-eq22`, `D-x26`).

        dL/dc_t += dL/dh_t ∘ o_t ∘ tanh′(c_t)
        dL/da_i = dL/dc_t ∘ g_t     ∘ i_t (1 − i_t)      dL/dc_{t−1} = ∂⁺L/∂c_{t−1} + dL/dc_t ∘ f_t
        dL/da_f = dL/dc_t ∘ c_{t−1} ∘ f_t (1 − f_t)      dL/dh_{t−1} = ∂⁺L/∂h_{t−1} + W_hhᵀ dL/da_t
        dL/da_g = dL/dc_t ∘ i_t     ∘ (1 − g_t²)
        dL/da_o = dL/dh_t ∘ tanh(c_t) ∘ o_t (1 − o_t)    dL/dW_hh = Σ_t dL/da_t h_{t−1}ᵀ, and so on

    dh, dc     ∂⁺L/∂h_t and ∂⁺L/∂c_t for t = 1…T, (T, *G, B, H), or {t: array}, or None
    truncated  the gradient of 1997: nothing flows from a gate back into h_{t−1} (`A70`)
    per_step   also return the terms of the sums over t (`Gradients.per_step`)

    An exploded gradient comes back as infinity with an `ExplodedWarning`. ValueError: shapes that
    do not fit.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> gradients = lstm.backward(params, lstm.forward(params, np.ones((3, 1, 1))), dc={3: [[1.0]]})
    >>> gradients.c.ravel().round(3).tolist()
    [0.391, 0.534, 0.731, 1.0]
    """
    params, grid, H, D = check_weights(params, Params, GATES)
    check_cache(cache, Cache, params, grid, H, D)
    grad_h, grad_c = state_gradients(cache.h, dh=dh, dc=dc)
    by_gate = np.empty(cache.gates.shape, cache.h.dtype)
    grad_a = by_gate.reshape(*by_gate.shape[:-2], 4 * H)
    carried_h = np.zeros_like(grad_h[0])
    carried_c = np.empty_like(grad_c[0])
    W_hh = params.W_hh
    matmul = _nothing if truncated else fast_matmul(grid)
    dh_t = grad_h[-1]
    dc_t = grad_c[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        for segment in segments(len(grad_a), grad_a[0].size):
            # The slopes are written where dL/da_t will stand: each step turns the ones into the
            # others.
            of_segment = slopes(cache, segment, out=by_gate[segment])
            columns = (grad_a[segment], grad_h[segment], grad_c[segment], *of_segment)
            for da_t, dh_prev, dc_prev, i, f, g, o, tau, keep in zip(
                *(column[::-1] for column in columns), strict=True
            ):
                out = (da_t, i, f, g, o, carried_h, carried_c)
                step_back_into(out, W_hh, (i, f, g, o, tau, keep), dh_t, dc_t, matmul)
                dh_prev += carried_h
                dc_prev += carried_c
                dh_t = dh_prev
                dc_t = dc_prev
        return all_gradients(Gradients, params, cache, [grad_h, grad_c], grad_a, per_step=per_step)


def _nothing(da_t, W_hh, out):
    """In the place of a matrix product: nothing flows, and `out` stays zero."""


def slopes(cache, part=slice(None), *, out=None):
    """The local derivatives of every step as `Slopes`.

    part  a slice of the steps, all if not given
    out   an array (T, *G, B, 4, H) for the derivatives of the four gates

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> lstm.slopes(lstm.forward(params, np.ones((3, 1, 1)))).tau.ravel().round(3).tolist()
    [0.544, 0.324, 0.201]
    """
    gates = cache.gates[part]
    by_gate = ACTIVATIONS["sigmoid"].df(gates, out=out)
    i, f, g, o = (by_gate[..., k, :] for k in range(4))
    i *= gates[..., 2, :]
    f *= cache.c[:-1][part]
    multiply(gates[..., 0, :], cache.squash.df(gates[..., 2, :]), out=g)
    o *= cache.s[part]
    return Slopes(i, f, g, o, output_derivative(cache, part), gates[..., 1, :])


def output_derivative(cache, part=slice(None)):
    """τ_t = ∂h_t/∂c_t = o_t ∘ tanh′(c_t) for t = 1…T, (T, *G, B, H) (`D-eq21`, `C28`).

    part  a slice of the steps, all if not given

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> lstm.output_derivative(lstm.forward(params, np.ones((3, 1, 1)))).ravel().round(3).tolist()
    [0.544, 0.324, 0.201]
    """
    tau = cache.squash.df(cache.s[part])
    tau *= cache.o[part]
    return tau


def step_back(params, slopes_t, dh_t, dc_t):
    """The transpose of one step: (dL/da_t, dL/dh_{t−1}, dL/dc_{t−1}) from dL/dh_t and dL/dc_t,
    linear in both.

    The equations are those of `backward`. dL/dc_t comes in without the path c_t → h_t, which the
    step adds.

    slopes_t    one step of `slopes`, by `cells.at(slopes(cache), t - 1)`
    dh_t, dc_t  (…, *G, B, H), from what comes after the step

    ValueError: no slopes, shapes that do not fit, NaN or infinity.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.full((4, 1), 0.5))
    >>> slopes_t = lstm.Slopes(*np.array([[[0.1]], [[0.2]], [[0.3]], [[0.4]], [[0.5]], [[0.9]]]))
    >>> da_t, dh_prev, dc_prev = lstm.step_back(params, slopes_t, [[2.0]], [[1.0]])
    >>> da_t.round(3).tolist(), dh_prev.round(3).tolist(), dc_prev.round(3).tolist()
    ([[0.2, 0.4, 0.6, 0.8]], [[1.0]], [[1.8]])
    """
    params, dh_t, dc_t = check_step_back(
        params, Params, GATES, Slopes, slopes_t, dh_t=dh_t, dc_t=dc_t
    )
    out = da_t, *_, dh_prev, dc_prev = buffers(dh_t.shape, dh_t.dtype)
    step_back_into(out, params.W_hh, slopes_t, dh_t, dc_t)
    return da_t, dh_prev, dc_prev


def buffers(shape, dtype):
    """New arrays for `step_back_into` and states of this shape: da_t, its four gates as views,
    dh_prev and dc_prev."""
    da_t = np.empty((*shape[:-1], 4, shape[-1]), dtype)
    of_gates = (da_t[..., k, :] for k in range(4))
    stacked = da_t.reshape(*shape[:-1], 4 * shape[-1])
    return stacked, *of_gates, np.empty(shape, dtype), np.empty(shape, dtype)


def step_back_into(out, W_hh, slopes_t, dh_t, dc_t, matmul=np.matmul):
    """`step_back` for inner loops: nothing is checked, and the results go to `out`,
    as `buffers` makes it.

    dc_t becomes the total dL/dc_t, the path c_t → h_t included. Each da may stand where its slope
    stood.
    The three products with dc_t are three calls on purpose: one call on all of them at once is
    slower."""
    to_i, to_f, to_g, to_o, tau, keep = slopes_t
    da_t, da_i, da_f, da_g, da_o, dh_prev, dc_prev = out
    dc_t += multiply(dh_t, tau, dc_prev)
    multiply(dc_t, to_i, da_i)
    multiply(dc_t, to_f, da_f)
    multiply(dc_t, to_g, da_g)
    multiply(dh_t, to_o, da_o)
    multiply(dc_t, keep, dc_prev)
    matmul(da_t, W_hh, dh_prev)


def jacobian(params, slopes_t):
    """∂(h_t, c_t)/∂(h_{t−1}, c_{t−1}), (…, *G, B, 2H, 2H), of one step or of every step (`C50`).

        M_t = [[R_t + D(τ_t) G_t, D(τ_t ∘ f_t)], [G_t, D(f_t)]]

    D(v)  the diagonal matrix of v          τ_t = o_t ∘ tanh′(c_t) = ∂h_t/∂c_t
    G_t   ∂c_t/∂h_{t−1} = D(c_{t−1} ∘ f′_t) W_hf + D(g_t ∘ i′_t) W_hi + D(i_t ∘ g′_t) W_hg, c_{t−1}
          fixed
    R_t   D(tanh(c_t) ∘ o′_t) W_ho, the path through the output gate

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.full((4, 1), 0.5))
    >>> slopes_t = lstm.Slopes(*np.array([[[0.1]], [[0.2]], [[0.3]], [[0.4]], [[0.5]], [[0.9]]]))
    >>> lstm.jacobian(params, slopes_t).round(3).tolist()
    [[[0.35, 0.45], [0.3, 0.9]]]
    """
    G = cell_by_state(params, slopes_t)
    R = scale_rows(slopes_t.o, params.W_ho)
    H = G.shape[-1]
    M = np.empty((*G.shape[:-2], 2 * H, 2 * H), G.dtype)
    M[..., :H, :H] = R + slopes_t.tau[..., None] * G
    M[..., :H, H:] = diagonal(slopes_t.tau * slopes_t.keep)
    M[..., H:, :H] = G
    M[..., H:, H:] = diagonal(slopes_t.keep)
    return M


def cell_by_state(params, slopes_t):
    """G_t = ∂c_t/∂h_{t−1}, c_{t−1} held fixed, (…, *G, B, H, H): the sum over the gates i, f and g.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.full((4, 1), 0.5))
    >>> slopes_t = lstm.Slopes(*np.array([[[0.1]], [[0.2]], [[0.3]], [[0.4]], [[0.5]], [[0.9]]]))
    >>> lstm.cell_by_state(params, slopes_t).round(3).tolist()
    [[[0.3]]]
    """
    G = scale_rows(slopes_t.i, params.W_hi)
    G += scale_rows(slopes_t.f, params.W_hf)
    G += scale_rows(slopes_t.g, params.W_hg)
    return G
