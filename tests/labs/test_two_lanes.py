"""What two lanes say and show, in every state: title, words, boxes, and the networks stored."""

import re
from functools import cache

import numpy as np
import pytest
from lab_claims import READOUT, claims, made

from bptt_core import cells, labs, lstm, tasks
from bptt_core.labs import lanes
from bptt_core.labs._words import number
from bptt_core.studies import first_letter as study
from bptt_core.studies import long_gradient

REACHES = 0.05  # of its size at the last step: what the title calls reaching the first letter


@pytest.fixture(scope="module")
def states():
    lab = labs.two_lanes()
    return [lab.at(**settings) for settings in lab.settings_grid()]


def known(held):
    """(networks, moments): whether it answers more than 95 % of 500 rows right."""
    return held["right"] / study.FRESH > 0.95


def held_at(state, cell=None):
    """What is stored of the network of a state: (the stored cell, network, moment)."""
    settings = state.settings
    cell = cell or f"LSTM {settings['forget_bias']:.0f}"
    moment = study.MOMENTS.index(settings["update"])
    return study.stored()[cell], int(settings["network"]) - 1, moment


def lanes_of(state):
    return {"rnn": held_at(state, "RNN"), "lstm": held_at(state)}


# The title


@claims("two_lanes", "Only networks whose gradient reaches the first letter know it")
def who_knows_it_is_reached(_):
    """For every stored network at every moment."""
    for held in study.stored().values():
        assert held["right"].shape == held["arrives"].shape == (study.NETWORKS, len(study.MOMENTS))
        assert (10 ** held["arrives"][known(held)] > REACHES).all()


def test_the_title_says_something():
    """Some know, and of those that do not know most have no gradient there: it can be false."""
    rnn, fast = (study.stored()[cell] for cell in ("RNN", "LSTM 0"))
    assert sum(known(held).sum() for held in study.stored().values()) > 500
    assert not known(fast).any() and (10 ** fast["arrives"] < REACHES).all()
    assert (10 ** rnn["arrives"][~known(rnn)] < REACHES).mean() > 0.9


def test_the_title_holds_for_the_row_in_every_state(states):
    seen = 0
    for state in states:
        for held, network, moment in lanes_of(state).values():
            if known(held)[network, moment]:
                assert 10 ** held["shares"][network, moment, 0] > REACHES
                seen += 1
    assert seen > 50


@claims(
    "two_lanes",
    "Both networks read the row of 30 letters and are then asked for its first. Why can the LSTM "
    "answer? And can it with a forget bias of 0?",
)
def at_bias_0_it_cannot(_):
    assert study.LENGTH == 30
    assert known(study.stored()["LSTM 3"])[:, -1].mean() > 0.9
    assert not known(study.stored()["LSTM 0"]).any()


# Boxes and words


@cache
def fresh(name):
    """The first network of a cell before training: (cell, its parameters, its readout)."""
    setting = long_gradient.Setting("letter, first", study.LENGTH, name, None)
    _, model = next(long_gradient.training_of(setting, [0], 0))
    params, out = (
        type(part)(*(np.asarray(value[0], float) for value in part))
        for part in (model.cell, model.readout)
    )
    return cells.cell_of(params), params, out


def run_on(name, x, states, start=0):
    """The states after the steps from `start` on, by `step` alone: complex ones too."""
    cell, params, _ = fresh(name)
    for x_t in x[start:]:
        after = cell.step(params, x_t, *states)
        states = after if isinstance(after, tuple) else (after,)
    return states


def gradient_by_moving(name, t):
    """∂L/∂s_t of the row by a complex step, s being h in an RNN and c in an LSTM."""
    cell, params, out = fresh(name)
    x, target = (part[:, 0] for part in study.row())
    before = run_on(name, x[:t], [np.zeros((1, params.W_hh.shape[1]))] * len(cell.STATES))
    found = []
    for unit in np.eye(params.W_hh.shape[1]):
        moved = [*before[:-1], before[-1] + 1e-30j * unit]
        if cell is lstm:  # its output gate is held, and what is seen of the cell moves
            moved[0] = before[0] * np.tanh(moved[1]) / np.tanh(before[1])
        y = run_on(name, x, moved, t)[0] @ out.W_hy.T + out.b_y
        loss = np.log(np.exp(y).sum()) - (y * target).sum()
        found.append(loss.imag / 1e-30)
    return np.array(found)


@claims(
    "two_lanes",
    "Full colour: a gradient as large as at the last step; it is taken by the state h of the RNN "
    "and by the cell c of the LSTM.",
)
def full_colour(states):
    for state in states:
        for lane in ("rnn", "lstm"):
            assert state.drawn[lane][1][-1] == 1
    for name in ("RNN", "LSTM 0", "LSTM 3"):
        sizes = [np.linalg.norm(gradient_by_moving(name, t)) for t in (1, 15, study.LENGTH)]
        held = study.stored()[name]["shares"][0, 0]
        assert np.allclose(np.log10(sizes[:2]) - np.log10(sizes[2]), held[[0, 14]], atol=0.006)


@claims("two_lanes", "The answers are those to this row with its first letter changed.")
def answers_to_changed_rows(_):
    for name in ("RNN", "LSTM 0", "LSTM 3"):
        cell, params, out = fresh(name)
        x = np.repeat(study.row()[0][:, 0], 4, axis=1)
        x[0, :, :4] = np.eye(4)
        start = [np.zeros((4, params.W_hh.shape[1]))] * len(cell.STATES)
        y = run_on(name, x, start)[0] @ out.W_hy.T + out.b_y
        assert (y.argmax(-1).ravel() == study.stored()[name]["answers"][0, 0]).all()


@claims(
    "two_lanes",
    "Play trains both.",
    "Who is right in more than 95\u00a0% of 500 fresh rows knows it.",
    f"These are the first {study.SHOWN} of {study.NETWORKS} networks.",
)
def who_is_shown(states):
    assert study.FRESH == 500 and study.LEARNT == 475
    assert made("two_lanes").grid["update"] == study.MOMENTS
    assert {state.settings["network"] for state in states} == set(range(1, study.SHOWN + 1))


@claims("two_lanes", READOUT)
def readout_counts(states):
    for state in states:
        moment = study.MOMENTS.index(state.settings["update"])
        pair = "RNN", f"LSTM {state.settings['forget_bias']:.0f}"
        counts = [int(known(study.stored()[cell])[:, moment].sum()) for cell in pair]
        found = re.search(r"(\d+) RNNs? and (\d+) LSTMs? knows? the letter", state.sentence)
        assert [int(n) for n in found.groups()] == counts
        for lane in ("rnn", "lstm"):
            assert number(float(np.asarray(state.drawn[lane][1])[0])) in state.sentence


def test_boxes_are_as_strong_as_what_arrives_in_every_state(states):
    """Six decades from full to empty."""
    for state in states:
        for lane, (held, network, moment) in lanes_of(state).items():
            logs = held["shares"][network, moment]
            strength = np.r_[state.shades[f"{lane}.early"], state.shades[f"{lane}.late"]]
            assert np.allclose(strength, np.clip((logs + 6) / 6, 0, 1))
            assert np.allclose(state.drawn[lane][1], 10**logs)
            assert strength[-1] == 1  # the last step has all of it


def test_texts_and_sentence_say_what_is_stored_in_every_state(states):
    for state in states:
        both = lanes_of(state)
        for lane, (held, network, moment) in both.items():
            first = number(10 ** held["shares"][network, moment, 0])
            assert state.texts[f"{lane}.arrives"].endswith(f": {first} at the first letter")
            answers = [study.LETTERS[int(k)] for k in held["answers"][network, moment]]
            assert state.texts[f"{lane}.answers"].endswith("answer " + " ".join(answers))
        stressed = re.findall(r"\*(.*?)\*", state.sentence)
        want = [number(10 ** held["shares"][n, m, 0]) for held, n, m in both.values()]
        want += [str(int(known(held)[:, m].sum())) for held, _, m in both.values()]
        assert stressed == want
        update = state.settings["update"]
        assert state.sentence.startswith(f"After {update:.0f} updates" if update else "Before tra")


def test_who_knows_the_letter_answers_the_row_by_its_first_letter(states):
    """Of the networks shown: at least three of the four answers, and no other has more than luck
    would give for long."""
    for held in study.stored().values():
        right = (held["answers"] == np.arange(4)).sum(-1)
        assert (right[known(held)[: study.SHOWN]] >= 3).all()


def test_the_scale_beside_the_boxes_is_theirs():
    strong = lanes.shades(np.arange(0, -7, -1))
    assert np.allclose(strong, np.arange(6, -1, -1) / 6)
    assert len(lanes.SCALE) == 7 and lanes.SCALE[3] == "10⁻³"
    _, late = labs.two_lanes().figures
    legend = [p.get_alpha() for p in late.axes[0].patches]
    assert np.allclose(legend[:-1], strong[:-1]) and legend[-1] < 0.05


# The stored networks


def test_the_row_is_one_of_the_task_and_its_first_letter_can_be_changed():
    x, target = study.row()
    batch = tasks.first_letter(study.LENGTH, 1, np.random.default_rng(0))
    assert np.array_equal(x[:, 0], batch.x) and target[0, 0, 0].argmax() == batch.target[-1, 0]
    assert study.LETTERS[batch.target[0, 0]] == study.spelt()[0] and len(study.spelt()) == 30
    others = study.begun()
    assert np.array_equal(others[0, 0, :, :4], np.eye(4)) and (others[0, 0, :, 4] == 1).all()
    assert (others[1:, 0] == x[1:, 0]).all() and not others[1:, 0, :, 4].any()


@pytest.mark.parametrize("cell", ["RNN", "LSTM 0", "LSTM 3"])
def test_stored_networks_come_out_again(cell):
    """Another processor rounds otherwise, and training enlarges what rounding leaves."""
    again = study.outcome(cell, [0, 1, 2], [0, 50])
    held = {name: values[:3, :2] for name, values in study.stored()[cell].items()}
    assert np.abs(again["shares"] - held["shares"])[:, 0].max() < 0.006
    assert np.abs(again["shares"] - held["shares"]).max() < 0.05
    assert np.abs(again["arrives"] - held["arrives"]).max() < 0.05
    assert np.abs(again["right"] - held["right"]).max() <= 3
    assert (again["answers"] == held["answers"]).mean() > 0.9
