"""The walk through an RNN of two units and three steps."""

import numpy as np

from bptt_core.explicit import rnn
from bptt_core.walk.graph import BOX, HIGH, SMALL, Graph
from bptt_core.walk.scene import Scene

WIDE = 102  # from one step to the next
LOSS, STATE, BEFORE, INPUT = 20, 92, 196, 268  # heights of the rows


def words(lines, t, last):
    """What happens in one step, in a sentence or two."""
    match lines[0]:
        case "h[t]":
            return f"Step {t} reads x_{t} and h_{t - 1}, and makes h_{t}."
        case "dh[t]":
            return (
                "The loss here is the squared one: L is the sum of ½‖h_t − target_t‖^2. Each pulls "
                "at its own state: the *immediate* derivative ∂⁺. It knows nothing of what h_t "
                "does later."
            )
        case "dh_t" if t == last:
            return f"Nothing comes after h_{t}. Its *total* derivative ∂ is the immediate one, ∂⁺."
        case "dh_t":
            return (
                f"The *total* derivative of h_{t}: its own loss, ∂⁺, and what came back from "
                f"step {t + 1}. Here ∂ and ∂⁺ part."
            )
        case "da":
            return f"Back through tanh: each entry times its slope, 1 − h^2. This is δ_{t}."
        case "dh_next" if t == 1:
            return "The same for h_0, where the row began. No step is left to read it."
        case "dh_next":
            return (
                f"Back along W_hh, transposed: each unit of h_{t - 1} gets its share of the blame "
                f"from every unit that it fed."
            )
        case "dW_xh":
            return f"The copy of W_xh at step {t} gets δ_{t} times its input. Copies are added."
        case "dW_hh" if t == 1:
            return "h_0 is zero: this copy of W_hh did nothing, and gets nothing."
        case "dW_hh":
            return f"The copy of W_hh at step {t} gets δ_{t} times the state it read, h_{t - 1}."
        case "db_h" if t == 1:
            return "The bias gets δ_1. All copies are added, and the sweep is done."
        case "db_h":
            return f"The bias gets δ_{t} as it is."


def draw(at, uid):
    """The unrolled graph: losses above, states, what tanh is applied to, inputs below."""
    last = max(step.t for step in at.steps)
    graph = Graph(
        uid,
        38 + WIDE * last + 70,
        INPUT + SMALL + 3,
        "An RNN unrolled over three steps: x_t and h_{t−1} go into a_t, a_t through tanh into h_t, "
        "h_t into its loss and into the next step. The way back uses the same edges.",
    )
    loss, end = at("dh[t]", 0), len(at.steps)
    for t in range(last + 1):
        x = 38 + WIDE * t
        if t == 0:
            initial_box(graph, at, (x, STATE), "h", end)
            continue
        made, total, slope = at("h[t]", t), at("dh_t", t), at("da", t)
        graph.edge(f"loss-{t}", (x, STATE - HIGH / 2), (x, LOSS + SMALL), [loss, total])
        graph.edge(
            f"squash-{t}",
            (x, BEFORE - HIGH / 2),
            (x, STATE + HIGH / 2),
            [made, slope],
            text="tanh",
            at=(20, 5),
        )
        carried = [made, at("dh_next", t), at("dW_hh", t)]
        if t > 1:
            carried.append(at("dh_t", t - 1))
        graph.edge(
            f"state-{t}",
            (x - WIDE + BOX / 2 - 8, STATE + HIGH / 2),
            (x - BOX / 2, BEFORE - 8),
            carried,
            text="W_hh",
            at=(24, -10),
        )
        graph.edge(
            f"input-{t}",
            (x, INPUT - SMALL),
            (x, BEFORE + HIGH / 2),
            [made, at("dW_xh", t)],
            text="W_xh",
            at=(24, 5),
        )
        graph.circle((x, LOSS), f"L_{t}", [loss, total])
        graph.circle((x, INPUT), f"x_{t}", [made, at("dW_xh", t)])
        graph.box(
            (x, BEFORE),
            [
                (0, slope, f"a_{t}", (), "gtt-walk-quiet"),
                (slope, end, f"δ_{t}", at.cells("da", t), "gtt-walk-total"),
            ],
            [slope, at("db_h", t)],
        )
        state_box(graph, at, (x, STATE), t, end)
    return graph.svg()


def initial_box(graph, at, place, letter, end):
    """An initial state, and in the end its gradient."""
    start = at(f"d{letter}_next", 1)
    cells = at.cells(f"d{letter}_next", 1)
    shown = [
        (0, start, f"{letter}_0", at.kept(letter, 0), "gtt-walk-ahead"),
        (start, end, f"∂L/∂{letter}_0", cells, "gtt-walk-total"),
    ]
    graph.box(place, shown)


def state_box(graph, at, place, t, end):
    """h_t: first itself, then its immediate gradient, then the total one."""
    made, loss, total = at("h[t]", t), at("dh[t]", t), at("dh_t", t)
    shown = [
        (0, made, f"h_{t}", (), "gtt-walk-quiet"),
        (made, loss, f"h_{t}", at.cells("h[t]", t), "gtt-walk-ahead"),
        (loss, total, f"∂⁺L/∂h_{t}", at.cells("dh[t]", t), "gtt-walk-immediate"),
        (total, end, f"∂L/∂h_{t}", at.cells("dh_t", t), "gtt-walk-total"),
    ]
    graph.box(place, shown, [made, loss, total])


# The names of the sweep in the chapter, where x and dh have no row 0.
SPELLING = (
    ("dh = h - target", "dh = h[1:] - target"),
    ("range(1, len(x))", "range(1, len(x) + 1)"),
    ("phi.df(h[t])", "(1 - h[t]**2)"),
    ("phi.f", "np.tanh"),
    ("dh_next", "carried"),
    ("h[t - 1]", "h[t-1]"),
    ("dh[t]", "dh[t-1]"),
    ("x[t]", "x[t-1]"),
    (".mT", ".T"),
    ("axis=-2", "0"),
)

SCENE = Scene(
    name="walk-rnn",
    title="Walk the backward pass",
    question="Two units, three steps, a loss at each. Touch a number to see what it is made of.",
    module=rnn,
    params=rnn.Params(
        np.array([[0.9], [-0.7]]),
        np.array([[0.8, -0.6], [0.5, 0.7]]),
        np.array([0.1, -0.2]),
    ),
    x=np.array([0.6, -0.4, 0.5]).reshape(3, 1, 1),
    target=np.array([[0.2, 0.3], [-0.5, 0.3], [0.1, 0.4]]).reshape(3, 1, 2),
    forward=(("h[t]",),),
    backward=(("dh_t",), ("da",), ("dh_next",), ("dW_xh",), ("dW_hh",), ("db_h",)),
    words=words,
    draw=draw,
    mistakes=(
        "recurrence not transposed",
        "nothing carried back",
        "only the last loss",
        "slope missing",
        "1 − h for 1 − h²",
        "state shifted by one",
        "index −1 wraps",
        "h_0 taken for zero",
        "bias averaged over the batch",
    ),
    closed={"nothing carried back": ("state", ("dh_t",))},
    unseen=(),
    rate=0.1,
    updates=100,
    spelling=SPELLING,
)
