"""The walk through an LSTM of two units and three steps."""

import numpy as np

from bptt_core.explicit import lstm
from bptt_core.walk.graph import BOX, HIGH, SMALL, Graph
from bptt_core.walk.recurrent import SCENE as RNN
from bptt_core.walk.recurrent import WIDE, initial_box, state_box
from bptt_core.walk.recurrent import words as of_rnn
from bptt_core.walk.scene import Scene

CELL, GATE, STATE, INPUT = 50, 136, 224, 300  # heights of the rows
ROUND = 11  # radius of a gate
THREE = ("da_i", "da_f", "da_g")


def words(lines, t, last):
    """What happens in one step, in a sentence or two."""
    match lines[0]:
        case "i[t]":
            return (
                f"Four gates read x_{t} and h_{t - 1}. i lets in, f keeps, g is what is offered, "
                "o shows."
            )
        case "c[t]":
            return f"The cell keeps f of what it held, and takes in i of what is offered: c_{t}."
        case "s[t]":
            return f"The state h_{t} is as much of tanh(c_{t}) as the output gate shows."
        case "dc_t" if t == last:
            return f"c_{t} acts through h_{t} alone: its gradient comes through o_{t} and tanh."
        case "dc_t":
            return (
                f"Two roads meet in c_{t}: along the cell, from step {t + 1}, and from h_{t}, "
                f"through o_{t} and tanh."
            )
        case "da_i":
            return (
                f"*Three gates listen to ∂L/∂c_{t}*, each times its partner in the product, times "
                "its own slope."
            )
        case "da_o":
            return (
                f"*The output gate alone listens to ∂L/∂h_{t}*: it multiplies what the cell shows, "
                "not the cell."
            )
        case "dc_next":
            return (
                f"Back along the cell, to c_{t - 1}: times the forget gate, and nothing else. No "
                "matrix, no slope."
            )
        case "dh_next":
            return f"Back to h_{t - 1}: through all four gates, each with its matrix, transposed."
        case "da" if t == 1:
            return (
                "h_0 is zero: these copies of W_h did nothing, and get nothing. The sweep is done."
            )
        case "da":
            return (
                f"Each gate's copy of W_h at step {t} gets its ∂L/∂a times h_{t - 1}. W_x gets it "
                "times the input, and b as it is."
            )
    return of_rnn(lines, t, last)


def draw(at, uid):
    """The unrolled graph: cells above, gates between, states below, then inputs and losses."""
    last = max(step.t for step in at.steps)
    graph = Graph(
        uid,
        38 + WIDE * last + 70,
        INPUT + SMALL + 3,
        "An LSTM unrolled over three steps: x_t and h_{t−1} go into the gates i, f, g and o; "
        "c_{t−1}, i, f and g into c_t; c_t and o into h_t; h_t into its loss and into the next "
        "step. The way back uses the same edges.",
    )
    end = len(at.steps)
    for t in range(last + 1):
        x = 38 + WIDE * t
        if t == 0:
            initial_box(graph, at, (x, CELL), "c", end)
            initial_box(graph, at, (x, STATE), "h", end)
        else:
            _step(graph, at, t, x, end)
    return graph.svg()


def _step(graph, at, t, x, end):
    """One step's edges and nodes, with its state at x."""
    gates, cell, state = at("i[t]", t), at("c[t]", t), at("h[t]", t)
    loss, total, of_cell = at("dh[t]", t), at("dh_t", t), at("dc_t", t)
    before = x - WIDE
    along, across = [cell, at("dc_next", t)], [at("dh_next", t)]
    if t > 1:
        along.append(at("dc_t", t - 1))
        across.append(at("dh_t", t - 1))
    graph.edge(f"cell-{t}", (before + BOX / 2, CELL), (x - BOX / 2, CELL), along)
    top, bottom = CELL + HIGH / 2, STATE - HIGH / 2
    graph.edge(f"squash-{t}", (x, top), (x, bottom), [state, of_cell])
    graph.edge(f"loss-{t}", (x, STATE + HIGH / 2), (x, INPUT - SMALL), [loss, total])
    for k, gate in enumerate("figo"):
        place = (x - 87 + 24 * k, GATE)
        made = at(f"da_{gate}", t)
        below, above = GATE + ROUND, GATE - ROUND
        graph.edge(
            f"input-{gate}-{t}",
            (before + WIDE / 2, INPUT - SMALL),
            (place[0], below),
            [gates, at("dW_xh", t)],
        )
        graph.edge(
            f"state-{gate}-{t}",
            (before + BOX / 2 - 10, bottom),
            (place[0] - 4, below),
            [gates, *across, at("dW_hh", t)],
        )
        if gate == "o":
            end_of = ((place[0] + 3, below), (x - BOX / 2 + 10, bottom), [state, made])
        else:
            end_of = ((place[0], above), (x - BOX / 2 + 8, top), [cell, made])
        graph.edge(f"gate-{gate}-{t}", *end_of)
        lit = [gates, made, at("db_h", t)]
        graph.circle(place, gate, lit, kind=f"gtt-walk-{gate}", radius=ROUND)
    read = [gates, at("dW_xh", t)]
    graph.circle((before + WIDE / 2, INPUT), f"x_{t}", read)
    graph.circle((x, INPUT), f"L_{t}", [loss, total])
    graph.box(
        (x, CELL),
        [
            (0, cell, f"c_{t}", (), "gtt-walk-quiet"),
            (cell, of_cell, f"c_{t}", at.cells("c[t]", t), "gtt-walk-ahead"),
            (of_cell, end, f"∂L/∂c_{t}", at.cells("dc_t", t), "gtt-walk-total"),
        ],
        [cell, of_cell],
    )
    state_box(graph, at, (x, STATE), t, end)


SCENE = Scene(
    name="walk-lstm",
    title="Walk the backward pass of an LSTM",
    question="Two roads lead back, along c and along h. Watch which gate listens to which.",
    module=lstm,
    params=lstm.Params(
        np.array([[0.8], [-0.5], [0.6], [0.4], [1.1], [-0.9], [0.5], [-0.7]]),
        np.array(
            [
                *([0.6, -0.4], [0.3, 0.7], [-0.5, 0.4], [0.6, 0.2]),
                *([0.9, -0.6], [0.5, 0.8], [0.7, -0.8], [-0.6, 0.5]),
            ]
        ),
        np.array([0.5, 0.2, 1, 1, 0.2, -0.1, 0.6, 0.3]),
    ),
    x=np.array([0.9, -0.6, 0.7]).reshape(3, 1, 1),
    target=RNN.target,
    forward=(("i[t]", "f[t]", "g[t]", "o[t]"), ("c[t]",), ("s[t]", "h[t]")),
    backward=(
        *(("dh_t",), ("dc_t",), THREE, ("da_o",), ("dc_next",), ("dh_next",)),
        ("da", "dW_xh", "dW_hh", "db_h"),
    ),
    words=words,
    draw=draw,
    mistakes=(
        "state's gradient not carried",
        "cell's gradient not carried",
        "output-gate path dropped",
        "all slopes those of tanh",
        "recurrence not transposed",
        "state shifted by one",
        "c_0 taken for zero",
    ),
    closed={
        "state's gradient not carried": ("state", ("dh_t",)),
        "cell's gradient not carried": ("cell", ("dc_t",)),
        "output-gate path dropped": ("state-o", ("dh_next", "dh_t")),
    },
    unseen=("dW_xh", "db_h"),
    rate=0.3,
    updates=200,
)
