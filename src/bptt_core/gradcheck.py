"""Is a gradient right? Compare it with one that needs no calculus.

check_gradients       raises `GradientError`, which names the parameter, the entry and the likely mistake
numerical_gradients   the gradient by complex step or central differences, in the container of the parameters

    complex step         dL/dθ = Im L(θ + iε) / ε,  ε = 1e-30: exact to rounding, where L is analytic
    central differences  dL/dθ ≈ (L(θ + ε) − L(θ − ε)) / 2ε: about eight digits, for any L

`check_gradients(loss, params, gradients)` takes a function `loss(params)` that returns one number, the
parameters in any container (named tuple, dict, tuple, nested), and the gradients in the same container.
"""

import warnings
from itertools import count

import numpy as np

from bptt_core._arrays import check_number, wanted
from bptt_core._containers import leaves, map_leaves
from bptt_core.lstm import GATES
from bptt_core.lstm import Params as LSTMParams

COMPLEX_STEP = 1e-30
CENTRAL_STEP = (
    6e-6  # near the cube root of the rounding unit, where truncation and rounding errors meet
)
RTOL = {"complex": 1e-10, "central": 1e-6}


class GradientError(AssertionError):
    """A gradient is wrong: `parameter`, `index` of the worst entry, `got` and `wanted` there, relative `error`, `hint`.

    With a wrong shape, `index` is None and `got` and `wanted` are the shapes."""

    def __init__(self, parameter, index, got, wanted, error, hint):
        self.parameter, self.index, self.got, self.wanted = parameter, index, got, wanted
        self.error, self.hint = error, hint
        if index is None:
            what = f"has the wrong shape: got {got}, wanted {wanted}."
        else:
            where = f" at {list(index)}" if index else ""
            what = f"is wrong, relative error {error:.2g}. Worst{where}: got {got:.10g}, wanted {wanted:.10g}."
        super().__init__(f"gradient of {parameter} {what} {hint}".rstrip())


def check_gradients(loss, params, gradients, *, method="auto", rtol=None, factors=None):
    """Raise a `GradientError` unless `gradients` are the derivatives of `loss` at `params`.

    loss       params → one number
    params     a container of arrays; gradients: the same container, as `backward` returns it
    method     "complex", "central", or "auto": complex if both agree for every array along a random direction
    rtol       largest error allowed, relative to the largest entry of the same array: 1e-10 complex, 1e-6 central
    factors    names of numbers which a mistake may have multiplied by, such as {"T": 10, "B": 4}; only for the hint

    Returns {name: relative error}. ValueError: the containers do not match, or the loss is not one finite number."""
    method = _choose(loss, params) if method == "auto" else method
    exact = dict(leaves(numerical_gradients(loss, params, method=method)))
    rtol = RTOL[method] if rtol is None else check_number("rtol", rtol)
    given = dict(leaves(gradients))
    if missing := exact.keys() ^ given.keys():
        raise wanted(
            "gradients",
            f"fields {', '.join(given)}",
            f"those of params; check {', '.join(sorted(missing))}",
        )
    largest = max((np.abs(value).max(initial=0) for value in exact.values()), default=0)
    noise = 1e-14 * largest if method == "complex" else _central_noise(loss(params))
    errors = {}
    for name, right in exact.items():
        got = given[name]
        if got.shape != right.shape:
            transposed = (
                "The outer product is the wrong way round." if got.shape == right.T.shape else ""
            )
            raise GradientError(name, None, got.shape, right.shape, np.inf, transposed)
        difference = np.where(np.isfinite(got), np.abs(got - right), np.inf)
        scale = np.abs(right).max(initial=0)
        errors[name] = float(difference.max(initial=0) / (scale or largest or 1))
        if difference.max(initial=0) > rtol * scale + noise:
            index = tuple(int(i) for i in np.unravel_index(difference.argmax(), right.shape))
            hint = _hint(got, right, rtol * scale + noise, factors or {}, params)
            raise GradientError(name, index, got[index], right[index], errors[name], hint)
    return errors


def numerical_gradients(loss, params, *, method="complex"):
    """dL/dθ for every entry θ of every array in `params`, one evaluation (complex) or two (central) for each entry."""
    if not isinstance(method, str) or method not in RTOL:
        raise wanted("method", repr(method), "'auto', 'complex' or 'central'")
    for name, value in leaves(params):
        if value.dtype.kind != "f" or not np.isfinite(value).all():
            raise wanted(name, f"dtype {value.dtype}", "finite real floating-point numbers")
    work = map_leaves(
        lambda value: np.array(value, dtype=complex if method == "complex" else float), params
    )

    def derivative(array):
        gradient = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            gradient[index] = _slope(
                lambda step, index=index: _loss_with(loss, work, array, index, step), method
            )
        return gradient

    return map_leaves(derivative, work)


def _loss_with(loss, work, array, index, step):
    """The loss with one entry moved by `step`, and the entry put back."""
    before = array[index]
    array[index] = before + step
    value = _number(loss(work))
    array[index] = before
    return value


def _slope(loss_at, method):
    """dL/dstep at 0."""
    if method == "complex":
        return np.imag(loss_at(1j * COMPLEX_STEP)) / COMPLEX_STEP
    return (loss_at(CENTRAL_STEP) - loss_at(-CENTRAL_STEP)) / (2 * CENTRAL_STEP)


def _choose(loss, params):
    """ "complex" if the complex step is right for every array, along a random direction: the loss is analytic there."""
    rng = np.random.default_rng(0)
    noise = _central_noise(_number(loss(params)))
    for moved, _ in enumerate(leaves(params)):
        this = (number == moved for number in count())
        direction = map_leaves(
            lambda value, this=this: next(this) * rng.standard_normal(np.shape(value)), params
        )

        def loss_at(step, direction=direction):
            return _number(loss(map_leaves(lambda value, d: value + step * d, params, direction)))

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


def _hint(got, right, tolerance, factors, params):
    """What the mistake looks like, in a sentence, or nothing."""

    def same(a, b):
        return a.shape == b.shape and np.abs(a - b).max() <= tolerance

    if not np.isfinite(got).all():
        return "It holds infinity or NaN."
    if same(got, 0 * right):
        return "It is all zeros: is the path to this parameter missing?"
    if same(got, -right):
        return "The sign is wrong."
    if got.ndim >= 2 and same(got.mT, right):
        return (
            "It is the transpose of the right gradient: the outer product is the wrong way round."
        )
    ratio = float((got * right).sum() / (right * right).sum()) if right.any() else 0.0
    if ratio and same(got, ratio * right):
        known = {
            f"{op}{name}": value
            for name, n in factors.items()
            for op, value in (("", n), ("1/", 1 / n))
        }
        named = [name for name, value in known.items() if np.isclose(ratio, value, rtol=1e-6)]
        cause = (
            f", which is {' or '.join(named)}: a sum taken for a mean, or a mean for a sum?"
            if named
            else "."
        )
        return f"It is the right gradient times {ratio:.12g}{cause}"
    wrong = np.abs(got - right) > tolerance
    if isinstance(params, LSTMParams):
        axis = right.ndim - (1 if params.b_h is not None and right.shape == params.b_h.shape else 2)
        gates = [
            gate for gate, part in zip(GATES, np.split(wrong, 4, axis), strict=True) if part.any()
        ]
        if len(gates) < 4:
            return f"Only the rows of gate {' and '.join(gates)} are wrong."
    if wrong.ndim and wrong.sum() <= wrong.size / 2:
        return f"{wrong.sum()} of {wrong.size} entries are wrong."
    return ""
