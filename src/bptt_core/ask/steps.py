"""What a question in numbers is made of: `Part`, `Step`, `Task`, and the row that the page cuts."""

from typing import NamedTuple

import numpy as np

from bptt_core._checks import wanted

DIGITS = 6  # of the numbers in the table; the script allows for it


class Part(NamedTuple):
    """One part of a step: its right values, and [(values, sentence)] of mistakes in it."""

    right: object
    slips: object = ()


class Step(NamedTuple):
    """One answer of a task, of any shape (n,) or (rows, columns).

    answer = scale_1 ∘ scale_2 ∘ … ∘ (add + carry · before), where `before` are the entries of all
    earlier answers, row by row. So an earlier slip is carried on, and two slips in different parts
    are known as a pair. A part that is left out is 1 (scale) or 0 (add, carry)."""

    label: str  # what is wanted, as in "δ_3 = ∂L/∂a_3"
    shape: tuple
    scale: tuple = ()  # Parts of the answer's shape
    add: Part | None = None  # a Part of the answer's shape
    carry: Part | None = None  # a Part of shape (entries, entries before)
    why: str = ""  # said when it is right

    @property
    def size(self):
        return int(np.prod(self.shape))

    def slots(self, before):
        """[(kind, Part, its size)], in the order of the table."""
        found = [("scale", part, self.size) for part in self.scale]
        found += [("add", self.add, self.size)] if self.add else []
        return found + ([("map", self.carry, self.size * before)] if self.carry else [])

    def value(self, before):
        """The right answer after the answers `before`, as an array of `shape`."""
        total = np.zeros(self.size)
        if self.add:
            total = total + np.ravel(self.add.right)
        if self.carry:
            total = total + np.reshape(self.carry.right, (self.size, -1)) @ before
        for part in self.scale:
            total = total * np.ravel(part.right)
        return total.reshape(self.shape)


class Task(NamedTuple):
    """One variant of a question: {name: array or text} that is given, and the steps."""

    given: dict
    steps: list


def outline(task):
    """What all variants have in common: labels, shapes, sentences."""
    steps = [
        (
            step.label,
            step.shape,
            [
                (kind, [said for _, said in part.slips])
                for kind, part, _ in step.slots(before(task, k))
            ],
        )
        for k, step in enumerate(task.steps)
    ]
    return list(task.given), steps


def before(task, k):
    """How many numbers are answered before step k."""
    return sum(step.size for step in task.steps[:k])


def table(task):
    """Every part of every step, right values first, in one row."""
    row = []
    for k, step in enumerate(task.steps):
        for kind, part, size in step.slots(before(task, k)):
            for values in (part.right, *(values for values, _ in part.slips)):
                flat = np.asarray(values, float).ravel()
                if flat.size != size:
                    raise wanted(
                        f"{step.label or 'right'}, {kind}", f"{flat.size} numbers", f"{size}"
                    )
                row += [float(f"{value:.{DIGITS}g}") for value in flat]
    return [int(value) if value == int(value) else value for value in row]
