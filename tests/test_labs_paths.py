"""The figures on roads and paths show what is so, at every one of their states."""

import re

import numpy as np
import pytest

from bptt_core import lstm
from bptt_core.labs import balance, balanced_cell

STEPS, LAGS = balance.STEPS, balance.LAGS


@pytest.fixture(scope="module")
def balanced():
    """The lab, and its state at every setting: [(w_o, state)]."""
    lab = balanced_cell()
    return lab, [(at["w_o"], lab.at(**at)) for at in lab.settings_grid()]


def written(sentence):
    """The numbers of a sentence, as floats."""
    text = sentence.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    found = re.findall(r"(?<![_\w])-?\d+(?:\.\d+)?(?:\u00a0×\u00a010-?\d+)?", text)
    return [float(each.replace("\u00a0×\u00a010", "e")) for each in found]


def moved_cell(w_o, lag):
    """∂c_T/∂c_{T−lag} by a complex step: the cell of T − lag is moved, its output gate held, and
    the network runs on."""
    params, cache = balance.balanced(np.array([w_o]))
    params = lstm.Params(*(part[0] for part in params))
    t = STEPS - lag
    c = cache.c[t, 0] + 1e-30j
    h = cache.o[t - 1, 0] * np.tanh(c)
    for _ in range(lag):
        h, c = lstm.step(params, np.zeros((1, 1)), h, c)
    return c.item().imag / 1e-30


def test_the_balanced_cell_rests_and_its_four_terms_add_up_to_one_at_every_weight(balanced):
    lab, states = balanced
    w_o = np.array([at for at, _ in states])
    _, cache = balance.balanced(w_o)
    np.testing.assert_allclose(cache.c, balance.REST, rtol=0, atol=1e-9)
    for _, state in states:
        np.testing.assert_allclose(state.drawn["four"][1], 1, rtol=0, atol=1e-9)
    assert sum(balance.PARTS.values()) == pytest.approx(1, abs=1e-15)


def test_the_balanced_cell_draws_what_moving_the_cell_does(balanced):
    for w_o, state in balanced[1][::5]:
        for lag in (0, 1, 2, 7, LAGS):
            np.testing.assert_allclose(
                state.drawn["exact"][1][lag], moved_cell(w_o, lag), rtol=1e-8
            )


def test_the_balanced_gradient_is_a_sum_of_powers_of_the_two_roots(balanced):
    """d_{k+1} = (1 + R) d_k − 0.7 R d_{k−1} with d_0 = d_1 = 1, by the equation of the title."""
    for w_o, state in balanced[1]:
        R = 0.25 * np.tanh(1) * w_o
        low, high = np.sort(np.roots([1, -(1 + R), 0.7 * R]))
        np.testing.assert_allclose(state.drawn["roots"][0], [low, high], rtol=0, atol=1e-9)
        d = [1.0, 1.0]
        for _ in range(LAGS - 1):
            d.append((1 + R) * d[-1] - 0.7 * R * d[-2])
        np.testing.assert_allclose(state.drawn["exact"][1], d, rtol=1e-7)
        share = (1 - low) / (high - low)
        k = np.arange(LAGS + 1)
        closed = share * high**k + (1 - share) * low**k
        np.testing.assert_allclose(state.drawn["exact"][1], closed, rtol=1e-7)
        x, y = state.drawn["parabola"]
        np.testing.assert_allclose(y, (x - low) * (x - high), rtol=0, atol=1e-12)


def test_what_the_balanced_cell_says_of_every_weight_is_so(balanced):
    """The reading: 1 between the roots if w_o > 0, above both if w_o < 0; 0.7 always between; the
    larger root rules; the gradient above the forget gate's."""
    lab, states = balanced
    assert "R = 0.19 w" in lab.html and round(0.25 * np.tanh(1), 2) == 0.19
    for w_o, state in states:
        low, high = state.drawn["roots"][0]
        exact = state.drawn["exact"][1]
        assert low < 0.7 < high and abs(low) < high
        assert np.sign(high - 1).round() == np.sign(w_o) or abs(high - 1) < 1e-9 and w_o == 0
        assert low < 1 - 1e-9 and (exact >= 0.7 ** np.arange(LAGS + 1) - 1e-12).all()
        assert np.isfinite(state.drawn["exact"][1]).all()


def test_the_sentence_of_the_balanced_cell_holds_the_numbers_of_its_state(balanced):
    for w_o, state in balanced[1]:
        low, high = state.drawn["roots"][0]
        end = state.drawn["exact"][1][-1]
        said = written(state.sentence)
        R = 0.25 * np.tanh(1) * w_o
        expected = [R, low, high, LAGS, 1] + ([] if w_o == 0 else [end, high])
        np.testing.assert_allclose(said, expected, rtol=0.05, atol=6e-4)
        assert ("grows" in state.sentence) == (w_o > 0)
        assert ("shrinks" in state.sentence) == (w_o < 0)


def test_the_balanced_cell_draws_the_numbers_of_the_ledger(balanced):
    for w_o, value in ((0, 1.000), (2, 10.17), (-2, 0.2029), (8, 7.411e4)):
        state = balanced[0].at(w_o=w_o)
        assert f"{state.drawn['exact'][1][-1]:.4g}" == f"{value:.4g}"


def test_every_part_of_the_balanced_cell_stays_in_its_frame(balanced):
    for _, state in balanced[1]:
        roots, _ = state.drawn["roots"]
        assert (roots > -0.7).all() and (roots < 2.2).all()
        for gid in ("exact", "four", "root", "gate"):
            y = state.drawn[gid][1]
            assert (y > 1e-3).all() and (y < 1e6).all()
        x, y = state.drawn["parabola"]
        under_label = y[(x > 0.4) & (x < 1.0)]
        assert under_label.max() < 0.42  # the words at 0.7 stand free
