"""What a cell is, and which cell some parameters belong to. No other module asks.

A cell is a module, such as `rnn`, `lstm` or `gru`, that offers these names:

GATES           the letters of the gates whose rows are stacked in W_xh, W_hh and b_h: "ifgo",
                "rzn", or "h" for none
STATES          the letters of its states: ("h",), or ("h", "c"); the last one carries the memory
Params          W_xh, W_hh, b_h, and further biases        Cache, Gradients, Slopes   named tuples
init_params     (input_size, hidden_size, rng, …) → Params
step            (params, x_t, *states of before, …) → states of after
forward         (params, x, *initial states, …) → Cache
backward        (params, cache, *gradients of the states, …) → Gradients
slopes          (cache, part) → Slopes, the local derivatives of some steps
step_back       (params, slopes_t, *gradients of the states after) → da_t, *gradients of the states
                before
step_back_into  the same for inner loops, into arrays that `buffers` makes
jacobian        (params, slopes_t) → the derivative of the states after by the states before
parameter_gradients  (params, cache, da) → Params

A module of yours that offers them is a cell too: nothing has to be registered.
"""

import sys
from itertools import repeat

import numpy as np

from bptt_core._checks import check_cache, check_weights, wanted

__all__ = ["NAMES", "at", "cell_of", "checked", "each_step", "find_cell", "map_slopes"]

NAMES = (
    "GATES",
    "STATES",
    "Params",
    "Cache",
    "Gradients",
    "Slopes",
    "init_params",
    "step",
    "forward",
    "backward",
    "slopes",
    "step_back",
    "step_back_into",
    "buffers",
    "jacobian",
    "parameter_gradients",
)


def find_cell(params):
    """The module whose `Params` these are, if it is a cell; else None.

    >>> cells.find_cell(rnn.init_params(2, 3, np.random.default_rng(0))).__name__
    'bptt_core.rnn'
    """
    module = sys.modules.get(type(params).__module__)
    if all(hasattr(module, name) for name in NAMES) and isinstance(params, module.Params):
        return module
    return None


def cell_of(params):
    """The module whose `Params` these are. ValueError: they are not those of a cell.

    >>> cells.cell_of(lstm.init_params(2, 3, np.random.default_rng(0))).GATES
    'ifgo'
    """
    cell = find_cell(params)
    if cell is None:
        raise wanted("params", type(params).__name__, "the Params of a cell, such as rnn.Params")
    return cell


def checked(params, cache, cell=None):
    """`params` with arrays for fields, if they are those of `cell` (None: any)
    and the cache came from them.

    ValueError: no cell, another cell, a cache of other parameters.

    >>> params = rnn.init_params(2, 3, np.random.default_rng(0))
    >>> cells.checked(params, rnn.forward(params, np.ones((4, 1, 2)))).W_hh.shape
    (3, 3)
    """
    cell = cell or cell_of(params)
    params, grid, H, D = check_weights(params, cell.Params, cell.GATES)
    check_cache(cache, cell.Cache, params, grid, H, D)
    return params


def map_slopes(function, slopes):
    """`Slopes` with `function` applied to every array;
    what is no array is the same at every step."""
    values = (function(v) if isinstance(v, np.ndarray) else v for v in slopes)
    return type(slopes)(*values)


def at(slopes, part):
    """The slopes of one step (index t − 1), or of a slice of the steps.

    >>> cells.at(rnn.Slopes(np.array([[[0.1]], [[0.2]]])), 1).h.tolist()
    [[0.2]]
    """
    return map_slopes(lambda v: v[part], slopes)


def each_step(slopes):
    """The slopes of one step after the other as plain tuples, for inner loops."""
    return zip(*(v if isinstance(v, np.ndarray) else repeat(v) for v in slopes), strict=False)
