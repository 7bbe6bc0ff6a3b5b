"""Lab 4: the paths of an LSTM's gradient add up, and they can cancel."""

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

from bptt_core import jacobians, lstm, plotting
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.explorer.places import stairs
from bptt_core.labs._words import at_end, lag_figure, number, percent

LAGS = 16
STACKS = [2, 3, 6, 14, 110]  # where the axis of the shares ends
AGAINST = 0.1  # shares below zero that are worth a word
STACKED = ("output", "mixed", "cell", "gates")  # from the line at zero outwards
PARTS = {  # what lights up with a text that speaks of a family
    "cell": "cell-only",
    "gates": "through-gates",
    "output": "output-only",
    "mixed": "mixed",
}
FAMILIES = {
    "cell": ("cell only, $t_0$", "gate-f", "-"),
    "gates": ("through gates", "gate-g", "-"),
    "output": ("output only", "gate-o", "-"),
    "mixed": ("mixed", "muted", "-"),
}


def split(sequence, forget_bias, scale):
    """The gradient's path families (fields of `jacobians.PathFamilies`, T+1 lags) for n
    settings."""
    rng = np.random.default_rng(10 + int(sequence))
    x = rng.standard_normal((LAGS, 1, 3))
    cell = lstm.init_params(3, 5, rng)
    dh = rng.standard_normal((1, 5))
    b_h = np.repeat([0, 1, 0, 0], 5) * forget_bias[:, None]
    W_xh = np.broadcast_to(cell.W_xh, (len(scale), 20, 3))
    params = lstm.Params(W_xh, scale[:, None, None] * cell.W_hh, b_h)
    return jacobians.path_families(params, lstm.forward(params, x), dh=dh)


def path_flow(sequence, forget_bias, scale):
    families = split(sequence, forget_bias, scale)
    total = np.linalg.norm(families.total, axis=-1)[..., 0].T  # (n, lags)
    shares = np.stack([part[..., 0].T for part in families.along_total()]) / total
    k = np.arange(LAGS + 1)
    parts = families._asdict() | {"total": families.total}
    sizes = {gid: _size(part) / total[:, :1] for gid, part in parts.items()}
    positions = _stacked(k, dict(zip(families._fields, shares, strict=True)))
    # a family without a path yet has no size: not a line up from the floor
    positions |= {gid: (k, np.where(size > 0, size, np.nan)) for gid, size in sizes.items()}
    across = np.array([0, LAGS])
    positions |= {"zero": (across, [0, 0]), "whole": (across, [1, 1]), "one": (across, [1, 1])}
    helping = np.where(shares > 0, shares, 0).sum(0)
    above = at_end(STACKS, helping.max(-1))
    largest = np.stack([size.max(-1) for size in sizes.values()])  # every family is in view
    low, high = np.minimum(sizes["total"].min(-1), largest.min(0)), largest.max(0)
    limits = {
        "shares.y": (1 - above, above),
        "sizes.y": (10.0 ** np.floor(np.log10(low) - 0.3), 10.0 ** np.ceil(np.log10(high) + 0.1)),
    }
    said = [_say(*case) for case in zip(sizes["total"], shares[0], helping, strict=True)]
    return Frame(positions, said, limits=limits)


def _size(part):
    """Norms of one family (lags, n, 1, H) as (n, lags)."""
    return np.linalg.norm(part, axis=-1)[..., 0].T


def _stacked(k, shares):
    """Bars of shares {family: (n, lags)}: helpful parts upwards from zero, harmful ones
    downwards."""
    above = np.zeros_like(shares["cell"])
    below = np.zeros_like(above)
    positions = {}
    for gid in STACKED:
        share = shares[gid]
        edge = np.where(share >= 0, above, below) + share
        above = np.maximum(above, edge)
        below = np.minimum(below, edge)
        positions[f"share-{gid}"] = stairs(k, edge - share, edge)
    return positions


def _say(total, cell, helping):
    left = f"At lag {LAGS} the gradient is {number(total[-1])} times its first size."
    share = f"The share of the path through the cell alone is {percent(cell[-1])}"
    share += ": it works against the rest." if cell[-1] <= -AGAINST else "."
    lag = helping.argmax()
    up = round(helping[lag], 2)  # the shares add up to 1, and so must what is printed
    if up - 1 < AGAINST:
        return f"{left} {share} *Paths hardly cancel*, at any lag."
    much = "*Paths cancel*" if up - 1 >= 0.5 else "*Paths cancel in part*"
    return (
        f"{left} {share} {much}: at lag {lag} the shares above zero add up to {up:.2f}, "
        f"those below to −{up - 1:.2f}."
    )


@plotting.style()
def paths():
    """Lab 4: the gradient ∂L/∂c_{T−k} split by the kind of path it took (`C34`, `C44`)."""
    share, ax = plotting.figure(2.8, 2.9)
    ax.set(xlim=(0, LAGS), ylim=(1 - STACKS[-1], STACKS[-1]), gid="shares")
    ax.set(xlabel="lag k", title="Shares of the gradient")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    for gid, (_, colour, _) in FAMILIES.items():
        ax.fill([0, 0], [0, 0], facecolor=f"gtt:{colour}", alpha=0.85, lw=0, gid=f"share-{gid}")
    ax.plot([], [], color="gtt:muted", lw=0.7, gid="zero")
    ax.plot([], [], color="gtt:gradient", gid="whole")
    curves = FAMILIES | {"total": ("all: exact", "gradient", "-")}
    size = lag_figure(LAGS, 1e-11, 1e2, curves, "Size of each part, from 1 at lag 0")
    size.axes[0].set(gid="sizes")
    size.axes[0].yaxis.set_major_locator(LogLocator(numticks=7))
    return Explorer(
        path_flow,
        [share, size],
        {
            "sequence": Choice("Network and sequence", {"1": "1", "2": "2"}, "1"),
            "forget_bias": Slider("Forget bias", np.arange(-1, 3.1, 0.5), 1, symbol="b_f"),
            "scale": Slider("Weight scale", [0.05, 0.5, 1, 2], 2),
        },
        name="paths",
        title="The paths of an LSTM's gradient add up, and they can cancel",
        question=(
            "The path through the cell alone is the famous one. "
            "Does it carry most of the gradient 16 steps back?"
        ),
        reading=(
            "On the left, in the colours of the right, the line at 1 is the whole gradient. Parts "
            "above zero help it, parts below work against it. Where the stack rises above the "
            "line, paths cancel. On the right are sizes: they do not add up, for the parts point "
            "in different directions. The cell is the usual one, with tanh."
        ),
        alts=[
            "Over the lag k: stacked shares of the gradient by path family, positive above zero "
            "and negative below.",
            "Over the lag k, on a log axis: the norm of each path family and of the exact "
            "gradient.",
        ],
        play=list(curves),
        parts={start + gid: key for gid, key in PARTS.items() for start in ("", "share-")},
        columns=("lag k", {gid: name.replace("$", "") for gid, (name, _, _) in curves.items()}),
    )
