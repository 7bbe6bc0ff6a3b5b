"""The unrolled graph as SVG: every edge, every state, and the steps at which they light up.

Text stays text, as large as the page's: Matplotlib would make outlines of it. An element with
`data-on` is lit at those steps; one with `data-from` and `data-to` is there from one step until
before another.
"""

import re

from bptt_core.walk.scene import lit

BOX, HIGH, SMALL = 62, 44, 15  # width and height of a state; radius of what is a circle


class Graph:
    """Edges below, nodes above; y downwards."""

    def __init__(self, uid, width, height, label):
        self.uid = uid
        self.size = (width, height)
        self.label = label
        self.edges = []
        self.nodes = []

    def edge(self, name, a, b, on, *, text="", at=(0, 0)):
        """An arrow from a to b, in the direction of the forward pass, lit at the steps `on`.

        text  its label (`subscripted`), moved by `at` from the middle"""
        word = ""
        if text:
            x, y = (a[0] + b[0]) / 2 + at[0], (a[1] + b[1]) / 2 + at[1]
            word = f'<text x="{x:g}" y="{y:g}">{subscripted(text)}</text>'
        path = f'<path d="M{a[0]:g} {a[1]:g}L{b[0]:g} {b[1]:g}"/>'
        look = lit(on, "gtt-walk-edge")
        self.edges.append(f'<g id="{self.uid}-{name}"{look}>{path}{word}</g>')

    def circle(self, xy, text, on, *, kind="", radius=SMALL):
        """A loss, an input or a gate."""
        x, y = xy
        circle = f'<circle cx="{x:g}" cy="{y:g}" r="{radius}"/>'
        word = f'<text x="{x:g}" y="{y + 5:g}">{subscripted(text)}</text>'
        self.nodes.append(f"<g{lit(on, f'gtt-walk-node {kind}')}>{circle}{word}</g>")

    def box(self, xy, shown, on=()):
        """A state: `shown` is [(from, to, label, cells, kind)], one at a time."""
        x, y = xy
        left, top = x - BOX / 2, y - HIGH / 2
        frame = f'<rect x="{left:g}" y="{top:g}" width="{BOX}" height="{HIGH}" rx="8"/>'
        inside = ""
        for start, end, label, cells, kind in shown:
            words = f'<text x="{x:g}" y="{y + 5:g}">{subscripted(label)}</text>'
            if len(cells):
                place = f'class="gtt-walk-name" x="{x + 6:g}" y="{top - 7:g}"'
                words = f"<text {place}>{subscripted(label)}</text>"
            for i, cell in enumerate(cells):
                place = f'x="{x + BOX / 2 - 7:g}" y="{y - 3 + 18 * i:g}"'
                number = f'class="gtt-walk-number" data-n="{str(cell)[1:]}"'
                words += f"<text {place} {number}></text>"
            kind += " gone" * (start > 0)
            inside += f'<g class="{kind}" data-from="{start}" data-to="{end}">{words}</g>'
        self.nodes.append(f"<g{lit(on, 'gtt-walk-node')}>{frame}{inside}</g>")

    def svg(self):
        width, height = self.size
        heads = "".join(
            f'<marker id="{self.uid}-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            f'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
            f'<path d="M0 0.5L8 4L0 7.5z" fill="var(--gtt-{name})"/></marker>'
            for name in ("forward", "gradient")
        )
        heads_at = f'style="--ahead:url(#{self.uid}-forward);--behind:url(#{self.uid}-gradient)" '
        return (
            f'<svg class="gtt-walk-graph" {heads_at}viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{self.label}"><defs>{heads}</defs>'
            f"{''.join(self.edges)}{''.join(self.nodes)}</svg>"
        )


def subscripted(text):
    """The label "∂L/∂h_2" as tspans: letters in italics, what follows _ below the line."""
    name, _, index = text.partition("_")
    name = re.sub(r"\b[A-Za-z]\b", r'<tspan class="gtt-walk-it">\g<0></tspan>', name)
    low = f'<tspan dy="4" class="gtt-walk-sub">{index}</tspan>' if index else ""
    return f"{name}{low}"
