"""Witnesses for the LSTM of sources C and D: step matrices by the complex step, and networks whose answer is known."""

import numpy as np

from bptt_core import lstm


def sigma(a):
    """Logistic function, written here so that it is not the package's."""
    return 1 / (1 + np.exp(-a))


def logit(p):
    """The pre-activation at which σ gives p."""
    return np.log(p / (1 - p))


def network(rng, T, B, D, H, *, scale=1.0, forget_bias=0.0, squash="tanh"):
    """Random weights, distinct non-zero biases and initial states. Returns the parameters and the cache."""
    params = lstm.init_params(D, H, rng, scale=scale, forget_bias=forget_bias)
    params = params._replace(b_h=params.b_h + 0.3 * rng.standard_normal(4 * H))
    x, h_0, c_0 = (rng.standard_normal(shape) for shape in ((T, B, D), (B, H), (B, H)))
    return params, lstm.forward(params, x, 0.5 * h_0, c_0, squash=squash)


def step_matrix(params, cache, t):
    """∂(h_t, c_t)/∂(h_{t−1}, c_{t−1}) of the first sequence: (2H, 2H), every column one complex step."""
    H = cache.h.shape[-1]
    state = np.concatenate([cache.h[t - 1, 0], cache.c[t - 1, 0]]) + 1e-30j * np.eye(2 * H)
    x_t = np.repeat(cache.x[t - 1, :1], 2 * H, axis=0)
    after = lstm.step(params, x_t, state[:, :H], state[:, H:], squash=cache.squash.name)
    return np.concatenate(after, axis=-1).imag.T / 1e-30


def pieces(params, cache, t):
    """M_t cut in four: R_t + D(τ_t) G_t, D(τ_t f_t), G_t, D(f_t). All (H, H)."""
    H = cache.h.shape[-1]
    M = step_matrix(params, cache, t)
    return M[:H, :H], M[:H, H:], M[H:, :H], M[H:, H:]


def tau(cache, t):
    """∂h_t/∂c_t = o_t ∘ φ′(c_t) as a diagonal matrix, for t from 1."""
    return np.diag(cache.o[t - 1, 0] * cache.squash.df(cache.s[t - 1, 0]))


def cell_jacobian(params, cache, t):
    """The sources' one-step ∂c_t/∂c_{t−1} = D(f_t) + G_t D(τ_{t−1}), with o_{t−1} held fixed; t from 2."""
    _, _, G, F = pieces(params, cache, t)
    return F + G @ tau(cache, t - 1)


def growth(matrices):
    """log10 of the norm of …M_3 M_2 M_1, per factor; minus infinity if the product underflows to zero."""
    total, product = 0.0, np.eye(len(matrices[0]))
    for M in matrices:
        product = M @ product
        size = np.linalg.norm(product, 2)
        if size == 0:
            return -np.inf
        total, product = total + np.log10(size), product / size
    return total / len(matrices)


def resting_cell(steps, *, keep=0.5, write=0.5, **slopes):
    """A scalar σ-squashed LSTM at rest: f_t = keep, i_t = write, candidate and output gate at ½, W_o = 0.

    A slope is what the path through one gate adds to ds_t/ds_{t−1}: `resting_cell(20, g=2, f=-2.5)`. Each weight is
    chosen to give its slope, each bias to keep the cell at rest, so that every step has the same derivative."""
    state = write * 0.5 / (1 - keep)
    h = 0.5 * sigma(state)
    exit_factor = 0.5 * sigma(state) * (1 - sigma(state))
    per_weight = {"i": 0.5 * write * (1 - write), "f": state * keep * (1 - keep), "g": write * 0.25}
    W_hh = np.array(
        [[slopes.get(gate, 0.0) / (per_weight[gate] * exit_factor)] for gate in "ifg"] + [[0.0]]
    )
    b_h = np.array([logit(write), logit(keep), 0.0, 0.0]) - W_hh[:, 0] * h
    params = lstm.Params(np.zeros((4, 1)), W_hh, b_h)
    cache = lstm.forward(params, np.zeros((steps, 1, 1)), [[h]], [[state]], squash="sigmoid")
    return params, cache, exit_factor


def from_cell_to_cell(params, cache, exit_factor):
    """ds_T/ds_0 of a resting cell by the core: h_0 moves with s_0, as every later h does."""
    grads = lstm.backward(params, cache, dc={cache.x.shape[0]: np.ones((1, 1))})
    return grads.c[0, 0, 0] + exit_factor * grads.h[0, 0, 0]
