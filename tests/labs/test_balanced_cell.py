"""What the lab of the balanced cell says, in every state of it; its numbers: test_labs_paths.py."""

import numpy as np
from lab_claims import READOUT, claims, said

from bptt_core import jacobians
from bptt_core.labs import balance


def ends(states):
    """(w_o, lower root, larger root, the exact gradient over the lags) of each state."""
    for state in states:
        low, high = state.drawn["roots"][0]
        yield state.settings["w_o"], low, high, state.drawn["exact"][1]


@claims("balanced_cell", "Four terms that add up to 1 do not settle the gradient: w_o does")
def settles(states):
    for state in states:
        assert np.allclose(state.drawn["four"][1], 1, rtol=0, atol=1e-9)
    for w_o, _, _, exact in ends(states):
        assert (
            np.sign(exact[-1] - 1).round(9) == np.sign(w_o)
            or w_o == 0
            and exact[-1] == 1
            or (abs(exact[-1] - 1) < 1e-9 and w_o == 0)
        )


@claims(
    "balanced_cell",
    "Of each step, the cell itself carries 0.7, and the roads via f, via i and via g carry 0.1 "
    "each: 1 in all. The weight w_o is in none of them. What does it change?",
)
def shares(states):
    w_o = np.array([state.settings["w_o"] for state in states])
    terms = jacobians.cell_terms(*balance.balanced(w_o))
    for term, share in zip(terms, (0.1, 0.7, 0.1, 0.1), strict=True):
        assert np.allclose(term[1:], share, rtol=0, atol=1e-9)


@claims(
    "balanced_cell",
    "A step acts on the pair of h and c.",
    "Its two growth factors are the roots of λ² − (1 + R) λ + 0.7 R = 0, where R = 0.19 w_o is "
    "what the road via o carries.",
)
def roots(states):
    for w_o, low, high, _ in ends(states):
        R = 0.25 * np.tanh(1) * w_o
        assert np.allclose([low + high, low * high], [1 + R, 0.7 * R], rtol=0, atol=1e-9)
        assert abs(R - 0.19 * w_o) <= 0.005 * abs(w_o)


@claims(
    "balanced_cell",
    "At λ = 1 the curve stands at −0.3 R: one root lies above 1 as soon as w_o is positive, and "
    "both lie below as soon as it is negative.",
    "At λ = 0.7 it stands at −0.21, whatever w_o is: the larger root never falls below the forget "
    "gate.",
)
def turns(states):
    for state, (w_o, low, high, _) in zip(states, ends(states), strict=True):
        x, y = state.drawn["parabola"]
        assert np.allclose(np.interp([0.7, 1], x, y)[0], -0.21, atol=2e-3)
        assert abs(np.interp(1, x, y) + 0.3 * 0.25 * np.tanh(1) * w_o) < 2e-3
        assert low < 0.7 < high and low < 1 - 1e-9
        assert (high > 1 + 1e-9) == (w_o > 0) and (high < 1 - 1e-9) == (w_o < 0)


@claims("balanced_cell", READOUT)
def readout(states):
    for state, (w_o, low, high, exact) in zip(states, ends(states), strict=True):
        if w_o:
            assert abs(said(r"the gradient is ([^:]+):", state.sentence) / exact[-1] - 1) < 0.06
            assert abs(said(r"by a factor of ([\d.]+) a step", state.sentence) - high) < 6e-4
        assert ("grows" in state.sentence) == (w_o > 0)
        assert ("shrinks" in state.sentence) == (w_o < 0)
        assert low < high
