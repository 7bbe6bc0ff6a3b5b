"""What the labs share: words for numbers and verdicts, and the figure over the lag."""

from typing import NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator

from bptt_core import plotting

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value):
    """Two digits for a sentence: 0.13, 3.2, 41, or 3.2 × 10⁻⁸, held together by no-break spaces."""
    if value == 0:
        return "0"
    if not np.isfinite(value):
        return "beyond every number"
    if 0.00995 <= abs(value) < 9999.5:
        return f"{value:.2g}" if abs(value) < 99.5 else f"{value:.0f}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}\u00a0×\u00a010{str(int(power)).translate(SUPERSCRIPT)}"


def percent(share):
    """A share as a percentage: 0.3 %, −12 %, less than 0.1 %."""
    size, sign = abs(share), "−" if share < 0 else ""
    if size < 0.0005:
        return "less than 0.1\u00a0%"
    return f"{sign}{100 * size:.1f}\u00a0%" if size < 0.0995 else f"{sign}{100 * size:.0f}\u00a0%"


class Fit(NamedTuple):
    """A curve over the lag as one factor per step, by least squares in its logarithm.

    factor  of the whole curve
    halves  of its first and of its second half"""

    factor: float
    halves: tuple


def fit(curve):
    """The `Fit` of one curve (lags+1,). What has underflowed to zero is left out."""
    lags = np.flatnonzero(curve > 0)
    middle = len(lags) // 2
    parts = [lags, lags[: middle + 1], lags[middle:]]
    slopes = [np.polyfit(part, np.log(curve[part]), 1)[0] if len(part) > 1 else 0 for part in parts]
    whole, *halves = np.exp(slopes)
    return Fit(float(whole), tuple(map(float, halves)))


TENFOLD = 10  # what changes less than so much over a curve neither vanishes nor explodes


def trend(found, lags):
    """−1 vanishing, 1 exploding, 0 neither: what a `Fit` over so many lags says.

    The line must change by more than `TENFOLD`, and the fits of both halves must agree."""
    for sign in (-1, 1):
        steep = found.factor ** (sign * lags) > TENFOLD
        if steep and all(half**sign > 1 for half in found.halves):
            return sign
    return 0


def fitted(found, curve, what):
    """What a `Fit` says of a curve: vanishing with its half-life, exploding, or neither."""
    lags = len(curve) - 1
    sign = trend(found, lags)
    if sign:
        steps = number(np.log(2) / abs(np.log(found.factor)))
        word = "*vanishing*" if sign < 0 else "*exploding*"
        return f"{word}, {what} {'halves' if sign < 0 else 'doubles'} every {steps} steps"
    low, high = number(curve.min()), number(curve.max())
    between = f"stays between {low} and {high} over {lags} steps"
    return f"*neither vanishing nor exploding*, {what} {between}"


def at_end(ends, values):
    """The first of some ends of an axis that is not below each value, or the last."""
    ends = np.asarray(ends, float)
    return ends[np.searchsorted(ends, values).clip(max=len(ends) - 1)]


@plotting.style()
def lag_figure(lags, low, high, curves, title="Size of the gradient after k steps back"):
    """A figure over the lag with a log axis and empty curves, their names beside them.

    The line at 1 has the gid "one": it must be told where it is when the axes' limits move.
    curves  {gid: (name, colour, style)}"""
    fig, ax = plotting.figure(4.2, 2.9)
    ax.set(yscale="log", xlim=(0, lags), ylim=(low, high), xlabel="lag k", title=title)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.plot([0, lags], [1, 1], color="gtt:rule", lw=0.8, gid="one")
    for gid, (name, colour, style) in curves.items():
        ax.plot([], [], style, color=f"gtt:{colour}", gid=gid)
        plotting.label(ax, 0, 1, name, colour, gid=f"{gid}.name")
    return fig
