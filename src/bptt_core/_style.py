"""The palette and the style of the course's figures. Importing this changes no setting of
Matplotlib.

`PALETTE`    what each colour means, its light and its dark value; Matplotlib knows it as
             "gtt:gradient"
`STYLE`      the settings of every figure
`style`      a context, and a decorator, in which they hold
`use_style`  the same for the rest of a session, as chapters want it
"""

from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.colors import get_named_colors_mapping

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

# New names for Matplotlib, under a prefix of their own: what it knew before stays as it was.
font_manager.fontManager.addfont(FONT)
get_named_colors_mapping().update({f"gtt:{name}": light for name, (light, _, _) in PALETTE.items()})


def _light(name):
    return PALETTE[name][0]


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
    **{f"mathtext.{kind}": "GTT Sans" for kind in ("rm", "it", "bf", "bfit", "cal", "sf", "tt")},
    "text.color": _light("ink"),
    "axes.facecolor": "none",
    "axes.edgecolor": _light("muted"),
    "axes.labelcolor": _light("ink"),
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(
        color=[_light(name) for name in ("gradient", "forward", "approx", "gate-o", "gate-g")]
    ),
    "xtick.color": _light("muted"),
    "ytick.color": _light("muted"),
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": _light("rule"),
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "lines.markersize": 5,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "gtt",
}


def style():
    """A context in which Matplotlib draws in the style of the course; `@style()` does it for a
    function."""
    return matplotlib.rc_context(STYLE)


def use_style():
    """Set the style of the course for the rest of the session."""
    matplotlib.rcParams.update(STYLE)
