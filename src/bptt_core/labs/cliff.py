"""Lab 5: clipping bounds every step; without it, one step at a cliff can go far."""

import numpy as np

from bptt_core import plotting, rnn
from bptt_core.explorer import Explorer, Frame, Slider
from bptt_core.labs._words import number

DESCENTS = 50
LATE = 20  # last losses, whose median is said
W_SEEN, B_SEEN = (4.2, 5.4), (-3.2, -1.8)
CLIFF = -2.12, -0.6125  # b of the cliff at the left end, and its slope
LEVELS = np.linspace(0, 0.48, 13)


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


def descend(w, b, rate, threshold):
    """Gradient descent on the cliff from (w, b), its gradients clipped at `threshold`: (w, b, E,
    ‖∇E‖), each (n, DESCENTS + 1)."""
    point = np.stack([w, b])
    rows = []
    for _ in range(DESCENTS + 1):
        error, *gradient = cliff(*point)
        gradient = np.stack(gradient)
        size = np.linalg.norm(gradient, axis=0)
        rows.append([*point, error, size])
        point = point - rate * gradient * np.minimum(1, threshold / np.maximum(size, 1e-300))
    return np.moveaxis(np.array(rows), 0, -1)


def clipped_flow(w, b, threshold, rate):
    free = descend(w, b, rate, np.inf * rate)
    clipped = descend(w, b, rate, threshold)
    step = np.arange(DESCENTS + 1)
    positions = {"start": (w[:, None], b[:, None])}
    for gid, (ws, bs, error, _) in {"free": free, "clipped": clipped}.items():
        positions[gid] = ws, bs
        positions[f"{gid}-end"] = ws[:, -1:], bs[:, -1:]
        positions[f"{gid}-loss"] = step, error
    exits = [_exit(*path) for path in zip(*free[:2], strict=True)]
    positions["out"] = tuple(np.array([place for place, _ in exits]).T[..., None])
    said = zip(*free, *clipped[2:], threshold, rate, strict=True)
    return Frame(positions, [_say(*case) for case in said], texts={"out": [t for _, t in exits]})


def outside(w, b):
    """Whether points lie outside the picture."""
    across = (np.asarray(w) < W_SEEN[0]) | (np.asarray(w) > W_SEEN[1])
    return across | (np.asarray(b) < B_SEEN[0]) | (np.asarray(b) > B_SEEN[1])


def _exit(w, b):
    """Where a path first leaves the picture, and a text that says where to."""
    out = outside(w, b)
    if not out.any():
        return (np.nan, np.nan), " "
    after = int(out.argmax())
    way = np.linspace(0, 1, 200)
    ws = w[after - 1] + way * (w[after] - w[after - 1])
    bs = b[after - 1] + way * (b[after] - b[after - 1])
    last = np.flatnonzero(~outside(ws, bs))[-1]
    # the text ends there, but stays in the picture whole
    place = np.clip(ws[last], 4.75, W_SEEN[1]), np.clip(bs[last], -3.1, B_SEEN[1])
    return place, _signed(f"to w {w[after]:.2f}, b {b[after]:.2f}")


def _signed(text):
    return text.replace("-", "−").replace(" = ", "\u00a0=\u00a0")


def _say(w, b, free, free_size, clipped, clipped_size, threshold, rate):
    worst = int(free_size[:-1].argmax())
    text = _signed(
        f"Without clipping the longest gradient is {number(free_size[worst])}: step {worst + 1} "
        f"goes to w = {w[worst + 1]:.2f}, b = {b[worst + 1]:.2f}"
    )
    text += ", *out of the picture*." if outside(w[worst + 1], b[worst + 1]) else "."
    usual, late = (np.median(losses[-LATE:]) for losses in (free, clipped))
    median = f"The median of the last {LATE} losses is {number(usual)}"
    hits = int((clipped_size[:-1] > threshold).sum())  # the last point makes no step
    if not hits:
        return f"{text} {median}. *The threshold is never reached*: both paths are one."
    word = "*lower*" if late < 0.8 * usual else "*higher*" if late > 1.25 * usual else "*the same*"
    word = "*nearly the same*" if word == "*the same*" and number(late) != number(usual) else word
    return (
        f"{text} {median}. Clipping shortens {hits} of {DESCENTS} steps, to "
        f"{number(threshold * rate)}; then the median is {number(late)}, {word}."
    )


def _figures():
    """The loss over w and b as shades, without the descents; and the loss on the way."""
    w, away = np.meshgrid(np.linspace(*W_SEEN, 25), np.linspace(-1, 1, 101))
    b = CLIFF[0] + CLIFF[1] * (w - W_SEEN[0]) + 1.2 * away**3  # dense along the cliff
    error = cliff(w.ravel(), b.ravel())[0].reshape(w.shape)
    plane, ax = plotting.figure(3.7, 2.9)
    ax.set(xlim=W_SEEN, ylim=B_SEEN, xlabel="w", ylabel="b", title="Loss over w and b")
    ax.set(xticks=[4.2, 4.6, 5, 5.4], yticks=[-3, -2.5, -2])
    shades = [("gtt:bound", 0.04 + 0.62 * i / len(LEVELS)) for i in range(len(LEVELS) - 1)]
    ax.contourf(w, b, error, levels=LEVELS, colors=shades)
    ax.plot([], [], "o", color="gtt:ink", mfc="none", ms=9, gid="start")
    loss, below = plotting.figure(3.3, 2.9)
    below.set(xlim=(0, DESCENTS), ylim=(0, LEVELS[-1]), xlabel="descent step")
    below.set(title="Loss on the way")
    for gid, name, colour in (("free", "unclipped", "gradient"), ("clipped", "clipped", "approx")):
        style = {"color": f"gtt:{colour}", "lw": 1.4}
        ax.plot([], [], "-o", ms=2.5, gid=gid, **style)
        ax.plot([], [], "o", ms=8, gid=f"{gid}-end", **style)
        below.plot([], [], gid=f"{gid}-loss", **style)
        plotting.label(below, 0, 1, name, colour, gid=f"{gid}-loss.name")
    look = {"ha": "right", "va": "top", "dx": -4, "dy": -2, "fontsize": 9}
    plotting.label(ax, 4.9, -1.9, "to w 30.28, b −39.53", "gradient", gid="out", **look)
    return [plane, loss]


@plotting.style()
def clipping():
    """Lab 5: gradient descent at the cliff of x_t = w σ(x_{t−1}) + b, with and without clipping
    (`C48`, `C49`)."""
    return Explorer(
        clipped_flow,
        _figures(),
        {
            "w": Slider("Start at w", [4.4, 4.6, 4.8, 5.1], 4.6),
            "b": Slider("and b", [-2.9, -2.6, -2.3], -2.9),
            "threshold": Slider("Clip gradients longer than", [0.1, 0.2, 0.5, 2, 20], 0.2),
            "rate": Slider("Learning rate", [0.05, 0.1, 0.2], 0.1),
        },
        name="clipping",
        title="Clipping bounds every step; without it, one step at the cliff can go far",
        question="The loss has a cliff. Where does the longest step go, without clipping?",
        reading=(
            "The stronger the shade, the higher the loss. Click on the surface to start there, at "
            "the open circle. At the cliff a gradient can be hundreds of times longer than "
            "elsewhere. Clipping shortens such a gradient and keeps its direction. It makes none "
            "longer: it does not cure vanishing."
        ),
        alts=[
            "The loss over w and b in shades: a high plain and a low one, a diagonal cliff between "
            "them, and two descents from the same start.",
            "Over the descent step: the loss with and without clipping.",
        ],
        click={"start": ["w", "b"]},
        drag={"start": ["w", "b"]},
        play=["free", "clipped", "free-loss", "clipped-loss"],
        columns=("step", {"clipped-loss": "loss, clipped", "free-loss": "loss, unclipped"}),
    )
