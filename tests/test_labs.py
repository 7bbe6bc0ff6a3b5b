"""What the labs show is true: against other formulas, at the ends of their sliders, and in the
words under them."""

import re

import numpy as np
import pytest
from figures import numbers

from bptt_core.explorer.places import beside, stairs
from bptt_core.labs import LABS, _words, linear


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
