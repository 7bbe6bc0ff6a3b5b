"""Source A, the model, its shapes, its loss and the readout (`A01`–`A23`): what is printed
against what is right."""

from types import SimpleNamespace

import numpy as np
import pytest
from evidence import shown, within
from networks import cross_entropy, relative, softmax
from source_a import B, D, H, K, T, chapter_1, gradient, loss
from witnesses import jacobian

from bptt_core import readout, rnn


@pytest.fixture(scope="module")
def net():
    return chapter_1()


def test_a02_column_form_and_row_form_are_the_same_network(net):
    h = net.h_0
    apart = []
    for t in range(T):
        row = np.tanh(net.x[t] @ net.Wx + h @ net.Wh + net.params.b_h)
        column = np.tanh(net.Wx.T @ net.x[t].T + net.Wh.T @ h.T + net.params.b_h[:, None]).T
        by_step = rnn.step(net.params, net.x[t], h)
        apart += [row - column, row - by_step, row - net.h[t + 1]]
        h = row
    within("A01 A02 A05", apart, "1e-14")
    mixed = np.tanh(net.x[0] @ net.Wx + net.h_0 @ net.Wh.T + net.params.b_h)
    shown("A90", relative(mixed, net.h[1]), "110%")


def test_a03_softmax_is_not_element_wise_and_the_state_is(net):
    at_zero = jacobian(readout.softmax, np.zeros(K))
    shown("A03", K, "four")
    shown("A03", [at_zero[0, 0], at_zero[0, 1]], "0.1875", "-0.06250")
    found = jacobian(readout.softmax, net.o[0, 0])
    p = softmax(net.o[0, 0])
    assert relative(found, np.diag(p) - np.outer(p, p)) < 1e-13
    assert np.all(found != 0)
    x_1 = net.x[0, :1]
    h_0 = net.h_0[:1]
    by_input = jacobian(lambda b: rnn.step(net.params._replace(b_h=b), x_1, h_0)[0], net.params.b_h)
    assert np.array_equal(by_input, np.diag(np.diag(by_input))) and np.diag(by_input).all()
    shown("A92", np.abs(by_input - np.diag(np.diag(by_input))).max(), "0")
    shown("A92", np.abs(found - np.diag(np.diag(found))).max(), "0.161")


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
    within("A04", relative(copies.sum(0), core.params.W_hh), "1e-12")
    count = sum(np.size(p) for p in net.params)
    shown("A04", [D, H, T, count, T * count], "3", "5", "6", "45", "270")


def test_a07_the_stacked_matrix_holds_w_xh_over_w_hh(net):
    stacked = np.vstack([net.Wx, net.Wh])
    joined = np.hstack([net.x[1], net.h[1]])
    shown("A08", [*stacked.shape, D, H], "8", "5", "three", "five")
    shown("A09", [*joined.shape, B, D, H], "2", "8", "two", "three", "five")
    within("A06", np.tanh(joined @ stacked + net.params.b_h) - net.h[2], "1e-14")
    square = np.random.default_rng(2).standard_normal((H, H))  # the source's W_yh, (5, 5)
    wrong = np.vstack([net.Wx, square])
    assert wrong.shape == stacked.shape
    shown("A07", relative(np.tanh(joined @ wrong + net.params.b_h), net.h[2]), "128%")


def test_a11_the_shapes_are_those_of_the_list_and_the_output_has_its_own_width(net):
    shapes = [*net.x[0].shape, *net.h[0].shape, *net.Wx.shape, *net.Wh.shape]
    shown("A11", [*shapes, *net.params.b_h.shape], "2", "3", "2", "5", "3", "5", "5", "5", "5")
    shown("A12", [*net.Wy.shape, K, H], "5", "4", "four", "five")
    shown("A13", [*net.out.b_y.shape, K, H], "4", "four", "five")
    shown("A14", [*softmax(net.o)[0].shape, K, B], "2", "4", "four", "two")
    core = readout.backward(net.out, net.h[1:], net.error).params
    within("A12", relative(core.W_hy, gradient(net, "W_hy")), "1e-12")
    assert relative(core.b_y, gradient(net, "b_y")) < 1e-12
    with pytest.raises(ValueError):
        net.h[1] @ np.ones((K, H))


def test_a10_the_softmax_runs_over_each_row(net):
    p = readout.softmax(net.o)
    assert relative(p, softmax(net.o)) < 1e-14
    assert np.allclose(p.sum(-1), 1, rtol=0, atol=1e-14)
    over_everything = np.exp(net.o[0]) / np.exp(net.o[0]).sum()
    shown("A10", [over_everything[0].sum(), len(net.o[0]), p[0, 0].sum()], "0.627", "two", "1")
    _, dy = readout.softmax_cross_entropy(net.o, net.y)
    assert relative(dy, jacobian(lambda o: cross_entropy(o, net.y), net.o)) < 1e-12


def test_a15_the_first_step_is_one_and_its_previous_state_a_choice(net):
    by_step = jacobian(lambda h_0: loss(net, h_0=h_0), net.h_0)
    core = rnn.backward(net.params, net.cache, net.error @ net.Wy.T)
    assert relative(core.h[0], by_step) < 1e-12
    assert net.h.shape[0] == T + 1 and net.error.shape[0] == T
    shown("A15", np.linalg.norm(by_step), "5.18")
    shown("A15", [loss(net) - loss(net, h_0=np.zeros((B, H))), 0], "4.05", "zero")


def test_a16_the_loss_is_a_sum_over_steps_and_so_is_its_gradient(net):
    total, dy = readout.softmax_cross_entropy(net.o, net.y)
    each = [loss(net, [t]) for t in range(1, T + 1)]
    assert total == pytest.approx(loss(net), rel=1e-14)
    assert total == pytest.approx(sum(each), rel=1e-14)
    assert relative(dy, net.error) < 1e-13
    shown("A16", [len(each), total], "six", "29.37")
    shown("A89", [2, 1 - loss(net, range(2, T + 1)) / total], "2", "12.5%")
    by_class = -(net.y * np.log(readout.softmax(net.o)))
    assert by_class.shape == (T, B, K)  # the product y log y^ is not yet a number


def test_a17_the_readout_gradient_is_the_sum_over_steps(net):
    by_step = [gradient(net, "W_hy", steps=[t]) for t in range(1, T + 1)]
    core = readout.backward(net.out, net.h[1:], net.error).params.W_hy
    within("A17", relative(sum(by_step), core), "1e-12")
    share = np.linalg.norm(by_step[-1]) / np.linalg.norm(core)
    shown("A17", [len(by_step), share], "six", "0.262")


def test_a18_the_derivative_of_the_logits_by_their_matrix_has_three_axes(net):
    h = net.h[1:2, :1]
    out = net.out

    def logits(W):
        return readout.forward(out._replace(W_hy=W), h)[0, 0]

    tensor = jacobian(logits, out.W_hy)  # do_k / dW_ij
    shown("A18", [H, K, tensor.size], "five", "four", "80")
    shown("A18", tensor.ndim, "three", where="condition")
    assert np.allclose(tensor, np.einsum("j,ik->kij", h[0, 0], np.eye(K)), rtol=0, atol=1e-14)
    shown("A21", [tensor.size, np.count_nonzero(tensor), K], "80", "20", "four")
    contracted = np.einsum("k,kij->ij", net.error[0, 0], tensor)
    assert np.allclose(contracted, np.outer(net.error[0, 0], h[0, 0]), rtol=0, atol=1e-14)


def test_a19_probabilities_minus_targets_needs_targets_that_sum_to_one(net):
    o = net.o[0, 0]
    p = softmax(o)
    half_sure = np.array([0.4, 0.1, 0.2, 0.1])
    general = []
    for y in (net.y[0, 0], half_sure):
        truth = jacobian(lambda o, y=y: cross_entropy(o, y), o)
        general.append(p * y.sum() - y - truth)
    within("A19", general, "1e-14")
    shown("A19", half_sure, "0.4", "0.1", "0.2", "0.1")
    shown("A19", np.linalg.norm(p - half_sure - truth), "0.128")


def test_a20_the_outer_product_is_printed_the_wrong_way_round_for_weights_stored_in_out(net):
    truth = gradient(net, "W_hy").T  # (H, K), the source's orientation
    printed = sum(net.error[t].T @ net.h[t + 1] for t in range(T))
    assert relative(sum(net.h[t + 1].T @ net.error[t] for t in range(T)), truth) < 1e-12
    assert printed.shape == (K, H) != truth.shape
    # with as many outputs as units, which the source assumes, nothing complains
    rng = np.random.default_rng(3)
    square = SimpleNamespace(**vars(net))
    square.out = readout.Params(rng.standard_normal((H, H)), 0.3 * rng.standard_normal(H))
    square.y = np.eye(H)[rng.integers(H, size=(T, B))]
    error = softmax(net.h[1:] @ square.out.W_hy.T + square.out.b_y) - square.y
    truth = gradient(square, "W_hy").T
    printed = sum(error[t].T @ net.h[t + 1] for t in range(T))
    cosine = (printed * truth).sum() / np.linalg.norm(printed) / np.linalg.norm(truth)
    shown("A20", [relative(printed, truth), cosine], "1.13", "0.367")
    within("A20", relative(printed.T, truth), "1e-12")


def test_a22_the_bias_of_the_readout_sums_the_errors(net):
    truth = gradient(net, "b_y")
    within("A22", relative(net.error.sum((0, 1)), truth), "1e-12")
    assert relative(readout.backward(net.out, net.h[1:], net.error).params.b_y, truth) < 1e-12
    shown("A22", [B, relative(net.error.sum(0)[0], truth)], "two", "0.454")


def test_a23_l_is_a_number_and_the_output_a_distribution(net):
    value = loss(net, [2], [0])
    output = readout.softmax(net.o[1, 0])
    assert np.ndim(value) == 0 and output.shape == (K,)
    shown("A23", value, "3.62")
    assert value > 1 >= output.max()  # no probability
