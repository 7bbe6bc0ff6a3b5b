"""The long short-term memory and backpropagation through time.

    i_t = σ(W_xi x_t + W_hi h_{t−1} + b_i)       c_t = f_t ∘ c_{t−1} + i_t ∘ g_t
    f_t = σ(W_xf x_t + W_hf h_{t−1} + b_f)       h_t = o_t ∘ tanh(c_t)
    g_t = tanh(W_xg x_t + W_hg h_{t−1} + b_g)
    o_t = σ(W_xo x_t + W_ho h_{t−1} + b_o)

The four gates are stacked in this order, so that one matrix product serves them all.
`init_params` draws weights · `step` is one step · `forward` is the whole sequence and keeps what `backward` needs ·
`backward` turns ∂⁺L/∂h_t and ∂⁺L/∂c_t into the gradient of everything. `rnn` offers the same names.
"""

from typing import NamedTuple

import numpy as np
from numpy import multiply, tanh

from bptt_core._arrays import (
    blocks,
    check_cache,
    check_inputs,
    check_number,
    check_sizes,
    check_step,
    check_weights,
    common_dtype,
    initial_state,
    joined,
    product,
    report_overflow,
    upstream,
    wanted,
)
from bptt_core.activations import Activation, get_activation, sigmoid
from bptt_core.rnn import parameter_gradients

GATES = "ifgo"
SQUASHES = ("tanh", "sigmoid")
SIGMA, TANH, ONE = (
    (0.5, 0.5),
    (1.0, 0.0),
    (0.0, 1.0),
)  # (m, n) in m tanh(m a) + n, which is σ(a), tanh(a), 1


class Params(NamedTuple):
    """Weights of all four gates, rows stacked in the order i, f, g, o. Leading axes G are a grid of networks.

    Per gate, as views: `W_xi … W_xo` (H, D), `W_hi … W_ho` (H, H), `b_i … b_o` (H).
    Per gate in the [h, x] form of `B22` and `D-eq11`: `W_i … W_o` (H, H+D), made by `hx` and read by `from_hx`."""

    W_xh: np.ndarray  # (*G, 4H, D)
    W_hh: np.ndarray  # (*G, 4H, H)
    b_h: np.ndarray | None = None  # (*G, 4H)

    @classmethod
    def from_hx(cls, W_i, W_f, W_g, W_o, b=None):
        """From one matrix per gate that acts on [h_{t−1}, x_t], each (H, H+D), and biases b (4, H) or None."""
        shapes = [np.shape(W) for W in (W_i, W_f, W_g, W_o)]
        if len(set(shapes)) > 1 or (b is not None and np.shape(b)[-2:] != (4, *shapes[0][-2:-1])):
            raise wanted(
                "W_i, W_f, W_g, W_o, b",
                f"shapes {shapes}, {np.shape(b)}",
                "(…, H, H+D) each, (…, 4, H)",
            )
        W = np.concatenate([W_i, W_f, W_g, W_o], axis=-2)
        H = W.shape[-2] // 4
        return cls(
            W[..., H:], W[..., :H], None if b is None else np.reshape(b, (*np.shape(b)[:-2], 4 * H))
        )

    def hx(self, gate):
        """[W_h, W_x] of one gate: what multiplies [h_{t−1}, x_t]."""
        return np.concatenate([getattr(self, f"W_h{gate}"), getattr(self, f"W_x{gate}")], axis=-1)


def _gate_view(field, index, axis):
    """A property: the rows of one gate in a stacked parameter."""

    def view(params):
        stacked = getattr(params, field)
        H = params.W_hh.shape[-1]
        return (
            None
            if stacked is None
            else stacked[(..., slice(index * H, (index + 1) * H)) + (slice(None),) * axis]
        )

    return property(view)


for _index, _gate in enumerate(GATES):
    setattr(Params, f"W_x{_gate}", _gate_view("W_xh", _index, 1))
    setattr(Params, f"W_h{_gate}", _gate_view("W_hh", _index, 1))
    setattr(Params, f"b_{_gate}", _gate_view("b_h", _index, 0))
    setattr(Params, f"W_{_gate}", property(lambda params, gate=_gate: params.hx(gate)))


class Cache(NamedTuple):
    """What `forward` computed: 7H + D + 1 numbers a step and sequence."""

    x: np.ndarray  # (T, B, D) or (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), h[0] is the initial state
    c: np.ndarray  # (T+1, *G, B, H), c[0] is the initial cell
    gates: np.ndarray  # (T, *G, B, 4, H), after their activations
    s: np.ndarray  # (T, *G, B, H), the squashed cell tanh(c_t)
    squash: Activation  # of the candidate and of the cell
    forget_gate: bool
    hx: np.ndarray  # (T+1, *G, B, H+D+1), rows [h_t, x_{t+1}, 1], h being a part; no 1 without b_h

    i = property(lambda cache: cache.gates[..., 0, :], doc="input gate i_t, (T, *G, B, H)")
    f = property(lambda cache: cache.gates[..., 1, :], doc="forget gate f_t, (T, *G, B, H)")
    g = property(lambda cache: cache.gates[..., 2, :], doc="candidate g_t, (T, *G, B, H)")
    o = property(lambda cache: cache.gates[..., 3, :], doc="output gate o_t, (T, *G, B, H)")


class Gradients(NamedTuple):
    """What `backward` computed: every gradient has the shape of what it belongs to."""

    params: Params  # dL/dθ, summed over steps and batch
    x: np.ndarray  # (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), the total dL/dh_t (ε); h[0] belongs to the initial state
    c: (
        np.ndarray
    )  # (T+1, *G, B, H), the total dL/dc_t (the δ of `D-eq19`); c[0] belongs to the initial cell
    a: np.ndarray  # (T, *G, B, 4H), dL/da_t of the gates before their activations
    steps: Params | None = None  # the terms of the sum over steps, leading axis T


def init_params(
    input_size, hidden_size, rng, *, scale=1.0, bias=True, forget_bias=1.0, dtype=float
):
    """Random weights: W_x ~ N(0, 1/D) and W_h ~ N(0, scale²/H) for each gate; biases 0, but b_f = forget_bias."""
    check_sizes(rng, dtype, input_size=input_size, hidden_size=hidden_size)
    check_number("scale", scale)
    check_number("forget_bias", forget_bias)
    W_xh = rng.standard_normal((4 * hidden_size, input_size)) / np.sqrt(input_size)
    W_hh = rng.standard_normal((4 * hidden_size, hidden_size)) * scale / np.sqrt(hidden_size)
    b_h = np.repeat([0, forget_bias, 0, 0], hidden_size).astype(dtype) if bias else None
    return Params(W_xh.astype(dtype), W_hh.astype(dtype), b_h)


def step(params, x_t, h_prev, c_prev, *, forget_gate=True, squash="tanh"):
    """One step (`D-eq11`–`D-eq16`, `B22`–`B27`, `C12`–`C17`): (h_t, c_t) from x_t, h_{t−1} and c_{t−1}."""
    phi = get_activation(squash, "squash", SQUASHES).f
    (W_xh, W_hh, b_h), grid, H, D = check_weights(params, Params, blocks=4)
    x_t, h_prev, c_prev = check_step(grid, D, H, x_t, h_prev=h_prev, c_prev=c_prev)
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

    ValueError: shapes that do not fit, an empty sequence, NaN or infinity, an unknown activation."""
    phi = get_activation(squash, "squash", SQUASHES)
    params, grid, H, D = check_weights(params, Params, blocks=4)
    x, T, B = check_inputs(x, grid, D)
    h_0 = initial_state("h_0", h_0, (*grid, B, H))
    c_0 = initial_state("c_0", c_0, (*grid, B, H))
    dtype = common_dtype(*params, x, h_0, c_0)
    hx, W = joined(params, x, h_0, dtype)
    h, c, s = hx[..., :H], np.empty((T + 1, *grid, B, H), dtype), np.empty((T, *grid, B, H), dtype)
    c[0] = 0 if c_0 is None else c_0
    gates = np.empty((T, *grid, B, 4, H), dtype)
    i, f, g, o = (gates[..., k, :] for k in range(4))

    # σ(a) = ½ + ½ tanh(a/2), so one tanh serves all four gates.
    kinds = [SIGMA, SIGMA if forget_gate else ONE, TANH if squash == "tanh" else SIGMA, SIGMA]
    m, n = mn = np.empty((2, B, 4 * H), W.real.dtype)  # of a_t's shape: NumPy's shortest way
    mn[:] = np.repeat(kinds, H, axis=0).T[:, None]
    W *= m[0]
    ig, times, c_prev = np.empty_like(s[0]), product(grid), c[0]
    with np.errstate(over="ignore", invalid="ignore"):
        for hx_prev, a_t, i_t, f_t, g_t, o_t, c_t, s_t, h_t in zip(
            hx[:-1], gates.reshape(*s.shape[:-1], 4 * H), i, f, g, o, c[1:], s, h[1:], strict=True
        ):
            tanh(
                times(hx_prev, W, a_t), a_t
            )  # the last argument of a call is where its result goes
            a_t *= m
            a_t += n
            multiply(f_t, c_prev, c_t)
            c_t += multiply(i_t, g_t, ig)
            phi.f(c_t, s_t)
            multiply(o_t, s_t, h_t)
            c_prev = c_t
    report_overflow("the state", hx, c, gates, s, watch=(hx, c))
    return Cache(x, h, c, gates, s, phi, forget_gate, hx)


def backward(params, cache, dh=None, dc=None, *, truncated=False, per_step=False):
    """Backpropagation through time over the pair (h, c), which is the state (`C18`; it mends `D-eq22`, `D-x26`).

        dL/dc_t += dL/dh_t ∘ o_t ∘ tanh′(c_t)
        dL/da_i = dL/dc_t ∘ g_t     ∘ i_t (1 − i_t)        dL/dc_{t−1} = ∂⁺L/∂c_{t−1} + dL/dc_t ∘ f_t
        dL/da_f = dL/dc_t ∘ c_{t−1} ∘ f_t (1 − f_t)        dL/dh_{t−1} = ∂⁺L/∂h_{t−1} + W_hhᵀ dL/da_t
        dL/da_g = dL/dc_t ∘ i_t     ∘ (1 − g_t²)
        dL/da_o = dL/dh_t ∘ tanh(c_t) ∘ o_t (1 − o_t)      dL/dW_hh = Σ_t dL/da_t h_{t−1}ᵀ, and so on

    dh, dc     ∂⁺L/∂h_t and ∂⁺L/∂c_t for t = 1…T, (T, *G, B, H), or {t: array}, or None
    truncated  the gradient of 1997: nothing flows from a gate back into h_{t−1} (`A70`)
    per_step   also return the terms of the sums over t (`Gradients.steps`)

    An exploded gradient comes back as infinity with an `ExplodedWarning`. ValueError: shapes that do not fit."""
    params, grid, H, D = check_weights(params, Params, blocks=4)
    check_cache(cache, Cache, params, grid, H, D)
    _, h, _, gates, s, _, _, hx = cache
    grad_h, grad_c = np.empty((2, *h.shape), h.dtype)
    grad_h[0] = grad_c[0] = 0
    upstream("dh", dh, s.shape, h.dtype, out=grad_h[1:])
    upstream("dc", dc, s.shape, h.dtype, out=grad_c[1:])
    grad_a = np.empty(gates.shape, h.dtype)
    carried, times = np.empty_like(grad_h[0]), product(grid)
    dh_t, dc_t = grad_h[-1], grad_c[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        for now in blocks(len(s), gates[0].size):
            da, tau = local_derivatives(cache, now, out=grad_a[now]), output_derivative(cache, now)
            of_gates = (da.reshape(*da.shape[:-2], 4 * H), *(da[..., k, :] for k in range(4)))
            for dh_prev, dc_prev, tau_t, f_t, da_t, da_i, da_f, da_g, da_o in zip(
                *(
                    array[::-1]
                    for array in (grad_h[now], grad_c[now], tau, cache.f[now], *of_gates)
                ),
                strict=True,
            ):
                dc_t += multiply(dh_t, tau_t, carried)
                da_i *= dc_t
                da_f *= dc_t
                da_g *= dc_t
                da_o *= dh_t
                dc_prev += multiply(dc_t, f_t, carried)
                if not truncated:
                    dh_prev += times(da_t, params.W_hh, carried)
                dh_t, dc_t = dh_prev, dc_prev
        grad_a = grad_a.reshape(*s.shape[:-1], 4 * H)
        grads = parameter_gradients(params, grad_a, hx)
        contributions = parameter_gradients(params, grad_a, hx, per_step=True) if per_step else None
        grad_x = grad_a @ params.W_xh
    all_gradients = grad_h, grad_c, grad_a, grad_x, *grads, *(contributions or ())
    report_overflow("the gradient", *all_gradients, watch=(*grads, grad_h[0], grad_c[0], grad_x))
    return Gradients(grads, grad_x, grad_h, grad_c, grad_a, contributions)


def local_derivatives(cache, steps=slice(None), *, out=None):
    """What a change of each pre-activation does: ∂c_t/∂a for i, f, g and ∂h_t/∂a_o at fixed c_t, (T, *G, B, 4, H).

    steps  a slice of the steps, all if not given"""
    i, _, g, _ = (cache.gates[steps][..., k, :] for k in range(4))
    local = get_activation("sigmoid").df(cache.gates[steps], out=out)
    local[..., 0, :] *= g
    local[..., 1, :] *= cache.c[:-1][steps]
    multiply(i, cache.squash.df(g), out=local[..., 2, :])
    local[..., 3, :] *= cache.s[steps]
    return local


def output_derivative(cache, steps=slice(None)):
    """τ_t = ∂h_t/∂c_t = o_t ∘ tanh′(c_t) for t = 1…T, (T, *G, B, H) (`D-eq21`, `C28`)."""
    tau = cache.squash.df(cache.s[steps])
    tau *= cache.o[steps]
    return tau
