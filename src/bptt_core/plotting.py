"""The look of every figure of the course: one palette whose colours mean something, one style, one way to show.

`PALETTE`   what each colour means, its light and its dark value; Matplotlib knows it as "gtt:gradient"
`figure`    a figure of the house size and its axes
`label`     a direct label at the end of a line
`show`      a finished figure as inline SVG that follows the page's dark mode, with PNG for where SVG cannot go
`svg`       the same as text, for figures that move (`explorer`)

Importing this module sets Matplotlib's defaults to the style of the course.
"""

import hashlib
import io
import re
import sys
from html import escape
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import get_named_colors_mapping
from matplotlib.figure import Figure
from matplotlib.patches import Circle

PALETTE = {  # name: (light, dark, meaning)
    "paper": ("#ffffff", "#14181e", "what everything else is drawn on"),
    "ink": ("#1f2733", "#e6eaf0", "text"),
    "muted": ("#58616f", "#a3adba", "axes, ticks and remarks"),
    "rule": ("#cfd5dd", "#434c59", "reference lines and frames, never data"),
    "forward": ("#135fb5", "#4aa3ff", "states and other forward quantities"),
    "gradient": ("#c93c1d", "#f0865a", "gradients, exact"),
    "bound": ("#5b6472", "#b3bcc8", "bounds and predictions, always dashed"),
    "approx": ("#6a1fd6", "#d9b0ff", "approximations to the gradient"),
    "gate-i": ("#0b4f59", "#a8f3e2", "input gate"),
    "gate-f": ("#6b4408", "#ffe39a", "forget gate"),
    "gate-g": ("#40800f", "#80e026", "candidate"),
    "gate-o": ("#a8127c", "#ef6cb2", "output gate"),
}
FONT = Path(__file__).parent / "SourceSans3.ttf"

font_manager.fontManager.addfont(FONT)
get_named_colors_mapping().update({f"gtt:{name}": light for name, (light, _, _) in PALETTE.items()})
get_named_colors_mapping()["gtt:true"] = PALETTE["gradient"][0]
STYLE = {
    "figure.figsize": (5.2, 2.9),
    "figure.dpi": 144,
    "savefig.dpi": 144,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "GTT Sans",
    "font.size": 10,
    "mathtext.fontset": "custom",
    **{f"mathtext.{style}": "GTT Sans" for style in ("rm", "it", "bf", "bfit", "cal", "sf", "tt")},
    "text.color": PALETTE["ink"][0],
    "axes.facecolor": "none",
    "axes.edgecolor": PALETTE["muted"][0],
    "axes.labelcolor": PALETTE["ink"][0],
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(
        color=[PALETTE[n][0] for n in ("gradient", "forward", "approx", "gate-o", "gate-g")]
    ),
    "xtick.color": PALETTE["muted"][0],
    "ytick.color": PALETTE["muted"][0],
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": PALETTE["rule"][0],
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "lines.markersize": 5,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "gtt",
}
matplotlib.rcParams.update(STYLE)


def figure(width=5.2, height=2.9, **layout):
    """A figure of `width` × `height` inches and its axes, as `Figure.subplots(**layout)` returns them."""
    fig = Figure(figsize=(width, height))
    return fig, fig.subplots(**layout)


def label(ax, x, y, text, colour, *, dx=5, dy=0, **kwargs):
    """Write `text` in the palette's `colour` beside the point (x, y), shifted by (dx, dy) points."""
    paper = {"facecolor": "gtt:paper", "alpha": 0.8, "linewidth": 0, "pad": 0}  # a curve below dims
    style = {
        "va": "center",
        "color": f"gtt:{colour}",
        "annotation_clip": False,
        "bbox": paper,
    } | kwargs
    return ax.annotate(text, (x, y), (dx, dy), textcoords="offset points", **style)


def plane(ax, reach):
    """Turn axes into the complex plane out to `reach`, with its unit circle, the border of shrinking and growing."""
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    for line in (ax.axhline, ax.axvline):
        line(0, color="gtt:rule", lw=0.6, zorder=0)
    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor="gtt:muted", lw=0.9))
    for at, text, style in (
        ((1, 0), "1", {"va": "bottom", "ha": "left"}),
        ((0, 1), "i", {"va": "bottom", "ha": "left"}),
    ):
        ax.annotate(
            text, at, (3, 2), textcoords="offset points", color="gtt:muted", fontsize=9, **style
        )


def freeze(fig):
    """Lay the figure out, once: a second pass would move everything by a hair."""
    if fig.get_layout_engine():
        fig.draw_without_rendering()
        fig.set_layout_engine("none")


def svg(fig, alt, *, uid=None):
    """`fig` as the text of one inline <svg>: the same bytes every time, ids of its own, colours that follow the page.

    fig  a Matplotlib figure; what is drawn in a colour of `PALETTE` becomes var(--gtt-name, light value)
    alt  what the figure shows, for those who do not see it
    uid  prefix of every id; taken from the content if not given

    ValueError: an empty `alt`."""
    if not alt.strip():
        raise ValueError("alt: got an empty text, wanted a description of the figure")
    freeze(fig)
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        fig.savefig(
            buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    text = buffer.getvalue()
    text = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>",
        "",
        text,
        flags=re.S,
    )
    text = re.sub(r'<g id="[\w.]+_\d+"', "<g", text)  # only the author's gids are worth their bytes
    uid = uid or "g" + hashlib.sha256((text + alt).encode()).hexdigest()[:8]
    text = re.sub(
        r'( id="|href="#|url\(#)',
        rf"\g<1>{uid}-",
        text[text.index("<svg ") :].replace("xlink:href", "href"),
    )
    for names, digits in (("d", 1), ("x|y", 2)):  # of a point: finer than a screen shows
        text = re.sub(rf' ({names})="[^"]*"', lambda m, digits=digits: _rounded(m[0], digits), text)
    text = re.sub(r' d="([^"]*)" transform="scale\(0\.015625\)"', _glyph, text)
    text = re.sub(r"#[0-9a-f]{6}\b", _variable, re.sub(r"\n\s*", "\n", text))
    width, height = fig.get_size_inches() * 72
    head = (
        f'<svg class="gtt-svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(alt)}" '
        f'style="max-width:{width:g}pt;stroke-linejoin:round"'
    )
    return re.sub(r"<svg [^>]*", head, text, count=1).strip()


def _glyph(match):
    """A letter's outline on a grid 16 times coarser: 1/400 of its height."""
    outline = re.sub(
        r"-?\d+", lambda m: str(round(int(m[0]) / 16)), re.sub(r" ?([MLQCz]) ?", r"\1", match[1])
    )
    return f' d="{outline}" transform="scale(0.25)"'


def _rounded(text, digits):
    return re.sub(
        r"-?\d+\.\d+",
        lambda m: f"{float(m[0]):.{digits}f}".rstrip("0").rstrip("."),
        text.replace("\n", ""),
    )


def _variable(match):
    for name, (light, _, _) in PALETTE.items():
        if match[0] == light:
            return f"var(--gtt-{name}, {light})"
    return match[0]


def png(*figures):
    """The figures side by side on white paper as the bytes of a PNG, at twice the resolution of an ordinary screen."""
    images = []
    for fig in figures:
        buffer = io.BytesIO()
        fig.savefig(buffer, format="rgba", facecolor="white")
        width, height = (fig.get_size_inches() * fig.dpi + 1e-9).astype(int)
        images.append(np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4))
    tallest = max(len(image) for image in images)
    pad = [
        np.pad(im, ((0, tallest - len(im)), (0, 0), (0, 0)), constant_values=255) for im in images
    ]
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, np.hstack(pad), format="png", dpi=STYLE["savefig.dpi"])
    return buffer.getvalue()


class Shown:
    """A finished figure: what a cell displays when it ends in `show(fig, …)`."""

    def __init__(self, fig, alt):
        self.fig, self.alt = fig, alt
        self.svg = svg(fig, alt)

    def __repr__(self):
        return f"Figure: {self.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        html = f'<div class="gtt-figure">{self.svg}</div>'
        return {"text/plain": repr(self), "text/html": html, "image/png": png(self.fig)}


def show(fig, *, alt):
    """Return `fig` as a displayable object: inline SVG with `alt`, and a PNG for PDF and plain viewers."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)  # or the notebook shows it a second time
    return Shown(fig, alt)
