"""Source A, the recurrent network (`A01`–`A68`): what is printed against what is right.

The witness is the complex step through the forward pass; it knows no chain rule. The source writes weights (in, out);
here `Wx`, `Wh`, `Wy` are in its orientation, the transposes of the package's.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from setups import jacobian, norm, orthogonal, radius, relative, shown

from bptt_core import readout, rnn
from bptt_core.activations import ACTIVATIONS
from bptt_core.jacobians import products, step_jacobians

T, B, D, H, K = 6, 2, 3, 5, 4


def cross_entropy(o, y):
    """−Σ y log softmax(o), written here for complex numbers."""
    return -(y * (o - np.log(np.exp(o).sum(-1, keepdims=True)))).sum()


@pytest.fixture(scope="module")
def net():
    """Sizes all different, biases and first state not zero, another target at every step."""
    rng = np.random.default_rng(1)
    n = SimpleNamespace(x=rng.standard_normal((T, B, D)), h_0=0.5 * rng.standard_normal((B, H)))
    W_xh, W_hh = 0.6 * rng.standard_normal((H, D)), 0.6 * rng.standard_normal((H, H))
    n.params = rnn.Params(W_xh, W_hh, 0.3 * rng.standard_normal(H))
    n.out = readout.Params(rng.standard_normal((K, H)), 0.3 * rng.standard_normal(K))
    n.Wx, n.Wh, n.Wy = W_xh.T, W_hh.T, n.out.W_hy.T
    n.y = np.eye(K)[rng.integers(K, size=(T, B))]
    n.cache = rnn.forward(n.params, n.x, n.h_0)
    n.h = n.cache.h
    n.o = n.h[1:] @ n.Wy + n.out.b_y
    n.error = readout.softmax(n.o) - n.y  # dL/do, (T, B, K)
    return n


def loss(n, steps=range(1, T + 1), sequences=slice(None), **changed):
    """Loss of source A summed over the given steps, as a function of any parameter: runs forward, nothing else."""
    params = n.params._replace(**{k: v for k, v in changed.items() if k in rnn.Params._fields})
    out = n.out._replace(**{k: v for k, v in changed.items() if k in readout.Params._fields})
    kind = np.result_type(float, *changed.values())
    h = rnn.forward(params, n.x.astype(kind), changed.get("h_0", n.h_0)).h
    o = h[1:] @ out.W_hy.T + out.b_y
    rows = [t - 1 for t in steps]
    return cross_entropy(o[rows][:, sequences], n.y[rows][:, sequences])


def gradient(n, name, **kwargs):
    """dL/d(parameter) by the complex step."""
    at = getattr(n.params, name, None)
    at = getattr(n.out, name) if at is None else at
    return jacobian(lambda value: loss(n, **{name: value}, **kwargs), at)


# Model, shapes, loss


def test_a02_column_form_and_row_form_are_the_same_network(net):
    h = net.h_0
    for t in range(T):
        row = np.tanh(net.x[t] @ net.Wx + h @ net.Wh + net.params.b_h)
        column = np.tanh(net.Wx.T @ net.x[t].T + net.Wh.T @ h.T + net.params.b_h[:, None]).T
        assert np.allclose(row, column, atol=1e-14, rtol=0)
        assert np.allclose(row, rnn.step(net.params, net.x[t], h), atol=1e-14, rtol=0)
        h = row
        assert np.allclose(h, net.h[t + 1], atol=1e-14, rtol=0)
    mixed = np.tanh(
        net.x[0] @ net.Wx + net.h_0 @ net.Wh.T + net.params.b_h
    )  # rows, with the columns' transpose
    shown("A90", relative(mixed, net.h[1]), "110%")


def test_a03_softmax_is_not_element_wise(net):
    J = jacobian(lambda o: np.exp(o) / np.exp(o).sum(), np.zeros(K))
    shown("A03", J[0, 0], "0.1875")
    shown("A03", J[0, 1], "-0.0625")
    element_wise = jacobian(np.tanh, net.o[0, 0])
    assert np.all(element_wise == np.diag(np.diag(element_wise)))
    p = readout.softmax(net.o[0, 0])
    assert np.allclose(
        jacobian(lambda o: np.exp(o) / np.exp(o).sum(), net.o[0, 0]),
        np.diag(p) - np.outer(p, p),
        atol=1e-14,
    )


def test_a04_the_gradient_of_a_shared_matrix_is_the_sum_over_its_copies(net):
    def unshared(copies):
        h, total = net.h_0, 0
        for t in range(T):
            h = rnn.step(net.params._replace(W_hh=copies[t]), net.x[t], h)
            total += cross_entropy(h @ net.Wy + net.out.b_y, net.y[t])
        return total

    copies = jacobian(unshared, np.broadcast_to(net.params.W_hh, (T, H, H)))
    core = rnn.backward(net.params, net.cache, net.error @ net.Wy.T, per_step=True)
    assert relative(copies, core.per_step.W_hh) < 1e-12
    assert relative(copies.sum(0), core.params.W_hh) < 1e-12
    count = sum(np.size(p) for p in net.params)
    shown("A04", count, "45")
    shown("A04", T * count, "270")


def test_a07_the_stacked_matrix_holds_w_xh_over_w_hh(net):
    stacked, joined = np.vstack([net.Wx, net.Wh]), np.hstack([net.x[1], net.h[1]])
    assert stacked.shape == (D + H, H) and joined.shape == (B, D + H)
    assert np.allclose(np.tanh(joined @ stacked + net.params.b_h), net.h[2], atol=1e-14, rtol=0)
    square = np.random.default_rng(2).standard_normal(
        (H, H)
    )  # the source's W_yh is as wide as the state
    wrong = np.vstack([net.Wx, square])
    assert wrong.shape == stacked.shape
    shown("A07", relative(np.tanh(joined @ wrong + net.params.b_h), net.h[2]), "128%")


def test_a11_the_shapes_are_those_of_the_list_and_the_output_has_its_own_width(net):
    assert net.x[0].shape == (B, D) and net.h[0].shape == (B, H)
    assert net.Wx.shape == (D, H) and net.Wh.shape == (H, H) and net.params.b_h.shape == (H,)
    assert net.Wy.shape == (H, K) and net.out.b_y.shape == (K,) and net.o[0].shape == (B, K)
    assert K != H
    for name in ("W_hy", "b_y"):
        assert (
            relative(
                getattr(readout.backward(net.out, net.h[1:], net.error).params, name),
                gradient(net, name),
            )
            < 1e-12
        )
    with pytest.raises(ValueError):
        net.h[1] @ np.ones((K, H))


def test_a10_the_softmax_runs_over_each_row(net):
    p = readout.softmax(net.o)
    assert (
        np.allclose(p.sum(-1), 1, atol=1e-14)
        and relative(p, np.exp(net.o) / np.exp(net.o).sum(-1, keepdims=True)) < 1e-14
    )
    over_everything = np.exp(net.o[0]) / np.exp(net.o[0]).sum()
    shown("A10", over_everything[0].sum(), "0.627")
    _, dy = readout.softmax_cross_entropy(net.o, net.y)
    assert relative(dy, jacobian(lambda o: cross_entropy(o, net.y), net.o)) < 1e-12


def test_a15_the_first_step_is_one_and_its_previous_state_a_choice(net):
    by_step = jacobian(lambda h_0: loss(net, h_0=h_0), net.h_0)
    core = rnn.backward(net.params, net.cache, net.error @ net.Wy.T)
    assert relative(core.h[0], by_step) < 1e-12
    assert net.h.shape[0] == T + 1 and net.error.shape[0] == T
    shown("A15", norm(by_step), "4.97")
    shown("A15", loss(net) - loss(net, h_0=np.zeros((B, H))), "4.05")


def test_a16_the_loss_is_a_sum_over_steps_and_so_is_its_gradient(net):
    total, dy = readout.softmax_cross_entropy(net.o, net.y)
    assert total == pytest.approx(loss(net), rel=1e-14)
    assert total == pytest.approx(sum(loss(net, [t]) for t in range(1, T + 1)), rel=1e-14)
    assert relative(dy, net.error) < 1e-13
    shown("A16", total, "29.4")
    shown("A89", 1 - loss(net, range(2, T + 1)) / total, "12.5%")
    by_class = -(net.y * np.log(readout.softmax(net.o)))
    assert by_class.shape == (T, B, K)  # the product y log y^ is not yet a number


# Read-out


def test_a20_the_outer_product_is_printed_the_wrong_way_round(net):
    truth = gradient(net, "W_hy").T  # (H, K), the source's orientation
    right = sum(net.h[t + 1].T @ net.error[t] for t in range(T))
    assert relative(right, truth) < 1e-12
    assert relative(readout.backward(net.out, net.h[1:], net.error).params.W_hy.T, truth) < 1e-12
    assert sum(net.error[t].T @ net.h[t + 1] for t in range(T)).shape == (K, H) != truth.shape
    # with as many outputs as units, which the source assumes, nothing complains
    rng = np.random.default_rng(3)
    square = SimpleNamespace(**vars(net))
    square.out = readout.Params(rng.standard_normal((H, H)), 0.3 * rng.standard_normal(H))
    square.y = np.eye(H)[rng.integers(H, size=(T, B))]
    error = readout.softmax(net.h[1:] @ square.out.W_hy.T + square.out.b_y) - square.y
    truth = gradient(square, "W_hy").T
    printed = sum(error[t].T @ net.h[t + 1] for t in range(T))
    assert relative(printed.T, truth) < 1e-12
    shown("A20", relative(printed, truth), "1.13")
    shown("A20", (printed * truth).sum() / np.linalg.norm(printed) / np.linalg.norm(truth), "0.367")


def test_a17_the_readout_gradient_is_the_sum_over_steps(net):
    by_step = [gradient(net, "W_hy", steps=[t]) for t in range(1, T + 1)]
    assert relative(sum(by_step), gradient(net, "W_hy")) < 1e-12
    shown("A17", np.linalg.norm(by_step[-1]) / np.linalg.norm(sum(by_step)), "0.262")


def test_a18_the_derivative_of_the_logits_by_their_matrix_has_three_axes(net):
    h = net.h[1, 0]
    tensor = jacobian(lambda W: h @ W, net.Wy)  # do_k / dW_ij
    assert tensor.shape == (K, H, K)
    shown("A18", tensor.size, "80")
    assert np.allclose(tensor, np.einsum("i,jk->kij", h, np.eye(K)), atol=1e-14)  # h on a diagonal
    shown("A21", np.count_nonzero(tensor), "20")
    assert np.allclose(
        np.einsum("k,kij->ij", net.error[0, 0], tensor), np.outer(h, net.error[0, 0]), atol=1e-14
    )


def test_a19_probabilities_minus_targets_needs_targets_that_sum_to_one(net):
    o = net.o[0, 0]
    p = readout.softmax(o)
    for y in (net.y[0, 0], np.array([0.4, 0.1, 0.2, 0.1])):
        truth = jacobian(lambda o, y=y: cross_entropy(o, y), o)
        assert np.allclose(truth, p * y.sum() - y, atol=1e-14)
    shown("A19", np.linalg.norm(p - y - truth), "0.128")


def test_a22_the_bias_of_the_readout_sums_the_errors(net):
    truth = gradient(net, "b_y")
    assert relative(net.error.sum((0, 1)), truth) < 1e-12
    assert relative(readout.backward(net.out, net.h[1:], net.error).params.b_y, truth) < 1e-12
    shown("A22", relative(net.error.sum(0)[0], truth), "0.454")


def test_a23_l_is_a_number_and_the_output_a_distribution(net):
    one = SimpleNamespace(step=loss(net, [2], [0]), output=readout.softmax(net.o[1, 0]))
    assert np.ndim(one.step) == 0 and one.output.shape == (K,)
    shown("A23", one.step, "3.62")
    assert one.step > 1  # no probability


# Through time


@pytest.fixture(scope="module")
def chain(net):
    """One sequence, loss at step T only: dL/dh_T and every step's Jacobian, total and immediate derivatives."""
    b = [0]
    c = SimpleNamespace()
    c.g = jacobian(lambda h: cross_entropy(h @ net.Wy + net.out.b_y, net.y[-1, 0]), net.h[T, 0])

    def state(t, **changed):
        params = net.params._replace(**changed)
        kind = np.result_type(float, *changed.values())
        return rnn.forward(params, net.x[:, b].astype(kind), net.h_0[b]).h[t, 0]

    def one_step(t, **changed):
        return rnn.step(net.params._replace(**changed), net.x[t - 1, b], net.h[t - 1, b])[0]

    c.total = {
        t: jacobian(lambda W, t=t: state(t, W_hh=W), net.params.W_hh) for t in range(1, T + 1)
    }
    c.total_x = {
        t: jacobian(lambda W, t=t: state(t, W_xh=W), net.params.W_xh) for t in range(1, T + 1)
    }
    c.own = {
        t: jacobian(lambda W, t=t: one_step(t, W_hh=W), net.params.W_hh) for t in range(1, T + 1)
    }
    c.own_x = {
        t: jacobian(lambda W, t=t: one_step(t, W_xh=W), net.params.W_xh) for t in range(1, T + 1)
    }
    c.J = {
        t: jacobian(
            lambda h, t=t: rnn.step(net.params, net.x[t - 1, b], h[None])[0], net.h[t - 1, 0]
        )
        for t in range(1, T + 1)
    }
    c.truth = gradient(net, "W_hh", steps=[T], sequences=b)
    c.truth_x = gradient(net, "W_xh", steps=[T], sequences=b)
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


def test_a24_the_single_chain_is_exact_only_with_the_total_derivative(chain):
    assert relative(through(chain.g, np.eye(H), chain.total[T]), chain.truth) < 1e-12
    shown("A24", relative(through(chain.g, np.eye(H), chain.own[T]), chain.truth), "0.458")


def test_a26_one_step_further_back_is_another_term_and_not_the_gradient(chain):
    first = through(chain.g, np.eye(H), chain.own[T])
    second = through(chain.g, chain.J[T], chain.own[T - 1])
    shown("A26", relative(second, chain.truth), "0.884")
    shown("A26", relative(first + second, chain.truth), "0.264")
    assert relative(through(chain.g, chain.J[T], chain.total[T - 1]) + first, chain.truth) < 1e-12
    shown("A25", norm(chain.J[T]), "1.59")


def test_a27_the_sum_over_k_needs_immediate_derivatives(net, chain):
    terms = [through(chain.g, back(chain.J, T, k), chain.own[k]) for k in range(1, T + 1)]
    assert relative(sum(terms), chain.truth) < 1e-12
    core = rnn.backward(
        net.params,
        rnn.forward(net.params, net.x[:, [0]], net.h_0[[0]]),
        {T: chain.g[None]},
        per_step=True,
    )
    assert relative(core.per_step.W_hh, terms) < 1e-12
    assert relative(core.params.W_hh, chain.truth) < 1e-12
    total = sum(through(chain.g, back(chain.J, T, k), chain.total[k]) for k in range(1, T + 1))
    shown("A27", relative(total, chain.truth), "0.974")
    shown("A27", np.linalg.norm(total) / np.linalg.norm(chain.truth), "1.87")


def test_a31_the_latest_factor_stands_on_the_left(net, chain):
    k, t = 2, 5  # dh_6 / dh_2

    def later(h):
        for j in range(k, t + 1):
            h = rnn.step(net.params, net.x[j, [0]], h)
        return h

    truth = jacobian(lambda h: later(h[None])[0], net.h[k, 0])
    assert relative(back(chain.J, t + 1, k), truth) < 1e-12
    P = products(step_jacobians(net.params, net.cache))
    assert relative(P[T - k, 0], truth) < 1e-12
    factors = [chain.J[j + 1] for j in range(k, t + 1)]
    shown("A31", len(factors), "4")
    shown("A31", relative(np.linalg.multi_dot(factors), truth), "1.45")
    assert relative(chain.J[3] @ chain.J[2], back(chain.J, 3, 1)) < 1e-12
    shown("A28", relative(chain.J[2] @ chain.J[3], back(chain.J, 3, 1)), "0.420")


def test_a29_the_jacobian_holds_every_component_derivative(net, chain):
    J = step_jacobians(net.params, net.cache)[:, 0]
    assert relative(J, [chain.J[t] for t in range(1, T + 1)]) < 1e-12
    nudge = 1e-6 * np.eye(H)[3]
    moved = rnn.step(net.params, net.x[0, [0]], net.h_0[[0]] + nudge) - rnn.step(
        net.params, net.x[0, [0]], net.h_0[[0]] - nudge
    )
    assert relative(moved[0] / 2e-6, J[0][:, 3]) < 1e-8
    shown("A29", J[0][1, 3], "0.0903")


@pytest.mark.parametrize(
    ("claim", "name", "text"), [("A34", "W_hh", "21%"), ("A39", "W_xh", "31%")]
)
def test_a34_the_double_sum_runs_one_step_too_far(net, claim, name, text):
    truth = gradient(net, name)
    terms = rnn.backward(net.params, net.cache, net.error @ net.Wy.T, per_step=True)
    assert relative(getattr(terms.per_step, name).sum(0), truth) < 1e-12
    existing = sum(
        gradient(net, name, steps=[t]) for t in range(2, T + 1)
    )  # t = 1…T names L_2…L_{T+1}: these exist
    shown(claim, relative(existing, truth), text)
    assert relative(existing + gradient(net, name, steps=[1]), truth) < 1e-12


def test_a35_the_input_weights_need_the_earlier_steps_too(chain):
    now = through(chain.g, np.eye(H), chain.own_x[T])
    before = through(chain.g, chain.J[T], chain.own_x[T - 1])
    shown("A35", relative(now, chain.truth_x), "0.539")
    shown("A37", relative(now + before, chain.truth_x), "0.136")
    assert relative(through(chain.g, np.eye(H), chain.total_x[T]), chain.truth_x) < 1e-12
    assert relative(now + through(chain.g, chain.J[T], chain.total_x[T - 1]), chain.truth_x) < 1e-12
    twice = through(chain.g, np.eye(H), chain.total_x[T]) + through(
        chain.g, chain.J[T], chain.total_x[T - 1]
    )
    shown("A37", relative(twice, chain.truth_x), "0.539")
    shown("A36", np.linalg.norm(before) / np.linalg.norm(chain.truth_x), "0.468")


def test_a38_summed_over_all_steps_the_input_weights_are_right(chain):
    terms = [through(chain.g, back(chain.J, T, k), chain.own_x[k]) for k in range(1, T + 1)]
    assert relative(sum(terms), chain.truth_x) < 1e-12
    totals = sum(through(chain.g, back(chain.J, T, k), chain.total_x[k]) for k in range(1, T + 1))
    shown("A38", relative(totals, chain.truth_x), "0.672")


def test_a86_the_bias_of_the_state_sums_the_same_errors(net):
    truth = gradient(net, "b_h")
    core = rnn.backward(net.params, net.cache, net.error @ net.Wy.T)
    assert relative(core.params.b_h, truth) < 1e-12
    assert relative(((1 - net.h[1:] ** 2) * core.h[1:]).sum((0, 1)), truth) < 1e-12
    shown("A91", relative(core.a[-1].sum(0), truth), "0.989")


# The Jacobian of one step


def test_a41_the_recurrent_matrix_is_transposed_in_the_column_form(net, chain):
    slope = np.diag(1 - net.h[2, 0] ** 2)
    truth = chain.J[2]
    printed = slope @ net.Wh
    assert relative(slope @ net.Wh.T, truth) < 1e-12
    assert relative((net.Wh @ slope).T, truth) < 1e-12  # row vectors: the transposed Jacobian
    shown("A41", relative(printed, truth), "1.42")
    shown("A41", norm(printed), "1.19")
    shown("A41", norm(truth), "1.06")
    wrong = slope @ net.Wh
    for j in (3, 4):
        wrong = np.diag(1 - net.h[j, 0] ** 2) @ net.Wh @ wrong
    shown("A42", relative(wrong, back(chain.J, 4, 1)), "0.856")
    shown("A42", len(range(2, 5 + 1)), "4")


def test_a92_the_diagonal_comes_from_the_activation_acting_on_each_unit(net):
    J = jacobian(np.tanh, net.o[0, 0])
    assert np.array_equal(J, np.diag(np.diag(J)))
    dense = jacobian(
        lambda a: np.exp(a) / np.exp(a).sum(), net.o[0, 0]
    )  # also a Jacobian, and no diagonal
    shown("A92", np.abs(dense - np.diag(np.diag(dense))).max(), "0.161")


def test_a32_the_jacobian_norm_is_not_bounded_by_one():
    J = linear_start(2.0, 10)
    shown("A32", norm(J[0]), "2")
    shown("A32", norm(products(J)[10]), "1024")
    sigmoid = rnn.Params(np.zeros((1, 1)), np.array([[8.0]]), np.array([-4.0]))
    cache = rnn.forward(sigmoid, np.zeros((3, 1, 1)), np.array([[0.5]]), activation="sigmoid")
    assert np.allclose(cache.h, 0.5)
    shown("A32", norm(step_jacobians(sigmoid, cache)[0, 0]), "2")
    truth = jacobian(
        lambda h: rnn.step(sigmoid, np.zeros((1, 1)), h[None], activation="sigmoid")[0],
        np.array([0.5]),
    )
    assert np.allclose(truth, 2, atol=1e-14)


def linear_start(w, steps):
    """Step Jacobians of h_t = tanh(w h_{t−1}) resting at 0, where tanh′ = 1."""
    params = rnn.Params(np.zeros((1, 1)), np.array([[float(w)]]))
    return step_jacobians(params, rnn.forward(params, np.zeros((steps, 1, 1))))[:, 0]


def test_a33_the_slopes_of_tanh_and_sigmoid_have_the_bounds_printed():
    a = np.linspace(-9, 9, 3601)
    slope = {name: np.imag(ACTIVATIONS[name].f(a + 1e-30j)) / 1e-30 for name in ("tanh", "sigmoid")}
    for name, text in (("tanh", "1"), ("sigmoid", "0.25")):
        assert slope[name].max() <= ACTIVATIONS[name].bound and a[
            slope[name].argmax()
        ] == pytest.approx(0, abs=1e-9)
        shown("A33", slope[name].max(), text)
        shown("A63", slope[name].max(), text)
    shown("A50", slope["tanh"].max(), "1")
    assert np.abs(ACTIVATIONS["tanh"].f(a)).max() < 1 and ACTIVATIONS["sigmoid"].f(a).min() > 0
    shown("A87", slope["tanh"][np.abs(a - 3).argmin()], "0.00987")
    shown("A87", slope["sigmoid"][np.abs(a - 6).argmin()], "0.00247")


# Vanishing and exploding


def flow(W, x, h_0=None, *, activation="tanh", bias=None):
    """‖∂h_T/∂h_0‖ of a network whose input is added to its pre-activation; also the step Jacobians."""
    size = len(W)
    params = rnn.Params(np.eye(size), np.asarray(W, float), bias)
    cache = rnn.forward(
        params, x[:, None], None if h_0 is None else h_0[None], activation=activation
    )
    J = step_jacobians(params, cache)[:, 0]
    return norm(products(J)[-1]), J


def test_a40_weights_and_slopes_both_set_the_size_of_the_gradient(net, chain):
    shown("A40", norm(chain.J[2]), "1.06")
    doubled = rnn.forward(net.params._replace(W_hh=2 * net.params.W_hh), net.x, net.h_0)
    J = step_jacobians(net.params._replace(W_hh=2 * net.params.W_hh), doubled)
    assert relative(J[1, 0], np.diag(1 - doubled.h[2, 0] ** 2) @ (2 * net.params.W_hh)) < 1e-12
    shown("A40", norm(J[1, 0]), "1.90")
    shared = products(np.stack([chain.J[t] for t in range(1, T + 1)]))
    shown("A88", norm(shared[T]), "0.226")


def test_a43_not_every_jacobian_has_ordered_eigenvalues_and_a_basis_of_eigenvectors():
    quarter_turn = flow(np.array([[0.0, -1], [1, 0]]), np.zeros((1, 2)))[1][0]
    assert np.allclose(np.abs(np.linalg.eigvals(quarter_turn)), 1, atol=1e-14)
    assert np.allclose(np.sort(np.imag(np.linalg.eigvals(quarter_turn))), [-1, 1], atol=1e-14)
    shear = flow(np.array([[0.5, 1], [0, 0.5]]), np.zeros((1, 2)))[1][0]
    vectors = np.linalg.eig(shear)[1]
    assert np.linalg.cond(vectors) > 1e15
    values, vectors = np.linalg.eig(np.array([[0.9, 0.4], [0.2, 0.3]]))
    assert abs(np.linalg.det(vectors)) > 0.1  # v_1 and v_2 differ; v_1 twice is no basis
    assert np.linalg.matrix_rank(np.stack([vectors[:, 0], vectors[:, 0]])) == 1
    shown("A100", np.linalg.matrix_rank(vectors), "2")
    shown("A43", np.abs(np.linalg.eigvals(quarter_turn))[0], "1")


def test_a44_an_eigenvector_scales_for_one_step_and_not_for_the_next():
    rng = np.random.default_rng(4)
    W, x = np.array([[0.9, 0.4], [0.2, 0.3]]), rng.standard_normal((2, 2))
    _, J = flow(W, x, np.array([0.3, -0.2]))
    values, vectors = np.linalg.eig(J[0])
    v = vectors[:, np.abs(values).argmax()].real
    scaled = np.abs(values).max() * v
    assert np.allclose(J[0] @ v, scaled, atol=1e-14)
    ratio = (J[1] @ scaled) / scaled
    shown("A45", ratio[0], "0.314")
    shown("A45", ratio[1], "0.673")
    finite = rnn.step(rnn.Params(np.eye(2), W), x[:1], np.array([[0.3, -0.2]]) + 0.5 * v)
    finite = finite - rnn.step(rnn.Params(np.eye(2), W), x[:1], np.array([[0.3, -0.2]]))
    shown("A44", relative(finite[0], 0.5 * scaled), "14.5%")


def test_a45_eigenvalues_of_different_matrices_do_not_multiply():
    lower, upper = np.array([[0, 0], [2.0, 0]]), np.array([[0, 2.0], [0, 0]])
    assert radius(lower) == radius(upper) == 0
    shown("A45", norm(np.linalg.matrix_power(lower @ upper, 10)), "1.05e6")


def test_a46_the_factor_multiplies_the_first_change_and_not_the_current_one():
    change, factor = 1e-3, 1.1
    changes = [change * factor**t for t in range(11)]
    assert np.allclose(changes[10], factor**10 * changes[0], rtol=1e-14)
    shown("A46", factor**10 * changes[10] / changes[10], "2.59")
    shrinking = 0.9 ** np.arange(51)
    shown("A47", shrinking[50], "0.00515")
    grows, _ = flow(np.array([[1.1]]), np.zeros((50, 1)), activation="identity")
    shown("A47", grows, "117")


def at_rest_in_turn(W, steps):
    """Inputs under which one of two units has slope 1 and the other 0.01, changing places at every step."""
    out = np.arctanh(np.sqrt(1 - 0.01))
    h, x = np.zeros(2), []
    for t in range(steps):
        a = np.array([0, out]) if t % 2 else np.array([out, 0])
        x.append(a - W @ h)
        h = np.tanh(a)
    return np.array(x)


def test_a48_eigenvalues_inside_the_circle_do_not_make_the_product_vanish():
    W = np.array([[0.0, 2.0], [2.0, 0.0]])
    x = at_rest_in_turn(W, 20)
    size, J = flow(W, x)
    assert relative(products(J)[-1], jacobian(lambda h: run(W, x, h), np.zeros(2))) < 1e-12
    assert np.allclose([radius(each) for each in J], 0.2, rtol=1e-9)
    shown("A48", radius(J[0]), "0.2")
    shown("A48", size, "1.05e6")


def test_a48_eigenvalues_outside_the_circle_do_not_make_the_product_explode():
    W = 2 * np.eye(2)
    size, J = flow(W, at_rest_in_turn(W, 20))
    assert all(
        radius(each) == pytest.approx(2, rel=1e-12) and norm(each) == pytest.approx(2, rel=1e-12)
        for each in J
    )
    shown("A48", size, "1.05e-14")
    shown("B53", size, "1.05e-14")
    shown("A48", norm(products(linear_start(-2, 10))[10]), "1024")


def test_a49_the_dominant_eigenvalue_of_the_weights_does_not_decide():
    W = np.array([[2.0, -2], [2, -2]])
    assert radius(W) < 1e-7
    out = np.arctanh(np.sqrt(0.9))  # slope 0.1 on the second unit
    h, x = np.zeros(2), []
    for _ in range(30):
        wanted = np.array([0, out])
        x.append(wanted - W @ h)
        h = np.tanh(wanted)
    size, J = flow(W, np.array(x))
    shown("A49", size, "7.2e7")
    truth = jacobian(lambda h: run(W, np.array(x[:6]), h), np.zeros(2))
    assert relative(products(J[:6])[-1], truth) < 1e-12
    vanished, _ = flow(np.array([[2.0]]), np.zeros((100, 1)), np.array([0.1]))
    shown("A49", np.log10(vanished), "-74.2")
    shown("A67", np.log10(vanished), "-74.2")


def run(W, x, h):
    for x_t in x:
        h = np.tanh(x_t + W @ h)
    return h


def test_a49_a_singular_value_below_one_over_gamma_is_enough_to_vanish():
    rng = np.random.default_rng(5)
    W = rng.standard_normal((1000, 6, 6))
    W *= (0.95 / np.linalg.norm(W, 2, axis=(-2, -1)))[:, None, None]
    params = rnn.Params(np.broadcast_to(np.eye(6), W.shape), W)
    cache = rnn.forward(params, rng.standard_normal((20, 1, 6)))
    J = step_jacobians(params, cache)[..., 0, :, :]
    size = np.linalg.norm(products(J)[20], 2, axis=(-2, -1))
    assert np.all(size <= 0.95**20)
    shown("A94", 0.95**20, "0.358")
    shown("A51", (size / 0.95**20).max(), "8.83e-6")
    slopes = 1 - cache.h[1:, :, 0] ** 2
    assert np.all(np.linalg.norm(J, 2, axis=(-2, -1)) <= 0.95 * slopes.max(-1) * (1 + 1e-12))
    shown("A60", (np.linalg.norm(J, 2, axis=(-2, -1)) / (0.95 * slopes.max(-1))).max(), "0.999")
    shown("A64", np.linalg.norm(J, 2, axis=(-2, -1)).max(), "0.948")
    assert np.allclose(
        np.linalg.norm(slopes[..., None] * np.eye(6), 2, axis=(-2, -1)), slopes.max(-1), rtol=1e-12
    )
    assert np.allclose(
        np.abs(np.linalg.eigvals(slopes[0, 0] * np.eye(6))).max(), slopes[0, 0].max(), rtol=1e-12
    )
    shown("A62", slopes.max(), "1.000")


def growth(W, x, activation="tanh"):
    """ln of the factor a random gradient gains per step going back through all of x, after 50 steps to settle."""
    params = rnn.Params(np.eye(len(W)), W)
    cache = rnn.forward(params, x[:, None], activation=activation)
    up = np.random.default_rng(0).standard_normal((1, len(W)))
    dh = rnn.backward(params, cache, {len(x): up}).h[:, 0]
    return np.log(np.linalg.norm(dh[50]) / np.linalg.norm(up)) / (len(x) - 50)


def test_a67_a_gamma_above_one_proves_nothing():
    rng = np.random.default_rng(6)
    W = 1.5 * rng.standard_normal((200, 200)) / np.sqrt(200)
    shown("A67", norm(W), "2.98")
    shown("A67", radius(W), "1.59")
    driven, quiet = rng.standard_normal((250, 200)), 1e-3 * rng.standard_normal((250, 200))
    shown("A67", growth(W, driven), "-0.161")
    shown("A67", growth(W, quiet), "0.0349")
    W = 8.0 * rng.standard_normal((200, 200)) / np.sqrt(200)
    shown("A49", radius(W), "8.40")
    shown("A49", norm(W) / 4, "3.97")
    shown("A49", growth(W, driven, "sigmoid"), "-0.179")


def test_a52_large_weights_saturate_the_units_and_the_gradient_vanishes():
    params = rnn.Params(np.zeros((1, 1)), np.array([[5.0]]))
    rest = rnn.forward(params, np.zeros((100, 1, 1)), np.array([[0.5]]))
    J = step_jacobians(params, rest)
    shown("A52", J[-1, 0, 0, 0], "0.000909")
    shown("A52", np.log10(products(J)[100, 0, 0, 0]), "-302")
    rng = np.random.default_rng(7)
    for gain, text in ((3, "12%"), (10, "80%"), (100, "100%")):
        W = gain * rng.standard_normal((400, 10, 10)) / np.sqrt(10)
        params = rnn.Params(np.broadcast_to(np.eye(10), W.shape), W)
        cache = rnn.forward(params, rng.standard_normal((50, 1, 10)))
        size = np.linalg.norm(
            products(step_jacobians(params, cache)[..., 0, :, :])[50], 2, axis=(-2, -1)
        )
        shown("A52", (size < 1e-3).mean(), text)


def test_a53_a_product_may_stay_near_one_for_ever():
    wanted = np.where(
        np.arange(200) % 2, np.arctanh(np.sqrt(0.75)), 0.0
    )  # slopes 1 and 1/4, so factors 2 and 1/2
    x = wanted - 2 * np.concatenate([[0], np.tanh(wanted[:-1])])
    size, J = flow(np.array([[2.0]]), x[:, None])
    assert np.allclose(J[:4, 0, 0], [2, 0.5, 2, 0.5], rtol=1e-12)
    shown("A53", size, "1.0000")
    shown("A80", J[0, 0, 0], "2")
    shown("A80", J[1, 0, 0], "0.5")
    shown("A82", size, "1.0000")
    negative, J = flow(np.array([[-0.7]]), np.zeros((3, 1)))
    shown("A80", J[0, 0, 0], "-0.7")


def test_a56_orthogonal_weights_keep_a_gradient_while_the_units_stay_small():
    rng = np.random.default_rng(8)
    W = orthogonal(rng, 20)
    x = rng.standard_normal((100, 20))
    for scale, text in ((0.01, "0.734"), (0.1, "0.00828"), (0.5, "1.14e-11")):
        shown("A56", flow(W, scale * x)[0], text)
    shown("A53", flow(W, 0.01 * x)[0], "0.734")
    gaussian = rng.standard_normal((20, 20)) / np.sqrt(20) * 0.5
    shown("A56", flow(gaussian, 0.01 * x)[0], "1.53e-27")
    shown("A57", flow(0.9 * W, 0.01 * x)[0], "2.57e-5")
    shown("A57", flow(W, 0.01 * x)[0], "0.734")


def test_a54_deep_feedforward_networks_vanish_and_explode_as_well():
    rng = np.random.default_rng(9)
    layers, x = rng.standard_normal((50, 30, 30)) / np.sqrt(30), rng.standard_normal(30)
    for gain, text in ((0.5, "1.09e-15"), (1.0, "0.185"), (3.0, "9.12e4")):
        a, J = x, np.eye(30)
        for W in gain * layers:
            a = np.tanh(W @ a)
            J = (1 - a**2)[:, None] * W @ J
        shown("A54", norm(J), text)

        def feed(a, gain=gain):
            for W in gain * layers:
                a = np.tanh(W @ a)
            return a

        if gain == 1.0:
            assert relative(J, jacobian(feed, x)) < 1e-10


def test_a55_a_vanished_gradient_does_not_erase_the_past():
    ends = {}
    for start in (0.1, -0.1):
        params = rnn.Params(np.zeros((1, 1)), np.array([[2.0]]))
        cache = rnn.forward(params, np.zeros((50, 1, 1)), np.array([[start]]))
        ends[start] = cache.h[50, 0, 0]
        gradient = products(step_jacobians(params, cache))[50, 0, 0, 0]
        back = rnn.backward(params, cache, {50: np.ones((1, 1))}).h[0, 0, 0]
        assert gradient == pytest.approx(back, rel=1e-12)
    shown("A55", ends[0.1], "0.957504")
    shown("A55", ends[-0.1], "-0.957504")
    shown("A55", gradient, "5e-36")
    shown("A93", ends[0.1] - ends[-0.1], "1.915")


def test_a58_relu_passes_one_only_through_active_units():
    rng = np.random.default_rng(10)
    W, h_0, x = orthogonal(rng, 20), rng.random(20), 0.1 * rng.standard_normal((30, 20))
    for scale, text in ((1.0, "8.82e-5"), (0.5, "1.56e-14"), (2.0, "7.57e5")):
        shown("A58", flow(scale * W, x, h_0, activation="relu")[0], text)
    shown("A58", flow(np.eye(20), np.abs(x), h_0, activation="relu")[0], "1")
    dead = flow(W, x - 9, h_0, activation="relu")[0]
    shown("A58", dead, "0")


def test_a61_the_norm_is_the_largest_singular_value_and_eigenvalues_bound_it_from_below():
    for diagonal, peak, last, claims in ((0.5, "10.02", 7, "A61"), (0.9, "38.7", 62, "A61")):
        W = np.array([[diagonal, 10], [0, diagonal]])
        _, J = flow(W, np.zeros((70, 2)))
        sizes = np.linalg.norm(products(J), 2, axis=(-2, -1))
        assert radius(W) == pytest.approx(diagonal) and norm(W) == pytest.approx(
            np.sqrt(np.linalg.eigvalsh(W.T @ W).max())
        )
        shown(claims, sizes.max(), peak)
        shown(claims, np.flatnonzero(sizes > 1).max() + 1, str(last + 1))
    rng = np.random.default_rng(11)
    W = rng.standard_normal((500, 5, 5))
    assert np.all(np.abs(np.linalg.eigvals(W)).max(-1) <= np.linalg.norm(W, 2, axis=(-2, -1)))


def test_a65_the_exponent_counts_the_factors():
    t, k = 7, 3
    big = products(linear_start(2.0, t - k + 1))[t - k + 1]
    shown("A65", norm(big), "32")
    shown("A65", 2.0 ** (t - k), "16")
    assert norm(big) == 2.0 ** (t - k + 1)
    small = products(linear_start(0.5, t - k + 1))[t - k + 1]
    shown("A65", norm(small), "0.03125")
    shown("A65", 0.5 ** (t - k), "0.0625")


def test_a66_the_loss_of_a_recurrent_unit_has_a_cliff():
    def run(b):  # u_t = sigma(8 u_{t−1} + b), E = (u_20 − 0.7)²
        params = rnn.Params(np.zeros((1, 1)), np.array([[8.0]]), np.array([b]))
        return params, rnn.forward(
            params, np.zeros((20, 1, 1), type(b)), np.array([[0.6]]), activation="sigmoid"
        )

    def slope(b):
        params, cache = run(b)
        return rnn.backward(params, cache, {20: 2 * (cache.h[20] - 0.7)}).params.b_h.item()

    low, high = -6.0, -3.0  # u_20 ends low on one side of the cliff, high on the other
    for _ in range(19):
        middle = (low + high) / 2
        low, high = (middle, high) if run(middle)[1].h[20, 0, 0] < 0.5 else (low, middle)
    shown("A66", abs(slope(high)), "1.07e4")
    shown("A66", abs(slope(high + 0.1)), "0.0208")
    truth = np.imag((run(high + 1e-30j)[1].h[20, 0, 0] - 0.7) ** 2) / 1e-30
    assert slope(high) == pytest.approx(truth, rel=1e-9)


def test_a68_nothing_but_the_product_makes_the_far_terms_small(net):
    steps = rnn.backward(
        net.params, net.cache, {T: net.error[-1] @ net.Wy.T}, per_step=True
    ).per_step.W_hh
    sizes = np.linalg.norm(steps, axis=(-2, -1))
    shown("A68", sizes[0] / sizes[-1], "0.0393")
