"""The vanilla recurrent network and backpropagation through time.

    a_t = W_xh x_t + W_hh h_{t−1} + b_h          h_t = φ(a_t)

init_params      draws weights
step             one step; `step_back` its transpose, which carries a gradient one step back
forward          the whole sequence; keeps what `backward` needs
backward         turns ∂⁺L/∂h_t into the gradient of everything
slopes           the local derivatives of every step; `jacobian` puts them together to ∂h_t/∂h_{t−1}

`lstm` and `gru` offer the same names; `cells` says which.
"""

from typing import NamedTuple

import numpy as np
from numpy import multiply

from bptt_core._affine import all_gradients, joint_map, parameter_gradients
from bptt_core._arrays import fast_matmul, report_overflow, scale_rows, segments, state_gradients
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
)
from bptt_core.activations import Activation, get_activation

__all__ = [
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

GATES = "h"  # what the rows of W_xh, W_hh and b_h compute: here the state alone
STATES = ("h",)


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
    joint: (
        np.ndarray
    )  # (T+1, *G, B, H+D+1), rows [h_t, x_{t+1}, 1], h being a part; no 1 without b_h

    @property
    def bias(self):
        """Whether the network has a bias."""
        return self.joint.shape[-1] > self.h.shape[-1] + self.x.shape[-1]


class Gradients(NamedTuple):
    """What `backward` computed: every gradient has the shape of what it belongs to."""

    params: Params  # dL/dθ, summed over steps and batch
    x: np.ndarray  # (T, *G, B, D)
    h: np.ndarray  # (T+1, *G, B, H), the total dL/dh_t; h[0] belongs to the initial state
    a: np.ndarray  # (T, *G, B, H), dL/da_t, the δ of `D-eq4`
    per_step: Params | None = None  # the terms of the sum over steps, leading axis T


class Slopes(NamedTuple):
    """The local derivatives of every step, or of one (`cells.at`)."""

    h: np.ndarray  # (T, *G, B, H), φ′(a_t) = ∂h_t/∂a_t


def init_params(
    input_size, hidden_size, rng, *, scale=1.0, bias=True, orthogonal=False, dtype=float
):
    """Random weights: W_xh ~ N(0, 1/D); W_hh ~ N(0, scale²/H), or scale · a random rotation;
    b_h = 0.

    The spectral radius of W_hh is about `scale` (Gaussian) or exactly `scale` (orthogonal).
    ValueError: sizes that are no positive whole numbers, no generator, another type than a float.

    >>> [value.shape for value in rnn.init_params(2, 3, np.random.default_rng(0))]
    [(3, 2), (3, 3), (3,)]
    """
    check_sizes(rng, dtype, input_size=input_size, hidden_size=hidden_size)
    check_number("scale", scale)
    W_xh = rng.standard_normal((hidden_size, input_size)) / np.sqrt(input_size)
    W_hh = rng.standard_normal((hidden_size, hidden_size))
    W_hh = np.linalg.qr(W_hh)[0] if orthogonal else W_hh / np.sqrt(hidden_size)
    b_h = np.zeros(hidden_size, dtype) if bias else None
    return Params(W_xh.astype(dtype), (scale * W_hh).astype(dtype), b_h)


def step(params, x_t, h_prev, *, activation="tanh"):
    """h_t = φ(W_xh x_t + W_hh h_{t−1} + b_h), for x_t (…, B, D) and h_prev (…, B, H) (`A02`,
    `D-eq1`, `B10`).

    ValueError: shapes that do not fit, NaN or infinity, an unknown activation.

    >>> params = rnn.Params(W_xh=np.array([[2.0]]), W_hh=np.array([[0.5]]))
    >>> rnn.step(params, [[3.0]], [[4.0]], activation="identity").tolist()
    [[8.0]]
    """
    phi = get_activation(activation)
    (W_xh, W_hh, b_h), grid, H, D = check_weights(params, Params, GATES)
    x_t, h_prev = check_step(grid, x_t=(x_t, D), h_prev=(h_prev, H))
    a_t = x_t @ W_xh.mT + h_prev @ W_hh.mT
    return phi.f(a_t if b_h is None else a_t + b_h[..., None, :])


def forward(params, x, h_0=None, *, activation="tanh"):
    """Run the network over x (T, B, D) from h_0 (B, H), zero if not given;
    returns a `Cache` (`A05`, `D-eq1`).

    ValueError: shapes that do not fit, an empty sequence, NaN or infinity, an unknown activation.

    >>> params = rnn.Params(W_xh=np.array([[1.0]]), W_hh=np.array([[0.5]]))
    >>> cache = rnn.forward(params, np.ones((3, 1, 1)), activation="identity")
    >>> cache.h.ravel().tolist()
    [0.0, 1.0, 1.5, 1.75]
    """
    phi = get_activation(activation)
    params, grid, H, D = check_weights(params, Params, GATES)
    x, T, B = check_inputs(x, grid, D)
    h_0 = initial_state("h_0", h_0, (*grid, B, H))
    joint, W = joint_map(params, x, h_0, common_dtype(*params, x, h_0))
    h = joint[..., :H]
    a_t = np.empty((*grid, B, H), joint.dtype)
    matmul = fast_matmul(grid)
    # The last argument of a call is where its result goes: the loop makes no new array.
    with np.errstate(over="ignore", invalid="ignore"):
        for joint_prev, h_t in zip(joint[:-1], h[1:], strict=True):
            matmul(joint_prev, W, a_t)
            phi.f(a_t, h_t)
    report_overflow("the state", joint)
    return Cache(x, h, phi, joint)


def backward(params, cache, dh=None, *, per_step=False):
    """Backpropagation through time (`A30`, `D-eq7`, `C06`): `step_back`,
    from the last step to the first.

        dL/da_t = φ′(a_t) ∘ dL/dh_t          dL/dh_{t−1} = ∂⁺L/∂h_{t−1} + W_hhᵀ dL/da_t
        dL/dW_hh = Σ_t dL/da_t h_{t−1}ᵀ      dL/dW_xh = Σ_t dL/da_t x_tᵀ      dL/db_h = Σ_t dL/da_t

    dh        ∂⁺L/∂h_t for t = 1…T, (T, *G, B, H), or {t: array} for losses at some steps, or None
    per_step  also return the terms of the sums over t (`Gradients.per_step`)

    An exploded gradient comes back as infinity with an `ExplodedWarning`. ValueError: shapes that
    do not fit.

    >>> params = rnn.Params(W_xh=np.array([[1.0]]), W_hh=np.array([[0.5]]))
    >>> cache = rnn.forward(params, np.ones((3, 1, 1)), activation="identity")
    >>> gradients = rnn.backward(params, cache, {3: [[1.0]]})
    >>> gradients.h.ravel().tolist(), gradients.params.W_hh.tolist()
    ([0.125, 0.25, 0.5, 1.0], [[2.0]])
    """
    params, grid, H, D = check_weights(params, Params, GATES)
    check_cache(cache, Cache, params, grid, H, D)
    (grad_h,) = state_gradients(cache.h, dh=dh)
    grad_a = np.empty(cache.h[1:].shape, cache.h.dtype)
    carried = np.empty_like(grad_h[0])
    W_hh = params.W_hh
    matmul = fast_matmul(grid)
    dh_t = grad_h[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        for segment in segments(len(grad_a), carried.size):
            # The slopes are written where dL/da_t will stand: each step turns the ones into the
            # others.
            (slope,) = slopes(cache, segment, out=grad_a[segment])
            for da_t, dh_prev in zip(slope[::-1], grad_h[segment][::-1], strict=True):
                step_back_into((da_t, carried), W_hh, (da_t,), dh_t, matmul)
                dh_prev += carried
                dh_t = dh_prev
        return all_gradients(Gradients, params, cache, [grad_h], grad_a, per_step=per_step)


def slopes(cache, part=slice(None), *, out=None):
    """The local derivatives of every step as `Slopes`: φ′(a_t), from h_t.

    part  a slice of the steps, all if not given        out  an array for φ′

    >>> cache = rnn.forward(rnn.Params(np.array([[1.0]]), np.array([[0.5]])), np.ones((2, 1, 1)))
    >>> rnn.slopes(cache).h.ravel().round(3).tolist()
    [0.42, 0.224]
    """
    return Slopes(cache.activation.df(cache.h[1:][part], out=out))


def step_back(params, slopes_t, dh_t):
    """The transpose of one step: (dL/da_t, dL/dh_{t−1}) from dL/dh_t, linear in it (`A30`,
    `D-eq7`).

        dL/da_t = φ′(a_t) ∘ dL/dh_t          dL/dh_{t−1} = W_hhᵀ dL/da_t

    slopes_t  one step of `slopes`, by `cells.at(slopes(cache), t - 1)`
    dh_t      (…, *G, B, H), the total gradient of h_t

    ValueError: no slopes, shapes that do not fit, NaN or infinity.

    >>> params = rnn.Params(W_xh=np.array([[1.0]]), W_hh=np.array([[0.5]]))
    >>> da_t, dh_prev = rnn.step_back(params, rnn.Slopes(np.array([[0.42]])), [[1.0]])
    >>> da_t.tolist(), dh_prev.tolist()
    ([[0.42]], [[0.21]])
    """
    params, dh_t = check_step_back(params, Params, GATES, Slopes, slopes_t, dh_t=dh_t)
    out = buffers(dh_t.shape, dh_t.dtype)
    step_back_into(out, params.W_hh, slopes_t, dh_t)
    return out


def buffers(shape, dtype):
    """New arrays for `step_back_into` and states of this shape: da_t and dh_prev."""
    return np.empty(shape, dtype), np.empty(shape, dtype)


def step_back_into(out, W_hh, slopes_t, dh_t, matmul=np.matmul):
    """`step_back` for inner loops: nothing is checked, and the results go to `out`,
    as `buffers` makes it.

    da_t may stand where the slope stood."""
    (slope_t,) = slopes_t
    da_t, dh_prev = out
    multiply(slope_t, dh_t, da_t)
    matmul(da_t, W_hh, dh_prev)


def jacobian(params, slopes_t):
    """∂h_t/∂h_{t−1} = D(φ′(a_t)) W_hh, (…, *G, B, H, H), of one step or of every step (`A41`,
    `D-eq6`).

    >>> params = rnn.Params(W_xh=np.array([[1.0]]), W_hh=np.array([[0.5]]))
    >>> rnn.jacobian(params, rnn.Slopes(np.array([[0.42]]))).tolist()
    [[[0.21]]]
    """
    return scale_rows(slopes_t.h, params.W_hh)
