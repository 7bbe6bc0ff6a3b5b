"""The networks of source D's tests, which are those of chapter 2, and the note's letters: U, W, V
are W_xh, W_hh, W_hy; A and C are g and c; δ is ∂E/∂z, then ∂E/∂C. The note hides its biases; here
they are not zero."""

from types import SimpleNamespace

import numpy as np
from networks import cell_jacobian, softmax
from witnesses import jacobian

from bptt_core import lstm, readout, rnn

T, D, H, K = 4, 3, 5, 6


def chapter_2():
    """An RNN, a readout, four targets, and an LSTM on the same inputs."""
    rng = np.random.default_rng(1)
    n = SimpleNamespace()
    n.x = rng.standard_normal((T, 1, D))
    n.target = rng.integers(0, K, (T, 1))
    n.h_0 = 0.5 * rng.standard_normal((1, H))
    n.params = rnn.init_params(D, H, rng, scale=1.2)
    n.params = n.params._replace(b_h=0.3 * rng.standard_normal(H))
    n.out = readout.init_params(H, K, rng)
    n.out = n.out._replace(b_y=0.3 * rng.standard_normal(K))
    n.cache = rnn.forward(n.params, n.x, n.h_0)
    rng = np.random.default_rng(2)
    n.cell = lstm.init_params(D, H, rng, scale=2.0)
    n.cell = n.cell._replace(b_h=n.cell.b_h + 0.3 * rng.standard_normal(4 * H))
    n.c_0 = rng.standard_normal((1, H))
    n.memory = lstm.forward(n.cell, n.x, n.h_0, n.c_0)
    return n


def error(n, h, t, V=None):
    """E^(t) of the state h^(t): cross-entropy, as the note's softmax implies."""
    V = n.out.W_hy if V is None else V
    return -np.log(softmax(V @ h + n.out.b_y)[n.target[t - 1, 0]])


def upstream(n, cache, steps=None, reduction="sum"):
    """∂⁺E/∂h, and the readout's gradients, for errors at the given steps (None: all four)."""
    y = readout.forward(n.out, cache.h[1:])
    _, dy = readout.softmax_cross_entropy(y, n.target, steps=steps, reduction=reduction)
    return readout.backward(n.out, cache.h[1:], dy)


def rnn_copies(n):
    """E^(3) by the three copies of U and of W: (3, H, D) and (3, H, H)."""

    def run(U, W):
        h = n.h_0
        for t in range(3):
            h = rnn.step(n.params._replace(W_xh=U[t], W_hh=W[t]), n.x[t], h)
        return error(n, h[0], 3)

    U, W = np.stack([n.params.W_xh] * 3), np.stack([n.params.W_hh] * 3)
    return jacobian(lambda u: run(u, W), U), jacobian(lambda w: run(U, w), W)


def rnn_shared(n):
    """E^(3) by the shared U and by the shared W."""

    def run(**changed):
        h = n.h_0
        for t in range(3):
            h = rnn.step(n.params._replace(**changed), n.x[t], h)
        return error(n, h[0], 3)

    by_U = jacobian(lambda U: run(W_xh=U), n.params.W_xh)
    return by_U, jacobian(lambda W: run(W_hh=W), n.params.W_hh)


def lstm_copies(n, gate):
    """E^(3) by the three copies of one gate's [W_h, W_x], (3, H, H+D)."""
    rows = slice("ifgo".index(gate) * H, ("ifgo".index(gate) + 1) * H)

    def run(W):
        h, c = n.h_0, n.c_0
        for t in range(3):
            W_xh, W_hh = n.cell.W_xh.astype(W.dtype), n.cell.W_hh.astype(W.dtype)
            W_hh[rows], W_xh[rows] = W[t, :, :H], W[t, :, H:]
            h, c = lstm.step(n.cell._replace(W_xh=W_xh, W_hh=W_hh), n.x[t], h, c)
        return error(n, h[0], 3)

    return jacobian(run, np.stack([getattr(n.cell, f"W_{gate}")] * 3))


def exact_deltas(n):
    """∂E^(3)/∂h^(j) and ∂E^(3)/∂C^(j), j = 0…3, by the core: rows of (T+1, H)."""
    back = lstm.backward(n.cell, n.memory, upstream(n, n.memory, [3]).h)
    return back.h[:, 0], back.c[:, 0]


def by_run(n, j):
    """∂E^(3)/∂C^(j) by the complex step, h^(j) = o tanh(C^(j)) moving with it."""
    o = n.memory.o[j - 1, 0]

    def run(C):
        h, c = (o * np.tanh(C))[None], C[None]
        for t in range(j, 3):
            h, c = lstm.step(n.cell, n.x[t], h, c)
        return error(n, h[0], 3)

    return jacobian(run, n.memory.c[j, 0])


def printed_deltas(params, cache, last, steps):
    """δ^(j) of eq. 22 for the first sequence from δ^(steps) = last back to δ^(1): {j: δ^(j)}."""
    deltas = {steps: last}
    for t in range(steps, 1, -1):
        deltas[t - 1] = deltas[t] @ cell_jacobian(params, cache, t)
    return deltas


def gate_terms(cache, j):
    """What multiplies ∂E/∂C^(j) (i, f, g) or ∂E/∂h^(j) (o) before the outer product with
    [h^(j−1), x^(j)]."""
    i, f, g, o = (gate[j - 1, 0] for gate in (cache.i, cache.f, cache.g, cache.o))
    C, before = cache.c[j, 0], cache.c[j - 1, 0]
    return {
        "i": g * i * (1 - i),
        "f": before * f * (1 - f),
        "g": i * (1 - g**2),
        "o": np.tanh(C) * o * (1 - o),
    }


def hx(cache, j):
    """[h^(j−1), x^(j)]."""
    return np.concatenate([cache.h[j - 1, 0], cache.x[j - 1, 0]])
