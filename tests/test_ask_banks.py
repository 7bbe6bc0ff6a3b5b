"""The banks of chapter 2's questions: the lines of an LSTM's backward pass, and a mean by hand."""

import numpy as np
import pytest

from bptt_core.ask import lstm_lines, mean_of_three
from bptt_core.ask import tasks as by_hand
from bptt_core.ask.tasks import APART, outcomes

RIGHT = [line.code for line in lstm_lines.LINES]
TWINS = [(k, wrong) for k, line in enumerate(lstm_lines.LINES) for wrong in line.wrong]


def test_the_right_lines_compute_the_gradient_of_the_package():
    errors = lstm_lines.run(RIGHT).errors
    assert set(errors) == {"W_xh", "W_hh", "b_h"} and max(errors.values()) < 1e-14


@pytest.mark.parametrize("place, twin", TWINS, ids=[twin for _, twin in TWINS])
def test_a_wrong_line_makes_a_wrong_gradient_and_training_with_it_is_run(place, twin):
    lines = list(RIGHT)
    lines[place] = twin
    found = lstm_lines.run(lines)
    assert max(found.errors.values()) > 0.05
    assert len(found.losses) == lstm_lines.UPDATES and np.isfinite(found.losses).all()


def test_training_with_the_right_lines_learns_the_letter():
    losses = lstm_lines.run(RIGHT).losses
    assert losses[0] > 1.2 and losses[-1] < 0.1


@pytest.mark.parametrize("seed", range(30))
def test_no_two_slips_in_the_mean_look_alike_at_two_digits(seed):
    """A second look at what the task is drawn for, with the answers as they are typed."""
    before = np.zeros(0)
    for step in mean_of_three.task(seed).steps:
        found = outcomes(step, before)
        typed = [tuple(f"{value:.1e}" for value in values) for _, values in found]
        assert len(set(typed)) == len(typed)
        apart = [np.abs(values - found[0][1]).max() for _, values in found[1:]]
        assert min(apart) > 0.9 * APART * np.abs(found[0][1]).max()
        before = np.concatenate([before, found[0][1]])


@pytest.mark.parametrize("seed", range(30))
def test_the_numbers_to_carry_back_by_hand_are_those_of_an_lstm(seed):
    """Each line of the forward pass holds for what is printed, to the two digits printed."""
    given = by_hand.lstm_forget_row(seed).given
    for t in (1, 2, 3):
        assert (np.abs(given[f"h_{t}"]) <= np.abs(np.tanh(given[f"c_{t}"])) + 0.005).all()
    for t in (2, 3):
        written = given[f"c_{t}"] - given[f"f_{t}"] * given[f"c_{t - 1}"]
        assert (np.abs(written) < 1).all(), "i ∘ g"
        shown = given[f"o_{t}"] * np.tanh(given[f"c_{t}"])
        assert np.abs(given[f"h_{t}"] - shown).max() < 0.011
        for gate in ("f", "o"):
            assert ((given[f"{gate}_{t}"] > 0) & (given[f"{gate}_{t}"] < 1)).all()
