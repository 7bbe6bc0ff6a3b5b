"""Where the lines of a movable figure go: names beside their curves, straight lines, stacks of bars."""

import itertools

import numpy as np


def end_names(x, curves, low, high):
    """Where to write the names of curves {gid: (n, points)} on a log axis: where each ends or leaves it, but apart.

    Returns {gid + ".name": (x, y)}, each (n, 1)."""
    y = np.log(
        np.clip(np.stack(list(curves.values())), 1e-300, 1e300)
    )  # NaN, after a curve's end, stays
    low, high = np.log(low), np.log(high)
    inside = (y >= low) & (y <= high)
    last = np.where(inside.any(-1), y.shape[-1] - 1 - inside[..., ::-1].argmax(-1), 0)
    after = np.minimum(last + 1, y.shape[-1] - 1)
    y, y_after = (np.take_along_axis(y, i[..., None], -1)[..., 0] for i in (last, after))
    beyond = np.where(np.isfinite(y_after), y_after, y)
    share = (beyond.clip(low, high) - y) / np.where(
        beyond == y, 1, beyond - y
    )  # of the way to the next point
    at = x[last] + share * (x[after] - x[last])
    gap = 0.09 * (high - low)  # the height of a line of text
    y = beyond.clip(low + 0.7 * gap, high - gap / 2)
    earlier = np.where(
        y > (low + high) / 2, -at, at
    )  # what leaves first was the highest, or the lowest
    order = np.lexsort([earlier, y], axis=0)
    y, near = np.take_along_axis(y, order, 0), np.take_along_axis(at, order, 0)
    close = np.abs(near - near[:, None]) < 0.3 * x[-1]
    pairs = list(itertools.combinations(range(len(y)), 2))
    for i, j in pairs:
        y[j] = np.where(close[i, j], np.maximum(y[j], y[i] + gap), y[j])
    y = np.minimum(y, high - gap / 2)
    for i, j in reversed(pairs):
        y[i] = np.where(close[i, j], np.minimum(y[i], y[j] - gap), y[i])
    stacked = close & (np.abs(y - y[:, None]) < len(y) * gap)
    near = np.where(stacked, near, 0).max(
        1
    )  # names in one stack start beside the longest of its curves
    at, y = (np.take_along_axis(v, order.argsort(0), 0) for v in (near, np.exp(y)))
    return {f"{gid}.name": (at[i][:, None], y[i][:, None]) for i, gid in enumerate(curves)}


def straight(powers, high):
    """The ends of c^k (n, lags+1), a straight line on a log axis, as far as `high`: (x, y), each (n, 2)."""
    end = np.minimum((powers <= high).sum(-1), powers.shape[-1] - 1)
    return np.stack([0 * end, end], -1), np.stack(
        [powers[:, 0], powers[np.arange(len(end)), end]], -1
    )


def stairs(k, low, high):
    """The outline of bars from `low` to `high` (n, lags), each as wide as a lag: (x, y), closed where it began."""
    edges = np.repeat(np.r_[k[0], (k[1:] + k[:-1]) / 2, k[-1]], 2)[1:-1]
    return np.r_[edges, edges[::-1]], np.concatenate(
        [np.repeat(high, 2, 1), np.repeat(low, 2, 1)[:, ::-1]], 1
    )
