"""Networks drawn as nodes and arrows, in the colours of `plotting`.

`canvas`        an empty figure whose axes count in node widths
`node`, `arrow` the two primitives
`dependency_graph`  what depends on what in two steps of an LSTM, with a path picked out
`lstm_cell`     one step of an LSTM
`unrolled_rnn`  an RNN unrolled in time, forward or with the gradient on its way back
"""

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch

from bptt_core.plotting import figure, style

RADIUS = 0.34  # of a node, in the units of the canvas


@style()
def canvas(columns, rows, *, scale=0.72):
    """A figure without axes of `columns` × `rows` units, `scale` inches each; (0, 0) is its lower
    left corner."""
    fig, ax = figure(columns * scale, rows * scale)
    ax.set(xlim=(0, columns), ylim=(0, rows), aspect="equal")
    ax.axis("off")
    return fig, ax


@style()
def node(ax, xy, text, kind="forward", *, radius=RADIUS):
    """A circle at `xy` with `text` in it, in the palette's colour `kind`."""
    ax.add_patch(Circle(xy, radius, facecolor="none", edgecolor=f"gtt:{kind}", linewidth=1.4))
    ax.text(*xy, text, ha="center", va="center_baseline", color="gtt:ink", fontsize=10)


@style()
def arrow(
    ax, a, b, kind="forward", *, text="", side=1, bend=0.0, gap=RADIUS + 0.04, shift=0.0, **style
):
    """An arrow from node `a` to node `b`, with `text` beside it.

    side   1 or −1: on which side of the arrow the text stands
    bend   curvature, 0 for a straight line
    gap    distance that is kept from both centres
    shift  sideways distance by which a straight arrow is moved, for a pair of arrows between the
           same nodes"""
    a, b = np.asarray(a, float), np.asarray(b, float)
    along = (b - a) / np.linalg.norm(b - a)
    across = np.array([-along[1], along[0]])
    a, b = a + gap * along + shift * across, b - gap * along + shift * across
    look = {
        "linewidth": 1.3,
        "arrowstyle": "-|>",
        "mutation_scale": 9,
        "shrinkA": 0,
        "shrinkB": 0,
    } | style
    ax.add_patch(
        FancyArrowPatch(a, b, connectionstyle=f"arc3,rad={bend}", color=f"gtt:{kind}", **look)
    )
    if text:
        middle = (a + b) / 2 + (0.25 * side - 0.5 * bend * np.linalg.norm(b - a)) * across
        ax.text(*middle, text, ha="center", va="center", color=f"gtt:{kind}", fontsize=9)


@style()
def unrolled_rnn(steps=3, *, gradient=False, only=None):
    """An RNN of so many steps: inputs below, states in the middle, losses above. With `gradient`,
    the way back as well.

    only  a step: what cannot matter to its loss is faint, and each weight carries its step
          (`D-eq3`)"""
    width, rise = 1.75, 1.3
    fig, ax = canvas(width * steps + 1.1, 2 * rise + 1.1)
    shift = 0.13 if gradient else 0.0
    for t in range(steps + 1):
        x, y = 0.5 + width * t, 0.5 + rise
        kind = "rule" if only and t > only else "forward"
        node(ax, (x, y), f"$h_{t}$", kind)
        if t == 0:
            continue
        before, now, above = (x - width, y), (x, y), (x, y + rise)
        read = "rule" if only and t != only else "forward"
        node(ax, (x, y - rise), f"$x_{t}$", kind)
        node(ax, above, f"$L_{t}$", read)
        copy = f"^{{({t})}}" if only else ""
        names = (
            ("", "", "")
            if gradient
            else tuple(f"$W_{{{place}}}{copy}$" for place in ("hh", "xh", "hy"))
        )
        arrow(ax, before, now, kind, text=names[0], shift=shift)
        arrow(ax, (x, y - rise), now, kind, text=names[1], side=-1)
        arrow(ax, now, above, read, text=names[2], side=-1, shift=shift)
        if gradient:
            arrow(ax, now, before, "gradient", text=f"$J_{t}$", shift=shift)
            arrow(ax, above, now, "gradient", text=r"$\partial^{+}$", shift=shift)
    return fig


# of the gradient, as the edges it passes: in the cell, through output gates, and two that get lost
PATHS = {
    "t_0": {("h_2", "L"), ("c_2", "h_2"), ("c_1", "c_2"), ("c_0", "c_1")},
    "t_1": {("h_2", "L"), ("o_2", "h_2"), ("h_1", "o_2"), ("o_1", "h_1"), ("h_0", "o_1")},
    "output": {("h_2", "L"), ("o_2", "h_2"), ("h_1", "o_2"), ("c_1", "h_1")},
    "detour": {("g_2", "c_2"), ("h_1", "g_2"), ("o_1", "h_1"), ("h_0", "o_1"), ("c_0", "h_0")},
}


@style()
def dependency_graph(path=None, *, last="t"):
    """Two steps of an LSTM as nodes and arrows, from (c, h)_{last−2} to L (`C12`–`C18`); last is a
    letter or a number. Its arrows have the keys of their roads: cell, via-f, via-i, via-g, via-o.

    path  "t_0", "t_1", "output" or "detour": drawn strong in the colour of gradients, the rest
          faint"""
    width = 3.0
    index = (
        [last - 2, last - 1, last]
        if isinstance(last, int)
        else [f"{{{last}-2}}", f"{{{last}-1}}", f"{{{last}}}"]
    )
    places = {"L": (2 * width + 1.75, 0.5)}
    for step in range(3):
        x = 0.5 + width * step
        places |= {f"c_{step}": (x, 4.1), f"h_{step}": (x, 0.5)}
        if step:
            gates = zip("figo", (3.2, 2.3, 1.4, 0.5), strict=True)
            places |= {f"{gate}_{step}": (x - width / 2, y) for gate, y in gates}
    edges = [("h_2", "L")]
    for now in (1, 2):
        before = now - 1
        edges += [(f"c_{before}", f"c_{now}"), (f"o_{now}", f"h_{now}"), (f"c_{now}", f"h_{now}")]
        edges += [(f"h_{before}", f"{gate}_{now}") for gate in "figo"]
        edges += [(f"{gate}_{now}", f"c_{now}") for gate in "fig"]
    edges.append(("c_0", "h_0"))
    strong = PATHS[path] if path else set()

    fig, ax = canvas(2 * width + 2.3, 4.6, scale=0.62)
    for a, b in edges:
        kind = "gradient" if (a, b) in strong else "rule" if path else "forward"
        width = 2.2 if (a, b) in strong else 1.1
        arrow(ax, places[a], places[b], kind, linewidth=width, gid=_part(a, b))
    for name, xy in places.items():
        letter, _, step = name.partition("_")
        on_path = any(name in edge for edge in strong)
        kind = (
            "gradient"
            if on_path
            else "rule"
            if path
            else f"gate-{letter}"
            if letter in "ifgo"
            else "forward"
        )
        node(ax, xy, f"${letter}_{index[int(step)]}$" if step else "$L$", kind)
    return fig


def _part(a, b):
    """The key of an edge of the dependency graph, by which a text lights up its road."""
    gate = next((node[0] for node in (a, b) if node[0] in "figo"), None)
    return f"part-via-{gate}" if gate else "part-cell" if a[0] == b[0] == "c" else None


@style()
def lstm_cell():
    """One step of an LSTM: the cell above, the hidden state below, the four gates between
    (`D-eq11`–`D-eq16`)."""
    fig, ax = canvas(9.0, 5.5, scale=0.6)
    cell, gates, state, small = (
        5.0,
        2.7,
        1.5,
        0.22,
    )  # heights of the three rows, radius of an operation
    where = {"f": 2.1, "i": 3.3, "g": 4.5, "o": 5.7}
    kept, written, added, shown = (2.1, cell), (3.9, 3.85), (3.9, cell), (7.1, gates)

    def wire(*points, kind="forward", head="-|>"):
        for number, (a, b) in enumerate(zip(points[:-1], points[1:], strict=True), 2):
            arrow(ax, a, b, kind, gap=0, arrowstyle=head if number == len(points) else "-")

    wire((0.84, cell), (kept[0] - small, cell))
    wire((kept[0] + small, cell), (added[0] - small, cell))
    wire((added[0] + small, cell), (8.16, cell))
    wire((0.84, state), (where["o"], state), head="-")
    wire((1.4, 0.84), (1.4, state), head="-")
    for gate, x in where.items():
        wire((x, state), (x, gates - RADIUS))
        node(ax, (x, gates), f"${gate}_t$", f"gate-{gate}")
    wire((where["f"], gates + RADIUS), (where["f"], cell - small), kind="gate-f")
    for gate, side in (("i", -small), ("g", small)):
        x = where[gate]
        wire(
            (x, gates + RADIUS),
            (x, written[1]),
            (written[0] + side, written[1]),
            kind=f"gate-{gate}",
        )
    wire((written[0], written[1] + small), (added[0], cell - small))
    wire((where["o"] + RADIUS, gates), (shown[0] - small, gates), kind="gate-o")
    wire((shown[0], cell), (shown[0], written[1] + RADIUS))
    wire((shown[0], written[1] - RADIUS), (shown[0], gates + small))
    wire((shown[0], gates - small), (shown[0], state), (8.16, state))
    for xy, sign in ((kept, "×"), (written, "×"), (added, "+"), (shown, "×")):
        node(ax, xy, sign, "muted", radius=small)
    node(ax, (shown[0], written[1]), "tanh", "muted")
    for x, time in ((0.5, "{t-1}"), (8.5, "t")):
        node(ax, (x, cell), f"$c_{time}$")
        node(ax, (x, state), f"$h_{time}$")
    node(ax, (1.4, 0.5), "$x_t$")
    return fig
