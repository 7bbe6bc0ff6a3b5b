"""Two lanes: what of the last answer's gradient gets back to the first letter."""

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Polygon, Rectangle

from bptt_core import plotting
from bptt_core.explorer import Explorer, Frame, Slider
from bptt_core.labs._words import number
from bptt_core.studies import first_letter as study

HALF = study.LENGTH // 2  # steps in each of the two pictures
FAINTEST = 6  # decades from a full box to an empty one
SIDE = 0.9  # of a box, in steps
LANES = {"rnn": 2.7, "lstm": 1.0}  # and the height at which each stands
NAMES = {"rnn": "tanh RNN", "lstm": "LSTM"}
SCALE = ["1 or more", "10⁻¹", "10⁻²", "10⁻³", "10⁻⁴", "10⁻⁵", "10⁻⁶ or less"]
SMALL = {"fontsize": 9.5, "va": "center", "color": "gtt:muted"}


def shades(logs):
    """How much of its colour a box shows, from the decimal logarithm of what arrives there."""
    return np.clip(1 + logs / FAINTEST, 0, 1)


def lanes(forget_bias, update, network):
    stored = study.stored()
    bias = np.rint(forget_bias).astype(int)
    moment = np.abs(update[:, None] - study.MOMENTS).argmin(-1)
    which = np.rint(network).astype(int) - 1
    cells = {"rnn": ["RNN"] * len(bias), "lstm": [f"LSTM {b}" for b in bias]}
    shown = {
        lane: [_state(stored[cell], *at) for cell, *at in zip(each, which, moment, strict=True)]
        for lane, each in cells.items()
    }
    positions, strengths, texts = {}, {}, {}
    for lane, states in shown.items():
        logs = np.stack([state["shares"] for state in states])
        positions[lane] = np.arange(1, study.LENGTH + 1), 10**logs
        strengths[f"{lane}.early"] = shades(logs[:, :HALF])
        strengths[f"{lane}.late"] = shades(logs[:, HALF:])
        texts[f"{lane}.arrives"] = [
            f"{NAMES[lane]}: {number(_first(state))} at the first letter" for state in states
        ]
        texts[f"{lane}.answers"] = [
            f"{NAMES[lane]}: first letter {' '.join(study.LETTERS)}, answer {state['answers']}"
            for state in states
        ]
    said = [_say(study.MOMENTS[m], *both) for m, *both in zip(moment, *shown.values(), strict=True)]
    return Frame(positions, said, shades=strengths, texts=texts)


def _state(held, network, moment):
    """What one network does after some updates, and how many of all know the letter by then."""
    return {
        "shares": held["shares"][network, moment],
        "answers": " ".join(study.LETTERS[int(k)] for k in held["answers"][network, moment]),
        "know": int((held["right"][:, moment] > study.LEARNT).sum()),
    }


def _first(state):
    return 10 ** state["shares"][0]


def _say(update, rnn, lstm):
    when = f"After {update} updates" if update else "Before training"
    return (
        f"{when} the gradient at the first letter is *{number(_first(rnn))}* times that at the "
        f"last step in the RNN, *{number(_first(lstm))}* times in the LSTM. Of {study.NETWORKS} "
        f"networks of each kind *{rnn['know']}* RNNs and *{lstm['know']}* LSTMs know the letter."
    )


def _half(first, part, said):
    """One of the two pictures: half of the row, above half of each lane."""
    fig, ax = plotting.figure(3.9, 2.75)
    last = first + HALF - 1
    ax.set_axis_off()
    ax.set(xlim=(first - 1, last), ylim=(-1.5, 5.6))
    for step, letter in enumerate(study.spelt()[first - 1 : last], first):
        first_of_all = {"color": "gtt:forward", "fontsize": 14} if step == 1 else {}
        ax.text(step - 0.5, 4.6, letter, **{"ha": "center", "va": "center"} | first_of_all)
        if step in (1, HALF + 1) or step % 5 == 0:
            ax.text(step - 0.5, 0.6, str(step), ha="center", **SMALL)
    for lane, bottom in LANES.items():
        for look in (
            {"facecolor": "none", "edgecolor": "gtt:rule", "linewidth": 0.8},
            {"facecolor": "gtt:gradient", "linewidth": 0, "gid": f"{lane}.{part}"},
        ):
            boxes = [Rectangle((x + 0.05, bottom), SIDE, SIDE) for x in range(first - 1, last)]
            ax.add_collection(PatchCollection(boxes, **look))
        at, side = (0.05, "left") if first == 1 else (last - 0.05, "right")
        above = {"va": "bottom", "ha": side, "gid": f"{lane}.{said}"}
        ax.text(at, bottom + SIDE + 0.12, " ", **above)
    return fig, ax


def _add_remarks(early, late):
    """What is asked and where, and what the colours mean."""
    early.add_patch(Polygon([(0.15, 5.55), (0.15, 5.05), (0.6, 5.3)], color="gtt:forward"))
    blue = SMALL | {"color": "gtt:forward"}
    early.text(0.8, 5.3, "remember this one", **blue)
    late.text(study.LENGTH - 0.1, 5.3, "asked here: which was the first?", ha="right", **blue)
    late.text(HALF + 0.05, 5.3, "… the same row goes on", **SMALL)
    early.text(0.05, -0.35, "The gradient of the answer comes from the right.", **SMALL)
    early.text(0.05, -1.1, "A box is as strong as what arrives at its step:", **SMALL)
    for k, text in enumerate(SCALE):
        at = HALF + 0.05 + (k + 0.4 * (k > 0)) * 1.95
        strength = max(shades(-k), 0.02)
        late.add_patch(Rectangle((at, -0.6), SIDE, 0.5, facecolor="gtt:gradient", alpha=strength))
        late.text(at, -1.1, text, **SMALL)


def _add_numbers(ax):
    """Two lines that nobody sees: the table of numbers reads them."""
    unseen = ax.inset_axes([0, 0, 1, 1])
    unseen.set_axis_off()
    unseen.set(yscale="log", xlim=(1, study.LENGTH), ylim=(1e-18, 1e4))
    for lane in LANES:
        unseen.plot([], [], color="none", gid=lane)


@plotting.style()
def two_lanes():
    """Two lanes: an RNN and an LSTM read a row of letters and are asked for the first."""
    left, early = _half(1, "early", "arrives")
    right, late = _half(HALF + 1, "late", "answers")
    _add_remarks(early, late)
    _add_numbers(early)
    of = f"{{:.0f}} of {study.SHOWN}"
    return Explorer(
        lanes,
        [left, right],
        {
            "forget_bias": Slider("Forget bias of the LSTM", study.BIASES, 3, symbol="b_f"),
            "update": Slider("Updates of training", study.MOMENTS, 150),
            "network": Slider("Network", range(1, study.SHOWN + 1), 2, of),
        },
        name="two-lanes",
        title="Only networks whose gradient reaches the first letter know it",
        question=(
            "Both networks read the row of 30 letters and are then asked for its first. "
            "Why can the LSTM answer? And can it with a forget bias of 0?"
        ),
        reading=(
            "Play trains both. Full colour: a gradient as large as at the last step; it is taken "
            "by the state h of the RNN and by the cell c of the LSTM. The answers are those to "
            "this row with its first letter changed. Who is right in more than 95\u00a0% of 500 "
            f"fresh rows knows it. These are the first {study.SHOWN} of {study.NETWORKS} networks."
        ),
        alts=[
            "Steps 1 to 15: a row of letters, the first one marked; below it a box for each step "
            "of an RNN and of an LSTM, as strong as the gradient that arrives there.",
            "Steps 16 to 30 of the same, with what the networks answer after the last step, and "
            "the scale of the colours.",
        ],
        play="update",
        columns=("step", {"rnn": "tanh RNN", "lstm": "LSTM"}),
    )
