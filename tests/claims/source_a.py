"""The network of source A's tests, which is that of chapter 1, and its derivatives by the complex
step.

The source writes weights (in, out); `Wx`, `Wh`, `Wy` are in its orientation, the transposes of
the package's."""

from types import SimpleNamespace

import numpy as np
from networks import cross_entropy, softmax
from witnesses import jacobian

from bptt_core import readout, rnn

T, B, D, H, K = 6, 2, 3, 5, 4


def chapter_1():
    """Sizes all different, biases and first state not zero, another target at every step."""
    rng = np.random.default_rng(1)
    n = SimpleNamespace()
    n.x = rng.standard_normal((T, B, D))
    n.h_0 = 0.5 * rng.standard_normal((B, H))
    W_xh = 0.6 * rng.standard_normal((H, D))
    W_hh = 0.6 * rng.standard_normal((H, H))
    n.params = rnn.Params(W_xh, W_hh, 0.3 * rng.standard_normal(H))
    n.out = readout.Params(rng.standard_normal((K, H)), 0.3 * rng.standard_normal(K))
    n.Wx, n.Wh, n.Wy = W_xh.T, W_hh.T, n.out.W_hy.T
    n.y = np.eye(K)[rng.integers(K, size=(T, B))]
    n.cache = rnn.forward(n.params, n.x, n.h_0)
    n.h = n.cache.h
    n.o = n.h[1:] @ n.Wy + n.out.b_y
    n.error = softmax(n.o) - n.y  # dL/do, (T, B, K)
    return n


def loss(n, steps=range(1, T + 1), sequences=slice(None), **changed):
    """Loss of source A over the given steps, as a function of any parameter: runs forward only."""
    params = n.params._replace(**{k: v for k, v in changed.items() if k in rnn.Params._fields})
    out = n.out._replace(**{k: v for k, v in changed.items() if k in readout.Params._fields})
    kind = np.result_type(float, *changed.values())
    h = rnn.forward(params, n.x.astype(kind), changed.get("h_0", n.h_0)).h
    o = h[1:] @ out.W_hy.T + out.b_y
    rows = [t - 1 for t in steps]
    return cross_entropy(o[rows][:, sequences], n.y[rows][:, sequences])


def gradient(n, name, **kwargs):
    """dL/d(parameter) by the complex step."""
    at = getattr(n.params if name in rnn.Params._fields else n.out, name)
    return jacobian(lambda value: loss(n, **{name: value}, **kwargs), at)


def chain_of(n):
    """The first sequence with the loss at step T only: dL/dh_T, every step's Jacobian, and the
    derivatives of every h_t by the weights, total and immediate."""
    first = slice(0, 1)
    steps = range(1, T + 1)
    c = SimpleNamespace()
    c.g = jacobian(lambda h: cross_entropy(h @ n.Wy + n.out.b_y, n.y[-1, 0]), n.h[T, 0])

    def state(t, **changed):
        kind = np.result_type(float, *changed.values())
        params = n.params._replace(**changed)
        return rnn.forward(params, n.x[:, first].astype(kind), n.h_0[first]).h[t, 0]

    def one_step(t, **changed):
        return rnn.step(n.params._replace(**changed), n.x[t - 1, first], n.h[t - 1, first])[0]

    def by(run, name):
        at = getattr(n.params, name)
        return {t: jacobian(lambda W, t=t: run(t, **{name: W}), at) for t in steps}

    c.total, c.total_x = by(state, "W_hh"), by(state, "W_xh")
    c.own, c.own_x = by(one_step, "W_hh"), by(one_step, "W_xh")
    c.J = {
        t: jacobian(lambda h, t=t: rnn.step(n.params, n.x[t - 1, first], h[None])[0], n.h[t - 1, 0])
        for t in steps
    }
    c.truth = gradient(n, "W_hh", steps=[T], sequences=first)
    c.truth_x = gradient(n, "W_xh", steps=[T], sequences=first)
    return c


def back(J, t, k):
    """∂h_t/∂h_k, latest factor on the left; the identity for k = t."""
    M = np.eye(H)
    for j in range(k + 1, t + 1):
        M = J[j] @ M
    return M


def through(g, M, own):
    """g M ∂h/∂W as a matrix of the shape of W."""
    return np.einsum("i,ij,jab->ab", g, M, own)
