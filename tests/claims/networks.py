"""What the tests of the claims ledger share: the ledger, witnesses that use no backward pass, networks."""

from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from bptt_core import lstm
from bptt_core.jacobians import products, step_jacobians

ROOT = Path(__file__).resolve().parents[2]


@cache
def entries():
    """The entries of the claims ledger, in the order of the file."""
    return yaml.load((ROOT / "book" / "claims.yml").read_text("utf-8"), yaml.CSafeLoader)


@cache
def ledger():
    """The entries by id."""
    return {entry["id"]: entry for entry in entries()}


def shown(claim, value, text):
    """Assert that `value`, rounded to the digits of `text`, is `text`, and that the entry `claim` prints `text`."""
    number = text.removesuffix("%").strip()
    exact = float(value) * (100 if text.endswith("%") else 1)
    unit = 10.0 ** Decimal(number).as_tuple().exponent
    assert abs(exact - float(number)) <= 0.5000001 * unit, (
        f"{claim}: the value is {exact:.6g}, the entry prints {text}"
    )
    words = ledger()[claim]["shows"].replace("(", " ").replace(")", " ").split()
    assert any(word.rstrip(".,;:") == text for word in words), (
        f"{claim}: its `shows` does not print {text}"
    )


def relative(wrong, right):
    """Norm of the difference over the norm of what is right."""
    return np.linalg.norm(np.asarray(wrong) - right) / np.linalg.norm(right)


def jacobian(function, at):
    """df/dx of a real-analytic array function by the complex step: shape (*f.shape, *x.shape), exact to rounding."""
    at = np.asarray(at, dtype=float)
    columns = []
    for index in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[index] += 1e-30j
        columns.append(np.imag(function(moved)) / 1e-30)
    return np.moveaxis(
        np.array(columns).reshape(at.shape + np.shape(columns[0])),
        range(at.ndim),
        range(-at.ndim, 0),
    )


def norm(matrix):
    """Largest singular value."""
    return np.linalg.norm(matrix, 2)


def radius(matrix):
    """Spectral radius."""
    return np.abs(np.linalg.eigvals(matrix)).max()


def orthogonal(rng, size):
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def lstm_grid(scale, *, nets=40, size=16, inputs=8, steps=12, forget_gate=True):
    """A grid of random LSTMs, one sequence each: W_x ~ N(0, 1/D), W_h ~ N(0, scale²/H), b ~ N(0, 0.3²)."""
    rng = np.random.default_rng(31)
    W_xh = rng.standard_normal((nets, 4 * size, inputs)) / np.sqrt(inputs)
    W_hh = rng.standard_normal((nets, 4 * size, size)) * scale / np.sqrt(size)
    params = lstm.Params(W_xh, W_hh, 0.3 * rng.standard_normal((nets, 4 * size)))
    x = rng.standard_normal((steps, nets, 1, inputs))
    return params, lstm.forward(params, x, forget_gate=forget_gate)


def total_cell_derivative(params, cache):
    """dc_T/dc_{T−k} for k = 0…T−1 through every path, first sequence; h_{T−k} = o tanh(c_{T−k})."""
    H = params.W_hh.shape[-1]
    P = products(step_jacobians(params, cache))[:-1, ..., 0, :, :]
    tau = (cache.o * cache.squash.df(cache.s))[::-1, ..., 0, None, :]
    return P[..., H:, H:] + P[..., H:, :H] * tau
