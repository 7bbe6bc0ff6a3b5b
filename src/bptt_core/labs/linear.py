"""Lab 1: eigenvalues decide where a gradient ends, not how it starts."""

import numpy as np
from matplotlib.ticker import LogLocator

from bptt_core import gradient_flow, plotting, rnn
from bptt_core.explorer import Explorer, Frame, Slider
from bptt_core.labs._words import lag_figure, number

LAGS = 30
ENDS = np.array([0, LAGS])  # a power of k is a straight line on a log axis: two points draw it
CORNERS = 16  # of the image of the circle
GRID = 1 / 240  # its corners lie on a grid, in shares of the panel: so the table packs better
ANGLES = [-50, 6, 30, 90]  # of a pair in degrees; below 0 two real ones, the second in per cent


def eigenvalues(radius, angle):
    """The two eigenvalues (n, 2): radius · e^{±i angle}; or, with angle ≤ 0, two real ones, radius
    and −angle per cent of it."""
    turn = np.deg2rad(np.maximum(angle, 0))
    pair = np.exp(1j * np.stack([turn, -turn], -1))
    real = np.stack([np.ones_like(turn), -np.asarray(angle) / 100], -1)
    return radius[:, None] * np.where(np.asarray(angle)[:, None] > 0, pair, real)


def matrix(radius, angle, between):
    """W_hh (n, 2, 2) with these eigenvalues, and eigenvectors `between` degrees apart."""
    half = np.deg2rad(between) / 2
    c, s = np.cos(half), np.sin(half)
    first, second = np.moveaxis(eigenvalues(radius, angle), -1, 0)
    real = np.array([[c, c], [s, -s]]), np.array([[s, c], [s, -c]]) / (2 * c * s)
    turn, stretch = np.angle(first), 1 / np.tan(half)
    rotation = np.abs(first) * np.array(
        [[np.cos(turn), -np.sin(turn) * stretch], [np.sin(turn) / stretch, np.cos(turn)]]
    )
    scaled = real[0] * np.stack([first.real, second.real])  # each eigenvector by its eigenvalue
    stretched = np.einsum("ijn,jkn->ikn", scaled, real[1])
    return np.moveaxis(np.where(np.asarray(angle) > 0, rotation, stretched), -1, 0)


def climb(angle, between):
    """How many times ρ^k the norm can be: it stays below for a pair, and tends to it for two real
    eigenvalues."""
    half = np.deg2rad(between) / 2
    return np.where(np.asarray(angle) > 0, 1 / np.tan(half), 1 / np.sin(2 * half))


def linear_flow(radius, angle, between, k):
    W_hh = matrix(radius, angle, between)
    params = rnn.Params(np.zeros((len(W_hh), 2, 1)), W_hh)
    cache = rnn.forward(params, np.zeros((LAGS, 1, 1)), activation="identity")
    norm = gradient_flow.norm_curve(params, cache)[..., 0].T
    bound, rate = (curve[ENDS].T for curve in gradient_flow.norm_bounds(W_hh, LAGS))
    pair = eigenvalues(radius, angle)
    at = np.rint(k).astype(int)
    here = norm[np.arange(len(at)), at]
    circle = np.exp(2j * np.pi * np.arange(41) / 40)
    ring = radius[:, None] * circle
    reach = 1.1 * np.maximum(climb(angle, between), 1.4)
    positions = {
        "gradient": (np.arange(LAGS + 1), norm),
        "bound": (ENDS, bound),
        "rate": (ENDS, rate),
        "one": (ENDS, [1, 1]),
        "here": (at[:, None], here[:, None]),
        "pair": (pair.real, pair.imag),
        "ring": (ring.real, ring.imag),
        "circle": (circle.real, circle.imag),
        "ways": _ways(angle, between, reach),
    }
    positions |= _image(W_hh, at, reach)
    largest, smallest = norm.max(-1), np.minimum(norm.min(-1), rate.min(-1))
    limits = {
        "plane.x": (-reach, reach),
        "plane.y": (-reach, reach),
        "norm.y": (
            10 ** np.floor(np.log10(smallest) - 0.05),
            10 ** np.ceil(np.log10(largest) + 0.2),
        ),
    }
    said = [_say(*case) for case in zip(norm, at, radius, angle, between, strict=True)]
    return Frame(positions, said, limits=limits)


def _ways(angle, between, reach):
    """The eigenvectors as two lines; or, for a pair, the ellipse on which (0, 1) turns if ρ is
    1."""
    half = np.deg2rad(between)[:, None] / 2
    turn = 2 * np.pi * np.arange(41) / 40
    x, y = np.cos(turn) / np.tan(half), np.sin(turn) * np.ones_like(half)
    ends = reach[:, None] * np.array([1, -1])
    far = np.maximum(np.cos(half), np.sin(half))
    lines = np.full((2, len(half), 41), np.nan)
    lines[0, :, [0, 1, 3, 4]] = np.concatenate([ends, ends], 1).T * (np.cos(half) / far).T
    lines[1, :, [0, 1, 3, 4]] = np.concatenate([ends, -ends], 1).T * (np.sin(half) / far).T
    pair = (np.asarray(angle) > 0)[:, None]
    return np.where(pair, x, lines[0]), np.where(pair, y, lines[1])


def _image(W_hh, k, reach):
    """What k steps make of the unit circle, and its longest radius; what leaves the panel ends at
    its border."""
    power = np.stack([np.linalg.matrix_power(W, n) for W, n in zip(W_hh, k, strict=True)])
    u, s, _ = np.linalg.svd(power)
    long, short = np.moveaxis(u * np.where(u[:, :1] < 0, -1, 1) * s[:, None], -1, 0)[..., None]
    turn = 2 * np.pi * np.arange(CORNERS) / CORNERS  # the tips are two of the corners
    corners = long * np.cos(turn) + short * np.sin(turn)
    found = {}
    for gid, points in (("image", corners), ("longest", long * np.array([0, 1]))):
        share = points / reach[:, None, None]
        share = share / np.maximum(1, np.abs(share).max(1, keepdims=True))
        points = np.rint(share / GRID) * GRID * reach[:, None, None]
        found[gid] = points[:, 0], points[:, 1]
    return found


def _say(norm, k, radius, angle, between):
    after = "1 step" if k == 1 else f"{k} steps"
    text = f"After {after} the longest radius is {number(norm[k])}. "
    first = int((norm > (1 - 1e-6) * norm.max()).argmax())  # of equal peaks the first
    if first:
        text += f"Of {LAGS} lags the norm is largest at lag {first}, {number(norm[first])}. "
    times = climb(angle, between)
    if times < 1.0001:
        text += "At every lag it is ρᵏ"
    elif angle > 0:
        half = number(180 / angle)
        text += f"It stays between ρᵏ and {number(times)} ρᵏ and swings once in {half} steps"
    else:
        text += f"It tends to {number(times)} ρᵏ"
    if abs(radius - 1) < 1e-9:
        return f"{text}: *neither vanishing nor exploding*."
    end = "*vanishing*, it halves" if radius < 1 else "*exploding*, it doubles"
    return f"{text}: {end} in {number(np.log(2) / abs(np.log(radius)))} steps in the long run."


def _written(angle):
    """A setting of the eigenvalues in words."""
    return f"±{angle:.0f}°" if angle > 0 else f"ρ, {-angle / 100:.2g}\u00a0ρ"


def _figures():
    """The eigenvalues, the circle and its image, and the norm over the lag."""
    spectrum, ax = plotting.figure(1.9, 2.3)
    plotting.plane(ax, 1.2)
    ax.set(title="Eigenvalues of $W_{hh}$")
    ax.plot([], [], "--", color="gtt:bound", lw=1.2, gid="ring")
    ax.plot([], [], "o", color="gtt:gradient", ms=8, gid="pair")
    plane, real = plotting.figure(2.4, 2.7)
    real.set(aspect="equal", xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], gid="plane")
    real.set(title="The circle, $k$ steps on")
    real.spines[:].set(visible=True, color="gtt:rule")
    real.plot([], [], ":", color="gtt:bound", lw=1, gid="ways")
    look = {"facecolor": "gtt:gradient", "edgecolor": "gtt:gradient", "alpha": 0.35, "lw": 1.5}
    real.fill([0, 0], [0, 0], gid="image", **look)
    real.plot([], [], color="gtt:muted", lw=1, gid="circle")
    real.plot([], [], "-", color="gtt:gradient", lw=1.4, gid="longest")
    curves = {
        "bound": ("$σ_{max}^k$", "bound", "--"),
        "rate": ("$ρ^k$", "bound", ":"),
        "gradient": ("norm", "gradient", "-"),
    }
    flow = lag_figure(LAGS, 1e-4, 1e3, curves, "Norm of $W_{hh}^k$")
    flow.set_size_inches(3.1, 2.7)
    flow.axes[0].set(gid="norm")
    flow.axes[0].yaxis.set_major_locator(LogLocator(numticks=7))
    flow.axes[0].plot([], [], "o", color="gtt:gradient", ms=7, gid="here", clip_on=False)
    return [spectrum, plane, flow]


@plotting.style()
def eigenvalues_linear():
    """Lab 1: the eigenvalues of W_hh, what W_hh^k makes of the unit circle, and its norm between
    ρ^k and σ_max^k (`A62`)."""
    return Explorer(
        linear_flow,
        _figures(),
        {
            "radius": Slider(
                "Spectral radius ρ", [0.8, 0.9, 0.95, 1, 1.05], 0.95, "{:.4g}", symbol="ρ"
            ),
            "angle": Slider("The two eigenvalues", ANGLES, 30, _written, symbol="θ"),
            "between": Slider("Angle between eigenvectors", [16, 35, 90], 16, "{:.0f}°"),
            "k": Slider("Steps k", np.arange(21), 3, "{:.0f}"),
        },
        name="eigenvalues-linear",
        title="Eigenvalues decide where a gradient ends, not how it starts",
        question=(
            "Both eigenvalues start inside the unit circle. Can the gradient grow all the same?"
        ),
        reading=(
            "Drag an eigenvalue, and play k. In the middle, k steps make an ellipse of the unit "
            "circle, and its longest radius is the norm on the right. With eigenvectors at 90° the "
            "norm is ρᵏ; the narrower their angle, the higher it climbs above. It never passes "
            "σᵏ, the largest singular value to the power k. The dotted lines are the eigenvectors; "
            "for a pair, the ellipse on which the top of the circle would turn if ρ were 1."
        ),
        alts=[
            "The complex plane with the unit circle and the two eigenvalues of W_hh, on a dashed "
            "circle of radius ρ.",
            "The plane of the state with the unit circle and its image after k steps, an ellipse, "
            "with its longest radius.",
            "Over the lag k, on a log axis: the norm of W_hh to the k with a dot at the chosen k, "
            "its bound σ_max to the k, and ρ to the k.",
        ],
        drag={"pair": ["radius", "angle"], "here": ["k"]},
        play="k",
        columns=("lag k", {"gradient": "norm", "bound": "σ_max^k", "rate": "ρ^k"}),
        parts={"gradient": "norm", "bound": "bound", "rate": "rate"},
    )
