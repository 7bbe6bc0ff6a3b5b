"""Sentences of chapter 1."""

import json
import re

import numpy as np

from bptt_core import readout, studies, tasks
from bptt_core.activations import ACTIVATIONS
from bptt_core.labs import linear
from bptt_core.studies import first_letter, long_gradient, random_networks
from bptt_core.walk import recurrent, slips
from prose import kept, lab, numbers, pages, power, says

PAGES = pages()


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
    "$\\class{{part-rate}}{{\\rho^k}}$ has fallen to {rate:.2f}.",
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
    "[As the figure opens](#lab=eigenvalues-linear), with eigenvectors {between:.0f}° apart (for "
    "two complex ones of length 1: $\\lvert v_1^{{*}} v_2 \\rvert = \\cos {between:.0f}°$), the "
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
    settings = (np.array([float(state.settings[name])]) for name in ("radius", "angle", "between"))
    vectors = np.linalg.eig(linear.matrix(*settings)[0])[1]
    cosine = abs(vectors[:, 0].conj() @ vectors[:, 1])
    np.testing.assert_allclose(cosine, np.cos(np.deg2rad(float(state.settings["between"]))))
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


@says(
    "chapters/01",
    "In between lies a band where the draw decides: {large} settings of the figure with 100 units, "
    "{small} with 10.",
)
def band():
    undecided = {"100": 0, "10": 0}
    for row in random_networks.stored()["edge"]:
        state = lab(
            "eigenvalues_tanh",
            units=str(row["units"]),
            radius=row["radius"],
            drive=row["drive"],
        )
        undecided[str(row["units"])] += "depends on the draw" in state.sentence
    return {"large": undecided["100"], "small": undecided["10"]}


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
    "Over 100 steps twenty units keep {small} of the gradient with inputs of size 0.01, and "
    "{large} of it with 0.5. With weights {less:.0f} % smaller, as a regulariser that shrinks "
    "weights would make them, the small inputs leave {weaker}.",
)
def orthogonal():
    rows = [line.split() for line in kept("chapters/01", "a56-orthogonal").splitlines()]
    small, _, large, weaker = (row[-1] for row in rows)
    assert [row[-2] for row in rows] == ["0.01:", "0.1:", "0.5:", "0.01:"]
    return {
        "small": small,
        "large": large,
        "less": 100 * (1 - numbers(" ".join(rows[-1]))[0]),
        "weaker": weaker,
    }


@says(
    "chapters/01",
    "With {lower} mistakes of the walk below it even falls further than with the right gradient.",
)
def lower_than_right():
    scene = recurrent.SCENE
    walked = slips.right(scene)
    found = slips.slips(scene, *walked)
    good = slips.train(scene)[-1]
    return {"lower": {2: "two"}[sum(slip.losses[-1] < good for slip in found)]}


@says(
    "chapters/01",
    "A bound of at most 1 excludes an {{term}}`exploding gradient`. A larger one promises none: "
    "that it does is the first of [twelve sentences](../book/twelve_sentences.md)",
)
def bound_and_explosion():
    """A thousand networks at each norm, from 0.95 to 8: what the cell a51-bound-holds prints."""
    lines = kept("chapters/01", "a51-bound-holds").splitlines()
    grows = {norm: share for norm, _, _, share in map(numbers, lines)}
    assert grows[0.95] == grows[1] == grows[2] == 0 < grows[8]
    return {}


@says(
    "chapters/01",
    "Once the unit has settled, each step shrinks a small push to a {part}",
)
def settled():
    """And not before: on the way it is enlarged three times."""
    h, factors = 0.1, []
    for _ in range(50):
        h = np.tanh(2 * h)
        factors.append(2 * (1 - h**2))
    assert [factor > 1 for factor in factors] == [True] * 3 + [False] * 47
    np.testing.assert_allclose(factors[10:], factors[-1], rtol=1e-3)
    return {"part": {6: "sixth"}[round(1 / factors[-1])]}


@says("chapters/01", "The two states are {apart:.1f} apart, and they will stay so.")
def apart():
    up, down, _ = numbers(kept("chapters/01", "a55-latching").split("=")[1])
    for start in (up, down):
        assert abs(np.tanh(2 * start) - start) < 1e-6  # a fixed point
        assert 2 * (1 - start**2) < 1  # and a stable one
    return {"apart": up - down}


@says(
    "chapters/01",
    "We train plain RNNs with {units} units on rows of 5, 10, 20 and 30 letters, with the sweep of "
    "Part I: 600 updates by Adam with the rate {rate}, each on {batch} new rows. A gradient longer "
    "than {clip:.0f} is *clipped*",
)
@says("chapters/01", "Then come {fresh} rows that they have never seen.")
def training_of_the_letter():
    """The recipe of the stored study is that of the cell letter-trained, which trains here."""
    cells = json.loads(PAGES["chapters/01"].read_text(encoding="utf-8"))["cells"]
    code = next("".join(c["source"]) for c in cells if c["id"] == "letter-trained")
    study = long_gradient
    for part in (
        f"init_model(rnn, 5, {study.UNITS}, 4",
        f"first_letter(length, {study.BATCH},",
        f"adam({study.RATE})",
        f"clip={study.CLIP}",
        f"first_letter(letters, {study.FRESH},",
        " 600,",
    ):
        assert part in " ".join(code.split()), part
    return {
        "units": study.UNITS,
        "rate": study.RATE,
        "batch": study.BATCH,
        "clip": study.CLIP,
        "fresh": study.FRESH,
    }


@says(
    "chapters/01",
    "We have stored what happened to many, trained in the same way with up to {updates} updates. "
    "A network *has learnt* the task when more than {share:.0f} % of {fresh} fresh rows are right "
    "at a check, every {every} updates:",
)
def updates():
    task = long_gradient.TASKS["letter, first"](20)
    share = long_gradient.LEAST_ACCURACY
    assert not long_gradient.passes(task, share) and long_gradient.passes(task, share + 1e-9)
    return {
        "updates": long_gradient.UPDATES,
        "share": 100 * share,
        "fresh": long_gradient.FRESH,
        "every": long_gradient.EVERY,
    }


@says(
    "chapters/01",
    "(A lucky draw: in the median of {n} fresh networks it is {median:.5f}.)",
)
@says(
    "chapters/01",
    "Of {n} RNNs for thirty letters, {updates} updates lower what arrives at the first one in "
    "{less}: none of these has learnt the task by then. Of the other {rest} it is {learnt}.",
)
def arrival():
    row = studies.rows("arrival", cell="RNN")[0]
    assert row["length"] == 30 and row["less arrives"] == row["less arrives, not learnt"]
    updates = {u for part, s, _, u in long_gradient.plan() if part == "arrival"}
    median = row["fresh"][long_gradient.LAGS.index(29)][1]
    return {
        "n": row["n"],
        "less": row["less arrives"],
        "rest": row["n"] - row["less arrives"],
        "learnt": row["k"],
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


@says(
    "chapters/01",
    "ten such steps leave {gate:.3f}, where ten steps of a tanh unit that rests at $a = 2$, with "
    "the weight {weight:.2f} that holds it there, leave ${unit}$.",
)
def ten_steps():
    """Not the slopes alone: without the weight it would be a thousandth of that."""
    weight = 2 / np.tanh(2)
    assert np.isclose(weight * np.tanh(2), 2)
    return {
        "gate": 0.95**10,
        "weight": weight,
        "unit": power((weight * (1 - np.tanh(2) ** 2)) ** 10),
    }


@says("chapters/01", "it starts near ½ with a bias of 0, near {open:.2f} with 3.")
def open_gate():
    return {"open": 1 / (1 + np.exp(-3))}


@says(
    "chapters/01",
    "With the bias 0 the LSTM is worse than the plain RNN at twenty and thirty letters. Its gates "
    "start half shut: before training less of its gradient arrives at the first of thirty letters, "
    "in {less} of {n} pairs.",
)
def worse_at_bias_0():
    """At ten letters it is not: so an open gate is no condition there."""

    def learnt(cell, length):
        same = {"task": "letter, first", "length": length, "cell": cell, "window": None}
        return studies.rows("atlas", **same)[0]["k"]

    for length in (20, 30):
        assert learnt("LSTM 0", length) < learnt("RNN", length)
    assert learnt("LSTM 0", 10) > learnt("RNN", 10)
    fresh = [first_letter.stored()[cell]["arrives"][:, 0] for cell in ("LSTM 0", "RNN")]
    assert first_letter.LENGTH == 30
    return {"less": int((fresh[0] < fresh[1]).sum()), "n": first_letter.NETWORKS}
