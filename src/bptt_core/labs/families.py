"""Lab 4: the paths of an LSTM's gradient add up, and they cancel."""

import numpy as np

from bptt_core import jacobians, lstm, plotting
from bptt_core.explorer import Choice, Explorer, Slider
from bptt_core.explorer.places import end_names, stairs
from bptt_core.labs._words import lag_figure, number, percent


def path_flow(sequence, forget_bias, scale):
    rng, T = np.random.default_rng(10 + int(sequence)), 16
    x, cell, dh = (
        rng.standard_normal((T, 1, 3)),
        lstm.init_params(3, 5, rng),
        rng.standard_normal((1, 5)),
    )
    n, b_h = len(scale), np.repeat([0, 1, 0, 0], 5) * forget_bias[:, None]
    params = lstm.Params(
        np.broadcast_to(cell.W_xh, (n, 20, 3)), scale[:, None, None] * cell.W_hh, b_h
    )
    families = jacobians.path_families(params, lstm.forward(params, x), dh=dh)
    total = np.linalg.norm(families.total, axis=-1)[..., 0].T  # (n, lags)
    shares = np.stack([part[..., 0].T for part in families.along_total()]) / total
    k, positions = np.arange(T + 1), {}
    stack = {
        True: np.zeros_like(total),
        False: np.zeros_like(total),
    }  # helpful parts upwards, harmful ones downwards
    for gid in ("output", "mixed", "cell", "gates"):
        share = shares[families._fields.index(gid)]
        edge = np.where(share >= 0, stack[True], stack[False]) + share
        stack = {True: np.maximum(stack[True], edge), False: np.minimum(stack[False], edge)}
        positions[f"share-{gid}"] = stairs(k, np.clip(edge - share, -3, 4), np.clip(edge, -3, 4))
    sizes = {
        gid: np.linalg.norm(family, axis=-1)[..., 0].T for gid, family in families._asdict().items()
    } | {"total": total}
    positions |= {gid: (k, size) for gid, size in sizes.items()} | end_names(k, sizes, 1e-5, 1e2)
    pull = np.abs(shares).sum(0)
    return positions, [_say_paths(*case) for case in zip(total, shares[0], pull, strict=True)]


def _say_paths(total, cell, pull):
    T, lag = len(total) - 1, pull.argmax()
    cancel = "*Paths hardly cancel*, at any lag."
    if pull[lag] > 1.1:  # the shares add up to 1
        helping, against = number((pull[lag] + 1) / 2), number((pull[lag] - 1) / 2)
        cancel = f"*Paths cancel*: at lag {lag} the shares above zero add up to {helping}, those below to −{against}."
    share = f"The share of the path through the cell alone is {percent(cell[-1])}."
    return f"At lag {T} the gradient is {number(total[-1])}. {share} {cancel}"


@plotting.style()
def paths():
    """Lab 4: the gradient ∂L/∂c_{T−k} split by the kind of path it took (`C34`, `C44`)."""
    families = {
        "cell": ("cell only, $t_0$", "gate-f", "-"),
        "gates": ("i, f, g too", "gate-g", "-"),
        "output": ("o only, $t_1$", "gate-o", "-"),
        "mixed": ("mixed", "muted", "-"),
    }
    share, ax = plotting.figure(2.8, 2.9)
    ax.set(
        xlim=(0, 16),
        ylim=(-1.5, 2.5),
        xlabel="lag k",
        title="Shares of the gradient",
        yticks=[-1, 0, 1, 2],
    )
    for gid, (_, colour, _) in families.items():
        ax.fill([0, 0], [0, 0], facecolor=f"gtt:{colour}", alpha=0.6, lw=0, gid=f"share-{gid}")
    ax.axhline(1, color="gtt:gradient", lw=1.8)
    curves = families | {"total": ("all: exact", "gradient", "-")}
    return Explorer(
        path_flow,
        [share, lag_figure(16, 1e-5, 1e2, curves, "Size of each part")],
        {
            "sequence": Choice("Network and sequence", {"1": "1", "2": "2"}, "1"),
            "forget_bias": Slider("Forget bias", np.arange(-1, 3.1, 0.5), 1, symbol="b_f"),
            "scale": Slider("Weight scale", [0.05, 0.5, 1, 2], 2),
        },
        name="paths",
        title="The paths of an LSTM's gradient add up, and they cancel",
        question="The path through the cell alone is the famous one. Does it carry most of the gradient 16 steps back?",
        reading="On the left, in the colours of the right, the line at 1 is the whole gradient: parts above zero help "
        "it, parts below work against it. Where the stack rises above the line, paths cancel. The cell is the usual "
        "one, with tanh.",
        alts=[
            "Over the lag k: stacked shares of the gradient by path family, positive above zero and negative below.",
            "Over the lag k, on a log axis: the norm of each path family and of the exact gradient.",
        ],
        play=list(curves),
        columns=("lag k", {gid: name.replace("$", "") for gid, (name, _, _) in curves.items()}),
    )
