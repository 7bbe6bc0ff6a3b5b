"""Source A, backpropagation through time (`A24`–`A42`, `A88`, `A91`): total against immediate
derivatives, the order of the factors, and the Jacobian of one step."""

import numpy as np
import pytest
from evidence import shown, within
from networks import length, norm, relative
from source_a import B, D, H, T, back, chain_of, chapter_1, gradient, through
from witnesses import jacobian

from bptt_core import rnn
from bptt_core.jacobians import products, step_jacobians

HERE = np.eye(H)


@pytest.fixture(scope="module")
def net():
    return chapter_1()


@pytest.fixture(scope="module")
def chain(net):
    return chain_of(net)


def test_a24_the_single_chain_is_exact_only_with_the_total_derivative(chain):
    within("A24", relative(through(chain.g, HERE, chain.total[T]), chain.truth), "1e-12")
    immediate = through(chain.g, HERE, chain.own[T])
    shown("A24", [T, relative(immediate, chain.truth)], "six", "0.458")


def test_a26_one_step_further_back_is_another_term_and_not_the_gradient(chain):
    first = through(chain.g, HERE, chain.own[T])
    second = through(chain.g, chain.J[T], chain.own[T - 1])
    shown("A26", relative(second, chain.truth), "0.884")
    shown("A26", relative(first + second, chain.truth), "0.264")
    rest = through(chain.g, chain.J[T], chain.total[T - 1])
    assert relative(first + rest, chain.truth) < 1e-12
    shown("A25", [norm(chain.J[T]), 0], "1.59", "0")


def test_a27_the_sum_over_k_needs_immediate_derivatives(net, chain):
    terms = [through(chain.g, back(chain.J, T, k), chain.own[k]) for k in range(1, T + 1)]
    within("A27 A26 A30", relative(sum(terms), chain.truth), "1e-12")
    shown("A26", len(terms), "six")
    one = rnn.forward(net.params, net.x[:, [0]], net.h_0[[0]])
    core = rnn.backward(net.params, one, {T: chain.g[None]}, per_step=True)
    assert relative(core.per_step.W_hh, terms) < 1e-12
    assert relative(core.params.W_hh, chain.truth) < 1e-12
    total = sum(through(chain.g, back(chain.J, T, k), chain.total[k]) for k in range(1, T + 1))
    longer = np.linalg.norm(total) / np.linalg.norm(chain.truth)
    shown("A27", [relative(total, chain.truth), longer], "0.974", "1.87")


def test_a31_the_latest_factor_stands_on_the_left(net, chain):
    k, t = 2, 5  # dh_6 / dh_2
    factors = [chain.J[j + 1] for j in range(k, t + 1)]
    truth = np.linalg.multi_dot(factors[::-1])
    P = products(step_jacobians(net.params, net.cache))
    assert relative(P[T - k, 0], truth) < 1e-12
    by_run = gradient_of_state(net, k, t + 1)
    within("A31 A28", [relative(truth, by_run), relative(back(chain.J, 6, 2), by_run)], "1e-12")
    assert relative(np.linalg.multi_dot(factors[:0:-1]), by_run) > 0.1  # three factors
    shown("A31", [len(factors), relative(np.linalg.multi_dot(factors), truth)], "4", "1.45")
    other_order = chain.J[2] @ chain.J[3]
    shown("A28", relative(other_order, gradient_of_state(net, 1, 3)), "0.420")


def gradient_of_state(net, k, t):
    """∂h_t/∂h_k of the first sequence by the complex step."""

    def later(h):
        for x_t in net.x[k:t, :1]:
            h = rnn.step(net.params, x_t, h)
        return h[0]

    return jacobian(lambda h: later(h[None]), net.h[k, 0])


def test_a29_the_jacobian_holds_every_component_derivative(net, chain):
    J = step_jacobians(net.params, net.cache)[:, 0]
    assert relative(J, [chain.J[t] for t in range(1, T + 1)]) < 1e-12
    unit, nudge = 4, 1e-6 * np.eye(H)[3]
    up, down = (rnn.step(net.params, net.x[0, [0]], net.h_0[[0]] + s * nudge) for s in (1, -1))
    moved = (up - down)[0] / 2e-6
    assert relative(moved, J[0][:, unit - 1]) < 1e-8
    shown("A29", [unit, 2, moved[2 - 1]], "4", "2", "0.0903")


def test_a34_the_double_sum_runs_one_step_too_far(net):
    terms = rnn.backward(net.params, net.cache, net.error @ net.Wy.T, per_step=True)
    lost = {}
    for name in ("W_hh", "W_xh"):
        truth = gradient(net, name)
        assert relative(getattr(terms.per_step, name).sum(0), truth) < 1e-12
        existing = gradient(net, name, steps=range(2, T + 1))  # t = 1…T names L_2…L_{T+1}
        assert relative(existing + gradient(net, name, steps=[1]), truth) < 1e-12
        lost[name] = relative(existing, truth)
    assert net.h_0.any()
    shown("A34", [lost["W_hh"], 0], "21.3%", "zero")
    shown("A39", lost["W_xh"], "30.7%")


def test_a35_the_input_weights_need_the_earlier_steps_too(chain):
    now = through(chain.g, HERE, chain.own_x[T])
    before = through(chain.g, chain.J[T], chain.own_x[T - 1])
    total_now = through(chain.g, HERE, chain.total_x[T])
    total_before = through(chain.g, chain.J[T], chain.total_x[T - 1])
    shown("A35", relative(now, chain.truth_x), "0.539")
    within("A35", relative(total_now, chain.truth_x), "1e-12")
    within("A37", relative(now + total_before, chain.truth_x), "1e-12")
    shown("A37", relative(now + before, chain.truth_x), "0.136")
    shown("A37", relative(total_now + total_before, chain.truth_x), "0.539")
    shown("A36", np.linalg.norm(before) / np.linalg.norm(chain.truth_x), "0.468")


def test_a38_summed_over_all_steps_the_input_weights_are_right(chain):
    terms = [through(chain.g, back(chain.J, T, k), chain.own_x[k]) for k in range(1, T + 1)]
    within("A38", relative(sum(terms), chain.truth_x), "1e-12")
    totals = sum(through(chain.g, back(chain.J, T, k), chain.total_x[k]) for k in range(1, T + 1))
    shown("A38", relative(totals, chain.truth_x), "0.672")


def test_a91_the_bias_of_the_state_sums_the_same_errors(net):
    truth = gradient(net, "b_h")
    core = rnn.backward(net.params, net.cache, net.error @ net.Wy.T)
    assert relative(core.params.b_h, truth) < 1e-12
    within("A91", relative(((1 - net.h[1:] ** 2) * core.h[1:]).sum((0, 1)), truth), "1e-12")
    shown("A91", relative(core.a[-1].sum(0), truth), "0.989")


def test_a41_the_recurrent_matrix_is_transposed_in_the_column_form(net, chain):
    def slope(t):
        return np.diag(1 - net.h[t, 0] ** 2)

    truth = chain.J[2]
    printed = slope(2) @ net.Wh
    column = slope(2) @ net.Wh.T
    row = (net.Wh @ slope(2)).T
    within("A41", [relative(column, truth), relative(row, truth)], "1e-12")
    shown("A41", [relative(printed, truth), norm(printed), norm(truth)], "1.42", "1.19", "1.06")
    k, t = 2, 5  # the printed product has t−k of them, where t−k+1 lead back
    factors = [slope(j) @ net.Wh for j in range(k + 1, t + 1)]
    exact = gradient_of_state(net, k, t + 1)
    shown(
        "A42", [len(factors), relative(np.linalg.multi_dot(factors[::-1]), exact)], "three", "2.54"
    )
    mended = [slope(j) @ net.Wh.T for j in range(k + 1, t + 2)]
    within("A42", relative(np.linalg.multi_dot(mended[::-1]), exact), "1e-12")
    shown("A42", [len(mended), t, k], "4", "5", "2")


def test_a40_weights_and_slopes_both_set_the_size_of_the_gradient(net, chain):
    factor = 2
    doubled = net.params._replace(W_hh=factor * net.params.W_hh)
    run = rnn.forward(doubled, net.x, net.h_0)
    larger = step_jacobians(doubled, run)[1, 0]
    sizes = [norm(chain.J[2]), norm(larger)]
    shown("A40", [*sizes, factor], "1.06", "1.90", "twice")
    assert relative(larger, np.diag(1 - run.h[2, 0] ** 2) @ doubled.W_hh) < 1e-12
    each = [norm(chain.J[t]) for t in range(1, T + 1)]
    whole = norm(back(chain.J, T, 0))
    shown("A88", [len(each), whole, max(each)], "six", "0.226", "1.59")


def test_a68_the_far_terms_are_small_because_of_the_product(net):
    grid, steps = 200, 6
    rng = np.random.default_rng(68)
    W_xh = 0.6 * rng.standard_normal((grid, H, D))
    W_hh = 0.6 * rng.standard_normal((grid, H, H))
    params = rnn.Params(W_xh, W_hh, 0.3 * rng.standard_normal((grid, H)))
    x = rng.standard_normal((steps, grid, B, D))
    cache = rnn.forward(params, x, 0.5 * rng.standard_normal((grid, B, H)))
    dh = rng.standard_normal((grid, B, H))
    terms = rnn.backward(params, cache, {steps: dh}, per_step=True).per_step.W_hh
    without = np.einsum("tgbi,tgbj->tgij", (1 - cache.h[1:] ** 2) * dh, cache.h[:-1])
    assert relative(terms[-1], without[-1]) < 1e-12
    far = np.median(length(terms[0]) / length(terms[-1]))
    unmultiplied = np.median(length(without[0]) / length(without[-1]))
    shown("A68", [grid, 1, far, steps, unmultiplied], "200", "1", "0.0837", "6", "0.676")
