"""The mistakes people make in backpropagation through time, as data.

explicit_backward  the backward pass written out step by step, for reading; asked to, it makes one mistake
MISTAKES           every mistake: its name, what it looks like, when nobody can see it, and `apply`
diagnose           which mistakes would give exactly the gradient a reader found
"""

from itertools import permutations
from typing import NamedTuple

import numpy as np

from bptt_core import lstm
from bptt_core._arrays import number_array, upstream, wanted
from bptt_core.activations import get_activation
from bptt_core.jacobians import checked


class Mistake(NamedTuple):
    """One way to go wrong. `diagnose` finds it; "Your gradient looks as if" + explanation tells a reader."""

    name: str
    explanation: str
    hidden: str  # when the mistake changes nothing
    slip: str  # what `explicit_backward` is asked to do
    gate: str = ""  # of an LSTM; empty: any cell
    other: str = ""

    def apply(self, params, cache, dh):
        """The gradient of the parameters that this mistake gives."""
        return explicit_backward(params, cache, dh, self.slip, self.gate, self.other)

    def concerns(self, params):
        """Whether it can be made with this cell, with or without biases."""
        is_lstm, no_bias = isinstance(params, lstm.Params), params.b_h is None
        about_bias = self.slip in ("bias of another", "mean over B", "mean over T")
        return (is_lstm or not self.gate) and not (no_bias and about_bias)


def explicit_backward(params, cache, dh, slip="", gate="", other=""):
    """The gradient of the parameters of one network, step by step, for ∂⁺L/∂h_t = dh (T, B, H) or {t: array}.

    ValueError: a grid of networks, an unknown slip."""
    params = checked(params, cache)
    if slip and not any(mistake.slip == slip and mistake.concerns(params) for mistake in MISTAKES):
        raise wanted("slip", repr(slip), "one of MISTAKES that concerns this cell")
    if params.W_hh.ndim != 2:
        raise wanted("params", f"a grid {params.W_hh.shape[:-2]}", "one network")
    if slip == "bias of another":
        b = dict(zip(lstm.GATES, params.b_h.reshape(4, -1), strict=True))
        swapped = params._replace(
            b_h=np.concatenate([b[other] if name == gate else b[name] for name in lstm.GATES])
        )
        settings = {"forget_gate": cache.forget_gate, "squash": cache.squash.name}
        cache = lstm.forward(swapped, cache.x, cache.h[0], cache.c[0], **settings)
    is_lstm, x, h = isinstance(params, lstm.Params), cache.x, cache.h
    (T, B, H), sigma = h[1:].shape, get_activation("sigmoid")
    phi = cache.squash if is_lstm else cache.activation
    dh = upstream("dh", dh, (T, B, H), h.dtype)[:: -1 if slip == "reversed" else 1]

    def slope(name, phi, y):
        if slip == "no slope" and name == gate:
            return np.ones_like(y)
        if slip == "slope twice" and name == gate:
            return phi.df(phi.f(y))
        return 1 - y if slip == "1 - h" and phi.name == "tanh" else phi.df(y)

    if is_lstm:
        i, f, g, o, c, s = cache.i, cache.f, cache.g, cache.o, cache.c, cache.s
        tau = o * slope("", phi, s)
        to_c = [g * slope("i", sigma, i), c[:-1] * slope("f", sigma, f), i * slope("g", phi, g)]
        to_h = s * slope("o", sigma, o)
    else:
        to_h = slope("", phi, h[1:])

    blocks = np.split(params.W_hh, params.W_hh.shape[0] // H)
    if slip == "not transposed":
        blocks = [W.T for W in blocks]
    if slip == "no output path":
        blocks[3] = np.zeros((H, H))
    W_back = np.concatenate(blocks)

    da, dh_next, dc_next = np.zeros((T, B, len(W_back)), h.dtype), 0, 0
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        if is_lstm:
            dc_t = dc_next + dh_t * tau[t]
            da[t] = np.concatenate(
                [*(dc_t * factor[t] for factor in to_c), dh_t * to_h[t]], axis=-1
            )
            dc_next = dc_t * f[t]
        else:
            da[t] = dh_t * to_h[t]
        dh_next = da[t] @ W_back
        if slip == "not carried":
            dh_next = dc_next = 0
    if slip == "one chain":
        da[1:] = 0

    h_before = {"shifted": h[1:], "wrapped": np.concatenate([h[-1:], h[1:-1]])}.get(slip, h[:-1])
    dW_xh, dW_hh = (np.einsum("tbi,tbj->ij", da, value) for value in (x, h_before))
    if slip == "outer transposed":
        dW_hh = np.concatenate([block.T for block in np.split(dW_hh, len(blocks))])
    db = da.sum((0, 1)) / {"mean over B": B, "mean over T": T}.get(slip, 1)
    if slip == "bias of another":  # the other bias served two gates, its own gate's served none
        own, used = (slice(k * H, (k + 1) * H) for k in map(lstm.GATES.index, (gate, other)))
        db[used] += db[own]
        db[own] = 0
    return type(params)(dW_xh, dW_hh, None if params.b_h is None else db)


_ANY_CELL = [  # name, explanation, when it is hidden, slip
    ("recurrence not transposed", "the recurrence was multiplied by W_hh instead of its transpose",
     "in dW_hh while T ≤ 2 and h_0 = 0, and for a symmetric W_hh", "not transposed"),
    ("sum over k missing", "the sum over all steps is missing: only the chain down to step 1 was kept",
     "T = 1", "one chain"),
    ("nothing carried back", "the gradient of the next step was never carried back to this one",
     "T = 1", "not carried"),
    ("state shifted by one", "h_t was used in dW_hh where h_{t−1} belongs",
     "in dW_xh and db_h", "shifted"),
    ("index −1 wraps", "h_0 was looked up at index −1, which is the last state",
     "in dW_xh and db_h, or if h_T = h_0", "wrapped"),
    ("time reversed", "the gradient of each step's loss was put in at the mirrored step",
     "all steps have the same dh", "reversed"),
    ("outer product transposed", "the outer product of dW_hh is the wrong way round",
     "in dW_xh and db_h", "outer transposed"),
    ("1 − h for 1 − h²", "1 − h was taken for tanh′ = 1 − h²",
     "states near 0 or 1, and cells without tanh", "1 - h"),
    ("bias averaged over the batch", "db_h was divided by the batch size",
     "B = 1", "mean over B"),
    ("bias averaged over time", "db_h was divided by the number of steps",
     "T = 1", "mean over T"),
    ("slope missing", "the derivative of the activation of the state is missing",
     "slopes near 1", "no slope"),
    ("slope of an activated value", "the derivative at the state was taken at a value that was activated already",
     "where φ(φ(a)) = φ(a)", "slope twice"),
]  # fmt: skip
_EACH_GATE = [
    ("slope missing at gate {}", "the derivative of gate {} is missing",
     "slopes near 1", "no slope"),
    ("slope of an activated value at gate {}", "the derivative of gate {} was taken at a value already activated",
     "where φ(φ(a)) = φ(a)", "slope twice"),
]  # fmt: skip
_EACH_PAIR = ("gate {} has the bias of gate {}", "gate {} was given the bias of gate {}")
MISTAKES = [
    *(Mistake(*row) for row in _ANY_CELL),
    Mistake(
        "output-gate path dropped",
        "the path h → o → h was dropped: one-step derivatives of c were multiplied",
        *("T = 1, and W_ho = 0", "no output path", "o"),
    ),
    *(
        Mistake(name.format(gate), explanation.format(gate), hidden, slip, gate)
        for name, explanation, hidden, slip in _EACH_GATE
        for gate in lstm.GATES
    ),
    *(
        Mistake(
            *(text.format(a, b) for text in _EACH_PAIR),
            "in dW while both are equal",
            "bias of another",
            a,
            b,
        )
        for a, b in permutations(lstm.GATES, 2)
    ),
]


def diagnose(params, cache, dh, gradients, *, rtol=1e-8):
    """The mistakes that give exactly these gradients; none if they are right, or wrong in a way of their own.

    gradients  `Params`, `Gradients`, or {name: array} with at least one of W_xh, W_hh, b_h

    ValueError: names or shapes that are not those of the parameters."""
    right = explicit_backward(params, cache, dh)._asdict()
    given = getattr(gradients, "params", gradients)
    given = (
        given._asdict() if hasattr(given, "_asdict") else given if isinstance(given, dict) else {}
    )
    given = {name: number_array(name, value) for name, value in given.items() if value is not None}
    if not given or any(
        name not in right or value.shape != np.shape(right[name]) for name, value in given.items()
    ):
        shapes = (
            {name: np.shape(value) for name, value in each.items()} for each in (given, right)
        )
        raise wanted("gradients", next(shapes), f"one or more of {next(shapes)}")

    def reproduces(found):
        pairs = [(found[name], value) for name, value in given.items()]
        return all(np.abs(a - b).max() <= rtol * np.abs(a).max() for a, b in pairs)

    if reproduces(right):
        return []
    possible = (mistake for mistake in MISTAKES if mistake.concerns(params))
    return [
        mistake for mistake in possible if reproduces(mistake.apply(params, cache, dh)._asdict())
    ]
