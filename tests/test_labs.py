"""What the labs show is true: against other formulas, at the ends of their sliders, and in the
words under them."""

import gzip
import re

import numpy as np
import pytest
from figures import Page, artist_of, numbers

from bptt_core import gradient_flow, lstm, rnn
from bptt_core.explorer import script
from bptt_core.explorer.picture import GAP
from bptt_core.explorer.places import beside, stairs
from bptt_core.explorer.table import digits
from bptt_core.labs import LABS, _words, cliff, forgetting, linear, saturation, windows


@pytest.fixture(scope="module")
def made():
    return {name: make() for name, make in LABS.items()}


def ask(lab, **changes):
    """({gid: heights}, sentence) at the start of a lab with some settings changed."""
    state = lab.at(**changes)
    drawn = {gid: np.broadcast_to(y, x.shape) for gid, (x, y) in state.drawn.items()}
    return drawn, state.sentence.replace("*", "")


def table(lab, **changes):
    """The table of numbers as rows of (abscissa, values), as the page reads it."""
    return numbers(lab.reply(**changes)["cells"]).T


def value(pattern, sentence):
    """The number that `pattern` captures in a sentence, 3.2 × 10⁻⁸ included."""
    text = re.search(pattern, sentence)[1].replace("\u00a0", "").replace("%", "")
    digits = text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")).replace("×10", "e")
    return float(digits)


NUMBER = r"([\d.]+(?:\u00a0×\u00a010[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"


@pytest.mark.parametrize("name", LABS)
def test_a_grid_of_settings_and_one_setting_agree(made, name):
    """What a page holds was computed many settings at a time; a kernel computes one."""
    lab, rng = made[name], np.random.default_rng(0)
    page = Page(lab)
    for _ in range(5):
        setting = {key: values[rng.integers(len(values))] for key, values in lab.grid.items()}
        one = lab.reply(**setting)
        held = page.at(setting)
        assert one["words"] == held["words"] and one["cells"] == held["cells"]
        for exact, kept in zip(one["items"], held["items"], strict=True):
            for axis in kept.keys() & {"x", "y", "shade"}:
                assert np.abs(np.subtract(exact[axis], kept[axis])).max() <= 1  # 1/16 of a point


@pytest.mark.parametrize("name", LABS)
def test_every_part_of_a_lab_is_said(made, name):
    html = made[name].html
    for part in ("gtt-title", "gtt-question", "gtt-readout", "gtt-reading"):
        assert len(re.search(rf'class="{part}"[^>]*>(.*?)</p>', html, re.S)[1]) > 20
    assert html.count('role="img" aria-label="') == html.count("<svg") == 2


@pytest.mark.parametrize("name", LABS)
def test_a_lab_is_as_light_as_the_appendix_says(made, name):
    settings = np.prod([len(values) for values in made[name].grid.values()])
    weight = len(gzip.compress(made[name].html.encode()))
    assert 50 <= settings <= 4000 and 15_000 <= weight <= 50_000
    assert 6_500 <= len(gzip.compress(script.classic().encode())) <= 7_500


# --- 1


@pytest.mark.parametrize(
    ("radius", "angle", "between"), [(0.9, 40.0, 90.0), (1.1, 130.0, 16.0), (1.0, 6.0, 10.0)]
)
def test_the_conjugate_pair_has_the_eigenvalues_and_eigenvectors_asked_for(radius, angle, between):
    W = linear.conjugate_pair(*(np.array([v]) for v in (radius, angle, between)))[0]
    values, vectors = np.linalg.eig(W)
    np.testing.assert_allclose(
        sorted(values, key=np.imag), radius * np.exp(1j * np.deg2rad([-angle, angle])), rtol=1e-12
    )
    cosine = abs(np.vdot(vectors[:, 0], vectors[:, 1]))
    np.testing.assert_allclose(np.rad2deg(np.arccos(np.clip(cosine, 0, 1))), between, atol=1e-6)


def test_lab_1_draws_powers_of_the_matrix_between_their_bounds(made):
    for radius, between in ((0.75, 10.0), (0.95, 16.0), (1.2, 35.0), (1.0, 90.0)):
        drawn, _ = ask(made["eigenvalues_linear"], radius=radius, between=between)
        W = linear.conjugate_pair(np.array([radius]), np.array([30.0]), np.array([between]))[0]
        powers = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in range(linear.LAGS + 1)]
        np.testing.assert_allclose(drawn["gradient"], powers, rtol=1e-10)
        k, sigma = np.arange(linear.LAGS + 1), np.linalg.norm(W, 2)
        assert (drawn["gradient"] <= sigma**k * (1 + 1e-9)).all() and (
            drawn["gradient"] >= radius**k * (1 - 1e-9)
        ).all()
        if between == 90:
            np.testing.assert_allclose(drawn["gradient"], radius**k, rtol=1e-9)


def test_lab_1_reaches_vanishing_rotation_explosion_and_growth_inside_the_circle(made):
    lab = made["eigenvalues_linear"]
    grows, sentence = ask(lab)
    assert lab.radius < 1 and grows["gradient"].max() > 5 and grows["gradient"][-1] < 1
    assert abs(value(rf"grows {NUMBER}-fold", sentence) / grows["gradient"].max() - 1) < 0.02
    assert int(re.search(r"by lag (\d+)", sentence)[1]) == grows["gradient"].argmax()
    assert (
        abs(value(rf"the gradient is {NUMBER} times", sentence) / grows["gradient"][-1] - 1) < 0.03
    )
    assert (
        abs(value(rf"halves every {NUMBER} steps", sentence) / (np.log(0.5) / np.log(0.95)) - 1)
        < 0.05
    )
    turn, sentence = ask(lab, radius=1.0, between=90.0)
    assert np.ptp(turn["gradient"]) < 1e-9 and "Neither vanishing nor exploding" in sentence
    out, sentence = ask(lab, radius=1.2)
    assert (
        out["gradient"][-1] > 100
        and "Exploding: in the long run each step multiplies it by 1.2." in sentence
    )
    gone, sentence = ask(lab, radius=0.7, between=90.0)
    assert gone["gradient"][-1] < 1e-4 and "Vanishing" in sentence and "grows" not in sentence


# --- 2


def test_lab_2_vanishes_with_a_spectral_radius_well_above_one(made):
    lab = made["eigenvalues_tanh"]
    drawn, sentence = ask(lab)
    assert lab.radius == 1.5 and drawn["gradient"][-1] < 1e-6 and "Vanishing" in sentence
    factor = gradient_flow.factor_per_step(drawn["gradient"])
    assert (
        abs(value(rf"halves every {NUMBER} steps", sentence) / gradient_flow.half_life(factor) - 1)
        < 0.05
    )
    assert abs(value(rf"promises {NUMBER}", sentence) / 1.5**linear.LAGS - 1) < 0.05
    assert "Exploding" in ask(lab, activation="relu", radius=2.0)[1]
    assert "Vanishing" in ask(lab, activation="sigmoid", radius=2.0, drive=0.0)[1]


def test_lab_2_never_passes_its_bound_and_passes_the_spectral_radius(made):
    lab, passed = made["eigenvalues_tanh"], 0
    for activation, gamma in (("tanh", 1), ("sigmoid", 0.25), ("relu", 1)):
        for radius in lab.grid["radius"]:
            for drive in lab.grid["drive"]:
                drawn, _ = ask(lab, activation=activation, radius=radius, drive=drive)
                k, sigma = np.arange(linear.LAGS + 1), np.linalg.norm(radius * saturation.W_UNIT, 2)
                assert (drawn["gradient"] <= (gamma * sigma) ** k * (1 + 1e-9)).all()
                passed += (drawn["gradient"] > radius**k * 1.01).any()
    assert passed > 5


# --- 3


def test_lab_3_reaches_from_three_steps_to_hundreds_and_then_saturates(made):
    lab = made["forget_gate"]
    short, long, open_ = (ask(lab, forget_bias=b) for b in (1.0, 4.0, 6.0))
    assert 2 < value(rf"halves every {NUMBER} steps", short[1]) < 5
    assert short[0]["exact"][-1] < 1e-15 < 0.01 < long[0]["exact"][-1]
    assert (
        value(rf"moves h_T by {NUMBER}", short[1])
        > 20
        > 1
        > value(rf"moves h_T by {NUMBER}", open_[1])
    )
    assert open_[0]["cell"][-1] > 2.5 > short[0]["cell"].max()


@pytest.mark.parametrize("forget_bias", [-2.0, 1.0, 3.0, 6.0])
def test_lab_3_draws_the_gradient_that_backpropagation_gives(made, forget_bias):
    drawn, _ = ask(made["forget_gate"], forget_bias=forget_bias, length="50", scale=2.0)
    x, params, _ = forgetting.remembered(np.array([forget_bias]), np.array([2.0]))
    cache = lstm.forward(params, x[:50])
    rows = []
    for unit in range(6):
        back = lstm.backward(params, cache, dc={50: np.eye(6)[unit][None, None]})
        rows.append(back.c[::-1, 0, 0])
    exact = np.linalg.norm(np.stack(rows, 1), 2, axis=(1, 2))
    k = forgetting.SHOWN[forgetting.SHOWN <= 50]
    np.testing.assert_allclose(drawn["exact"][: len(k)], exact[k], rtol=1e-8)
    assert np.isnan(drawn["exact"][len(k) :]).all()
    state = made["forget_gate"].at(length="50", forget_bias=forget_bias, scale=2.0)
    np.testing.assert_allclose(state.drawn["exact"][0][: len(k)], k)
    only_f = np.concatenate([np.ones((1, 6)), np.cumprod(cache.f[::-1, 0, 0], 0)]).max(-1)
    np.testing.assert_allclose(drawn["forget"][: len(k)], only_f[k], rtol=1e-10)


def test_lab_3_shows_that_the_product_of_f_and_the_four_terms_are_not_the_gradient(made):
    drawn, sentence = ask(made["forget_gate"])
    assert (
        drawn["exact"][-1] > 3 * drawn["forget"][-1] and drawn["exact"][-1] > 2 * drawn["four"][-1]
    )
    for gid, pattern in (
        ("exact", "exact gradient is"),
        ("forget", "f alone says"),
        ("four", "four terms"),
    ):
        assert abs(value(rf"{pattern} {NUMBER}", sentence) / drawn[gid][-1] - 1) < 0.03


# --- 4


def test_lab_4_stacks_shares_that_add_up_to_one_and_cancel(made):
    lab = made["paths"]
    drawn, sentence = ask(lab, sequence="1", forget_bias=1.0, scale=2.0)
    lags = len(drawn["total"])
    share = {}
    for gid in ("cell", "gates", "output", "mixed"):
        edge, base = np.split(drawn[f"share-{gid}"], 2)
        assert (
            (edge[::2] == edge[1::2]).all()
            and (base[::2] == base[1::2]).all()
            and len(edge) == 2 * lags
        )
        edge, base = edge[::2], base[::-1][::2]
        share[gid] = edge - base
        assert (
            np.where(share[gid] < 0, np.maximum(edge, base), -np.minimum(edge, base)) <= 1e-12
        ).all()
    np.testing.assert_allclose(sum(share.values()), 1, rtol=1e-9)
    pull = sum(map(abs, share.values()))
    assert pull.max() > 1.5 and f"at lag {pull.argmax()} " in sentence
    worst = np.stack(list(share.values()))[:, pull.argmax()]
    assert (
        abs(value(rf"above zero add up to {NUMBER},", sentence) / worst[worst > 0].sum() - 1) < 0.03
    )
    assert abs(value(rf"below to −{NUMBER}\.", sentence) / worst[worst < 0].sum() + 1) < 0.03
    assert abs(share["cell"][-1]) < 0.05 and share["cell"][1] > 0.5


def test_lab_4_has_settings_where_the_path_through_the_cell_is_nearly_everything(made):
    for sequence in "12":
        sentence = ask(made["paths"], sequence=sequence, scale=0.05, forget_bias=3.0)[1]
        assert 93 < value(rf"cell alone is {NUMBER}", sentence) < 107


def test_lab_4_sums_to_what_backpropagation_gives(made):
    rng = np.random.default_rng(11)
    x, cell, dh = (
        rng.standard_normal((16, 1, 3)),
        lstm.init_params(3, 5, rng),
        rng.standard_normal((1, 5)),
    )
    params = lstm.Params(cell.W_xh, 0.5 * cell.W_hh, np.repeat([0, 2.0, 0, 0], 5))
    exact = np.linalg.norm(lstm.backward(params, lstm.forward(params, x), dh={16: dh}).c, axis=-1)[
        ::-1, 0
    ]
    drawn, _ = ask(made["paths"], forget_bias=2.0, scale=0.5)
    np.testing.assert_allclose(drawn["total"], exact, rtol=1e-9)


# --- 5


def test_the_cliff_has_the_gradient_of_central_differences():
    w, b, step = np.array([4.6, 5.0, 4.45]), np.array([-2.9, -2.2, -2.3]), 1e-6
    _, dw, db = cliff.cliff(w, b)
    np.testing.assert_allclose(
        dw, (cliff.cliff(w + step, b)[0] - cliff.cliff(w - step, b)[0]) / 2 / step, rtol=1e-4
    )
    np.testing.assert_allclose(
        db, (cliff.cliff(w, b + step)[0] - cliff.cliff(w, b - step)[0]) / 2 / step, rtol=1e-4
    )


def test_the_cliff_is_the_recursion_of_the_paper():
    x = 0.5
    for _ in range(50):
        x = 4.6 / (1 + np.exp(-x)) - 2.9
    assert (
        abs(
            cliff.cliff(np.array([4.6]), np.array([-2.9]))[0][0] - (1 / (1 + np.exp(-x)) - 0.7) ** 2
        )
        < 1e-12
    )


def test_clipped_steps_are_no_longer_than_the_threshold_and_keep_their_direction():
    w, b, _, size = cliff.descend("plateau", np.array([0.1, 0.1]), np.array([0.2, np.inf]))
    steps = np.hypot(np.diff(w), np.diff(b)) / 0.1
    np.testing.assert_allclose(steps[0], np.minimum(size[0, :-1], 0.2), rtol=1e-6)
    np.testing.assert_allclose(steps[1], size[1, :-1], rtol=1e-6)
    assert size[1].max() > 30


def test_lab_5_shows_that_clipping_saves_the_descent_and_what_it_costs(made):
    drawn, sentence = ask(made["clipping"])
    late = {gid: np.median(drawn[f"{gid}-loss"][-20:]) for gid in ("free", "clipped")}
    assert late["clipped"] < late["free"] / 5 and "lower" in sentence
    assert abs(value(rf"then the median is {NUMBER}", sentence) / late["clipped"] - 1) < 0.03
    assert "never reached" in ask(made["clipping"], threshold=50.0)[1]
    assert "shortens 50 of 50 steps" in ask(made["clipping"], threshold=0.05)[1]
    assert "too short" in ask(made["clipping"], threshold=0.05)[1]
    few = ask(made["clipping"], start="valley", threshold=1.0, rate=0.3)[1]
    assert "shortens 1 of 50 steps" in few and "the same" in few and "lower" not in few
    dear = ask(made["clipping"], start="valley", threshold=0.5, rate=0.3)[1]
    assert "shortens 5 of 50 steps" in dear and "no lower" in dear and "too short" not in dear


@pytest.mark.parametrize("start", ["plateau", "valley"])
def test_lab_5_says_where_the_longest_gradient_lands(made, start):
    sentence = ask(made["clipping"], start=start)[1].replace("−", "-").replace("\u00a0", " ")
    w, b, _, size = cliff.descend(start, np.array([0.1]), np.array([np.inf]))[:, 0]
    longest = size[:-1].argmax()
    assert (
        f"in step {longest}, and lands at w = {w[longest + 1]:.2f}, b = {b[longest + 1]:.2f}."
        in sentence
    )


# --- 6


def test_lab_6_is_exact_with_the_whole_window_and_falls_with_it():
    for cell in ("rnn", "lstm"):
        error, angle = windows.truncated(cell, np.array([0.7, 0.9]))
        assert error[:, -1].max() < 1e-12 and angle[:, -1].max() < 1e-4
        assert (error[:, 0] > 0.3).all() and (angle[:, 0] > 20).all()
        assert error[1, 9] > error[0, 9]  # the longer memory suffers more


def test_lab_6_truncates_as_a_cut_sequence_does():
    """With a window of 1 every loss sees its own step only: the gradient with the state before it
    held fixed."""
    rng = np.random.default_rng(4)
    x, dh = 0.3 * rng.standard_normal((30, 1, 3)), rng.standard_normal((30, 1, 8))
    params = rnn.init_params(3, 8, rng, orthogonal=True)
    params = params._replace(W_hh=0.9 * params.W_hh, b_h=None)
    cache = rnn.forward(params, x)
    flat = lambda g: np.concatenate([g.W_xh.ravel(), g.W_hh.ravel()])  # noqa: E731
    full = flat(rnn.backward(params, cache, dh).params)
    one = sum(
        flat(
            rnn.backward(
                params, rnn.forward(params, x[t : t + 1], cache.h[t]), dh[t : t + 1]
            ).params
        )
        for t in range(30)
    )
    error, angle = windows.truncated("rnn", np.array([0.9]))
    np.testing.assert_allclose(
        error[0, 0], np.linalg.norm(one - full) / np.linalg.norm(full), rtol=1e-9
    )
    cosine = one @ full / np.linalg.norm(one) / np.linalg.norm(full)
    np.testing.assert_allclose(angle[0, 0], np.rad2deg(np.arccos(cosine)), rtol=1e-6)


def test_lab_6_says_how_long_a_window_must_be(made):
    drawn, sentence = ask(made["truncation"])
    enough = 1 + (drawn["error"] < 0.1).argmax()
    assert f"takes {enough} steps" in sentence and "Too short" in sentence
    assert "Enough" in ask(made["truncation"], window=float(enough))[1]
    assert "Too short" in ask(made["truncation"], window=float(enough - 1))[1]


def test_lab_6_the_error_of_the_rnn_alone_stays_below_the_factor_per_step(made):
    for cell in ("rnn", "lstm"):
        memory = np.array(made["truncation"].grid["memory"])
        error, _ = windows.truncated(cell, memory)
        assert (error <= memory[:, None] ** windows.WINDOWS).all() == (cell == "rnn")


# --- the table of numbers


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (0, 0),
        (1, 16201),
        (-1, -16201),
        (0.0995, 15296),
        (0.09996, 15301),
        (999.6, 18901),
        (1e-19, 0),
        (1e18, GAP),
    ],
)
def test_a_number_of_the_table_is_three_digits_and_a_power(given, want):
    assert digits(np.array([given, np.nan], float)).tolist() == [want, GAP]


@pytest.mark.parametrize("name", LABS)
def test_the_table_holds_what_is_drawn_to_three_digits_and_nothing_outside_the_axes(made, name):
    lab, rng, listed = made[name], np.random.default_rng(5), 0
    columns = lab.columns
    for _ in range(12):
        changes = {key: values[rng.integers(len(values))] for key, values in lab.grid.items()}
        state, rows = lab.at(**changes), table(lab, **changes)
        kept = rows[np.isfinite(rows[:, 0]), 0]
        # whole lags, none of them twice
        assert (np.diff(kept) >= 1).all() and (kept == np.rint(kept)).all()
        for gid, column in zip(columns, rows[:, 1:].T, strict=True):
            axes = artist_of(lab, gid)[1].axes
            (low, high), log = axes.get_ylim(), axes.get_yscale() == "log"
            x, y = (np.broadcast_to(v, np.shape(state.drawn[gid][0])) for v in state.drawn[gid])
            with np.errstate(divide="ignore"):
                logs = np.interp(rows[:, 0], x, np.log(y)) if log else None
                want = np.exp(logs) if log else np.interp(rows[:, 0], x, y)
            inside = (want >= low) & (want <= high) & (rows[:, 0] <= np.nanmax(x))
            assert (np.isfinite(column) == (inside | (want == 0))).all(), (gid, changes)
            unit = 10.0 ** (np.floor(np.log10(np.maximum(want[inside], 1e-6 * high))) - 2)
            slack = 0.5000001 * unit + 1e-6 * high * (not log)
            assert (np.abs(column - want)[inside] <= slack).all(), (gid, changes)
            listed += inside.sum()
    assert listed > 100


def test_the_table_agrees_with_the_words(made):
    rows, sentence = table(made["truncation"]), ask(made["truncation"])[1]
    five = rows[rows[:, 0] == 5][0]
    assert f"error of {100 * five[1]:.0f}\u00a0%" in sentence and f"by {five[2]:.0f}°" in sentence
    for cell in ("rnn", "lstm"):
        for memory in made["truncation"].grid["memory"]:
            assert table(made["truncation"], cell=cell, memory=memory)[-1].tolist() == [
                30,
                0,
                0,
            ]  # no rounding noise
    assert np.nanmax(table(made["forget_gate"], length="50")[:, 0]) == 50


# --- words


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (0, "0"),
        (0.1234, "0.12"),
        (3.249, "3.2"),
        (41.4, "41"),
        (123.4, "123"),
        (3.2e-8, "3.2 × 10⁻⁸"),
        (1.94e5, "1.9 × 10⁵"),
    ],
)
def test_numbers_are_said_with_two_digits(given, want):
    assert _words.number(given).replace("\u00a0", " ") == want


@pytest.mark.parametrize(
    ("factor", "word"),
    [(0.9, "Vanishing"), (1.2, "Exploding"), (1.0, "Neither"), (0.996, "Neither")],
)
def test_a_verdict_agrees_with_its_factor(factor, word):
    assert _words.verdict(factor).startswith(f"*{word}")


# --- names beside the curves


def test_names_stand_where_their_curves_end_or_leave_and_beside_the_longest_of_a_stack():
    """On a log axis from 1e-3 to 1e4 over 30 lags, as shares of it."""
    x = np.arange(0, 31, 5.0)
    powers = {"ends": -0.01, "soon": -0.25, "later": -0.2, "grows": 0.5, "more": 0.6}
    curves = [(x[None] / 30, (power * x[None] + 3) / 7) for power in powers.values()]
    across, up = (
        30 * axis[:, 0] if i == 0 else axis[:, 0] for i, axis in enumerate(beside(curves))
    )
    at = {gid: (across[i], 10 ** (7 * up[i] - 3)) for i, gid in enumerate(powers)}
    assert at["ends"] == pytest.approx((30, 10**-0.3))
    # 0.001 at 15, 10000 at 8
    for first, second, corner in (("later", "soon", 15), ("grows", "more", 8)):
        assert at[first][0] == at[second][0] == pytest.approx(corner)
    assert at["soon"][1] < 10 * at["later"][1] and at["later"][1] > at["soon"][1]
    assert at["more"][1] > at["grows"][1] > at["ends"][1]


def test_bars_are_as_wide_as_a_lag_and_end_with_the_axis():
    x, y = stairs(np.arange(3), np.array([[0, -1, 0.0]]), np.array([[1, 0, 2.0]]))
    assert x.tolist() == [0, 0.5, 0.5, 1.5, 1.5, 2, 2, 1.5, 1.5, 0.5, 0.5, 0]
    assert y.tolist() == [[1, 1, 0, 0, 2, 2, 0, 0, -1, -1, 0, 0]]


def test_a_curve_that_stops_early_has_its_name_there():
    x, y = np.arange(4.0)[None] / 3, np.array([[0.9, 0.5, 0.25, np.nan]])
    across, up = beside([(x, y)])
    assert (across.item(), up.item()) == pytest.approx((2 / 3, 0.25))
