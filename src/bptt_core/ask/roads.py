"""Roads through an LSTM, to be gone by hand: what the known mistakes make of each stretch.

four_roads   ∂c_2/∂c_1 of one unit: through the cell, via f, via i, via g, and their sum
two_steps    ∂c_2/∂c_0 of one unit, with the road via o, which no one-step derivative contains
cell_share   the path through the cell of two units, and its share of the whole gradient
clipped      a gradient of two arrays, clipped by its global norm

Each is a function seed → `Task`, as those of `tasks`. All that is needed is given with two digits.
"""

import numpy as np

from bptt_core.ask.steps import Part, Step, Task
from bptt_core.ask.tasks import _draw as draw
from bptt_core.ask.tasks import _first_clear as first_clear

TAU_WRONG = "τ is missing: c moves h through o and the slope of tanh."


def four_roads(seed):
    """τ_1, the roads via f, i and g, and ∂c_2/∂c_1."""
    return first_clear(_four_roads, np.random.default_rng(seed))


def two_steps(seed):
    """∂c_1/∂c_0, ∂h_1/∂c_0 and ∂c_2/∂c_0."""
    return first_clear(_two_steps, np.random.default_rng(seed))


def cell_share(seed):
    """L′ ∘ τ_3, the path t_0 to c_1, and its share of the gradient."""
    return first_clear(_cell_share, np.random.default_rng(seed))


def clipped(seed):
    """The clipped dW, and the clipped db."""
    return first_clear(_clipped, np.random.default_rng(seed))


def positive(rng, *shape, low, high):
    """Two-digit numbers above zero."""
    return rng.uniform(low, high, shape).round(2)


def _four_roads(rng):
    c_1, c_2, w_f, w_i, w_g = draw(rng, 5, low=0.6, high=2.4)
    o_1, f, i = positive(rng, 3, low=0.2, high=0.9)
    s, g = np.tanh(c_1).round(2), draw(rng, 1, low=0.3, high=0.85)[0]
    tau = o_1 * (1 - s**2)
    given = {"c_1": c_1, "tanh(c_1)": s, "o_1": o_1, "c_2": c_2, "f_2": f, "i_2": i, "g_2": g}
    given |= {"w_f": w_f, "w_i": w_i, "w_g": w_g}
    out = Step(
        "τ_1 = ∂h_1/∂c_1 with o_1 held still",
        (1,),
        (
            Part([o_1], [([1], "The output gate o_1 is missing: h_1 = o_1 tanh(c_1).")]),
            Part([1 - s**2], _slopes(s)),
        ),
        Part([1]),
        why="h_1 = o_1 tanh(c_1): the gate, times the slope 1 − tanh^2(c_1).",
    )
    via_f = Step(
        "via f",
        (1,),
        (
            Part([f * (1 - f)], _gate_slopes(f)),
            Part(
                [c_1],
                [
                    ([c_2], "f_2 multiplies the old cell, c_1."),
                    ([1], "The old cell c_1 is missing: f_2 multiplies it."),
                ],
            ),
        ),
        carry=_weight(w_f, tau, 0),
        why="c_1 · f_2(1 − f_2) · w_f · τ_1.",
    )
    via_i = Step(
        "via i",
        (1,),
        (
            Part([i * (1 - i)], _gate_slopes(i)),
            Part([g], [([1], "The candidate g_2 is missing: i_2 multiplies it.")]),
        ),
        carry=_weight(w_i, tau, 1),
        why="g_2 · i_2(1 − i_2) · w_i · τ_1.",
    )
    logistic = 1 / (1 + np.exp(-np.arctanh(g)))
    via_g = Step(
        "via g",
        (1,),
        (
            Part(
                [1 - g**2],
                [
                    ([1], "The slope of the candidate is missing: 1 − g^2."),
                    (
                        [logistic * (1 - logistic)],
                        "The candidate is a tanh. That is the slope of σ at the same place.",
                    ),
                    ([1 - g], "1 − g was taken for 1 − g^2."),
                    ([g * (1 - g)], "g(1 − g) is a slope of σ; the candidate is a tanh: 1 − g^2."),
                ],
            ),
            Part(
                [i],
                [
                    ([1], "The input gate i_2 is missing: it multiplies the candidate."),
                    ([i * (1 - i)], "i_2 stands still on this road: no slope of it."),
                ],
            ),
        ),
        carry=_weight(w_g, tau, 2),
        why="i_2 · (1 − g_2^2) · w_g · τ_1.",
    )
    whole = Step(
        "∂c_2/∂c_1",
        (1,),
        add=Part(
            [f],
            [
                ([0], "The road through the cell is missing: f_2."),
                ([f * (1 - f)], "Through the cell it is f_2 itself, not its slope."),
                ([f * c_1], "f_2 c_1 is a value. Its derivative along the cell is f_2."),
            ],
        ),
        carry=Part(
            [0, 1, 1, 1],
            [
                ([0, 0, 1, 1], "The road via f is missing."),
                ([0, 1, 0, 1], "The road via i is missing."),
                ([0, 1, 1, 0], "The road via g is missing."),
                ([1, 1, 1, 1], "τ_1 leads to h_1. It is in the three roads already."),
            ],
        ),
        why="Four roads, and the derivative is their sum: f_2 + via f + via i + via g.",
    )
    return Task(given, [out, via_f, via_i, via_g, whole])


def _slopes(s):
    return [
        ([1], "The slope of tanh is missing."),
        ([1 - s], "1 − tanh(c) was taken for 1 − tanh^2(c)."),
        ([s * (1 - s)], "s(1 − s) is the slope of σ; here is a tanh: 1 − s^2."),
    ]


def _gate_slopes(gate):
    return [
        ([1], "The slope of the gate is missing."),
        ([1 - gate**2], "A gate is a σ: its slope is f(1 − f), not 1 − f^2."),
        ([1 - gate], "1 − f was taken for f(1 − f)."),
    ]


def _weight(w, tau, earlier):
    """w τ from the answers before, of which τ is the first."""
    pad = [0] * earlier
    return Part(
        [w, *pad],
        [
            ([w / tau, *pad], TAU_WRONG),
            ([1, *pad], "The recurrent weight is missing: the gate reads w h_1."),
        ],
    )


def _two_steps(rng):
    tau_0, tau_1, f_1, f_2 = positive(rng, 4, low=0.2, high=0.95)
    G_1, G_2, R_1, R_2 = draw(rng, 4, low=0.3, high=1.9)
    given = {"f_1": f_1, "f_2": f_2, "τ_0": tau_0, "τ_1": tau_1}
    given |= {"G_1": G_1, "G_2": G_2, "R_1": R_1, "R_2": R_2}
    one = Step(
        "∂c_1/∂c_0",
        (1,),
        add=Part(
            [f_1 + G_1 * tau_0],
            [
                ([f_1], "That is the road through the cell alone: G_1 τ_0 belongs to it."),
                ([G_1 * tau_0], "The road through the cell is missing: f_1."),
                ([f_1 + G_1], "τ_0 is missing: c_0 moves h_0 by τ_0, and G_1 takes that on."),
                ([f_2 + G_1 * tau_0], "f_1 belongs to the step from c_0 to c_1, not f_2."),
                ([f_1 + G_1 * tau_1], "At the start h_0 responds, by τ_0."),
                ([f_1 * G_1 * tau_0], "Roads side by side are added, not multiplied."),
            ],
        ),
        why="f_1 through the cell, and G_1 τ_0 through h_0.",
    )
    out = Step(
        "∂h_1/∂c_0",
        (1,),
        add=Part(
            [R_1 * tau_0],
            [
                (
                    [0],
                    "The road via o is missing. The gate o_1 reads h_0, and c_0 moves h_0: "
                    "this is what the product of one-step derivatives leaves out.",
                ),
                ([R_1], "τ_0 is missing on the road via o: R_1 takes on what h_0 does."),
                ([R_2 * tau_0], "R_1 leads from h_0 to h_1; R_2 is a step later."),
                ([-R_1 * tau_0], "The road via o is added. Its sign is in R_1 already."),
            ],
        ),
        carry=Part(
            [tau_1],
            [
                ([tau_0], "c_1 moves h_1 by τ_1."),
                ([1], "τ_1 is missing: h_1 = o_1 tanh(c_1)."),
            ],
        ),
        why="τ_1 · ∂c_1/∂c_0 through the cell c_1, and R_1 τ_0 through the output gate o_1.",
    )
    two = Step(
        "∂c_2/∂c_0",
        (1,),
        carry=Part(
            [f_2, G_2],
            [
                ([0, G_2], "The road along the cell is missing: f_2 · ∂c_1/∂c_0."),
                ([f_2, 0], "The roads through h_1 are missing: G_2 · ∂h_1/∂c_0."),
                ([f_1, G_2], "The last step along the cell is f_2."),
                ([f_2, G_1], "The last step through the gates is G_2."),
                ([1, G_2], "The forget gate f_2 is missing along the cell."),
                ([f_2, G_2 * tau_1], "τ_1 is in ∂h_1/∂c_0 already."),
            ],
        ),
        why="f_2 · ∂c_1/∂c_0 along the cell, and G_2 · ∂h_1/∂c_0 through the gates.",
    )
    return Task(given, [one, out, two])


def _cell_share(rng):
    up = draw(rng, 2, low=0.3, high=1.9)
    o, f_3, f_2, f_1 = positive(rng, 4, 2, low=0.2, high=0.95)
    s = draw(rng, 2, low=0.25, high=0.9)
    tau = o * (1 - s**2)
    path = up * tau * f_3 * f_2
    total = (path * rng.uniform(0.3, 2.5, 2) + draw(rng, 2, low=0.05, high=0.3)).round(2)
    square, size = total @ total, np.linalg.norm(path)
    given = {"L′": up, "o_3": o, "tanh(c_3)": s, "f_3": f_3, "f_2": f_2, "f_1": f_1}
    given |= {"∂L/∂c_1": total}
    exit_ = Step(
        "the gradient that enters c_3",
        (2,),
        (
            Part(
                1 - s**2,
                [
                    (np.ones(2), "The slope of tanh is missing."),
                    (1 - s, "1 − tanh(c) was taken for 1 − tanh^2(c)."),
                    (s, "The slope of tanh is 1 − tanh^2(c), not tanh(c)."),
                ],
            ),
            Part(o, [(np.ones(2), "The output gate o_3 is missing: h_3 = o_3 ∘ tanh(c_3).")]),
        ),
        Part(up),
        why="L′ ∘ o_3 ∘ (1 − tanh^2(c_3)).",
    )
    along = Step(
        "t_0, the path along the cells to c_1",
        (2,),
        (
            Part(f_3, [(np.ones(2), "The forget gate f_3 is missing.")]),
            Part(
                f_2,
                [
                    (np.ones(2), "The forget gate f_2 is missing."),
                    (f_1, "f_1 leads from c_0 to c_1. The path ends at c_1."),
                    (f_2 * f_1, "f_1 is one gate too many: the path ends at c_1."),
                ],
            ),
        ),
        carry=Part(np.eye(2)),
        why="Two steps back, two gates: f_3 and f_2, entry by entry.",
    )

    def row(values):
        return np.concatenate([np.zeros(2), values])

    share = Step(
        "the share of t_0 in ∂L/∂c_1",
        (1,),
        carry=Part(
            row(total / square),
            [
                (
                    row(total / (size * np.sqrt(square))),
                    "That is the cosine, t_0 · e / (|t_0| |e|): it says the direction alone.",
                ),
                (
                    row(path / (size * np.sqrt(square))),
                    "That is the ratio of the norms. It has no sign, and shares so taken do not "
                    "add up to 1.",
                ),
                (row(total / np.sqrt(square)), "Divide by the square of the norm: e · e."),
                (row(total), "Divide by e · e: the share of the whole in itself is 1."),
                (row(total / size**2), "The whole stands below: divide by e · e, not t_0 · t_0."),
            ],
        ),
        why="With e = ∂L/∂c_1: (t_0 · e)/(e · e). Shares so taken add up to 1.",
    )
    return Task(given, [exit_, along, share])


def _clipped(rng):
    dW, db = draw(rng, 4, low=0.5, high=4.0), draw(rng, 2, low=0.5, high=4.0)
    limit = rng.choice([1.0, 1.5, 2.0])
    both = np.concatenate([dW, db])
    norm = np.linalg.norm(both)
    steps = [_clip(name, shape, own, both, limit, norm) for name, shape, own in (
        ("dW, clipped", (2, 2), dW), ("db, clipped", (2,), db))]  # fmt: skip
    return Task({"dW": dW.reshape(2, 2), "db": db, "threshold": limit}, steps)


def _clip(name, shape, own, both, limit, norm):
    def times(factor):
        return np.full(len(own), factor)

    return Step(
        name,
        shape,
        (
            Part(
                times(limit / norm),
                [
                    (
                        times(limit / np.linalg.norm(own)),
                        "That is clipped by the norm of this array alone: one norm is taken over "
                        "all arrays, or the direction turns.",
                    ),
                    (times(limit / norm**2), "The root is missing: a norm is the root of the sum."),
                    (
                        times(limit / np.abs(both).sum()),
                        "A norm adds squares, not absolute values.",
                    ),
                    (times(limit / np.abs(both).max()), "That divides by the largest entry."),
                    (times(1 / norm), "That has the norm 1. The threshold is missing."),
                    (times(1), "The norm is above the threshold: the gradient must be scaled."),
                ],
            ),
        ),
        Part(
            own,
            [
                (
                    np.clip(own, -limit, limit) * norm / limit,
                    "That cuts every entry at the threshold: the direction turns.",
                ),
                (np.abs(own), "The signs are lost."),
            ],
        ),
        why="The gradient times threshold / norm, with one norm over all six entries.",
    )
