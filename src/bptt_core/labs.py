"""The movable figures of the course, each with one claim.

eigenvalues_linear  eigenvalues decide where a gradient ends, not how it starts
eigenvalues_tanh    saturation makes gradients vanish, whatever the eigenvalues of W_hh
forget_gate         the forget gate sets how long an LSTM remembers
paths               the paths of an LSTM's gradient add up, and they cancel
clipping            clipping keeps one steep step from throwing everything away
truncation          truncation turns the gradient, it does not only shorten it

Each is an `Explorer`; what it shows is computed by the function of its settings in `experiments`.
"""

import numpy as np
from matplotlib.ticker import MaxNLocator

from bptt_core import experiments, plotting
from bptt_core.explorer import Choice, Explorer, Slider


def lag_figure(lags, low, high, curves, title="Size of the gradient after k steps back"):
    """A figure over the lag with a log axis and empty curves {gid: (name, colour, style)}, their names beside them."""
    fig, ax = plotting.figure(4.2, 2.9)
    ax.set(yscale="log", xlim=(0, lags), ylim=(low, high), xlabel="lag k", title=title)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.axhline(1, color="gtt:rule", lw=0.8)
    for gid, (name, colour, style) in curves.items():
        ax.plot([], [], style, color=f"gtt:{colour}", gid=gid)
        plotting.label(ax, 0, 1, name, colour, gid=f"{gid}.name")
    return fig


RATE, TRUE = ("$ρ^k$", "bound", ":"), ("true norm", "gradient", "-")


def eigenvalues_linear():
    """Lab 1: drag a conjugate pair of eigenvalues of W_hh, and see ‖∂h_T/∂h_{T−k}‖, ρ^k and σ_max^k (`A62`)."""
    plane, ax = plotting.figure(2.6, 2.9)
    plotting.plane(ax, 1.35)
    ax.set(title="Eigenvalues of $W_{hh}$")
    ax.plot([], [], "--", color="gtt:bound", lw=1.2, gid="ring")
    ax.plot([], [], "o", color="gtt:gradient", ms=8, gid="pair")
    curves = {"bound": ("$σ_{max}^k$", "bound", "--"), "rate": RATE, "gradient": TRUE}
    return Explorer(
        experiments.linear_flow,
        [plane, lag_figure(experiments.LAGS, 1e-4, 1e3, curves)],
        {
            "radius": Slider("Spectral radius ρ", np.linspace(0.7, 1.2, 21), 0.95, "{:.4g}", symbol="ρ"),
            "angle": Slider("Angle of the pair", np.arange(6, 175, 4), 30, "{:.0f}°", symbol="θ"),
            "between": Slider("Angle between eigenvectors", [10, 16, 35, 90], 16, "{:.0f}°"),
        },
        name="eigenvalues-linear",
        title="Eigenvalues decide where a gradient ends, not how it starts",
        question="Both eigenvalues start inside the unit circle. Can the gradient grow all the same?",
        reading="Drag an eigenvalue. With eigenvectors at 90° the norm follows ρᵏ. The narrower their angle, the "
        "higher the norm climbs before it obeys. It never passes σᵏ, the largest singular value to the power k.",
        alts=[
            "The complex plane with the unit circle and the two eigenvalues of W_hh on a dashed circle of radius ρ.",
            "Over the lag k, on a log axis: the norm of the gradient, its bound σ_max to the k, and ρ to the k.",
        ],
        drag={"pair": ["radius", "angle"]},
        play=["gradient", "bound", "rate"],
        columns=("lag k", {"gradient": "true norm", "bound": "σ_max^k", "rate": "ρ^k"}),
    )


def eigenvalues_tanh():
    """Lab 2: spectral radius against saturation, for tanh, sigmoid and ReLU (`A63`, `A65`)."""
    plane, ax = plotting.figure(2.6, 2.9)
    plotting.plane(ax, 2.1)
    ax.set(title="Eigenvalues")
    for gid, y, text, colour, fill in (
        ("own", -1.75, "of $W_{hh}$", "gtt:bound", "none"),
        ("step", -2.0, "of one real step", "gtt:gradient", "gtt:gradient"),
    ):
        ax.plot([], [], "o", color=colour, mfc=fill, ms=5, gid=gid)
        ax.plot([-1.95], [y], "o", color=colour, mfc=fill, ms=5)
        ax.text(-1.8, y, text, color=colour, va="center", fontsize=9)
    curves = {"bound": ("$(γσ_{max})^k$", "bound", "--"), "rate": RATE, "gradient": TRUE}
    return Explorer(
        experiments.saturated_flow,
        [plane, lag_figure(experiments.LAGS, 1e-9, 1e4, curves)],
        {
            "activation": Choice("Activation", {"tanh": "tanh", "sigmoid": "sigmoid", "relu": "ReLU"}, "tanh"),
            "radius": Slider("Spectral radius ρ of W_hh", np.arange(0.6, 2.01, 0.1), 1.5, symbol="ρ"),
            "drive": Slider("Size of the input", [0, 0.25, 0.5, 1, 2, 3], 2),
        },
        name="eigenvalues-tanh",
        title="Saturation makes gradients vanish, whatever the eigenvalues of W_hh",
        question="At the first ρ, 1.5, every power of W_hh grows. Does the gradient explode?",
        reading="Hollow dots are the eigenvalues of W_hh, filled dots those of one real step. A large input drives "
        "tanh and the sigmoid flat, and the filled dots fall inside the circle. The dashed bound holds always; "
        "ρᵏ is no bound.",
        alts=[
            "The complex plane: the eigenvalues of W_hh as hollow dots, those of the last step's Jacobian as filled.",
            "Over the lag k, on a log axis: the norm of the gradient, its bound, and ρ to the k.",
        ],
        play=["gradient", "bound", "rate"],
        columns=("lag k", {"gradient": "true norm", "bound": "(γ σ_max)^k", "rate": "ρ^k"}),
    )


def forget_gate():
    """Lab 3: forget bias, weight scale and length against the memory of an LSTM (`B43`, `C34`)."""
    cell, ax = plotting.figure(2.6, 2.9)
    ax.set(yscale="log", xlim=(0, 200), ylim=(0.1, 40), xlabel="step t", title="Mean size of the cell $|c_t|$")
    ax.axhline(2.5, color="gtt:rule", lw=0.8)
    ax.text(200, 2.7, "tanh is flat above", color="gtt:muted", ha="right", fontsize=9)
    ax.plot([], [], color="gtt:forward", gid="cell")
    style = {"dx": 0, "dy": -6, "ha": "center", "va": "top", "fontsize": 9, "in_layout": False}
    curves = {
        "rnn": ("tanh RNN", "muted", "-"),
        "forget": ("product of f", "gate-f", "--"),
        "four": ("four terms", "approx", "--"),
        "exact": ("exact", "gradient", "-"),
    }
    flow = lag_figure(200, 1e-6, 1e2, curves, "Size of the gradient $∂c_T/∂c_{T-k}$")
    for gid, length, tick in experiments.TICKS:  # the axis is as long as the sequence: its numbers move
        axes = {"cell": ax, "flow": flow.axes[0]}[gid.split("-")[0]]
        axes.set_xticks(np.arange(0, 201, 40))
        axes.tick_params(axis="x", labelcolor="none")  # keeps the room
        plotting.label(axes, 0, 1, f"{tick * length // 200}", "muted", gid=gid, **style)
    return Explorer(
        experiments.memory_flow,
        [cell, flow],
        {
            "length": Choice("Length T", {"50": "50", "200": "200"}, "200"),
            "forget_bias": Slider("Forget bias", np.arange(-2, 6.1, 0.5), 3, symbol="b_f"),
            "scale": Slider("Weight scale", [0.5, 1, 2, 4], 1),
        },
        name="forget-gate",
        title="The forget gate sets how long an LSTM remembers",
        question="The first bias, 3, leaves the gate 95 % open. How fast does the gradient fall in the long run?",
        reading="The line marked exact is the gradient. The product of the forget gates is one path of many, and the "
        "product of the four one-step terms drifts away. A gate too far open lets the cell grow until tanh is flat "
        "and hides it from h.",
        alts=[
            "Over the step t: the mean size of the cell state, with a line where tanh becomes flat.",
            "Over the lag k, on a log axis: the exact gradient of the cell, the product of the forget gates alone, the "
            "product of the four one-step terms, and the gradient of a tanh RNN.",
        ],
        play=list(curves),
        columns=("lag k", {"exact": "exact", "forget": "product of f", "four": "four terms", "rnn": "tanh RNN"}),
    )


def paths():
    """Lab 4: the gradient ∂L/∂c_{T−k} split by the kind of path it took (`C34`, `C44`)."""
    families = {
        "cell": ("cell only, $t_0$", "gate-f", "-"),
        "gates": ("i, f, g too", "gate-g", "-"),
        "output": ("o only, $t_1$", "gate-o", "-"),
        "mixed": ("mixed", "muted", "-"),
    }
    share, ax = plotting.figure(2.8, 2.9)
    ax.set(xlim=(0, 16), ylim=(-1.5, 2.5), xlabel="lag k", title="Shares of the gradient", yticks=[-1, 0, 1, 2])
    for gid, (_, colour, _) in families.items():
        ax.fill([0, 0], [0, 0], facecolor=f"gtt:{colour}", alpha=0.6, lw=0, gid=f"share-{gid}")
    ax.axhline(1, color="gtt:gradient", lw=1.8)
    curves = families | {"total": ("all: exact", "gradient", "-")}
    return Explorer(
        experiments.path_flow,
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


def clipping():
    """Lab 5: gradient descent at the cliff of x_t = w σ(x_{t−1}) + b, with and without clipping (`C48`, `C49`)."""
    w, away = np.meshgrid(np.linspace(4.3, 5.1, 33), np.linspace(-1, 1, 91))
    b = -2.18 - 0.61 * (w - 4.3) + 0.9 * away**3  # dense along the cliff
    error = experiments.cliff(w.ravel(), b.ravel())[0].reshape(w.shape)
    plane, ax = plotting.figure(3.5, 2.9)
    ax.set(xlim=(4.3, 5.1), ylim=(-3, -2.1), xlabel="w", ylabel="b", title="Loss over w and b")
    ax.contour(w, b, error, levels=[0.003, 0.01, 0.02, 0.28, 0.32, 0.36], colors="gtt:muted", linewidths=0.6)
    for x, y, text in ((5.05, -2.2, "low"), (4.95, -2.95, "high")):
        ax.text(x, y, text, color="gtt:muted", ha="right", fontsize=9)
    loss, below = plotting.figure(3.5, 2.9)
    below.set(yscale="log", xlim=(0, experiments.DESCENTS), ylim=(1e-5, 1), xlabel="descent step")
    below.set(title="Loss on the way")
    for gid, name, colour in (("free", "unclipped", "gradient"), ("clipped", "clipped", "approx")):
        style = {"color": f"gtt:{colour}", "lw": 1.4}
        ax.plot([], [], "-o", ms=2.5, gid=gid, **style)
        ax.plot([], [], "o", ms=8, gid=f"{gid}-end", **style)
        below.plot([], [], gid=f"{gid}-loss", **style)
        plotting.label(below, 0, 1, name, colour, gid=f"{gid}-loss.name")
    return Explorer(
        experiments.clipped_flow,
        [plane, loss],
        {
            "start": Choice("Start", {"plateau": "high side", "valley": "low side"}, "plateau"),
            "threshold": Slider("Clip gradients longer than", [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50], 0.2),
            "rate": Slider("Learning rate", [0.05, 0.1, 0.15, 0.2, 0.3], 0.1),
        },
        name="clipping",
        title="Clipping keeps one steep step from throwing everything away",
        question="The loss has a cliff. What does one gradient step do when it starts on the edge?",
        reading="Contours crowd together at the cliff, where the gradient is hundreds of times longer than elsewhere. "
        "Clipping shortens such a gradient and keeps its direction. It makes none longer: it does not cure vanishing.",
        alts=[
            "Contours of the loss over w and b with a diagonal cliff, and two descents from the same start.",
            "Over the descent step, on a log axis: the loss with and without clipping.",
        ],
        play=["free", "clipped", "free-loss", "clipped-loss"],
        columns=("step", {"clipped-loss": "loss, clipped", "free-loss": "loss, unclipped"}),
    )


def truncation():
    """Lab 6: the gradient that truncated backpropagation computes, against the true one."""
    turn, ax = plotting.figure(3.5, 2.9)
    ax.set(xlim=(0, 30), ylim=(0, 90), title="Angle to the true gradient", yticks=[0, 30, 60, 90])
    ax.yaxis.set_major_formatter("{x:.0f}°")
    size, below = plotting.figure(3.5, 2.9)
    below.set(yscale="log", xlim=(0, 30), ylim=(1e-4, 2), title="Relative error")
    below.plot([], [], "--", color="gtt:bound", gid="rate")
    below.text(30, 1.15, "dashed: factor$^{\\mathrm{window}}$", color="gtt:bound", ha="right", fontsize=9)
    for axes, gid in ((ax, "angle"), (below, "error")):
        axes.set(xlabel="window, in steps")
        axes.plot([], [], color="gtt:approx", gid=gid)
        axes.plot([], [], "o", color="gtt:approx", ms=9, gid=f"{gid}-here", clip_on=False)
    factors = np.r_[0.5:0.9:0.05, 0.9:0.99:0.02, 0.99]
    return Explorer(
        experiments.truncated_flow,
        [turn, size],
        {
            "cell": Choice("Network", {"rnn": "tanh RNN", "lstm": "LSTM"}, "rnn"),
            "memory": Slider("Factor per step (ρ, or the forget gate)", factors.round(2), 0.9),
            "window": Slider("Window", experiments.WINDOWS, 5, "{:.0f} steps"),
        },
        name="truncation",
        title="Truncation turns the gradient, it does not only shorten it",
        question="At the first factor, 0.9, is a window of 5 steps enough to learn from?",
        reading="Drag a dot. The slower the gradient vanishes, the longer the window must be. The RNN's error stays "
        "below the dashed line; an LSTM has other paths too. A wrong direction is mended by no learning rate.",
        alts=[
            "Over the window: the angle between the truncated and the true gradient, with a dot at the chosen window.",
            "Over the window, on a log axis: the relative error, and the factor per step to the power of the window.",
        ],
        drag={"angle-here": ["window"], "error-here": ["window"]},
        columns=("window", {"error": "relative error", "angle": "angle, degrees"}),
    )
