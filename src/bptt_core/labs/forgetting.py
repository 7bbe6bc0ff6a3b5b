"""Lab 3: the forget gate sets how long an LSTM remembers."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from bptt_core import gradient_flow, jacobians, lstm, plotting, rnn
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import lag_figure, number, percent, verdict

SHOWN = np.r_[0:10, 10:50:4, 50:200:6, 200]  # lags and steps drawn


def remembered(forget_bias, scale):
    """Inputs for 200 steps, an LSTM and a tanh RNN of the same weight scale: (x, both
    parameters)."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((200, 1, 3))
    cell = lstm.init_params(3, 6, rng)
    plain = rnn.init_params(3, 6, rng)
    n, by_scale = len(scale), scale[:, None, None]
    b_h = np.repeat([0, 1, 0, 0], 6) * forget_bias[:, None]
    cell = lstm.Params(np.broadcast_to(cell.W_xh, (n, 24, 3)), by_scale * cell.W_hh, b_h)
    plain = rnn.Params(np.broadcast_to(plain.W_xh, (n, 6, 3)), by_scale * plain.W_hh)
    return x, cell, plain


def memory_flow(length, forget_bias, scale):
    T = int(length)
    inputs, params, plain = remembered(forget_bias, scale)
    cache = lstm.forward(params, inputs[:T])
    only_f = np.concatenate([np.ones_like(cache.f[:1]), np.cumprod(cache.f[::-1], 0)]).max(-1)
    four = jacobians.norms(jacobians.products(sum(jacobians.cell_terms(params, cache))))
    exact = gradient_flow.norm_curve(params, cache)
    other = gradient_flow.norm_curve(plain, rnn.forward(plain, inputs[:T]))
    curves = {"rnn": other, "forget": only_f, "four": four, "exact": exact}
    drawn = {gid: curve[..., 0] for gid, curve in curves.items()}
    drawn["cell"] = np.abs(cache.c).mean((2, 3))
    # a shorter sequence has fewer points, and the table wants as many at every setting
    inside = SHOWN <= T
    k = np.where(inside, SHOWN, np.nan)
    at = np.where(inside, SHOWN, 0)
    positions = {gid: (k, np.where(inside, curve[at].T, np.nan)) for gid, curve in drawn.items()}
    tau = lstm.output_derivative(cache)[-1].mean((1, 2))
    ends = (curve[T, :, 0] for curve in (exact, only_f, four))
    factors = gradient_flow.factor_per_step(exact)[:, 0]
    said = [_say(T, *case) for case in zip(*ends, factors, tau, strict=True)]
    length = np.zeros_like(scale), np.full_like(scale, T)
    return Frame(positions, said, limits={"flow.x": length, "size.x": length})


def _say(T, exact, only_f, four, factor, shown):
    return (
        f"After {T} steps the exact gradient is {number(exact)} times its first size; f alone "
        f"says {number(only_f)}, the four terms {number(four)}. {verdict(factor)} "
        f"A small change of c_T moves h_T by {percent(shown)} of it."
    )


@plotting.style()
def forget_gate():
    """Lab 3: forget bias, weight scale and length against the memory of an LSTM (`B43`, `C34`)."""
    cell, ax = plotting.figure(2.6, 2.9)
    ax.set(yscale="log", xlim=(0, 200), ylim=(0.1, 40), xlabel="step t", gid="size")
    ax.set(title="Mean size of the cell $|c_t|$")
    ax.axhline(2.5, color="gtt:rule", lw=0.8)
    ax.text(200, 2.7, "tanh is flat above", color="gtt:muted", ha="right", fontsize=9)
    ax.plot([], [], color="gtt:forward", gid="cell")
    curves = {
        "rnn": ("tanh RNN", "muted", "-"),
        "forget": ("product of f", "gate-f", "--"),
        "four": ("four terms", "approx", "--"),
        "exact": ("exact", "gradient", "-"),
    }
    flow = lag_figure(200, 1e-6, 1e2, curves, "Size of the gradient $∂c_T/∂c_{T-k}$")
    flow.axes[0].set(gid="flow")
    for axes in (ax, flow.axes[0]):
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 4]))
    return Explorer(
        memory_flow,
        [cell, flow],
        {
            "length": Choice("Length T", {"50": "50", "200": "200"}, "200"),
            "forget_bias": Slider("Forget bias", np.arange(-2, 6.1, 0.5), 3, symbol="b_f"),
            "scale": Slider("Weight scale", [0.5, 1, 2, 4], 1),
        },
        name="forget-gate",
        title="The forget gate sets how long an LSTM remembers",
        question=(
            "The first bias, 3, leaves the gate 95 % open. "
            "How fast does the gradient fall in the long run?"
        ),
        reading=(
            "The line marked exact is the gradient. The product of the forget gates is one path of "
            "many, and the product of the four one-step terms drifts away. A gate too far open "
            "lets the cell grow until tanh is flat and hides it from h."
        ),
        alts=[
            "Over the step t: the mean size of the cell state, with a line where tanh becomes "
            "flat.",
            "Over the lag k, on a log axis: the exact gradient of the cell, the product of the "
            "forget gates alone, the product of the four one-step terms, and the gradient of a "
            "tanh RNN.",
        ],
        play=list(curves),
        columns=(
            "lag k",
            {"exact": "exact", "forget": "product of f", "four": "four terms", "rnn": "tanh RNN"},
        ),
    )
