"""What two lanes say, in every state; their boxes, texts and stored networks: test_lanes.py."""

import re

import numpy as np
from lab_claims import READOUT, claims

from bptt_core.labs._words import number
from bptt_core.studies import first_letter as study

REACHES = 0.05


def known(held):
    return held["right"] / study.FRESH > 0.95


@claims("two_lanes", "Only networks whose gradient reaches the first letter know it")
def reaches(_):
    for cell in study.CELLS:
        held = study.stored()[cell]
        assert (10 ** held["arrives"][known(held)] > REACHES).all()


@claims(
    "two_lanes",
    "Both networks read the row and are then asked for its first letter. Why can the LSTM answer? "
    "And can it with a forget bias of 0?",
)
def at_bias_0_it_cannot(_):
    assert known(study.stored()["LSTM 3"])[:, -1].mean() > 0.9
    assert not known(study.stored()["LSTM 0"]).any()


@claims(
    "two_lanes",
    "Play trains both.",
    "Full colour: a gradient as large as at the last step; it is taken by the state h of the RNN "
    "and by the cell c of the LSTM.",
    "The answers are those to this row with its first letter changed.",
    "Who is right in more than 95\u00a0% of 500 fresh rows knows it.",
    f"These are the first {study.SHOWN} of {study.NETWORKS} networks.",
)
def colours(states):
    assert study.FRESH == 500
    for state in states:
        for lane in ("rnn", "lstm"):
            assert state.drawn[lane][1][-1] == 1
        assert state.settings["network"] <= study.SHOWN


@claims("two_lanes", READOUT)
def readout(states):
    for state in states:
        moment = study.MOMENTS.index(state.settings["update"])
        cells = "RNN", f"LSTM {state.settings['forget_bias']:.0f}"
        counts = [int(known(study.stored()[cell])[:, moment].sum()) for cell in cells]
        found = re.search(r"(\d+) RNNs? and (\d+) LSTMs? knows? the letter", state.sentence)
        assert [int(n) for n in found.groups()] == counts
        for lane in ("rnn", "lstm"):
            assert number(float(np.asarray(state.drawn[lane][1])[0])) in state.sentence
