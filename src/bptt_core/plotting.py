"""The look of every figure of the course: one palette whose colours mean something, one style, one
way to show.

`PALETTE`    what each colour means, its light and its dark value; Matplotlib knows it as
             "gtt:gradient"
`style`      a context in which Matplotlib draws in the style of the course; as `@style()`, a
             decorator
`use_style`  the same for the rest of a session: the first line of a chapter that draws
`figure`     a figure of the house size and its axes
`label`      a direct label at the end of a line
`plane`      the complex plane with its unit circle
`show`       a finished figure as inline SVG that follows the page's dark mode, with PNG for where
             SVG cannot go
`svg`, `png` the same as text and as bytes

Importing it changes no setting of Matplotlib. What is drawn on a figure follows the style that
holds at that moment:

>>> from bptt_core import plotting
>>> with plotting.style():
...     fig, ax = plotting.figure(5, 2.6)
...     line = ax.plot([0, 1, 2], [1, 0.5, 0.25], color="gtt:gradient")
>>> plotting.show(fig, alt="A line that falls.")
Figure: A line that falls.
"""

import sys

from matplotlib.figure import Figure
from matplotlib.patches import Circle

from bptt_core._style import FONT, PALETTE, STYLE, style, use_style
from bptt_core._svg import freeze, png, svg

__all__ = [
    "FONT",
    "PALETTE",
    "STYLE",
    "Shown",
    "figure",
    "freeze",
    "label",
    "plane",
    "png",
    "show",
    "style",
    "svg",
    "use_style",
]


@style()
def figure(width=5.2, height=2.9, **layout):
    """A figure of `width` × `height` inches and its axes, as `Figure.subplots(**layout)` returns
    them."""
    fig = Figure(figsize=(width, height))
    return fig, fig.subplots(**layout)


@style()
def label(ax, x, y, text, colour, *, dx=5, dy=0, **kwargs):
    """Write `text` in the palette's `colour` beside the point (x, y), shifted by (dx, dy)
    points."""
    paper = {"facecolor": "gtt:paper", "alpha": 0.8, "linewidth": 0, "pad": 0}  # a curve below dims
    look = {
        "va": "center",
        "color": f"gtt:{colour}",
        "annotation_clip": False,
        "bbox": paper,
    }
    return ax.annotate(text, (x, y), (dx, dy), textcoords="offset points", **look | kwargs)


@style()
def plane(ax, reach):
    """Turn axes into the complex plane out to `reach`, with its unit circle, the border of
    shrinking and growing."""
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    for line in (ax.axhline, ax.axvline):
        line(0, color="gtt:rule", lw=0.6, zorder=0)
    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor="gtt:muted", lw=0.9))
    look = {"color": "gtt:muted", "fontsize": 9, "va": "bottom", "ha": "left"}
    for at, text in (((1, 0), "1"), ((0, 1), "i")):
        ax.annotate(text, at, (3, 2), textcoords="offset points", **look)


class Shown:
    """A finished figure: what a cell displays when it ends in `show(fig, …)`."""

    def __init__(self, fig, alt):
        self.fig = fig
        self.alt = alt
        self.svg = svg(fig, alt)

    def __repr__(self):
        return f"Figure: {self.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        html = f'<div class="gtt-figure">{self.svg}</div>'
        return {"text/plain": repr(self), "text/html": html, "image/png": png(self.fig)}


def show(fig, *, alt):
    """Return `fig` as a displayable object: inline SVG with `alt`, and a PNG for PDF and plain
    viewers."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)  # or the notebook shows it a second time
    return Shown(fig, alt)
