"""What the movable figures show: functions of their settings that return (positions, sentences) for `explorer`.

One function per lab of `labs`. Settings come as arrays (n,), a choice as a string; a position is (x, y) in data
coordinates, each (n, points) or (points,). All numbers come from the core.
"""

import numpy as np

from bptt_core import gradient_flow, jacobians, lstm, rnn
from bptt_core._containers import leaves
from bptt_core._places import end_names, stairs, straight

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value):
    """Two digits for a sentence: 0.13, 3.2, 41, or 3.2 × 10⁻⁸, held together by no-break spaces."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "beyond every number"
    if 0.00995 <= abs(value) < 9999.5:
        return f"{value:.2g}" if abs(value) < 99.5 else f"{value:.0f}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}\u00a0×\u00a010{str(int(power)).translate(SUPERSCRIPT)}"


def percent(share):
    """A share as a percentage: 0.3 %, −12 %, less than 0.1 %."""
    size, sign = abs(share), "−" if share < 0 else ""
    if size < 0.0005:
        return "less than 0.1\u00a0%"
    return f"{sign}{100 * size:.1f}\u00a0%" if size < 0.0995 else f"{sign}{100 * size:.0f}\u00a0%"


def verdict(factor, when=""):
    """What a factor per step does; `when` says for which steps."""
    if abs(factor - 1) < 0.005:
        return "*Neither vanishing nor exploding*."
    if factor > 1:
        return f"*Exploding*: {when}each step multiplies it by {factor:.3g}."
    return f"*Vanishing*: {when}it halves every {number(gradient_flow.half_life(factor))} steps."


# --- 1: eigenvalues of a linear network -------------------------------------------------------------------------------

LAGS = 30


def conjugate_pair(radius, angle, between):
    """W_hh (n, 2, 2) with eigenvalues radius · e^{±i angle}; its eigenvectors stand `between` degrees apart."""
    turn, stretch = np.deg2rad(angle), 1 / np.tan(np.deg2rad(between) / 2)
    c, s = np.cos(turn), np.sin(turn)
    return np.moveaxis(radius * np.array([[c, -s * stretch], [s / stretch, c]]), -1, 0)


def linear_flow(radius, angle, between):
    W_hh = conjugate_pair(radius, angle, between)
    params = rnn.Params(np.zeros((len(W_hh), 2, 1)), W_hh)
    cache = rnn.forward(params, np.zeros((LAGS, 1, 1)), activation="identity")
    gradient = gradient_flow.norm_curve(params, cache)[..., 0].T
    bound, rate = (curve.T for curve in gradient_flow.norm_bounds(W_hh, LAGS))
    k, pair = np.arange(LAGS + 1), np.linalg.eigvals(W_hh)
    ring = radius[:, None] * np.exp(1j * np.linspace(0, 2 * np.pi, 61))
    positions = {"gradient": (k, gradient), "bound": straight(bound, 1e3), "rate": straight(rate, 1e3)}
    positions |= end_names(k, {"gradient": gradient, "bound": bound, "rate": rate}, 1e-4, 1e3)
    positions |= {"pair": (pair.real, pair.imag), "ring": (ring.real, ring.imag), "lag k": (k[::5], k[::5])}
    return positions, [_say_linear(g, r) for g, r in zip(gradient, radius, strict=True)]


def _say_linear(gradient, radius):
    start, peak = "", gradient.argmax()
    if radius <= 1:
        start = (
            f"The gradient first grows {number(gradient[peak])}-fold by lag {peak}. " if gradient[peak] > 1.05 else ""
        )
    end = f"After {LAGS} steps the gradient is {number(gradient[-1])} times its first size."
    return f"{start}{end} {verdict(radius, 'in the long run ')}"


# --- 2: eigenvalues and saturation ------------------------------------------------------------------------------------

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
    k, step = np.arange(LAGS + 1), np.linalg.eigvals(jacobians.step_jacobians(params, cache)[-1, :, 0])
    slope = cache.activation.df(cache.h[-LAGS:]).mean((0, 2, 3))
    own = np.linalg.eigvals(W_hh)
    positions = {"gradient": (k, gradient), "bound": straight(bound, 1e4), "rate": straight(rate, 1e4)}
    positions |= end_names(k, {"gradient": gradient, "bound": bound, "rate": rate}, 1e-9, 1e4)
    positions |= {"own": (own.real, own.imag), "step": (step.real, step.imag)}
    factors = gradient_flow.factor_per_step(gradient.T)
    return positions, [
        f"On average the activation passes {percent(s)} of a change. After {LAGS} steps the gradient is {number(g)} "
        f"times its first size; ρᵏ alone promises {number(r)}. {verdict(f)}"
        for s, g, r, f in zip(slope, gradient[:, -1], rate[:, -1], factors, strict=True)
    ]


# --- 3: the forget gate -----------------------------------------------------------------------------------------------

SHOWN = np.r_[0:10, 10:50:4, 50:200:6, 200]  # points drawn
FLOOR = {"cell": 0.1, "flow": 1e-6}  # where each panel ends below
TICKS = [(f"{panel}-{T}-{tick}", T, tick) for panel in FLOOR for T in (50, 200) for tick in range(0, 201, 40)]


def remembered(forget_bias, scale):
    """Inputs for 200 steps, an LSTM and a tanh RNN of the same weight scale: (x, LSTM parameters, RNN parameters)."""
    rng = np.random.default_rng(2)
    x, cell, plain = rng.standard_normal((200, 1, 3)), lstm.init_params(3, 6, rng), rnn.init_params(3, 6, rng)
    n, by_scale = len(scale), scale[:, None, None]
    b_h = np.repeat([0, 1, 0, 0], 6) * forget_bias[:, None]
    cell = lstm.Params(np.broadcast_to(cell.W_xh, (n, 24, 3)), by_scale * cell.W_hh, b_h)
    return x, cell, rnn.Params(np.broadcast_to(plain.W_xh, (n, 6, 3)), by_scale * plain.W_hh)


def memory_flow(length, forget_bias, scale):
    T = int(length)
    inputs, params, plain = remembered(forget_bias, scale)
    cache = lstm.forward(params, inputs[:T])
    only_f = np.concatenate([np.ones_like(cache.f[:1]), np.cumprod(cache.f[::-1], 0)]).max(-1)
    four = jacobians.norms(jacobians.products(sum(jacobians.cell_terms(params, cache))))
    exact = gradient_flow.norm_curve(params, cache)
    other = gradient_flow.norm_curve(plain, rnn.forward(plain, inputs[:T]))
    k, x = SHOWN[SHOWN <= T], SHOWN * (200 / T)  # on an axis of 200 whatever T is
    curves = {gid: c[k, :, 0].T for gid, c in (("rnn", other), ("forget", only_f), ("four", four), ("exact", exact))}
    drawn = curves | {"cell": np.abs(cache.c).mean((2, 3))[k].T}
    rest = ((0, 0), (0, len(SHOWN) - len(k)))  # a shorter sequence leaves the rest of the axis empty
    positions = {gid: (x, np.pad(c, rest, constant_values=np.nan)) for gid, c in drawn.items()}
    positions |= end_names(np.minimum(x, 200), {gid: positions[gid][1] for gid in curves}, 1e-6, 1e2)
    positions |= {"lag k": (x, np.where(SHOWN <= T, SHOWN, np.nan))}
    for gid, length, tick in TICKS:  # the numbers of the other length wait outside the picture
        positions[gid] = [tick if length == T else tick - 400], [FLOOR[gid.split("-")[0]]]
    tau = lstm.output_derivative(cache)[-1].mean((1, 2))
    ends = (curve[T, :, 0] for curve in (exact, only_f, four))
    factors = gradient_flow.factor_per_step(exact)[:, 0]
    return positions, [
        f"After {T} steps the exact gradient is {number(e)} times its first size; f alone says {number(f)}, the four "
        f"terms {number(t)}. {verdict(factor)} A small change of c_T moves h_T by {percent(shown)} of it."
        for e, f, t, factor, shown in zip(*ends, factors, tau, strict=True)
    ]


# --- 4: path families -------------------------------------------------------------------------------------------------


def path_flow(sequence, forget_bias, scale):
    rng, T = np.random.default_rng(10 + int(sequence)), 16
    x, cell, dh = rng.standard_normal((T, 1, 3)), lstm.init_params(3, 5, rng), rng.standard_normal((1, 5))
    n, b_h = len(scale), np.repeat([0, 1, 0, 0], 5) * forget_bias[:, None]
    params = lstm.Params(np.broadcast_to(cell.W_xh, (n, 20, 3)), scale[:, None, None] * cell.W_hh, b_h)
    families = jacobians.path_families(params, lstm.forward(params, x), dh=dh)
    total = np.linalg.norm(families.total, axis=-1)[..., 0].T  # (n, lags)
    shares = np.stack([part[..., 0].T for part in families.along_total()]) / total
    k, positions = np.arange(T + 1), {}
    stack = {True: np.zeros_like(total), False: np.zeros_like(total)}  # helpful parts upwards, harmful ones downwards
    for gid in ("output", "mixed", "cell", "gates"):
        share = shares[families._fields.index(gid)]
        edge = np.where(share >= 0, stack[True], stack[False]) + share
        stack = {True: np.maximum(stack[True], edge), False: np.minimum(stack[False], edge)}
        positions[f"share-{gid}"] = stairs(k, np.clip(edge - share, -3, 4), np.clip(edge, -3, 4))
    sizes = {gid: np.linalg.norm(family, axis=-1)[..., 0].T for gid, family in families._asdict().items()} | {
        "total": total
    }
    positions |= {gid: (k, size) for gid, size in sizes.items()} | end_names(k, sizes, 1e-5, 1e2)
    pull = np.abs(shares).sum(0)
    return positions, [_say_paths(*case) for case in zip(total, shares[0], pull, strict=True)]


def _say_paths(total, cell, pull):
    T, lag = len(total) - 1, pull.argmax()
    cancel = "*Paths hardly cancel*, at any lag."
    if pull[lag] > 1.1:  # the shares add up to 1
        helping, against = number((pull[lag] + 1) / 2), number((pull[lag] - 1) / 2)
        cancel = f"*Paths cancel*: at lag {lag} the shares above zero add up to {helping}, those below to −{against}."
    share = f"The share of the path through the cell alone is {percent(cell[-1])}."
    return f"At lag {T} the gradient is {number(total[-1])}. {share} {cancel}"


# --- 5: the cliff -----------------------------------------------------------------------------------------------------

STARTS = {"plateau": (4.6, -2.9), "valley": (4.8, -2.3)}  # (w, b)
DESCENTS = 50


def cliff(w, b):
    """E = (σ(x_50) − 0.7)² for x_t = w σ(x_{t−1}) + b, x_0 = ½, and its gradient: (E, dE/dw, dE/db), each like w."""
    params = rnn.Params(np.zeros((len(w), 1, 1)), w[:, None, None], b[:, None])
    cache = rnn.forward(params, np.zeros((50, 1, 1)), [[1 / (1 + np.exp(-0.5))]], activation="sigmoid")
    error = cache.h[-1, :, :, 0] - 0.7
    grads = rnn.backward(params, cache, {50: 2 * error[..., None]}).params
    return error[:, 0] ** 2, grads.W_hh[:, 0, 0], grads.b_h[:, 0]


def descend(start, rate, threshold):
    """Gradient descent on the cliff, its gradients clipped at `threshold`: (w, b, E, ‖∇E‖), each (n, DESCENTS + 1)."""
    point, rows = np.tile(np.array(STARTS[start])[:, None], len(rate)), []
    for _ in range(DESCENTS + 1):
        error, *gradient = cliff(*point)
        gradient = np.stack(gradient)
        size = np.linalg.norm(gradient, axis=0)
        rows.append([*point, error, size])
        point = point - rate * gradient * np.minimum(1, threshold / np.maximum(size, 1e-300))
    return np.moveaxis(np.array(rows), 0, -1)


def clipped_flow(start, threshold, rate):
    runs = {"free": descend(start, rate, np.inf * rate), "clipped": descend(start, rate, threshold)}
    step, positions = np.arange(DESCENTS + 1), {}
    for gid, (w, b, error, _) in runs.items():
        positions |= {gid: (w, b), f"{gid}-end": (w[:, -1:], b[:, -1:]), f"{gid}-loss": (step, np.maximum(error, 1e-6))}
    positions |= end_names(step, {f"{gid}-loss": run[2] for gid, run in runs.items()}, 1e-5, 1)
    return positions, [_say_clipped(*case) for case in zip(*runs["free"], *runs["clipped"][2:], threshold, strict=True)]


def _say_clipped(w, b, free, free_size, clipped, clipped_size, threshold):
    worst, usual, wins = free_size[:-1].argmax(), np.median(free[-20:]), np.median(clipped[-20:])
    text = f"Without clipping the longest gradient is {number(free_size[worst])}, in step {worst}, and lands at "
    text += f"w = {w[worst + 1]:.2f}, b = {b[worst + 1]:.2f}. The median of the late losses is {number(usual)}."
    text = text.replace("-", "−").replace(" = ", "\u00a0=\u00a0")
    hits = (clipped_size[:-1] > threshold).sum()  # the last point makes no step
    if not hits:
        return f"{text} *The threshold is never reached*: both paths are one."
    better = "*the same*" if number(wins) == number(usual) else "*lower*" if wins < usual else "*no lower*"
    if better == "*no lower*" and hits > 0.8 * DESCENTS:
        better = "*higher*, the steps are too short"
    return f"{text} Clipping shortens {hits} of {DESCENTS} steps; then the median is {number(wins)}, {better}."


# --- 6: truncation ----------------------------------------------------------------------------------------------------

STEPS = 30
WINDOWS = np.arange(1, STEPS + 1)


def truncated(cell, memory):
    """The truncated gradient's relative error and its angle to the true one in degrees, each (n, windows).

    memory  the factor per step (n,): the spectral radius of an RNN, or the open forget gate of an LSTM"""
    rng, n = np.random.default_rng(4), len(memory)
    x, dh = 0.3 * rng.standard_normal((STEPS, 1, 3)), rng.standard_normal((STEPS, 1, 8))
    if cell == "rnn":
        params, module = rnn.init_params(3, 8, rng, orthogonal=True), rnn
        grid = rnn.Params(np.broadcast_to(params.W_xh, (n, 8, 3)), memory[:, None, None] * params.W_hh)
    else:
        params, module = lstm.init_params(3, 8, rng, scale=0.5, forget_bias=0), lstm
        open_f = np.repeat([0, 1, 0, 0], 8) * np.log(memory / (1 - memory))[:, None]
        grid = lstm.Params(*(np.broadcast_to(W, (n, *W.shape)) for W in params[:2]), open_f)
    cache = module.forward(grid, x)
    dh = np.broadcast_to(dh[:, None], cache.h[1:].shape)
    gradients = [gradient_flow.truncated_backward(grid, cache, dh, int(window)).params for window in WINDOWS]
    flat = np.stack([np.concatenate([g.reshape(n, -1) for _, g in leaves(each)], -1) for each in gradients], 1)
    true, size = flat[:, -1:], np.linalg.norm(flat, axis=-1)
    cosine = (flat * true).sum(-1) / (size * size[:, -1:])
    return np.linalg.norm(flat - true, axis=-1) / size[:, -1:], np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def truncated_flow(cell, memory, window):
    asked, which = np.unique(memory, return_inverse=True)
    error, angle = (curve[which] for curve in truncated(cell, asked))
    here = np.arange(len(window)), np.clip(np.rint(window).astype(int), 1, STEPS) - 1
    at = here[1][:, None] + 1
    positions = {
        "error": (WINDOWS, error),
        "angle": (WINDOWS, angle),
        "rate": straight(asked[which][:, None] ** np.arange(STEPS), 1),
    }
    shown = np.maximum(error[here], 1e-4)[:, None]  # a dot stays in the picture, on its floor
    positions |= {"error-here": (at, shown), "angle-here": (at, angle[here][:, None])}
    enough = (error < 0.1).argmax(-1) + 1
    return positions, [
        f"A window of {k} of {STEPS} steps leaves an error of {percent(e)} and turns the gradient by {a:.0f}°. "
        f"An error below 10\u00a0% takes {n} {'step' if n == 1 else 'steps'}. "
        + ("*Enough*." if k >= n else "*Too short* for this memory.")
        for k, e, a, n in zip(at[:, 0], error[here], angle[here], enough, strict=True)
    ]
