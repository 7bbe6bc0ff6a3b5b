"""Lab 7: four terms that add up to one do not settle the gradient."""

import numpy as np

from bptt_core import jacobians, lstm, plotting
from bptt_core.explorer import Explorer, Frame, Slider
from bptt_core.labs._words import lag_figure, number

STEPS, LAGS = 20, 18  # the run starts from a given h_0, which does not respond: stop before it
PARTS = {"f": 0.1, "cell": 0.7, "i": 0.1, "g": 0.1}  # of ∂c_t/∂c_{t−1}, by their road
GATES = {"i": 0.5, "f": PARTS["cell"], "g": 0.6, "o": 0.5}
REST = 1.0  # the cell rests: 0.7 · 1 + 0.5 · 0.6 = 1
LAMBDA = np.linspace(-0.7, 2.2, 59)


def balanced(w_o):
    """One resting unit whose four terms are 0.1, 0.7, 0.1 and 0.1, for n weights w_o: (parameters,
    cache) (`B49`)."""
    i, f, g, o = GATES.values()
    h, tau = o * np.tanh(REST), o * (1 - np.tanh(REST) ** 2)
    w_i = PARTS["i"] / (g * i * (1 - i) * tau)
    w_f = PARTS["f"] / (REST * f * (1 - f) * tau)
    w_g = PARTS["g"] / (i * (1 - g**2) * tau)
    w = np.stack(np.broadcast_arrays(w_i, w_f, w_g, w_o), -1)
    at_rest = np.array([np.log(i / (1 - i)), np.log(f / (1 - f)), np.arctanh(g), 0])
    params = lstm.Params(np.zeros((len(w), 4, 1)), w[..., None], at_rest - w * h)
    state = np.ones((1, 1))
    return params, lstm.forward(params, np.zeros((STEPS, 1, 1)), h * state, REST * state)


def balance(w_o):
    params, cache = balanced(w_o)
    exact = jacobians.cell_jacobians(params, cache)[: LAGS + 1, :, 0, 0, 0].T
    terms = sum(jacobians.cell_terms(params, cache))
    four = jacobians.products(terms)[: LAGS + 1, :, 0, 0, 0].T
    step = jacobians.step_jacobians(params, cache)[-1, :, 0]
    R = GATES["o"] * (1 - GATES["o"]) * np.tanh(REST) * w_o
    roots = np.sort(np.linalg.eigvals(step).real, -1)
    k = np.arange(LAGS + 1)
    parabola = LAMBDA**2 - (1 + R[:, None]) * LAMBDA + 0.7 * R[:, None]
    positions = {
        "parabola": (LAMBDA, parabola),
        "roots": (roots, np.zeros_like(roots)),
        "exact": (k, exact),
        "four": (k, four),
        "root": (k[[0, -1]], roots[:, [1]] ** k[[0, -1]]),
        "gate": (k[[0, -1]], PARTS["cell"] ** k[[0, -1]]),
    }
    said = [_say(*case) for case in zip(R, *roots.T, exact[:, -1], strict=True)]
    return Frame(positions, said, rows=k)


def _say(R, low, high, exact):
    found = f"R = {_signed(R)}, and the roots are {_signed(low)} and {_signed(high)}. "
    after = f"Over {LAGS} steps the four terms say 1"
    if abs(R) < 1e-9:
        return f"{found}{after}, and so does the gradient: *the road through o is closed*."
    does = "grows" if exact > 1 else "shrinks"
    return f"{found}{after}; the gradient is *{number(exact)}*: it {does}, in the long run " + (
        f"by a factor of {high:.3f} a step."
    )


def _signed(value):
    return f"{value:.3f}".rstrip("0").rstrip(".").replace("-", "−") if abs(value) > 5e-4 else "0"


@plotting.style()
def balanced_cell():
    """Lab 7: the recurrent weight of the output gate against a product of four terms that is 1
    (`B44`, `B49`, `B50`)."""
    square, ax = plotting.figure(3.1, 2.9)
    ax.set(title="$λ^2 − (1 + R)\\,λ + 0.7\\,R$", xlabel="λ, growth per step")
    ax.set(xlim=(-0.7, 2.2), ylim=(-1, 1.2), xticks=[-0.5, 0, 0.7, 1, 2], yticks=[-1, 0, 1])
    ax.axhline(0, color="gtt:rule", lw=0.8)
    ax.axvline(1, color="gtt:rule", lw=0.8)
    ax.plot([], [], color="gtt:ink", lw=1.4, gid="parabola")
    ax.plot(0.7, -0.21, "o", color="gtt:gate-f", ms=4)
    ax.plot([0.7, 0.7], [-0.21, 0.42], color="gtt:rule", lw=0.8)  # the curve never comes there
    ax.text(0.7, 0.44, "−0.21 at\nevery $w_o$", color="gtt:gate-f", ha="center", fontsize=9)
    ax.plot([], [], "o", color="gtt:gradient", ms=8, gid="roots")
    curves = {
        "gate": ("forget gate alone", "gate-f", "-"),
        "root": ("larger root alone", "bound", "--"),
        "four": ("four terms", "approx", "-"),
        "exact": ("exact", "gradient", "-"),
    }
    title = "Size of the gradient $∂c_T/∂c_{T-k}$"
    return Explorer(
        balance,
        [square, lag_figure(LAGS, 1e-3, 1e6, curves, title)],
        {"w_o": Slider("Output gate's weight w_o", np.arange(-4, 8.6, 0.25), 2)},
        name="balanced-cell",
        title="Four terms that add up to 1 do not settle the gradient: w_o does",
        question=(
            "Of each step, the cell itself carries 0.7, and the roads via f, via i and via g carry "
            "0.1 each: 1 in all. The weight w_o is in none of them. What does it change?"
        ),
        reading=(
            "A step acts on the pair of h and c. Its two growth factors are the roots of "
            "λ² − (1 + R) λ + 0.7 R = 0, where R = 0.19 w_o is what the road via o carries. "
            "At λ = 1 the curve stands at −0.3 R: one root lies above 1 as soon as w_o is "
            "positive, and both lie below as soon as it is negative. At λ = 0.7 it stands at "
            "−0.21, whatever w_o is: the larger root never falls below the forget gate."
        ),
        alts=[
            "A parabola over λ with its two roots as dots on the axis. It turns about one point, "
            "at λ = 0.7 and a height of −0.21, when w_o changes.",
            "Over the lag k, on a log axis: the exact gradient of the cell, the product of four "
            "terms, which stays at 1, the larger root to the power k, and the forget gate alone.",
        ],
        play="w_o",
        columns=(
            "lag k",
            {"exact": "exact", "four": "four terms", "root": "larger root^k", "gate": "0.7^k"},
        ),
    )
