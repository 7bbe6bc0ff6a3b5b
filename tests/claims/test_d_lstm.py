"""Source D, the LSTM (`D-eq11`–`D-eq26`, `D-x16`–`D-x31`, `D-x46`–`D-x55`): what is printed
against what is right."""

import numpy as np
import pytest
from evidence import shown, within
from networks import (
    driven,
    from_cell,
    gaps,
    orthogonal,
    pieces,
    relative,
    sigma,
    slopes,
    softmax,
    tau,
)
from source_c import exit_of, wide
from source_d import (
    H,
    T,
    by_run,
    chapter_2,
    exact_deltas,
    gate_terms,
    hx,
    lstm_copies,
    printed_deltas,
    upstream,
)
from witnesses import jacobian

from bptt_core import lstm, readout, rnn
from bptt_core.gradient_flow import norm_curve
from bptt_core.jacobians import cell_terms, norms, products

THREE = (1, 2, 3)


@pytest.fixture(scope="module")
def net():
    return chapter_2()


@pytest.fixture(scope="module")
def copies(net):
    """E^(3) by the three copies of each gate's weights, by the complex step."""
    return {gate: lstm_copies(net, gate) for gate in "ifgo"}


def apart(found, exact):
    return [relative(a, b) for a, b in zip(found, exact, strict=True)]


# The model


def test_d_eq11_to_eq17_x17_the_lstm_is_the_core_without_bias_and_with_stacked_weights(net):
    bare = net.cell._replace(b_h=None)
    cache = lstm.forward(bare, net.x, net.h_0, net.c_0)
    W_i, W_f, W_a, W_o = (getattr(bare, f"W_{gate}") for gate in "ifgo")
    rebuilt = lstm.Params.from_hx(W_i, W_f, W_a, W_o)
    assert np.array_equal(rebuilt.W_hh, bare.W_hh) and np.array_equal(rebuilt.W_xh, bare.W_xh)
    h, C = net.h_0[0], net.c_0[0]
    y = readout.softmax(readout.forward(net.out, cache.h[1:]))
    for t in range(1, T + 1):
        z = np.concatenate([h, net.x[t - 1, 0]])
        i, A, f, o = sigma(W_i @ z), np.tanh(W_a @ z), sigma(W_f @ z), sigma(W_o @ z)
        C = f * C + i * A
        h = o * np.tanh(C)
        for name, value in (("i", i), ("g", A), ("f", f), ("o", o)):
            assert relative(getattr(cache, name)[t - 1, 0], value) < 1e-13
        assert relative(cache.c[t, 0], C) < 1e-12 and relative(cache.h[t, 0], h) < 1e-12
        assert relative(y[t - 1, 0], softmax(net.out.W_hy @ h + net.out.b_y)) < 1e-12


def test_d_x18_x46_the_lstm_has_four_matrices_of_the_rnn_s_size(net):
    shapes = {getattr(net.cell, f"W_{gate}").shape for gate in "ifgo"}
    assert shapes == {np.hstack([net.params.W_hh, net.params.W_xh]).shape}
    ours, small = (sum(part.size for part in params) for params in (net.cell, net.params))
    shown("D-x46", ours / small, "4.00")
    shown("D-x46", len("ifgo"), "four", where="right")
    shown("D-x18", [ours, small], "180", "45")


# One error


def test_d_eq18_x20_each_gate_s_gradient_is_the_sum_over_its_three_copies(net, copies):
    dh = upstream(net, net.memory, [3]).h
    back = lstm.backward(net.cell, net.memory, dh, per_step=True)
    sums = []
    for gate in "ifgo":
        by_x, by_h = getattr(back.per_step, f"W_x{gate}"), getattr(back.per_step, f"W_h{gate}")
        assert relative(np.concatenate([by_h, by_x], -1)[:3], copies[gate]) < 1e-12
        sums.append(relative(back.params.hx(gate), copies[gate].sum(0)))
    within("D-eq18", sums, "1e-12")
    shown("D-eq18 D-x20", len(copies["f"]), "three")
    from_zero = lstm.forward(net.cell, net.x)
    steps = lstm.backward(
        net.cell, from_zero, upstream(net, from_zero, [3]).h, per_step=True
    ).per_step
    shown("D-x20", np.abs(steps.W_f[0]).max(), "0")
    for gate in "igo":
        assert not getattr(steps, f"W_h{gate}")[0].any() and getattr(steps, f"W_x{gate}")[0].any()


def test_d_eq19_eq21_delta_is_the_total_derivative_of_the_cell(net):
    _, delta = exact_deltas(net)
    within("D-eq19", apart([delta[j] for j in THREE], [by_run(net, j) for j in THREE]), "1e-12")
    found, exact = [], []
    for j in THREE:
        h, c, x = net.memory.h[j - 1, 0], net.memory.c[j - 1, 0], net.x[j - 1]

        def output(c, h=h, x=x):
            return lstm.step(net.cell, x, h[None], c[None])[0][0]

        exact.append(jacobian(output, c))  # c_{j−1} reaches h_j through C_j alone
        found.append(tau(net.memory, j) * net.memory.f[j - 1, 0])
    within("D-eq21", apart(found, exact), "1e-12")


def test_d_eq20_x21_x48_with_the_true_delta_three_gates_are_one_outer_product_each(net, copies):
    _, delta = exact_deltas(net)

    def outer(gate, j, delta_j):
        return np.outer(delta_j * gate_terms(net.memory, j)[gate], hx(net.memory, j))

    right = {gate: [outer(gate, j, delta[j]) for j in THREE] for gate in "fig"}
    within("D-eq20 D-x48", apart(right["f"], copies["f"]), "1e-12")
    within("D-x21", apart(right["i"] + right["g"], [*copies["i"], *copies["g"]]), "1e-12")
    printed = printed_deltas(net.cell, net.memory, delta[3], 3)
    off = relative(outer("f", 2, printed[2]), copies["f"][1])
    shown("D-eq20", [2, off], "2", "41%")
    total = {gate: sum(outer(gate, j, printed[j]) for j in THREE) for gate in "fig"}
    off = [relative(total[gate], copies[gate].sum(0)) for gate in "fig"]
    shown("D-x24", [3, *off], "3", "19%", "9.2%", "20%")


def test_d_x22_the_next_cell_is_not_the_only_reader_of_the_output_gate(net, copies):
    _, delta = exact_deltas(net)
    through_next_cell = np.zeros_like(copies["o"])
    for j in (1, 2):
        _, _, G, _ = pieces(net.cell, net.memory, j + 1)
        row = (delta[j + 1] @ G) * gate_terms(net.memory, j)["o"]
        through_next_cell[j - 1] = np.outer(row, hx(net.memory, j))
    off = apart(through_next_cell, copies["o"])
    whole = relative(through_next_cell.sum(0), copies["o"].sum(0))
    shown("D-x22", [*off[:2], whole], "59%", "40%", "109%")
    assert off[2] == 1  # nothing of it is found


def test_d_x23_all_four_gates_depend_on_the_previous_cell_through_h(net):
    t = 3
    h, c, x = net.memory.h[t - 1, 0], net.memory.c[t - 1, 0], net.x[t - 1]
    o = net.memory.o[t - 2, 0]

    def after(c_free, h_of):  # c_{t−1} moves the gates through h_{t−1} only; then c itself
        return lstm.step(net.cell, x, (o * np.tanh(h_of))[None], c_free[None])

    assert relative(o * np.tanh(c), h) < 1e-13
    by_gates = jacobian(lambda v: after(c, v)[1][0], c)
    _, _, G, F = pieces(net.cell, net.memory, t)
    assert relative(by_gates, G @ tau(net.memory, t - 1)) < 1e-12
    exact = jacobian(lambda v: after(v, v)[1][0], c)
    within("D-x23", relative(by_gates + F, exact), "1e-12")
    through_o = jacobian(lambda v: after(c, v)[0][0], c) - tau(net.memory, t) @ by_gates
    share = np.linalg.norm(through_o) / np.linalg.norm(jacobian(lambda v: after(v, v)[0][0], c))
    shown("D-x23", share, "0.16")  # of ∂h_t/∂c_{t−1}: what o_t adds


# Equation 22


def test_d_eq22_the_cell_only_recursion_misses_the_output_gate_path(net):
    eps, delta = exact_deltas(net)
    printed = printed_deltas(net.cell, net.memory, delta[3], 3)
    shown("D-eq22", [relative(printed[2], delta[2]), 2], "25.0%", "2")
    shown("D-eq22", [relative(printed[1], delta[1]), 1], "11.3%", "1")
    da_o = eps[3] * gate_terms(net.memory, 3)["o"]
    repaired = printed[2] + (da_o @ net.cell.W_ho) @ tau(net.memory, 2)
    found, exact = [repaired], [by_run(net, 2)]
    for j in (2, 1):
        terms = gate_terms(net.memory, j + 1)
        right = sum(
            (delta[j + 1] * terms[gate]) @ getattr(net.cell, f"W_h{gate}") for gate in "ifg"
        )
        right = right + (eps[j + 1] * terms["o"]) @ net.cell.W_ho
        found.append(right @ tau(net.memory, j) + delta[j + 1] * net.memory.f[j, 0])
        exact.append(by_run(net, j))
    within("D-eq22", apart(found, exact), "1e-12")
    shown("D-eq22", len(terms), "four", where="right")
    # the literal order of the last line
    _, _, G, F = pieces(net.cell, net.memory, 3)
    fourth_line = delta[3] @ F + delta[3] @ G @ tau(net.memory, 2)
    assert relative(fourth_line, printed[2]) < 1e-12
    literal = (delta[3] @ tau(net.memory, 2)) @ G
    shown("D-eq22b", relative(literal, delta[3] @ G @ tau(net.memory, 2)), "24.8%")


def test_d_eq22_is_exact_where_no_output_gate_lies_on_the_way(net):
    dC = {3: np.linspace(-1.0, 2.0, H)[None]}
    delta = lstm.backward(net.cell, net.memory, dc=dC).c[:, 0]
    printed = printed_deltas(net.cell, net.memory, delta[3], 3)
    assert relative(printed[2], delta[2]) < 1e-12
    shown("D-eq22", [relative(printed[1], delta[1]), 1], "5.2%", "1")
    W_hh = net.cell.W_hh.copy()
    W_hh[3 * H :] = 0
    silent = net.cell._replace(W_hh=W_hh)
    run = lstm.forward(silent, net.x, net.h_0, net.c_0)
    delta = lstm.backward(silent, run, upstream(net, run, [3]).h).c[:, 0]
    printed = printed_deltas(silent, run, delta[3], 3)
    assert max(apart([printed[j] for j in THREE], [delta[j] for j in THREE])) < 1e-12
    shown("D-eq22", np.abs(silent.W_ho).max(), "0", where="right")


def test_d_eq22_over_many_steps_the_missing_path_costs_more():
    off = {}
    for scale in (1, 4):
        params, cache, dh = wide(22, scale=scale)
        chained = products(sum(cell_terms(params, cache)))[:, :, 0]
        off[scale] = []
        for lag in (1, 5, 20):
            exact = dh @ from_cell(params, cache, lag)[0]
            off[scale].append(np.median(gaps(dh * exit_of(cache) @ chained[lag], exact)))
    shown("D-eq22", [200, 1, 5, 20], "200", "1", "5", "20")
    shown("D-eq22", off[1], "13%", "14%", "23%")
    shown("D-eq22", [4, *off[4]], "four", "42%", "61%", "95%")


def test_d_eq23_x49_x50_the_forget_gate_s_derivative_needs_the_forget_gate_s_weights(net):
    x, h = net.x[2, 0], net.memory.h[2, 0]

    def value(gate, h):
        W, b = getattr(net.cell, f"W_{gate}"), getattr(net.cell, f"b_{gate}")
        return sigma(W @ np.concatenate([h, x]) + b)

    def by_gate(gate):
        y = value(gate, h)
        return (y * (1 - y))[:, None] * getattr(net.cell, f"W_h{gate}")

    exact = {gate: jacobian(lambda h, gate=gate: value(gate, h), h) for gate in "fi"}
    assert max(apart([by_gate("f"), by_gate("i")], exact.values())) < 1e-12
    shown("D-eq23", relative(by_gate("i"), exact["f"]), "148%")
    within("D-x49", relative(by_gate("f"), exact["f"]), "1e-12")
    within("D-x50", relative(by_gate("i"), exact["i"]), "1e-12")


def test_d_x26_the_open_derivative_of_the_output_gate_is_an_outer_product_with_the_gradient_of_h(
    net, copies
):
    p = softmax(net.out.W_hy @ net.memory.h[3, 0] + net.out.b_y)
    eps = {3: net.out.W_hy.T @ (p - np.eye(6)[net.target[2, 0]])}
    delta = {3: eps[3] @ tau(net.memory, 3)}
    for j in (2, 1):
        terms = gate_terms(net.memory, j + 1)
        da = {gate: delta[j + 1] * terms[gate] for gate in "ifg"} | {"o": eps[j + 1] * terms["o"]}
        eps[j] = sum(getattr(net.cell, f"W_h{gate}").T @ da[gate] for gate in "ifgo")
        delta[j] = eps[j] @ tau(net.memory, j) + delta[j + 1] * net.memory.f[j, 0]
    answer = [np.outer(eps[j] * gate_terms(net.memory, j)["o"], hx(net.memory, j)) for j in THREE]
    within("D-x26", apart(answer, copies["o"]), "1e-12")
    shown("D-x26", len(answer), "three")


def test_d_eq24_x19_the_mean_over_the_errors_is_the_gradient_of_the_mean_error(net):
    def sweep(steps, reduction="sum"):
        return lstm.backward(net.cell, net.memory, upstream(net, net.memory, steps, reduction).h)

    mean, together = sweep(None, "mean").params, sweep(None).params
    each = [sweep([t]).params for t in range(1, T + 1)]
    found = [sum(one.hx(gate) for one in each) / T for gate in "ifgo"]
    within("D-eq24", apart(found, [mean.hx(gate) for gate in "ifgo"]), "1e-12")
    within("D-x19", apart(found, [mean.hx(gate) for gate in "ifgo"]), "1e-12")
    ratio = np.linalg.norm(together.W_hh) / np.linalg.norm(mean.W_hh)
    shown("D-eq24", [ratio, T], "4.000", "4")


def test_d_eq25_a_small_step_along_minus_the_gradient_lowers_the_error(net):
    grads = upstream(net, net.memory, None, "mean")
    back = lstm.backward(net.cell, net.memory, grads.h).params
    params = lstm.Params(*(w - 0.1 * dw for w, dw in zip(net.cell, back, strict=True)))
    out = readout.Params(*(w - 0.1 * dw for w, dw in zip(net.out, grads.params, strict=True)))
    losses = []
    for p, v in ((net.cell, net.out), (params, out)):
        y = readout.forward(v, lstm.forward(p, net.x, net.h_0, net.c_0).h[1:])
        losses.append(readout.softmax_cross_entropy(y, net.target, reduction="mean")[0])
    assert losses[1] < losses[0]
    shown("D-eq25", [0.1, *losses], "0.1", "2.255", "2.198")


# How the LSTM handles the vanishing gradient


def test_d_x27_x53_the_dropped_part_is_not_two_orders_below_one():
    share = {}
    for scale in (1, 4):
        params, cache, _ = wide(27, scale=scale)
        terms = cell_terms(params, cache)
        dropped, kept = norms(terms.A + terms.C + terms.D)[1:], norms(terms.B)[1:]
        share[scale] = np.median(dropped / kept)
        if scale == 1:
            tanh_slope = 1 - cache.s[:-1] ** 2
            product = tanh_slope * (cache.f * (1 - cache.f))[1:]
            other = tanh_slope * (1 - cache.g[1:] ** 2)
    assert product.max() < 0.25
    shown("D-x27", [200, 1, np.median(product), 0.01], "200", "1", "0.19", "1/100")
    shown("D-x27", (product <= 0.01).mean(), "0.3%")
    shown("D-x27", [share[1], share[4], 4], "0.55", "1.9", "4")
    shown("D-x27", 0.25, "¼", where="right")
    shown("D-x53", [200, 1, np.median(other)], "200", "1", "0.56")


def test_d_eq26_keeping_the_forget_gates_only_loses_most_of_the_gradient():
    off = {}
    for bias in (0, 3):
        params, cache, dh = wide(26, forget_bias=bias)
        off[bias] = []
        for lag in (1, 5, 20):
            exact = dh @ from_cell(params, cache, lag)[0]
            kept = dh * exit_of(cache) * cache.f[-lag:].prod(0)
            off[bias].append(np.median(gaps(kept, exact)))
    shown("D-eq26", [200, 1, 5, 20], "200", "1", "5", "20")
    shown("D-eq26", [0, *off[0]], "0", "35%", "82%", "99.6%")
    shown("D-eq26", [3, *off[3]], "3", "22%", "45%", "92%")


def test_d_x28_the_forget_gate_alone_is_not_always_the_larger_factor():
    gates = {}
    for bias in (0, 1):
        keeps = lstm.Params(np.zeros((4, 1)), np.zeros((4, 1)), np.array([0.0, bias, 0, 0]))
        run = lstm.forward(keeps, np.zeros((20, 1, 1)))
        gates[bias] = lstm.backward(keeps, run, dc={20: [[1.0]]}).c[0].item()
    shown("D-x28", [20, 0, gates[0], 1, gates[1]], "20", "0", "9.5e-7", "1", "0.0019")
    rng = np.random.default_rng(28)
    params, run = driven(orthogonal(rng, 16) / 2, 0.01 * rng.standard_normal((20, 16)))
    shown("D-x28", [0.5, norm_curve(params, run)[20, 0]], "half", "9.5e-7")
    at_zero = [slopes(np.tanh, np.zeros(1)).item(), sigma(0.0)]
    shown("D-x28", at_zero, "1", "½", where="right")


def test_d_x31_x16_x34_the_cell_keeps_a_gradient_if_its_forget_gates_are_near_one():
    rng = np.random.default_rng(31)
    sizes = {}
    for bias in (0, 1, 3, 5):
        params, cache, _ = wide(31, forget_bias=bias)
        sizes[bias] = norms(from_cell(params, cache, 20)[1])
    W_xh = rng.standard_normal((200, 16, 3)) / np.sqrt(3)
    plain = rnn.Params(W_xh, rng.standard_normal((200, 16, 16)) / np.sqrt(16))
    x = rng.standard_normal((20, 200, 1, 3))
    of_rnn = norm_curve(plain, rnn.forward(plain, x))[20, :, 0]
    shown("D-x31 D-x16 D-x34 B72", [200, 20], "200", "20")
    above = [(sizes[bias] > 0.5).mean() for bias in (0, 3)]
    shown("B72", [0.5, above[0], 0, above[1], 3], "half", "0%", "0", "100%", "3")
    shown("D-x31", [0, 1, 3, 5], "0", "1", "3", "5")
    shown("D-x31", [np.median(sizes[b]) for b in (0, 1, 3, 5)], "0.00063", "0.069", "2.3", "4.7")
    shown("D-x31 D-x34", np.median(of_rnn), "0.00038")
    shown("D-x34", [0, 3, np.median(sizes[0]), np.median(sizes[3])], "0", "3", "0.00063", "2.3")
    shown(
        "D-x16",
        [0, 3, (sizes[0] > of_rnn).mean(), (sizes[3] > of_rnn).mean()],
        "0",
        "3",
        "58%",
        "100%",
    )
    shown("D-x31", 3, "3", where="condition")


def test_d_x55_the_two_deltas_are_derivatives_by_different_things(net):
    back = rnn.backward(net.params, net.cache, upstream(net, net.cache, [3]).h)
    by_state, by_input = back.h[1:, 0], back.a[:, 0]
    slope = 1 - net.cache.h[1:, 0] ** 2
    assert relative(by_input, by_state * slope) < 1e-13
    assert relative(by_state[0], net.params.W_hh.T @ (slope[1] * by_state[1])) < 1e-13
    shown("D-x55", [1, relative(by_input[0], by_state[0])], "1", "13%")
