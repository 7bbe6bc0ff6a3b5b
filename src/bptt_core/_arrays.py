"""How arrays are laid out and run through: time, batch and grid axes,
and what leaves the floating-point range.

over_grid, rows, by_step  make room for a grid, lay all steps out as the rows of one matrix, and
                          undo that
gate_rows                 a view of one gate in a stacked parameter
diagonal, scale_rows      D(v) and D(v) W, for Jacobians
fast_matmul, segments     what makes a loop over small arrays fast
upstream                  the immediate gradient of the loss as one array; `state_gradients` one for
                          every state
report_overflow           names an overflow: infinity with an `ExplodedWarning`, never NaN
"""

import warnings

import numpy as np

from bptt_core._checks import all_finite, is_whole, number_array, wanted

__all__ = [
    "ExplodedWarning",
    "by_step",
    "diagonal",
    "fast_matmul",
    "gate_rows",
    "over_grid",
    "report_overflow",
    "rows",
    "scale_rows",
    "segments",
    "state_gradients",
    "upstream",
]

CACHED = 65_536  # numbers that a core's own cache holds with room to spare


class ExplodedWarning(RuntimeWarning):
    """A state or a gradient left the range of its floating-point type;
    it is reported as infinity."""


def over_grid(x, ndim):
    """x (T, B, N), shared by a grid, with room for the grid's axes."""
    return x if x.ndim == ndim else x.reshape(len(x), *[1] * (ndim - 3), *x.shape[1:])


def rows(array):
    """(T, *G, B, N) → (*G, T·B, N): all steps of all sequences as the rows of one matrix."""
    if array.ndim > 3:
        array = np.moveaxis(array, 0, -3)
    return array.reshape(*array.shape[:-3], -1, array.shape[-1])


def by_step(matrix, T):
    """(*G, T·B, N) → (T, *G, B, N): undoes `rows`."""
    array = matrix.reshape(*matrix.shape[:-2], T, -1, matrix.shape[-1])
    return array if array.ndim == 3 else np.moveaxis(array, -3, 0)


def gate_rows(gates, field, gate):
    """A property of `Params`: the rows of one gate in a stacked parameter, as a view;
    None without a bias.

    gates  the letters of the gates in the order in which they are stacked"""
    k = gates.index(gate)

    def rows_of_gate(params):
        stacked = getattr(params, field)
        if stacked is None:
            return None
        H = params.W_hh.shape[-1]
        own = slice(k * H, (k + 1) * H)
        return stacked[..., own] if field == "b_h" else stacked[..., own, :]

    return property(rows_of_gate)


def diagonal(v):
    """D(v): the last axis becomes the diagonal of a matrix."""
    return v[..., None] * np.eye(v.shape[-1], dtype=v.dtype)


def scale_rows(v, W):
    """D(v) W for v (…, *G, B, H) and W (*G, H, H)."""
    return v[..., None] * W[..., None, :, :]


def fast_matmul(grid):
    """The matrix product (a, b, out): `np.matmul`, or without a grid the method `dot`.

    For small matrices the method costs a third of `np.matmul`, which has to look for a grid
    first."""
    return np.matmul if grid else np.ndarray.dot


def segments(T, size):
    """Slices of the steps 0 … T−1, the last first,
    each of as many steps as the cache holds together.

    size  how many numbers of one step the work on a segment touches first and last

    What is computed for a whole segment at once is still in the processor's cache when the loop
    over its steps comes to it; computed for all steps at once it would have to be fetched from
    memory again."""
    length = max(1, CACHED // size)
    return [slice(max(0, stop - length), stop) for stop in range(T, 0, -length)]


def upstream(name, gradient, shape, dtype, *, out=None):
    """The immediate gradient of the loss by every step's state, written to `out` or a new array.

    `gradient` has the given `shape` (T, *G, B, H), or is (T, B, H) for every network of the grid,
    or {t: one step}, t from 1, or None: no loss here. ValueError: anything else."""
    out = np.empty(shape, dtype) if out is None else out
    gradient = {} if gradient is None else gradient
    if not hasattr(gradient, "items"):
        value = _real_as(out, name, gradient, (shape[0], *shape[-2:]))
        out[...] = over_grid(value, out.ndim)
        return out
    out[...] = 0
    for t, value in gradient.items():
        if not is_whole(t, 1, shape[0]):
            raise wanted(name, f"step {t!r}", f"a step from 1 to {shape[0]}")
        out[t - 1] = _real_as(out[t - 1], f"{name}[{t}]", value, shape[-2:])
    return out


def state_gradients(h, **gradients):
    """For every state an array like h (T+1, *G, B, H): zero in row 0,
    `upstream` in the rows of the steps.

    A backward pass adds to each row what comes back from the row after it."""
    found = []
    for name, gradient in gradients.items():
        array = np.empty(h.shape, h.dtype)
        array[0] = 0
        upstream(name, gradient, h[1:].shape, h.dtype, out=array[1:])
        found.append(array)
    return found


def _real_as(out, name, value, shared):
    """`value` as an array that fits into `out`, or that has the `shared` shape,
    without the grid."""
    value = number_array(name, value)
    if value.dtype.kind == "c" and out.dtype.kind != "c":
        raise wanted(name, "complex numbers", "real numbers, as in the cache")
    if value.shape not in (out.shape, shared):
        raise wanted(name, f"shape {value.shape}", f"shape {out.shape}")
    return value


def report_overflow(what, *arrays, watch=None, stacklevel=3):
    """Turn NaN into infinity in place and warn,
    if anything in `arrays` left the floating-point range.

    watch       those of the arrays which an overflow anywhere is sure to reach: looking at them is
                enough
    stacklevel  how far up the caller is who shall see the warning"""
    bad = [array for array in watch or arrays if array is not None and not all_finite(array)]
    if bad:
        warnings.warn(
            f"{what} exploded beyond {bad[0].dtype}; reported as infinity",
            ExplodedWarning,
            stacklevel=stacklevel,
        )
        for array in arrays:
            if array is not None:
                array[np.isnan(array)] = np.inf
