"""What the lab of truncation says, in every state of it."""

import numpy as np
import pytest
from lab_claims import NUMBER, claims, made, near, parse, states

from bptt_core import gradient_flow, lstm, rnn, studies
from bptt_core.labs import windows

READS = (
    r"(?:A window of (?P<window>\d+) of (?P<steps>\d+) steps "
    r"turns the gradient by (?P<angle>\d+)°: "
    r"(?P<verdict>enough|too short)\.|"
    r"The window covers all (?P<covered>\d+) steps: nothing is cut\.) "
    r"To stay within 10° takes (?:(?P<needed>\d+) steps?|all (?P<all>\d+) steps)\. "
    r"The gradient of this network (?:halves every "
    rf"(?P<half>{NUMBER}) steps|fades slowly, beside (?P<slowly>\d+) steps"
    r"(?P<longer>: 120 steps need a longer window)?)\."
)


def needed(state):
    """The window from which on the angle, as it is drawn, stays below ten degrees."""
    curve = windows._at(
        state.settings["cell"],
        state.settings["loss"],
        int(state.settings["length"]),
        np.array([state.settings["memory"]]),
    )[0][0]
    far = np.flatnonzero(curve >= 10)
    return far[-1] + 2 if len(far) else 1


def fields(settings, *names):
    return tuple(settings[name] for name in names)


@claims("truncation", "Truncation turns the gradient; how far depends on window, memory and length")
def depends(states):
    """Something is cut, and turned, in most states; and each of the three changes the angle."""
    keys = ["cell", "loss", "length", "memory", "window"]
    angle = {fields(s.settings, *keys): s.drawn["angle-here"][1][0] for s in states}
    for name in ("window", "memory", "length"):
        rest = [key for key in keys if key != name]
        for cell in ("rnn", "lstm"):
            families = {}
            for settings, value in angle.items():
                given = dict(zip(keys, settings, strict=True))
                if given["cell"] == cell and given["window"] < 30:
                    families.setdefault(fields(given, *rest), []).append(value)
            assert np.mean([np.ptp(values) > 1 for values in families.values()]) > 0.3, name


@claims(
    "truncation",
    "As the figure opens, the window is 5 of 30 steps. "
    "Does it keep the gradient within 10° of the true one?",
)
def as_it_opens(_):
    assert "A window of 5 of 30 steps" in made("truncation").at().sentence
    assert "*too short*" in made("truncation").at().sentence


@claims("truncation", "Drag a dot.")
def both_dots_can_be_dragged(states):
    html = made("truncation").html
    assert html.count('"drag":[') == 2
    for state in states:
        assert state.drawn["here"][1][0] == state.drawn["angle-here"][0][0]


@claims("truncation", "On the right, a dot below the full line has too short a window.")
def below_the_line(states):
    for state in states:
        x, y = state.drawn["here"]
        pace, line = state.drawn["enough"]
        assert ("too short" in state.sentence) == (y[0] < line[np.isclose(pace, x[0])][0])


@claims(
    "truncation",
    "What a network learns from a turned gradient is another question: cut after one step, an "
    "LSTM has learnt to add over 30 steps in 20 of 20 runs, and temporal order over 20 steps in "
    "none of 20, where the whole gradient taught it to all 20.",
)
def what_training_does(_):
    def learnt(task, length, window):
        (row,) = studies.rows("atlas", task=task, length=length, cell="LSTM 1", window=window)
        return row["k"], row["n"]

    assert learnt("adding", 30, 1) == learnt("order", 20, None) == (20, 20)
    assert learnt("order", 20, 1) == (0, 20)


@claims("truncation", "readout")
def readout(states):
    for state in states:
        said, steps = parse(READS, state.sentence), int(state.settings["length"])
        window, curve = int(state.settings["window"]), state.drawn["angle"]
        need = needed(state)
        assert int(said["needed"] or said["all"]) == need
        assert bool(said["all"]) == (need == steps)
        if said["covered"]:
            assert window >= steps == int(said["covered"])
            assert state.drawn["angle-here"][1][0] == 0
        else:
            assert window == int(said["window"]) < steps == int(said["steps"])
            angle = np.interp(window, *curve)
            assert abs(angle - int(said["angle"])) <= 0.5 + 1e-9
            assert (said["verdict"] == "enough") == (window >= need)
        memory = half_life(*fields(state.settings, "cell", "length", "memory"))
        if said["half"]:
            assert memory <= steps / 3 and near(said["half"], memory)
        else:
            assert memory > steps / 3 and int(said["slowly"]) == steps
            assert bool(said["longer"]) == (steps == 30)


HALF_LIVES = {}


def half_life(cell, length, memory):
    """Steps in which the norm of the network's gradient halves, by least squares."""
    key = cell, length, memory
    if key not in HALF_LIVES:
        module, params, x, _ = windows.networks(cell, np.array([memory]), int(length))
        curve = gradient_flow.norm_curve(params, module.forward(params, x))[:, 0, 0]
        slope = np.linalg.lstsq(
            np.stack([np.arange(len(curve)), np.ones(len(curve))], 1), np.log(curve), rcond=None
        )[0][0]
        HALF_LIVES[key] = np.log(0.5) / slope if slope < 0 else np.inf
    return HALF_LIVES[key]


def test_where_the_gradient_fades_slowly_a_longer_sequence_needs_a_longer_window():
    """What the readout says of 30 steps, against the states with 120."""
    keys = ("cell", "loss", "memory", "window")
    long = {
        fields(s.settings, *keys): s for s in states("truncation") if s.settings["length"] == "120"
    }
    slow = [s for s in states("truncation") if "need a longer window" in s.sentence]
    assert len(slow) > 50
    for state in slow:
        assert needed(long[fields(state.settings, *keys)]) > needed(state), state.settings


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("loss", ["every", "end"])
def test_the_truncated_gradient_is_that_of_cut_sequences(cell, loss):
    """Each loss by itself: the sequence begins `window` steps before it, from the state held
    fixed."""
    steps, window = 30, 4
    module, params, x, dh = windows.networks(cell, np.array([0.9]), steps)
    params = type(params)(*(p if p is None else p[0] for p in params))
    cache = module.forward(params, x)
    full = np.zeros(0)
    for cut in (steps, window):
        total = 0
        for t in range(steps) if loss == "every" else [steps - 1]:
            start = max(0, t + 1 - cut)
            held = (cache.h[start],) if module is rnn else (cache.h[start], cache.c[start])
            run = module.forward(params, x[start : t + 1], *held)
            grads = module.backward(params, run, {t + 1 - start: dh[t]}).params
            total = total + np.concatenate([g.ravel() for g in grads if g is not None])
        full = total if cut == steps else full
    cosine = total @ full / np.linalg.norm(total) / np.linalg.norm(full)
    angle, _ = windows.truncated(cell, loss, steps, np.array([0.9]))
    np.testing.assert_allclose(angle[0, window - 1], np.rad2deg(np.arccos(cosine)), rtol=1e-6)
    assert lstm is not rnn and angle[0, -1] == 0
