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
