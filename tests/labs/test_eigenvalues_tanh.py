"""What the lab of the edge of chaos says, in every state of it."""

import numpy as np
import pytest
from lab_claims import PERCENT, claims, made, number, parse

from bptt_core import gradient_flow, jacobians, rnn
from bptt_core.studies import random_networks

ROWS = {
    (str(row["units"]), row["drive"], row["radius"]): row
    for row in random_networks.stored()["edge"]
}
READS = (
    r"ρ\u00a0=\u00a0(?P<radius>[\d.]+) and input (?P<drive>[\d.]+): of 200 networks with "
    r"(?P<units>\d+) units the gradient grows in (?P<grows>\d+), (?P<word>it depends on the draw|"
    r"chaos, small changes grow|the gradient vanishes)\. In the middle one each step back "
    rf"multiplies it by (?P<middle>[\d.]+)\. tanh passes (?P<passes>{PERCENT}) of a change, "
    rf"(?P<most>more than|less than|as much as) 1/ρ, (?P<needed>{PERCENT})\."
)


def row(state):
    return ROWS[tuple(state.settings[name] for name in ("units", "drive", "radius"))]


@claims(
    "eigenvalues_tanh",
    "Eigenvalues above one are not enough: what a gradient does depends on what tanh passes",
)
def not_enough(states):
    """At each radius above 1.5 the gradient of large networks grows in nearly all and in none,
    and the more tanh passes, the more it grows."""
    for radius in random_networks.RADII:
        rows = [row(s) for s in states if s.settings["radius"] == radius]
        large = [r for r in rows if r["units"] == 100]
        if radius >= 1.5:
            assert max(r["grows"] for r in large) >= 140
            assert min(r["grows"] for r in large) == 0
        passes, middle = zip(*sorted((r["passes"], r["factor"][1]) for r in large), strict=True)
        assert np.corrcoef(passes, middle)[0, 1] > 0.9


@claims(
    "eigenvalues_tanh",
    "As the figure opens, ρ is 1.5 and there is no input. Does the gradient of a network with 100 "
    "units vanish or grow? And with an input of 2?",
)
def as_it_opens(_):
    lab = made("eigenvalues_tanh")
    assert lab.settings == {"units": "100", "radius": 1.5, "drive": 0}
    assert "depends on the draw" in lab.at().sentence
    assert "the gradient vanishes" in lab.at(drive=2).sentence


@claims(
    "eigenvalues_tanh",
    "The band holds 80 % of 200 random networks, the line is the middle one.",
)
def band_and_line(states):
    assert random_networks.SHARES == (0.1, 0.5, 0.9) and random_networks.NETWORKS == 200
    for state in states:
        low, middle, high = row(state)["factor"]
        at = random_networks.RADII.index(state.settings["radius"])
        _, y = state.drawn["band"]
        assert (y[at], y[::-1][at]) == (low, high)
        assert state.drawn["middle"][1][at] == state.drawn["here"][1][0] == middle


@claims(
    "eigenvalues_tanh",
    "Each step multiplies a gradient by W_hh and by the slopes of tanh; what tanh passes is their "
    "root mean square.",
)
def each_step(_):
    """That what is stored is the root mean square: test_the_factor_of_one_network…"""
    rng = np.random.default_rng(0)
    params = rnn.Params(np.eye(4), rng.standard_normal((4, 4)))
    cache = rnn.forward(params, rng.standard_normal((3, 1, 4)))
    slopes = 1 - cache.h[1:, 0] ** 2
    for J, slope in zip(jacobians.step_jacobians(params, cache), slopes, strict=True):
        np.testing.assert_allclose(J[0], slope[:, None] * params.W_hh)


@claims(
    "eigenvalues_tanh",
    "With 100 units ρ times that is the factor of a step to within 9 %: hence the mark 1/ρ.",
)
def mark(states):
    large = [state for state in states if state.settings["units"] == "100"]
    off = [
        abs(row(state)["passes"] * state.settings["radius"] / row(state)["factor"][1] - 1)
        for state in large
    ]
    assert len(off) >= 168 and 0.08 < max(off) < 0.09


@claims(
    "eigenvalues_tanh",
    "Where tanh passes less than 1/ρ of a change, the middle network forgets.",
)
def forgets(states):
    less = [s for s in states if row(s)["passes"] * s.settings["radius"] < 1]
    assert 100 < len(less) < len(states)
    for state in less:
        assert row(state)["factor"][1] < 1, state.settings


@claims(
    "eigenvalues_tanh",
    "Where it passes a tenth more, most networks of 100 units are chaotic.",
)
def chaotic(states):
    more = [s for s in states if row(s)["passes"] * s.settings["radius"] >= 1.1]
    large = [s for s in more if s.settings["units"] == "100"]
    assert len(large) > 30
    for state in large:
        assert row(state)["grows"] > 100, state.settings


@claims("eigenvalues_tanh", "readout")
def readout(states):
    for state in states:
        said, stored, radius = parse(READS, state.sentence), row(state), state.settings["radius"]
        assert (number(said["radius"]), number(said["drive"])) == (radius, state.settings["drive"])
        assert said["units"] == state.settings["units"]
        assert int(said["grows"]) == stored["grows"]
        assert ("chaos" in said["word"]) == (stored["grows"] >= 180)
        assert ("vanishes" in said["word"]) == (stored["grows"] <= 20)
        assert abs(number(said["middle"]) - stored["factor"][1]) < 0.0051
        assert abs(number(said["passes"]) - 100 * stored["passes"]) < 0.051
        assert abs(number(said["needed"]) - 100 / radius) < 0.051
        if said["passes"] == said["needed"]:
            assert said["most"] == "as much as"
        else:
            more = stored["passes"] * radius >= 1
            assert said["most"] == ("more than" if more else "less than")


@pytest.mark.parametrize(("units", "drive", "radius"), [(10, 0, 1.5), (10, 0.5, 2.0)])
def test_a_stored_row_of_tanh_networks_comes_out_again(units, drive, radius):
    W = radius * random_networks.weights(units, np.random.default_rng(units))
    factor, passes = random_networks.edge_of(W, drive, np.random.default_rng(1))
    stored = ROWS[str(units), drive, radius]
    assert int((factor > 1).sum()) == stored["grows"]
    np.testing.assert_allclose(
        np.quantile(factor, random_networks.SHARES), stored["factor"], atol=1e-4
    )
    assert np.median(passes) == pytest.approx(stored["passes"], abs=1e-4)


def test_the_factor_of_one_network_is_that_of_the_package():
    """The same network, inputs and start through `rnn.forward` and `norm_curve`: their long-run
    rates agree."""
    W = 1.8 * random_networks.weights(10, np.random.default_rng(10))
    rng = np.random.default_rng(1)
    x = 0.25 * rng.standard_normal((160, 200, 10))
    h_0 = 0.3 * rng.standard_normal((200, 10))
    factor, passes = random_networks.edge_of(W, 0.25, np.random.default_rng(1))
    rates, slopes = [], []
    for i in range(20):
        params = rnn.Params(np.eye(10), W[i])
        cache = rnn.forward(params, x[:, i : i + 1], h_0[i : i + 1])
        curve = gradient_flow.norm_curve(params, cache, norm="fro", lags=100)[:, 0]
        rates.append(np.polyfit(np.arange(10, 101), np.log(curve[10:]), 1)[0])
        slopes.append(np.sqrt(np.mean((1 - cache.h[-100:] ** 2) ** 2)))
    np.testing.assert_allclose(slopes, passes[:20], rtol=1e-6)
    np.testing.assert_allclose(rates, np.log(factor[:20]), atol=0.02)
