"""Gradients to be carried back by hand: small networks, and for each step what the known mistakes
make of it.

rnn_gradient     δ_3, δ_2, δ_1 and dW_hh of an RNN with two units and three steps
lstm_forget_row  one row of dW_hf of an LSTM with two units, over its last two steps

Each is a function seed → `Task`, as `ask.matrix(name, question, tasks.rnn_gradient,
seeds=range(30))` wants it. All that is needed is given with two digits, the states too, so that
the right answer follows from what is printed and from nothing else.
"""

import numpy as np

from bptt_core.ask.steps import Part, Step, Task
from bptt_core.mistakes import MISTAKES

APART = (
    0.06  # what two outcomes of a step differ by at least, of the larger: more than two digits hide
)
SMALL = 0.005  # no right entry is smaller
TRIES = 1000
ZERO, ONE = np.zeros(2), np.ones(2)


def said(name):
    """The sentence of a known mistake."""
    explanation = next(mistake.explanation for mistake in MISTAKES if mistake.name == name)
    return explanation[0].upper() + explanation[1:] + "."


def rnn_gradient(seed):
    """δ_t = φ′(a_t) ∘ (∂⁺L/∂h_t + W_hhᵀ δ_{t+1}) for t = 3, 2, 1, then dW_hh = Σ δ_t h_{t−1}ᵀ."""
    return _first_clear(_rnn, np.random.default_rng(seed))


def lstm_forget_row(seed):
    """∂L/∂c_3, ∂L/∂a_f3, ∂L/∂c_2, ∂L/∂a_f2, then the first row of dW_hf."""
    return _first_clear(_lstm, np.random.default_rng(seed))


def _first_clear(draw, rng):
    """The first task whose slips look different at two digits, from the right answer and from one
    another."""
    for _ in range(TRIES):
        task = draw(rng)
        if _clear(task):
            return task
    raise RuntimeError(f"{draw.__name__}: no clear task in {TRIES} draws")


def _clear(task):
    before = np.zeros(0)
    for step in task.steps:
        found = np.array([values for _, values in outcomes(step, before)])
        size, pairs = np.abs(found).max(1), np.abs(found[:, None] - found).max(2)
        near = pairs < APART * np.maximum(size[:, None], size)
        if np.triu(near, 1).any() or np.abs(found[0]).min() < SMALL:
            return False
        before = np.concatenate([before, found[0]])
    return True


def outcomes(step, before):
    """[(sentence, values)] of the right answer, whose sentence is empty, and of every single slip
    of a step."""
    found = [("", step.value(before).ravel())]
    for k, part in enumerate((*step.scale, step.add, step.carry)):
        for values, sentence in part.slips if part else ():
            parts = [*step.scale, step.add, step.carry]
            parts[k] = Part(values)
            slipped = step._replace(scale=tuple(parts[:-2]), add=parts[-2], carry=parts[-1])
            found.append((sentence, slipped.value(before).ravel()))
    return found


def _draw(rng, *shape, low=0.15, high=0.95):
    """Two-digit numbers of either sign."""
    return (rng.choice([-1, 1], shape) * rng.uniform(low, high, shape)).round(2)


def _outer(*states):
    """The matrix that takes [δ, δ, …] to the entries, row by row, of Σ δ stateᵀ."""
    return np.hstack([np.kron(np.eye(2), state[:, None]) for state in states])


def _slope(t, h):
    """1 − h_t², and what mistakes make of it."""
    slips = [
        (ONE, said("slope missing")),
        (1 - h[t], said("1 − h for 1 − h²")),
        (1 - np.tanh(h[t]) ** 2, said("slope of an activated value")),
        (h[t] * (1 - h[t]), "h(1 − h) is the slope of the logistic function; tanh has 1 − h^2."),
        (h[t] ** 2, "h^2 was taken for 1 − h^2."),
        ((1 - h[t] ** 2) ** 2, "The slope was taken twice."),
        (1 - h[t - 1] ** 2, f"The slope was taken at h_{t - 1}, the state of the step before."),
    ]
    if t < 3:
        slips.append((1 - h[t + 1] ** 2, f"The slope was taken at h_{t + 1}, of the step after."))
    return Part(1 - h[t] ** 2, slips)


def _rnn(rng):
    W, h, up = _draw(rng, 2, 2), _draw(rng, 4, 2), np.vstack([ZERO, _draw(rng, 3, 2)])
    mirrored = (up[1], said("time reversed"))
    last = Step(
        "δ_3 = ∂L/∂a_3",
        (2,),
        (_slope(3, h),),
        Part(up[3], [mirrored, (up[2], "That is the loss of step 2, not of step 3.")]),
        why="At the end only the loss of step 3 arrives, and it passes the slope 1 − h_3^2.",
    )
    given = {"W_hh": W} | {f"h_{t}": h[t] for t in range(4)}
    given |= {f"∂⁺L/∂h_{t}": up[t] for t in (1, 2, 3)}
    back = [_rnn_back(t, W, h, up) for t in (2, 1)]
    return Task(given, [last, *back, _rnn_weights(h)])


def _rnn_back(t, W, h, up):
    """δ_t from δ_{t+1}, which is the last of the answers before."""
    other = up[1] if t == 2 else up[3]
    wrong = "That is the loss of step 1, not of step 2." if t == 2 else said("time reversed")
    own = Part(up[t], [(ZERO, said("only the last loss")), (other, wrong)])
    slope, after = 1 - h[t] ** 2, 1 - h[t + 1] ** 2
    carried = [
        (W.T, ""),
        (W, said("recurrence not transposed")),
        (0 * W, said("nothing carried back")),
        (-W.T, "What is carried back has the other sign: it is added."),
        (W.T / after, f"What is carried back is δ_{t + 1}, with the slope of its step on it."),
        (W.T / slope[:, None], f"The slope of step {t} is missing on what is carried back."),
    ]
    (right, _), *slips = [(np.hstack([np.zeros((2, 4 - 2 * t)), M]), say) for M, say in carried]
    return Step(
        f"δ_{t} = ∂L/∂a_{t}",
        (2,),
        (_slope(t, h),),
        own,
        Part(right, slips),
        why=f"The loss of step {t} arrives, and W_hh^{{⊤}} δ_{t + 1}; both pass the slope "
        f"1 − h_{t}^2.",
    )


def _rnn_weights(h):
    """dW_hh from δ_3, δ_2, δ_1."""
    no_slope = _outer(h[2], h[1], h[0]) / np.concatenate([1 - h[t] ** 2 for t in (3, 2, 1)])
    slips = [
        (_outer(h[3], h[2], h[1]), said("state shifted by one")),
        (_outer(h[2], h[1], h[3]), said("index −1 wraps")),
        (_outer(ZERO, ZERO, h[0]), said("sum over k missing")),
        (
            _outer(h[2], ZERO, ZERO),
            "That is the last step's part alone: the matrix was used at all.",
        ),
        (_outer(h[2], h[1], ZERO), said("h_0 taken for zero")),
        (_outer(*[h[0] + h[1] + h[2]] * 3), said("time summed too early")),
        (_outer(ZERO, h[1], h[0]), "The part of step 3 is missing."),
        (_outer(h[0], h[1], h[2]), "The states were taken in the wrong order of time."),
        (no_slope, "∂L/∂h_t was taken for δ_t = ∂L/∂a_t: the slopes are missing in the sum."),
    ]
    why = "Each step gives δ_t h_{t−1}^{⊤}: a column times a row. The three are added."
    return Step("dW_hh = ∂L/∂W_hh", (2, 2), carry=Part(_outer(h[2], h[1], h[0]), slips), why=why)


def _gate_slope(f, gate):
    return Part(
        f * (1 - f),
        [
            (ONE, said(f"slope missing at gate {gate}")),
            (_sigma(f) * (1 - _sigma(f)), said(f"slope of an activated value at gate {gate}")),
            (1 - f**2, said("all slopes those of tanh")),
            (1 - f, "1 − f was taken for f(1 − f)."),
        ],
    )


def _sigma(a):
    return 1 / (1 + np.exp(-a))


def _squash_slopes(s):
    """The slope of tanh(c) from s = tanh(c), and what mistakes make of it."""
    return [
        (1 - s**2, ""),
        (ONE, said("slope missing")),
        (1 - s, said("1 − h for 1 − h²")),
        (1 - np.tanh(s) ** 2, said("slope of an activated value")),
        (s * (1 - s), said("all slopes those of σ")),
    ]


def lstm_states(rng):
    """f, o, c, tanh(c) and h of steps 0 to 3, each (4, 2): the gates are drawn, and the lines of
    the forward pass hold to two digits, with |i ∘ g| < 1. No cell is small, no f near ½."""
    f = np.abs(rng.integers(2, size=(4, 2)) - rng.uniform(0.12, 0.38, (4, 2))).round(2)
    o = rng.uniform(0.25, 0.9, (4, 2)).round(2)
    c = _draw(rng, 4, 2, low=0.5, high=1.6)
    for t in (1, 2, 3):
        written = rng.uniform(-0.95, 0.95, (TRIES, 2))  # i ∘ g
        held = (f[t] * c[t - 1] + written).round(2)
        allowed = (np.abs(held) >= 0.5) & (np.abs(held) <= 1.6)
        c[t] = held[allowed.argmax(0), [0, 1]]
    s = np.tanh(c).round(2)
    return f, o, c, s, (o * s).round(2)


def _lstm(rng):
    f, o, c, s, h = lstm_states(rng)
    up = _draw(rng, 4, 2, high=1.95)
    (slope, _), *slopes = _squash_slopes(s[3])
    last = Step(
        "∂L/∂c_3",
        (2,),
        (
            Part(slope, slopes),
            Part(o[3], [(ONE, "The output gate o_3 is missing: h_3 = o_3 ∘ tanh(c_3).")]),
        ),
        Part(up[3], [(up[2], said("time reversed"))]),
        why="h_3 = o_3 ∘ tanh(c_3): the gate o_3 and the slope 1 − tanh^2(c_3) multiply.",
    )
    given = {f"c_{t}": c[t] for t in (1, 2, 3)} | {f"tanh(c_{t})": s[t] for t in (2, 3)}
    given |= {f"{name}_{t}": gate[t] for name, gate in (("f", f), ("o", o)) for t in (2, 3)}
    given |= {f"h_{t}": h[t] for t in (1, 2, 3)} | {f"∂L/∂h_{t}": up[t] for t in (2, 3)}
    steps = [last, _lstm_gate(3, c, f), _lstm_cell(f, o, s, up), _lstm_gate(2, c, f), _lstm_row(h)]
    return Task(given, steps)


def _lstm_gate(t, c, f):
    """∂L/∂a_f at step t from ∂L/∂c_t, which is the last of the answers before."""
    old = Part(c[t - 1], [(c[t], f"The gate f_{t} multiplies the old cell c_{t - 1}, not c_{t}.")])
    carry = Part(np.hstack([np.zeros((2, 4 * (3 - t))), np.eye(2)]))
    return Step(
        f"∂L/∂a_f{t}, before the gate's σ",
        (2,),
        (_gate_slope(f[t], "f"), old),
        carry=carry,
        why=f"c_{t} holds f_{t} ∘ c_{t - 1}: the old cell multiplies, then f_{t}(1 − f_{t}).",
    )


def _lstm_cell(f, o, s, up):
    """∂L/∂c_2 from ∂L/∂c_3, and from ∂L/∂h_2, which is given whole."""
    (slope, _), *slopes = _squash_slopes(s[2])
    own = [(up[2] * o[2] * wrong, say) for wrong, say in slopes]
    own += [
        (up[2] * slope, "The output gate o_2 is missing on the road from h_2."),
        (up[3] * o[2] * slope, said("time reversed")),
        (ZERO, "The road from h_2 is missing: c_2 acts through h_2 too."),
    ]
    along = [
        (f[3], ""),
        (f[2], "Along the cell stands f_3: it multiplied c_2. f_2 multiplied c_1."),
        (ONE, "The forget gate f_3 is missing along the cell."),
        (ZERO, said("cell's gradient not carried")),
    ]
    (right, _), *slips = [(np.hstack([np.diag(v), np.zeros((2, 2))]), say) for v, say in along]
    return Step(
        "∂L/∂c_2",
        (2,),
        add=Part(up[2] * o[2] * slope, own),
        carry=Part(right, slips),
        why="Two roads: f_3 ∘ ∂L/∂c_3 along the cell, and o_2 ∘ (1 − tanh^2(c_2)) ∘ ∂L/∂h_2.",
    )


def _lstm_row(h):
    """The first row of dW_hf from ∂L/∂a_f3 and ∂L/∂a_f2; the answers before are c, f, c, f."""

    def row(h_3, h_2, unit=0):
        pick = np.eye(2)[unit]
        parts = [np.zeros((2, 2)), np.outer(h_3, pick), np.zeros((2, 2)), np.outer(h_2, pick)]
        return np.hstack(parts)

    column = np.zeros((2, 8))  # entries (0, 0) and (1, 0) of the matrix
    for at, state in ((2, h[2]), (6, h[1])):
        column[:, at : at + 2] = np.eye(2) * state[0]
    slips = [
        (row(h[3], h[2]), said("state shifted by one")),
        (row(h[1], h[2]), "The states were taken in the wrong order of time."),
        (row(h[2], ZERO), "That is the part of step 3 alone."),
        (row(ZERO, h[1]), said("sum over k missing")),
        (row(h[2], h[1], 1), "That is the second row."),
        (row(h[2] + h[1], h[2] + h[1]), said("time summed too early")),
        (column, said("outer product transposed")),
    ]
    return Step(
        "the first row of dW_hf, from steps 3 and 2",
        (1, 2),
        carry=Part(row(h[2], h[1]), slips),
        why="The first entry of ∂L/∂a_ft times h_{t−1}^{⊤}, added over the two steps.",
    )
