"""Source B, the RNN (`B01`–`B19`, `B28`–`B33`, `B47`, `B50`–`B54`): one output, and what its
gradient consists of.

The source's c is the RNN's state; its W is [W_rec, W_in]. The network is that of chapter 3."""

import numpy as np
import pytest
from evidence import shown, within
from networks import driven, norm, orthogonal, radius, relative, rnn_step_matrix, sigma, slopes
from source_b import B, D, H, T, chapter_3, one_output, stationary, sub_gradients
from witnesses import jacobian

from bptt_core import rnn
from bptt_core.jacobians import norms, products, step_jacobians


@pytest.fixture(scope="module")
def net():
    return chapter_3()


# The model


def test_b02_the_pair_is_the_previous_state_and_the_input():
    rng = np.random.default_rng(42)
    W = rng.standard_normal((4, 8)) / 2
    c, x = rng.standard_normal((2, 4))
    right = sigma(W @ np.concatenate([c, x]))
    params = rnn.Params(W[:, 4:], W[:, :4])
    assert relative(rnn.step(params, x[None], c[None], activation="sigmoid")[0], right) < 1e-14
    shown("B02", relative(sigma(W @ np.concatenate([x, x])), right), "0.242")


def test_b03_one_matrix_acts_on_the_joined_vector(net):
    W = np.hstack([net.params.W_hh, net.params.W_xh])
    assert W.shape == (H, H + D) and net.params.b_h is None
    run = rnn.forward(net.params, net.x[:4], net.h_0, activation="sigmoid")
    c = net.h_0[0]
    joined_apart, states_apart = [], []
    for t in range(4):
        joined = np.concatenate([c, net.x[t, 0]])
        separate = net.params.W_hh @ c + net.params.W_xh @ net.x[t, 0]
        joined_apart.append(relative(W @ joined, separate))
        c = sigma(W @ joined)
        states_apart.append(relative(run.h[t + 1, 0], c))
    within("B03", joined_apart, "1e-14")
    within("B10", states_apart, "1e-14")
    tanh = rnn.forward(net.params, net.x[:4], net.h_0)
    shown("B04", [4, relative(tanh.h[4], run.h[4])], "four", "1.15")
    shown("B62", [4, len(run.h)], "four", "5")


# Sums over outputs


def test_b06_the_sum_over_steps_has_one_term_when_there_is_one_output(net):
    rng = np.random.default_rng(43)
    steps, x = 6, net.x[:6]
    run = rnn.forward(net.params, x, net.h_0, activation="sigmoid")
    every = rng.standard_normal((steps, B, H))
    each = [
        rnn.backward(net.params, run, {t: every[t - 1]}).params.W_hh for t in range(1, steps + 1)
    ]

    def error(W):
        h = rnn.forward(net.params._replace(W_hh=W), x + 0j, net.h_0, activation="sigmoid").h
        return (every * h[1:]).sum()

    truth = jacobian(error, net.params.W_hh)
    within("B06 B29", relative(sum(each), truth), "1e-12")
    within("B32", relative(np.cumsum(each, 0)[-1], truth), "1e-12")
    shown("B06", [steps, np.linalg.norm(np.mean(each, 0)) / np.linalg.norm(truth)], "6", "1/6")
    last = rnn.backward(net.params, run, {steps: every[-1]})
    silent = {t: 0 * every[-1] for t in range(1, steps)} | {steps: every[-1]}
    assert relative(last.params.W_hh, rnn.backward(net.params, run, silent).params.W_hh) < 1e-14
    shown("B05", [steps, np.linalg.norm(each[0]) / np.linalg.norm(truth)], "six", "0.304")


def test_b07_a_small_step_against_the_gradient_lowers_the_error(net):
    rng = np.random.default_rng(41)
    V, y = rng.standard_normal((2, H)), rng.standard_normal((B, 2))

    def error(W):
        run = rnn.forward(net.params._replace(W_hh=W), net.x, net.h_0, activation="sigmoid")
        e = run.h[-1] @ V.T - y
        return 0.5 * (e**2).sum(), rnn.backward(net.params, run, {T: e @ V}).params.W_hh

    W = net.params.W_hh
    before, gradient = error(W)
    fall = before - error(W - 1e-5 * gradient)[0]
    assert fall == pytest.approx(1e-5 * (gradient**2).sum(), rel=1e-3)
    shown("B07", [0.1, error(W - 0.1 * gradient)[0] / before], "0.1", "0.908")


def test_b30_sub_gradients_can_cancel_without_vanishing(net):
    parts = stationary(net)
    within("B30", parts.sum(), "1e-12")
    shown("B30", [len(parts), np.abs(parts).max()], "20", "0.535")
    shown("B33", [np.abs(parts).max(), parts.sum()], "0.535", "0")
    partial = np.cumsum(parts)
    shown("B31", [np.abs(partial).max(), partial[-1]], "0.462", "0")
    shown("B47", [19, np.abs(partial[-2]), partial[-1]], "19", "0.156", "0")
    # where every target is met, no part is left and so no sum: the direction that holds
    params = rnn.Params(np.array([[0.8]]), np.array([[0.6]]))
    fitted = rnn.forward(params, net.x_unit).h[1:]
    exact = sub_gradients(net, 0.6, fitted)
    shown("B30", np.abs(exact).max(), "0", where="right")


def test_b53_large_sub_gradients_need_no_explosion():
    def parts(w, steps=20):  # h_t = w h_{t−1}, h_0 = 1, E_t = h_t
        params, run = driven([[w]], np.zeros((steps, 1)), [[1.0]], "identity")
        each = [rnn.backward(params, run, {t: [[1.0]]}) for t in range(1, steps + 1)]
        return np.array([part.params.W_hh.item() for part in each])

    growing, level = parts(1.5), parts(1.0)
    assert growing.min() >= 1 and level.min() >= 1
    shown("B53", [1.5, len(growing), growing.sum()], "1.5", "20", "1.2e5")
    shown("B53", [1, level[0], level[-1], level.sum()], "1", "1", "20", "210")


# One chain for a sum


def test_b08_equation_one_is_the_first_term_of_a_sum(net):
    shares = {}
    for k in (2, 5, 10, 20):
        n = one_output(net, net.x[-k:])
        J = [rnn_step_matrix(n.params, n.cache, t) for t in range(1, k + 1)]
        slope = n.cache.h[1:, 0] * (1 - n.cache.h[1:, 0])
        terms = []
        for j in range(1, k + 1):  # g · J_k … J_{j+1} · ∂⁺c_j/∂W
            row = net.dh[0]
            for t in range(k, j, -1):
                row = row @ J[t - 1]
            terms.append(np.outer(row * slope[j - 1], n.cache.h[j - 1, 0]))
        assert relative(sum(terms), n.truth) < 1e-12
        assert relative(n.terms, terms) < 1e-12
        shares[k] = np.linalg.norm(terms[0]) / np.linalg.norm(n.truth)
    shown("B08", [*shares], "2", "5", "10", "20")
    shown("B08", [*shares.values()], "0.18", "0.0022", "1.0e-6", "7.323e-13")
    shown("B12", [k, relative(terms[0], n.truth)], "20", "1.000")
    within("B11", relative(slope[0, :, None] * n.params.W_hh, J[0]), "1e-13")
    shown("B11", relative(slope[0] * n.params.W_hh, J[0]), "6.6%")
    # c_20 from c_1: all the factors but the first, neither one more nor one less

    def end(c):
        for x_t in net.x[1:]:
            c = rnn.step(n.params, x_t, c, activation="sigmoid")
        return c[0]

    exact = jacobian(lambda c: end(c[None]), n.cache.h[1, 0])
    found = np.linalg.multi_dot(J[:0:-1])
    assert relative(found, exact) < 1e-12
    assert relative(np.linalg.multi_dot(J[:1:-1]), exact) > 0.5
    assert relative(np.linalg.multi_dot(J[::-1]), exact) > 0.5
    shown("B09", [len(J[:0:-1]), k], "19", "20")


def test_b08_from_a_zero_state_equation_one_gives_w_rec_no_gradient(net):
    n = one_output(net, net.x, h_0=np.zeros((B, H)))
    assert not n.terms[0].any()
    shown("B08", [np.abs(n.cache.h[0]).max(), np.linalg.norm(n.truth)], "zero", "0.601")


def test_b01_the_gradient_keeps_its_recent_terms_when_the_far_ones_vanish(net):
    n = one_output(net, net.x_long)
    size, far, near = (np.linalg.norm(part) for part in (n.truth, n.terms[0], n.terms[-1]))
    assert relative(n.terms.sum(0), n.truth) < 1e-12
    shown("B01", [len(n.terms), far, size, near / size], "50", "2.5e-32", "0.585", "101%")
    shown("B17", [50, far, size], "50", "2.5e-32", "0.585")
    shown("B18", [size, 50], "0.585", "50")
    shown("B19", [0.1, 0.1 * size / np.linalg.norm(n.params.W_hh)], "0.1", "0.0263")


# What vanishes and what explodes


def test_b13_a_sigmoid_network_with_weights_below_four_vanishes(net):
    sizes = norms(products(step_jacobians(net.params, one_output(net, net.x).cache))[:, 0])
    bound = norm(net.params.W_hh) / 4
    lags = [1, 5, 20]
    assert np.all(sizes[lags] <= bound ** np.array(lags))
    shown("B13", [*lags, *sizes[lags]], "1", "5", "20", "0.355", "0.000933", "3.06e-13")
    larger = [
        norm(products(step_jacobians(n.params, n.cache))[49, 0])
        for n in (one_output(net, net.x_long, gain=gain) for gain in (1, 4, 8))
    ]
    shown("B13", [49, 4, 8, *larger], "49", "4", "8", "4.72e-32", "1.11e-29", "5.42e-26")
    shown("B28 B74", [99, bound**99], "99", "3.50e-32")
    rng = np.random.default_rng(13)
    W = rng.standard_normal((200, H, H))
    W *= (3.9 / norms(W))[:, None, None]
    network = driven(W, rng.standard_normal((50, 200, 1, H)), activation="sigmoid")
    last = norms(products(step_jacobians(*network))[-1, ..., 0, :, :])
    assert np.all(last <= (3.9 / 4) ** 50)
    shown("B13 B15", 4, "4", where="condition")
    rest = rnn.Params(np.zeros((1, 1)), np.array([[8.0]]), np.array([-4.0]))
    run = rnn.forward(rest, np.zeros((50, 1, 1)), [[0.5]], activation="sigmoid")
    J = step_jacobians(rest, run).ravel()
    assert np.all(J[:5] == 2)
    shown("B16 B15", [8, J[0]], "8", "2")


def test_b14_the_network_has_sigmoids_and_the_argument_tanh(net):
    a = np.linspace(-6, 6, 1201)
    tops = [slopes(phi, a).max() for phi in (sigma, np.tanh)]
    shown("B14", tops, "0.25", "1")
    shown("B14", tops[0], "1/4", where="right")
    kept = [
        norm(products(step_jacobians(n.params, n.cache))[20, 0])
        for n in (one_output(net, net.x, activation=name) for name in ("sigmoid", "tanh"))
    ]
    shown("B14", [T, *kept], "20", "3.06e-13", "0.000307")


def test_b15_large_recurrent_weights_need_not_explode():
    rng = np.random.default_rng(45)
    W = rng.standard_normal((200, 200)) / np.sqrt(200)
    x, dh = rng.standard_normal((60, 1, 200)), rng.standard_normal((1, 200))
    rates = {}
    for gain in (8, 32):
        params, run = driven(gain * W, x, activation="sigmoid")
        back = rnn.backward(params, run, {60: dh}).h[:, 0]
        rates[gain] = np.log(np.linalg.norm(back[20]) / np.linalg.norm(dh)) / 40
    shown("B15", [len(W), 4, norm(8 * W) / 4, rates[8]], "200", "4", "3.90", "-0.153")
    shown("B15", [32 / 8, rates[32]], "four", "0.462")


def test_b51_the_factors_of_an_rnn_have_signs_and_can_keep_a_norm():
    rng = np.random.default_rng(51)
    W = rng.standard_normal((200, H, H)) / np.sqrt(H)
    J = step_jacobians(*driven(W, rng.standard_normal((10, 200, 1, H)), activation="sigmoid"))
    shown("B51", [200, (J < 0).mean()], "200", "50%")
    quiet = driven(orthogonal(rng, H), 0.001 * rng.standard_normal((50, H)))
    kept = norm(products(step_jacobians(*quiet))[50, 0])
    shown("B51", [50, kept], "50", "0.9996")
    assert abs(radius(quiet[0].W_hh) - 1) < 1e-12


def test_b54_a_hundred_equal_factors():
    def left(w):
        params, run = driven([[w]], np.zeros((100, 1)), activation="identity")
        return rnn.backward(params, run, {100: [[1.0]]}).h[0].item()

    shown("B54", [100, 0.9, left(0.9), 1.1, left(1.1)], "100", "0.9", "2.66e-5", "1.1", "1.38e4")
    shown("B50", [100, 0.99, left(0.99)], "100", "0.99", "0.366")
    shown("B50", [0.95, left(0.95), 1.05, left(1.05)], "0.95", "0.00592", "1.05", "132")
