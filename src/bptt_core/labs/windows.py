"""Lab 6: truncation turns the gradient, it does not only shorten it."""

import numpy as np

from bptt_core import gradient_flow, lstm, plotting, rnn
from bptt_core._containers import leaves
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import percent

STEPS = 30
WINDOWS = np.arange(1, STEPS + 1)


def networks(cell, memory):
    """(module, parameters) of n networks whose factor per step is `memory` (n,)."""
    rng, n = np.random.default_rng(4), len(memory)
    x, dh = 0.3 * rng.standard_normal((STEPS, 1, 3)), rng.standard_normal((STEPS, 1, 8))
    if cell == "rnn":
        params = rnn.init_params(3, 8, rng, orthogonal=True)
        W_xh = np.broadcast_to(params.W_xh, (n, 8, 3))
        return rnn, rnn.Params(W_xh, memory[:, None, None] * params.W_hh), x, dh
    params = lstm.init_params(3, 8, rng, scale=0.5, forget_bias=0)
    open_f = np.repeat([0, 1, 0, 0], 8) * np.log(memory / (1 - memory))[:, None]
    both = (np.broadcast_to(W, (n, *W.shape)) for W in (params.W_xh, params.W_hh))
    return lstm, lstm.Params(*both, open_f), x, dh


def truncated(cell, memory):
    """The truncated gradient's relative error and its angle to the true one in degrees, each (n,
    windows).

    memory  the factor per step (n,): the spectral radius of an RNN, or the open forget gate of an
            LSTM"""
    module, params, x, dh = networks(cell, memory)
    cache = module.forward(params, x)
    dh = np.broadcast_to(dh[:, None], cache.h[1:].shape)
    each = [
        gradient_flow.truncated_backward(params, cache, dh, int(window)).params
        for window in WINDOWS
    ]
    n = len(memory)
    flat = [np.concatenate([g.reshape(n, -1) for _, g in leaves(grads)], -1) for grads in each]
    flat = np.stack(flat, 1)
    true, size = flat[:, -1:], np.linalg.norm(flat, axis=-1)
    cosine = (flat * true).sum(-1) / (size * size[:, -1:])
    error = np.linalg.norm(flat - true, axis=-1) / size[:, -1:]
    return error, np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def truncated_flow(cell, memory, window):
    asked, which = np.unique(memory, return_inverse=True)
    error, angle = (curve[which] for curve in truncated(cell, asked))
    at = np.clip(np.rint(window).astype(int), 1, STEPS)
    here = np.arange(len(window)), at - 1
    shown = np.maximum(error[here], 1e-4)  # a dot stays in the picture, on its floor
    positions = {
        "error": (WINDOWS, error),
        "angle": (WINDOWS, angle),
        "rate": ([0, STEPS - 1], memory[:, None] ** [0, STEPS - 1]),
        "error-here": (at[:, None], shown[:, None]),
        "angle-here": (at[:, None], angle[here][:, None]),
    }
    enough = (error < 0.1).argmax(-1) + 1
    said = zip(at, error[here], angle[here], enough, strict=True)
    return Frame(positions, [_say(*case) for case in said])


def _say(window, error, angle, enough):
    steps = "step" if enough == 1 else "steps"
    verdict = "*Enough*." if window >= enough else "*Too short* for this memory."
    return (
        f"A window of {window} of {STEPS} steps leaves an error of {percent(error)} and turns the "
        f"gradient by {angle:.0f}°. An error below 10\u00a0% takes {enough} {steps}. {verdict}"
    )


@plotting.style()
def truncation():
    """Lab 6: the gradient that truncated backpropagation computes, against the true one."""
    turn, ax = plotting.figure(3.5, 2.9)
    ax.set(xlim=(0, 30), ylim=(0, 90), title="Angle to the true gradient", yticks=[0, 30, 60, 90])
    ax.yaxis.set_major_formatter("{x:.0f}°")
    size, below = plotting.figure(3.5, 2.9)
    below.set(yscale="log", xlim=(0, 30), ylim=(1e-4, 2), title="Relative error")
    below.plot([], [], "--", color="gtt:bound", gid="rate")
    dashed = "dashed: factor$^{\\mathrm{window}}$"
    below.text(30, 1.15, dashed, color="gtt:bound", ha="right", fontsize=9)
    for axes, gid in ((ax, "angle"), (below, "error")):
        axes.set(xlabel="window, in steps")
        axes.plot([], [], color="gtt:approx", gid=gid)
        axes.plot([], [], "o", color="gtt:approx", ms=9, gid=f"{gid}-here", clip_on=False)
    factors = np.r_[0.5:0.9:0.05, 0.9:0.99:0.02, 0.99]
    return Explorer(
        truncated_flow,
        [turn, size],
        {
            "cell": Choice("Network", {"rnn": "tanh RNN", "lstm": "LSTM"}, "rnn"),
            "memory": Slider("Factor per step (ρ, or the forget gate)", factors.round(2), 0.9),
            "window": Slider("Window", WINDOWS, 5, "{:.0f} steps"),
        },
        name="truncation",
        title="Truncation turns the gradient, it does not only shorten it",
        question="At the first factor, 0.9, is a window of 5 steps enough to learn from?",
        reading=(
            "Drag a dot. The slower the gradient vanishes, the longer the window must be. The "
            "RNN's error stays below the dashed line; an LSTM has other paths too. A wrong direction is "
            "mended by no learning rate."
        ),
        alts=[
            "Over the window: the angle between the truncated and the true gradient, with a dot at "
            "the chosen window.",
            "Over the window, on a log axis: the relative error, and the factor per step to the "
            "power of the window.",
        ],
        drag={"angle-here": ["window"], "error-here": ["window"]},
        columns=("window", {"error": "relative error", "angle": "angle, degrees"}),
    )
