"""Sentences of chapter 1."""

import re

import numpy as np

from bptt_core import readout, studies, tasks
from bptt_core.activations import ACTIVATIONS
from bptt_core.labs import linear
from bptt_core.studies import long_gradient, random_networks
from prose import kept, lab, numbers, says


@says(
    "chapters/01",
    "The first letter was {letter}, and the network gives it {share} per cent: sure of itself, and "
    "wrong.",
)
def first_answer():
    """The network of the cells letters, letter-network and the-loop."""
    letters = tasks.first_letter(20, 1, np.random.default_rng(7)).x[:, 0]
    draw = np.random.default_rng(0).standard_normal
    W_xh, W_hh, b_h = draw((4, 5)), draw((4, 4)), draw(4)
    W_hy, b_y = draw((4, 4)), draw(4)
    h = np.zeros(4)
    for x_t in letters:
        h = np.tanh(W_xh @ x_t + W_hh @ h + b_h)
    p = readout.softmax(W_hy @ h + b_y)
    first = int(letters[0, :4].argmax())
    return {"letter": "abcd"[first], "share": {1: "one"}[round(100 * p[first])]}


@says(
    "chapters/01",
    "[There](#lab=eigenvalues-linear&angle=6) the norm climbs to {peak:.1f} by lag {at}, where "
    "$\\rho^k$ has fallen to {rate:.2f}.",
)
def rises_first():
    lags, norm = lab("eigenvalues_linear", angle=6).drawn["gradient"]
    at = int(norm.argmax())
    return {"peak": norm.max(), "at": at, "rate": 0.95 ** lags[at]}


@says(
    "chapters/01",
    "[At 90°](#lab=eigenvalues-linear&between=90) the ellipse stays a circle, and all three curves "
    "agree.",
)
def agree():
    drawn = lab("eigenvalues_linear", between=90).drawn
    lags, norm = drawn["gradient"]
    np.testing.assert_allclose(norm, 0.95**lags, rtol=1e-9)
    for name in ("bound", "rate"):  # straight lines on the log axis
        x, y = drawn[name]
        np.testing.assert_allclose(np.log(y), x * np.log(0.95), atol=1e-9)
    W = linear.matrix(np.array([0.95]), np.array([30.0]), np.array([90.0]))[0]
    np.testing.assert_allclose(W @ W.T, 0.95**2 * np.eye(2), atol=1e-12)  # a turn times 0.95
    return {}


@says(
    "chapters/01",
    "[As the figure opens](#lab=eigenvalues-linear), with eigenvectors {between:.0f}° apart, the "
    "norm rises to {peak:.1f} by lag {at}. Then it swings, because every step turns the pair by "
    "{angle:.0f}°: after {half} steps the power is a multiple of the identity, and the norm "
    "touches $\\rho^k$.",
)
def swings():
    state = lab("eigenvalues_linear")
    lags, norm = state.drawn["gradient"]
    swing = norm / 0.95**lags
    touches = np.flatnonzero(np.isclose(swing, 1, rtol=1e-9))
    np.testing.assert_allclose(np.diff(touches), touches[1])
    return {
        "peak": norm.max(),
        "at": norm.argmax(),
        "angle": state.settings["angle"],
        "between": state.settings["between"],
        "half": touches[1],
    }


@says(
    "chapters/01",
    "[At radius 2 without input](#lab=eigenvalues-tanh&radius=2) the gradient grows in {quiet} of "
    "the {n} networks, [with an input of 2](#lab=eigenvalues-tanh&radius=2&drive=2) in none.",
)
def edge_of_chaos():
    def grows(**settings):
        return re.search(r"grows in (\d+)", lab("eigenvalues_tanh", **settings).sentence)[1]

    assert lab("eigenvalues_tanh").settings["units"] == "100"
    assert grows(radius=2, drive=2) == "0"
    return {"quiet": grows(radius=2), "n": random_networks.NETWORKS}


@says("chapters/01", "The figure asks {n} random networks at each setting.")
def networks():
    return {"n": random_networks.NETWORKS}


@says(
    "chapters/01",
    "at $a = {near}$ it is off by $10^{{-8}}$ of itself, at $a = {far}$ by {off:.0f} %, and from "
    "$a = {gone}$ on it is 0.",
)
def slope_of_tanh():
    def error(a):
        exact = 4 * np.exp(-2 * a) / (1 + np.exp(-2 * a)) ** 2
        return abs(ACTIVATIONS["tanh"].df(np.tanh(a)) / exact - 1)

    assert round(np.log10(error(10.0))) == -8
    assert ACTIVATIONS["tanh"].df(np.tanh(18.99)) > 0 == ACTIVATIONS["tanh"].df(np.tanh(19.0))
    return {
        "near": 10,
        "far": 18,
        "off": 100 * error(18.0),
        "gone": 19,
    }


@says(
    "chapters/01",
    "one rests at 0, where its slope is 1, while the other sits where its slope is {flat:.2f}.",
)
def slopes():
    return {"flat": 1 - np.sqrt(0.99) ** 2}


@says(
    "chapters/01",
    "In the last line the weights are {less:.0f} % smaller, as a regulariser that shrinks weights "
    "would make them, and almost nothing arrives.",
)
def smaller():
    last = kept("chapters/01", "a56-orthogonal").splitlines()[-1]
    return {"less": 100 * (1 - numbers(last)[0])}


@says("chapters/01", "The two states are {apart:.1f} apart, and they will stay so.")
def apart():
    up, down, _ = numbers(kept("chapters/01", "a55-latching").split("=")[1])
    for start in (up, down):
        assert abs(np.tanh(2 * start) - start) < 1e-6  # a fixed point
        assert 2 * (1 - start**2) < 1  # and a stable one
    return {"apart": up - down}


@says(
    "chapters/01",
    "600 updates, each on {batch} new rows. Then {rows} rows that they have never seen.",
)
def training_of_the_letter():
    """The numbers of the cell letter-trained, which is what trains."""
    return {"batch": 32, "rows": 500}


@says(
    "chapters/01",
    "We have stored what happened to many, with up to {updates} updates each:",
)
def updates():
    return {"updates": long_gradient.UPDATES}


@says(
    "chapters/01",
    "(A lucky draw: in the median of {n} fresh networks it is {median:.5f}.)",
)
@says(
    "chapters/01",
    "Of {n} RNNs for thirty letters, {updates} updates lower what arrives at the first one in "
    "{less}, and none of these has learnt the task.",
)
def arrival():
    row = studies.rows("arrival", cell="RNN")[0]
    assert row["length"] == 30 and row["less arrives"] == row["less arrives, not learnt"]
    updates = {u for part, s, _, u in long_gradient.plan() if part == "arrival"}
    median = row["fresh"][long_gradient.LAGS.index(29)][1]
    return {
        "n": row["n"],
        "less": row["less arrives"],
        "median": median,
        "updates": updates.pop(),
    }


@says(
    "chapters/01",
    "Of twenty plain RNNs {ten} learn the first of ten letters, and {thirty} that of thirty.",
)
@says("chapters/01", "At twenty and thirty none of the cut ones learns")
def who_learns():
    def learnt(length, window=None):
        same = {"task": "letter, first", "cell": "RNN"}
        row = studies.rows("atlas", **same, length=length, window=window)[0]
        assert row["n"] == 20
        return row["k"]

    assert learnt(20, window=10) == learnt(30, window=10) == 0
    words = {18: "eighteen", 5: "five"}
    return {"ten": words[learnt(10)], "thirty": words[learnt(30)]}
