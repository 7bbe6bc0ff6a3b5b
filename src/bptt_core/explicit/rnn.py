"""The RNN and its backward pass as the equations read; `bptt_core.rnn` is the fast one.

Row t of every array belongs to step t = 1 … T; row 0 is what came before the first step. A row of
x[t] or h[t] is one sequence of the batch, so W x_t is written x[t] @ W.mT.
"""

from typing import NamedTuple

import numpy as np

from bptt_core.activations import Activation, get_activation
from bptt_core.explicit._rows import from_row_1, losses, row_0, states, weights
from bptt_core.rnn import GATES, Params

__all__ = ["GATES", "WORDS", "Cache", "Params", "arguments", "backward", "forward", "plain"]

WORDS = {}  # what `mistakes` calls a quantity, if not by its letter


class Cache(NamedTuple):
    """What `forward` computed."""

    x: np.ndarray  # (T+1, B, D), row 0 is not used
    h: np.ndarray  # (T+1, B, H), h[0] is the initial state
    phi: Activation  # phi.f(a) is φ(a); phi.df(h) is φ′(a) where h = φ(a): 1 − h² for tanh


def forward(params, x, h_0=None, *, activation="tanh"):
    """h_t = φ(W_xh x_t + W_hh h_{t−1} + b_h), for x (T, B, D) and h_0 (B, H) (`A02`, `D-eq1`).

    Returns a `Cache`. ValueError: a grid, shapes that do not fit, an unknown activation."""
    params = weights(params, Params, GATES)
    W_xh, W_hh, b_h = params
    x = from_row_1(x, params)
    h = states("h_0", h_0, x, params)
    phi = get_activation(activation)
    for t in range(1, len(x)):
        h[t] = phi.f(x[t] @ W_xh.mT + h[t - 1] @ W_hh.mT + b_h)
    return Cache(x, h, phi)


def backward(params, cache, dh):
    """The gradient of the parameters, for ∂⁺L/∂h_t = dh (T, B, H) or {t: array} (`A30`, `D-eq7`).

        dL/dh_t = ∂⁺L/∂h_t + W_hhᵀ dL/da_{t+1}       dL/da_t = dL/dh_t ∘ φ′(a_t)
        dL/dW_xh = Σ dL/da_t x_tᵀ       dL/dW_hh = Σ dL/da_t h_{t−1}ᵀ       dL/db_h = Σ dL/da_t

    Returns `Params`. ValueError: a grid of networks, shapes that do not fit."""
    params = weights(params, Params, GATES)
    W_hh = params.W_hh
    x, h, phi = cache
    T = len(x) - 1
    dh = losses(dh, h)
    dW_xh, dW_hh, db_h = map(np.zeros_like, params)
    dh_next = 0
    for t in range(T, 0, -1):
        dh_t = dh[t] + dh_next
        da = dh_t * phi.df(h[t])
        dh_next = da @ W_hh
        dW_xh += da.mT @ x[t]
        dW_hh += da.mT @ h[t - 1]
        db_h += da.sum(axis=-2)
    return Params(dW_xh, dW_hh, db_h)


def plain(cache):
    """What is in a cache of `bptt_core.rnn`, as a `Cache` of this module."""
    return Cache(row_0(cache.x), cache.h, cache.activation)


def arguments(cache):
    """What `forward` is to be given to compute what is in a cache of `bptt_core.rnn` again."""
    return {"x": cache.x, "h_0": cache.h[0], "activation": cache.activation.name}
