"""What the labs claim, each sentence with a check that looks at every state of the lab.

A module tests/labs/test_<lab>.py declares what its lab says, word for word:

    @claims("paths", "Where the stack rises above the line, paths cancel.")
    def cancel(states):
        for state in states:
            …

Title, question and every sentence of the reading must be claimed, and the readout under the name
"readout": tests/labs/test_every_lab.py sees to it. A claim gets all states of the grid.
"""

import itertools
import re
from functools import cache
from typing import NamedTuple

import numpy as np

from bptt_core.explorer.controls import Choice
from bptt_core.labs import LABS

CLAIMS = {}  # {lab: {what it says: the check}}
READOUT = "readout"
NUMBER = r"\d[\d.]*(?:\u00a0×\u00a010[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
PERCENT = r"−?(?:less than 0\.1|[\d.]+)\u00a0%"
CHUNK = 64  # settings asked for at once


class Seen(NamedTuple):
    """A lab at one setting of its grid."""

    settings: dict
    drawn: dict  # {gid: (x, y)} in data
    sentence: str
    texts: dict
    limits: dict  # {axis: (low, high)}


def claims(lab, *texts):
    """Declare a function of all states of a lab as the check of what it says."""

    def declare(check):
        CLAIMS.setdefault(lab, {}).update(dict.fromkeys(texts, check))
        return check

    return declare


@cache
def made(name):
    return LABS[name]()


@cache
def states(name):
    """Every state of a lab, computed as its page was."""
    lab, found = made(name), []
    choices = [key for key, control in lab.controls.items() if isinstance(control, Choice)]
    sliders = [key for key in lab.grid if key not in choices]
    for names in itertools.product(*(lab.grid[key] for key in choices)):
        chosen = dict(zip(choices, names, strict=True))
        values = np.array(list(itertools.product(*(lab.grid[key] for key in sliders))))
        for start in range(0, len(values), CHUNK):
            part = values[start : start + CHUNK]
            frame = lab._model.frame(chosen | dict(zip(sliders, part.T, strict=True)))
            for i, row in enumerate(part):
                settings = chosen | dict(zip(sliders, row.tolist(), strict=True))
                found.append(_one(settings, frame, i))
    return found


def _one(settings, frame, i):
    drawn = {
        gid: tuple(
            np.broadcast_arrays(*(v if np.ndim(v) < 2 else v[i if len(v) > 1 else 0] for v in xy))
        )
        for gid, xy in frame.positions.items()
    }
    limits = {key: (float(low[i]), float(high[i])) for key, (low, high) in frame.limits.items()}
    texts = {gid: said[i] for gid, said in frame.texts.items()}
    return Seen(settings, drawn, frame.sentences[i].replace("*", ""), texts, limits)


def number(text):
    """A number as the labs write it: 3.2 × 10⁻⁸, −12 and 0.3 % included."""
    digits = text.replace("\u00a0", "").rstrip("%")
    digits = digits.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")).replace("×10", "e")
    return float(digits)


def said(pattern, sentence):
    """The number that a pattern with one group finds in a sentence."""
    return number(re.search(pattern, sentence)[1])


def parse(pattern, sentence):
    """{name: text} of a sentence that is the pattern from its first letter to its last."""
    found = re.fullmatch(pattern, sentence)
    assert found, sentence
    return found.groupdict()


def near(text, value, digits=2):
    """Whether a number as it is written is `value` to its digits."""
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1) if value else 1e-300
    return abs(number(text) - value) <= 0.5000001 * max(unit, 10.0**-18)


def sentences(text):
    """The sentences of a paragraph."""
    return re.split(r"(?<=[.?!]) (?=[A-Z†‖0-9])", text)
