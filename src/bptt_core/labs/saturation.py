"""Lab 2: spectral radius against saturation."""

import numpy as np

from bptt_core import gradient_flow, jacobians, plotting, rnn
from bptt_core.explorer import Choice, Explorer, Slider
from bptt_core.explorer.places import end_names, straight
from bptt_core.labs._words import lag_figure, number, percent, verdict

RATE = ("$ρ^k$", "bound", ":")
TRUE = ("true norm", "gradient", "-")
LAGS = 30

_rng = np.random.default_rng(3)
W_UNIT = _rng.standard_normal((10, 10))
W_UNIT /= np.abs(np.linalg.eigvals(W_UNIT)).max()  # spectral radius 1
X_UNIT = _rng.standard_normal((50, 1, 10))


def saturated_flow(activation, radius, drive):
    W_hh = radius[:, None, None] * W_UNIT
    params = rnn.Params(drive[:, None, None] * np.eye(10), W_hh)
    cache = rnn.forward(params, X_UNIT, np.full((1, 10), 0.3), activation=activation)
    gradient = gradient_flow.norm_curve(params, cache, lags=LAGS)[..., 0].T
    bound, rate = (c.T for c in gradient_flow.norm_bounds(W_hh, LAGS, cache.activation.bound))
    k, step = (
        np.arange(LAGS + 1),
        np.linalg.eigvals(jacobians.step_jacobians(params, cache)[-1, :, 0]),
    )
    slope = cache.activation.df(cache.h[-LAGS:]).mean((0, 2, 3))
    own = np.linalg.eigvals(W_hh)
    positions = {
        "gradient": (k, gradient),
        "bound": straight(bound, 1e4),
        "rate": straight(rate, 1e4),
    }
    positions |= end_names(k, {"gradient": gradient, "bound": bound, "rate": rate}, 1e-9, 1e4)
    positions |= {"own": (own.real, own.imag), "step": (step.real, step.imag)}
    factors = gradient_flow.factor_per_step(gradient.T)
    return positions, [
        f"On average the activation passes {percent(s)} of a change. After {LAGS} steps the gradient is {number(g)} "
        f"times its first size; ρᵏ alone promises {number(r)}. {verdict(f)}"
        for s, g, r, f in zip(slope, gradient[:, -1], rate[:, -1], factors, strict=True)
    ]


@plotting.style()
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
        saturated_flow,
        [plane, lag_figure(LAGS, 1e-9, 1e4, curves)],
        {
            "activation": Choice(
                "Activation", {"tanh": "tanh", "sigmoid": "sigmoid", "relu": "ReLU"}, "tanh"
            ),
            "radius": Slider(
                "Spectral radius ρ of W_hh", np.arange(0.6, 2.01, 0.1), 1.5, symbol="ρ"
            ),
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
