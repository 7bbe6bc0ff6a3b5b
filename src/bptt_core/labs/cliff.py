"""Lab 5: clipping keeps one steep step from throwing everything away."""

import numpy as np

from bptt_core import plotting, rnn
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import number

STARTS = {"plateau": (4.6, -2.9), "valley": (4.8, -2.3)}  # (w, b)
DESCENTS = 50
FLOOR = 1e-6  # losses below it are drawn on it, under the axes


def cliff(w, b):
    """E = (σ(x_50) − 0.7)² for x_t = w σ(x_{t−1}) + b, x_0 = ½, and its gradient: (E, dE/dw,
    dE/db)."""
    params = rnn.Params(np.zeros((len(w), 1, 1)), w[:, None, None], b[:, None])
    cache = rnn.forward(
        params, np.zeros((50, 1, 1)), [[1 / (1 + np.exp(-0.5))]], activation="sigmoid"
    )
    error = cache.h[-1, :, :, 0] - 0.7
    grads = rnn.backward(params, cache, {50: 2 * error[..., None]}).params
    return error[:, 0] ** 2, grads.W_hh[:, 0, 0], grads.b_h[:, 0]


def descend(start, rate, threshold):
    """Gradient descent on the cliff, its gradients clipped at `threshold`: (w, b, E, ‖∇E‖), each
    (n, DESCENTS + 1)."""
    point = np.tile(np.array(STARTS[start])[:, None], len(rate))
    rows = []
    for _ in range(DESCENTS + 1):
        error, *gradient = cliff(*point)
        gradient = np.stack(gradient)
        size = np.linalg.norm(gradient, axis=0)
        rows.append([*point, error, size])
        point = point - rate * gradient * np.minimum(1, threshold / np.maximum(size, 1e-300))
    return np.moveaxis(np.array(rows), 0, -1)


def clipped_flow(start, threshold, rate):
    free = descend(start, rate, np.inf * rate)
    clipped = descend(start, rate, threshold)
    step = np.arange(DESCENTS + 1)
    positions = {}
    for gid, (w, b, error, _) in {"free": free, "clipped": clipped}.items():
        positions[gid] = w, b
        positions[f"{gid}-end"] = w[:, -1:], b[:, -1:]
        positions[f"{gid}-loss"] = step, np.maximum(error, FLOOR)
    said = zip(*free, *clipped[2:], threshold, strict=True)
    return Frame(positions, [_say(*case) for case in said])


def _say(w, b, free, free_size, clipped, clipped_size, threshold):
    worst = free_size[:-1].argmax()
    usual, wins = np.median(free[-20:]), np.median(clipped[-20:])
    text = (
        f"Without clipping the longest gradient is {number(free_size[worst])}, in step {worst}, "
        f"and lands at w = {w[worst + 1]:.2f}, b = {b[worst + 1]:.2f}. "
        f"The median of the late losses is {number(usual)}."
    )
    text = text.replace("-", "−").replace(" = ", "\u00a0=\u00a0")
    hits = (clipped_size[:-1] > threshold).sum()  # the last point makes no step
    if not hits:
        return f"{text} *The threshold is never reached*: both paths are one."
    better = "*lower*" if wins < usual else "*no lower*"
    if number(wins) == number(usual):
        better = "*the same*"
    elif wins >= usual and hits > 0.8 * DESCENTS:
        better = "*higher*, the steps are too short"
    return (
        f"{text} Clipping shortens {hits} of {DESCENTS} steps; "
        f"then the median is {number(wins)}, {better}."
    )


def _landscape():
    """The loss over w and b as contours, without the descents."""
    w, away = np.meshgrid(np.linspace(4.3, 5.1, 33), np.linspace(-1, 1, 91))
    b = -2.18 - 0.61 * (w - 4.3) + 0.9 * away**3  # dense along the cliff
    error = cliff(w.ravel(), b.ravel())[0].reshape(w.shape)
    fig, ax = plotting.figure(3.5, 2.9)
    ax.set(xlim=(4.3, 5.1), ylim=(-3, -2.1), xlabel="w", ylabel="b", title="Loss over w and b")
    levels = [0.003, 0.01, 0.02, 0.28, 0.32, 0.36]
    ax.contour(w, b, error, levels=levels, colors="gtt:muted", linewidths=0.6)
    for x, y, text in ((5.05, -2.2, "low"), (4.95, -2.95, "high")):
        ax.text(x, y, text, color="gtt:muted", ha="right", fontsize=9)
    return fig, ax


@plotting.style()
def clipping():
    """Lab 5: gradient descent at the cliff of x_t = w σ(x_{t−1}) + b, with and without clipping
    (`C48`, `C49`)."""
    plane, ax = _landscape()
    loss, below = plotting.figure(3.5, 2.9)
    below.set(yscale="log", xlim=(0, DESCENTS), ylim=(1e-5, 1), xlabel="descent step")
    below.set(title="Loss on the way")
    for gid, name, colour in (("free", "unclipped", "gradient"), ("clipped", "clipped", "approx")):
        style = {"color": f"gtt:{colour}", "lw": 1.4}
        ax.plot([], [], "-o", ms=2.5, gid=gid, **style)
        ax.plot([], [], "o", ms=8, gid=f"{gid}-end", **style)
        below.plot([], [], gid=f"{gid}-loss", **style)
        plotting.label(below, 0, 1, name, colour, gid=f"{gid}-loss.name")
    thresholds = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
    return Explorer(
        clipped_flow,
        [plane, loss],
        {
            "start": Choice("Start", {"plateau": "high side", "valley": "low side"}, "plateau"),
            "threshold": Slider("Clip gradients longer than", thresholds, 0.2),
            "rate": Slider("Learning rate", [0.05, 0.1, 0.15, 0.2, 0.3], 0.1),
        },
        name="clipping",
        title="Clipping keeps one steep step from throwing everything away",
        question=(
            "The loss has a cliff. What does one gradient step do when it starts on the edge?"
        ),
        reading=(
            "Contours crowd together at the cliff, where the gradient is hundreds of times longer "
            "than elsewhere. Clipping shortens such a gradient and keeps its direction. It makes "
            "none longer: it does not cure vanishing."
        ),
        alts=[
            "Contours of the loss over w and b with a diagonal cliff, and two descents from the "
            "same start.",
            "Over the descent step, on a log axis: the loss with and without clipping.",
        ],
        play=["free", "clipped", "free-loss", "clipped-loss"],
        columns=("step", {"clipped-loss": "loss, clipped", "free-loss": "loss, unclipped"}),
    )
