"""Source B (`B01`–`B71`): the RNN with one output, the LSTM's additive derivative, and what both leave out.

The source's letters: c is the RNN's state and the LSTM's cell, h the prediction and the LSTM's state.
The witness is the complex step through the forward pass.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from setups import jacobian, lstm_grid, norm, orthogonal, relative, shown, total_cell_derivative

from bptt_core import lstm, rnn
from bptt_core.activations import sigmoid
from bptt_core.jacobians import cell_terms, explicit_path, products, step_jacobians

D, H = 3, 5


def logit(p):
    return np.log(p / (1 - p))


# The RNN of the source: sigmoid, no bias, one output at the last step


def one_output(k, *, gain=1.0, zero_start=False, activation="sigmoid"):
    """The network run for k steps with the error E = ½‖V c_k − y‖² at the end, and its gradients."""
    rng = np.random.default_rng(41)
    n = SimpleNamespace(k=k, activation=activation)
    n.params = rnn.Params(
        rng.standard_normal((H, D)) / np.sqrt(D), gain * rng.standard_normal((H, H)) / np.sqrt(H)
    )
    n.V, n.y, n.c_0 = (
        rng.standard_normal((2, H)),
        rng.standard_normal((1, 2)),
        0.5 * rng.standard_normal((1, H)),
    )
    n.c_0 = 0 * n.c_0 if zero_start else n.c_0
    n.x = rng.standard_normal((k, 1, D))
    n.cache = rnn.forward(n.params, n.x, n.c_0, activation=activation)
    n.g = (n.cache.h[k] @ n.V.T - n.y) @ n.V
    n.grads = rnn.backward(n.params, n.cache, {k: n.g}, per_step=True)
    n.terms = np.concatenate(
        [n.grads.per_step.W_hh, n.grads.per_step.W_xh], -1
    )  # dE/d[W_rec, W_in], one term a step
    return n


def error(n, W):
    """E as a function of W = [W_rec, W_in]."""
    cache = rnn.forward(
        rnn.Params(W[:, H:], W[:, :H]), n.x + 0 * W[0, 0], n.c_0, activation=n.activation
    )
    e = cache.h[n.k] @ n.V.T - n.y
    return 0.5 * (e**2).sum()


def true_gradient(n):
    return jacobian(lambda W: error(n, W), np.hstack([n.params.W_hh, n.params.W_xh]))


def test_b01_the_gradient_keeps_its_recent_terms_when_the_far_ones_vanish():
    n = one_output(50)
    truth = true_gradient(n)
    assert relative(n.terms.sum(0), truth) < 1e-12
    shown("B01", np.linalg.norm(n.terms[0]), "2.33e-38")
    shown("B01", np.linalg.norm(truth), "1.2")
    shown("B01", np.linalg.norm(n.terms[-1]) / np.linalg.norm(truth), "96%")
    shown("B17", np.linalg.norm(truth), "1.2")
    shown("B18", np.linalg.norm(truth), "1.2")
    shown("B19", 0.1 * np.linalg.norm(truth) / np.linalg.norm(np.hstack(n.params[1::-1])), "0.0405")


def test_b02_the_pair_is_the_previous_state_and_the_input():
    rng = np.random.default_rng(42)
    W, c, x = rng.standard_normal((4, 8)) / 2, rng.standard_normal(4), rng.standard_normal(4)
    right = sigmoid(W @ np.concatenate([c, x]))
    params = rnn.Params(W[:, 4:], W[:, :4])
    assert relative(rnn.step(params, x[None], c[None], activation="sigmoid")[0], right) < 1e-14
    shown("B02", relative(sigmoid(W @ np.concatenate([x, x])), right), "0.242")


def test_b03_one_matrix_acts_on_the_joined_vector():
    n = one_output(4)
    W, c = np.hstack([n.params.W_hh, n.params.W_xh]), n.c_0[0]
    for t in range(4):
        joined = np.concatenate([c, n.x[t, 0]])
        assert W.shape == (H, H + D) and joined.shape == (H + D,)
        assert relative(W @ joined, n.params.W_hh @ c + n.params.W_xh @ n.x[t, 0]) < 1e-14
        c = sigmoid(W @ joined)
        assert relative(n.cache.h[t + 1, 0], c) < 1e-14
    assert n.params.b_h is None
    shown("B04", relative(rnn.forward(n.params, n.x, n.c_0).h[4], n.cache.h[4]), "1.91")
    shown("B62", len(n.cache.h), "5")


def test_b06_the_sum_over_steps_has_one_term_when_there_is_one_output():
    n = one_output(6)
    rng = np.random.default_rng(43)
    every = rng.standard_normal((6, 1, H))
    at_each = [rnn.backward(n.params, n.cache, {t: every[t - 1]}).params.W_hh for t in range(1, 7)]
    whole = rnn.backward(n.params, n.cache, every).params.W_hh
    truth = jacobian(
        lambda W: (
            every * rnn.forward(n.params._replace(W_hh=W), n.x, n.c_0, activation="sigmoid").h[1:]
        ).sum(),
        n.params.W_hh,
    )
    assert relative(whole, truth) < 1e-12 and relative(sum(at_each), truth) < 1e-12
    assert relative(np.cumsum(at_each, 0)[-1], truth) < 1e-12  # S_T, the last partial sum
    shown("B06", np.linalg.norm(np.mean(at_each, 0)) / np.linalg.norm(truth), "0.167")
    only_last = rnn.backward(n.params, n.cache, {6: n.g})
    silent = rnn.backward(n.params, n.cache, {t: 0 * n.g for t in range(1, 6)} | {6: n.g})
    assert relative(only_last.params.W_hh, silent.params.W_hh) < 1e-14
    shown("B05", np.linalg.norm(at_each[0]) / np.linalg.norm(truth), "0.507")


def test_b07_a_small_step_against_the_gradient_lowers_the_error():
    n = one_output(6)
    W, g = np.hstack([n.params.W_hh, n.params.W_xh]), n.terms.sum(0)
    fall = error(n, W) - error(n, W - 1e-5 * g)
    assert fall == pytest.approx(1e-5 * (g**2).sum(), rel=1e-3)
    shown("B07", error(n, W - 0.1 * g) / error(n, W), "0.875")


@pytest.mark.parametrize(
    ("k", "text"), [(2, "0.22"), (5, "0.0019"), (10, "1.95e-7"), (20, "3.9e-15")]
)
def test_b08_equation_one_is_the_first_term_of_a_sum(k, text):
    n = one_output(k)
    truth = true_gradient(n)
    J = [
        jacobian(
            lambda c, t=t: rnn.step(n.params, n.x[t], c[None], activation="sigmoid")[0],
            n.cache.h[t, 0],
        )
        for t in range(k)
    ]
    slope = n.cache.h[1:, 0] * (1 - n.cache.h[1:, 0])
    joined = np.concatenate([n.cache.h[:-1], n.x], -1)[:, 0]
    terms = []
    for j in range(1, k + 1):  # g · J_k … J_{j+1} · d⁺c_j/dW
        row = n.g[0]
        for t in range(k, j, -1):
            row = row @ J[t - 1]
        terms.append(np.outer(row * slope[j - 1], joined[j - 1]))
    assert relative(sum(terms), truth) < 1e-12
    assert relative(n.terms, terms) < 1e-12
    printed = terms[0]
    shown("B08", np.linalg.norm(printed) / np.linalg.norm(truth), text)
    if k == 20:
        shown("B12", relative(printed, truth), "1.000")
        shown("B09", len(range(2, k + 1)), "19")


def test_b08_from_a_zero_state_equation_one_gives_w_rec_no_gradient():
    n = one_output(10, zero_start=True)
    assert not n.terms[0][:, :H].any()
    shown("B08", np.linalg.norm(true_gradient(n)[:, :H]), "1.75")


def test_b11_the_slopes_scale_the_rows_of_w_rec():
    n = one_output(3)
    truth = jacobian(
        lambda c: rnn.step(n.params, n.x[1], c[None], activation="sigmoid")[0], n.cache.h[1, 0]
    )
    slope = n.cache.h[2, 0] * (1 - n.cache.h[2, 0])
    assert relative(slope[:, None] * n.params.W_hh, truth) < 1e-13
    assert relative(step_jacobians(n.params, n.cache)[1, 0], truth) < 1e-13
    shown("B11", relative(n.params.W_hh * slope, truth), "0.0263")


def test_b13_a_sigmoid_network_with_weights_below_four_vanishes():
    for gain, text in ((1, "2.57e-38"), (4, "3.02e-13"), (8, "3.61e-6")):
        n = one_output(50, gain=gain)
        P = products(step_jacobians(n.params, n.cache))[49, 0]
        shown("B13", norm(P), text)
        if norm(n.params.W_hh) < 4:
            assert norm(P) <= (norm(n.params.W_hh) / 4) ** 49
    rest = rnn.Params(np.zeros((1, 1)), np.array([[8.0]]), np.array([-4.0]))
    cache = rnn.forward(rest, np.zeros((50, 1, 1)), np.array([[0.5]]), activation="sigmoid")
    J = step_jacobians(rest, cache)
    assert np.all(J[:5] == 2)
    shown("B16", J[0].item(), "2")
    shown("B15", J[0].item(), "2")
    W = orthogonal(np.random.default_rng(44), H)
    hundred = one_output(100)
    shown("B28", (norm(hundred.params.W_hh) / 4) ** 99, "4.49e-46")
    shown("B54", 0.9**100, "2.66e-5")
    shown("B54", 1.1**100, "1.38e4")
    quiet = rnn.forward(rnn.Params(np.eye(H), W), 0.001 * np.ones((50, 1, H)))
    factors = step_jacobians(rnn.Params(np.eye(H), W), quiet)[:, 0]
    shown("B51", norm(products(factors)[50]), "1.000")
    assert (factors < 0).any()
    shown("B51", (factors[0] < 0).mean(), "0.68")


def test_b14_the_network_has_sigmoids_and_the_argument_tanh():
    a = np.linspace(-6, 6, 1201)
    slope = {
        name: np.imag(f(a + 1e-30j)) / 1e-30
        for name, f in (("tanh", np.tanh), ("sigmoid", sigmoid))
    }
    shown("B14", slope["sigmoid"].max(), "0.25")
    shown("B14", slope["tanh"].max(), "1")
    sizes = [
        norm(products(step_jacobians(n.params, n.cache))[20, 0])
        for n in (one_output(20, activation=name) for name in ("sigmoid", "tanh"))
    ]
    shown("B14", sizes[0], "2.47e-15")
    shown("B14", sizes[1], "1.17e-5")


def test_b15_large_recurrent_weights_need_not_explode():
    rng = np.random.default_rng(45)
    W, x = rng.standard_normal((200, 200)) / np.sqrt(200), rng.standard_normal((60, 1, 200))
    for gain, text in ((8, "-0.139"), (32, "0.443")):
        params = rnn.Params(np.eye(200), gain * W)
        cache = rnn.forward(params, x, activation="sigmoid")
        up = np.random.default_rng(0).standard_normal((1, 200))
        dh = rnn.backward(params, cache, {60: up}).h[:, 0]
        shown("B15", np.log(np.linalg.norm(dh[20]) / np.linalg.norm(up)) / 40, text)
    shown("B15", norm(8 * W) / 4, "3.90")


def test_b63_a_network_whose_far_terms_vanish_still_learns():
    rng = np.random.default_rng(46)
    n = one_output(50)
    params, V = n.params, rng.standard_normal((1, H))
    x = rng.standard_normal((50, 64, D))
    y = np.tanh(x[-1, :, :1] - x[-2, :, 1:2])  # what is asked for lies one or two steps back
    errors = []
    for _ in range(300):
        cache = rnn.forward(params, x, activation="sigmoid")
        h = cache.h[-1]
        e = h @ V.T - y
        errors.append((e**2).mean())
        g = rnn.backward(params, cache, {50: e @ V / 64}).params
        params = params._replace(W_xh=params.W_xh - 2 * g.W_xh, W_hh=params.W_hh - 2 * g.W_hh)
        V = V - 0.2 * e.T @ h / 64
    shown("B63", errors[0], "1.13")
    shown("B63", errors[-1], "0.0136")


# Sums of sub-gradients


def stationary():
    """A one-unit network at the weight where dE/dw = 0 for E = Σ ½ (h_t − y_t)²: the sub-gradients there."""
    rng = np.random.default_rng(47)
    x = rng.standard_normal((20, 1, 1))
    teacher = rnn.forward(rnn.Params(np.ones((1, 1)), np.array([[0.8]])), x)
    y = teacher.h[1:] + 0.3 * rng.standard_normal((20, 1, 1))

    def parts(w):
        params = rnn.Params(np.ones((1, 1)), np.array([[w]]))
        cache = rnn.forward(params, x)
        e = cache.h[1:] - y
        return np.array(
            [rnn.backward(params, cache, {t: e[t - 1]}).params.W_hh.item() for t in range(1, 21)]
        )

    low, high = 0.3, 1.5
    assert parts(low).sum() < 0 < parts(high).sum()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if parts(middle).sum() < 0 else (low, middle)
    return parts(middle)


def test_b30_sub_gradients_can_cancel_without_vanishing():
    parts = stationary()
    assert abs(parts.sum()) < 1e-13
    shown("B30", np.abs(parts).max(), "0.342")
    shown("B33", np.abs(parts).max(), "0.342")
    partial = np.cumsum(parts)
    shown("B31", np.abs(partial).max(), "0.277")
    shown("B47", np.abs(partial[-2]), "0.0973")
    assert (
        partial[-2] != 0 and abs(partial[-1]) < 1e-13
    )  # one more term, not zero, and the sum vanishes
    series = np.array([(-1) ** n / (1 + n // 2) for n in range(2000)])  # 1 − 1 + ½ − ½ …
    assert abs(series.sum()) < 1e-12 and np.abs(series).min() > 0


# The LSTM: definitions


@pytest.fixture(scope="module")
def cell():
    """Source B's LSTM: W acts on [h, x], no biases; states not zero."""
    rng = np.random.default_rng(51)
    T, B = 6, 2
    n = SimpleNamespace(T=T, x=rng.standard_normal((T, B, D)))
    n.h_0, n.c_0 = 0.5 * rng.standard_normal((2, B, H))
    n.W = dict(zip("ifgo", 0.8 * rng.standard_normal((4, H, H + D)), strict=True))
    n.params = lstm.Params.from_hx(*n.W.values())
    n.cache = lstm.forward(n.params, n.x, n.h_0, n.c_0)
    return n


def tau(n, t, b=0):
    """o_t tanh′(c_t)."""
    return n.cache.o[t - 1, b] * (1 - n.cache.s[t - 1, b] ** 2)


def next_cell(n, t, c):
    """c_t as a function of c_{t−1}, o_{t−1} held, first sequence."""
    return lstm.step(n.params, n.x[t - 1, :1], (n.cache.o[t - 2, 0] * np.tanh(c))[None], c[None])[
        1
    ][0]


def test_b22_the_gates_of_the_source_are_those_of_the_package(cell):
    h, c = cell.h_0, cell.c_0
    for t in range(cell.T):
        z = np.concatenate([h, cell.x[t]], -1)
        i, f, g, o = (
            phi(z @ cell.W[k].T)
            for k, phi in zip("ifgo", (sigmoid, sigmoid, np.tanh, sigmoid), strict=True)
        )
        c = c * f + g * i
        h = o * np.tanh(c)
        for name, value in (("i", i), ("f", f), ("g", g), ("o", o)):
            assert relative(getattr(cell.cache, name)[t], value) < 1e-13
        assert relative(cell.cache.c[t + 1], c) < 1e-13 and relative(cell.cache.h[t + 1], h) < 1e-13
    gates = np.stack([cell.cache.i, cell.cache.f, cell.cache.o])
    assert gates.min() > 0 and gates.max() < 1
    shown("B21", cell.cache.g.min(), "-0.993")
    shown("B23", (cell.cache.i * cell.cache.g).min(), "-0.953")
    shown("B67", np.abs(cell.cache.h[1:]).max(), "0.540")
    assert np.abs(cell.cache.h[1:]).max() < 1
    swapped = np.concatenate([cell.x[0], cell.h_0], -1) @ cell.W["f"].T
    shown("B22", relative(sigmoid(swapped), cell.cache.f[0]), "0.504")


def test_b64_the_output_gate_acts_on_what_is_read_and_not_on_the_cell(cell):
    W = dict(cell.W, o=-cell.W["o"])
    other = lstm.forward(lstm.Params.from_hx(*W.values()), cell.x, cell.h_0, cell.c_0)
    assert np.array_equal(other.c[1], cell.cache.c[1])
    shown("B64", relative(other.h[1], cell.cache.h[1]), "0.704")
    shown("B66", relative(other.c[2], cell.cache.c[2]), "0.163")


def test_b65_without_a_bias_a_gate_at_rest_is_half_open(cell):
    rest = lstm.forward(cell.params, np.zeros((5, 1, D)))
    assert np.all(rest.f == 0.5) and np.all(rest.i == 0.5)
    shown(
        "B65",
        lstm.backward(cell.params, rest, dc={5: np.ones((1, H))}, truncated=True).c[0, 0, 0],
        "0.03125",
    )


# The derivative of the cell


def test_b37_the_four_terms_with_diagonal_factors_on_the_left(cell):
    t, c = cell.T, cell.cache
    i, f, g = (getattr(c, k)[t - 1, 0] for k in "ifg")
    before, out = c.c[t - 1, 0], tau(cell, t - 1)
    truth = jacobian(lambda c: next_cell(cell, t, c), before)
    slope = {"f": f * (1 - f), "i": i * (1 - i), "g": 1 - g**2}
    inner = {k: slope[k][:, None] * cell.W[k][:, :H] * out for k in "fig"}  # df/dc, di/dc, dg/dc
    for k, phi in (("f", sigmoid), ("i", sigmoid), ("g", np.tanh)):
        h_of = jacobian(
            lambda v, k=k, phi=phi: phi(
                cell.W[k] @ np.concatenate([c.o[t - 2, 0] * np.tanh(v), cell.x[t - 1, 0]])
            ),
            before,
        )
        assert relative(inner[k], h_of) < 1e-12
    A, B, C, D_t = (term[t - 1, 0] for term in cell_terms(cell.params, c))
    assert relative(before[:, None] * inner["f"], A) < 1e-12
    assert relative(np.diag(f), B) < 1e-14
    assert relative(g[:, None] * inner["i"], C) < 1e-12
    assert relative(i[:, None] * inner["g"], D_t) < 1e-12
    assert relative(A + B + C + D_t, truth) < 1e-12
    shown(
        "B37", relative(inner["f"] * before + inner["i"] * g + inner["g"] * i + B, truth), "0.459"
    )
    size = np.linalg.norm(truth)
    shown("B39", np.linalg.norm(A) / size, "0.0947")
    shown("B40", relative(truth - B + f, truth), "1.98")  # f_t as a vector, added to every row
    shown("B41", np.linalg.norm(C) / size, "0.272")
    shown("B43", np.linalg.norm(D_t) / size, "0.400")
    # the copy destroyed two lines; the sum rule they stand for
    kept = jacobian(
        lambda v: (
            v
            * sigmoid(cell.W["f"] @ np.concatenate([c.o[t - 2, 0] * np.tanh(v), cell.x[t - 1, 0]]))
        ),
        before,
    )
    assert relative(kept, A + B) < 1e-12 and relative(truth - kept, C + D_t) < 1e-12
    shown("B68", np.linalg.norm(kept) / np.linalg.norm(truth), "0.952")
    shown("B36", np.linalg.norm(truth - B) / np.linalg.norm(truth), "0.486")


def test_b38_the_candidate_has_the_slope_of_tanh(cell):
    t, c = cell.T, cell.cache
    i, g, o = c.i[t - 1, 0], c.g[t - 1, 0], cell.W["g"]
    truth = jacobian(lambda v: next_cell(cell, t, v), c.c[t - 1, 0])
    D_t = cell_terms(cell.params, c).D[t - 1, 0]
    a = np.arctanh(g)
    printed = (i * sigmoid(a) * (1 - sigmoid(a)))[:, None] * o[:, :H] * tau(cell, t - 1)
    for claim in ("B42", "B60"):
        shown(claim, relative(printed, D_t), "73%")
    shown("B38", relative(truth - D_t + printed, truth), "29%")
    for v, text in ((0.0, "4.00"), (1.663, "1.00"), (3.0, "0.218")):
        shown("B42", (1 - np.tanh(v) ** 2) / (sigmoid(v) * (1 - sigmoid(v))), text)
    with pytest.raises(ValueError):  # the full W_f acts on [h, x] and does not fit o tanh'(c)
        cell.W["f"] @ tau(cell, t - 1)
    shown("B38", relative(truth - np.diag(c.f[t - 1, 0]) + c.f[t - 1, 0], truth), "1.98")
    # the appendix's first line: sigma where the candidate has tanh
    z = np.concatenate([c.h[t - 1, 0], cell.x[t - 1, 0]])
    shown("B59", relative(sigmoid(o @ z), g), "0.876")


def test_b56_the_inner_derivative_is_that_of_the_previous_state(cell):
    t, c = cell.T, cell.cache
    before = c.c[t - 1, 0]
    f = c.f[t - 1, 0]

    def states(v):
        h_prev = c.o[t - 2, 0] * np.tanh(v)
        return h_prev, lstm.step(cell.params, cell.x[t - 1, :1], h_prev[None], v[None])[0][0]

    previous, present = (jacobian(lambda v, n=n: states(v)[n], before) for n in (0, 1))
    assert relative(previous, np.diag(tau(cell, t - 1))) < 1e-13
    left = (before * f * (1 - f))[:, None] * cell.W["f"][:, :H]
    truth = cell_terms(cell.params, c).A[t - 1, 0]
    assert relative(left @ previous, truth) < 1e-12
    shown("B56", relative(left @ present, truth), "88%")
    shown(
        "B57",
        relative(((f * (1 - f))[:, None] * cell.W["f"][:, :H] * tau(cell, t - 1)) * before, truth),
        "1.19",
    )


def test_b58_the_input_gate_term_uses_the_input_gates_own_matrix(cell):
    t, c = cell.T, cell.cache
    i, g = c.i[t - 1, 0], c.g[t - 1, 0]
    truth = cell_terms(cell.params, c).C[t - 1, 0]
    assert (
        relative((g * i * (1 - i))[:, None] * cell.W["i"][:, :H] * tau(cell, t - 1), truth) < 1e-12
    )
    s = sigmoid(cell.W["g"] @ np.concatenate([c.h[t - 1, 0], cell.x[t - 1, 0]]))
    shown(
        "B58",
        relative((g * s * (1 - s))[:, None] * cell.W["g"][:, :H] * tau(cell, t - 1), truth),
        "123%",
    )


# More than one step


def test_b34_equation_four_misses_paths_even_at_one_step():
    rng = np.random.default_rng(52)
    for scale, text in ((0.5, "6.1%"), (1, "14%"), (4, "36%")):
        params, cache = lstm_grid(scale)
        T = len(cache.x)
        up = rng.standard_normal(cache.h[T].shape)
        exact = lstm.backward(params, cache, {T: up})
        cell_tau = cache.o * (1 - cache.s**2)
        truth = exact.c[T - 1]
        printed = np.einsum("gbi,gbij->gbj", up * cell_tau[-1], sum(cell_terms(params, cache))[-1])
        gap = np.linalg.norm(printed - truth, axis=(-2, -1)) / np.linalg.norm(truth, axis=(-2, -1))
        shown("B34", np.median(gap), text)


def test_b34_from_an_empty_cell_equation_four_gives_w_f_no_gradient(cell):
    cache = lstm.forward(cell.params, cell.x, cell.h_0)
    up = np.random.default_rng(53).standard_normal(cache.h[1].shape)
    g = lstm.backward(cell.params, cache, {cell.T: up}, per_step=True)
    assert not g.per_step.W_hf[0].any() and not g.per_step.W_xf[0].any()  # dc_1/dW_f = c_0 … = 0
    truth = jacobian(
        lambda W: (
            up
            * lstm.forward(
                lstm.Params.from_hx(cell.W["i"], W, cell.W["g"], cell.W["o"]), cell.x + 0j, cell.h_0
            ).h[-1]
        ).sum(),
        cell.W["f"],
    )
    assert relative(g.params.W_f, truth) < 1e-12
    shown("B34", np.linalg.norm(truth), "0.211")


def test_b35_the_cell_chain_is_what_shrinks_in_the_cell():
    params, cache = lstm_grid(1.0, steps=21)
    chained = products(sum(cell_terms(params, cache)))[20, :, 0]
    truth = total_cell_derivative(params, cache)[20]
    shown("B35", np.median(np.linalg.norm(chained, 2, axis=(-2, -1))), "0.000531")
    shown("B52", np.median(np.linalg.norm(truth, 2, axis=(-2, -1))), "0.000514")
    gap = np.linalg.norm(chained - truth, axis=(-2, -1)) / np.linalg.norm(truth, axis=(-2, -1))
    shown("B44", np.median(gap), "15%")
    up = np.random.default_rng(54).standard_normal(cache.h[21].shape)
    inside = explicit_path(params, cache, up)[20]
    whole = lstm.backward(params, cache, {21: up}).c[1]
    shown(
        "B26",
        np.median(np.linalg.norm(inside, axis=(-2, -1)) / np.linalg.norm(whole, axis=(-2, -1))),
        "0.0786",
    )
    half_open = np.median(np.linalg.norm(truth, 2, axis=(-2, -1)))
    kept = params._replace(b_h=params.b_h + np.repeat([0, 4.0, 0, 0], 16))
    opened = np.median(
        np.linalg.norm(
            total_cell_derivative(kept, lstm.forward(kept, cache.x))[20], 2, axis=(-2, -1)
        )
    )
    assert opened > half_open
    shown("B55", opened, "4.84")


def balanced(w_o):
    """The source's example as a one-unit cell at rest: A, B, C, D = 0.1, 0.7, 0.1, 0.1 at every step, any w_o."""
    c, f, i, o = 0.5, 0.7, 0.5, 0.5
    g = (1 - f) * c / i
    h, out = o * np.tanh(c), o * (1 - np.tanh(c) ** 2)
    w = np.array(
        [
            0.1 / (g * i * (1 - i) * out),
            0.1 / (c * f * (1 - f) * out),
            0.1 / (i * (1 - g**2) * out),
            w_o,
        ]
    )
    b = np.array([logit(i), logit(f), np.arctanh(g), logit(o)]) - w * h
    params = lstm.Params(np.zeros((4, 1)), w[:, None], b)
    return params, lstm.forward(params, np.zeros((21, 1, 1)), np.array([[h]]), np.array([[c]]))


@pytest.mark.parametrize(("w_o", "text"), [(0, "1.000"), (2, "4.37"), (-2, "0.311"), (8, "1.56e3")])
def test_b49_the_balanced_example_says_one_and_the_cell_something_else(w_o, text):
    params, cache = balanced(w_o)
    terms = [term[1:, 0, 0, 0] for term in cell_terms(params, cache)]
    for term, value in zip(terms, (0.1, 0.7, 0.1, 0.1), strict=True):
        assert np.allclose(term[:10], value, rtol=1e-9)
    product = np.prod(sum(terms))
    truth = total_cell_derivative(params, cache)[20, 0, 0]
    if w_o == 0:
        shown("B49", product, "1.0000")
        assert truth == pytest.approx(product, rel=1e-9)
        start = cache.o[0, 0] * np.tanh(cache.c[1, 0])

        def run(c):
            h = start / np.tanh(cache.c[1, 0]) * np.tanh(c)
            end = lstm.forward(params, np.zeros((20, 1, 1), complex), h[None], c[None])
            return end.c[20, 0]

        assert jacobian(run, cache.c[1, 0]).item() == pytest.approx(truth, rel=1e-12)
    shown("B44", truth, text)


def test_b50_about_one_to_a_high_power_is_not_about_one():
    for base, text in ((0.99, "0.37"), (0.95, "0.0059"), (1.05, "131.5")):
        shown("B50", base**100, text)


def test_b45_the_forget_gate_is_no_free_knob_of_a_step():
    rng = np.random.default_rng(55)
    params = lstm.init_params(D, H, rng, scale=0.5)
    constant = lstm.forward(params, np.broadcast_to(rng.standard_normal((1, 1, D)), (200, 1, D)))
    assert np.allclose(constant.f[150:], constant.f[-1], rtol=0, atol=1e-9)
    moved = params._replace(b_h=params.b_h + np.repeat([0, 0.1, 0, 0], H))
    x = rng.standard_normal((10, 1, D))
    change = lstm.forward(moved, x).f - lstm.forward(params, x).f
    assert np.all(change.mean(-1) > 0)
    shown("B45", change.mean((1, 2)).min(), "0.0140")
    shown("B70", change.mean((1, 2)).max(), "0.0216")


def test_b46_no_setting_of_the_forget_gate_brings_back_a_blocked_error():
    fills = lstm.Params(
        np.zeros((4, 1)), np.zeros((4, 1)), np.array([9.0, logit(0.99995), 9.0, 0.0])
    )
    cache = lstm.forward(fills, np.zeros((10, 1, 1)))
    g = lstm.backward(fills, cache, dh={10: np.ones((1, 1))})
    shown("B46", g.c[10, 0, 0], "4.15e-9")
    solved = lstm.backward(
        fills, cache, dh={10: np.zeros((1, 1))}
    )  # E_{k+1} already at its minimum
    assert not any(p.any() for p in solved.params)


def test_b48_the_four_terms_have_signs_and_can_cancel():
    f, i, o = 0.99995, 0.5, 0.5
    params = lstm.Params(
        np.zeros((4, 1)), np.array([[0.0], [0], [-f / (i * o)], [0]]), np.array([0, logit(f), 0, 0])
    )
    cache = lstm.forward(params, np.zeros((21, 1, 1)))
    A, B, C, D_t = (term[5, 0, 0, 0] for term in cell_terms(params, cache))
    shown("B48", B, "0.99995")
    shown("B48", D_t, "-0.99995")
    assert abs(A + B + C + D_t) < 1e-12
    truth = jacobian(
        lambda c: lstm.step(params, np.zeros((1, 1)), (o * np.tanh(c))[None], c[None])[1][0],
        np.zeros(1),
    )
    assert abs(truth.item()) < 1e-12
    shown("B48", np.prod(cache.f[1:]), "0.999")
