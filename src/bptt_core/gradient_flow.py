"""How a gradient grows or shrinks on its way back, and what is done about it.

norm_curve           ‖∂s_T/∂s_{T−k}‖ for every lag k and a whole grid of networks
norm_bounds          the curves (γ σ_max)^k and ρ^k of `W_hh`
factor_per_step      the mean factor of a curve; `half_life` the steps in which it halves
lyapunov_exponents   the rates of all directions, by QR
clip_by_global_norm  and `clip_by_norm`, `clip_by_value`: gradients made shorter
truncated_backward   backpropagation in which every loss sees only the last steps

All of them accept leading grid axes G.
"""

import numpy as np

from bptt_core._affine import all_gradients
from bptt_core._arrays import report_overflow, upstream
from bptt_core._checks import check_number, is_whole, number_array, wanted
from bptt_core._containers import leaves, map_leaves
from bptt_core.cells import at, cell_of, checked, each_step, map_slopes
from bptt_core.jacobians import norms

__all__ = [
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "factor_per_step",
    "global_norm",
    "half_life",
    "lyapunov_exponents",
    "norm_bounds",
    "norm_curve",
    "truncated_backward",
]

CHUNK = 64  # networks worked on at a time: their matrices stay in the processor's cache


def norm_curve(params, cache, *, norm="2", lags=None):
    """How much of a small change arrives after k steps: one number per lag,
    k = 0…`lags` (all of them if None).

        RNN, GRU  ‖∂h_T/∂h_{T−k}‖ (`A30`)
        LSTM      ‖∂c_T/∂c_{T−k}‖ with every h free to respond: the pair (h, c) goes back (`C50`)

    The rows of the identity go back from the last state, all at once, by the cell's `step_back`.

    norm  "2" (largest gain; `A60`) or "fro" (all gains together; much the faster one)

    Returns (lags+1, *G, B). A curve beyond the floating-point range ends in infinity with an
    `ExplodedWarning`.
    ValueError: parameters and cache that do not go together, an unknown norm, more lags than steps.

    >>> params = rnn.Params(np.ones((1, 1)), np.array([[0.5]]))
    >>> cache = rnn.forward(params, np.ones((3, 1, 1)), activation="identity")
    >>> gradient_flow.norm_curve(params, cache).ravel().tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    params = checked(params, cache)
    cell = cell_of(params)
    T, *grid, B, H = cache.h[1:].shape
    lags = T if lags is None else lags
    if not is_whole(lags, 0, T):
        raise wanted("lags", lags, f"None or a number from 0 to {T}")
    # Every sequence of every network counts as a network of its own, and the rows of its matrix as
    # its batch.
    W = params.W_hh.reshape(-1, *params.W_hh.shape[-2:])
    owner = np.arange(len(W) * B) // B
    curve = np.empty((lags + 1, len(owner)), cache.h.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        first = max(0, T - lags - 1)
        slopes = map_slopes(
            lambda v: v.reshape(T - first, -1, 1, H)[::-1], cell.slopes(cache, slice(first, T))
        )
        for start in range(0, len(owner), CHUNK):
            part = slice(start, start + CHUNK)
            own = map_slopes(lambda v, part=part: v[:, part], slopes)
            done = 0
            for matrices in _matrices(cell, W[owner[part]], own, lags):
                curve[done : done + len(matrices), part] = norms(matrices, norm)
                done += len(matrices)
    report_overflow("the gradient", curve)
    return curve.reshape(lags + 1, *grid, B)


def _matrices(cell, W_hh, slopes, lags):
    """Yield ∂s_T/∂s_{T−k} for k = 0, 1, …, lags, some lags at a time;
    s is the last state of the cell.

    slopes  of the networks of W_hh (n, ·, H), from step T back, one step more than lags if there is
            one

    Norms of some matrices at once cost less than of each alone, and least of so few that the
    processor's cache still holds them. A matrix is complete once the next step back was taken:
    there the LSTM adds the path c → h."""
    n, _, H = W_hh.shape
    block = np.empty((max(1, 4 * CHUNK // n) + 1, n, H, H), W_hh.dtype)
    block[0] = np.eye(H)
    out = list(cell.buffers(block.shape[1:], block.dtype))
    others = out[-len(cell.STATES) : -1]  # a gradient may be written where the one before stood
    for other in others:
        other[...] = 0
    done = steps = 0
    for slopes_t in each_step(slopes):
        out[-1] = block[done + 1]
        cell.step_back_into(out, W_hh, slopes_t, *others, block[done])
        done += 1
        steps += 1
        if done == len(block) - 1:
            yield block[:done]
            block[0] = block[done]
            done = 0
    if steps == lags:  # the last step back ended at s_0, which nothing adds to
        done += 1
    if done:
        yield block[:done]


def norm_bounds(W_hh, lags, gamma=1.0):
    """The two curves a gradient is compared with: (γ σ_max(W_hh))^k, its bound (`A65`),
    and ρ(W_hh)^k (`A48`).

    gamma  sup |φ′|, `Activation.bound` (`A63`)
    ρ      the spectral radius: the rate in the long run of a linear network

    Returns two arrays (lags+1, *G). ValueError: no square matrices, NaN or infinity, negative lags
    or gamma.

    >>> bound, radius = gradient_flow.norm_bounds(np.array([[0.5, 1.0], [0.0, 0.5]]), 2)
    >>> bound.round(3).tolist(), radius.round(3).tolist()
    ([1.0, 1.207, 1.457], [1.0, 0.5, 0.25])
    """
    W_hh = number_array("W_hh", W_hh)
    if W_hh.ndim < 2 or W_hh.shape[-1] != W_hh.shape[-2]:
        raise wanted("W_hh", f"shape {W_hh.shape}", "(…, H, H)")
    if not is_whole(lags, 0) or check_number("gamma", gamma) < 0:
        got = f"{lags!r}, {gamma!r}"
        raise wanted("lags, gamma", got, "a whole number and a bound, both at least 0")
    k = np.arange(lags + 1).reshape(-1, *[1] * (W_hh.ndim - 2))
    with np.errstate(over="ignore"):
        return (gamma * norms(W_hh)) ** k, np.abs(np.linalg.eigvals(W_hh)).max(-1) ** k


def factor_per_step(curve):
    """(curve[k] / curve[0])^{1/k} for the last lag k: the mean factor of one step.

    curve  (lags+1, …); returns (…). ValueError: fewer than two lags.

    >>> float(gradient_flow.factor_per_step([4.0, 2.0, 1.0]))
    0.5
    """
    curve = np.asarray(curve)
    if len(curve) < 2:
        raise wanted("curve", f"{len(curve)} lags", "at least lags 0 and 1")
    with np.errstate(divide="ignore"):
        return np.exp((np.log(curve[-1]) - np.log(curve[0])) / (len(curve) - 1))


def half_life(factor):
    """Steps in which `factor` per step halves a gradient: ln ½ / ln factor;
    infinity if it does not shrink.

    ValueError: a negative factor.

    >>> gradient_flow.half_life([0.25, 0.5, 1.0]).tolist()
    [0.5, 1.0, inf]
    """
    factor = np.asarray(factor, dtype=float)
    if (factor < 0).any():
        raise wanted("factor", factor.min(), "a factor of at least 0")
    with np.errstate(divide="ignore"):
        rate = np.minimum(np.log(factor), -0.0)  # −0: what does not shrink takes for ever
        return (np.log(0.5) / rate)[()]


def lyapunov_exponents(J, *, skip=0):
    """The growth of each direction per step: λ_i = lim (1/T) Σ_t ln |R_t,ii|,
    Q_t R_t = J_t Q_{t−1}.

    J     step Jacobians (T, …, N, N)
    skip  steps at the start that turn Q but are not counted

    Returns (…, N), largest first; −inf for a direction that is lost. λ_1 > 0 is chaos, λ_1 < 0
    forgetting.
    ValueError: no stack of square matrices, NaN or infinity, nothing left to count.

    >>> gradient_flow.lyapunov_exponents([np.diag([2.0, 0.5])] * 3).round(3).tolist()
    [0.693, -0.693]
    """
    J = number_array("J", J)
    if J.ndim < 3 or J.shape[-1] != J.shape[-2] or not is_whole(skip, 0, len(J) - 1):
        raise wanted("J, skip", f"shape {J.shape}, {skip}", "(T, …, N, N) with skip < T")
    Q = np.broadcast_to(np.eye(J.shape[-1], dtype=J.dtype), J.shape[1:])
    total = np.zeros(J.shape[1:-1], J.dtype)
    with np.errstate(divide="ignore"):
        for t, J_t in enumerate(J):
            Q, R = np.linalg.qr(J_t @ Q)
            if t >= skip:
                total += np.log(np.abs(np.diagonal(R, axis1=-2, axis2=-1)))
    return np.sort(total / (len(J) - skip), axis=-1)[..., ::-1]


def global_norm(gradients):
    """The length of all gradients of a container taken as one vector.

    >>> float(gradient_flow.global_norm({"a": np.array([3.0]), "b": np.array([[4.0]])}))
    5.0
    """
    arrays = [np.abs(value) for _, value in leaves(gradients)]
    largest = max((float(array.max(initial=0)) for array in arrays), default=0.0)
    squares_fit = 1e-140 < largest < 1e140 or largest in (0, np.inf)
    unit = 1.0 if squares_fit else largest
    with np.errstate(over="ignore"):
        squares = sum(np.sum(np.square(array / unit, dtype=float)) for array in arrays)
        return unit * np.sqrt(squares)


def clip_by_global_norm(gradients, threshold):
    """g · min(1, threshold / ‖g‖), one ‖g‖ over all arrays of the container:
    the direction stays (`C48`, `C49`).

    Returns (clipped, ‖g‖ before). ValueError: a threshold that is no positive number, a gradient
    with an infinity, which has no direction left.

    >>> clipped, size = gradient_flow.clip_by_global_norm([np.array([3.0]), np.array([4.0])], 1.0)
    >>> [value.round(3).tolist() for value in clipped], float(size)
    ([[0.6], [0.8]], 5.0)
    """
    _positive(threshold)
    size = global_norm(gradients)
    if not np.isfinite(size):
        raise wanted("gradients", "an infinite norm", "finite gradients")
    factor = min(1.0, float(threshold / size)) if size > 0 else 1.0  # Python's numbers keep float32
    return map_leaves(lambda g: g * factor, gradients), size


def clip_by_norm(gradients, threshold):
    """g · min(1, threshold / ‖g‖) for each array by itself:
    the direction of the whole gradient changes.

    ValueError: a threshold that is no positive number, an infinite gradient.

    >>> gradient_flow.clip_by_norm([np.array([3.0, 4.0]), np.array([0.5])], 1.0)
    [array([0.6, 0.8]), array([0.5])]
    """
    return map_leaves(lambda g: clip_by_global_norm((g,), threshold)[0][0], gradients)


def clip_by_value(gradients, threshold):
    """Every entry moved into [−threshold, threshold]: the direction changes.

    ValueError: a threshold that is no positive number.

    >>> gradient_flow.clip_by_value([np.array([3.0, -0.5])], 1.0)
    [array([ 1. , -0.5])]
    """
    _positive(threshold)
    return map_leaves(lambda g: np.clip(g, -threshold, threshold), gradients)


def _positive(threshold):
    """ValueError unless the threshold is a positive number."""
    if not check_number("threshold", threshold) > 0:
        raise wanted("threshold", threshold, "a positive number")


def truncated_backward(params, cache, dh, window):
    """Backpropagation in which the loss of step t sees steps t, t−1, …, t−window+1 only.

    What came before is taken as given.

    dh (T, *G, B, H) or {t: array} is ∂⁺L/∂h_t; the `Gradients` are those of the cell's `backward`,
    each the exact derivative of that loss. window = 1 keeps the immediate derivatives ∂⁺,
    window ≥ T is the full gradient.
    Row j of h (and c) sums the losses of steps j … j+window−1; h_0 is reached through step 1.
    ValueError: parameters and cache that do not go together, a window that is no positive whole
    number.

    >>> params = rnn.Params(np.ones((1, 1)), np.array([[0.5]]))
    >>> cache = rnn.forward(params, np.ones((4, 1, 1)), activation="identity")
    >>> gradient_flow.truncated_backward(params, cache, {4: [[1.0]]}, 2).a.ravel().tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    params = checked(params, cache)
    cell = cell_of(params)
    T = len(cache.h) - 1
    if not is_whole(window, 1):
        raise wanted("window", window, "a positive whole number")
    dtype = cache.h.dtype
    slopes = cell.slopes(cache)
    totals = [np.zeros_like(cache.h) for _ in cell.STATES]
    grad_a = np.zeros((*cache.h[1:].shape[:-1], params.W_hh.shape[-2]), dtype)
    # Row t is the loss of one step on its way back. All steps take the same number of steps back at
    # once.
    back = [np.zeros_like(cache.h[1:]) for _ in cell.STATES]
    upstream("dh", dh, cache.h[1:].shape, dtype, out=back[0])
    ways = [cell.buffers(back[0].shape, dtype) for _ in range(2)]  # there, and from there
    with np.errstate(over="ignore", invalid="ignore"):
        for lag in range(min(window, T)):  # the loss of step t is at step t − lag
            here = slice(0, T - lag)
            out = [array[here] for array in ways[lag % 2]]
            cell.step_back_into(out, params.W_hh, at(slopes, here), *back)
            grad_a[here] += out[0]
            for total, gradient in zip(totals, back, strict=True):
                total[1:][here] += gradient
            arrived = out[-len(back) :]
            for total, gradient in zip(totals, arrived, strict=True):
                total[0] += gradient[0]
            back = [gradient[1:] for gradient in arrived]  # what has left step 1 is done
        return all_gradients(
            cell.Gradients, params, cache, totals, grad_a, of_parameters=cell.parameter_gradients
        )
