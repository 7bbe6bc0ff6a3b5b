"""Lab 3: the forget gate sets how far the gradient of an LSTM reaches."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from bptt_core import gradient_flow, jacobians, lstm, plotting, rnn
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import at_end, fit, fitted, lag_figure, number, percent
from bptt_core.studies import random_networks

LENGTH = 200
SHOWN = np.r_[0:30, 30:60:2, 60 : LENGTH + 1 : 5]  # lags drawn
ENDS = [30, 60, 100, LENGTH]  # where the axis of the lag may end
GONE = 1e-6  # the floor of that axis
EARLY = 30  # a lag whose numbers are said
LAYERS = ["none", "forget", "four"]  # each adds one to those before it
NAMES = {"forget": "product of f", "four": "four terms"}  # beside their curves, when they are shown
BIASES = np.array(random_networks.BIASES)
NEVER = 1.06  # the upper end of the axis of factors
TICKS = {0.5 ** (1 / steps): f"{steps}" for steps in (1, 2, 4, 10)} | {1: "never"}


def remembered(forget_bias, scale):
    """Inputs for 200 steps, an LSTM and a tanh RNN of the same weight scale: (x, both
    parameters)."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((LENGTH, 1, 3))
    cell = lstm.init_params(3, 6, rng)
    plain = rnn.init_params(3, 6, rng)
    n, by_scale = len(scale), scale[:, None, None]
    b_h = np.repeat([0, 1, 0, 0], 6) * forget_bias[:, None]
    cell = lstm.Params(np.broadcast_to(cell.W_xh, (n, 24, 3)), by_scale * cell.W_hh, b_h)
    plain = rnn.Params(np.broadcast_to(plain.W_xh, (n, 6, 3)), by_scale * plain.W_hh)
    return x, cell, plain


def curves_of(forget_bias, scale):
    """({name: what is left of the gradient at every lag (lags+1, n)}, the share of a change of c_T
    that h_T shows (n,))."""
    inputs, params, plain = remembered(forget_bias, scale)
    cache = lstm.forward(params, inputs)
    only_f = np.concatenate([np.ones_like(cache.f[:1]), np.cumprod(cache.f[::-1], 0)]).max(-1)
    four = jacobians.norms(jacobians.products(sum(jacobians.cell_terms(params, cache))))
    curves = {
        "rnn": gradient_flow.norm_curve(plain, rnn.forward(plain, inputs)),
        "exact": gradient_flow.norm_curve(params, cache),
        "forget": only_f,
        "four": four,
    }
    tau = lstm.output_derivative(cache)[-1].mean((1, 2))
    return {gid: curve[..., 0] for gid, curve in curves.items()}, tau


def memory_flow(layers, forget_bias, scale):
    curves, tau = curves_of(forget_bias, scale)
    fits = {gid: [fit(curve) for curve in curves[gid].T] for gid in ("exact", "rnn")}
    asked = LAYERS[: LAYERS.index(layers) + 1]
    positions = {gid: (SHOWN, curve[SHOWN].T) for gid, curve in curves.items()}
    for gid in set(LAYERS[1:]) - set(asked):
        positions[gid] = SHOWN, np.full(len(SHOWN), np.nan)
    positions |= _bands(scale)
    for gid, dot in (("exact", "here"), ("rnn", "here-rnn")):
        factors = np.array([[found.factor] for found in fits[gid]])
        positions[dot] = forget_bias[:, None], factors
    seen = np.stack([curves["exact"], curves["rnn"]]) > GONE
    ends = at_end(ENDS, (np.arange(LENGTH + 1)[:, None] * seen).max((0, 1)))
    said = [
        _say(
            {gid: fitted(fits[gid][i], curves[gid][:, i], "its gradient") for gid in fits},
            {gid: curves[gid][EARLY, i] for gid in ("exact", *asked[1:])},
            _stored(forget_bias[i], scale[i]),
            tau[i],
        )
        for i in range(len(scale))
    ]
    limits = {"flow.x": (np.zeros_like(ends), ends)}
    names = {f"{gid}.name": [NAMES[gid] if gid in asked else " "] * len(said) for gid in NAMES}
    return Frame(positions, said, texts=names, limits=limits)


def _stored(bias, scale):
    """The row of the study nearest to a bias and a scale."""
    rows = random_networks.stored()["gates"]
    return min(rows, key=lambda r: (abs(np.log(r["scale"] / scale)), abs(r["bias"] - bias)))


def _bands(scale):
    """The factors per step of 200 pairs over the forget bias: the middle one, and a band of
    80 %."""
    by_scale = {}
    for row in random_networks.stored()["gates"]:
        by_scale.setdefault(row["scale"], []).append(row)
    nearest = [min(by_scale, key=lambda s: abs(np.log(s / size))) for size in scale]
    positions = {}
    both = np.r_[BIASES, BIASES[::-1]]
    for cell in ("lstm", "rnn"):
        low, middle, high = np.moveaxis(
            [[row[cell] for row in by_scale[size]] for size in nearest], -1, 0
        )
        positions[f"{cell}-band"] = both, np.concatenate([low, high[:, ::-1]], -1).clip(0, NEVER)
        positions[f"{cell}-middle"] = BIASES, middle
    return positions


def _say(verdicts, left, stored, shown):
    n, longer = random_networks.NETWORKS, stored["longer"]
    who = "*it depends on the draw*"
    if not 0.1 * n < longer < 0.9 * n:
        who = f"*the {'LSTM' if longer > n / 2 else 'RNN'} keeps it longer*"
    bias = f"{stored['bias']:g}".replace("-", "−")
    text = (
        f"This LSTM: {verdicts['exact']}. This RNN: {verdicts['rnn']}. "
        f"Of {n} random pairs at bias {bias} the LSTM's gradient lives longer in {longer}: {who}."
    )
    if len(left) > 1:
        text += (
            f" {EARLY} steps back {number(left['exact'])} of this gradient is left; the product of "
            f"f says {number(left['forget'])}"
        )
        text += f", the four terms {number(left['four'])}." if "four" in left else "."
    return f"{text} A small change of c_T moves h_T by {percent(shown)} of it."


def _figures():
    """The factor per step over the bias, and the gradient over the lag."""
    rates, ax = plotting.figure(2.9, 2.9)
    ax.set(xlim=(BIASES[0], BIASES[-1]), ylim=(0.1, NEVER), xlabel="forget bias")
    ax.set_title("Steps until half is gone")
    ax.set_yticks(list(TICKS), list(TICKS.values()))
    ax.axhline(1, color="gtt:rule", lw=0.8)
    for gid, name, colour in (("rnn", "RNN", "muted"), ("lstm", "LSTM", "gradient")):
        ax.fill([0, 0], [0, 0], facecolor=f"gtt:{colour}", alpha=0.18, lw=0, gid=f"{gid}-band")
        ax.plot([], [], color=f"gtt:{colour}", lw=1.2, gid=f"{gid}-middle")
        plotting.label(ax, 0, 1, name, colour, dx=8, gid=f"{gid}-middle.name")
    for gid, colour in (("here-rnn", "muted"), ("here", "gradient")):
        ax.plot([], [], "o", color=f"gtt:{colour}", ms=7, gid=gid, clip_on=False)
    curves = {
        "rnn": ("tanh RNN", "muted", "-"),
        "forget": (NAMES["forget"], "gate-f", "--"),
        "four": (NAMES["four"], "approx", "--"),
        "exact": ("LSTM", "gradient", "-"),
    }
    flow = lag_figure(LENGTH, GONE, 1e2, curves, "What is left of the gradient, k steps back")
    flow.axes[0].set(gid="flow")
    # room for a name that is not there at first
    plotting.label(flow.axes[0], LENGTH, 1, NAMES["forget"], "muted", dx=12, alpha=0, bbox=None)
    flow.axes[0].xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 4, 5, 10]))
    return [rates, flow]


@plotting.style()
def forget_gate():
    """Lab 3: forget bias and weight scale against the memory of an LSTM (`B43`, `C34`)."""
    names = ["nothing", "product of f", "and four terms"]
    return Explorer(
        memory_flow,
        _figures(),
        {
            "layers": Choice("Beside the gradients", dict(zip(LAYERS, names, strict=True)), "none"),
            "forget_bias": Slider("Forget bias", BIASES, 3, symbol="b_f"),
            "scale": Slider("Weight scale", random_networks.SCALES, 1),
        },
        name="forget-gate",
        title="The forget gate sets how far the gradient of an LSTM reaches",
        question=(
            "At forget bias 0 a gate is half open. Does an LSTM then keep a gradient longer than "
            "a tanh RNN? What does a bias of 1 buy, and one of 3?"
        ),
        reading=(
            "On the left, each band holds 80 % of 200 random networks, and the dots are the two "
            "networks on the right. The product of the forget gates is one path of many, and the "
            "product of the four one-step terms is not the gradient either. A gate too far open "
            "lets the cell grow until tanh is flat and hides it from h."
        ),
        alts=[
            "Over the forget bias: the steps in which the gradient of an LSTM halves, as a band "
            "of random networks, and the same for tanh RNNs, which have no such bias.",
            "Over the lag k, on a log axis: the gradient of one LSTM and of one tanh RNN, and on "
            "request the product of the forget gates and that of the four one-step terms.",
        ],
        drag={"here": ["forget_bias"]},
        play="forget_bias",
        columns=(
            "lag k",
            {"exact": "LSTM", "rnn": "tanh RNN", "forget": "product of f", "four": "four terms"},
        ),
    )
