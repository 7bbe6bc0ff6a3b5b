"""The dependency graph as one SVG: nodes and arrows that can be tapped.

An edge has a letter, and a node the letters of the edges that lead to it on the way back; a text
can light up the road that they belong to, by its class.
"""

import numpy as np

from bptt_core.follow.roads import PATHS, along

WIDE, HIGH, RADIUS = 478, 296, 16
ROWS = {"c": 30, "f": 88, "i": 146, "g": 204, "h": 262, "o": 262}
EDGES = list(dict.fromkeys(edge for path in PATHS for edge in along(path)))
LETTERS = {edge: chr(ord("a") + k) for k, edge in enumerate(EDGES)}
ALT = (
    "Three steps of an LSTM with one unit. From the loss L at the right, arrows lead back to h_3; "
    "from each h to its c and its output gate o; from each c to the c before it and to the gates "
    "f, i and g; and from every gate to the h before it. The paths end at c_1."
)


def place(node):
    """Where a node stands: states in columns, gates between them, L at the right."""
    letter, _, step = node.partition("_")
    if not step:
        return WIDE - 22, ROWS["h"]
    return 26 + 164 * (int(step) - 1) - 82 * (letter in "figo"), ROWS[letter]


def road(a, b):
    """The key of an edge: the road that it belongs to."""
    gate = next((node[0] for node in (a, b) if node[0] in "figo"), None)
    return f"via-{gate}" if gate else "cell" if a[0] == b[0] == "c" else None


def svg():
    nodes = dict.fromkeys(node for path in PATHS for node in path)
    drawn = "".join(_edge(*edge) for edge in EDGES) + "".join(_node(node) for node in nodes)
    return (
        f'<svg class="gtt-graph" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{ALT}">'
        f"{drawn}</svg>"
    )


def _edge(a, b):
    """A line with a head at the later end: it points from cause to effect, and is followed back."""
    (x, y), (u, v) = place(a), place(b)
    start, end = np.array([x, y], float), np.array([u, v], float)
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    start, end = start + along * (RADIUS + 2), end - along * RADIUS
    wings = [start + along * 8 + side * across * 3.5 for side in (1, -1)]
    line = "M{:.0f} {:.0f}L{:.0f} {:.0f}".format(*(start + along * 5), *end)
    head = "M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z".format(*start, *wings[0], *wings[1])
    key = road(a, b)
    name = f"gtt-arrow part-{key}" if key else "gtt-arrow"
    return (
        f'<g data-edges="{LETTERS[a, b]}" class="{name}"><path class="gtt-hit" d="{line}"/>'
        f'<path d="{line}"/><path class="gtt-head" d="{head}"/></g>'
    )


def _node(node):
    x, y = place(node)
    letter, _, step = node.partition("_")
    name = f' class="gtt-gate part-via-{letter}"' if letter in "figo" else ""
    into = "".join(LETTERS[edge] for edge in EDGES if edge[1] == node) or LETTERS[EDGES[0]]
    below = f'<tspan dy="4" font-size="11">{step}</tspan>' if step else ""
    return (
        f'<g data-edges="{into}"{name}><circle cx="{x}" cy="{y}" r="{RADIUS}"/>'
        f'<text x="{x}" y="{y + 5}">{letter}{below}</text></g>'
    )
