"""What comes in is checked here, and what is wrong is named: the argument, what came,
what should have come.

wanted         the ValueError of this package
number_array   a value as an array of finite numbers; `is_whole`, `check_number`, `check_choice` for
               single values
check_sizes    what `init_params` is given
check_weights  what a cell is made of; `check_inputs`, `check_step`, `check_step_back`,
               `check_cache` what it is run with
"""

import cmath

import numpy as np

__all__ = [
    "all_finite",
    "check_cache",
    "check_choice",
    "check_inputs",
    "check_number",
    "check_sizes",
    "check_step",
    "check_step_back",
    "check_weights",
    "common_dtype",
    "initial_state",
    "is_whole",
    "number_array",
    "wanted",
]

FLOAT64 = np.dtype(float)


def wanted(name, got, want):
    """The ValueError of this package: it names the argument,
    what came and what should have come."""
    return ValueError(f"{name}: got {got}, wanted {want}")


def all_finite(array):
    """Whether no entry is NaN or infinite: one product tells, unless squares overflow;
    then the slow way."""
    flat = array.ravel(order="K")
    return cmath.isfinite(np.vdot(flat, flat)) or bool(np.isfinite(flat).all())


def number_array(name, value, shape=None):
    """`value` as a finite floating or complex array, broadcast to `shape` if one is given.

    ValueError: no numbers, NaN or infinity, a shape that does not fit."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise wanted(name, f"a ragged {type(value).__name__}", "an array of numbers") from error
    kind = array.dtype.kind
    if kind not in "biufc":
        got = type(value).__name__ if array.ndim == 0 else f"dtype {array.dtype}"
        raise wanted(name, got, "an array of numbers")
    if kind in "biu":
        array = array.astype(float)
    if not all_finite(array):
        raise wanted(name, "NaN or infinity", "finite numbers")
    if shape is None or array.shape == shape:
        return array
    try:
        return np.broadcast_to(array, shape)
    except ValueError as error:
        raise wanted(name, f"shape {array.shape}", f"shape {shape}") from error


def is_whole(value, least, most=float("inf")):
    """Whether `value` is a whole number from `least` to `most`, and neither True nor 2.0."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and least <= value <= most


def check_number(name, value):
    """`value` if it is one finite real number, else a ValueError."""
    number = np.isscalar(value) and np.isreal(value) and not isinstance(value, str | bytes)
    if not (number and np.isfinite(value)):
        raise wanted(name, repr(value), "one finite number")
    return value


def check_choice(name, value, choices):
    """`value` if it is one of the names in `choices`, else a ValueError that lists them."""
    if not isinstance(value, str) or value not in choices:
        raise wanted(name, repr(value), f"one of {', '.join(choices)}")
    return value


def check_sizes(rng, dtype, **sizes):
    """ValueError unless the sizes are positive whole numbers, `rng` can draw and `dtype` floats."""
    for name, size in sizes.items():
        if not is_whole(size, 1):
            raise wanted(name, repr(size), "a positive whole number")
    if not isinstance(rng, np.random.Generator):
        raise wanted("rng", type(rng).__name__, "a numpy.random.Generator")
    floats = (float, np.float64, np.float32, "float64", "float32")
    if not (isinstance(dtype, str | type | np.dtype) and dtype in floats):
        raise wanted("dtype", repr(dtype), "float64 or float32")


def check_weights(params, container, gates):
    """`params` with arrays for fields, its grid G, H and D.

        W_xh (*G, N, D)    W_hh (*G, N, H)    b_h (*G, N) or None    N = H for each of the `gates`

    Any further field of the container is a bias (*G, H) or None. ValueError: shapes that do not
    agree."""
    if not isinstance(params, container):
        raise wanted("params", type(params).__name__, f"{container.__module__}.Params")
    W_xh = number_array("W_xh", params.W_xh)
    W_hh = number_array("W_hh", params.W_hh)
    stacked = len(gates)
    if W_hh.ndim < 2 or W_hh.size == 0 or W_hh.shape[-2] != stacked * W_hh.shape[-1]:
        rows = f"{stacked}H" if stacked > 1 else "H"
        raise wanted("W_hh", f"shape {W_hh.shape}", f"(…, {rows}, H)")
    *grid, N, H = W_hh.shape
    if W_xh.ndim < 2 or W_xh.shape[:-1] != W_hh.shape[:-1] or W_xh.size == 0:
        raise wanted("W_xh", f"shape {W_xh.shape}", f"shape ({', '.join(map(str, (*grid, N)))}, D)")
    biases = []
    for name in container._fields[2:]:
        bias = getattr(params, name)
        if bias is not None:
            bias = number_array(name, bias)
            shape = (*grid, N if name == "b_h" else H)
            if bias.shape != shape:
                raise wanted(name, f"shape {bias.shape}", f"shape {shape}")
        biases.append(bias)
    return container(W_xh, W_hh, *biases), tuple(grid), H, W_xh.shape[-1]


def check_inputs(x, grid, D):
    """`x` as an array (T, *grid or nothing, B, D) with T, B ≥ 1, then T and B;
    else a ValueError."""
    x = number_array("x", x)
    if x.ndim not in (3, 3 + len(grid)) or x.shape[-1] != D or x.shape[1:-2] not in ((), grid):
        of_the_grid = f" or (T, {grid}, B, {D})" if grid else ""
        raise wanted("x", f"shape {x.shape}", f"(T, B, {D}){of_the_grid}")
    if x.size == 0:
        raise wanted("x", f"shape {x.shape}", "at least one step and one sequence")
    return x, x.shape[0], x.shape[-2]


def check_step(grid, **arrays):
    """Arrays (…, B, size) of one step that go together, each given as name=(value, size).

    ValueError: no numbers, another last axis, sequences or a grid that do not go together."""
    found = {}
    for name, (value, size) in arrays.items():
        found[name] = array = number_array(name, value)
        if array.ndim < 2 or array.size == 0 or array.shape[-1] != size:
            raise wanted(name, f"shape {array.shape}", f"(…, B, {size})")
    try:
        np.broadcast_shapes((*grid, 1), *(array.shape[:-1] for array in found.values()))
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in found.values())
        of_the_grid = f" for the grid {grid}" if grid else ""
        raise wanted(
            ", ".join(found), f"shapes {shapes}", f"the same sequences{of_the_grid}"
        ) from error
    return found.values()


def check_step_back(params, container, gates, slopes_kind, slopes_t, **gradients):
    """`params` as arrays, and the gradients of a state as arrays of their own that go with one
    step's slopes.

    ValueError: no slopes of this cell, shapes that do not go together, NaN or infinity."""
    params, grid, H, _ = check_weights(params, container, gates)
    if not isinstance(slopes_t, slopes_kind):
        raise wanted("slopes_t", type(slopes_t).__name__, f"{slopes_kind.__module__}.Slopes")
    given = {name: (value, H) for name, value in gradients.items()}
    slope, *arrays = check_step(grid, slopes_t=(slopes_t[0], H), **given)
    shape = np.broadcast_shapes((*grid, 1, H), slope.shape, *(array.shape for array in arrays))
    dtype = common_dtype(*params, slope, *arrays)
    return params, *(np.array(np.broadcast_to(array, shape), dtype) for array in arrays)


def check_cache(cache, container, params, grid, H, D):
    """ValueError unless `cache` came from a forward pass of parameters like `params`."""
    if not isinstance(cache, container):
        raise wanted("cache", type(cache).__name__, f"{container.__module__}.Cache, from `forward`")
    if cache.h.shape[1:-2] != grid or cache.h.shape[-1] != H or cache.x.shape[-1] != D:
        got = f"states {cache.h.shape} and inputs {cache.x.shape}"
        want = f"the forward pass of these parameters, with grid {grid}, H = {H}, D = {D}"
        raise wanted("cache", got, want)
    if cache.bias != (params.b_h is not None):
        have = ("without b_h", "with b_h")
        got, want = have if params.b_h is not None else have[::-1]
        raise wanted("cache", f"a forward pass {got}", f"one {want}")
    dtype = common_dtype(*params, cache.h)
    if dtype != cache.h.dtype:
        got = f"{cache.h.dtype} for parameters of {dtype}"
        raise wanted("cache", got, "the forward pass of these parameters")


def initial_state(name, state, shape):
    """`state` broadcast to `shape`, or None, which is zero. ValueError: it does not fit."""
    return None if state is None else number_array(name, state, shape)


def common_dtype(*arrays):
    """The type in which a computation on all of these runs: float32 only if every one is."""
    dtypes = {array.dtype for array in arrays if array is not None}
    return FLOAT64 if dtypes == {FLOAT64} else np.result_type(*dtypes, np.float32)
