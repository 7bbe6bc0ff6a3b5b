"""The networks of source B's tests, which are those of chapter 3, drawn in its order."""

from types import SimpleNamespace

import numpy as np
from networks import logit
from witnesses import jacobian

from bptt_core import lstm, rnn

T, B, D, H = 20, 1, 3, 5


def chapter_3():
    """A sigmoid RNN without bias, a gradient at its last step, and longer inputs; then a unit,
    and an LSTM."""
    rng = np.random.default_rng(3)
    n = SimpleNamespace()
    n.params = rnn.init_params(D, H, rng, bias=False)
    n.x = rng.standard_normal((T, B, D))
    n.h_0 = rng.uniform(0.2, 0.8, (B, H))
    n.dh = rng.standard_normal((B, H))
    n.x_long = rng.standard_normal((50, B, D))
    n.x_unit = rng.standard_normal((T, 1, 1))
    n.targets = rng.uniform(-0.9, 0.9, (T, 1, 1))
    units, inputs = 6, 4
    n.lstm = lstm.init_params(inputs, units, rng, scale=2.0, forget_bias=0.5)
    n.lstm = n.lstm._replace(b_h=n.lstm.b_h + 0.3 * rng.standard_normal(4 * units))
    x = rng.standard_normal((T, B, inputs))
    h_0, c_0 = rng.standard_normal((2, B, units)) / 2
    n.memory = lstm.forward(n.lstm, x, h_0, c_0)
    return n


def one_output(n, x, *, gain=1.0, h_0=None, activation="sigmoid"):
    """The RNN run over x with the gradient n.dh at its end: cache, exact gradient of W_rec by the
    complex step, and its terms by the core, one a step."""
    r = SimpleNamespace()
    r.params = n.params._replace(W_hh=gain * n.params.W_hh)
    r.h_0 = n.h_0 if h_0 is None else h_0
    r.cache = rnn.forward(r.params, x, r.h_0, activation=activation)
    r.back = rnn.backward(r.params, r.cache, {len(x): n.dh}, per_step=True)
    r.terms = r.back.per_step.W_hh

    def error(W):
        params = r.params._replace(W_hh=W)
        return (n.dh * rnn.forward(params, x + 0j, r.h_0, activation=activation).h[-1]).sum()

    r.truth = jacobian(error, r.params.W_hh)
    return r


def sub_gradients(n, w, targets=None):
    """dE_t/dw of a one-unit network for E_t = ½ (h_t − target_t)², t = 1…T."""
    params = rnn.Params(np.array([[0.8]]), np.array([[w]]))
    run = rnn.forward(params, n.x_unit)
    pull = run.h[1:] - (n.targets if targets is None else targets)
    parts = [rnn.backward(params, run, {t: pull[t - 1]}) for t in range(1, T + 1)]
    return np.array([part.params.W_hh.item() for part in parts])


def stationary(n):
    """The sub-gradients at a weight where their sum is zero."""
    low, high = -3.0, 3.0
    assert sub_gradients(n, low).sum() < 0 < sub_gradients(n, high).sum()
    for _ in range(60):
        middle = (low + high) / 2
        if sub_gradients(n, middle).sum() < 0:
            low = middle
        else:
            high = middle
    return sub_gradients(n, low)


def balanced(w_o, units=1):
    """The source's example as a cell at rest: A, B, C, D = 0.1, 0.7, 0.1, 0.1 at every step, for
    any w_o. With more units the recurrent matrices are diagonal."""
    f, i, g, o, c = 0.7, 0.5, 0.6, 0.5, 1.0
    h, tau = o * np.tanh(c), o * (1 - np.tanh(c) ** 2)
    w_f = 0.1 / (c * f * (1 - f) * tau)
    w_i = 0.1 / (g * i * (1 - i) * tau)
    w_g = 0.1 / (i * (1 - g**2) * tau)
    w = np.array([w_i, w_f, w_g, w_o])
    b = np.array([0, logit(f), np.arctanh(g), 0]) - w * h
    W_hh = np.kron(w[:, None], np.eye(units))
    params = lstm.Params(np.zeros((4 * units, 1)), W_hh, np.repeat(b, units))
    start = np.ones((1, units))
    return params, lstm.forward(params, np.zeros((20, 1, 1)), h * start, c * start)
