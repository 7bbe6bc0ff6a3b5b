"""Element-wise activations, each beside its derivative.

The derivative is written in terms of the *output* y = φ(a), because that is what a forward pass has at hand:
tanh′ = 1 − y², σ′ = y (1 − y), ReLU′ = [y > 0], identity′ = 1.

`ACTIVATIONS` maps a name to an `Activation`; `get_activation` looks one up.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


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

    Right to a rounding unit of 1, so a closed gate loses digits: below a = −38 (float32: −20) it is 0."""
    y = np.tanh(np.multiply(a, 0.5, out=out), out=out)
    y = np.multiply(y, 0.5, out=out)
    return np.add(y, 0.5, out=out)


def relu(a, out=None):
    """max(a, 0). NumPy orders complex numbers by their real part first, so a complex step works away from the kink."""
    return np.maximum(a, 0, out=out)


def identity(a, out=None):
    """a itself: the linear network."""
    return np.positive(a, out=out)


def _tanh_slope(y, out=None):
    """1 − y²."""
    return np.subtract(1, y * y, out=out)


def _sigmoid_slope(y, out=None):
    """y (1 − y)."""
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


def get_activation(name: str, argument: str = "activation", among=tuple(ACTIVATIONS)) -> Activation:
    """The activation of that name; a ValueError about `argument` lists the names there are."""
    if not isinstance(name, str) or name not in among:
        raise ValueError(f"{argument}: got {name!r}, wanted one of {', '.join(among)}")
    return ACTIVATIONS[name]
