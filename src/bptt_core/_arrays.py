"""What every module does with arrays: check them, lay time and batch out as rows, and name an overflow."""

import cmath
import warnings

import numpy as np

CACHED = 65_536  # numbers that a core's own cache holds with room to spare


class ExplodedWarning(RuntimeWarning):
    """A state or a gradient left the range of its floating-point type; the value is reported as infinity."""


def wanted(name, got, want):
    """The ValueError of this package: it names the argument, what came and what should have come."""
    return ValueError(f"{name}: got {got}, wanted {want}")


def all_finite(array):
    """Whether no entry is NaN or infinite: one product, and the slow way only if the squares overflow."""
    array = array.T if array.flags.f_contiguous else array  # spares a copy
    return cmath.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def number_array(name, value, shape=None):
    """`value` as a finite floating or complex array, broadcast to `shape` if one is given."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise wanted(name, f"a ragged {type(value).__name__}", "an array of numbers") from error
    kind = array.dtype.kind
    if kind not in "biufc":
        raise wanted(
            name,
            type(value).__name__ if array.ndim == 0 else f"dtype {array.dtype}",
            "an array of numbers",
        )
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
    return (
        isinstance(value, int | np.integer)
        and not isinstance(value, bool)
        and least <= value <= most
    )


def check_sizes(rng, dtype, **sizes):
    """Raise unless the sizes are positive whole numbers, `rng` can draw, and `dtype` is a floating type."""
    for name, size in sizes.items():
        if not is_whole(size, 1):
            raise wanted(name, repr(size), "a positive whole number")
    if not isinstance(rng, np.random.Generator):
        raise wanted("rng", type(rng).__name__, "a numpy.random.Generator")
    floats = (float, np.float64, np.float32, "float64", "float32")
    if not (isinstance(dtype, str | type | np.dtype) and dtype in floats):
        raise wanted("dtype", repr(dtype), "float64 or float32")


def check_number(name, value):
    """`value` if it is one finite real number."""
    if not (
        np.isscalar(value)
        and np.isreal(value)
        and not isinstance(value, str | bytes)
        and np.isfinite(value)
    ):
        raise wanted(name, repr(value), "one finite number")
    return value


def check_weights(params, container, blocks):
    """`params` with arrays for fields, its grid G, H and D, if its shapes agree:

    W_xh (*G, N, D), W_hh (*G, N, H), b_h (*G, N) or None, with N = blocks · H."""
    if not isinstance(params, container):
        raise wanted("params", type(params).__name__, f"{container.__module__}.Params")
    W_xh, W_hh = number_array("W_xh", params.W_xh), number_array("W_hh", params.W_hh)
    b_h = None if params.b_h is None else number_array("b_h", params.b_h)
    if W_hh.ndim < 2 or W_hh.size == 0 or W_hh.shape[-2] != blocks * W_hh.shape[-1]:
        raise wanted(
            "W_hh", f"shape {W_hh.shape}", f"(…, {blocks}H, H)" if blocks > 1 else "(…, H, H)"
        )
    *grid, N, H = W_hh.shape
    if W_xh.ndim < 2 or W_xh.shape[:-1] != W_hh.shape[:-1] or W_xh.size == 0:
        raise wanted("W_xh", f"shape {W_xh.shape}", f"shape ({', '.join(map(str, (*grid, N)))}, D)")
    if b_h is not None and b_h.shape != W_hh.shape[:-1]:
        raise wanted("b_h", f"shape {b_h.shape}", f"shape {W_hh.shape[:-1]}")
    return container(W_xh, W_hh, b_h), tuple(grid), H, W_xh.shape[-1]


def check_inputs(x, grid, D):
    """`x` as an array (T, *grid or nothing, B, D) with T, B ≥ 1. Returns (x, T, B)."""
    x = number_array("x", x)
    if x.ndim not in (3, 3 + len(grid)) or x.shape[-1] != D or x.shape[1:-2] not in ((), grid):
        raise wanted(
            "x", f"shape {x.shape}", f"(T, B, {D})" + (f" or (T, {grid}, B, {D})" if grid else "")
        )
    if x.size == 0:
        raise wanted("x", f"shape {x.shape}", "at least one step and one sequence")
    return x, x.shape[0], x.shape[-2]


def check_step(grid, D, H, x_t, **states):
    """`x_t` (…, B, D) and the states (…, B, H) of one step as arrays that go together."""
    arrays = {"x_t": number_array("x_t", x_t)} | {
        name: number_array(name, state) for name, state in states.items()
    }
    for name, array in arrays.items():
        size = D if name == "x_t" else H
        if array.ndim < 2 or array.size == 0 or array.shape[-1] != size:
            raise wanted(name, f"shape {array.shape}", f"(…, B, {size})")
    try:
        np.broadcast_shapes((*grid, 1), *(array.shape[:-1] for array in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in arrays.values())
        want = f"the same sequences{f' for the grid {grid}' if grid else ''}"
        raise wanted(", ".join(arrays), f"shapes {shapes}", want) from error
    return arrays.values()


def check_cache(cache, container, params, grid, H, D):
    """Raise unless `cache` came from a forward pass of parameters like `params`, with this grid and these sizes."""
    if not isinstance(cache, container):
        raise wanted("cache", type(cache).__name__, f"{container.__module__}.Cache, from `forward`")
    if cache.h.shape[1:-2] != grid or cache.h.shape[-1] != H or cache.x.shape[-1] != D:
        got = f"states {cache.h.shape} and inputs {cache.x.shape}"
        raise wanted(
            "cache",
            got,
            f"the forward pass of these parameters, with grid {grid}, H = {H}, D = {D}",
        )
    if cache.hx.shape[-1] != H + D + (params.b_h is not None):
        have = ("without b_h", "with b_h")
        raise wanted(
            "cache",
            f"a forward pass {have[params.b_h is None]}",
            f"one {have[params.b_h is not None]}",
        )
    if (dtype := common_dtype(*params, cache.h)) != cache.h.dtype:
        raise wanted(
            "cache",
            f"{cache.h.dtype} for parameters of {dtype}",
            "the forward pass of these parameters",
        )


def initial_state(name, state, shape):
    """`state` broadcast to `shape`, or None, which is zero."""
    return None if state is None else number_array(name, state, shape)


def common_dtype(*arrays):
    """The floating type in which a computation on all of these runs: float32 only if every one is."""
    return np.result_type(*(array for array in arrays if array is not None), np.float32)


def joined(params, x, h_0, dtype):
    """[h_{t−1}, x_t, 1] and [W_hh, W_xh, b_h]ᵀ, so that one product per step is the whole affine map a_t.

    The first is (T+1, *G, B, H+D+1); its part h is filled in row 0 only. Without a bias the 1 is left out."""
    bias = [] if params.b_h is None else [params.b_h[..., None]]
    W = np.concatenate([params.W_hh, params.W_xh, *bias], axis=-1)
    *grid, H = params.W_hh.shape[:-2] + params.W_hh.shape[-1:]
    T, B, D = len(x), *x.shape[-2:]
    hx = np.empty((T + 1, *grid, B, W.shape[-1]), dtype)
    hx[0, ..., :H] = 0 if h_0 is None else h_0
    hx[:-1, ..., H : H + D] = over_grid(x, hx.ndim)
    hx[:-1, ..., H + D :] = 1
    hx[-1, ..., H:] = 0  # there is no x_{T+1}
    return hx, np.ascontiguousarray(W.mT, dtype)


def over_grid(x, ndim):
    """x (T, B, N), shared by a grid, with room for the grid's axes."""
    return x if x.ndim == ndim else x.reshape(len(x), *[1] * (ndim - 3), *x.shape[1:])


def product(grid):
    """The matrix product (a, b, out=…): for a single small network the method costs a third of `np.matmul`."""
    return np.matmul if grid else np.ndarray.dot


def blocks(steps, size):
    """Slices of 0 … steps, the last first, each of as many steps as stay in the processor's cache together.

    size  how many numbers of one step the work between two blocks touches first and last"""
    length = max(1, CACHED // size)
    return [slice(max(0, stop - length), stop) for stop in range(steps, 0, -length)]


def upstream(name, gradient, shape, dtype, *, out=None):
    """The immediate gradient of the loss with respect to every step's state, written to `out` or a new array.

    `gradient` has the given `shape` (T, *G, B, H), or is (T, B, H) for every network of the grid, or {t: one step},
    t from 1, or None: no loss here."""
    out = np.empty(shape, dtype) if out is None else out
    gradient = {} if gradient is None else gradient
    by_step = hasattr(gradient, "items")
    if by_step:
        out[...] = 0
    for t, value in gradient.items() if by_step else [(None, gradient)]:
        if t is not None and not is_whole(t, 1, shape[0]):
            raise wanted(name, f"step {t!r}", f"a step from 1 to {shape[0]}")
        part, label = (out, name) if t is None else (out[t - 1 : t], f"{name}[{t}]")
        value = number_array(label, value)
        if value.dtype.kind == "c" and out.dtype.kind != "c":
            raise wanted(label, "complex numbers", "real numbers, as in the cache")
        value = value if t is None else value[None]
        if value.shape not in (part.shape, (part.shape[0], *shape[-2:])):
            raise wanted(
                label,
                f"shape {value.shape[t is not None :]}",
                f"shape {part.shape[t is not None :]}",
            )
        part[...] = over_grid(value, part.ndim)
    return out


def rows(array):
    """(T, *G, B, N) → (*G, T·B, N): all steps of all sequences as the rows of one matrix."""
    if array.ndim > 3:
        array = np.moveaxis(array, 0, -3)
    return array.reshape(*array.shape[:-3], -1, array.shape[-1])


def steps(matrix, T):
    """(*G, T·B, N) → (T, *G, B, N): undoes `rows`."""
    array = matrix.reshape(*matrix.shape[:-2], T, -1, matrix.shape[-1])
    return array if array.ndim == 3 else np.moveaxis(array, -3, 0)


def affine(x, W, b, T):
    """W x_t + b for every step at once: (T, …, B, D) → (T, *G, B, N)."""
    z = rows(x) @ W.mT
    return steps(z if b is None else z + b[..., None, :], T)


def outer_sum(dz, x, *, per_step=False):
    """Σ_t Σ_batch dz_t x_tᵀ, the gradient of a weight that maps x_t to z_t; with `per_step` before the sum over t.

    As (Σ x_t dz_tᵀ)ᵀ, with the wider factor on the right, the product is a quarter faster."""
    return dz.mT @ over_grid(x, dz.ndim) if per_step else (rows(x).mT @ rows(dz)).mT


def report_overflow(what, *arrays, watch=None):
    """Turn NaN into infinity in place and warn, if anything in `arrays` left the floating-point range.

    watch  those of the arrays which an overflow anywhere is sure to reach: looking at them is enough"""
    bad = [array for array in watch or arrays if array is not None and not all_finite(array)]
    if bad:
        warnings.warn(
            f"{what} exploded beyond {bad[0].dtype}; reported as infinity",
            ExplodedWarning,
            stacklevel=3,
        )
        for array in arrays:
            if array is not None:
                array[np.isnan(array)] = np.inf
