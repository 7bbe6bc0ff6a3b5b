"""Is a gradient right? Compare it with one that needs no calculus.

check_gradients       raises `GradientError`, which names the parameter, the entry and the likely
                      mistake
numerical_gradients   the gradient by complex step or central differences, in the container of the
                      parameters

    complex step         dL/dθ = Im L(θ + iε) / ε,  ε = 1e-30: exact to rounding, where L is
                         analytic
    central differences  dL/dθ ≈ (L(θ + ε) − L(θ − ε)) / 2ε: about eight digits, for any L

`check_gradients(loss, params, gradients)` takes a function `loss(params)` that returns one number,
the parameters in any container (named tuple, dict, tuple, nested), and the gradients in the same
container.
"""

import math
import warnings
from itertools import count

import numpy as np

from bptt_core._checks import check_choice, check_number, wanted
from bptt_core._containers import leaves, map_leaves
from bptt_core.cells import find_cell

__all__ = ["GradientError", "check_gradients", "numerical_gradients", "said_factor"]

COMPLEX_STEP = 1e-30
CENTRAL_STEP = (
    6e-6  # near the cube root of the rounding unit, where truncation and rounding errors meet
)
RTOL = {"complex": 1e-10, "central": 1e-6}
DIRECTIONS = 3  # of `fast_mode`, for each array


class GradientError(AssertionError):
    """A gradient is wrong: `parameter`, `index` of the worst entry, `got` and `wanted` there,
    relative `error`, `hint`.

    With a wrong shape, `index` is None and `got` and `wanted` are the shapes; in `fast_mode` it is
    None too, and they are the derivatives along the worst direction."""

    def __init__(self, parameter, index, got, wanted, error, hint):
        self.parameter = parameter
        self.index = index
        self.got = got
        self.wanted = wanted
        self.error = error
        self.hint = hint
        if isinstance(got, tuple):
            what = f"has the wrong shape: got {got}, wanted {wanted}."
        else:
            where = (
                "Along a direction"
                if index is None
                else "Worst" + (f" at {list(index)}" if index else "")
            )
            numbers = f"got {got:.10g}, wanted {wanted:.10g}"
            what = f"is wrong, relative error {error:.2g}. {where}: {numbers}."
        super().__init__(f"gradient of {parameter} {what} {hint}".rstrip())


def check_gradients(
    loss, params, gradients, *, method="auto", rtol=None, factors=None, fast_mode=False, rng=None
):
    """Raise a `GradientError` unless `gradients` are the derivatives of `loss` at `params`.

    loss       params → one number
    params     a container of arrays; gradients: the same container, as `backward` returns it
    method     "complex", "central", or "auto": complex if both agree for every array along a random
               direction
    rtol       largest error allowed, relative to the largest entry of the same array: 1e-10
               complex, 1e-6 central
    factors    names of numbers which a mistake may have multiplied by, such as {"T": 10, "B": 4};
               for the hint
    fast_mode  True: three random directions for each array instead of every entry
    rng        draws the directions; None: the same ones every time

    Entry by entry, a check evaluates the loss once for every number in `params` (central: twice).
    In `fast_mode` it does so three times for every array, whatever its size, and looks at
    ⟨gradient, d⟩ for Gaussian d, with an error relative to the length of the gradient. A wrong
    gradient passes when all three d are nearly orthogonal to its error.

    Where the error is e times as long as the gradient that has a chance of about (0.8 rtol / e)³.
    One entry of average size among n that is wrong by 0.05 % makes e = 5e-4 / √n. The complex step
    misses it once in 10¹¹ checks for n = a million. Central differences miss it once in 250,000 for
    n = 100, once in 250 for n = 10,000, and in 87 % for a million: they are blind to it. The full
    check sees such an entry at any n.

    Returns {name: relative error}. ValueError: the containers do not match, the loss is not one
    finite number.

    >>> def loss(params):
    ...     return (params["w"] ** 2).sum()
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> gradcheck.check_gradients(loss, params, {"w": np.array([2.0, 4.0])})
    {'w': 0.0}
    >>> gradcheck.check_gradients(loss, params, {"w": np.array([1.0, 2.0])})
    Traceback (most recent call last):
    bptt_core.gradcheck.GradientError: gradient of w is wrong, relative error 0.5. Worst at [1]: got
    2, wanted 4. It is the right gradient times 0.5.
    """
    method = _choose(loss, params) if method == "auto" else check_choice("method", method, RTOL)
    rtol = RTOL[method] if rtol is None else check_number("rtol", rtol)
    given = _matched(gradients, params)
    factors = factors or {}
    if fast_mode:
        rng = np.random.default_rng(0) if rng is None else rng
        return _check_along_directions(loss, params, given, method, rtol, factors, rng)
    return _check_every_entry(loss, params, given, method, rtol, factors)


def _matched(gradients, params):
    """{name: gradient}, if the names and shapes are those of `params`."""
    given = dict(leaves(gradients))
    right = dict(leaves(params))
    if missing := right.keys() ^ given.keys():
        got = f"fields {', '.join(given)}"
        raise wanted("gradients", got, f"those of params; check {', '.join(sorted(missing))}")
    for name, value in right.items():
        got = given[name].shape
        if got != value.shape:
            transposed = "The outer product is the wrong way round."
            hint = transposed if got == value.T.shape else ""
            raise GradientError(name, None, got, value.shape, np.inf, hint)
    return given


def _check_every_entry(loss, params, given, method, rtol, factors):
    """{name: relative error}, or the `GradientError` of the first array with a wrong entry."""
    exact = dict(leaves(numerical_gradients(loss, params, method=method)))
    largest = max((np.abs(value).max(initial=0) for value in exact.values()), default=0)
    noise = 1e-14 * largest if method == "complex" else _central_noise(loss(params))
    errors = {}
    for name, right in exact.items():
        got = given[name]
        difference = np.where(np.isfinite(got), np.abs(got - right), np.inf)
        scale = np.abs(right).max(initial=0)
        errors[name] = float(difference.max(initial=0) / (scale or largest or 1))
        tolerance = rtol * scale + noise
        if difference.max(initial=0) > tolerance:
            index = tuple(int(i) for i in np.unravel_index(difference.argmax(), right.shape))
            hint = _hint(got, right, tolerance, factors)
            hint = hint or _place(name, got, right, tolerance, params)
            raise GradientError(name, index, got[index], right[index], errors[name], hint)
    return errors


def _check_along_directions(loss, params, given, method, rtol, factors, rng):
    """The same from `DIRECTIONS` random directions for each array."""
    noise = 0 if method == "complex" else _central_noise(_number(loss(params)))
    largest = max((float(np.linalg.norm(value)) for value in given.values()), default=0)
    errors = {}
    for place, (name, value) in enumerate(leaves(_real(params))):
        gradient = given[name]
        got = np.empty(DIRECTIONS)
        right = np.empty(DIRECTIONS)
        for k in range(DIRECTIONS):
            direction = rng.standard_normal(value.shape)
            length = np.linalg.norm(direction) or 1.0
            got[k] = (gradient * direction).sum()
            right[k] = length * _slope(_along(loss, params, place, direction / length), method)
        difference = np.where(np.isfinite(got), np.abs(got - right), np.inf)
        scale = float(np.linalg.norm(gradient)) if np.isfinite(gradient).all() else 1.0
        errors[name] = float(difference.max() / (scale or np.abs(right).max() or largest or 1))
        tolerance = rtol * scale + 1e-14 * largest + noise * np.sqrt(value.size)
        if difference.max() > tolerance:
            worst = difference.argmax()
            hint = _hint(got, right, tolerance, factors)
            raise GradientError(name, None, got[worst], right[worst], errors[name], hint)
    return errors


def numerical_gradients(loss, params, *, method="complex"):
    """dL/dθ for every entry θ of every array in `params`, one evaluation (complex) or two (central)
    for each entry.

    ValueError: an unknown method, parameters that are no finite real numbers, a loss that is not
    one finite number.

    >>> gradcheck.numerical_gradients(lambda params: params[0] ** 3, [np.array(2.0)])
    [array(12.)]
    """
    check_choice("method", method, RTOL)
    dtype = complex if method == "complex" else float
    work = map_leaves(lambda value: np.array(value, dtype=dtype), _real(params))

    def derivative(array):
        gradient = np.empty(array.shape)
        for index in np.ndindex(array.shape):

            def loss_at(step, index=index):
                return _loss_with(loss, work, array, index, step)

            gradient[index] = _slope(loss_at, method)
        return gradient

    return map_leaves(derivative, work)


def _real(params):
    """`params`, if every array holds finite real floating-point numbers."""
    for name, value in leaves(params):
        if value.dtype.kind != "f" or not np.isfinite(value).all():
            raise wanted(name, f"dtype {value.dtype}", "finite real floating-point numbers")
    return params


def _loss_with(loss, work, array, index, step):
    """The loss with one entry moved by `step`, and the entry put back."""
    before = array[index]
    array[index] = before + step
    value = _number(loss(work))
    array[index] = before
    return value


def _along(loss, params, place, direction):
    """step → the loss with array number `place` moved by step · direction."""

    def loss_at(step):
        numbers = count()
        moved = map_leaves(
            lambda value: value + step * direction if next(numbers) == place else value + 0 * step,
            params,
        )
        return _number(loss(moved))

    return loss_at


def _slope(loss_at, method):
    """dL/dstep at 0."""
    if method == "complex":
        return np.imag(loss_at(1j * COMPLEX_STEP)) / COMPLEX_STEP
    return (loss_at(CENTRAL_STEP) - loss_at(-CENTRAL_STEP)) / (2 * CENTRAL_STEP)


def _choose(loss, params):
    """ "complex" if the complex step is right for every array, along a random direction:
    the loss is analytic there."""
    rng = np.random.default_rng(0)
    noise = _central_noise(_number(loss(params)))
    for place, (_, value) in enumerate(leaves(params)):
        loss_at = _along(loss, params, place, rng.standard_normal(value.shape))
        central = _slope(loss_at, "central")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exact = _slope(loss_at, "complex")
        except (TypeError, ValueError, Warning):  # the loss does not take complex numbers
            return "central"
        if abs(exact - central) > 1e-5 * abs(central) + noise:
            return "central"
    return "complex"


def _central_noise(value):
    """What rounding does to central differences of a loss of this size."""
    return 1e-15 / CENTRAL_STEP * abs(value)


def _number(value):
    """The loss as one number."""
    value = np.asarray(value)
    if value.size != 1 or value.dtype.kind not in "iufc" or not np.isfinite(value).all():
        raise wanted("loss(params)", f"{value!r}"[:60], "one finite number")
    return np.reshape(value, ())[()]


def _hint(got, right, tolerance, factors):
    """What the mistake looks like, in a sentence, if it concerns the whole array alike;
    or nothing."""

    def same(a, b):
        return a.shape == b.shape and np.abs(a - b).max() <= tolerance

    if not np.isfinite(got).all():
        return "It holds infinity or NaN."
    if same(got, 0 * right):
        return "It is all zeros: is the path to this parameter missing?"
    if got.ndim >= 2 and same(got.mT, right):
        return (
            "It is the transpose of the right gradient: the outer product is the wrong way round."
        )
    ratio = float((got * right).sum() / (right * right).sum()) if right.any() else 0.0
    if not ratio or not same(got, ratio * right):
        return ""
    return f"It is {said_factor(ratio, factors)}."


def said_factor(factor, sizes):
    """A factor in words, such as "the right gradient times 0.25, which is 1/B: …".

    sizes  {"T": 10, "B": 4}, numbers by which one may have multiplied or divided

    >>> gradcheck.said_factor(0.25, {"T": 10, "B": 4})
    'the right gradient times 0.25, which is 1/B: a sum for a mean, or a mean for a sum'
    """
    if math.isclose(factor, -1, rel_tol=1e-6):
        return "the right gradient with the wrong sign"
    usual = {
        f"{op}{name}": n**power for name, n in sizes.items() for op, power in (("", 1), ("1/", -1))
    }
    names = [name for name, value in usual.items() if math.isclose(factor, value, rel_tol=1e-6)]
    cause = f", which is {' or '.join(names)}: a sum for a mean, or a mean for a sum"
    return f"the right gradient times {factor:.12g}{cause if names else ''}"


def _place(name, got, right, tolerance, params):
    """Where the mistake is, in a sentence: in some of the gates of a cell, or in some entries;
    or nothing."""
    wrong = np.abs(got - right) > tolerance
    cell = find_cell(params)
    axis = {"W_xh": -2, "W_hh": -2, "b_h": -1}.get(name)
    if cell and axis:
        parts = np.split(wrong, len(cell.GATES), axis)
        gates = [gate for gate, part in zip(cell.GATES, parts, strict=True) if part.any()]
        if len(gates) < len(cell.GATES):
            return f"Only the rows of gate {' and '.join(gates)} are wrong."
    if wrong.ndim and wrong.sum() <= wrong.size / 2:
        return f"{wrong.sum()} of {wrong.size} entries are wrong."
    return ""
