"""Lab 1: eigenvalues decide where a gradient ends, not how it starts."""

import numpy as np

from bptt_core import gradient_flow, plotting, rnn
from bptt_core.explorer import Explorer, Frame, Slider
from bptt_core.labs._words import lag_figure, number, verdict

RATE = ("$ρ^k$", "bound", ":")
TRUE = ("true norm", "gradient", "-")
LAGS = 30
ENDS = np.array([0, LAGS])  # a power of k is a straight line on a log axis: two points draw it


def conjugate_pair(radius, angle, between):
    """W_hh (n, 2, 2) with eigenvalues radius · e^{±i angle}, and eigenvectors `between` degrees
    apart."""
    turn = np.deg2rad(angle)
    stretch = 1 / np.tan(np.deg2rad(between) / 2)
    c, s = np.cos(turn), np.sin(turn)
    return np.moveaxis(radius * np.array([[c, -s * stretch], [s / stretch, c]]), -1, 0)


def linear_flow(radius, angle, between):
    W_hh = conjugate_pair(radius, angle, between)
    params = rnn.Params(np.zeros((len(W_hh), 2, 1)), W_hh)
    cache = rnn.forward(params, np.zeros((LAGS, 1, 1)), activation="identity")
    gradient = gradient_flow.norm_curve(params, cache)[..., 0].T
    bound, rate = (curve[ENDS].T for curve in gradient_flow.norm_bounds(W_hh, LAGS))
    pair = np.linalg.eigvals(W_hh)
    ring = radius[:, None] * np.exp(1j * np.linspace(0, 2 * np.pi, 61))
    positions = {
        "gradient": (np.arange(LAGS + 1), gradient),
        "bound": (ENDS, bound),
        "rate": (ENDS, rate),
        "pair": (pair.real, pair.imag),
        "ring": (ring.real, ring.imag),
    }
    said = [_say(g, r) for g, r in zip(gradient, radius, strict=True)]
    return Frame(positions, said, rows=np.arange(0, LAGS + 1, 5))


def _say(gradient, radius):
    start, peak = "", gradient.argmax()
    if radius <= 1 and gradient[peak] > 1.05:
        start = f"The gradient first grows {number(gradient[peak])}-fold by lag {peak}. "
    end = f"After {LAGS} steps the gradient is {number(gradient[-1])} times its first size."
    return f"{start}{end} {verdict(radius, 'in the long run ')}"


@plotting.style()
def eigenvalues_linear():
    """Lab 1: drag a conjugate pair of eigenvalues of W_hh, and see ‖∂h_T/∂h_{T−k}‖, ρ^k and σ_max^k
    (`A62`)."""
    plane, ax = plotting.figure(2.6, 2.9)
    plotting.plane(ax, 1.35)
    ax.set(title="Eigenvalues of $W_{hh}$")
    ax.plot([], [], "--", color="gtt:bound", lw=1.2, gid="ring")
    ax.plot([], [], "o", color="gtt:gradient", ms=8, gid="pair")
    curves = {"bound": ("$σ_{max}^k$", "bound", "--"), "rate": RATE, "gradient": TRUE}
    return Explorer(
        linear_flow,
        [plane, lag_figure(LAGS, 1e-4, 1e3, curves)],
        {
            "radius": Slider(
                "Spectral radius ρ", np.linspace(0.7, 1.2, 21), 0.95, "{:.4g}", symbol="ρ"
            ),
            "angle": Slider("Angle of the pair", np.arange(6, 175, 4), 30, "{:.0f}°", symbol="θ"),
            "between": Slider("Angle between eigenvectors", [10, 16, 35, 90], 16, "{:.0f}°"),
        },
        name="eigenvalues-linear",
        title="Eigenvalues decide where a gradient ends, not how it starts",
        question=(
            "Both eigenvalues start inside the unit circle. Can the gradient grow all the same?"
        ),
        reading=(
            "Drag an eigenvalue. With eigenvectors at 90° the norm follows ρᵏ. The narrower their "
            "angle, the higher the norm climbs before it obeys. It never passes σᵏ, the largest "
            "singular value to the power k."
        ),
        alts=[
            "The complex plane with the unit circle and the two eigenvalues of W_hh on a dashed "
            "circle of radius ρ.",
            "Over the lag k, on a log axis: the norm of the gradient, its bound σ_max to the k, "
            "and ρ to the k.",
        ],
        drag={"pair": ["radius", "angle"]},
        play=["gradient", "bound", "rate"],
        columns=("lag k", {"gradient": "true norm", "bound": "σ_max^k", "rate": "ρ^k"}),
    )
