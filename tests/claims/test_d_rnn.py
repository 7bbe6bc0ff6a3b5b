"""Source D, the RNN (`D-eq1`–`D-eq10`, `D-x02`–`D-x15`, `D-x35`–`D-x45`): what is printed against
what is right."""

import numpy as np
import pytest
from evidence import shown, within
from networks import driven, norm, relative, sigma, slopes, softmax
from source_d import (
    D,
    H,
    K,
    T,
    chapter_2,
    error,
    rnn_copies,
    rnn_shared,
    upstream,
)
from witnesses import jacobian

from bptt_core import gradient_flow, readout, rnn
from bptt_core.gradient_flow import norm_curve
from bptt_core.jacobians import norms, products, step_jacobians


@pytest.fixture(scope="module")
def net():
    return chapter_2()


def apart(found, exact):
    """The largest relative error of several."""
    return [relative(a, b) for a, b in zip(found, exact, strict=True)]


def slope(net, t):
    """tanh′(z^(t))."""
    return 1 - net.cache.h[t, 0] ** 2


# The model, and one error


def test_d_eq1_d_eq2_the_vanilla_rnn_is_the_core_without_bias(net):
    bare = net.params._replace(b_h=None)
    cache = rnn.forward(bare, net.x, net.h_0)
    out = net.out._replace(b_y=None)
    y = readout.softmax(readout.forward(out, cache.h[1:]))
    for t in range(1, T + 1):
        h = np.tanh(bare.W_xh @ cache.x[t - 1, 0] + bare.W_hh @ cache.h[t - 1, 0])
        assert relative(cache.h[t, 0], h) < 1e-13
        assert relative(y[t - 1, 0], softmax(out.W_hy @ h)) < 1e-13


def test_d_x35_the_bias_that_is_not_shown_has_the_sum_of_the_deltas_for_its_gradient(net):
    def run(b):
        h = net.h_0
        for t in range(3):
            h = rnn.step(net.params._replace(b_h=b), net.x[t], h)
        return error(net, h[0], 3)

    exact = jacobian(run, net.params.b_h)
    back = rnn.backward(net.params, net.cache, upstream(net, net.cache, [3]).h)
    assert relative(back.params.b_h, exact) < 1e-13
    within("D-x35", relative(back.a[:3, 0].sum(0), exact), "1e-13")


def test_d_eq3_x02_x04_x05_x36_the_gradient_of_a_shared_weight_is_the_sum_over_its_copies(net):
    by_U, by_W = rnn_copies(net)
    shared_U, shared_W = rnn_shared(net)
    within("D-eq3", apart([by_U.sum(0), by_W.sum(0)], [shared_U, shared_W]), "1e-13")
    within("D-x02 D-x04 D-x36", relative(by_W.sum(0), shared_W), "1e-13")
    back = rnn.backward(net.params, net.cache, upstream(net, net.cache, [3]).h, per_step=True)
    assert max(apart([back.per_step.W_xh[:3], back.per_step.W_hh[:3]], [by_U, by_W])) < 1e-13
    shown("D-x05", [4, np.abs(back.per_step.W_hh[3]).max()], "4", "0")
    shares = [np.linalg.norm(each) / np.linalg.norm(shared_W) for each in by_W]
    shown("D-x04", [len(shares), *shares], "three", "0.16", "0.21", "0.97")
    from_zero = rnn.forward(net.params, net.x)
    steps = rnn.backward(
        net.params, from_zero, upstream(net, from_zero, [3]).h, per_step=True
    ).per_step
    assert not steps.W_hh[0].any()


def test_d_x06_x47_only_the_last_copy_of_v_has_a_gradient(net):
    h = net.cache.h[3, 0]
    by_copy = jacobian(lambda copies: error(net, h, 3, copies[2]), np.stack([net.out.W_hy] * 3))
    p = softmax(net.out.W_hy @ h + net.out.b_y)
    exact = np.outer(p - np.eye(K)[net.target[2, 0]], h)
    within("D-x06", relative(by_copy[2], exact), "1e-13")
    shown("D-x06 D-x47", [len(by_copy), np.abs(by_copy[:2]).max()], "3", "0")
    assert relative(upstream(net, net.cache, [3]).params.W_hy, exact) < 1e-13


def test_d_x39_a_shared_kernel_sums_its_gradient_over_positions_in_the_same_way():
    signal, dy = np.array([0.3, -1.2, 0.7, 2.0, -0.4]), np.array([1.0, -2.0, 0.5])
    by_position = [dy[p] * signal[p : p + 3] for p in range(3)]
    exact = jacobian(
        lambda kernel: dy @ np.convolve(signal, kernel[::-1], "valid"), np.array([0.2, 0.1, -0.5])
    )
    within("D-x39", relative(sum(by_position), exact), "1e-13")
    shown("D-x39", len(by_position), "three")


def test_d_eq4_eq6_delta_is_a_row_and_the_transposed_reading_is_another_vector(net):
    dh = upstream(net, net.cache, [3]).h
    delta = {3: dh[2, 0] * slope(net, 3)}
    for j in (2, 1):
        delta[j] = delta[j + 1] @ net.params.W_hh * slope(net, j)

    def from_z(z, j):
        h = np.tanh(z)[None]
        for t in range(j, 3):
            h = rnn.step(net.params, net.x[t], h)
        return error(net, h[0], 3)

    exact = {
        j: jacobian(lambda z, j=j: from_z(z, j), np.arctanh(net.cache.h[j, 0])) for j in (1, 2, 3)
    }
    core = rnn.backward(net.params, net.cache, dh).a[:, 0]
    assert max(apart([core[j - 1] for j in exact], exact.values())) < 1e-12
    within("D-eq4 D-eq6", apart([delta[j] for j in exact], exact.values()), "1e-12")
    column = {j: slope(net, j) * (net.params.W_hh.T @ delta[j + 1]) for j in (1, 2)}
    assert max(apart(column.values(), [exact[1], exact[2]])) < 1e-12
    literal = {j: slope(net, j) * (net.params.W_hh @ delta[j + 1]) for j in (1, 2)}
    off = apart(literal.values(), [exact[1], exact[2]])
    shown("D-eq6", [2, off[1], 1, off[0]], "2", "285%", "1", "122%")


def test_d_eq5_the_products_are_outer_products_with_delta_first(net):
    by_U, by_W = rnn_copies(net)
    delta = rnn.backward(net.params, net.cache, upstream(net, net.cache, [3]).h).a[:, 0]
    right_W = [np.outer(delta[j - 1], net.cache.h[j - 1, 0]) for j in (1, 2, 3)]
    right_U = [np.outer(delta[j - 1], net.x[j - 1, 0]) for j in (1, 2, 3)]
    within("D-eq5", apart([*right_W, *right_U], [*by_W, *by_U]), "1e-12")
    shown("D-eq5", relative(right_W[1].T, by_W[1]), "130%")
    assert (delta[1] * net.cache.h[1, 0]).shape != by_W[1].shape


def test_d_eq7_the_summary_needs_the_delta_of_the_last_step_to_start_from(net):
    p = softmax(net.out.W_hy @ net.cache.h[3, 0] + net.out.b_y)
    start = net.out.W_hy.T @ (p - np.eye(K)[net.target[2, 0]])
    delta = {3: start * slope(net, 3)}
    for j in (2, 1):
        delta[j] = delta[j + 1] @ net.params.W_hh * slope(net, j)
    dW = sum(np.outer(delta[j], net.cache.h[j - 1, 0]) for j in (1, 2, 3))
    dU = sum(np.outer(delta[j], net.x[j - 1, 0]) for j in (1, 2, 3))
    within("D-eq7", apart([dU, dW], rnn_shared(net)), "1e-12")


# A sequence


def test_d_eq8_x03_one_accumulated_sweep_is_the_mean_of_the_separate_sweeps_times_their_number(
    net,
):
    def sweep(steps, reduction="sum"):
        dh = upstream(net, net.cache, steps, reduction).h
        return rnn.backward(net.params, net.cache, dh, per_step=True)

    separate = [sweep([t]) for t in range(1, T + 1)]
    together, mean = sweep(None), sweep(None, "mean")
    total = sum(each.params.W_hh for each in separate)
    within("D-x03", relative(total, together.params.W_hh), "1e-12")
    within("D-eq8", relative(total / T, mean.params.W_hh), "1e-12")
    ratio = np.linalg.norm(together.params.W_hh) / np.linalg.norm(mean.params.W_hh)
    shown("D-eq8", [ratio, T], "4.000", "4")
    steps_back = sum(np.count_nonzero(each.per_step.W_hh.any((1, 2))) for each in separate)
    at_once = np.count_nonzero(together.per_step.W_hh.any((1, 2)))
    shown("D-x03", [T, steps_back, at_once], "four", "10", "4")
    V_sum = sum(upstream(net, net.cache, [t]).params.W_hy for t in range(1, T + 1))
    assert relative(upstream(net, net.cache, None, "mean").params.W_hy, V_sum / T) < 1e-13


def test_d_x07_x52_a_sequence_of_t_plus_one_tokens_has_t_examples_when_each_predicts_the_next():
    tokens = np.array([2, 0, 1, 3, 1])
    rng = np.random.default_rng(7)
    params, V = rnn.init_params(4, H, rng), readout.init_params(H, 4, rng)
    cache = rnn.forward(params, np.eye(4)[tokens[:-1]][:, None])
    y = readout.forward(V, cache.h[1:])
    total, mean = (
        readout.softmax_cross_entropy(y, tokens[1:, None], reduction=kind)[0]
        for kind in ("sum", "mean")
    )
    each = [-np.log(softmax(y[t, 0])[tokens[t + 1]]) for t in range(len(tokens) - 1)]
    assert total == pytest.approx(sum(each), rel=1e-12)
    shown("D-x07 D-x52", [len(tokens), total / mean], "five", "four")


def test_d_x41_x40_the_examples_of_a_sequence_share_states_as_those_of_a_mini_batch_do_not(net):
    alone = [
        rnn.backward(net.params, net.cache, upstream(net, net.cache, [t]).h, per_step=True)
        for t in range(1, T + 1)
    ]
    assert not alone[0].per_step.W_hh[1:].any()
    shown("D-x40", np.count_nonzero([each.params.W_hh.any() for each in alone]), "four")
    assert all(each.per_step.W_hh[0].any() for each in alone)  # every error reaches the first step
    rng = np.random.default_rng(41)
    batch = rng.standard_normal((T, 3, D))

    def errors(x):  # each sequence's own error at its last step
        h = rnn.forward(net.params, x, np.zeros((3, H))).h[-1]
        return np.array([error(net, row, T) for row in h])

    by_input = jacobian(errors, batch)  # (3 errors, T, 3 sequences, D)
    reached = np.abs(by_input).max((1, 3)) > 0
    assert np.array_equal(reached, np.eye(3, dtype=bool))

    def of_one(x):  # the errors of one sequence at its steps
        h = rnn.forward(net.params, x, np.zeros((1, H))).h[1:, 0]
        return np.array([error(net, row, t + 1) for t, row in enumerate(h)])

    shared = np.abs(jacobian(of_one, batch[:, :1])).max((2, 3)) > 0  # (T errors, T inputs)
    assert np.array_equal(shared, np.tri(T, dtype=bool))
    shown("D-x41", [T, shared[:, 0].sum(), 3, reached[:, 0].sum()], "four", "four", "three", "1")


def test_d_eq9_a_small_step_along_minus_the_gradient_lowers_the_error(net):
    grads = upstream(net, net.cache, None, "mean")
    back = rnn.backward(net.params, net.cache, grads.h).params
    params = rnn.Params(*(w - 0.1 * dw for w, dw in zip(net.params, back, strict=True)))
    out = readout.Params(*(w - 0.1 * dw for w, dw in zip(net.out, grads.params, strict=True)))
    losses = []
    for p, v in ((net.params, net.out), (params, out)):
        y = readout.forward(v, rnn.forward(p, net.x, net.h_0).h[1:])
        losses.append(readout.softmax_cross_entropy(y, net.target, reduction="mean")[0])
    assert losses[1] < losses[0]
    shown("D-eq9", [0.1, *losses], "0.1", "2.205", "2.115")


def test_d_eq10_eq27_x42_three_steps_of_the_recursion_are_the_printed_product(net):
    delta = rnn.backward(net.params, net.cache, upstream(net, net.cache, [4]).h).a[:, 0]

    def from_z(z):
        h = np.tanh(z)[None]
        for t in range(1, 4):
            h = rnn.step(net.params, net.x[t], h)
        return error(net, h[0], 4)

    exact = jacobian(from_z, np.arctanh(net.cache.h[1, 0]))
    W = net.params.W_hh
    factors = [W @ np.diag(slope(net, j)) for j in (3, 2, 1)]
    within("D-eq10 D-x42", relative(delta[3] @ np.linalg.multi_dot(factors), exact), "1e-12")
    within("D-eq27", relative(delta[1] @ factors[2], exact), "1e-12")
    shown("D-eq10", relative(delta[3] @ np.linalg.multi_dot(factors[::-1]), exact), "26%")


# Vanishing and exploding


def test_d_x09_factors_above_one_need_not_explode():
    W = 2 * np.eye(2)
    states = np.array([[0, np.sqrt(0.95)], [np.sqrt(0.95), 0]] * 10)
    before = np.vstack([np.zeros((1, 2)), states[:-1]])
    J = step_jacobians(*driven(W, np.arctanh(states) - before @ W))[:, 0]
    shown("D-x09", [len(J), norms(J).min(), norm(products(J)[-1])], "twenty", "2", "1.0e-7")
    n = np.arange(2, 1e6)
    above, below = np.prod(1 + 1 / n**2), np.prod(1 - 1 / n**2)
    shown("D-x09", [1, 2, above], "1", "2", "1.84")
    shown("D-x43", [1, 2, below], "1", "2", "0.5000")
    W = np.random.default_rng(43).standard_normal((200, 6, 6))
    W *= (0.9 / norms(W))[:, None, None]
    x = 0.01 * np.random.default_rng(44).standard_normal((100, 200, 1, 6))
    last = norms(products(step_jacobians(*driven(W, x)))[100, :, 0])
    assert np.all(last <= 0.9**100)
    shown(
        "D-x43",
        [0.9, 100, 0.9**100, len(W), np.median(last)],
        "9/10",
        "100",
        "2.7e-5",
        "200",
        "7.4e-26",
    )


def test_d_x44_a_steady_factor_overflows_in_float32_after_a_few_hundred_steps():
    w, steps = np.float32(1.5), 300
    params = rnn.Params(np.zeros((1, 1), np.float32), np.array([[w]]))
    run = rnn.forward(params, np.zeros((steps, 1, 1), np.float32), activation="identity")
    with pytest.warns(Warning, match="infinity|range|explo"):
        back = rnn.backward(params, run, {steps: np.ones((1, 1), np.float32)}).h[:, 0, 0]
    assert back.dtype == np.float32
    shown("D-x44", [w, np.isfinite(back[::-1]).argmin()], "3/2", "219")


def test_d_x10_a_latch_remembers_what_its_gradient_has_forgotten():
    ends = {}
    for start in (0.1, -0.1):
        params, run = driven([[2.0]], np.zeros((100, 1)), [[start]])
        ends[start] = run.h[-1].item()
        slope_100 = rnn.backward(params, run, {100: [[1.0]]}).h[0].item()
    shown("D-x10", [*ends, *ends.values()], "0.1", "-0.1", "0.9575", "-0.9575")
    shown("D-x10", [100, slope_100], "100", "6e-75")


def test_d_x11_clipping_cannot_enlarge_a_gradient_and_bounds_a_large_one():
    rng = np.random.default_rng(11)
    sizes = 10.0 ** rng.uniform(-12, 12, 200)
    after, kept = [], []
    for size in sizes:
        gradient = rnn.Params(*(rng.standard_normal(shape) for shape in ((2, 3), (2, 2), (2,))))
        flat = np.concatenate([part.ravel() for part in gradient])
        gradient = rnn.Params(*(part * (size / np.linalg.norm(flat)) for part in gradient))
        clipped, _ = gradient_flow.clip_by_global_norm(gradient, 1.0)
        clipped_flat = np.concatenate([part.ravel() for part in clipped])
        after.append(np.linalg.norm(clipped_flat))
        kept.append(np.allclose(clipped_flat / after[-1], flat / np.linalg.norm(flat), rtol=1e-9))
    after = np.array(after)
    assert np.allclose(after[sizes > 1], 1, rtol=1e-12)
    assert np.allclose(after[sizes <= 1], sizes[sizes <= 1], rtol=1e-12) and all(kept)
    shown("D-x11", [len(sizes), 1, after[sizes > 1].mean()], "200", "1", "1.000")


def test_d_x45_a_usual_rnn_loses_its_gradient():
    rng = np.random.default_rng(45)
    W_xh = rng.standard_normal((200, 16, 8)) / np.sqrt(8)
    W_hh = rng.standard_normal((200, 16, 16)) / np.sqrt(16)
    params = rnn.Params(W_xh, W_hh)
    cache = rnn.forward(params, rng.standard_normal((50, 200, 1, 8)))
    left = norm_curve(params, cache)[..., 0]
    lost = [(left[lag] < 1e-3).mean() for lag in (20, 50)]
    shown("D-x45", [200, 1e-3, *lost, 20, 50], "200", "1/1000", "82%", "100%", "20", "50")


def crossing(curve, level, low, high):
    """Where a falling function reaches a level, by bisection."""
    for _ in range(80):
        middle = (low + high) / 2
        if curve(middle) > level:
            low = middle
        else:
            high = middle
    return low


def test_d_x12_x13_x14_x29_x30_how_far_the_two_derivatives_reach():
    def of(phi):
        return lambda a: slopes(phi, np.array([a])).item()

    tanh, logistic = of(np.tanh), of(sigma)
    reach = [crossing(tanh, level, 0, 9) for level in (0.1, 0.01)]
    shown("D-x12", [0.1, reach[0], 0.01, reach[1]], "1/10", "1.818", "1/100", "2.993")
    shown("D-x12", [crossing(logistic, level, 0, 9) for level in (0.1, 0.01)], "2.063", "4.585")
    shown("D-x13", [-3, tanh(-3.0)], "-3", "0.00987")
    shown("D-x14", [-3, logistic(-3.0), sigma(-3.0)], "-3", "0.0452", "0.0474")
    shown("D-x14", logistic(-3.0), "0.045", where="right")
    shown("D-x14", sigma(-3.0), "0.0474", where="right")
    shown("D-x29", [4, tanh(4.0), 3, tanh(3.0)], "4", "0.00134", "3", "0.00987")
    shown("D-x29", [0.01, reach[1]], "1/100", "2.993")
    shown("D-x30", [-4, sigma(-4.0), 0.05], "-4", "0.0180", "1/20")
    shown("D-x30", -crossing(lambda a: sigma(-a), 0.05, 0, 9), "-2.94")
    power = -crossing(lambda a: sigma(-a) ** 20, 0.5, -9, 9)
    shown("D-x30", [20, 0.5, power], "20", "½", "3.34")


def test_d_x15_orthogonal_weights_and_small_inputs_keep_the_gradient_for_a_long_time():
    rng = np.random.default_rng(3)  # chapter 2's
    params = rnn.init_params(8, 32, rng, orthogonal=True)
    left = {}
    for size in (0.01, 0.1, 1):
        run = rnn.forward(params, size * rng.standard_normal((100, 1, 8)))
        left[size] = norm_curve(params, run)[[20, 50, 100], 0]
    shown("D-x15", [20, 50, 100, *left], "20", "50", "100", "1/100", "1/10", "1")
    shown("D-x15", left[0.01], "0.93", "0.82", "0.75")
    shown("D-x15", left[0.1], "0.49", "0.091", "0.0044")
    shown("D-x15", left[1], "0.00015", "1.8e-10", "2.3e-21")
    shown("D-x28", [20, left[0.01][0]], "20", "0.93")
