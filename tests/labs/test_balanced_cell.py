"""What the lab of the balanced cell says and draws, at every weight of its output gate."""

import re

import numpy as np
import pytest
from lab_claims import READOUT, claims, made, states

from bptt_core import jacobians, lstm
from bptt_core.labs import balance

STEPS, LAGS = balance.STEPS, balance.LAGS


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


def weights(states):
    """[(w_o, state)]"""
    return [(state.settings["w_o"], state) for state in states]


@claims("balanced_cell", "Four terms that add up to 1 do not settle the gradient: w_o does")
def settles(states):
    w_o = np.array([at for at, _ in weights(states)])
    _, cache = balance.balanced(w_o)
    np.testing.assert_allclose(cache.c, balance.REST, rtol=0, atol=1e-9)
    for at, state in weights(states):
        np.testing.assert_allclose(state.drawn["four"][1], 1, rtol=0, atol=1e-9)
        end = state.drawn["exact"][1][-1]
        assert (end > 1 + 1e-9) == (at > 0) and (end < 1 - 1e-9) == (at < 0)
    assert sum(balance.PARTS.values()) == pytest.approx(1, abs=1e-15)


@claims(
    "balanced_cell",
    "Of each step, the cell itself carries 0.7, and the roads via f, via i and via g carry 0.1 "
    "each: 1 in all. The weight w_o is in none of them. What does it change?",
)
def shares(states):
    w_o = np.array([at for at, _ in weights(states)])
    terms = jacobians.cell_terms(*balance.balanced(w_o))
    for term, share in zip(terms, (0.1, 0.7, 0.1, 0.1), strict=True):
        np.testing.assert_allclose(term[1:], share, rtol=0, atol=1e-9)


@claims("balanced_cell", "A step acts on the pair of h and c.")
def acts_on_the_pair(states):
    """The complex step moves both: the cell, and what is seen of it."""
    for w_o, state in weights(states)[::5]:
        for lag in (0, 1, 2, 7, LAGS):
            np.testing.assert_allclose(
                state.drawn["exact"][1][lag], moved_cell(w_o, lag), rtol=1e-8
            )


@claims(
    "balanced_cell",
    "Its two growth factors are the roots of λ² − (1 + R) λ + 0.7 R = 0, where R = 0.19 w_o is "
    "what the road via o carries.",
)
def grows_by_the_roots(states):
    """d_{k+1} = (1 + R) d_k − 0.7 R d_{k−1} with d_0 = d_1 = 1, by the equation of the title."""
    assert round(0.25 * np.tanh(1), 2) == 0.19
    for w_o, state in weights(states):
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


@claims(
    "balanced_cell",
    "At λ = 1 the curve stands at −0.3 R: one root lies above 1 as soon as w_o is positive, and "
    "both lie below as soon as it is negative.",
    "At λ = 0.7 it stands at −0.21, whatever w_o is: the larger root never falls below the forget "
    "gate.",
)
def turns(states):
    """And the larger root rules; the gradient lies above the forget gate's."""
    for w_o, state in weights(states):
        low, high = state.drawn["roots"][0]
        exact = state.drawn["exact"][1]
        x, y = state.drawn["parabola"]
        assert abs(np.interp(0.7, x, y) + 0.21) < 2e-3
        assert abs(np.interp(1, x, y) + 0.3 * 0.25 * np.tanh(1) * w_o) < 2e-3
        assert low < 0.7 < high and abs(low) < high and low < 1 - 1e-9
        assert (high > 1 + 1e-9) == (w_o > 0) and (high < 1 - 1e-9) == (w_o < 0)
        assert (exact >= 0.7 ** np.arange(LAGS + 1) - 1e-12).all() and np.isfinite(exact).all()


@claims("balanced_cell", READOUT)
def readout(states):
    for w_o, state in weights(states):
        low, high = state.drawn["roots"][0]
        end = state.drawn["exact"][1][-1]
        said = written(state.sentence)
        R = 0.25 * np.tanh(1) * w_o
        expected = [R, low, high, LAGS, 1] + ([] if w_o == 0 else [end, high])
        np.testing.assert_allclose(said, expected, rtol=0.05, atol=6e-4)
        assert ("grows" in state.sentence) == (w_o > 0)
        assert ("shrinks" in state.sentence) == (w_o < 0)


def test_the_balanced_cell_draws_the_numbers_of_the_ledger():
    for w_o, value in ((0, 1.000), (2, 10.17), (-2, 0.2029), (8, 7.411e4)):
        state = made("balanced_cell").at(w_o=w_o)
        assert f"{state.drawn['exact'][1][-1]:.4g}" == f"{value:.4g}"


def test_every_part_of_the_balanced_cell_stays_in_its_frame():
    for state in states("balanced_cell"):
        roots, _ = state.drawn["roots"]
        assert (roots > -0.7).all() and (roots < 2.2).all()
        for gid in ("exact", "four", "root", "gate"):
            y = state.drawn[gid][1]
            assert (y > 1e-3).all() and (y < 1e6).all()
        x, y = state.drawn["parabola"]
        under_label = y[(x > 0.4) & (x < 1.0)]
        assert under_label.max() < 0.42  # the words at 0.7 stand free
