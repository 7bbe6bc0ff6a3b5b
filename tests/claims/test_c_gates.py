"""Source C, gates, RNN, definitions, explicit derivatives (`C01`–`C08`, `C12`–`C21`,
`C25`–`C41`)."""

import numpy as np
import pytest
from evidence import shown, within
from networks import (
    cell_jacobian,
    chain,
    from_cell,
    gaps,
    length,
    logit,
    network,
    norm,
    one_unit,
    orthogonal,
    pieces,
    relative,
    rnn_step_matrix,
    sigma,
    step_matrix,
    tau,
)
from source_c import chapter_4, exit_of, t_0, wide
from witnesses import jacobian

from bptt_core import jacobians, lstm, readout, rnn
from bptt_core.jacobians import cell_terms, norms, products

T, B, D, H = 6, 2, 3, 5


@pytest.fixture
def slides():
    """A σ-squashed LSTM: all sizes different, distinct biases, non-zero initial states."""
    return network(np.random.default_rng(153), T, B, D, H, squash="sigmoid")


@pytest.fixture(scope="module")
def chapter():
    return chapter_4()


# Definitions


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
            theirs = {"o": o, "i": i, "f": f, "g": candidate}
            for name, value in theirs.items():
                assert relative(getattr(cache, name)[t - 1, b], value) < 1e-13
            assert relative(cache.c[t, b], s) < 1e-13
            assert relative(cache.h[t, b], o * sigma(s)) < 1e-13


def test_c15_with_a_logistic_candidate_and_an_open_forget_gate_the_state_can_only_rise():
    params, cache = network(np.random.default_rng(15), 200, 1, D, H)
    rises = {
        squash: np.diff(lstm.forward(params, cache.x, forget_gate=False, squash=squash).c, axis=0)
        for squash in ("sigmoid", "tanh")
    }
    shares = [(rise > 0).mean() for rise in rises.values()]
    shown("C15", [1, shares[0], len(rises["tanh"]), shares[1]], "1", "100%", "200", "36.8%")


def test_c17_the_logistic_squashing_keeps_every_output_between_zero_and_the_output_gate(slides):
    params, cache = slides
    assert (cache.h[1:] > 0).all() and (cache.h[1:] < cache.o).all()
    tanh = lstm.forward(params, cache.x, cache.h[0], cache.c[0])
    shown("C17", (tanh.h[1:] < 0).mean(), "55%")


def test_c18_c64_the_state_is_the_pair_and_its_step_matrices_multiply(slides):
    params, cache = slides
    whole = chain([step_matrix(params, cache, t) for t in range(1, T + 1)])[T]
    M = jacobians.step_jacobians(params, cache)
    assert relative(M[2, 0], step_matrix(params, cache, 3)) < 1e-13

    def run(state):
        h, c = state[None, :H], state[None, H:]
        for x_t in cache.x[:, :1]:
            h, c = lstm.step(params, x_t, h, c, squash="sigmoid")
        return np.concatenate([h[0], c[0]])

    exact = jacobian(run, np.concatenate([cache.h[0, 0], cache.c[0, 0]]))
    within("C18 C50", [relative(whole, exact), relative(products(M)[T, 0], exact)], "1e-12")
    _, _, G, F = (part for part in pieces(params, cache, 3))
    assert relative(M[2, 0, H:, :H], G) < 1e-13 and relative(M[2, 0, H:, H:], F) < 1e-13


# Gates in both directions


def test_c01_c65_an_input_gate_near_zero_keeps_the_candidate_out_but_never_quite():
    let_in = []
    for bias in (0.0, -5.0, -10.0):
        params = lstm.Params(np.ones((4, 1)), np.zeros((4, 1)), np.array([bias, 10.0, 0.0, 0.1]))
        cells = []
        for push in (-40, 40):  # the candidate from -1 to 1
            pushed = params._replace(b_h=params.b_h + [0, 0, push, 0])
            cells.append(lstm.forward(pushed, np.zeros((1, 1, 1))).c[1, 0, 0])
        let_in.append((cells[1] - cells[0]) / 2)
    shown("C65", [0, -5, -10, *let_in], "0", "-5", "-10", "0.5000", "0.0067", "4.5e-5")
    shown("C01", [-10, let_in[-1]], "-10", "4.5e-5")


def test_c02_c66_three_edges_of_the_graph_carry_a_gate_and_the_others_carry_weights(slides):
    params, cache = slides
    t = 3
    i, f, g, o = (gate[t - 1, 0] for gate in (cache.i, cache.f, cache.g, cache.o))
    h, s, x = cache.h[t - 1, 0], cache.c[t - 1, 0], cache.x[t - 1, :1]

    def step(which, h=h, s=s, **changed):
        after = lstm.step(params._replace(**changed), x, h[None], s[None], squash="sigmoid")
        return after[which][0]

    def by_bias(which, gate):
        rows = slice("ifgo".index(gate) * H, ("ifgo".index(gate) + 1) * H)

        def moved(b):
            whole = params.b_h.astype(complex)
            whole[rows] = b
            return step(which, b_h=whole)

        return jacobian(moved, params.b_h[rows])

    kept = jacobian(lambda s: step(1, s=s), s)  # s → s at a given h
    let_in = by_bias(1, "g") / (g * (1 - g))  # s̃ → s
    read = jacobian(lambda s: step(0, s=s), s) / f  # s → h, behind the edge s → s
    exit_slope = sigma(cache.c[t, 0]) * (1 - sigma(cache.c[t, 0]))
    apart = [kept - np.diag(f), let_in - np.diag(i), read - np.diag(o * exit_slope)]
    within("C02 C66", apart, "1e-13")
    shown("C02", len(apart), "three", where="condition")
    for gate, slope in (("f", s * f * (1 - f)), ("i", g * i * (1 - i)), ("g", i * g * (1 - g))):
        W = np.zeros_like(params.W_hh)
        rows = slice("ifgo".index(gate) * H, ("ifgo".index(gate) + 1) * H)
        W[rows] = params.W_hh[rows]
        alone = params._replace(W_hh=W, b_h=params.b_h + (params.W_hh - W) @ h)  # the others given

        def by_h(v, alone=alone):
            return lstm.step(alone, x, v[None], s[None], squash="sigmoid")[1][0]

        edge = jacobian(by_h, h)
        assert relative(edge, slope[:, None] * getattr(params, f"W_h{gate}")) < 1e-12
        assert np.count_nonzero(edge) == H * H  # a matrix: no gate closes it unit by unit


def test_c03_c37_the_gradient_into_the_previous_state_needs_both_gates_closed_to_vanish(chapter):
    def one_step_norm(*shut):
        b = chapter.params.b_h.reshape(4, 6).copy()
        b[list(shut)] -= 12.0
        params = chapter.params._replace(b_h=b.ravel())
        run = lstm.forward(params, chapter.x, chapter.h_0, chapter.c_0, squash="sigmoid")
        return norm(cell_jacobian(params, run, 11))

    f, o = 1, 3
    sizes = [one_step_norm(), one_step_norm(f), one_step_norm(f, o)]
    shown("C03", [*sizes, 12], "0.844", "0.087", "4e-5", "12")
    shown("C37", [sizes[1], 12], "0.087", "12")


def test_c04_c38_what_a_state_contributes_and_what_gradient_it_gets_are_two_things():
    sent, got = [], []
    states, gates = (0.0, 100.0), (0.99, 0.01)
    for state, f in zip(states, gates, strict=True):
        params = one_unit(b=(0.3, logit(f), -0.2, 0.1))
        ends = [
            lstm.forward(params, np.zeros((1, 1, 1)), c_0=[[c]], squash="sigmoid")
            for c in (state, 0.0)
        ]
        sent.append(ends[0].c[1].item() - ends[1].c[1].item())
        got.append(lstm.backward(params, ends[0], dc={1: [[1.0]]}).c[0].item())
    shown("C04 C38", [*states, *gates, *sent], "0", "100", "0.99", "0.01", "0", "1")
    shown("C04 C38", got, "0.99", "0.01")


def test_c05_c35_c41_a_state_that_is_fully_kept_still_loses_its_gradient_in_the_squashing():
    params = one_unit(b=(5.0, 10.0, 5.0, 5.0))
    exits = {}
    for squash in ("sigmoid", "tanh"):
        run = lstm.forward(params, np.zeros((20, 1, 1)), squash=squash)
        exits[squash] = [
            lstm.backward(params, run, {t: [[1.0]]}).c[t].item() for t in (1, 5, 10, 20)
        ]
        kept = run.f.prod()
    shown("C05", [kept, len(run.f)], "0.999", "20")
    shown(
        "C05",
        [1, 5, 10, 20, *exits["sigmoid"]],
        "1",
        "5",
        "10",
        "20",
        "0.2",
        "0.0071",
        "5.2e-5",
        "2.7e-9",
    )
    shown("C35", [10, exits["sigmoid"][2], exits["tanh"][2]], "10", "5.2e-5", "9e-9")
    shown("C41", [kept, exits["sigmoid"][3]], "0.999", "2.7e-9")


# The RNN


def test_c06_the_sum_of_the_rnn_is_right_if_the_latest_factor_stands_on_the_left(chapter):
    params, steps = chapter.rnn, 4
    cache = rnn.forward(params, chapter.rnn_x, chapter.rnn_h_0)
    J = [rnn_step_matrix(params, cache, t) for t in range(1, steps + 1)]
    latest_left = J[3] @ J[2] @ J[1]
    as_read = J[1] @ J[2] @ J[3]
    shown("C06", relative(as_read, latest_left), "100.4%")
    back = chain(J)
    terms = np.zeros((6, 6))
    for k in range(1, steps + 1):
        row = chapter.dh_4[0] @ back[steps - k]
        terms += np.outer(row * (1 - cache.h[k, 0] ** 2), cache.h[k - 1, 0])

    def error(W):
        h = rnn.forward(params._replace(W_hh=W), chapter.rnn_x + 0j, chapter.rnn_h_0).h
        return (chapter.dh_4 * h[-1]).sum()

    within("C06", relative(terms, jacobian(error, params.W_hh)), "1e-12")


def test_c07_the_product_of_the_rnn_vanishes_for_contracting_weights_only():
    rng = np.random.default_rng(7)
    x, W = 0.01 * rng.standard_normal((20, 1, D)), orthogonal(rng, 16)
    sizes = []
    for gain in (0.5, 1.0):
        params = rnn.Params(rng.standard_normal((16, D)), gain * W)
        run = rnn.forward(params, x)
        sizes.append(norm(chain([rnn_step_matrix(params, run, t) for t in range(1, 21)])[-1]))
    assert sizes[0] <= 0.5**20
    shown("C07", [len(x), 0.5, *sizes], "20", "half", "9.5e-7", "0.978")


def test_c08_the_first_step_keeps_a_share_of_the_gradient_that_the_weights_decide(chapter):
    shares = []
    for scale in (0.5, 1.0, 2.0):
        params = chapter.rnn._replace(W_hh=scale * chapter.rnn.W_hh)
        run = rnn.forward(params, chapter.rnn_x, chapter.rnn_h_0)
        back = rnn.backward(params, run, {4: chapter.dh_4}, per_step=True)
        assert relative(back.per_step.W_hh.sum(0), back.params.W_hh) < 1e-13
        shares.append(np.linalg.norm(back.per_step.W_hh[0]) / np.linalg.norm(back.params.W_hh))
    shown("C08", [0.5, 1, 2, *shares], "½", "1", "2", "3.9%", "21.5%", "26.2%")
    from_zero = rnn.forward(params, chapter.rnn_x)
    steps = rnn.backward(params, from_zero, {4: chapter.dh_4}, per_step=True).per_step
    assert not steps.W_hh[0].any() and steps.W_xh[0].any()
    shown("C08", 4 - 1, "three", where="condition")
    rng = np.random.default_rng(8)
    W = rng.standard_normal((200, 6, 6)) / np.sqrt(6)
    grid = rnn.Params(rng.standard_normal((200, 6, 3)) / np.sqrt(3), W)
    run = rnn.forward(
        grid, rng.standard_normal((4, 200, 1, 3)), rng.standard_normal((200, 1, 6)) / 2
    )
    steps = rnn.backward(grid, run, {4: np.ones((200, 1, 6))}, per_step=True).per_step.W_hh
    share = np.median(length(steps[0]) / length(steps.sum(0)))
    shown("C08", [200, 1, share], "200", "1", "10%")


# What reaches W_f


def test_c20_c19_c62_the_output_weights_of_step_k_are_not_reached_through_s_k(slides):
    params, cache = slides
    grads = lstm.backward(params, cache, dc={4: np.ones((B, H))}, per_step=True)
    assert not grads.per_step.W_ho[3].any() and grads.per_step.W_ho[2].any()
    assert all(getattr(grads.per_step, name)[3].any() for name in ("W_hf", "W_hi", "W_hg"))
    shown("C20", np.abs(grads.per_step.W_ho[3]).max(), "0")
    by_h = lstm.backward(params, cache, {4: np.ones((B, H))}, per_step=True)
    assert by_h.per_step.W_ho[3].any()

    def error(W):
        W_hh = params.W_hh.astype(complex)
        W_hh[H : 2 * H] = W
        run = lstm.forward(
            params._replace(W_hh=W_hh), cache.x + 0j, cache.h[0], cache.c[0], squash="sigmoid"
        )
        return run.c[4].sum()

    exact = jacobian(error, params.W_hf)
    within("C19 C62", relative(grads.per_step.W_hf.sum(0), exact), "1e-12")
    sizes = length(grads.per_step.W_hf[:4])
    shown("C62", [sizes[3] / length(exact), 4], "0.63", "4")


def test_c21_a_gradient_that_reaches_s_k_may_still_be_lost_on_the_way_into_w_f():
    slope, kept = [], []
    biases = (0.0, 2.0, 5.0, 10.0)
    for bias in biases:
        params = one_unit(b=(0.3, bias, -0.2, 0.1))
        run = lstm.forward(params, np.zeros((1, 1, 1)), [[1.0]], [[1.0]], squash="sigmoid")
        slope.append(lstm.backward(params, run, dc={1: [[1.0]]}).params.W_hf.item())
        longer = lstm.forward(params, np.zeros((20, 1, 1)), squash="sigmoid")
        kept.append(lstm.backward(params, longer, dc={20: [[1.0]]}).c[0].item())
    shown("C21", [5, kept[2], 20, slope[0], 0, slope[2]], "5", "0.87", "20", "0.25", "0", "0.0066")
    shown("C21", [10, slope[3]], "10", "4.5e-5")
    at_rest = lstm.forward(params, np.zeros((1, 1, 1)), [[1.0]], [[0.0]], squash="sigmoid")
    assert lstm.backward(params, at_rest, dc={1: [[1.0]]}).params.W_hf == 0
    # the way in and the way back are largest together at f = 21/22
    f = np.linspace(0.001, 0.999, 999_000)
    best = f[(f**20 * f * (1 - f)).argmax()]
    assert abs(best - 21 / 22) < 1e-5
    shown("C40", [biases[3], slope[3]], "10", "4.5e-5")


def test_c25_the_first_factor_vanishes_at_an_example_that_the_network_has_already_learnt():
    margins, slope = (0.0, 5.0, 20.0), []
    for margin in margins:
        y = np.array([[[margin, 0.0]]])
        _, dy = readout.softmax_cross_entropy(y, np.array([[0]]))
        p = np.exp(y) / np.exp(y).sum()
        assert np.allclose(dy, p - np.eye(2)[0], rtol=0, atol=1e-15)
        slope.append(np.abs(dy).max())
    shown("C25", [2, *margins, *slope], "two", "0", "5", "20", "0.5", "0.0067", "2.1e-9")


# Explicit and implicit terms


def test_c27_c28_dh_ds_is_diagonal_because_each_output_reads_its_own_gate_and_cell(slides):
    params, cache = slides
    t = 3
    h, s, x = cache.h[t - 1, 0], cache.c[t - 1, 0], cache.x[t - 1, :1]

    def output(s=s, b_h=params.b_h):
        moved = params._replace(b_h=b_h)
        return lstm.step(moved, x, h[None], s[None], squash="sigmoid")[0][0]

    by_s = jacobian(lambda s: output(s=s), s) / cache.f[t - 1, 0]  # s_{t−1} reaches s_t by f only
    assert np.array_equal(by_s, np.diag(np.diag(by_s)))
    after = cache.c[t, 0]
    exact = cache.o[t - 1, 0] * sigma(after) * (1 - sigma(after))
    within("C28", np.diag(by_s) - exact, "1e-13")
    assert relative(np.diag(by_s), lstm.output_derivative(cache)[t - 1, 0]) < 1e-12
    by_o = jacobian(lambda b: output(b_h=b), params.b_h)[:, 3 * H :]
    assert np.array_equal(by_o, np.diag(np.diag(by_o))) and np.diag(by_o).all()
    shown("C27", [np.count_nonzero(by_s), np.count_nonzero(by_o), by_s.size], "5", "5", "25")


def test_c24_the_same_symbols_read_as_total_derivatives_are_no_path_and_not_the_gradient():
    params, cache, dL = wide(24, squash="sigmoid")
    totals = products(sum(cell_terms(params, cache)))[:, :, 0]
    off = []
    for lag in (1, 5, 20):
        exact = dL @ from_cell(params, cache, lag)[0]
        off.append(np.median(gaps(dL * exit_of(cache) @ totals[lag], exact)))
    shown("C24", [200, 1, 5, 20, *off], "200", "1", "5", "20", "24%", "22%", "22%")


def test_c30_c31_the_implicit_term_has_three_parts_and_with_all_of_them_the_derivative_is_exact():
    params, cache, _ = wide(30, squash="sigmoid")
    exact = from_cell(params, cache, 1)[1]
    A, kept, C, D_t = (term[-1, :, 0] for term in cell_terms(params, cache))
    within("C31", gaps(A + kept + C + D_t, exact), "1e-12")
    sizes = [np.median(norms(part)) for part in (A, C, D_t)]
    shown("C30", [len(exact), *sizes], "200", "0.036", "0.033", "0.032")
    shown("C30", np.median(gaps(kept + D_t, exact)), "3.9%")
    shown("C30 C31", len(sizes), "three", where="right")
    shown("C33", [len(exact), np.median(gaps(kept, kept + A + C))], "200", "3.9%")


def test_c32_dropping_the_implicit_term_costs_more_the_longer_the_path():
    params, cache, dL = wide(32, squash="sigmoid")
    off = {}
    for lag in (1, 5, 10, 20):
        exact = dL @ from_cell(params, cache, lag)[0]
        path = dL * exit_of(cache) * cache.f[-lag:].prod(0)
        off[lag] = gaps(path, exact)
    shown("C32", [200, *off], "200", "1", "5", "10", "20")
    shown("C32", [np.median(each) for each in off.values()], "24%", "27%", "34%", "49%")
    shown("C32", (off[20] > off[1]).mean(), "80%")


def test_c34_c52_c53_c54_t_0_is_the_gradient_of_the_network_whose_gates_are_frozen(slides):
    params, cache = slides
    dL, k = np.arange(1.0, H + 1), 2

    def frozen(s):
        for t in range(k + 1, T + 1):
            s = cache.f[t - 1, 0] * s + cache.i[t - 1, 0] * cache.g[t - 1, 0]
        return dL @ (cache.o[T - 1, 0] * sigma(s))

    exact = jacobian(frozen, cache.c[k, 0])
    forgets = [np.diag(cache.f[t - 1, 0]) for t in range(k + 1, T + 1)]
    one_by_one = dL @ tau(cache, T) @ chain(forgets)[-1]
    within("C34", relative(one_by_one, exact), "1e-12")
    shown("C34", [len(forgets), T, k], "4", "6", "2")
    at_once = dL @ tau(cache, T) @ np.diag(cache.f[k:T, 0].prod(0))
    within("C53", relative(at_once, exact), "1e-12")
    core = jacobians.explicit_path(params, cache, np.stack([dL] * B))[T - k, 0]
    within("C54", [relative(t_0(cache, dL, k, T), exact), relative(core, exact)], "1e-12")
    one_more = dL @ tau(cache, T) * cache.f[k - 1 : T, 0].prod(0)
    shown("C54", relative(one_more, exact), "0.48")
    at_every_step = dL
    for t in range(T, k, -1):
        at_every_step = at_every_step @ tau(cache, t) * cache.f[t - 1, 0]
    shown("C52", np.linalg.norm(at_every_step) / np.linalg.norm(exact), "0.0022")


# How much the open path keeps


def test_c36_c39_c55_c63_the_open_path_needs_forget_gates_near_one_over_the_whole_span():
    alone, biases = [], (0.0, 1.0, 2.0, 3.0, 5.0)
    for bias in biases:
        params = one_unit(b=(0.3, bias, -0.2, 0.1))
        run = lstm.forward(params, np.zeros((20, 1, 1)), squash="sigmoid")
        alone.append(lstm.backward(params, run, dc={20: [[1.0]]}).c[0].item())
    shown("C36", [20, 0, 5, alone[0], alone[-1]], "20", "0", "5", "9.5e-7", "0.87")
    kept, path = {}, {}
    for bias in biases:
        params, cache, _ = wide(39, squash="sigmoid", forget_bias=bias)
        kept[bias] = norms(from_cell(params, cache, 20)[1])
        path[bias] = np.median(cache.f[1:].prod(0))
    shown("C39", [200, 20, *biases], "200", "20", "0", "1", "2", "3", "5")
    shown("C39", path.values(), "1.3e-7", "0.00036", "0.030", "0.24", "0.82")
    shown("C55 C63", [200, 20, 0, 3, 5], "200", "20", "0", "3", "5")
    above = [(kept[bias] > 0.5).mean() for bias in (0, 3, 5)]
    shown("C55", [0.5, *above], "half", "0%", "90%", "100%")
    shown("C63", [np.median(kept[bias]) for bias in (0, 3, 5)], "0.00018", "0.61", "1.1")
