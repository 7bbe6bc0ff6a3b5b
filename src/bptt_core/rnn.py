"""The vanilla recurrent network and backpropagation through time.

    a_t = W_xh x_t + W_hh h_{t−1} + b_h          h_t = φ(a_t)

`init_params` draws weights · `step` is one step · `forward` is the whole sequence and keeps what `backward` needs ·
`backward` turns ∂⁺L/∂h_t into the gradient of everything. `lstm` offers the same names.
"""

from typing import NamedTuple

import numpy as np

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
    outer_sum,
    product,
    report_overflow,
    upstream,
)
from bptt_core.activations import Activation, get_activation


class Params(NamedTuple):
    """Weights of a_t = W_xh x_t + W_hh h_{t−1} + b_h. Leading axes G are a grid of networks."""

    W_xh: np.ndarray  # (*G, H, D)
    W_hh: np.ndarray  # (*G, H, H)
    b_h: np.ndarray | None = None  # (*G, H)


class Cache(NamedTuple):
    """What `forward` computed."""

    x: np.ndarray  # (T, B, D) or (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), h[0] is the initial state
    activation: Activation
    hx: np.ndarray  # (T+1, *G, B, H+D+1), rows [h_t, x_{t+1}, 1], h being a part; no 1 without b_h


class Gradients(NamedTuple):
    """What `backward` computed: every gradient has the shape of what it belongs to."""

    params: Params  # dL/dθ, summed over steps and batch
    x: np.ndarray  # (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), the total dL/dh_t; h[0] belongs to the initial state
    a: np.ndarray  # (T, *G, B, H), dL/da_t, the δ of `D-eq4`
    steps: Params | None = None  # the terms of the sum over steps, leading axis T


def init_params(
    input_size, hidden_size, rng, *, scale=1.0, bias=True, orthogonal=False, dtype=float
):
    """Random weights: W_xh ~ N(0, 1/D); W_hh ~ N(0, scale²/H), or scale · a random orthogonal matrix; b_h = 0.

    The spectral radius of W_hh is about `scale` (Gaussian) or exactly `scale` (orthogonal)."""
    check_sizes(rng, dtype, input_size=input_size, hidden_size=hidden_size)
    check_number("scale", scale)
    W_xh = rng.standard_normal((hidden_size, input_size)) / np.sqrt(input_size)
    W_hh = rng.standard_normal((hidden_size, hidden_size))
    W_hh = np.linalg.qr(W_hh)[0] if orthogonal else W_hh / np.sqrt(hidden_size)
    b_h = np.zeros(hidden_size, dtype) if bias else None
    return Params(W_xh.astype(dtype), (scale * W_hh).astype(dtype), b_h)


def step(params, x_t, h_prev, activation="tanh"):
    """h_t = φ(W_xh x_t + W_hh h_{t−1} + b_h), for x_t (…, B, D) and h_prev (…, B, H) (`A02`, `D-eq1`, `B10`)."""
    phi = get_activation(activation)
    (W_xh, W_hh, b_h), grid, H, D = check_weights(params, Params, blocks=1)
    x_t, h_prev = check_step(grid, D, H, x_t, h_prev=h_prev)
    a_t = x_t @ W_xh.mT + h_prev @ W_hh.mT
    return phi.f(a_t if b_h is None else a_t + b_h[..., None, :])


def forward(params, x, h_0=None, *, activation="tanh"):
    """Run the network over x (T, B, D) from h_0 (B, H), zero if not given; returns a `Cache` (`A05`, `D-eq1`).

    ValueError: shapes that do not fit, an empty sequence, NaN or infinity, an unknown activation."""
    phi = get_activation(activation)
    params, grid, H, D = check_weights(params, Params, blocks=1)
    x, T, B = check_inputs(x, grid, D)
    h_0 = initial_state("h_0", h_0, (*grid, B, H))
    hx, W = joined(params, x, h_0, common_dtype(*params, x, h_0))
    h, a_t, times = hx[..., :H], np.empty((*grid, B, H), hx.dtype), product(grid)
    with np.errstate(over="ignore", invalid="ignore"):
        for hx_prev, h_t in zip(hx[:-1], h[1:], strict=True):
            phi.f(
                times(hx_prev, W, a_t), h_t
            )  # the last argument of a call is where its result goes
    report_overflow("the state", hx)
    return Cache(x, h, phi, hx)


def backward(params, cache, dh, *, per_step=False):
    """Backpropagation through time (`A30`, `D-eq7`, `C06`).

        dL/da_t = φ′(a_t) ∘ dL/dh_t          dL/dh_{t−1} = ∂⁺L/∂h_{t−1} + W_hhᵀ dL/da_t
        dL/dW_hh = Σ_t dL/da_t h_{t−1}ᵀ      dL/dW_xh = Σ_t dL/da_t x_tᵀ      dL/db_h = Σ_t dL/da_t

    dh        ∂⁺L/∂h_t for t = 1…T, (T, *G, B, H), or {t: array} for losses at some steps
    per_step  also return the terms of the sums over t (`Gradients.steps`)

    An exploded gradient comes back as infinity with an `ExplodedWarning`. ValueError: shapes that do not fit."""
    params, grid, H, D = check_weights(params, Params, blocks=1)
    check_cache(cache, Cache, params, grid, H, D)
    _, h, phi, hx = cache
    grad_h, grad_a = np.empty(h.shape, h.dtype), np.empty(h[1:].shape, h.dtype)
    grad_h[0] = 0
    upstream("dh", dh, h[1:].shape, h.dtype, out=grad_h[1:])
    carried, times, dh_t = np.empty_like(grad_h[0]), product(grid), grad_h[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        for now in blocks(len(grad_a), carried.size):
            phi.df(h[1:][now], out=grad_a[now])
            for da_t, dh_prev in zip(grad_a[now][::-1], grad_h[now][::-1], strict=True):
                da_t *= dh_t
                dh_prev += times(da_t, params.W_hh, carried)
                dh_t = dh_prev
        grads = parameter_gradients(params, grad_a, hx)
        contributions = parameter_gradients(params, grad_a, hx, per_step=True) if per_step else None
        grad_x = grad_a @ params.W_xh
    all_gradients = grad_h, grad_a, grad_x, *grads, *(contributions or ())
    report_overflow("the gradient", *all_gradients, watch=(*grads, grad_h[0], grad_x))
    return Gradients(grads, grad_x, grad_h, grad_a, contributions)


def parameter_gradients(params, da, hx, *, per_step=False):
    """Σ_t da_t [h_{t−1}, x_t, 1]ᵀ, cut into the gradients of W_hh, W_xh and b_h. The LSTM's are the same three."""
    joint, H, D = (
        outer_sum(da, hx[:-1], per_step=per_step),
        params.W_hh.shape[-1],
        params.W_xh.shape[-1],
    )
    db = None if params.b_h is None else joint[..., -1]
    return params._replace(W_xh=joint[..., H : H + D], W_hh=joint[..., :H], b_h=db)
