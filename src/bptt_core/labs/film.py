"""Training film: one network while it learns, or fails to learn, the first letter."""

import numpy as np
from matplotlib.patches import Arc

from bptt_core import plotting
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import number, percent
from bptt_core.studies import film as study

NETWORKS = {"rnn": "RNN", "lstm0": "LSTM 0", "lstm1": "LSTM 1", "lstm3": "LSTM 3"}
EIGENVALUES = 32  # in one half of the plane, at most
REACH = 1.2  # of the plane
LINE = 0.27  # the height of a name beside a curve, on the axis of the loss
REACHES = 0.93  # the modulus of an eigenvalue that has come to the unit circle
TITLES = {"rnn": "Slopes of tanh, 1 − h²: how many", "lstm": "Forget gates: how many"}


def film(network, clip, window, update):
    held = study.stored()[NETWORKS[network], clip, window]
    at = np.abs(update[:, None] - study.FRAMES).argmin(-1)
    loss = np.array(held["loss"]) / study.GUESS
    outermost = np.array([[part[0] for part in parts] for parts in held["eigenvalues"]])
    modulus = np.hypot(*outermost.T)
    now = np.take(study.FRAMES, at)[:, None]
    plane = np.stack([_padded(held["eigenvalues"][frame]) for frame in at])
    positions = {
        "loss": (study.FRAMES, loss),
        "modulus": (study.FRAMES, modulus),
        "loss-now": (now, loss[at][:, None]),
        "modulus-now": (now, modulus[at][:, None]),
        "gradient": (study.LAGS, 10.0 ** np.array(held["arrives"])[at]),
        "eigenvalues": (plane[:, 0], plane[:, 1]),
        "outermost": (outermost[at, :1], outermost[at, 1:]),
        "factors": _bars(np.array(held["factors"])[at]),
    }
    names = zip(("loss.name", "modulus.name"), _apart(loss[-1], modulus[-1]), strict=True)
    positions |= {name: (study.FRAMES[-1:], [height]) for name, height in names}
    cell = network.rstrip("013")
    said = [_say(cell, study.FRAMES[k], held, modulus[k], k) for k in at]
    return Frame(
        positions,
        said,
        shades={"factors": np.full(len(at), -1.0 if cell == "rnn" else 1.0)},
        texts={"factors.title": [TITLES[cell]] * len(at)},
    )


def _padded(eigenvalues):
    """(2, EIGENVALUES), NaN after the last."""
    found = np.full((2, EIGENVALUES), np.nan)
    found[:, : len(eigenvalues[0])] = eigenvalues
    return found


def _apart(one, other):
    """The heights of the names beside two curves that end there."""
    middle, half = (one + other) / 2, max(abs(one - other), LINE) / 2
    return (middle + half, middle - half) if one > other else (middle - half, middle + half)


def _bars(shares):
    """The outline of a histogram: along the tops and back along the floor."""
    edges = np.repeat(np.arange(study.BINS + 1) / study.BINS, 2)[1:-1]
    high = np.repeat(shares, 2, axis=1)
    return np.r_[edges, edges[::-1]], np.concatenate([high, np.zeros_like(high)], axis=1)


def _say(cell, update, held, modulus, frame):
    when = f"After {update} updates" if update else "Before training"
    factor = "slope of tanh" if cell == "rnn" else "forget gate"
    return (
        f"{when} the loss is *{held['loss'][frame]:.2f}*, and "
        f"{percent(held['right'][frame])} of fresh rows are answered right. The outermost "
        f"eigenvalue has modulus *{modulus:.2f}*. The gradient 29 steps back is "
        f"*{number(10 ** held['arrives'][frame][-1])}* times that of the last step. "
        f"Mean {factor}: {held['mean'][frame]:.2f}."
    )


def _crowd():
    """What is so in networks that the film does not show."""
    lstms = [found for cell, found in study.stored_crowd().items() if cell != "RNN"]
    fell = sum((found["fell"] >= 0).sum() for found in lstms)
    return (
        f"Of {len(lstms) * study.NETWORKS} LSTMs, {study.NETWORKS} with each bias, the loss of "
        f"{fell} falls by a tenth: by then an eigenvalue has reached {REACHES} in all of them, and "
        "none does in the others."
    )


def _left():
    """How it comes about: the gradient by lag; below, the histogram of gates or slopes."""
    fig, (above, below) = _pair(1.2)
    above.set(yscale="log", xlim=(0, study.LAGS[-1]), ylim=(1e-8, 1e4), xlabel="lag k")
    above.set(title="Gradient k steps back", yticks=[1e-8, 1e-4, 1, 1e4])
    above.axhline(1, color="gtt:rule", lw=0.8)
    above.plot([], [], color="gtt:gradient", gid="gradient")
    below.set(xlim=(0, 1), ylim=(0, 1), xlabel="factor of one step", yticks=[0, 0.5, 1])
    below.set(yticklabels=["0", "half", "all"])
    below.fill([0], [0], color="gtt:gate-f", lw=0, gid="factors")
    below.text(0, 1.1, " ", gid="factors.title", va="bottom", clip_on=False)
    return fig


def _right():
    """The claim: eigenvalues in the plane; below, the outermost and the loss over the updates."""
    fig, (above, below) = _pair(1.25)
    above.set(xlim=(-REACH, REACH), ylim=(-0.05, REACH), aspect="equal", xticks=[-1, 0, 1])
    above.set(yticks=[0, 1], yticklabels=["0", "i"], title="Eigenvalues of the mean step")
    above.add_patch(Arc((0, 0), 2, 2, theta2=180, edgecolor="gtt:muted", lw=0.9))
    above.axhline(0, color="gtt:rule", lw=0.6, zorder=0)
    above.plot([], [], "o", color="gtt:gradient", ms=4, gid="eigenvalues")
    above.plot([], [], "o", color="gtt:gradient", ms=8, gid="outermost", clip_on=False)
    last = study.FRAMES[-1]
    below.set(xlim=(0, last), ylim=(0, REACH), xlabel="update", yticks=[0, 1])
    below.set_title("Outermost (circle: 1) and loss (a guess: 1)")
    below.axhline(1, color="gtt:rule", lw=0.8)
    for gid, name, colour in (("loss", "loss", "forward"), ("modulus", "outermost", "gradient")):
        below.plot([], [], color=f"gtt:{colour}", gid=gid)
        plotting.label(below, last, 1, name, colour, gid=f"{gid}.name", dx=9)
        below.plot([], [], "o", color=f"gtt:{colour}", ms=8, gid=f"{gid}-now", clip_on=False)
    return fig


def _pair(share):
    """A figure with two axes, the upper so many times as high as the lower."""
    return plotting.figure(3.9, 3.3, nrows=2, height_ratios=(share, 1))


@plotting.style()
def training_film():
    """Training film: loss, gradient, eigenvalues and forget gates, update by update."""
    return Explorer(
        film,
        [_left(), _right()],
        {
            "network": Choice(
                "Network (LSTM: forget bias)",
                {"rnn": "RNN", "lstm0": "LSTM 0", "lstm1": "LSTM 1", "lstm3": "LSTM 3"},
                "lstm1",
            ),
            "window": Choice("Steps that it looks back", {"1": "1", "10": "10", "30": "30"}, "30"),
            "clip": Choice("Clipping", {"clipped": "at 1", "free": "none"}, "clipped"),
            "update": Slider("Update", study.FRAMES, 180),
        },
        name="training-film",
        title="An LSTM's loss stands still until an eigenvalue reaches the unit circle",
        question=(
            "After 180 updates the loss is still that of a guess. Has training changed nothing?"
        ),
        reading=(
            "Play trains the network. The gradient is always the whole one, whatever the network "
            "learns from. The mean step is the Jacobian of one step, averaged over steps and rows: "
            "of (h, c) in an LSTM; in the RNN it is W_hh, each row times the mean slope of its "
            "unit. The lower half of the plane mirrors the upper. One network of each kind is "
            f"shown, one that can be watched: the RNN of seed {study.SEEDS['RNN']}, the LSTMs of "
            f"seed {study.SEEDS['LSTM 1']}. {_crowd()}"
        ),
        alts=[
            "The gradient over the lag on a log axis; below, a histogram of the forget gates or "
            "the slopes from 0 to 1.",
            "The eigenvalues of the mean step in the upper half of the plane, with the unit "
            "circle; below, over the updates, the modulus of the outermost eigenvalue and the loss "
            "as a share of that of a guess, each with a dot at the present update.",
        ],
        play="update",
        columns=("lag k", {"gradient": "size of the gradient"}),
        below={"factors": "forward"},
    )
