"""Tasks whose answer is asked at the last step, and whose lags can be chosen.

The lag of a mark is the number of steps from it to the last one. Each task draws the places of its
marks from ranges (first, behind the last), so that it can be had with short lags and without.

marked_sum      the adding problem
marked_order    temporal order
flagged_letter  letters go by, one has a flag: which was it?
TASKS           name → length → `Task`
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from bptt_core import tasks

SHARES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)  # of sequences whose flag may be anywhere


class Task(NamedTuple):
    """A task of one length and the sizes a network needs for it."""

    draw: Callable  # (batch, rng) → tasks.Batch
    inputs: int
    outputs: int  # 1: a number; more: classes


def marked_sum(length, first, second, batch, rng):
    """`tasks.adding` with its marks in the ranges `first` and `second`."""
    values = rng.random((length, batch))
    marks = np.zeros((length, batch))
    each = np.arange(batch)
    marks[rng.integers(*first, batch), each] = 1
    marks[rng.integers(*second, batch), each] = 1
    target = np.zeros((length, batch, 1))
    target[-1, :, 0] = (values * marks).sum(0)
    return tasks.Batch(np.stack([values, marks], -1), target, "last")


def marked_order(length, first, second, batch, rng):
    """`tasks.temporal_order` with its two symbols in the ranges `first` and `second`."""
    symbols = rng.integers(2, 6, (length, batch))
    a, b = rng.integers(0, 2, (2, batch))
    each = np.arange(batch)
    symbols[rng.integers(*first, batch), each] = a
    symbols[rng.integers(*second, batch), each] = b
    return tasks.Batch(np.eye(6)[symbols], np.broadcast_to(2 * a + b, (length, batch)), "last")


def flagged_letter(length, at, batch, rng, *, letters=4, share=0.0, other=None):
    """Which letter has the flag? It stands in the range `at`; (0, 1) asks for the first letter.

    share, other  in this share of the sequences it stands in the range `other` instead"""
    codes = rng.integers(0, letters, (length, batch))
    place = rng.integers(*at, batch)
    if other is not None:
        place = np.where(rng.random(batch) < share, rng.integers(*other, batch), place)
    each = np.arange(batch)
    flag = np.zeros((length, batch, 1))
    flag[place, each] = 1
    target = np.broadcast_to(codes[place, each], (length, batch))
    return tasks.Batch(np.concatenate([np.eye(letters)[codes], flag], -1), target, "last")


def _two_marks(draw, inputs, outputs, ranges):
    """length → `Task`; `ranges` turns the length into the two ranges."""
    return lambda T: Task(partial(draw, T, *ranges(T)), inputs, outputs)


def _sum(ranges):
    return _two_marks(marked_sum, 2, 1, ranges)


def _order(ranges):
    return _two_marks(marked_order, 6, 4, ranges)


def _letter(at, share=0.0, other=lambda T: None):
    return lambda T: Task(partial(flagged_letter, T, at(T), share=share, other=other(T)), 5, 4)


def _halves(T):
    return (0, T // 2), (T // 2, T)


def _late(T):
    return (T - T // 3, T - T // 6), (T - T // 6, T)


def _first_third(T):
    return (0, T // 6), (T // 6, T // 3)


TASKS = {
    "latching": lambda T: Task(partial(tasks.latching, T), 1, 2),
    "adding": _sum(_halves),  # as `tasks.adding`
    "adding, early": _sum(lambda T: ((0, T // 4), (T // 4, T // 2))),
    "adding, fixed": _sum(lambda T: ((T // 10, T // 10 + 1), (T // 2, T // 2 + 1))),
    "adding, late": _sum(_late),
    "adding, first third": _sum(_first_third),
    "order": _order(lambda T: ((T // 10, T // 5), (2 * T // 5, T // 2))),  # `tasks.temporal_order`
    "order, anywhere": _order(_halves),
    "order, late": _order(_late),
    "order, first third": _order(_first_third),
    "letter, first": _letter(lambda T: (0, 1)),
    "letter, anywhere": _letter(lambda T: (0, T)),
    "letter, early": _letter(lambda T: (0, T // 2)),
    "letter, late": _letter(lambda T: (T - T // 3, T)),
    "letter, first third": _letter(lambda T: (0, T // 3)),
    "letter, middle third": _letter(lambda T: (T // 3, T - T // 3)),
    "letter, both ends": _letter(lambda T: (0, T // 3), 0.5, lambda T: (T - T // 3, T)),
    **{
        f"letter, {share:.0%} anywhere": _letter(lambda T: (0, T // 2), share, lambda T: (0, T))
        for share in SHARES
    },
}
