"""Networks that the claims are about, and witnesses for them that know no backward pass.

The witness is the complex step: run forward from a state that is moved by i·1e-30, in every
direction at once."""

import numpy as np
from witnesses import STEP, jacobian

from bptt_core import lstm, rnn


def relative(wrong, right):
    """Norm of the difference over the norm of what is right."""
    return np.linalg.norm(np.asarray(wrong) - right) / np.linalg.norm(right)


def gaps(wrong, right):
    """The same for every matrix of a stack."""
    return length(np.asarray(wrong) - right) / length(right)


def norm(matrix):
    """Largest singular value."""
    return np.linalg.norm(matrix, 2)


def length(matrices):
    """Root of the sum of squares, of every matrix of a stack."""
    return np.linalg.norm(matrices, axis=(-2, -1))


def radius(matrix):
    """Spectral radius."""
    return np.abs(np.linalg.eigvals(matrix)).max(-1)


def sigma(a):
    """Logistic function, written here so that it is not the package's."""
    return 1 / (1 + np.exp(-a))


def logit(p):
    """The pre-activation at which σ gives p."""
    return np.log(p / (1 - p))


PHI = {"tanh": np.tanh, "sigmoid": sigma}


def softmax(y):
    """Written here so that it is not the package's, and takes complex numbers."""
    return np.exp(y) / np.exp(y).sum(-1, keepdims=True)


def cross_entropy(y, target):
    """−Σ target log softmax(y)."""
    return -(target * np.log(softmax(y))).sum()


def slopes(phi, a):
    """φ′ at every entry of a, for a φ that acts entry by entry."""
    return np.imag(phi(a + 1j * STEP)) / STEP


def orthogonal(rng, size):
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


# RNNs


def rnn_step_matrix(params, cache, t):
    """∂h_t/∂h_{t−1} of the first sequence."""
    x_t = cache.x[t - 1, :1]
    name = cache.activation.name
    return jacobian(lambda h: rnn.step(params, x_t, h[None], activation=name)[0], cache.h[t - 1, 0])


def chain(matrices):
    """[I, M_T, M_T M_{T−1}, …]: the latest factor stands on the left."""
    found = [np.eye(matrices[0].shape[-1])]
    for M in reversed(matrices):
        found.append(found[-1] @ M)
    return found


def steered(W, states):
    """Inputs which lead tanh(W h_{t−1} + x_t) from 0 through the given states (T, H)."""
    before = np.vstack([np.zeros_like(states[:1]), states[:-1]])
    return np.arctanh(states) - before @ W.T


def driven(W, x, h_0=None, activation="tanh"):
    """Parameters and cache of h_t = φ(W h_{t−1} + x_t) for W (*G, H, H), x (T, H) or (T, *G, 1,
    H)."""
    W = np.asarray(W, float)
    x = x if x.ndim > 2 else x[:, None]
    params = rnn.Params(np.broadcast_to(np.eye(W.shape[-1]), W.shape), W)
    return params, rnn.forward(params, x, h_0, activation=activation)


# LSTMs


def network(rng, T, B, D, H, *, grid=(), scale=1.0, forget_bias=0.0, squash="tanh"):
    """Random weights, distinct non-zero biases and initial states. Returns the parameters and the
    cache.

    W_x ~ N(0, 1/D), W_h ~ N(0, scale²/H), b ~ N(0, 0.3²), with forget_bias added to b_f."""
    W_xh = rng.standard_normal((*grid, 4 * H, D)) / np.sqrt(D)
    W_hh = rng.standard_normal((*grid, 4 * H, H)) * scale / np.sqrt(H)
    b_h = 0.3 * rng.standard_normal((*grid, 4 * H)) + np.repeat([0, forget_bias, 0, 0], H)
    x = rng.standard_normal((T, *grid, B, D))
    h_0 = 0.5 * rng.standard_normal((*grid, B, H))
    c_0 = rng.standard_normal((*grid, B, H))
    params = lstm.Params(W_xh, W_hh, b_h)
    return params, lstm.forward(params, x, h_0, c_0, squash=squash)


def two_hundred(seed=31, *, steps=21, size=16, inputs=8, **options):
    """200 random LSTMs with one sequence each."""
    rng = np.random.default_rng(seed)
    return network(rng, steps, 1, inputs, size, grid=(200,), **options)


def from_cell(params, cache, lag, *, forget_gate=True):
    """∂h_T/∂c_{T−lag} and ∂c_T/∂c_{T−lag} through every path, (*G, H, H), for one sequence; lag <
    T.

    h_{T−lag} = o φ(c_{T−lag}) moves with the cell."""
    T = len(cache.x)
    H = cache.c.shape[-1]
    squash = cache.squash.name
    c = cache.c[T - lag, ..., :1, :] + 1j * STEP * np.eye(H)
    h = cache.o[T - lag - 1, ..., :1, :] * PHI[squash](c)
    for x_t in cache.x[T - lag :, ..., :1, :]:
        x_t = np.repeat(x_t, H, axis=-2)
        h, c = lstm.step(params, x_t, h, c, squash=squash, forget_gate=forget_gate)
    return h.imag.mT / STEP, c.imag.mT / STEP


def step_matrix(params, cache, t):
    """∂(h_t, c_t)/∂(h_{t−1}, c_{t−1}) of the first sequence: (2H, 2H)."""
    H = cache.h.shape[-1]
    state = np.concatenate([cache.h[t - 1, 0], cache.c[t - 1, 0]])
    moved = state + 1j * STEP * np.eye(2 * H)
    x_t = np.repeat(cache.x[t - 1, :1], 2 * H, axis=0)
    after = lstm.step(params, x_t, moved[:, :H], moved[:, H:], squash=cache.squash.name)
    return np.concatenate(after, axis=-1).imag.T / STEP


def pieces(params, cache, t):
    """M_t cut in four: R_t + D(τ_t) G_t, D(τ_t f_t), G_t, D(f_t). All (H, H)."""
    H = cache.h.shape[-1]
    M = step_matrix(params, cache, t)
    return M[:H, :H], M[:H, H:], M[H:, :H], M[H:, H:]


def tau(cache, t):
    """∂h_t/∂c_t = o_t ∘ φ′(c_t) of the first sequence as a diagonal matrix, for t from 1."""
    return np.diag(cache.o[t - 1, 0] * cache.squash.df(cache.s[t - 1, 0]))


def cell_jacobian(params, cache, t):
    """The sources' one-step ∂c_t/∂c_{t−1} = D(f_t) + G_t D(τ_{t−1}), with o_{t−1} held fixed; t
    from 2."""
    _, _, G, F = pieces(params, cache, t)
    return F + G @ tau(cache, t - 1)


def one_unit(*, hh=(0.0, 0.0, 0.0, 0.0), b=(0.0, 0.0, 0.0, 0.0)):
    """An LSTM of one unit without input: recurrent weights and biases in the order i, f, g, o."""
    return lstm.Params(np.zeros((4, 1)), np.array([hh], float).T, np.array(b, float))


def resting_cell(steps, *, keep=0.5, write=0.5, **slopes):
    """A scalar σ-squashed LSTM at rest: f_t = keep, i_t = write, candidate and output gate at ½,
    W_o = 0.

    A slope is what the path through one gate adds to ds_t/ds_{t−1}: `resting_cell(20, g=2,
    f=-2.5)`. Each weight is chosen to give its slope, each bias to keep the cell at rest, so that
    every step has the same derivative."""
    state = write * 0.5 / (1 - keep)
    h = 0.5 * sigma(state)
    exit_factor = 0.5 * sigma(state) * (1 - sigma(state))
    per_weight = {"i": 0.5 * write * (1 - write), "f": state * keep * (1 - keep), "g": write * 0.25}
    weights = [slopes.get(gate, 0.0) / (per_weight[gate] * exit_factor) for gate in "ifg"]
    W_hh = np.array([*weights, 0.0])
    biases = np.array([logit(write), logit(keep), 0.0, 0.0]) - W_hh * h
    params = one_unit(hh=W_hh, b=biases)
    cache = lstm.forward(params, np.zeros((steps, 1, 1)), [[h]], [[state]], squash="sigmoid")
    return params, cache, exit_factor


def from_start_to_end(params, cache, exit_factor):
    """ds_T/ds_0 of a resting cell by the complex step: h_0 moves with s_0, as every later h
    does."""

    def run(moved):
        h = cache.h[0] + exit_factor * (moved - cache.c[0])
        s = moved
        for x_t in cache.x:
            h, s = lstm.step(params, x_t, h, s, squash="sigmoid")
        return s

    return jacobian(run, cache.c[0]).item()
