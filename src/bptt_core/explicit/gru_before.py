"""The GRU of 2014 and its backward pass as the equations read; `bptt_core.gru` computes the same.

The reset gate stands before the product with W_hn; in `gru` it stands after. Row t of every array
belongs to step t = 1 … T; row 0 is what came before the first step. A row of x[t] or h[t] is one
sequence of the batch, so W x_t is written x[t] @ W.mT.
"""

from typing import NamedTuple

import numpy as np

from bptt_core.activations import Activation, get_activation
from bptt_core.explicit._rows import from_row_1, losses, row_0, stacked, states, weights
from bptt_core.gru import GATES, Params

__all__ = ["FORM", "GATES", "WORDS", "Cache", "Params", "arguments", "backward", "forward", "plain"]

FORM = {"reset": "before"}  # what a cache of `bptt_core.gru` says if these passes are its own
WORDS = {}

sigma = get_activation("sigmoid")


class Cache(NamedTuple):
    """What `forward` computed: x (T+1, B, D), the others (T+1, B, H); row 0 of h is h_0."""

    x: np.ndarray
    h: np.ndarray  # h[0] is the initial state
    r: np.ndarray  # reset gate
    z: np.ndarray  # update gate
    n: np.ndarray  # candidate
    u: np.ndarray  # r_t ∘ h_{t−1}, what the candidate reads
    phi: Activation  # tanh; phi.df(n) is 1 − n²


def forward(params, x, h_0=None):
    """Two gates and a candidate n_t, h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t−1}.

    Returns a `Cache`. ValueError: a grid, shapes that do not fit."""
    params = weights(params, Params, GATES)
    W_xr, W_xz, W_xn = np.split(params.W_xh, 3)
    W_hr, W_hz, W_hn = np.split(params.W_hh, 3)
    b_r, b_z, b_n = np.split(params.b_h, 3)
    b_hn = params.b_hn
    x = from_row_1(x, params)
    h = states("h_0", h_0, x, params)
    r, z, n, u = (states("", None, x, params) for _ in range(4))
    phi = get_activation("tanh")
    for t in range(1, len(x)):
        r[t] = sigma.f(x[t] @ W_xr.mT + h[t - 1] @ W_hr.mT + b_r)
        z[t] = sigma.f(x[t] @ W_xz.mT + h[t - 1] @ W_hz.mT + b_z)
        u[t] = r[t] * h[t - 1]
        n[t] = phi.f(x[t] @ W_xn.mT + u[t] @ W_hn.mT + b_n + b_hn)
        h[t] = (1 - z[t]) * n[t] + z[t] * h[t - 1]
    return Cache(x, h, r, z, n, u, phi)


def backward(params, cache, dh):
    """The gradient of the parameters for ∂⁺L/∂h_t = dh (T, B, H) or {t: array}.

    dh_t is the total gradient of h_t, du that of u_t = r_t ∘ h_{t−1}.

    Returns `Params`. ValueError: a grid of networks, shapes that do not fit."""
    params = weights(params, Params, GATES)
    W_hr, W_hz, W_hn = np.split(params.W_hh, 3)
    x, h, r, z, n, u, phi = cache
    T = len(x) - 1
    dh = losses(dh, h)
    dW_xh, dW_hh, db_h, db_hn = map(np.zeros_like, params)
    dh_next = 0
    for t in range(T, 0, -1):
        dh_t = dh[t] + dh_next
        da_n = dh_t * (1 - z[t]) * phi.df(n[t])
        da_z = dh_t * (h[t - 1] - n[t]) * sigma.df(z[t])
        du = da_n @ W_hn
        da_r = du * h[t - 1] * sigma.df(r[t])
        dh_next = dh_t * z[t] + du * r[t] + da_r @ W_hr + da_z @ W_hz
        da = np.concatenate([da_r, da_z, da_n], axis=-1)
        dW_xh += da.mT @ x[t]
        dW_hh += stacked(da_r.mT @ h[t - 1], da_z.mT @ h[t - 1], da_n.mT @ u[t])
        db_h += da.sum(axis=-2)
        db_hn += da_n.sum(axis=-2)
    return Params(dW_xh, dW_hh, db_h, db_hn)


def plain(cache):
    """What is in a cache of `bptt_core.gru`, as a `Cache` of this module."""
    r, z, n, u = (row_0(array) for array in (cache.r, cache.z, cache.n, cache.r * cache.m))
    return Cache(row_0(cache.x), cache.h, r, z, n, u, get_activation("tanh"))


def arguments(cache):
    """What `forward` is to be given to compute what is in a cache of `bptt_core.gru` again."""
    return {"x": cache.x, "h_0": cache.h[0]}
