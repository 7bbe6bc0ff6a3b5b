"""Element-wise activations, each beside its derivative.

The derivative is written in terms of the *output* y = φ(a), because that is what a forward pass has
at hand: tanh′ = 1 − y², σ′ = y (1 − y), ReLU′ = [y > 0], identity′ = 1.

That costs digits where y is next to a bound. The rounding of y, u = 2e-16 (float32: 1e-7), is all
that is left of 1 − y² there: its error is up to 1.2 u however small it is. So tanh′ is right to
3e-8 at |a| = 10 (float32: to 7e-4 at 5), where half of the digits are gone, and exactly 0 from
|a| = 19 on (float32: 10). σ′ has an error up to 0.5 u; it is 0 from a = 37 on and below −38
(float32: 18 and −20). A gradient through a unit so saturated is rounding noise, then 0.

`ACTIVATIONS` maps a name to an `Activation`; `get_activation` looks one up.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bptt_core._checks import check_choice

__all__ = ["ACTIVATIONS", "Activation", "get_activation", "identity", "relu", "sigmoid"]


class Activation(NamedTuple):
    """An element-wise function y = φ(a).

    name      how it is asked for
    f         (a, out=None) → φ(a), complex arrays welcome
    df        (y, out=None) → φ′(a), from the output y
    bound     sup |φ′|, the γ of the vanishing-gradient bound (`A63`)
    analytic  whether a complex step through it is exact
    """

    name: str
    f: Callable
    df: Callable
    bound: float
    analytic: bool


def sigmoid(a, out=None):
    """Logistic function σ(a) = 1 / (1 + e^−a), as ½ + ½ tanh(a/2): fast, and it cannot overflow.

    >>> activations.sigmoid(np.array([-1.0, 0.0, 1.0])).round(3).tolist()
    [0.269, 0.5, 0.731]

    Right to a rounding unit of 1: a closed gate loses digits, and below a = −38 (float32: −20) is
    0."""
    y = np.tanh(np.multiply(a, 0.5, out=out), out=out)
    y = np.multiply(y, 0.5, out=out)
    return np.add(y, 0.5, out=out)


def relu(a, out=None):
    """max(a, 0), the rectifier.

    >>> activations.relu(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]

    NumPy orders complex numbers by their real part first, so a complex step works away from the
    kink."""
    return np.maximum(a, 0, out=out)


def identity(a, out=None):
    """a itself: the linear network.

    >>> activations.identity(np.array([-1.0, 2.0])).tolist()
    [-1.0, 2.0]
    """
    return np.positive(a, out=out)


def _tanh_slope(y, out=None):
    """1 − y²: an absolute error up to 1.2 rounding units, and 0 from |a| = 19 on (float32: 10)."""
    return np.subtract(1, y * y, out=out)


def _sigmoid_slope(y, out=None):
    """y (1 − y): an absolute error up to half a rounding unit, and 0 from 37 on and below −38."""
    return np.multiply(y, 1 - y, out=out)


def _relu_slope(y, out=None):
    """1 where y > 0, else 0."""
    return np.greater(np.real(y), 0, out=np.empty_like(y) if out is None else out)


def _identity_slope(y, out=None):
    """1 everywhere."""
    out = np.empty_like(y) if out is None else out
    out[...] = 1
    return out


ACTIVATIONS = {
    "tanh": Activation("tanh", np.tanh, _tanh_slope, bound=1.0, analytic=True),
    "sigmoid": Activation("sigmoid", sigmoid, _sigmoid_slope, bound=0.25, analytic=True),
    "relu": Activation("relu", relu, _relu_slope, bound=1.0, analytic=False),
    "identity": Activation("identity", identity, _identity_slope, bound=1.0, analytic=True),
}


def get_activation(name, argument="activation", among=tuple(ACTIVATIONS)):
    """The `Activation` of that name. ValueError about `argument`: the name is not `among` these.

    >>> float(activations.get_activation("tanh").df(0.5))
    0.75
    """
    return ACTIVATIONS[check_choice(argument, name, among)]
