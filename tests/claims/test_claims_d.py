"""Source D, S. Liu's note. Its U, W, V are W_xh, W_hh, W_hy; its A and C are g and c; δ is ∂E/∂z, then ∂E/∂C."""

import numpy as np
import pytest
from lstm_witness import cell_jacobian, network, pieces, sigma, tau
from setups import jacobian, norm, orthogonal, relative, shown

from bptt_core import gradient_flow, lstm, readout, rnn
from bptt_core.activations import ACTIVATIONS
from bptt_core.lstm import output_derivative

T, D, H, K = 3, 3, 5, 4
TARGET = np.array([[2], [0], [3]])  # one class per step, one sequence


def softmax(y):
    """Written here so that it is not the package's."""
    return np.exp(y) / np.exp(y).sum()


def error(V, h, t):
    """E^(t) of the state h^(t), cross-entropy as the note's softmax implies."""
    return -np.log(softmax(V @ h)[TARGET[t - 1, 0]])


@pytest.fixture
def vanilla():
    """A tanh RNN of three steps without bias, as printed: U, W, V, x (T, D), the states h (T+1, H), h^(0) not zero."""
    rng = np.random.default_rng(18)
    params = rnn.init_params(D, H, rng, bias=False)
    V = readout.init_params(H, K, rng, bias=False)
    cache = rnn.forward(params, rng.standard_normal((T, 1, D)), 0.5 * rng.standard_normal((1, H)))
    return params, V, cache


@pytest.fixture
def cell():
    """An LSTM of three steps without bias, as printed, h^(0) and C^(0) not zero."""
    rng = np.random.default_rng(2018)
    params = lstm.init_params(D, H, rng, bias=False)
    V = readout.init_params(H, K, rng, bias=False)
    cache = lstm.forward(
        params, rng.standard_normal((T, 1, D)), *(0.5 * rng.standard_normal((2, 1, H)))
    )
    return params, V, cache


@pytest.fixture
def wide():
    """A tanh LSTM of 16 units and 21 steps."""
    return network(np.random.default_rng(22), 21, 1, D, 16)


def upstream(V, cache, steps, reduction="sum"):
    """∂⁺E/∂h for errors at the given steps."""
    y = readout.forward(V, cache.h[1:])
    _, dy = readout.softmax_cross_entropy(y, TARGET, steps=steps, reduction=reduction)
    return readout.backward(V, cache.h[1:], dy)


def rnn_error_3(params, V, cache):
    """E^(3) as a function of the three copies of U and W: (3, H, D) and (3, H, H)."""

    def run(U, W):
        h = cache.h[0]
        for t in range(3):
            h = rnn.step(rnn.Params(U[t], W[t]), cache.x[t], h)
        return error(V.W_hy, h[0], 3)

    return run, np.stack([params.W_xh] * 3), np.stack([params.W_hh] * 3)


def lstm_error_3(params, V, cache, gate):
    """E^(3) as a function of the three copies of one gate's [W_h, W_x], (3, H, H+D)."""
    rows = slice("ifgo".index(gate) * H, ("ifgo".index(gate) + 1) * H)

    def run(W):
        h, c = cache.h[0], cache.c[0]
        for t in range(3):
            W_xh, W_hh = params.W_xh.astype(W.dtype), params.W_hh.astype(W.dtype)
            W_hh[rows], W_xh[rows] = W[t, :, :H], W[t, :, H:]
            h, c = lstm.step(lstm.Params(W_xh, W_hh), cache.x[t], h, c)
        return error(V.W_hy, h[0], 3)

    return jacobian(run, np.stack([getattr(params, f"W_{gate}")] * 3))


def lstm_steps(grads, gate):
    """The core's terms of one gate's gradient in the note's [h, x] layout, (3, H, H+D)."""
    return np.concatenate(
        [getattr(grads.per_step, f"W_h{gate}"), getattr(grads.per_step, f"W_x{gate}")], axis=-1
    )


def printed_deltas(params, cache, delta_T):
    """δ^(j) of eq. 22 for the first sequence, from δ^(T) back to δ^(1): row 0 is δ^(1)."""
    deltas = [delta_T]
    for t in range(len(cache.h) - 1, 1, -1):
        deltas.insert(0, deltas[0] @ cell_jacobian(params, cache, t))
    return np.array(deltas)


def gate_terms(cache, j):
    """What multiplies ∂E/∂C^(j) (i, f, a) or ∂E/∂h^(j) (o) before the outer product with [h^(j−1), x^(j)]."""
    i, f, g, o = (gate[j - 1, 0] for gate in (cache.i, cache.f, cache.g, cache.o))
    C, before = cache.c[j, 0], cache.c[j - 1, 0]
    return {
        "i": g * i * (1 - i),
        "f": before * f * (1 - f),
        "g": i * (1 - g**2),
        "o": np.tanh(C) * o * (1 - o),
    }


# The vanilla RNN


def test_d_eq1_d_eq2_the_vanilla_rnn_is_the_core_without_bias(vanilla):
    params, V, cache = vanilla
    for t in range(1, T + 1):
        h = np.tanh(params.W_xh @ cache.x[t - 1, 0] + params.W_hh @ cache.h[t - 1, 0])
        np.testing.assert_allclose(cache.h[t, 0], h, rtol=1e-13)
        y = readout.softmax(readout.forward(V, cache.h[1:]))[t - 1, 0]
        np.testing.assert_allclose(y, softmax(V.W_hy @ h), rtol=1e-13)


def test_d_x35_the_bias_that_is_not_shown_has_the_sum_of_the_deltas_for_its_gradient(vanilla):
    params, V, cache = vanilla
    with_bias = params._replace(b_h=np.linspace(-0.3, 0.4, H))
    cache = rnn.forward(with_bias, cache.x, cache.h[0])

    def run(b):
        h = cache.h[0]
        for t in range(3):
            h = rnn.step(with_bias._replace(b_h=b), cache.x[t], h)
        return error(V.W_hy, h[0], 3)

    grads = rnn.backward(with_bias, cache, upstream(V, cache, [3]).h)
    np.testing.assert_allclose(grads.params.b_h, jacobian(run, with_bias.b_h), atol=1e-14)
    np.testing.assert_allclose(grads.params.b_h, grads.a[:, 0].sum(0), atol=1e-14)


def test_d_eq3_x02_x04_x05_x36_the_gradient_of_a_shared_weight_is_the_sum_over_its_copies(vanilla):
    params, V, cache = vanilla
    run, U, W = rnn_error_3(params, V, cache)
    grads = rnn.backward(params, cache, upstream(V, cache, [3]).h, per_step=True)
    by_copy_U, by_copy_W = jacobian(lambda u: run(u, W), U), jacobian(lambda w: run(U, w), W)
    np.testing.assert_allclose(grads.per_step.W_xh, by_copy_U, atol=1e-14)
    np.testing.assert_allclose(grads.per_step.W_hh, by_copy_W, atol=1e-14)
    shared = jacobian(lambda w: run(U, np.stack([w] * 3)), params.W_hh)
    np.testing.assert_allclose(by_copy_W.sum(0), shared, atol=1e-14)
    from_zero = rnn.forward(params, cache.x)
    assert (
        not rnn.backward(params, from_zero, upstream(V, from_zero, [3]).h, per_step=True)
        .per_step.W_hh[0]
        .any()
    )


def test_d_x06_x47_only_the_last_copy_of_v_has_a_gradient(vanilla):
    _, V, cache = vanilla

    def run(copies):
        return error(copies[2], cache.h[3, 0], 3)

    by_copy = jacobian(run, np.stack([V.W_hy] * 3))
    assert not by_copy[:2].any()
    p = softmax(V.W_hy @ cache.h[3, 0])
    np.testing.assert_allclose(by_copy[2], np.outer(p - np.eye(K)[3], cache.h[3, 0]), atol=1e-14)
    np.testing.assert_allclose(upstream(V, cache, [3]).params.W_hy, by_copy[2], atol=1e-14)


def test_d_x39_a_shared_kernel_sums_its_gradient_over_positions_in_the_same_way():
    signal, dy = np.array([0.3, -1.2, 0.7, 2.0, -0.4]), np.array([1.0, -2.0, 0.5])

    def layer(kernel):
        return dy @ np.convolve(signal, kernel[::-1], "valid")

    by_position = [dy[p] * signal[p : p + 3] for p in range(3)]
    np.testing.assert_allclose(
        jacobian(layer, np.array([0.2, 0.1, -0.5])), sum(by_position), atol=1e-14
    )


def test_d_eq4_eq6_delta_is_a_row_and_the_transposed_reading_is_another_vector(vanilla):
    params, V, cache = vanilla
    dh = upstream(V, cache, [3]).h
    slope = 1 - cache.h[1:, 0] ** 2
    delta = {3: dh[2, 0] * slope[2]}
    for j in (2, 1):
        delta[j] = delta[j + 1] @ params.W_hh * slope[j - 1]
    core = rnn.backward(params, cache, dh).a[:, 0]
    for j in (1, 2, 3):
        np.testing.assert_allclose(core[j - 1], delta[j], atol=1e-14)

        def from_z(z, j=j):
            h = np.tanh(z)[None]
            for t in range(j, 3):
                h = rnn.step(params, cache.x[t], h)
            return error(V.W_hy, h[0], 3)

        np.testing.assert_allclose(
            jacobian(from_z, np.arctanh(cache.h[j, 0])), delta[j], atol=1e-13
        )
    np.testing.assert_allclose(slope[0] * (params.W_hh.T @ delta[2]), delta[1], atol=1e-14)
    shown("D-eq6", relative((params.W_hh @ delta[2]) * slope[0], delta[1]), "193%")


def test_d_eq5_the_products_are_outer_products_with_delta_first(vanilla):
    params, V, cache = vanilla
    run, U, W = rnn_error_3(params, V, cache)
    delta = rnn.backward(params, cache, upstream(V, cache, [3]).h).a[:, 0]
    by_copy_W, by_copy_U = jacobian(lambda w: run(U, w), W), jacobian(lambda u: run(u, W), U)
    for j in (1, 2, 3):
        np.testing.assert_allclose(
            np.outer(delta[j - 1], cache.h[j - 1, 0]), by_copy_W[j - 1], atol=1e-14
        )
        np.testing.assert_allclose(
            np.outer(delta[j - 1], cache.x[j - 1, 0]), by_copy_U[j - 1], atol=1e-14
        )
    shown("D-eq5", relative(np.outer(cache.h[1, 0], delta[1]), by_copy_W[1]), "132%")
    assert (delta[1] * cache.h[1, 0]).shape != by_copy_W[1].shape


def test_d_eq7_the_summary_needs_the_delta_of_the_last_step_to_start_from(vanilla):
    params, V, cache = vanilla
    run, U, W = rnn_error_3(params, V, cache)
    slope = 1 - cache.h[1:, 0] ** 2
    p = softmax(V.W_hy @ cache.h[3, 0])
    delta = {3: (V.W_hy.T @ (p - np.eye(K)[3])) * slope[2]}
    delta[2] = delta[3] @ params.W_hh * slope[1]
    delta[1] = delta[2] @ params.W_hh * slope[0]
    by_shared_W = jacobian(lambda w: run(U, np.stack([w] * 3)), params.W_hh)
    by_shared_U = jacobian(lambda u: run(np.stack([u] * 3), W), params.W_xh)
    dW = sum(np.outer(delta[j], cache.h[j - 1, 0]) for j in (1, 2, 3))
    dU = sum(np.outer(delta[j], cache.x[j - 1, 0]) for j in (1, 2, 3))
    np.testing.assert_allclose(dW, by_shared_W, atol=1e-14)
    np.testing.assert_allclose(dU, by_shared_U, atol=1e-14)
    core = rnn.backward(params, cache, upstream(V, cache, [3]).h).params
    np.testing.assert_allclose(core.W_hh, by_shared_W, atol=1e-14)
    np.testing.assert_allclose(core.W_xh, by_shared_U, atol=1e-14)


def test_d_eq8_x03_one_accumulated_sweep_is_the_mean_of_the_separate_sweeps_times_their_number(
    vanilla,
):
    params, V, cache = vanilla
    sweeps = [rnn.backward(params, cache, upstream(V, cache, [t]).h).params.W_hh for t in (1, 2, 3)]
    at_once = rnn.backward(params, cache, upstream(V, cache, None).h).params.W_hh
    mean = rnn.backward(params, cache, upstream(V, cache, None, "mean").h).params.W_hh
    np.testing.assert_allclose(sum(sweeps), at_once, atol=1e-14)
    np.testing.assert_allclose(sum(sweeps) / 3, mean, atol=1e-14)
    shown("D-eq8", norm(at_once) / norm(mean), "3.000")
    V_sweeps = sum(upstream(V, cache, [t]).params.W_hy for t in (1, 2, 3)) / 3
    np.testing.assert_allclose(upstream(V, cache, None, "mean").params.W_hy, V_sweeps, atol=1e-14)


def test_d_x07_x52_a_sequence_of_t_plus_one_tokens_has_t_examples_when_each_token_is_to_predict_the_next():
    tokens = np.array([2, 0, 1, 3, 1])
    inputs, targets = tokens[:-1], tokens[1:]
    rng = np.random.default_rng(7)
    params, V = rnn.init_params(4, H, rng), readout.init_params(H, 4, rng)
    cache = rnn.forward(params, np.eye(4)[inputs][:, None])
    y = readout.forward(V, cache.h[1:])
    total, mean = (
        readout.softmax_cross_entropy(y, targets[:, None], reduction=kind)[0]
        for kind in ("sum", "mean")
    )
    each = [-np.log(softmax(y[t, 0])[tokens[t + 1]]) for t in range(len(tokens) - 1)]
    assert total == pytest.approx(sum(each), rel=1e-12)
    assert total / mean == pytest.approx(len(tokens) - 1, rel=1e-12)


def test_d_x41_x40_the_examples_of_a_sequence_share_states_as_those_of_a_mini_batch_do_not(vanilla):
    params, V, cache = vanilla
    grads = rnn.backward(params, cache, upstream(V, cache, None).h, per_step=True)
    alone = [
        rnn.backward(params, cache, upstream(V, cache, [t]).h, per_step=True).per_step.W_hh
        for t in (1, 2, 3)
    ]
    assert not alone[0][1:].any() and alone[2].any(axis=(1, 2)).all()
    np.testing.assert_allclose(grads.per_step.W_hh, sum(alone), atol=1e-14)


def test_d_eq9_eq25_a_small_step_along_minus_the_gradient_lowers_the_error(vanilla, cell):
    for module, (params, V, cache) in ((rnn, vanilla), (lstm, cell)):
        slope = upstream(V, cache, None, "mean")
        grads = module.backward(params, cache, slope.h).params
        before, after = [], []
        for rate, losses in ((0.0, before), (0.05, after)):
            moved = params._replace(
                W_xh=params.W_xh - rate * grads.W_xh, W_hh=params.W_hh - rate * grads.W_hh
            )
            states = module.forward(
                moved, cache.x, *(s[0] for s in cache[1 : 2 + (module is lstm)])
            ).h[1:]
            y = readout.forward(V._replace(W_hy=V.W_hy - rate * slope.params.W_hy), states)
            losses.append(readout.softmax_cross_entropy(y, TARGET, reduction="mean")[0])
        assert after[0] < before[0]


def test_d_eq10_eq27_x42_three_steps_of_the_recursion_are_the_printed_product():
    rng = np.random.default_rng(10)
    params = rnn.init_params(D, H, rng)
    cache = rnn.forward(params, rng.standard_normal((4, 1, D)), rng.standard_normal((1, H)))
    delta = rnn.backward(params, cache, {4: rng.standard_normal((1, H))}).a[:, 0]
    slope = [np.diag(1 - cache.h[t, 0] ** 2) for t in range(5)]
    W = params.W_hh
    np.testing.assert_allclose(
        delta[3] @ W @ slope[3] @ W @ slope[2] @ W @ slope[1], delta[0], atol=1e-14
    )
    reversed_order = delta[3] @ slope[1] @ W @ slope[2] @ W @ slope[3] @ W
    shown("D-eq10", relative(reversed_order, delta[0]), "78%")


def test_d_x09_factors_above_one_need_not_explode():
    shown("D-x09", np.prod(1 + 1 / np.arange(2.0, 1e6) ** 2), "1.84")
    factors = [np.diag([2.0, 0.1]), np.diag([0.1, 2.0])] * 10
    product = np.linalg.multi_dot(factors)
    assert all(norm(factor) == pytest.approx(2.0) for factor in factors)
    shown("D-x09", norm(product), "1.0e-7")


def test_d_x43_factors_below_one_need_a_bound_below_one_to_vanish():
    shown("D-x43", np.prod(1 - 1 / np.arange(2.0, 1e6) ** 2), "0.5000")
    shown("D-x43", 0.9**100, "2.7e-5")


def test_d_x44_a_steady_factor_overflows_in_float32_after_a_few_hundred_steps():
    steps, size = 0, np.float32(1.0)
    with np.errstate(over="ignore"):
        while np.isfinite(size):
            size, steps = size * np.float32(1.5), steps + 1
    shown("D-x44", steps, "219")


def test_d_x10_a_latch_remembers_what_its_gradient_has_forgotten():
    W, x = np.array([[2.0]]), np.zeros((50, 1, 1))
    params = rnn.Params(np.ones((1, 1)), W)
    high, low = (rnn.forward(params, x, [[start]]) for start in (0.1, -0.1))
    shown("D-x10", high.h[0, 0, 0], "0.1")
    shown("D-x10", low.h[0, 0, 0], "-0.1")
    shown("D-x10", high.h[-1, 0, 0], "0.9575")
    shown("D-x10", low.h[-1, 0, 0], "-0.9575")
    shown("D-x10", rnn.backward(params, high, {50: [[1.0]]}).h[0, 0, 0], "5.1e-36")


def test_d_x11_x45_clipping_cannot_enlarge_a_gradient():
    small = rnn.Params(np.full((2, 3), 1e-9), np.full((2, 2), 1e-9), np.full(2, 1e-9))
    large = rnn.Params(*(1e15 * part for part in small))
    for part, clipped in zip(small, gradient_flow.clip_by_global_norm(small, 1.0)[0], strict=True):
        np.testing.assert_array_equal(part, clipped)
    clipped = np.concatenate(
        [part.ravel() for part in gradient_flow.clip_by_global_norm(large, 1.0)[0]]
    )
    shown("D-x11", np.linalg.norm(clipped), "1.000")


def crossing(slope, level, low, high):
    """Where a falling function reaches a level, by bisection."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > level else (low, middle)
    return low


def slope_tanh(x):
    return ACTIVATIONS["tanh"].df(np.tanh(x))


def slope_sigma(x):
    return ACTIVATIONS["sigmoid"].df(sigma(x))


def test_d_x12_x13_x14_x29_x30_how_far_the_two_derivatives_reach():
    shown("D-x12", crossing(slope_tanh, 0.1, 0, 9), "1.818")
    shown("D-x12", crossing(slope_tanh, 0.01, 0, 9), "2.993")
    shown("D-x12", crossing(slope_sigma, 0.1, 0, 9), "2.063")
    shown("D-x12", crossing(slope_sigma, 0.01, 0, 9), "4.585")
    shown("D-x13", slope_tanh(-3.0), "0.00987")
    shown("D-x14", slope_sigma(-3.0), "0.0452")
    shown("D-x14", sigma(-3.0), "0.0474")
    shown("D-x29", slope_tanh(4.0), "0.00134")
    shown("D-x29", slope_tanh(3.0), "0.00987")
    shown("D-x29", crossing(slope_tanh, 0.01, 0, 9), "2.993")
    shown("D-x30", sigma(-4.0), "0.0180")
    shown("D-x30", -crossing(lambda x: sigma(-x), 0.05, 0, 9), "-2.94")
    shown("D-x30", -crossing(lambda x: sigma(-x) ** 20, 0.5, -9, 9), "3.34")


def test_d_x15_orthogonal_weights_and_small_inputs_keep_the_gradient_for_a_long_time():
    for std, texts in ((0.01, ("0.992", "0.951", "0.788")), (0.1, ("0.657", "0.122", "0.0047"))):
        rng = np.random.default_rng(15)
        params = rnn.init_params(16, 16, rng, orthogonal=True)
        x = std * rng.standard_normal((100, 1, 16))
        cache = rnn.forward(params, x)
        for steps, text in zip((20, 50, 100), texts, strict=True):
            product = np.eye(16)
            for t in range(1, steps + 1):
                product = (1 - cache.h[t, 0] ** 2)[:, None] * params.W_hh @ product
            shown("D-x15", norm(product), text)


# The LSTM


def test_d_eq11_to_eq17_x17_the_lstm_is_the_core_without_bias_and_with_stacked_weights(cell):
    params, V, cache = cell
    W_i, W_f, W_a, W_o = (getattr(params, f"W_{gate}") for gate in "ifgo")
    rebuilt = lstm.Params.from_hx(W_i, W_f, W_a, W_o)
    np.testing.assert_array_equal(rebuilt.W_hh, params.W_hh)
    np.testing.assert_array_equal(rebuilt.W_xh, params.W_xh)
    h, C = cache.h[0, 0], cache.c[0, 0]
    for t in range(1, T + 1):
        hx = np.concatenate([h, cache.x[t - 1, 0]])
        i, A, f, o = sigma(W_i @ hx), np.tanh(W_a @ hx), sigma(W_f @ hx), sigma(W_o @ hx)
        C = f * C + i * A
        h = o * np.tanh(C)
        for ours, theirs in zip((cache.i, cache.g, cache.f, cache.o), (i, A, f, o), strict=True):
            np.testing.assert_allclose(ours[t - 1, 0], theirs, rtol=1e-13)
        np.testing.assert_allclose(cache.c[t, 0], C, rtol=1e-12)
        np.testing.assert_allclose(cache.h[t, 0], h, rtol=1e-12)
        y = readout.softmax(readout.forward(V, cache.h[1:]))[t - 1, 0]
        np.testing.assert_allclose(y, softmax(V.W_hy @ h), rtol=1e-12)


def test_d_x18_x46_the_lstm_has_four_matrices_of_the_rnn_s_size(cell, vanilla):
    ours, rnn_params = cell[0], vanilla[0]
    shapes = {getattr(ours, f"W_{gate}").shape for gate in "ifgo"}
    assert shapes == {np.concatenate([rnn_params.W_hh, rnn_params.W_xh], axis=1).shape}
    size, small = (
        sum(part.size for part in params if part is not None) for params in (ours, rnn_params)
    )
    shown("D-x46", size / small, "4.00")


def test_d_eq18_x20_each_gate_s_gradient_is_the_sum_over_its_three_copies(cell):
    params, V, cache = cell
    grads = lstm.backward(params, cache, upstream(V, cache, [3]).h, per_step=True)
    for gate in "ifgo":
        by_copy = lstm_error_3(params, V, cache, gate)
        np.testing.assert_allclose(lstm_steps(grads, gate), by_copy, atol=1e-14)
        np.testing.assert_allclose(grads.params.hx(gate), by_copy.sum(0), atol=1e-14)
    from_zero = lstm.forward(params, cache.x)
    steps = lstm.backward(params, from_zero, upstream(V, from_zero, [3]).h, per_step=True)
    assert not lstm_steps(steps, "f")[0].any()
    for gate in "igo":
        first = lstm_steps(steps, gate)[0]
        assert not first[:, :H].any() and first[:, H:].any()


def test_d_eq19_eq21_delta_is_the_total_derivative_of_the_cell(cell):
    params, V, cache = cell
    grads = lstm.backward(params, cache, upstream(V, cache, [3]).h)
    for j in (1, 2, 3):
        o = cache.o[j - 1, 0]

        def from_cell(C, j=j, o=o):
            h, C = (o * np.tanh(C))[None], C[None]
            for t in range(j, 3):
                h, C = lstm.step(params, cache.x[t], h, C)
            return error(V.W_hy, h[0], 3)

        np.testing.assert_allclose(grads.c[j, 0], jacobian(from_cell, cache.c[j, 0]), atol=1e-14)
        by_cell = jacobian(lambda C, o=o: o * np.tanh(C), cache.c[j, 0])
        np.testing.assert_allclose(by_cell, tau(cache, j), atol=1e-14)


def test_d_eq20_x21_x48_with_the_true_delta_three_gates_are_one_outer_product_each(cell):
    params, V, cache = cell
    grads = lstm.backward(params, cache, upstream(V, cache, [3]).h)
    delta = grads.c[1:, 0]
    for gate in "fig":
        by_copy = lstm_error_3(params, V, cache, gate)
        for j in (1, 2, 3):
            hx = np.concatenate([cache.h[j - 1, 0], cache.x[j - 1, 0]])
            right = np.outer(delta[j - 1] * gate_terms(cache, j)[gate], hx)
            np.testing.assert_allclose(right, by_copy[j - 1], atol=1e-14)
            if gate == "f" and j == 2:
                printed = printed_deltas(params, cache, delta[2])[1]
                shown(
                    "D-eq20",
                    relative(np.outer(printed * gate_terms(cache, j)[gate], hx), by_copy[1]),
                    "7.0%",
                )


def test_d_x22_the_next_cell_is_not_the_only_reader_of_the_output_gate(cell):
    params, V, cache = cell
    delta = lstm.backward(params, cache, upstream(V, cache, [3]).h).c[1:, 0]
    by_copy = lstm_error_3(params, V, cache, "o")
    through_next_cell = np.zeros_like(by_copy)
    for j in (1, 2):
        _, _, G, _ = pieces(params, cache, j + 1)
        hx = np.concatenate([cache.h[j - 1, 0], cache.x[j - 1, 0]])
        through_next_cell[j - 1] = np.outer((delta[j] @ G) * gate_terms(cache, j)["o"], hx)
    shown("D-x22", relative(through_next_cell[0], by_copy[0]), "45%")
    shown("D-x22", relative(through_next_cell[1], by_copy[1]), "12%")
    shown("D-x22", relative(through_next_cell.sum(0), by_copy.sum(0)), "96%")


def test_d_x23_all_four_gates_depend_on_the_previous_cell_through_h(cell):
    params, _, cache = cell
    for gate in "ifgo":
        W = getattr(params, f"W_{gate}")

        def value(C, W=W):
            hx = np.concatenate([cache.o[0, 0] * np.tanh(C), cache.x[1, 0]])
            return W @ hx

        edge = jacobian(value, cache.c[1, 0])
        np.testing.assert_allclose(
            edge, getattr(params, f"W_h{gate}") * output_derivative(cache)[0, 0], atol=1e-14
        )
        assert edge.any()


def test_d_eq22_the_cell_only_recursion_misses_the_output_gate_path(cell):
    params, V, cache = cell
    grads = lstm.backward(params, cache, upstream(V, cache, [3]).h)
    eps, delta = grads.h[:, 0], grads.c[:, 0]
    printed = printed_deltas(params, cache, delta[3])
    shown("D-eq22", relative(printed[1], delta[2]), "6.0%")
    shown("D-eq22", relative(printed[0], delta[1]), "7.3%")

    _, _, G, F = pieces(params, cache, 3)
    da_o = eps[3] * gate_terms(cache, 3)["o"]
    repaired = printed[1] + (da_o @ params.W_ho) @ tau(cache, 2)
    np.testing.assert_allclose(repaired, delta[2], atol=1e-14)
    for j in (2, 1):
        terms = gate_terms(cache, j + 1)
        right = sum((delta[j + 1] * terms[gate]) @ getattr(params, f"W_h{gate}") for gate in "ifg")
        right = right + (eps[j + 1] * terms["o"]) @ params.W_ho
        np.testing.assert_allclose(right, eps[j], atol=1e-14)
        np.testing.assert_allclose(
            right @ tau(cache, j) + delta[j + 1] @ np.diag(cache.f[j, 0]), delta[j], atol=1e-14
        )


def test_d_eq22_is_exact_where_no_output_gate_lies_on_the_way(cell):
    params, V, cache = cell
    dC = {3: np.linspace(-1.0, 2.0, H)[None]}
    delta = lstm.backward(params, cache, dc=dC).c[1:, 0]
    printed = printed_deltas(params, cache, delta[2])
    np.testing.assert_allclose(printed[1], delta[1], atol=1e-14)
    shown("D-eq22", relative(printed[0], delta[0]), "1.1%")
    W_hh = params.W_hh.copy()
    W_hh[3 * H :] = 0
    silent = params._replace(W_hh=W_hh)
    cache = lstm.forward(silent, cache.x, cache.h[0], cache.c[0])
    delta = lstm.backward(silent, cache, upstream(V, cache, [3]).h).c[1:, 0]
    np.testing.assert_allclose(printed_deltas(silent, cache, delta[2]), delta, atol=1e-14)


def test_d_eq22_over_many_steps_the_missing_path_costs_more(wide):
    params, cache = wide
    dh = np.random.default_rng(220).standard_normal((1, 16))
    for scale, texts in ((1.0, ("8.5%", "12%", "26%")), (4.0, ("47%", "92%", "125%"))):
        scaled = params._replace(W_hh=scale * params.W_hh)
        run = lstm.forward(scaled, cache.x, cache.h[0], cache.c[0])
        delta = lstm.backward(scaled, run, {21: dh}).c[1:, 0]
        printed = printed_deltas(scaled, run, delta[-1])
        for lag, text in zip((1, 5, 20), texts, strict=True):
            shown("D-eq22", relative(printed[20 - lag], delta[20 - lag]), text)


def test_d_eq22b_tau_must_act_after_the_weights(cell):
    params, V, cache = cell
    delta = lstm.backward(params, cache, upstream(V, cache, [3]).h).c[1:, 0]
    _, _, G, F = pieces(params, cache, 3)
    fourth_line = delta[2] @ F + delta[2] @ G @ tau(cache, 2)
    literal = delta[2] @ F + (delta[2] @ tau(cache, 2)) @ G
    np.testing.assert_allclose(fourth_line, printed_deltas(params, cache, delta[2])[1], atol=1e-14)
    shown("D-eq22b", relative(literal, fourth_line), "19%")


def test_d_eq23_x49_x50_the_forget_gate_s_derivative_needs_the_forget_gate_s_weights(cell):
    params, _, cache = cell
    x, h = cache.x[1, 0], cache.h[1, 0]

    def by_gate(gate):
        a = getattr(params, f"W_{gate}") @ np.concatenate([h, x])
        return slope_sigma(a)[:, None] * getattr(params, f"W_h{gate}")

    truth = jacobian(lambda h: sigma(params.W_f @ np.concatenate([h, x])), h)
    np.testing.assert_allclose(by_gate("f"), truth, atol=1e-14)
    shown("D-eq23", relative(by_gate("i"), truth), "153%")
    of_i = jacobian(lambda h: sigma(params.W_i @ np.concatenate([h, x])), h)
    np.testing.assert_allclose(by_gate("i"), of_i, atol=1e-14)


def test_d_x24_the_gradients_that_follow_from_eq22_are_approximate(cell):
    params, V, cache = cell
    grads = lstm.backward(params, cache, upstream(V, cache, [3]).h)
    printed = printed_deltas(params, cache, grads.c[3, 0])
    for gate, text in (("f", "3.3%"), ("i", "2.9%"), ("g", "0.7%")):
        hx = [np.concatenate([cache.h[j - 1, 0], cache.x[j - 1, 0]]) for j in (1, 2, 3)]
        total = sum(
            np.outer(printed[j - 1] * gate_terms(cache, j)[gate], hx[j - 1]) for j in (1, 2, 3)
        )
        shown("D-x24", relative(total, grads.params.hx(gate)), text)


def test_d_x26_the_open_derivative_of_the_output_gate_is_an_outer_product_with_the_gradient_of_h(
    cell,
):
    params, V, cache = cell
    p = softmax(V.W_hy @ cache.h[3, 0])
    eps = {3: V.W_hy.T @ (p - np.eye(K)[3])}
    delta = {3: eps[3] @ tau(cache, 3)}
    for j in (2, 1):
        terms = gate_terms(cache, j + 1)
        da = {gate: delta[j + 1] * terms[gate] for gate in "ifg"} | {"o": eps[j + 1] * terms["o"]}
        eps[j] = sum(getattr(params, f"W_h{gate}").T @ da[gate] for gate in "ifgo")
        delta[j] = eps[j] @ tau(cache, j) + delta[j + 1] * cache.f[j, 0]
    by_copy = lstm_error_3(params, V, cache, "o")
    answer = np.stack(
        [
            np.outer(
                eps[j] * gate_terms(cache, j)["o"], np.r_[cache.h[j - 1, 0], cache.x[j - 1, 0]]
            )
            for j in (1, 2, 3)
        ]
    )
    np.testing.assert_allclose(answer, by_copy, atol=1e-14)
    core = lstm.backward(params, cache, upstream(V, cache, [3]).h, per_step=True)
    np.testing.assert_allclose(answer, lstm_steps(core, "o"), atol=1e-14)
    np.testing.assert_allclose(answer.sum(0), core.params.hx("o"), atol=1e-14)


def test_d_eq24_x19_the_mean_over_the_errors_is_the_gradient_of_the_mean_error(cell):
    params, V, cache = cell
    mean = lstm.backward(params, cache, upstream(V, cache, None, "mean").h).params
    sweeps = [lstm.backward(params, cache, upstream(V, cache, [t]).h).params for t in (1, 2, 3)]
    for gate in "ifgo":
        np.testing.assert_allclose(
            sum(sweep.hx(gate) for sweep in sweeps) / 3, mean.hx(gate), atol=1e-14
        )
    at_once = lstm.backward(params, cache, upstream(V, cache, None).h).params
    shown("D-eq24", norm(at_once.W_hh) / norm(mean.W_hh), "3.000")


# How the LSTM handles the vanishing gradient


def test_d_x27_x53_the_dropped_part_is_not_two_orders_below_one():
    for scale, text in ((1.0, "0.52"), (4.0, "1.95")):
        params, cache = network(np.random.default_rng(27), 21, 4, D, 16, scale=scale)
        dropped = [
            norm(cell_jacobian(params, cache, t) - pieces(params, cache, t)[3])
            for t in range(2, 22)
        ]
        kept = [norm(pieces(params, cache, t)[3]) for t in range(2, 22)]
        shown("D-x27", np.median(np.divide(dropped, kept)), text)
        if scale == 1.0:
            products = slope_tanh(cache.c[1:-1]) * (cache.f * (1 - cache.f))[1:]
            shown("D-x27", np.median(products), "0.189")
            shown("D-x27", (products <= 0.01).mean(), "0.08%")
            shown("D-x53", np.median(slope_tanh(cache.c[1:-1]) * (1 - cache.g[1:] ** 2)), "0.597")


def test_d_eq26_keeping_the_forget_gates_only_loses_most_of_the_gradient(wide):
    params, cache = wide
    dh = np.random.default_rng(260).standard_normal((1, 16))
    for bias, texts in ((0.0, ("22.3%", "98%", "101%")), (3.0, ("22.5%", "54%", "101%"))):
        moved = params._replace(b_h=params.b_h + np.repeat([0, bias, 0, 0], 16))
        run = lstm.forward(moved, cache.x, cache.h[0], cache.c[0])
        delta = lstm.backward(moved, run, {21: dh}).c[1:, 0]
        for lag, text in zip((1, 5, 20), texts, strict=True):
            approximate = delta[20] * run.f[21 - lag :, 0].prod(0)
            shown("D-eq26", relative(approximate, delta[20 - lag]), text)


def test_d_x28_the_forget_gate_alone_is_not_always_the_larger_factor():
    assert slope_tanh(0.0) == 1.0 and sigma(0.0) == 0.5
    rng = np.random.default_rng(28)
    x = 0.1 * rng.standard_normal((20, 1, 16))
    for gain, text in ((1.0, "0.561"), (0.5, "8.4e-7")):
        params = rnn.Params(np.eye(16), gain * orthogonal(np.random.default_rng(28), 16))
        cache = rnn.forward(params, x)
        product = np.eye(16)
        for t in range(1, 21):
            product = (1 - cache.h[t, 0] ** 2)[:, None] * params.W_hh @ product
        shown("D-x28", norm(product), text)
    shown("D-x28", sigma(0.0) ** 20, "9.54e-7")
    shown("D-x28", sigma(1.0) ** 20, "0.0019")


def test_d_x31_x16_x34_the_cell_keeps_a_gradient_if_its_forget_gates_are_near_one():
    for bias, text in (
        (0.0, "9.54e-7"),
        (1.0, "0.0019"),
        (2.0, "0.079"),
        (3.0, "0.378"),
        (5.0, "0.874"),
    ):
        params = lstm.Params(np.ones((4, 1)), np.zeros((4, 1)), np.array([0.3, bias, -0.2, 0.1]))
        cache = lstm.forward(params, np.zeros((20, 1, 1)))
        gradient = lstm.backward(params, cache, dc={20: [[1.0]]}).c[0, 0, 0]
        for claim in ("D-x16", "D-x31"):
            shown(claim, gradient, text)


def test_d_x55_the_two_deltas_are_derivatives_by_different_things(vanilla):
    params, V, cache = vanilla
    grads = rnn.backward(params, cache, upstream(V, cache, [3]).h)
    by_state, by_input = grads.h[1:, 0], grads.a[:, 0]
    np.testing.assert_allclose(by_input, by_state * (1 - cache.h[1:, 0] ** 2), atol=1e-14)
    np.testing.assert_allclose(
        by_state[0], params.W_hh.T @ ((1 - cache.h[2, 0] ** 2) * by_state[1]), atol=1e-14
    )
    shown("D-x55", relative(by_input[0], by_state[0]), "49%")
