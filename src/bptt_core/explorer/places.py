"""Where names and bars go: names beside their curves and apart, bars as wide as a step.

Here an axis is a function `share` of values to fractions of its length, whatever its scale.
"""

import itertools

import numpy as np

LINE = 0.09  # the height of a line of text, as a share of the axes
NEIGHBOURS = 0.3  # names closer than this, as a share of the axes, may not overlap


def beside(curves):
    """Where the names of curves go: where each ends or leaves the axes, but apart from its
    neighbours.

    curves  [(x, y)] as fractions of the axes, each (n, points); NaN after a curve's end
    Returns (x, y), each (curves, n), as fractions of the axes."""
    near, y, falls = map(np.stack, zip(*(_end(*curve) for curve in curves), strict=True))
    y = y.clip(0.7 * LINE, 1 - LINE / 2)
    # what leaves first was the highest, or the lowest
    order = np.lexsort([np.where(falls, near, -near), y], axis=0)
    y = np.take_along_axis(y, order, 0)
    near = np.take_along_axis(near, order, 0)
    close = np.abs(near - near[:, None]) < NEIGHBOURS
    pairs = list(itertools.combinations(range(len(y)), 2))
    for i, j in pairs:
        y[j] = np.where(close[i, j], np.maximum(y[j], y[i] + LINE), y[j])
    y = np.minimum(y, 1 - LINE / 2)
    for i, j in reversed(pairs):
        y[i] = np.where(close[i, j], np.minimum(y[i], y[j] - LINE), y[i])
    # names in one stack start beside the longest of its curves
    stacked = close & (np.abs(y - y[:, None]) < len(y) * LINE)
    near = np.where(stacked, near, 0).max(1)
    back = order.argsort(0)
    return np.take_along_axis(near, back, 0), np.take_along_axis(y, back, 0)


def _end(x, y):
    """Where curves (n, points) end or leave the axes: (x, y, whether in the lower half), each
    (n,)."""
    inside = (x >= 0) & (x <= 1 + 1e-9) & (y >= 0) & (y <= 1)
    last = np.where(inside.any(-1), y.shape[-1] - 1 - inside[..., ::-1].argmax(-1), 0)
    after = np.minimum(last + 1, y.shape[-1] - 1)

    def pick(values, at):
        return np.take_along_axis(values, at[:, None], -1)[:, 0]

    y_last, y_after = pick(y, last), pick(y, after)
    x_last, x_after = pick(x, last), pick(x, after)
    beyond = np.where(np.isfinite(y_after), y_after, y_last)
    rise = np.where(beyond == y_last, 1, beyond - y_last)
    share = (beyond.clip(0, 1) - y_last) / rise  # of the way to the next point
    x_end = x_last + np.where(np.isfinite(y_after), share * (x_after - x_last), 0)
    x_end = np.where(np.isnan(beyond), np.nan, x_end)  # a curve without a point is near nothing
    return x_end, beyond, beyond <= 0.5


def stairs(k, low, high):
    """The outline of bars from `low` to `high` (n, lags), each as wide as a lag: (x, y), closed
    where it began."""
    edges = np.repeat(np.r_[k[0], (k[1:] + k[:-1]) / 2, k[-1]], 2)[1:-1]
    there, back = np.repeat(high, 2, 1), np.repeat(low, 2, 1)[:, ::-1]
    return np.r_[edges, edges[::-1]], np.concatenate([there, back], 1)
