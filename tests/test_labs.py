"""What the labs show is true: against other formulas, at the ends of their sliders, and in the
words under them."""

import re

import numpy as np
import pytest
from figures import numbers

from bptt_core import gradient_flow, lstm
from bptt_core.explorer.places import beside, stairs
from bptt_core.labs import LABS, _words, cliff, forgetting, linear, saturation


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
