"""The words and places that the labs share."""

import numpy as np
import pytest

from bptt_core.explorer.places import beside, stairs
from bptt_core.labs import _words


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
    ("curve", "word"),
    [
        (0.9 ** np.arange(201), "vanishing, it halves every 6.6 steps"),
        (1.02 ** np.arange(201), "exploding, it doubles every 35 steps"),
        (1.005 ** np.arange(201), "neither vanishing nor exploding, it stays between 1 and 2.7"),
        (1.02 ** np.r_[0:101, 99:-1:-1], "neither vanishing nor exploding, it stays between 1 and"),
        (0.9 ** np.r_[0:101, 99:-1:-1], "neither vanishing nor exploding"),
        (0.95 ** np.r_[0:201] * np.r_[1:1.5:201j], "vanishing"),
    ],
)
def test_a_verdict_comes_from_a_fit_and_has_a_dead_band(curve, word):
    said = _words.fitted(_words.fit(curve), curve, "it").replace("*", "")
    assert said.startswith(word)


def test_a_verdict_does_not_hang_on_the_last_point():
    curve = 0.9 ** np.arange(201.0)
    moved = curve * np.r_[np.ones(200), 1e12]
    assert moved[-1] > 1
    assert _words.trend(_words.fit(moved), 200) == _words.trend(_words.fit(curve), 200) == -1


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
