"""Claims of source C, slides of Module 15.3. Its LSTM is the core's with squash="sigmoid"; its s and s̃ are c and g."""

import numpy as np
import pytest
from lstm_witness import (
    cell_jacobian,
    from_cell_to_cell,
    growth,
    logit,
    network,
    pieces,
    resting_cell,
    sigma,
    step_matrix,
    tau,
)
from setups import jacobian, norm, orthogonal, relative, shown

from bptt_core import gradient_flow, jacobians, lstm, readout, rnn

T, B, D, H = 6, 2, 3, 5


@pytest.fixture
def slides():
    """A σ-squashed LSTM: all sizes different, distinct biases, non-zero initial states."""
    return network(np.random.default_rng(153), T, B, D, H, squash="sigmoid")


@pytest.fixture
def wide():
    """The same with 16 units and 21 steps, where a path over 20 steps can be followed."""
    return network(np.random.default_rng(16), 21, 1, D, 16, squash="sigmoid")


def products(matrices):
    """[I, M_T, M_T M_{T−1}, …]: latest factor on the left."""
    found = [np.eye(len(matrices[0]))]
    for M in reversed(matrices):
        found.append(found[-1] @ M)
    return found


def rnn_step_matrix(params, cache, t):
    """∂h_t/∂h_{t−1} of a vanilla RNN by the complex step."""
    return jacobian(lambda h: rnn.step(params, cache.x[t - 1], h[None])[0], cache.h[t - 1, 0])


def lone_cell(forget_bias):
    """One unit whose gates ignore h: f_t = σ(forget_bias) at every step if x_t = 0."""
    return lstm.Params(np.ones((4, 1)), np.zeros((4, 1)), np.array([0.3, forget_bias, -0.2, 0.1]))


def test_c12_to_c17_c26_c29_the_slides_equations_are_the_core_with_sigma_for_both_squashings(
    slides,
):
    params, cache = slides
    for t in range(1, T + 1):
        for b in range(B):
            x, h, s = cache.x[t - 1, b], cache.h[t - 1, b], cache.c[t - 1, b]
            o = sigma(params.W_ho @ h + params.W_xo @ x + params.b_o)
            i = sigma(params.W_hi @ h + params.W_xi @ x + params.b_i)
            f = sigma(params.W_hf @ h + params.W_xf @ x + params.b_f)
            candidate = sigma(params.W_hg @ h + params.W_xg @ x + params.b_g)
            s = f * s + i * candidate
            for ours, theirs in zip(
                (cache.o, cache.i, cache.f, cache.g), (o, i, f, candidate), strict=True
            ):
                np.testing.assert_allclose(ours[t - 1, b], theirs, rtol=1e-13)
            np.testing.assert_allclose(cache.c[t, b], s, rtol=1e-13)
            np.testing.assert_allclose(cache.h[t, b], o * sigma(s), rtol=1e-13)


def test_c15_with_a_logistic_candidate_and_an_open_forget_gate_the_state_can_only_rise():
    params, sigmoid = network(np.random.default_rng(15), 200, 1, D, H, squash="sigmoid")
    rises = {
        squash: np.diff(lstm.forward(params, sigmoid.x, forget_gate=False, squash=squash).c, axis=0)
        for squash in ("sigmoid", "tanh")
    }
    assert (rises["sigmoid"] > 0).all()
    shown("C15", (rises["sigmoid"] > 0).mean(), "100%")
    shown("C15", (rises["tanh"] > 0).mean(), "36.8%")


def test_c17_the_logistic_squashing_keeps_every_output_between_zero_and_the_output_gate(slides):
    params, cache = slides
    assert (cache.h[1:] > 0).all() and (cache.h[1:] < cache.o).all()
    tanh = lstm.forward(params, cache.x, cache.h[0], cache.c[0])
    assert (tanh.h[1:] < 0).any()


def test_c18_c64_the_state_is_the_pair_and_its_step_matrices_multiply(slides):
    params, cache = slides
    whole = np.eye(2 * H)
    for t in range(1, T + 1):
        whole = step_matrix(params, cache, t) @ whole
    M = jacobians.step_jacobians(params, cache)
    np.testing.assert_allclose(M[2, 0], step_matrix(params, cache, 3), atol=1e-14)
    np.testing.assert_allclose(jacobians.products(M)[T, 0], whole, atol=1e-13)

    def run(state):
        h, c = state[None, :H], state[None, H:]
        for x_t in cache.x[:, :1]:
            h, c = lstm.step(params, x_t, h, c, squash="sigmoid")
        return np.concatenate([h[0], c[0]])

    np.testing.assert_allclose(
        whole, jacobian(run, np.concatenate([cache.h[0, 0], cache.c[0, 0]])), atol=1e-13
    )


def test_c01_c65_an_input_gate_near_zero_keeps_the_candidate_out_but_never_quite():
    for bias, text in ((0.0, "0.5000"), (-5.0, "0.0067"), (-10.0, "4.5e-5")):
        params = lstm.Params(np.ones((4, 1)), np.zeros((4, 1)), np.array([bias, 10.0, 0.0, 0.1]))
        least, most = (
            params._replace(b_h=params.b_h - [0, 0, 40, 0]),
            params._replace(b_h=params.b_h + [0, 0, 40, 0]),
        )
        spread = (
            lstm.forward(most, np.zeros((1, 1, 1))).c - lstm.forward(least, np.zeros((1, 1, 1))).c
        )
        shown("C65", spread[1, 0, 0] / 2, text)


def test_c02_c66_three_edges_of_the_graph_carry_a_gate_and_the_others_carry_weights(slides):
    params, cache = slides
    i, f, g, o = (gate[2, 0] for gate in (cache.i, cache.f, cache.g, cache.o))
    s_before, s = cache.c[2, 0], cache.c[3, 0]
    np.testing.assert_allclose(jacobian(lambda s: f * s + i * g, s_before), np.diag(f), atol=1e-15)
    np.testing.assert_allclose(jacobian(lambda g: f * s_before + i * g, g), np.diag(i), atol=1e-15)
    np.testing.assert_allclose(jacobian(lambda s: o * sigma(s), s), tau(cache, 3), atol=1e-15)
    h, x = cache.h[2, 0], cache.x[2, 0]
    edge = jacobian(lambda h: sigma(params.W_hg @ h + params.W_xg @ x + params.b_g), h)
    np.testing.assert_allclose(edge, (g * (1 - g))[:, None] * params.W_hg, atol=1e-15)


def test_c03_c37_the_gradient_into_the_previous_state_needs_both_gates_closed_to_vanish():
    sizes = {}
    for f_bias, o_bias in ((0, 0), (-2, -2), (-5, -5), (-10, -10), (-10, 0)):
        params, cache = network(np.random.default_rng(3), 3, 1, D, 16, squash="sigmoid")
        bias = params.b_h.copy()
        bias[16:32], bias[48:] = f_bias, o_bias
        params = params._replace(W_hh=8 * params.W_hh, b_h=bias)
        cache = lstm.forward(params, cache.x, cache.h[0], cache.c[0], squash="sigmoid")
        sizes[f_bias, o_bias] = norm(cell_jacobian(params, cache, 3))
    shown("C03", sizes[0, 0], "1.23")
    shown("C03", sizes[-2, -2], "0.96")
    shown("C03", sizes[-5, -5], "0.081")
    shown("C03", sizes[-10, -10], "5.5e-4")
    shown("C03", sizes[-10, 0], "0.43")
    shown("C37", sizes[-10, 0], "0.43")


def test_c04_c38_what_a_state_contributes_and_what_gradient_it_gets_are_two_things():
    for claim in ("C04", "C38"):
        for state, f, text in ((0.0, 0.99, "0.99"), (100.0, 0.01, "0.01")):
            params = lone_cell(logit(f))
            with_state = lstm.forward(params, np.zeros((1, 1, 1)), c_0=[[state]], squash="sigmoid")
            without = lstm.forward(params, np.zeros((1, 1, 1)), c_0=[[0.0]], squash="sigmoid")
            contribution = (with_state.c - without.c)[1, 0, 0]
            gradient = lstm.backward(params, with_state, dc={1: [[1.0]]}).c[0, 0, 0]
            assert contribution == pytest.approx(f * state, abs=1e-12)
            shown(claim, contribution, f"{f * state:.0f}")
            shown(claim, gradient, text)


def test_c05_c35_c41_a_state_that_is_fully_kept_still_loses_its_gradient_in_the_squashing():
    params = lstm.Params(np.ones((4, 1)), np.zeros((4, 1)), np.array([2.0, 10.0, 1.0, 0.5]))
    exits = {}
    for squash in ("sigmoid", "tanh"):
        cache = lstm.forward(params, np.zeros((20, 1, 1)), squash=squash)
        exits[squash] = [
            lstm.backward(params, cache, {t: [[1.0]]}).c[t, 0, 0] for t in (1, 5, 10, 20)
        ]
        kept = cache.f.prod()
    shown("C05", kept, "0.999")
    for value, text in zip(exits["sigmoid"], ("0.141", "0.0230", "9.9e-4", "1.6e-6"), strict=True):
        shown("C05", value, text)
    shown("C35", exits["sigmoid"][3], "1.6e-6")
    shown("C35", exits["tanh"][3], "5.6e-12")


def test_c06_the_sum_of_the_rnn_is_right_if_the_latest_factor_stands_on_the_left():
    rng = np.random.default_rng(6)
    params = rnn.init_params(D, H, rng)._replace(b_h=rng.standard_normal(H))
    cache = rnn.forward(params, rng.standard_normal((T, 1, D)), rng.standard_normal((1, H)))
    dL = rng.standard_normal(H)
    J = [rnn_step_matrix(params, cache, t) for t in range(1, T + 1)]

    def total(order):
        terms = np.zeros((H, H))
        for k in range(1, T + 1):
            factors = [np.eye(H), *J[k:]]
            product = np.linalg.multi_dot(order(factors)) if len(factors) > 1 else factors[0]
            explicit = 1 - cache.h[k, 0] ** 2
            terms += np.outer((dL @ product) * explicit, cache.h[k - 1, 0])
        return terms

    truth = rnn.backward(params, cache, {T: dL[None]}).params.W_hh
    assert relative(total(lambda factors: factors[::-1]), truth) < 1e-13
    shown("C06", relative(total(list), truth), "20.9%")


def test_c07_the_product_of_the_rnn_vanishes_for_contracting_weights_only():
    rng = np.random.default_rng(7)
    x, W = 0.01 * rng.standard_normal((20, 1, D)), orthogonal(rng, 16)
    sizes = []
    for gain in (0.5, 1.0):
        params = rnn.Params(rng.standard_normal((16, D)), gain * W)
        cache = rnn.forward(params, x)
        sizes.append(norm(products([rnn_step_matrix(params, cache, t) for t in range(1, 21)])[-1]))
    assert sizes[0] <= 0.5**20
    shown("C07", sizes[0], "9.5e-7")
    shown("C07", sizes[1], "0.978")


def test_c08_the_first_step_keeps_a_share_of_the_gradient_that_the_weights_decide():
    shares = []
    for gain in (0.5, 1.0, 2.0):
        rng = np.random.default_rng(8)
        params = rnn.init_params(D, 16, rng, scale=gain)
        cache = rnn.forward(params, rng.standard_normal((4, 1, D)), rng.standard_normal((1, 16)))
        grads = rnn.backward(params, cache, {4: rng.standard_normal((1, 16))}, per_step=True)
        np.testing.assert_allclose(grads.per_step.W_hh.sum(0), grads.params.W_hh, atol=1e-14)
        shares.append(np.linalg.norm(grads.per_step.W_hh[0]) / np.linalg.norm(grads.params.W_hh))
    for share, text in zip(shares, ("4.1%", "29%", "90%"), strict=True):
        shown("C08", share, text)
    from_zero = rnn.backward(
        params, rnn.forward(params, cache.x), {4: np.ones((1, 16))}, per_step=True
    )
    assert not from_zero.per_step.W_hh[0].any() and from_zero.per_step.W_xh[0].any()


def test_c09_a_million_vanishing_paths_can_add_up_to_one():
    params, cache, exit_factor = resting_cell(20, g=0.5)
    assert cache.f[7, 0, 0] == 0.5
    through_g = cell_jacobian(params, cache, 8)[0, 0] - 0.5
    assert through_g == pytest.approx(0.5, abs=1e-12)
    shown("C09", 0.5**20, "9.54e-7")
    shown("C09", 2**20, "1048576")
    shown("C09", from_cell_to_cell(params, cache, exit_factor), "1.000000")


def test_c10_one_exploding_path_does_not_make_the_gradient_explode():
    params, cache, exit_factor = resting_cell(20, g=2.0, f=-2.5)
    one_path = (0.25 * 0.5 * params.W_hg[0, 0] * exit_factor) ** 20
    shown("C10", one_path, "1048576")
    assert abs(from_cell_to_cell(params, cache, exit_factor)) < 1e-12


def test_c11_c32_c40_c56_one_open_path_does_not_keep_the_gradient_from_vanishing():
    params, cache, exit_factor = resting_cell(20, keep=0.99, write=0.01, g=-0.99)
    for claim in ("C11", "C32", "C40", "C56"):
        shown(claim, cache.f.prod(), "0.818")
    shown("C11", cache.f[11, 0, 0], "0.99")
    assert abs(from_cell_to_cell(params, cache, exit_factor)) < 1e-12


def test_c20_c19_c62_the_output_weights_of_step_k_are_not_reached_through_s_k(slides):
    params, cache = slides
    grads = lstm.backward(params, cache, dc={4: np.ones((B, H))}, per_step=True)
    assert not grads.per_step.W_ho[3].any()
    assert grads.per_step.W_ho[2].any()
    assert all(getattr(grads.per_step, name)[3].any() for name in ("W_hf", "W_hi", "W_hg"))
    np.testing.assert_allclose(grads.per_step.W_hf.sum(0), grads.params.W_hf, atol=1e-15)
    assert lstm.backward(params, cache, {4: np.ones((B, H))}, per_step=True).per_step.W_ho[3].any()


def test_c21_a_gradient_that_reaches_s_k_may_still_be_lost_on_the_way_into_w_f():
    shown("C21", sigma(5.0) ** 20, "0.874")
    for bias, text in ((0.0, "0.25"), (5.0, "0.0066"), (10.0, "4.5e-5")):
        params = lone_cell(bias)
        cache = lstm.forward(params, np.zeros((1, 1, 1)), [[1.0]], [[1.0]], squash="sigmoid")
        shown("C21", lstm.backward(params, cache, dc={1: [[1.0]]}).params.W_hf[0, 0], text)
    at_rest = lstm.forward(params, np.zeros((1, 1, 1)), [[1.0]], [[0.0]], squash="sigmoid")
    assert lstm.backward(params, at_rest, dc={1: [[1.0]]}).params.W_hf == 0


def path_weights(params, cache, k, t, node="s"):
    """The product of explicit derivatives along every path from s_k (or h_k) to h_t, for one unit and one sequence."""
    if k == t and node == "h":
        return [1.0]
    found = []
    if node == "s":
        found += [tau(cache, k)[0, 0] * w for w in path_weights(params, cache, k, t, "h")]
    if k < t:
        i, f, g, o, s_before = (a[k, 0, 0] for a in (cache.i, cache.f, cache.g, cache.o, cache.c))
        if node == "s":
            found += [f * w for w in path_weights(params, cache, k + 1, t, "s")]
        else:
            edges = (
                s_before * f * (1 - f) * params.W_hf,
                g * i * (1 - i) * params.W_hi,
                i * g * (1 - g) * params.W_hg,
            )
            later = path_weights(params, cache, k + 1, t, "s")
            found += [edge[0, 0] * w for edge in edges for w in later]
            through_o = cache.s[k, 0, 0] * o * (1 - o) * params.W_ho[0, 0]
            found += [through_o * w for w in path_weights(params, cache, k + 1, t, "h")]
    return found


def test_c22_c23_c51_c57_the_gradient_is_the_sum_over_all_paths_and_their_number_grows_exponentially():
    params, cache = network(np.random.default_rng(22), 6, 1, 1, 1, scale=3.0, squash="sigmoid")
    paths = path_weights(params, cache, 1, 6)
    total = lstm.backward(params, cache, {6: [[1.0]]})
    assert sum(paths) == pytest.approx(total.c[1, 0, 0], rel=1e-12)
    assert sum(path_weights(params, cache, 1, 6, "h")) == pytest.approx(total.h[1, 0, 0], rel=1e-12)
    shown("C51", len(paths), "2640")
    count = np.array([1, 1])  # paths to h_t from s_t and from h_t
    for _ in range(20):
        from_h = 3 * count[0] + count[1]
        before, count = count, np.array([count[0] + from_h, from_h])
    assert count[0] / before[0] == pytest.approx((5 + np.sqrt(21)) / 2, rel=1e-12)
    shown("C51", count[0], "4.25e13")
    assert len(path_weights(params, cache, 5, 6, "h")) == 4
    only_output_gates = np.prod([t_1_factor(params, cache, t)[0, 0] for t in range(2, 7)])
    assert (
        sum(
            abs(path - only_output_gates) < 1e-15 for path in path_weights(params, cache, 1, 6, "h")
        )
        == 1
    )
    stays_in_the_cell = cache.f[1:6].prod() * tau(cache, 6)[0, 0]
    assert sum(abs(path - stays_in_the_cell) < 1e-15 for path in paths) == 1
    families = jacobians.path_families(params, cache, dh=np.ones((1, 1)))
    assert families.cell[5, 0, 0] == pytest.approx(stays_in_the_cell, rel=1e-12)
    assert families.total[5, 0, 0] == pytest.approx(sum(paths), rel=1e-12)


def t_0(cache, dL, k, t):
    """C's t_0 with explicit derivatives: L′ D(o_t ∘ σ′(s_t)) D(f_t) … D(f_{k+1})."""
    return dL @ tau(cache, t) * cache.f[k:t, 0].prod(0)


def test_c24_the_same_symbols_read_as_total_derivatives_are_no_path_and_not_the_gradient(wide):
    params, cache = wide
    dL = np.random.default_rng(24).standard_normal(16)
    truth = lstm.backward(params, cache, {21: dL[None]}).c[:, 0]
    totals = products([cell_jacobian(params, cache, t) for t in range(2, 22)])
    for lag, text in ((1, "22.3%"), (5, "22.8%"), (20, "14.8%")):
        shown("C24", relative(dL @ tau(cache, 21) @ totals[lag], truth[21 - lag]), text)


def test_c25_the_first_factor_vanishes_at_an_example_that_the_network_has_already_learnt():
    for margin, text in ((0.0, "0.816"), (5.0, "0.0163"), (20.0, "5.0e-9")):
        y = np.array([[[margin, 0.0, 0.0]]])
        _, dy = readout.softmax_cross_entropy(y, np.array([[0]]))
        p = np.exp(y) / np.exp(y).sum()
        np.testing.assert_allclose(dy, p - np.eye(3)[0], atol=1e-15)
        shown("C25", np.linalg.norm(dy), text)


def test_c27_c28_dh_ds_is_diagonal_because_each_output_reads_its_own_gate_and_cell(slides):
    _, cache = slides
    o, s = cache.o[2, 0], cache.c[3, 0]
    by_s = jacobian(lambda s: o * sigma(s), s)
    np.testing.assert_allclose(by_s, np.diag(o * sigma(s) * (1 - sigma(s))), atol=1e-15)
    np.testing.assert_allclose(by_s, np.diag(lstm.output_derivative(cache)[2, 0]), atol=1e-15)
    by_o = jacobian(lambda o: o * sigma(s), o)
    np.testing.assert_array_equal(by_o, np.diag(np.diag(by_o)))
    assert np.diag(by_o).all()


def test_c30_c31_the_implicit_term_has_three_parts_and_with_all_of_them_the_derivative_is_exact(
    wide,
):
    params, cache = wide
    t = 5
    i, f, g = (gate[t - 1, 0] for gate in (cache.i, cache.f, cache.g))
    s_before, x = cache.c[t - 1, 0], cache.x[t - 1]
    o_before = cache.o[t - 2, 0]
    parts = {
        "f": (s_before * f * (1 - f))[:, None] * params.W_hf @ tau(cache, t - 1),
        "i": (g * i * (1 - i))[:, None] * params.W_hi @ tau(cache, t - 1),
        "s": (i * g * (1 - g))[:, None] * params.W_hg @ tau(cache, t - 1),
    }

    def by_previous_state(s):
        return lstm.step(params, x, (o_before * sigma(s))[None], s[None], squash="sigmoid")[1][0]

    truth = jacobian(by_previous_state, s_before)
    assert relative(np.diag(f) + sum(parts.values()), truth) < 1e-13
    for name, text in (("f", "0.0284"), ("i", "0.0284"), ("s", "0.0276")):
        shown("C30", norm(parts[name]), text)
    shown("C30", relative(np.diag(f) + parts["s"], truth), "3.2%")


def test_c32_dropping_the_implicit_term_costs_more_the_longer_the_path(wide):
    params, cache = wide
    dL = np.random.default_rng(32).standard_normal(16)
    truth = lstm.backward(params, cache, {21: dL[None]}).c[:, 0]
    for lag, text in ((1, "23%"), (5, "38%"), (10, "44%"), (20, "52%")):
        shown("C32", relative(t_0(cache, dL, 21 - lag, 21), truth[21 - lag]), text)


def test_c33_the_explicit_term_is_the_forget_gate_when_all_three_gates_are_frozen(slides):
    params, cache = slides
    _, _, _, explicit = pieces(params, cache, 4)
    np.testing.assert_allclose(explicit, np.diag(cache.f[3, 0]), atol=1e-15)
    x, o_before = cache.x[3], cache.o[2, 0]
    h, s_before = cache.h[3, 0], cache.c[3, 0]
    candidate = sigma(params.W_hg @ h + params.W_xg @ x[0] + params.b_g)

    def only_the_candidate_frozen(s):
        h = o_before * sigma(s)
        f = sigma(params.W_hf @ h + params.W_xf @ x[0] + params.b_f)
        return f * s + sigma(params.W_hi @ h + params.W_xi @ x[0] + params.b_i) * candidate

    shown(
        "C33",
        relative(np.diag(cache.f[3, 0]), jacobian(only_the_candidate_frozen, s_before)),
        "2.7%",
    )


def test_c34_c52_c53_c54_t_0_is_the_gradient_of_the_network_whose_gates_are_frozen(slides):
    params, cache = slides
    dL, k = np.arange(1.0, H + 1), 2

    def frozen(s):
        for t in range(k + 1, T + 1):
            s = cache.f[t - 1, 0] * s + cache.i[t - 1, 0] * cache.g[t - 1, 0]
        return dL @ (cache.o[T - 1, 0] * sigma(s))

    truth = jacobian(frozen, cache.c[k, 0])
    forgets = [np.diag(cache.f[t - 1, 0]) for t in range(k + 1, T + 1)]
    assert len(forgets) == T - k
    one_by_one = dL @ tau(cache, T) @ products(forgets)[-1]
    np.testing.assert_allclose(one_by_one, truth, rtol=1e-12)
    np.testing.assert_allclose(
        dL @ tau(cache, T) @ np.diag(cache.f[k:T, 0].prod(0)), truth, rtol=1e-12
    )
    np.testing.assert_allclose(t_0(cache, dL, k, T), truth, rtol=1e-12)
    core = jacobians.explicit_path(params, cache, np.stack([dL] * B))
    np.testing.assert_allclose(core[T - k, 0], truth, rtol=1e-12)
    assert relative(dL @ tau(cache, T) * cache.f[k - 1 : T, 0].prod(0), truth) > 0.1


def test_c36_c39_c55_c63_the_open_path_needs_forget_gates_near_one_over_the_whole_span():
    for bias, text in (
        (0.0, "9.5e-7"),
        (1.0, "0.0019"),
        (2.0, "0.079"),
        (3.0, "0.378"),
        (5.0, "0.874"),
    ):
        params = lone_cell(bias)
        cache = lstm.forward(params, np.zeros((20, 1, 1)), squash="sigmoid")
        kept = lstm.backward(params, cache, dc={20: [[1.0]]}).c[0, 0, 0]
        shown("C39", kept, text)
        if bias in (1.0, 5.0):
            shown("C55", kept, text)
        if bias in (0.0, 5.0):
            shown("C63", kept, text)


def test_c47_each_of_the_other_weights_can_make_the_gradient_explode():
    for gate in "ifg":
        params, cache, exit_factor = resting_cell(20, **{gate: 1.5})
        shown("C47", from_cell_to_cell(params, cache, exit_factor), "1048576")
        shown("C47", getattr(params, f"W_h{gate}")[0, 0], "102")


def output_weights_times(k):
    """32 units, W_o multiplied by k: W_o's norm, growth per step of t_1's factors and of the exact step matrices."""
    params, cache = network(np.random.default_rng(42), 40, 1, 4, 32, squash="sigmoid")
    W_hh = params.W_hh.copy()
    W_hh[96:] *= k
    params = params._replace(W_hh=W_hh)
    cache = lstm.forward(params, cache.x, squash="sigmoid")
    through_o = [t_1_factor(params, cache, t) for t in range(2, 41)]
    return (
        norm(params.W_ho),
        growth(through_o),
        growth([step_matrix(params, cache, t) for t in range(2, 41)]),
    )


def t_1_factor(params, cache, t):
    """D(σ(s_t) ∘ o′_t) W_o, one bracket of t_1."""
    o = cache.o[t - 1, 0]
    return (cache.s[t - 1, 0] * o * (1 - o))[:, None] * params.W_ho


def test_c42_c46_large_output_weights_make_the_path_explode_and_larger_ones_make_it_vanish():
    size, path, whole = output_weights_times(64)
    shown("C42", size, "117")
    shown("C42", path, "0.20")
    shown("C42", whole, "0.21")
    for k, size_text, path_text in (
        (1, "1.83", "-0.83"),
        (64, "117", "0.20"),
        (256, "468", "-0.34"),
    ):
        size, path, _ = output_weights_times(k)
        shown("C46", size, size_text)
        shown("C46", path, path_text)


def test_c43_c44_c58_t_1_is_the_gradient_along_the_output_gates_with_the_latest_factor_on_the_left(
    slides,
):
    params, cache = slides
    dL, k = np.arange(1.0, H + 1), 3

    def only_output_gates(h):
        for t in range(k, T + 1):
            h = (
                sigma(params.W_ho @ h + params.W_xo @ cache.x[t - 1, 0] + params.b_o)
                * cache.s[t - 1, 0]
            )
        return dL @ h

    truth = jacobian(only_output_gates, cache.h[k - 1, 0])
    brackets = [t_1_factor(params, cache, t) for t in range(k, T + 1)]
    assert len(brackets) == T - k + 1
    np.testing.assert_allclose(dL @ products(brackets)[-1], truth, rtol=1e-12)
    core = jacobians.output_gate_path(params, cache, np.stack([dL] * B))
    np.testing.assert_allclose(core[T - k + 1, 0], truth, rtol=1e-12)
    np.testing.assert_allclose(core[1, 0], dL @ brackets[-1], rtol=1e-12)
    shown("C43", relative(dL @ products(brackets[::-1])[-1], truth), "54%")


def test_c45_the_bound_on_t_1_holds_with_k_below_a_quarter(slides):
    params, cache = slides
    brackets = [t_1_factor(params, cache, t) for t in range(3, T + 1)]
    dL = np.arange(1.0, H + 1)
    K = max((cache.s * cache.o * (1 - cache.o))[2:, 0].ravel())
    assert K < 0.25
    path = np.linalg.norm(dL @ products(brackets)[-1])
    bound = np.linalg.norm(dL) * (K * norm(params.W_ho)) ** (T - 2)
    assert path <= bound
    shown("C45", K, "0.170")
    shown("C45", path, "0.0018")
    shown("C45", bound, "0.055")


def test_c48_c49_clipping_keeps_the_direction_only_if_all_parameters_share_one_norm():
    rng = np.random.default_rng(49)
    gradient = rnn.Params(*(rng.standard_normal(shape) for shape in ((4, 3), (4, 4), (4,))))
    gradient = gradient._replace(W_hh=20 * gradient.W_hh)

    def flat(params):
        return np.concatenate([part.ravel() for part in params])

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    together = flat(gradient_flow.clip_by_global_norm(gradient, 1.0)[0])
    assert np.linalg.norm(together) == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(
        together, flat(gradient) / np.linalg.norm(flat(gradient)), rtol=1e-12
    )
    small = rnn.Params(*(0.001 * part for part in gradient))
    np.testing.assert_array_equal(
        flat(gradient_flow.clip_by_global_norm(small, 1.0)[0]), flat(small)
    )
    shown("C49", cosine(together, flat(gradient)), "1.000")
    shown("C49", cosine(flat(gradient_flow.clip_by_norm(gradient, 1.0)), flat(gradient)), "0.609")
    shown("C49", cosine(flat(gradient_flow.clip_by_value(gradient, 1.0)), flat(gradient)), "0.695")
