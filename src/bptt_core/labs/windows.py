"""Lab 6: truncation turns the gradient, and how far depends on window, memory and length."""

from functools import cache

import numpy as np

from bptt_core import gradient_flow, lstm, plotting, rnn
from bptt_core._containers import leaves
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import fit, number

LONGEST = 120
WITHIN = 10  # degrees
FACTORS = np.r_[0.5:0.9:0.05, 0.9:0.99:0.02, 0.99].round(2)
WINDOWS = np.r_[1:7, 8:13:2, 15:31:5, 40:61:20, 80:121:20]
TICKS = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99]


def networks(cell, memory, steps):
    """(module, parameters, inputs, gradients) of n networks whose factor per step is `memory`
    (n,); the last `steps` of one long sequence."""
    rng, n = np.random.default_rng(4), len(memory)
    x, dh = 0.3 * rng.standard_normal((LONGEST, 1, 3)), rng.standard_normal((LONGEST, 1, 8))
    x, dh = x[-steps:], dh[-steps:]
    if cell == "rnn":
        params = rnn.init_params(3, 8, rng, orthogonal=True)
        W_xh = np.broadcast_to(params.W_xh, (n, 8, 3))
        return rnn, rnn.Params(W_xh, memory[:, None, None] * params.W_hh), x, dh
    params = lstm.init_params(3, 8, rng, scale=0.5, forget_bias=0)
    open_f = np.repeat([0, 1, 0, 0], 8) * np.log(memory / (1 - memory))[:, None]
    both = (np.broadcast_to(W, (n, *W.shape)) for W in (params.W_xh, params.W_hh))
    return lstm, lstm.Params(*both, open_f), x, dh


def truncated(cell, loss, steps, memory):
    """The angle in degrees between the truncated gradient and the true one, for every window from
    1 to `steps`, and the factor per step of the gradient itself: (n, steps), (n,).

    loss    "every" step has one, or only the "end"
    memory  the factor per step (n,): the spectral radius of an RNN, or the open forget gate of an
            LSTM"""
    module, params, x, dh = networks(cell, memory, steps)
    cache = module.forward(params, x)
    dh = np.broadcast_to(dh[:, None], cache.h[1:].shape)
    if loss == "every":
        windows = range(1, steps + 1)
        each = [gradient_flow.truncated_backward(params, cache, dh, w).params for w in windows]
        flat = np.stack([_flat(grads, len(memory)) for grads in each], 1)
    else:  # the one loss sees a step more with each
        terms = module.backward(params, cache, {steps: dh[-1]}, per_step=True).per_step
        terms = [[part[t] for part in terms if part is not None] for t in range(steps)]
        flat = np.stack([_flat(grads, len(memory)) for grads in terms[::-1]], 1).cumsum(1)
    size = np.linalg.norm(flat, axis=-1)
    cosine = (flat * flat[:, -1:]).sum(-1) / (size * size[:, -1:])
    angle = np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
    angle[:, -1] = 0
    curves = gradient_flow.norm_curve(params, cache)[..., 0].T
    return angle, np.array([fit(curve).factor for curve in curves])


def _flat(grads, n):
    """The gradients of n networks, each as one vector: (n, ·)."""
    return np.concatenate([g.reshape(n, -1) for _, g in leaves(grads)], -1)


def enough(angle):
    """The least window from which on the gradient stays within `WITHIN` degrees: (n,)."""
    far = angle >= WITHIN
    return far.shape[-1] - far[:, ::-1].argmax(-1) + 1 - (~far.any(-1)) * far.shape[-1]


@cache
def _over_memory(cell, loss, steps):
    return truncated(cell, loss, steps, FACTORS)


def _at(cell, loss, steps, memory):
    """`truncated` at some factors, those of the slider computed once."""
    asked, which = np.unique(memory, return_inverse=True)
    known = np.isin(asked, FACTORS)
    found = [np.empty((len(asked), *part.shape[1:])) for part in _over_memory(cell, loss, steps)]
    places = np.searchsorted(FACTORS, asked[known])
    parts = [part[places] for part in _over_memory(cell, loss, steps)]
    new = truncated(cell, loss, steps, asked[~known]) if (~known).any() else [p[:0] for p in parts]
    for whole, old, fresh in zip(found, parts, new, strict=True):
        whole[known] = old
        whole[~known] = fresh
    return [whole[which] for whole in found]


def truncated_flow(cell, loss, length, memory, window):
    steps = int(length)
    angle, factor = _at(cell, loss, steps, memory)
    needed = enough(angle)
    at = np.clip(np.rint(window).astype(int), 1, steps)
    here = angle[np.arange(len(at)), at - 1]
    k = np.unique(np.r_[1:31, 30 : steps + 1 : 5].clip(max=steps))
    k = np.pad(k, (0, 48 - len(k)), mode="edge")  # as many points at every length
    all_angles, all_factors = _over_memory(cell, loss, steps)
    halves = np.minimum(gradient_flow.half_life(all_factors), 2 * steps)
    pace = gradient_flow.half_life(FACTORS)
    positions = {
        "angle": (k, angle[:, k - 1]),
        "angle-here": (at[:, None], here[:, None]),
        "enough": (pace, enough(all_angles)),
        "halves": (pace, halves),
        "here": (gradient_flow.half_life(memory)[:, None], at[:, None]),
        "all": (pace[[0, -1]], [steps, steps]),
        "within": ([0, steps], [WITHIN, WITHIN]),
    }
    end = np.zeros(len(at)), np.full(len(at), float(steps))
    rows = np.unique(np.r_[1:13, 15:31:5, 40:61:10, 80:121:20].clip(max=steps))
    rows = np.pad(rows.astype(float), (0, 24 - len(rows)), constant_values=np.nan)
    said = [_say(steps, *case) for case in zip(at, here, needed, factor, strict=True)]
    limits = {"turn.x": end, "need.y": (end[0], 1.12 * end[1])}
    return Frame(positions, said, rows=rows, limits=limits)


def _say(steps, window, angle, needed, factor):
    takes = "1 step" if needed == 1 else f"{needed} steps"
    takes = f"all {steps} steps" if needed == steps else takes
    half_life = gradient_flow.half_life(factor)
    memory = f"The gradient of this network halves every {number(half_life)} steps."
    if half_life > steps / 3:
        memory = f"The gradient of this network fades slowly, beside {steps} steps"
        longer = f": *{LONGEST} steps need a longer window*." if steps < LONGEST else "."
        memory += longer
    if window == steps:
        return (
            f"The window covers all {steps} steps: nothing is cut. To stay within {WITHIN}° takes "
            f"{takes}. {memory}"
        )
    verdict = "*enough*" if window >= needed else "*too short*"
    return (
        f"A window of {window} of {steps} steps turns the gradient by {angle:.0f}°: {verdict}. "
        f"To stay within {WITHIN}° takes {takes}. {memory}"
    )


def _figures():
    """The angle over the window, and the window over the memory."""
    turn, ax = plotting.figure(3.5, 2.9)
    ax.set(xlim=(0, LONGEST), ylim=(0, 90), title="Angle to the true gradient", gid="turn")
    ax.set(xlabel="window, in steps", yticks=[0, 10, 30, 60, 90])
    ax.yaxis.set_major_formatter("{x:.0f}°")
    ax.plot([], [], color="gtt:rule", lw=0.8, gid="within")
    ax.plot([], [], color="gtt:approx", gid="angle")
    need, over = plotting.figure(3.5, 2.9)
    over.set(xscale="log", xlim=gradient_flow.half_life([0.5, 0.993]), gid="need")
    over.set(ylim=(0, LONGEST * 1.12), xlabel="factor per step: ρ, or the open forget gate")
    over.set_title("Window needed, and steps until halved")
    over.set_xticks(gradient_flow.half_life(TICKS), [f"{factor:g}" for factor in TICKS])
    over.minorticks_off()
    over.plot([], [], color="gtt:rule", lw=0.8, gid="all")
    plotting.label(over, 1, 1, "length", "muted", gid="all.name", dx=9)
    for gid, text, colour, style in (
        ("enough", "within 10°", "approx", "-"),
        ("halves", "halved", "bound", "--"),
    ):
        over.plot([], [], style, color=f"gtt:{colour}", gid=gid)
        plotting.label(over, 1, 1, text, colour, gid=f"{gid}.name", dx=9)
    for axes, gid in ((ax, "angle-here"), (over, "here")):
        axes.plot([], [], "o", color="gtt:approx", ms=9, gid=gid, clip_on=False)
    return [turn, need]


@plotting.style()
def truncation():
    """Lab 6: the gradient that truncated backpropagation computes, against the true one."""
    return Explorer(
        truncated_flow,
        _figures(),
        {
            "cell": Choice("Network", {"rnn": "tanh RNN", "lstm": "LSTM"}, "rnn"),
            "loss": Choice("Loss", {"every": "at every step", "end": "at the end"}, "every"),
            "length": Choice("Length", {"30": "30 steps", "120": "120 steps"}, "30"),
            "memory": Slider("Factor per step (ρ, or the forget gate)", FACTORS, 0.9),
            "window": Slider("Window", WINDOWS, 5, "{:.0f} steps"),
        },
        name="truncation",
        title="Truncation turns the gradient; how far depends on window, memory and length",
        question=(
            "As the figure opens, the window is 5 of 30 steps. "
            "Does it keep the gradient within 10° of the true one?"
        ),
        reading=(
            "Drag a dot. On the right, a dot below the full line has too short a window. What a "
            "network learns from a turned gradient is another question: cut after one step, an "
            "LSTM has learnt to add over 30 steps in 20 of 20 runs, and temporal order over 20 "
            "steps in none of 20, where the whole gradient taught it to all 20."
        ),
        alts=[
            "Over the window: the angle between the truncated and the true gradient, with a dot at "
            "the chosen window and a line at 10 degrees.",
            "Over the factor per step: the window that keeps the gradient within 10 degrees, the "
            "steps in which the gradient halves, and a dot at the chosen window.",
        ],
        drag={"angle-here": ["window"], "here": ["memory", "window"]},
        columns=("window", {"angle": "angle, degrees"}),
    )
