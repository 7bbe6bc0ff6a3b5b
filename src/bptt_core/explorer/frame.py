"""What a function of settings says, and what a figure shows at one of them.

`Frame`  what the function behind a figure returns, for n settings at once
`State`  what the figure shows at one setting: `Explorer.at` returns it
"""

from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """A figure at n settings. Every x and y is (n, points), or (points,) where the setting changes
    nothing.

    positions  {gid: (x, y)} in data coordinates, NaN where nothing is drawn. "a.name", the name
               beside the curve "a", need not be given: it goes where the curve ends or leaves
    sentences  n texts that say what is seen, with *stressed words* and indices as in W_hh
    rows       abscissas of the table of numbers, (n, rows) or (rows,), NaN for a row left out;
               None: the points of its first curve
    shades     {gid: (n, parts) or (n,)} from −1 to 1: how much of its colour an artist shows. A
               collection of patches has as many parts as patches; below 0 see Explorer's `below`
    texts      {gid: n strings}: what a text says
    limits     {"axes.x" or "axes.y": (low, high)}, each (n,): an axis, named by the gid of its
               axes, that is longer or shorter at some settings. Its numbers move with it
    """

    positions: dict
    sentences: list
    rows: object = None
    shades: dict = {}
    texts: dict = {}
    limits: dict = {}


class State(NamedTuple):
    """A figure at one setting.

    settings  {control: value}
    drawn     {gid: (x, y)}, each (points,), in data coordinates; the names of curves included
    sentence  what the figure says, with *stressed words*
    table     {heading: values}: the table of numbers, in full precision; NaN outside the axes
    shades    {gid: (parts,)}
    texts     {gid: what it says}
    """

    settings: dict
    drawn: dict
    sentence: str
    table: dict
    shades: dict
    texts: dict


def rows_of(values, n):
    """Values (n, points) or (points,), as an array of floats (n, points)."""
    values = np.atleast_2d(np.asarray(values, float))
    return np.broadcast_to(values, (n, values.shape[-1]))


def parts_of(values, n):
    """Shades (n, parts) or (n,), as an array of floats (n, parts)."""
    values = np.asarray(values, float)
    return values.reshape(n, -1)
