"""What the plain passes begin with: checked weights, arrays whose row t belongs to step t."""

import numpy as np

from bptt_core._arrays import upstream
from bptt_core._checks import check_inputs, check_weights, common_dtype, number_array, wanted

__all__ = ["from_row_1", "losses", "row_0", "stacked", "states", "weights"]


def weights(params, container, gates):
    """The weights of one network as arrays; a missing bias is zeros.

    ValueError: a grid of networks, another cell, shapes that do not fit."""
    params, grid, _, _ = check_weights(params, container, gates)
    if grid:
        raise wanted("params", f"a grid {grid}", "one network")
    rows, H = params.W_hh.shape
    sizes = {name: rows if name == "b_h" else H for name in container._fields[2:]}
    zeros = {n: np.zeros(size) for n, size in sizes.items() if getattr(params, n) is None}
    return params._replace(**zeros)


def from_row_1(x, params):
    """x (T, B, D) with a row of zeros before it, so that x[t] is x_t."""
    x, _, _ = check_inputs(x, (), params.W_xh.shape[-1])
    return row_0(x)


def row_0(array, first=None):
    """An array with one row more, before the others: zeros, or the one that is given."""
    first = np.zeros_like(array[0]) if first is None else first
    return np.concatenate([first[None], array])


def states(name, first, x, params):
    """Zeros (T+1, B, H), and in row 0 the initial state, if there is one."""
    size = (x.shape[1], params.W_hh.shape[-1])
    first = np.zeros(size) if first is None else number_array(name, first, size)
    array = np.zeros((len(x), *size), common_dtype(*params, x, first))
    array[0] = first
    return array


def losses(dh, h):
    """∂⁺L/∂h_t (T, B, H) or {t: array} as an array like h: row t for h_t, and row 0 is zero."""
    array = np.zeros_like(h)
    upstream("dh", dh, h[1:].shape, h.dtype, out=array[1:])
    return array


def stacked(*blocks):
    """The rows of several matrices, one block below the other."""
    return np.concatenate(blocks, axis=-2)
