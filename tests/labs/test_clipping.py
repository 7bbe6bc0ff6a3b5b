"""What the lab of clipping says, in every state of it."""

import numpy as np
import pytest
from figures import artist_of
from lab_claims import NUMBER, claims, made, near, number, parse

from bptt_core.labs import cliff

COORDINATE = r"−?\d+\.\d\d"
READS = (
    rf"Without clipping the longest gradient is (?P<size>{NUMBER}): step (?P<step>\d+) goes to "
    rf"w\u00a0=\u00a0(?P<w>{COORDINATE}), b\u00a0=\u00a0(?P<b>{COORDINATE})"
    rf"(?P<out>, out of the picture)?\. The median of the last 20 losses is (?P<usual>{NUMBER})\. "
    r"(?:(?P<never>The threshold is never reached: both paths are one\.)"
    rf"|Clipping shortens (?P<hits>\d+) of 50 steps, to (?P<length>{NUMBER}); then the median is "
    rf"(?P<late>{NUMBER}), (?P<word>lower|higher|the same|nearly the same)\.)"
)


def again(state):
    """(free, clipped), each (w, b, loss, length of the gradient): the descents by a plain loop."""
    found = []
    for threshold in (np.inf, state.settings["threshold"]):
        key = *(state.settings[name] for name in ("w", "b", "rate")), threshold
        if key not in DESCENTS:
            w, b, rows = state.settings["w"], state.settings["b"], []
            for _ in range(51):
                error, dw, db = (part[0] for part in cliff.cliff(np.array([w]), np.array([b])))
                size = np.hypot(dw, db)
                rows.append([w, b, error, size])
                factor = 1 if size <= threshold else threshold / size
                w, b = (
                    w - state.settings["rate"] * factor * dw,
                    b - state.settings["rate"] * factor * db,
                )
            DESCENTS[key] = np.array(rows).T
        found.append(DESCENTS[key])
    return found


DESCENTS = {}


@claims("clipping", "Clipping bounds every step; without it, one step at the cliff can go far")
def bounds_every_step(states):
    far = 0
    for state in states:
        bound = state.settings["threshold"] * state.settings["rate"]
        w, b = state.drawn["clipped"]
        assert np.hypot(np.diff(w), np.diff(b)).max() <= bound * (1 + 1e-9)
        w, b = state.drawn["free"]
        far += np.hypot(np.diff(w), np.diff(b)).max() > np.ptp(cliff.W_SEEN)
    assert far > len(states) / 4


@claims("clipping", "The loss has a cliff. Where does the longest step go, without clipping?")
def has_a_cliff(_):
    for w in np.linspace(4.5, 5.3, 6):
        b = cliff.CLIFF[0] + cliff.CLIFF[1] * (w - cliff.W_SEEN[0]) + np.linspace(-0.02, 0.02, 400)
        error = cliff.cliff(np.full(400, w), b)[0]
        assert error.max() > 0.2 and error.min() < 0.05, w  # within 0.04 of b


@claims("clipping", "The stronger the shade, the higher the loss.")
def stronger_is_higher(_):
    ax = artist_of(made("clipping"), "start")[1].axes
    strengths = ax.collections[0].get_facecolor()[:, 3]
    assert len(strengths) == len(cliff.LEVELS) - 1 and (np.diff(strengths) > 0).all()


@claims("clipping", "Click on the surface to start there, at the open circle.")
def starts_at_the_circle(states):
    assert '"click":[' in made("clipping").html
    for state in states:
        where = [state.settings["w"], state.settings["b"]]
        for gid in ("start", "free", "clipped"):
            assert [state.drawn[gid][0][0], state.drawn[gid][1][0]] == where
        assert not cliff.outside(*where)


@claims("clipping", "At the cliff a gradient can be hundreds of times longer than elsewhere.")
def hundreds_of_times(_):
    rng = np.random.default_rng(0)
    w, b = rng.uniform(*cliff.W_SEEN, 2000), rng.uniform(*cliff.B_SEEN, 2000)
    usual = np.median(np.hypot(*cliff.cliff(w, b)[1:]))
    edge = cliff.CLIFF[0] + cliff.CLIFF[1] * (w - cliff.W_SEEN[0]) + rng.uniform(-0.02, 0.02, 2000)
    assert np.hypot(*cliff.cliff(w, edge)[1:]).max() > 200 * usual


@claims(
    "clipping",
    "Clipping shortens such a gradient and keeps its direction.",
    "It makes none longer: it does not cure vanishing.",
)
def direction_and_length(states):
    for state in states:
        w, b = state.drawn["clipped"]
        _, dw, db = cliff.cliff(w[:-1], b[:-1])
        step, full = (
            np.stack([np.diff(w), np.diff(b)]),
            -state.settings["rate"] * np.stack([dw, db]),
        )
        taken, asked = np.hypot(*step), np.hypot(*full)
        assert (taken <= asked * (1 + 1e-6) + 1e-12).all()
        seen = taken > 1e-9
        along = (step * full).sum(0)[seen] / (taken * asked)[seen]
        assert (along > 1 - 1e-5).all()


def readout(states):
    for state in states:
        said, (free, clipped) = parse(READS, state.sentence), again(state)
        np.testing.assert_allclose(state.drawn["free-loss"][1], free[2], rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(state.drawn["clipped-loss"][1], clipped[2], rtol=1e-5, atol=1e-9)
        step = int(said["step"])
        assert free[3][:-1].argmax() == step - 1 and near(said["size"], free[3][step - 1])
        assert abs(number(said["w"]) - free[0][step]) < 0.0051
        assert abs(number(said["b"]) - free[1][step]) < 0.0051
        assert bool(said["out"]) == cliff.outside(free[0][step], free[1][step])
        usual, late = np.median(free[2][-20:]), np.median(clipped[2][-20:])
        assert near(said["usual"], usual)
        hits = (clipped[3][:-1] > state.settings["threshold"]).sum()
        if said["never"]:
            assert hits == 0 and (free[:3] == clipped[:3]).all()
            continue
        assert int(said["hits"]) == hits > 0 and near(said["late"], late)
        assert near(said["length"], state.settings["threshold"] * state.settings["rate"])
        if said["word"] in ("lower", "higher"):
            assert (late < 0.8 * usual) if said["word"] == "lower" else (late > 1.25 * usual)
        else:
            assert 0.8 * usual <= late <= 1.25 * usual
            assert (said["late"] == said["usual"]) == (said["word"] == "the same")


@claims("clipping", "readout")
def readout_and_picture(states):
    readout(states)
    for state in states:
        text, out = state.texts["out"], cliff.outside(*state.drawn["free"])
        if not out.any():
            assert text == " "
            continue
        first = out.argmax()
        w, b = (float(value.replace("−", "-")) for value in text[5:].split(", b "))
        assert abs(w - state.drawn["free"][0][first]) < 0.0051
        assert abs(b - state.drawn["free"][1][first]) < 0.0051
        assert not cliff.outside(*(v[0] for v in state.drawn["out"]))


def test_the_gradient_is_that_of_central_differences():
    w, b, step = np.array([4.6, 5.0, 4.45]), np.array([-2.9, -2.2, -2.3]), 1e-6
    _, dw, db = cliff.cliff(w, b)
    for got, dw_, db_ in ((dw, step, 0), (db, 0, step)):
        ends = [cliff.cliff(w + sign * dw_, b + sign * db_)[0] for sign in (1, -1)]
        np.testing.assert_allclose(got, (ends[0] - ends[1]) / 2 / step, rtol=1e-4)


def test_the_cliff_is_the_recursion_of_the_paper():
    x = 0.5
    for _ in range(50):
        x = 4.6 / (1 + np.exp(-x)) - 2.9
    error = cliff.cliff(np.array([4.6]), np.array([-2.9]))[0][0]
    assert error == pytest.approx((1 / (1 + np.exp(-x)) - 0.7) ** 2, abs=1e-12)
