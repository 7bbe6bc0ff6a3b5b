"""The LSTM and its backward pass as the equations read; `bptt_core.lstm` is the fast one.

Row t of every array belongs to step t = 1 … T; row 0 is what came before the first step. A row of
x[t] or h[t] is one sequence of the batch, so W x_t is written x[t] @ W.mT.
"""

from typing import NamedTuple

import numpy as np

from bptt_core.activations import Activation, get_activation
from bptt_core.explicit._rows import from_row_1, losses, row_0, states, weights
from bptt_core.lstm import GATES, SQUASHES, Params

__all__ = ["GATES", "WORDS", "Cache", "Params", "arguments", "backward", "forward", "plain"]

WORDS = {r"\bs_(\w|\{.+?\})": r"tanh(c_\1)"}  # what `mistakes` calls a quantity: pattern and words

sigma = get_activation(
    "sigmoid"
)  # sigma.f(a) is σ(a); sigma.df(y) is σ′(a) where y = σ(a): y (1 − y)


class Cache(NamedTuple):
    """What `forward` computed: x (T+1, B, D), the others (T+1, B, H).

    Row 0 holds the initial h, c and s; in the others it is not used."""

    x: np.ndarray
    h: np.ndarray  # h[0] is the initial state
    c: np.ndarray  # c[0] is the initial cell
    i: np.ndarray  # input gate
    f: np.ndarray  # forget gate
    g: np.ndarray  # candidate
    o: np.ndarray  # output gate
    s: np.ndarray  # the squashed cell tanh(c_t)
    phi: Activation  # tanh, or what stands in its place; phi.df(s) is φ′(c) where s = φ(c)


def forward(params, x, h_0=None, c_0=None, *, forget_gate=True, squash="tanh"):
    """Four gates, c_t = f_t ∘ c_{t−1} + i_t ∘ g_t, h_t = o_t ∘ tanh(c_t) (`D-eq11`–`D-eq16`).

    x            (T, B, D); h_0 and c_0 (B, H), zero if not given
    forget_gate  False: f_t = 1, the cell of 1997
    squash       of candidate and cell: "tanh" or "sigmoid"

    Returns a `Cache`. ValueError: a grid of networks, shapes that do not fit, an unknown squash."""
    params = weights(params, Params, GATES)
    W_xi, W_xf, W_xg, W_xo = np.split(params.W_xh, 4)
    W_hi, W_hf, W_hg, W_ho = np.split(params.W_hh, 4)
    b_i, b_f, b_g, b_o = np.split(params.b_h, 4)
    x = from_row_1(x, params)
    h = states("h_0", h_0, x, params)
    c = states("c_0", c_0, x, params)
    i, f, g, o, s = (states("", None, x, params) for _ in range(5))
    phi = get_activation(squash, "squash", SQUASHES)
    s[0] = phi.f(c[0])
    for t in range(1, len(x)):
        i[t] = sigma.f(x[t] @ W_xi.mT + h[t - 1] @ W_hi.mT + b_i)
        f[t] = sigma.f(x[t] @ W_xf.mT + h[t - 1] @ W_hf.mT + b_f) if forget_gate else 1
        g[t] = phi.f(x[t] @ W_xg.mT + h[t - 1] @ W_hg.mT + b_g)
        o[t] = sigma.f(x[t] @ W_xo.mT + h[t - 1] @ W_ho.mT + b_o)
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        s[t] = phi.f(c[t])
        h[t] = o[t] * s[t]
    return Cache(x, h, c, i, f, g, o, s, phi)


def backward(params, cache, dh):
    """The gradient of the parameters for ∂⁺L/∂h_t = dh (T, B, H) or {t: array} (`D-eq19`).

    dh_t and dc_t are the total gradients of h_t and c_t. What they send back to step t − 1 is
    called dh_next and dc_next there.

    Returns `Params`. ValueError: a grid of networks, shapes that do not fit."""
    params = weights(params, Params, GATES)
    W_hi, W_hf, W_hg, W_ho = np.split(params.W_hh, 4)
    x, h, c, i, f, g, o, s, phi = cache
    T = len(x) - 1
    dh = losses(dh, h)
    dW_xh, dW_hh, db_h = map(np.zeros_like, params)
    dh_next = dc_next = 0
    for t in range(T, 0, -1):
        dh_t = dh[t] + dh_next
        dc_t = dc_next + dh_t * o[t] * phi.df(s[t])
        da_i = dc_t * g[t] * sigma.df(i[t])
        da_f = dc_t * c[t - 1] * sigma.df(f[t])
        da_g = dc_t * i[t] * phi.df(g[t])
        da_o = dh_t * s[t] * sigma.df(o[t])
        dc_next = dc_t * f[t]
        dh_next = da_i @ W_hi + da_f @ W_hf + da_g @ W_hg + da_o @ W_ho
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)
        dW_xh += da.mT @ x[t]
        dW_hh += da.mT @ h[t - 1]
        db_h += da.sum(axis=-2)
    return Params(dW_xh, dW_hh, db_h)


def plain(cache):
    """What is in a cache of `bptt_core.lstm`, as a `Cache` of this module."""
    gates = (row_0(gate) for gate in (cache.i, cache.f, cache.g, cache.o))
    s = row_0(cache.s, cache.squash.f(cache.c[0]))
    return Cache(row_0(cache.x), cache.h, cache.c, *gates, s, cache.squash)


def arguments(cache):
    """What `forward` is to be given to compute what is in a cache of `bptt_core.lstm` again."""
    return {
        "x": cache.x,
        "h_0": cache.h[0],
        "c_0": cache.c[0],
        "forget_gate": cache.forget_gate,
        "squash": cache.squash.name,
    }
