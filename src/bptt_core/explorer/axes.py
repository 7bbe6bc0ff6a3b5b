"""Axes that differ per setting: longer or shorter, their numbers moving and changing with them.

The figure keeps the axes that Matplotlib drew. A value is put where those axes have the same share
of their length; the numbers of the axis are texts that move.
"""

import functools
import re

import numpy as np

from bptt_core._checks import wanted

TICKS = 8  # numbers of one axis, at most
LENGTH = 0.015  # of a tick mark, as a share of the axes
SUPERSCRIPT = str.maketrans("−-0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shares(axis, values, limits=None):
    """Values as fractions of an axis, whatever its scale; `limits` are (low, high), each (n,), or
    its own."""
    scale, low, high = _ends(axis, limits)
    with np.errstate(invalid="ignore"):
        return (scale.transform_non_affine(np.asarray(values, float)) - low) / (high - low)


def values_at(axis, share, limits=None):
    """The values at fractions of an axis: `shares` undone."""
    scale, low, high = _ends(axis, limits)
    return scale.inverted().transform_non_affine(low + share * (high - low))


def _ends(axis, limits):
    """The scale of an axis, and where it begins and ends on it, each (n, 1) or (1, 1)."""
    scale = axis.get_transform()
    ends = axis.get_view_interval() if limits is None else limits
    low, high = (np.asarray(end, float).reshape(-1, 1) for end in ends)
    return scale, scale.transform_non_affine(low), scale.transform_non_affine(high)


class MovingAxis:
    """The numbers and marks of one axis, as artists that move: {gid}.0, {gid}.1, … and {gid}."""

    def __init__(self, ax, which, gid):
        self.axis = getattr(ax, f"{which}axis")
        self.gid = gid
        self.across = which == "x"
        # what Matplotlib drew keeps its room, unseen: draw the axes with their widest numbers
        ax.tick_params(axis=which, length=0, labelcolor="none")
        look = {"fontsize": 9, "color": "gtt:muted", "in_layout": False, "annotation_clip": False}
        look |= {"textcoords": "offset points"}
        look |= {"va": "top", "ha": "center"} if self.across else {"va": "center", "ha": "right"}
        offset = (0, -6) if self.across else (-6, 0)
        corner = ax.get_xlim()[0], ax.get_ylim()[0]
        for i in range(TICKS):
            ax.annotate(" ", corner, offset, gid=f"{gid}.{i}", **look)
        ax.plot([], [], "-", color="gtt:muted", lw=0.7, gid=gid, clip_on=False, in_layout=False)
        self.other = ax.yaxis if self.across else ax.xaxis
        self._at = functools.cache(self._ticks)

    def _ticks(self, low, high):
        """(values, texts) of the numbers between two limits."""
        values = np.asarray(self.axis.get_major_locator().tick_values(low, high))
        values = values[(values >= low - 1e-9 * abs(low)) & (values <= high + 1e-9 * abs(high))]
        if len(values) > TICKS:
            raise wanted(self.gid, f"{len(values)} numbers from {low:g} to {high:g}", f"{TICKS}")
        texts = self.axis.get_major_formatter().format_ticks(values)
        return values, [plain(text) for text in texts]

    def at(self, low, high):
        """Positions and texts of the numbers at n limits: ({gid: (x, y)}, {gid: n strings})."""
        low, high = (np.asarray(end, float).tolist() for end in (low, high))
        found = [self._at(*ends) for ends in zip(low, high, strict=True)]
        where = np.full((len(found), TICKS), np.nan)
        texts = [[" "] * len(found) for _ in range(TICKS)]
        for row, (values, said) in enumerate(found):
            where[row, : len(values)] = values
            for i, text in enumerate(said):
                texts[i][row] = text
        foot, tip = values_at(self.other, np.array([[0, LENGTH]]))[0]
        marks = np.repeat(where, 3, 1)
        marks[:, 2::3] = np.nan
        ends = np.tile([foot, tip, np.nan], TICKS)
        places = {self.gid: self._pair(marks, ends)}
        places |= {f"{self.gid}.{i}": self._pair(where[:, [i]], foot) for i in range(TICKS)}
        return places, {f"{self.gid}.{i}": texts[i] for i in range(TICKS)}

    def _pair(self, along, up):
        up = np.broadcast_to(up, along.shape)
        return (along, up) if self.across else (up, along)


def plain(text):
    """A number as Matplotlib's formatters write it, without TeX: 10⁻² and not
    $\\mathdefault{10^{-2}}$."""
    text = re.sub(r"\^\{([^}]*)\}", lambda power: power[1].translate(SUPERSCRIPT), text)
    return re.sub(r"\\mathdefault|[${}]", "", text).replace("\\times", "×")
