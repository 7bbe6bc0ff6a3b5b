"""Lab 4: the paths of an LSTM's gradient add up, and they cancel."""

import numpy as np

from bptt_core import jacobians, lstm, plotting
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.explorer.places import stairs
from bptt_core.labs._words import lag_figure, number, percent

LAGS = 16
STACKED = ("output", "mixed", "cell", "gates")  # from the line at zero outwards
FAMILIES = {
    "cell": ("cell only, $t_0$", "gate-f", "-"),
    "gates": ("i, f, g too", "gate-g", "-"),
    "output": ("o only, $t_1$", "gate-o", "-"),
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
    sizes = {
        gid: np.linalg.norm(family, axis=-1)[..., 0].T for gid, family in families._asdict().items()
    }
    positions = _stacked(k, dict(zip(families._fields, shares, strict=True)))
    positions |= {gid: (k, size) for gid, size in (sizes | {"total": total}).items()}
    pull = np.abs(shares).sum(0)
    said = [_say(*case) for case in zip(total, shares[0], pull, strict=True)]
    return Frame(positions, said)


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
        low, high = np.clip(edge - share, -3, 4), np.clip(edge, -3, 4)
        positions[f"share-{gid}"] = stairs(k, low, high)
    return positions


def _say(total, cell, pull):
    lag = pull.argmax()
    cancel = "*Paths hardly cancel*, at any lag."
    if pull[lag] > 1.1:  # the shares add up to 1
        helping, against = number((pull[lag] + 1) / 2), number((pull[lag] - 1) / 2)
        cancel = (
            f"*Paths cancel*: at lag {lag} the shares above zero add up to {helping}, "
            f"those below to −{against}."
        )
    share = f"The share of the path through the cell alone is {percent(cell[-1])}."
    return f"At lag {LAGS} the gradient is {number(total[-1])}. {share} {cancel}"


@plotting.style()
def paths():
    """Lab 4: the gradient ∂L/∂c_{T−k} split by the kind of path it took (`C34`, `C44`)."""
    share, ax = plotting.figure(2.8, 2.9)
    ax.set(xlim=(0, LAGS), ylim=(-1.5, 2.5), yticks=[-1, 0, 1, 2])
    ax.set(xlabel="lag k", title="Shares of the gradient")
    for gid, (_, colour, _) in FAMILIES.items():
        ax.fill([0, 0], [0, 0], facecolor=f"gtt:{colour}", alpha=0.6, lw=0, gid=f"share-{gid}")
    ax.axhline(1, color="gtt:gradient", lw=1.8)
    curves = FAMILIES | {"total": ("all: exact", "gradient", "-")}
    return Explorer(
        path_flow,
        [share, lag_figure(LAGS, 1e-5, 1e2, curves, "Size of each part")],
        {
            "sequence": Choice("Network and sequence", {"1": "1", "2": "2"}, "1"),
            "forget_bias": Slider("Forget bias", np.arange(-1, 3.1, 0.5), 1, symbol="b_f"),
            "scale": Slider("Weight scale", [0.05, 0.5, 1, 2], 2),
        },
        name="paths",
        title="The paths of an LSTM's gradient add up, and they cancel",
        question=(
            "The path through the cell alone is the famous one. "
            "Does it carry most of the gradient 16 steps back?"
        ),
        reading=(
            "On the left, in the colours of the right, the line at 1 is the whole gradient: parts "
            "above zero help it, parts below work against it. Where the stack rises above the "
            "line, paths cancel. The cell is the usual one, with tanh."
        ),
        alts=[
            "Over the lag k: stacked shares of the gradient by path family, positive above zero "
            "and negative below.",
            "Over the lag k, on a log axis: the norm of each path family and of the exact "
            "gradient.",
        ],
        play=list(curves),
        columns=("lag k", {gid: name.replace("$", "") for gid, (name, _, _) in curves.items()}),
    )
