"""Two lanes: its stored networks, and its title, words and boxes in every state."""

import re

import numpy as np
import pytest

from bptt_core import labs, tasks
from bptt_core.labs import lanes
from bptt_core.labs._words import number
from bptt_core.studies import first_letter as study

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


@pytest.mark.parametrize("cell", study.CELLS)
def test_who_knows_the_first_letter_has_a_gradient_that_reaches_it(cell):
    """The title, for every stored network at every moment."""
    held = study.stored()[cell]
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


# Boxes and words


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
