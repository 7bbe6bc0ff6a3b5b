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

from bptt_core import lstm, rnn
from bptt_core._arrays import (
    check_number,
    is_whole,
    number_array,
    report_overflow,
    upstream,
    wanted,
)
from bptt_core._containers import leaves, map_leaves
from bptt_core.jacobians import checked, norms
from bptt_core.lstm import local_derivatives, output_derivative

CHUNK = 64  # networks of a grid worked on at a time: their matrices stay in the processor's cache


def norm_curve(params, cache, *, norm="2", lags=None):
    """How much of a small change arrives after k steps: one number per lag, k = 0…`lags` (all of them if None).

        RNN   ‖∂h_T/∂h_{T−k}‖, by P_k = P_{k−1} D(φ′) W_hh                                    (`A30`)
        LSTM  ‖∂c_T/∂c_{T−k}‖ with every h free to respond, by the recursion of the pair (h, c) (`C50`)

    norm  "2" (largest gain; `A60`) or "fro" (all gains together; much the faster one)
    Returns (lags+1, *G, B). A curve beyond the floating-point range ends in infinity with an `ExplodedWarning`."""
    params = checked(params, cache)
    T, *grid, B, H = cache.h[1:].shape
    lags = T if lags is None else lags
    if not is_whole(lags, 0, T):
        raise wanted("lags", lags, f"None or a number from 0 to {T}")
    is_lstm = isinstance(params, lstm.Params)
    W = params.W_hh.reshape(-1, *params.W_hh.shape[-2:])
    curve = np.empty((lags + 1, len(W), B), cache.h.dtype)
    scales_of, matrices_of = (
        (_lstm_scales, _lstm_matrices) if is_lstm else (_rnn_scales, _rnn_matrices)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(W), CHUNK):
            part = slice(start, start + CHUNK)
            P_0 = np.broadcast_to(np.eye(H, dtype=curve.dtype), (len(W[part]), B, H, H)).copy()
            curve[0, part] = norms(P_0, norm)
            block = np.empty((max(1, 4 * CHUNK // (len(P_0) * B)), *P_0.shape), curve.dtype)
            scales = scales_of(_some_networks(cache, len(grid), part), lags)
            done = 1
            for matrices in matrices_of(P_0, W[part], block, *[scale[::-1] for scale in scales]):
                curve[done : done + len(matrices), part] = norms(matrices, norm)
                done += len(matrices)
    report_overflow("the gradient", curve)
    return curve.reshape(lags + 1, *grid, B)


def _some_networks(cache, grid_axes, part):
    """The cache of some networks of a grid, with all grid axes made one."""
    states = {
        name: value for name, value in cache._asdict().items() if name in ("h", "c", "gates", "s")
    }
    flat = {
        name: value.reshape(len(value), -1, *value.shape[1 + grid_axes :])
        for name, value in states.items()
    }
    return cache._replace(**{name: value[:, part] for name, value in flat.items()})


def _rnn_scales(cache, lags):
    """φ′(a_t) of the last `lags` steps."""
    return [cache.activation.df(cache.h[len(cache.h) - lags :])]


def _rnn_matrices(P, W, block, slope):
    """Yield ∂h_T/∂h_{T−k} for k = 1, 2, …, as many at a time as `block` holds; slope is φ′ from step T back."""
    scaled = np.empty_like(P)
    for start in range(0, len(slope), len(block)):
        part = slope[start : start + len(block)]
        for d, row in zip(part, block, strict=False):
            np.multiply(P, d[..., None, :], out=scaled)
            np.matmul(_merged(scaled), W, out=_merged(row))
            P = row
        yield block[: len(part)]


def _lstm_scales(cache, lags):
    """Local derivatives, forget gates and τ_{t−1} of the last `lags` steps; τ_0 = 0: h_0 does not depend on c_0."""
    tau = np.concatenate([np.zeros_like(cache.c[:1]), output_derivative(cache)])[:-1]
    first = len(tau) - lags
    return local_derivatives(cache)[first:], cache.f[first:], tau[first:]


def _lstm_matrices(delta, W, block, local, f, tau):
    """Yield ∂c_T/∂c_{T−k} in the same way; the rows of `delta` and `eps` are gradients of c_t and h_t."""
    eps, H = np.zeros_like(delta), delta.shape[-1]
    da = np.empty((*delta.shape[:-1], 4, H), delta.dtype)
    for start in range(0, len(f), len(block)):
        part = slice(start, start + len(block))
        for local_t, f_t, tau_t, row in zip(local[part], f[part], tau[part], block, strict=False):
            np.multiply(delta[..., None, :], local_t[..., None, :3, :], out=da[..., :3, :])
            np.multiply(eps, local_t[..., None, 3, :], out=da[..., 3, :])
            np.matmul(_merged(da.reshape(*delta.shape[:-1], 4 * H)), W, out=_merged(eps))
            np.multiply(delta, f_t[..., None, :], out=row)
            row += eps * tau_t[..., None, :]
            delta = row
        yield block[: len(f[part])]


def _merged(P):
    """(G, B, H, N) → (G, B·H, N): one product per network instead of one per sequence."""
    return P.reshape(P.shape[0], -1, P.shape[-1])


def norm_bounds(W_hh, lags, gamma=1.0):
    """The two curves a gradient is compared with: (γ σ_max(W_hh))^k, which bounds it (`A65`), and ρ(W_hh)^k (`A48`).

    gamma  sup |φ′|, `Activation.bound` (`A63`)     ρ  the spectral radius: the rate in the long run of a linear network
    Returns two arrays (lags+1, *G)."""
    W_hh = number_array("W_hh", W_hh)
    if W_hh.ndim < 2 or W_hh.shape[-1] != W_hh.shape[-2]:
        raise wanted("W_hh", f"shape {W_hh.shape}", "(…, H, H)")
    if not is_whole(lags, 0) or check_number("gamma", gamma) < 0:
        raise wanted(
            "lags, gamma", f"{lags!r}, {gamma!r}", "a whole number and a bound, both at least 0"
        )
    k = np.arange(lags + 1).reshape(-1, *[1] * (W_hh.ndim - 2))
    with np.errstate(over="ignore"):
        return (gamma * norms(W_hh)) ** k, np.abs(np.linalg.eigvals(W_hh)).max(-1) ** k


def factor_per_step(curve):
    """(curve[k] / curve[0])^{1/k} for the last lag k: the mean factor of one step, (…) from a curve (lags+1, …)."""
    curve = np.asarray(curve)
    if len(curve) < 2:
        raise wanted("curve", f"{len(curve)} lags", "at least lags 0 and 1")
    with np.errstate(divide="ignore"):
        return np.exp((np.log(curve[-1]) - np.log(curve[0])) / (len(curve) - 1))


def half_life(factor):
    """Steps in which `factor` per step halves a gradient: ln ½ / ln factor; infinity if it does not shrink."""
    factor = np.asarray(factor, dtype=float)
    if (factor < 0).any():
        raise wanted("factor", factor.min(), "a factor of at least 0")
    with np.errstate(divide="ignore"):
        return (np.log(0.5) / np.minimum(np.log(factor), -0.0))[
            ()
        ]  # −0: what does not shrink takes for ever


def lyapunov_exponents(J, *, skip=0):
    """λ_i = lim (1/T) Σ_t ln |R_t,ii| with Q_t R_t = J_t Q_{t−1}: the growth of each direction per step, largest first.

    J     step Jacobians (T, …, N, N)        skip  steps at the start that turn Q but are not counted
    Returns (…, N); −inf for a direction that is lost. λ_1 > 0 is chaos, λ_1 < 0 forgetting."""
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
    """The length of all gradients of a container taken as one vector."""
    largest = max(
        (float(np.abs(value).max(initial=0)) for _, value in leaves(gradients)), default=0.0
    )
    unit = (
        1.0 if 1e-140 < largest < 1e140 or largest in (0, np.inf) else largest
    )  # else the squares leave the range
    with np.errstate(over="ignore"):
        squares = sum(
            np.sum(np.square(np.abs(value) / unit, dtype=float)) for _, value in leaves(gradients)
        )
        return unit * np.sqrt(squares)


def clip_by_global_norm(gradients, threshold):
    """g · min(1, threshold / ‖g‖) with one ‖g‖ over all arrays of the container: the direction stays (`C48`, `C49`).

    Returns (clipped, ‖g‖ before). A gradient with an infinity has no direction left: ValueError."""
    _positive(threshold)
    size = global_norm(gradients)
    if not np.isfinite(size):
        raise wanted("gradients", "an infinite norm", "finite gradients")
    factor = min(1.0, float(threshold / size)) if size > 0 else 1.0  # a Python number keeps float32
    return map_leaves(lambda g: g * factor, gradients), size


def clip_by_norm(gradients, threshold):
    """g · min(1, threshold / ‖g‖) for each array by itself: the direction of the whole gradient changes."""
    return map_leaves(lambda g: clip_by_global_norm((g,), threshold)[0][0], gradients)


def clip_by_value(gradients, threshold):
    """Every entry moved into [−threshold, threshold]: the direction changes."""
    _positive(threshold)
    return map_leaves(lambda g: np.clip(g, -threshold, threshold), gradients)


def _positive(threshold):
    if not check_number("threshold", threshold) > 0:
        raise wanted("threshold", threshold, "a positive number")


def truncated_backward(params, cache, dh, window):
    """Backpropagation in which the loss of step t sees steps t, t−1, …, t−window+1 and takes what came before as given.

    dh (T, *G, B, H) or {t: array} is ∂⁺L/∂h_t; the `Gradients` are those of `rnn.backward` or `lstm.backward`, each the
    exact derivative of that loss. window = 1 keeps the immediate derivatives ∂⁺, window ≥ T is the full gradient.
    Row j of h (and c) sums the losses of steps j … j+window−1; h_0 is reached through step 1."""
    params = checked(params, cache)
    T = len(cache.h) - 1
    if not is_whole(window, 1):
        raise wanted("window", window, "a positive whole number")
    is_lstm = isinstance(params, lstm.Params)
    eps = upstream(
        "dh", dh, cache.h[1:].shape, cache.h.dtype
    )  # row t: the loss of one step, on its way back
    grad_h, grad_c, delta = np.zeros_like(cache.h), np.zeros_like(cache.h), np.zeros_like(eps)
    if is_lstm:
        local, tau = local_derivatives(cache), output_derivative(cache)
        grad_a = np.zeros((*eps.shape[:-1], 4 * eps.shape[-1]), eps.dtype)
    else:
        slope, grad_a = cache.activation.df(cache.h[1:]), np.zeros_like(eps)
    with np.errstate(over="ignore", invalid="ignore"):
        for lag in range(
            min(window, T)
        ):  # the loss of step t is at step t − lag; what has left step 1 is done
            here = slice(0, T - lag)
            grad_h[1:][here] += eps
            if is_lstm:
                delta += eps * tau[here]
                grad_c[1:][here] += delta
                both = np.stack([delta, delta, delta, eps], axis=-2)
                da = (both * local[here]).reshape(*eps.shape[:-1], -1)
                delta = delta * cache.f[here]
            else:
                da = eps * slope[here]
            grad_a[here] += da
            eps = da @ params.W_hh
            grad_h[0] += eps[0]
            grad_c[0] += delta[0]
            eps, delta = eps[1:], delta[1:]
        grads = rnn.parameter_gradients(params, grad_a, cache.hx)
        grad_x = grad_a @ params.W_xh
    report_overflow("the gradient", grad_h, grad_c, grad_a, grad_x, *grads)
    if is_lstm:
        return lstm.Gradients(grads, grad_x, grad_h, grad_c, grad_a)
    return rnn.Gradients(grads, grad_x, grad_h, grad_a)
