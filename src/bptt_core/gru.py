"""The gated recurrent unit and backpropagation through time.

    r_t = σ(W_xr x_t + W_hr h_{t−1} + b_r)       h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t−1}
    z_t = σ(W_xz x_t + W_hz h_{t−1} + b_z)

    reset="after"   n_t = tanh(W_xn x_t + b_n + r_t ∘ (W_hn h_{t−1} + b_hn))    cuDNN, PyTorch
    reset="before"  n_t = tanh(W_xn x_t + b_n + W_hn (r_t ∘ h_{t−1}) + b_hn)    Cho et al. 2014

z_t = 1 keeps the state, as in PyTorch; in the paper of 2014 z is the other way round, and z_t = 0
keeps it.
The gates r, z and the candidate n are stacked in this order.

init_params      draws weights
step             one step; `step_back` its transpose, which carries a gradient one step back
forward          the whole sequence; keeps what `backward` needs
backward         turns ∂⁺L/∂h_t into the gradient of everything
slopes           the local derivatives of every step; `jacobian` puts them together to ∂h_t/∂h_{t−1}

`rnn` and `lstm` offer the same names; `cells` says which. These passes are plain: only `rnn` and
`lstm` are tuned.
"""

from typing import NamedTuple

import numpy as np
from numpy import multiply

from bptt_core._affine import affine, all_gradients, outer_sum
from bptt_core._arrays import (
    diagonal,
    gate_rows,
    report_overflow,
    rows,
    scale_rows,
    state_gradients,
)
from bptt_core._checks import (
    check_cache,
    check_choice,
    check_inputs,
    check_number,
    check_sizes,
    check_step,
    check_step_back,
    check_weights,
    common_dtype,
    initial_state,
)
from bptt_core.activations import ACTIVATIONS, sigmoid
from bptt_core.cells import at

__all__ = [
    "FORMS",
    "GATES",
    "STATES",
    "Cache",
    "Gradients",
    "Params",
    "Slopes",
    "backward",
    "buffers",
    "forward",
    "init_params",
    "jacobian",
    "parameter_gradients",
    "slopes",
    "step",
    "step_back",
    "step_back_into",
]

GATES = "rzn"  # what the rows of W_xh, W_hh and b_h compute, in this order
STATES = ("h",)
FORMS = (
    "after",
    "before",
)  # where the reset gate stands: after the product with W_hn, or before it


class Params(NamedTuple):
    """Weights of r, z and n, rows stacked in this order. Leading axes G are a grid of networks.

    Per gate, as views: `W_xr`, `W_xz`, `W_xn` (H, D), `W_hr`, `W_hz`, `W_hn` (H, H), `b_r`, `b_z`,
    `b_n` (H).
    With the reset gate before the product b_hn is a second bias of n, with the gradient of the
    first."""

    W_xh: np.ndarray  # (*G, 3H, D)
    W_hh: np.ndarray  # (*G, 3H, H)
    b_h: np.ndarray | None = None  # (*G, 3H)
    b_hn: np.ndarray | None = None  # (*G, H)

    W_xr = gate_rows(GATES, "W_xh", "r")
    W_xz = gate_rows(GATES, "W_xh", "z")
    W_xn = gate_rows(GATES, "W_xh", "n")
    W_hr = gate_rows(GATES, "W_hh", "r")
    W_hz = gate_rows(GATES, "W_hh", "z")
    W_hn = gate_rows(GATES, "W_hh", "n")
    b_r = gate_rows(GATES, "b_h", "r")
    b_z = gate_rows(GATES, "b_h", "z")
    b_n = gate_rows(GATES, "b_h", "n")


class Cache(NamedTuple):
    """What `forward` computed."""

    x: np.ndarray  # (T, B, D) or (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), h[0] is the initial state
    gates: np.ndarray  # (T, *G, B, 3, H), after their activations
    m: np.ndarray  # (T, *G, B, H), what r_t multiplies: W_hn h_{t−1} + b_hn, or h_{t−1} itself
    reset: str  # "after" or "before"
    bias: bool  # whether there was a b_h

    r = property(lambda cache: cache.gates[..., 0, :], doc="reset gate r_t, (T, *G, B, H)")
    z = property(lambda cache: cache.gates[..., 1, :], doc="update gate z_t, (T, *G, B, H)")
    n = property(lambda cache: cache.gates[..., 2, :], doc="candidate n_t, (T, *G, B, H)")


class Gradients(NamedTuple):
    """What `backward` computed: every gradient has the shape of what it belongs to."""

    params: Params  # dL/dθ, summed over steps and batch
    x: np.ndarray  # (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), the total dL/dh_t; h[0] belongs to the initial state
    a: np.ndarray  # (T, *G, B, 3H), dL/da_t of the gates before their activations
    per_step: Params | None = None  # the terms of the sum over steps, leading axis T


class Slopes(NamedTuple):
    """The local derivatives of every step, or of one (`cells.at`), each (T, *G, B, H)."""

    r: np.ndarray  # ∂(r_t ∘ m_t)/∂a_r = m_t ∘ r_t (1 − r_t)
    z: np.ndarray  # ∂h_t/∂a_z = (h_{t−1} − n_t) ∘ z_t (1 − z_t)
    n: np.ndarray  # ∂h_t/∂a_n = (1 − z_t) ∘ (1 − n_t²)
    m: np.ndarray  # ∂(r_t ∘ m_t)/∂m_t = r_t
    keep: np.ndarray  # ∂h_t/∂h_{t−1} = z_t, the gates and the candidate held fixed
    reset: str  # "after" or "before"


def init_params(
    input_size, hidden_size, rng, *, scale=1.0, bias=True, update_bias=1.0, dtype=float
):
    """Random weights: W_x ~ N(0, 1/D) and W_h ~ N(0, scale²/H) for each gate; biases 0,
    but b_z = update_bias.

    The update bias keeps the state, as the forget bias of an LSTM keeps its cell; torch.nn.GRU has
    none.
    ValueError: sizes that are no positive whole numbers, no generator, another type than a float.

    >>> [value.shape for value in gru.init_params(2, 4, np.random.default_rng(0))]
    [(12, 2), (12, 4), (12,), (4,)]
    """
    check_sizes(rng, dtype, input_size=input_size, hidden_size=hidden_size)
    check_number("scale", scale)
    check_number("update_bias", update_bias)
    W_xh = rng.standard_normal((3 * hidden_size, input_size)) / np.sqrt(input_size)
    W_hh = rng.standard_normal((3 * hidden_size, hidden_size)) * scale / np.sqrt(hidden_size)
    b_h = np.repeat([0, update_bias, 0], hidden_size).astype(dtype) if bias else None
    b_hn = np.zeros(hidden_size, dtype) if bias else None
    return Params(W_xh.astype(dtype), W_hh.astype(dtype), b_h, b_hn)


def step(params, x_t, h_prev, *, reset="after"):
    """One step: h_t from x_t (…, B, D) and h_{t−1} (…, B, H).

    reset  "after" (cuDNN, PyTorch) or "before" (2014): where the reset gate stands

    ValueError: shapes that do not fit, NaN or infinity, an unknown form.

    >>> params = gru.Params(W_xh=np.ones((3, 1)), W_hh=np.zeros((3, 1)), b_hn=np.ones(1))
    >>> [gru.step(params, [[1.0]], [[2.0]], reset=form).round(3).item() for form in gru.FORMS]
    [1.715, 1.721]
    """
    check_choice("reset", reset, FORMS)
    params, grid, H, D = check_weights(params, Params, GATES)
    x_t, h_prev = check_step(grid, x_t=(x_t, D), h_prev=(h_prev, H))
    a_t = x_t @ params.W_xh.mT
    if params.b_h is not None:
        a_t = a_t + params.b_h[..., None, :]
    a_r, a_z, a_n = np.split(a_t, 3, axis=-1)
    b_hn = 0 if params.b_hn is None else params.b_hn[..., None, :]
    r_t = sigmoid(a_r + h_prev @ params.W_hr.mT)
    z_t = sigmoid(a_z + h_prev @ params.W_hz.mT)
    if reset == "after":
        n_t = np.tanh(a_n + r_t * (h_prev @ params.W_hn.mT + b_hn))
    else:
        n_t = np.tanh(a_n + (r_t * h_prev) @ params.W_hn.mT + b_hn)
    return (1 - z_t) * n_t + z_t * h_prev


def forward(params, x, h_0=None, *, reset="after"):
    """Run the GRU over x (T, B, D) from h_0 (B, H), zero if not given; returns a `Cache`.

    reset  "after" (cuDNN, PyTorch) or "before" (2014): where the reset gate stands

    ValueError: shapes that do not fit, an empty sequence, NaN or infinity, an unknown form.

    >>> params = gru.Params(W_xh=np.ones((3, 1)), W_hh=np.zeros((3, 1)))
    >>> gru.forward(params, np.ones((3, 1, 1))).h.ravel().round(3).tolist()
    [0.0, 0.205, 0.355, 0.464]
    """
    check_choice("reset", reset, FORMS)
    params, grid, H, D = check_weights(params, Params, GATES)
    x, T, B = check_inputs(x, grid, D)
    h_0 = initial_state("h_0", h_0, (*grid, B, H))
    dtype = common_dtype(*params, x, h_0)
    h = np.empty((T + 1, *grid, B, H), dtype)
    h[0] = 0 if h_0 is None else h_0
    m = np.empty_like(h[1:]) if reset == "after" else h[:-1]
    by_gate = np.empty((T, *grid, B, 3, H), dtype)
    gates = by_gate.reshape(T, *grid, B, 3 * H)
    W_rz = params.W_hh[..., : 2 * H, :].mT
    W_hn = params.W_hn.mT
    b_hn = 0 if params.b_hn is None else params.b_hn[..., None, :]
    with np.errstate(over="ignore", invalid="ignore"):
        gates[...] = affine(
            x, params.W_xh, params.b_h, T
        )  # of all steps at once; the loop adds what reads h
        for a_t, m_t, h_prev, h_t in zip(gates, m, h[:-1], h[1:], strict=True):
            rz_t = a_t[..., : 2 * H]
            r_t, z_t, n_t = a_t[..., :H], a_t[..., H : 2 * H], a_t[..., 2 * H :]
            rz_t += h_prev @ W_rz
            sigmoid(rz_t, rz_t)
            if reset == "after":
                np.add(h_prev @ W_hn, b_hn, m_t)
                n_t += r_t * m_t
            else:
                n_t += (r_t * m_t) @ W_hn + b_hn
            np.tanh(n_t, n_t)
            h_t[...] = n_t + z_t * (h_prev - n_t)
    report_overflow("the state", h, by_gate, m, watch=(h, by_gate))
    return Cache(x, h, by_gate, m, reset, params.b_h is not None)


def backward(params, cache, dh=None, *, per_step=False):
    """Backpropagation through time: `step_back`, from the last step to the first.

        dL/da_n = dL/dh_t ∘ (1 − z_t) ∘ (1 − n_t²)
        dL/da_z = dL/dh_t ∘ (h_{t−1} − n_t) ∘ z_t (1 − z_t)
        dL/da_r = q ∘ m_t ∘ r_t (1 − r_t)

        reset="after"   q = dL/da_n           dL/dh_{t−1} = … + W_hnᵀ (r_t ∘ q)
        reset="before"  q = W_hnᵀ dL/da_n     dL/dh_{t−1} = … + r_t ∘ q

        … = ∂⁺L/∂h_{t−1} + z_t ∘ dL/dh_t + W_hrᵀ dL/da_r + W_hzᵀ dL/da_z

    m_t       what r_t multiplies (`Cache.m`)
    dh        ∂⁺L/∂h_t for t = 1…T, (T, *G, B, H), or {t: array} for losses at some steps, or None
    per_step  also return the terms of the sums over t (`Gradients.per_step`)

    An exploded gradient comes back as infinity with an `ExplodedWarning`. ValueError: shapes that
    do not fit.

    >>> params = gru.Params(W_xh=np.ones((3, 1)), W_hh=np.zeros((3, 1)))
    >>> gradients = gru.backward(params, gru.forward(params, np.ones((3, 1, 1))), {3: [[1.0]]})
    >>> gradients.h.ravel().round(3).tolist()
    [0.391, 0.534, 0.731, 1.0]
    """
    params, grid, H, D = check_weights(params, Params, GATES)
    check_cache(cache, Cache, params, grid, H, D)
    (grad_h,) = state_gradients(cache.h, dh=dh)
    grad_a = np.empty((*grad_h[1:].shape[:-1], 3 * H), grad_h.dtype)
    out = da_t, _, dh_prev = buffers(grad_h[0].shape, grad_h.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        every = slopes(cache)
        for t in reversed(range(len(grad_a))):
            step_back_into(out, params.W_hh, at(every, t), grad_h[t + 1])
            grad_a[t] = da_t
            grad_h[t] += dh_prev
        return all_gradients(
            Gradients,
            params,
            cache,
            [grad_h],
            grad_a,
            per_step=per_step,
            of_parameters=parameter_gradients,
        )


def parameter_gradients(params, cache, da, *, per_step=False):
    """The gradients of the parameters from dL/da_t of every step; with `per_step` their terms.

    dW_xh = Σ_t da_t x_tᵀ    db_h = Σ_t da_t    dW_hr, dW_hz = Σ_t da_t h_{t−1}ᵀ

    reset="after"   dW_hn = Σ_t (r_t ∘ da_n) h_{t−1}ᵀ    db_hn = Σ_t r_t ∘ da_n
    reset="before"  dW_hn = Σ_t da_n (r_t ∘ h_{t−1})ᵀ    db_hn = Σ_t da_n
    """
    H = params.W_hh.shape[-1]
    h_prev = cache.h[:-1]
    da_rz, da_n = da[..., : 2 * H], da[..., 2 * H :]
    if cache.reset == "after":
        dm = da_n * cache.r
        read_by_n = h_prev
    else:
        dm = da_n
        read_by_n = cache.r * h_prev
    dW_rz = outer_sum(da_rz, h_prev, per_step=per_step)
    dW_hn = outer_sum(dm, read_by_n, per_step=per_step)

    def summed(gradient):
        return gradient.sum(-2) if per_step else rows(gradient).sum(-2)

    return Params(
        W_xh=outer_sum(da, cache.x, per_step=per_step),
        W_hh=np.concatenate([dW_rz, dW_hn], axis=-2),
        b_h=None if params.b_h is None else summed(da),
        b_hn=None if params.b_hn is None else summed(dm),
    )


def slopes(cache, part=slice(None)):
    """The local derivatives of every step as `Slopes`.

    part  a slice of the steps, all if not given

    >>> params = gru.Params(W_xh=np.ones((3, 1)), W_hh=np.zeros((3, 1)))
    >>> gru.slopes(gru.forward(params, np.ones((3, 1, 1)))).z.ravel().round(3).tolist()
    [-0.15, -0.109, -0.08]
    """
    r, z, n = (cache.gates[part][..., k, :] for k in range(3))
    sigma = ACTIVATIONS["sigmoid"].df
    tanh = ACTIVATIONS["tanh"].df
    return Slopes(
        r=cache.m[part] * sigma(r),
        z=(cache.h[:-1][part] - n) * sigma(z),
        n=(1 - z) * tanh(n),
        m=r,
        keep=z,
        reset=cache.reset,
    )


def step_back(params, slopes_t, dh_t):
    """The transpose of one step: (dL/da_t, dL/dh_{t−1}) from dL/dh_t, linear in it.

    The equations are those of `backward`.

    slopes_t  one step of `slopes`, by `cells.at(slopes(cache), t - 1)`
    dh_t      (…, *G, B, H), the total gradient of h_t

    ValueError: no slopes, shapes that do not fit, NaN or infinity.

    >>> params = gru.Params(W_xh=np.ones((3, 1)), W_hh=np.full((3, 1), 0.5))
    >>> slopes_t = gru.Slopes(*np.array([[[0.1]], [[0.2]], [[0.3]], [[0.4]], [[0.9]]]), "after")
    >>> da_t, dh_prev = gru.step_back(params, slopes_t, [[1.0]])
    >>> da_t.round(3).tolist(), dh_prev.round(3).tolist()
    ([[0.03, 0.2, 0.3]], [[1.075]])
    """
    params, dh_t = check_step_back(params, Params, GATES, Slopes, slopes_t, dh_t=dh_t)
    out = da_t, _, dh_prev = buffers(dh_t.shape, dh_t.dtype)
    step_back_into(out, params.W_hh, slopes_t, dh_t)
    return da_t, dh_prev


def buffers(shape, dtype):
    """New arrays for `step_back_into` and states of this shape: da_t, what goes through W_hh,
    and dh_prev."""
    stacked = (*shape[:-1], 3 * shape[-1])
    return np.empty(stacked, dtype), np.empty(stacked, dtype), np.empty(shape, dtype)


def step_back_into(out, W_hh, slopes_t, dh_t, matmul=np.matmul):
    """`step_back` for inner loops: nothing is checked, and the results go to `out`,
    as `buffers` makes it.

    dh_prev may stand where dh_t stood."""
    to_r, to_z, to_n, to_m, keep, reset = slopes_t
    da_t, through, dh_prev = out
    H = dh_t.shape[-1]
    da_r, da_z, da_n = da_t[..., :H], da_t[..., H : 2 * H], da_t[..., 2 * H :]
    kept = dh_t * keep
    multiply(dh_t, to_z, da_z)
    multiply(dh_t, to_n, da_n)
    if reset == "after":
        multiply(da_n, to_r, da_r)
        through[...] = da_t
        through[..., 2 * H :] *= to_m
        matmul(through, W_hh, dh_prev)
    else:
        q = da_n @ W_hh[..., 2 * H :, :]
        multiply(q, to_r, da_r)
        matmul(da_t[..., : 2 * H], W_hh[..., : 2 * H, :], dh_prev)
        dh_prev += q * to_m
    dh_prev += kept


def jacobian(params, slopes_t):
    """∂h_t/∂h_{t−1}, (…, *G, B, H, H), of one step or of every step.

        J_t = D(z_t) + D(∂h_t/∂a_z) W_hz + D(∂h_t/∂a_n) N_t

        reset="after"   N_t = D(r_t) W_hn + D(m_t ∘ r_t′) W_hr           N_t = ∂a_n/∂h_{t−1}
        reset="before"  N_t = W_hn (D(r_t) + D(m_t ∘ r_t′) W_hr)

    >>> params = gru.Params(W_xh=np.ones((3, 1)), W_hh=np.full((3, 1), 0.5))
    >>> slopes_t = gru.Slopes(*np.array([[[0.1]], [[0.2]], [[0.3]], [[0.4]], [[0.9]]]), "after")
    >>> gru.jacobian(params, slopes_t).round(3).tolist()
    [[[1.075]]]
    """
    N = scale_rows(slopes_t.r, params.W_hr)
    if slopes_t.reset == "after":
        N += scale_rows(slopes_t.m, params.W_hn)
    else:
        N = params.W_hn[..., None, :, :] @ (N + diagonal(slopes_t.m))
    J = scale_rows(slopes_t.z, params.W_hz) + slopes_t.n[..., None] * N
    J += diagonal(slopes_t.keep)
    return J
