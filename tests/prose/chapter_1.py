"""Sentences of chapter 1."""

import numpy as np

from bptt_core import lstm
from bptt_core.activations import ACTIVATIONS
from prose import kept, lab, numbers, says


@says("chapters/01", "[At 90°](#lab=eigenvalues-linear&between=90) all three curves agree.")
def agree():
    drawn = lab("eigenvalues_linear", between=90).drawn
    lags, norm = drawn["gradient"]
    np.testing.assert_allclose(norm, 0.95**lags, rtol=1e-9)
    for name in ("bound", "rate"):  # straight lines on the log axis
        x, y = drawn[name]
        np.testing.assert_allclose(np.log(y), x * np.log(0.95), atol=1e-9)
    return {}


@says(
    "chapters/01",
    "[As the figure opens](#lab=eigenvalues-linear), at {between:.0f}°, the eigenvectors "
    "are far from orthogonal.",
)
@says(
    "chapters/01",
    "here the norm rises to {peak:.1f} by lag {at}. Then it swings, because every step "
    "turns the pair "
    "by {angle:.0f}°. After {half} steps the power is a multiple of the identity, and "
    "the norm touches "
    "$\\rho^k$; its crests fall as $\\rho^k$ falls.",
)
def swings():
    state = lab("eigenvalues_linear")
    lags, norm = state.drawn["gradient"]
    swing = norm / 0.95**lags
    touches = np.flatnonzero(np.isclose(swing, 1, rtol=1e-9))
    np.testing.assert_allclose(np.diff(touches), touches[1])
    crests = norm[3::6]
    np.testing.assert_allclose(crests[1:] / crests[:-1], 0.95**6, rtol=1e-9)
    return {
        "peak": norm.max(),
        "at": norm.argmax(),
        "angle": state.settings["angle"],
        "between": state.settings["between"],
        "half": touches[1],
    }


@says(
    "chapters/01",
    "Without the feedback ($W_{{hh}} = 0$) the cell still grows {alone[0]:.1f}-fold and "
    "{alone[1]:.1f}-fold. "
    "With an input gate that hears no input either, it grows {deaf[0]:.1f}-fold and "
    "{deaf[1]:.1f}-fold.",
)
def cell_without_a_forget_gate():
    """The network of the cells a70-truncated and a71-growth, and less and less of it."""
    rng, D, H = np.random.default_rng(7), 3, 5
    cell = lstm.init_params(D, H, rng)
    rng.standard_normal((12, 1, D))
    x = rng.standard_normal((1000, 20, D))

    def growth(params):
        c = lstm.forward(params, x, forget_gate=False).c
        size = np.sqrt((c**2).mean((1, 2)))
        return size[100] / size[10], size[1000] / size[100]

    alone = cell._replace(W_hh=np.zeros_like(cell.W_hh))
    W_xh = cell.W_xh.copy()
    W_xh[:H] = 0  # the input gate is the first of the four
    return {"alone": growth(alone), "deaf": growth(alone._replace(W_xh=W_xh))}


@says(
    "chapters/01",
    "at $a = {near}$ it is off by $10^{{-8}}$ of itself, at $a = {far}$ by {off:.0f} %, and from "
    "$a = {gone}$ on it is 0.",
)
def slope_of_tanh():
    def error(a):
        exact = 4 * np.exp(-2 * a) / (1 + np.exp(-2 * a)) ** 2
        return abs(ACTIVATIONS["tanh"].df(np.tanh(a)) / exact - 1)

    assert round(np.log10(error(10.0))) == -8
    assert ACTIVATIONS["tanh"].df(np.tanh(18.99)) > 0 == ACTIVATIONS["tanh"].df(np.tanh(19.0))
    return {
        "near": 10,
        "far": 18,
        "off": 100 * error(18.0),
        "gone": 19,
    }


@says(
    "chapters/01",
    "`params` holds {once} numbers. With a copy for every step it would hold {copies}.",
)
def shared_weights():
    T, D, H = 6, 3, 5
    once = H * D + H * H + H
    return {"once": once, "copies": T * once}


@says(
    "chapters/01",
    "one rests at 0, where the slope is 1, and the other sits where its slope is {flat:.2f}.",
)
@says("chapters/01", "The other matrix leaves it where the slope is about to be {flat:.2f}.")
@says("chapters/01", "Its two units have the slopes 1 and {small:.1f} at every step.")
def slopes():
    return {"flat": 1 - np.sqrt(0.99) ** 2, "small": 1 - np.sqrt(0.9) ** 2}


@says("chapters/01", "In the last line the weights are {less:.0f} % smaller.")
def smaller():
    last = kept("chapters/01", "a56-orthogonal").splitlines()[-1]
    return {"less": 100 * (1 - numbers(last)[0])}


@says("chapters/01", "The two states are {apart:.1f} apart, and they will stay so.")
def apart():
    up, down, _ = numbers(kept("chapters/01", "a55-latching").split("=")[1])
    for start in (up, down):
        assert abs(np.tanh(2 * start) - start) < 1e-6  # a fixed point
        assert 2 * (1 - start**2) < 1  # and a stable one
    return {"apart": up - down}


@says(
    "chapters/01",
    "At scale 1, that of a fresh network of the package, the error after 20 steps is "
    "{error:.0f} % in the median.",
)
def fresh():
    fresh = lstm.init_params(8, 400, np.random.default_rng(0))
    assert np.isclose(fresh.W_hh.std(), 1 / np.sqrt(400), rtol=0.01)
    row = kept("chapters/01", "a79-product-misses").splitlines()[1]
    assert row.split()[1] == "1"
    return {"error": numbers(row)[-1]}
