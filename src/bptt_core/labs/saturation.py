"""Lab 2: spectral radius against saturation."""

import numpy as np

from bptt_core import gradient_flow, jacobians, plotting, rnn
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.labs._words import lag_figure, number, percent, verdict
from bptt_core.labs.linear import ENDS, LAGS, RATE, TRUE

_rng = np.random.default_rng(3)
W_UNIT = _rng.standard_normal((10, 10))
W_UNIT /= np.abs(np.linalg.eigvals(W_UNIT)).max()  # spectral radius 1
X_UNIT = _rng.standard_normal((50, 1, 10))


def saturated_flow(activation, radius, drive):
    W_hh = radius[:, None, None] * W_UNIT
    params = rnn.Params(drive[:, None, None] * np.eye(10), W_hh)
    cache = rnn.forward(params, X_UNIT, np.full((1, 10), 0.3), activation=activation)
    gradient = gradient_flow.norm_curve(params, cache, lags=LAGS)[..., 0].T
    bounds = gradient_flow.norm_bounds(W_hh, LAGS, cache.activation.bound)
    bound, rate = (curve[ENDS].T for curve in bounds)
    step = np.linalg.eigvals(jacobians.step_jacobians(params, cache)[-1, :, 0])
    own = np.linalg.eigvals(W_hh)
    slope = cache.activation.df(cache.h[-LAGS:]).mean((0, 2, 3))
    factors = gradient_flow.factor_per_step(gradient.T)
    positions = {
        "gradient": (np.arange(LAGS + 1), gradient),
        "bound": (ENDS, bound),
        "rate": (ENDS, rate),
        "own": (own.real, own.imag),
        "step": (step.real, step.imag),
    }
    said = zip(slope, gradient[:, -1], rate[:, -1], factors, strict=True)
    return Frame(positions, [_say(*case) for case in said])


def _say(slope, end, rate, factor):
    return (
        f"On average the activation passes {percent(slope)} of a change. After {LAGS} steps the "
        f"gradient is {number(end)} times its first size; ρᵏ alone promises {number(rate)}. "
        f"{verdict(factor)}"
    )


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
    activations = {"tanh": "tanh", "sigmoid": "sigmoid", "relu": "ReLU"}
    return Explorer(
        saturated_flow,
        [plane, lag_figure(LAGS, 1e-9, 1e4, curves)],
        {
            "activation": Choice("Activation", activations, "tanh"),
            "radius": Slider(
                "Spectral radius ρ of W_hh", np.arange(0.6, 2.01, 0.1), 1.5, symbol="ρ"
            ),
            "drive": Slider("Size of the input", [0, 0.25, 0.5, 1, 2, 3], 2),
        },
        name="eigenvalues-tanh",
        title="Saturation makes gradients vanish, whatever the eigenvalues of W_hh",
        question="At the first ρ, 1.5, every power of W_hh grows. Does the gradient explode?",
        reading=(
            "Hollow dots are the eigenvalues of W_hh, filled dots those of one real step. A large "
            "input drives tanh and the sigmoid flat, and the filled dots fall inside the circle. "
            "The dashed bound holds always; ρᵏ is no bound."
        ),
        alts=[
            "The complex plane: the eigenvalues of W_hh as hollow dots, those of the last step's "
            "Jacobian as filled.",
            "Over the lag k, on a log axis: the norm of the gradient, its bound, and ρ to the k.",
        ],
        play=["gradient", "bound", "rate"],
        columns=("lag k", {"gradient": "true norm", "bound": "(γ σ_max)^k", "rate": "ρ^k"}),
    )
