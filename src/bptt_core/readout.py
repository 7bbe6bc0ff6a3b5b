"""From hidden states to a number: a linear layer and two losses.

    y_t = W_hy h_t + b_y
    softmax cross-entropy   L = −Σ_t Σ_k target_tk log softmax(y_t)_k
    squared error           L = ½ Σ_t Σ_k (y_tk − target_tk)²

A loss returns its value and ∂L/∂y; `backward` turns ∂L/∂y into ∂⁺L/∂h, which every cell's
`backward` takes.
"""

from typing import NamedTuple

import numpy as np

from bptt_core._affine import affine, outer_sum
from bptt_core._arrays import over_grid, report_overflow, rows, upstream
from bptt_core._checks import (
    check_choice,
    check_number,
    check_sizes,
    common_dtype,
    is_whole,
    number_array,
    wanted,
)

__all__ = [
    "Gradients",
    "Params",
    "backward",
    "forward",
    "init_params",
    "softmax",
    "softmax_cross_entropy",
    "squared_error",
]


class Params(NamedTuple):
    """Weights of y_t = W_hy h_t + b_y. Leading axes G are a grid of networks."""

    W_hy: np.ndarray  # (*G, K, H)
    b_y: np.ndarray | None = None  # (*G, K)


class Gradients(NamedTuple):
    """Gradients of the readout's weights, and of the states it reads."""

    params: Params
    h: np.ndarray  # (T, *G, B, H), ∂⁺L/∂h_t for t = 1…T


def init_params(hidden_size, output_size, rng, *, scale=1.0, bias=True, dtype=float):
    """W_hy ~ N(0, scale²/H), b_y = 0.

    ValueError: sizes that are no positive whole numbers, no generator, another type than a float.

    >>> [value.shape for value in readout.init_params(3, 2, np.random.default_rng(0))]
    [(2, 3), (2,)]
    """
    check_sizes(rng, dtype, hidden_size=hidden_size, output_size=output_size)
    check_number("scale", scale)
    W_hy = rng.standard_normal((output_size, hidden_size)) * scale / np.sqrt(hidden_size)
    return Params(W_hy.astype(dtype), np.zeros(output_size, dtype) if bias else None)


def forward(params, h):
    """y_t = W_hy h_t + b_y for the states h_1…h_T, (T, *G, B, H) → (T, *G, B, K) (`A10`, `D-eq2`).

    ValueError: shapes that do not fit, NaN or infinity.

    >>> params = readout.Params(W_hy=np.array([[1.0, -1.0]]), b_y=np.array([0.5]))
    >>> readout.forward(params, [[[3.0, 1.0]]]).tolist()
    [[[2.5]]]
    """
    (W_hy, b_y), h = _check(params, h)
    with np.errstate(over="ignore", invalid="ignore"):
        y = affine(h, W_hy, b_y, len(h))
    report_overflow("the output", y)
    return y


def backward(params, h, dy):
    """∂L/∂W_hy = Σ_t ∂L/∂y_t h_tᵀ, ∂L/∂b_y = Σ_t ∂L/∂y_t, ∂⁺L/∂h_t = W_hyᵀ ∂L/∂y_t (`A20`, `A22`).

    dy  ∂L/∂y_t (T, *G, B, K), or (T, B, K) for every network of the grid, or {t: one step}, or None

    An exploded gradient comes back as infinity with an `ExplodedWarning`.
    ValueError: shapes that do not fit, NaN or infinity.

    >>> params = readout.Params(W_hy=np.array([[1.0, -1.0]]), b_y=np.array([0.5]))
    >>> gradients = readout.backward(params, [[[3.0, 1.0]]], {1: [[2.0]]})
    >>> gradients.params.W_hy.tolist(), gradients.h.tolist()
    ([[6.0, 2.0]], [[[2.0, -2.0]]])
    """
    params, h = _check(params, h)
    K, grid = params.W_hy.shape[-2], params.W_hy.shape[:-2]
    dy = upstream("dy", dy, (len(h), *grid, h.shape[-2], K), common_dtype(*params, h))
    with np.errstate(over="ignore", invalid="ignore"):
        db = None if params.b_y is None else rows(dy).sum(-2)
        dW, dh = outer_sum(dy, h), dy @ params.W_hy
    report_overflow("the gradient", dW, db, dh)
    return Gradients(Params(dW, db), dh)


def _check(params, h):
    """`params` and `h` as arrays that go together: h (T, B, H),
    or one for each network of the grid."""
    if not isinstance(params, Params):
        raise wanted("params", type(params).__name__, f"{__name__}.Params")
    h, W_hy = number_array("h", h), number_array("W_hy", params.W_hy)
    b_y = None if params.b_y is None else number_array("b_y", params.b_y)
    if W_hy.ndim < 2 or W_hy.size == 0:
        raise wanted("W_hy", f"shape {W_hy.shape}", "(…, K, H)")
    *grid, _, H = W_hy.shape
    if (
        h.ndim not in (3, 3 + len(grid))
        or h.size == 0
        or h.shape[-1] != H
        or h.shape[1:-2] not in ((), tuple(grid))
    ):
        want = f"({', '.join(map(str, ('T', *grid, 'B', H)))}) for W_hy of shape {W_hy.shape}"
        raise wanted("h", f"shape {h.shape}", want)
    if b_y is not None and b_y.shape != W_hy.shape[:-1]:
        raise wanted("b_y", f"shape {b_y.shape}", f"shape {W_hy.shape[:-1]}")
    return Params(W_hy, b_y), h


def softmax(y):
    """softmax(y)_k = e^{y_k} / Σ_j e^{y_j} over the last axis.

    The largest logit is subtracted first: no overflow. ValueError: no axis, NaN or infinity.

    >>> readout.softmax([0.0, 1.0]).round(3).tolist()
    [0.269, 0.731]
    """
    y = number_array("y", y)
    if y.ndim == 0 or y.shape[-1] == 0:
        raise wanted("y", f"shape {y.shape}", "(…, K)")
    e = np.exp(y - np.real(y).max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_cross_entropy(y, target, *, steps=None, reduction="sum"):
    """L = −Σ target ∘ log softmax(y) and ∂L/∂y = softmax(y) − target (`A16`, `A19`).

    y          logits (T, *G, B, K)
    target     classes (T, B), or distributions (T, B, K) that sum to 1 (`A19` needs that)
    steps      where there is a loss: None (every step), "last", or 1-based steps
    reduction  "sum" (A) or "mean" over the chosen steps and the batch (`D-eq8`)

    Returns (loss of shape G, ∂L/∂y of y's shape).
    ValueError: classes out of range, no distribution, unknown steps, an unknown reduction.

    >>> loss, dy = readout.softmax_cross_entropy([[[0.0, 1.0]]], [[1]])
    >>> round(float(loss), 3), dy.round(3).tolist()
    (0.313, [[[0.269, -0.269]]])
    """
    y = _outputs(y)
    target = number_array("target", target)
    if target.ndim == 2:
        target = _one_hot(target, y)
    target = _like_y(target, y)
    if (target < 0).any() or not np.allclose(target.sum(-1, dtype=float), 1, rtol=0, atol=1e-6):
        raise wanted(
            "target",
            f"sums {target.sum(-1).min():.4g}…{target.sum(-1).max():.4g}, least {target.min():.4g}",
            "probabilities that sum to 1",
        )
    weight = _weights(y, steps, reduction)
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = y - np.real(y).max(-1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        surprise = np.where(weight * target > 0, weight * target * log_p, 0)  # 0 · log 0 = 0
    return -surprise.sum((0, -2, -1)), weight * (np.exp(log_p) - target)


def squared_error(y, target, *, steps=None, reduction="sum"):
    """L = ½ Σ (y − target)² and ∂L/∂y = y − target, for target (T, B, K).

    steps, reduction  as for `softmax_cross_entropy`

    ValueError: shapes that do not fit, NaN or infinity, unknown steps, an unknown reduction.

    >>> loss, dy = readout.squared_error([[[3.0]]], [[[1.0]]])
    >>> float(loss), dy.tolist()
    (2.0, [[[2.0]]])
    """
    y = _outputs(y)
    weight = _weights(y, steps, reduction)
    error = np.where(weight > 0, y - _like_y(target, y), 0)
    return (weight * error * error).sum((0, -2, -1)) / 2, weight * error


def _outputs(y):
    """`y` as an array (T, *G, B, K) with something in it."""
    y = number_array("y", y)
    if y.ndim < 3 or y.size == 0:
        raise wanted("y", f"shape {y.shape}", "(T, …, B, K), none of them 0")
    return y


def _one_hot(classes, y):
    """Classes (T, B) as distributions (T, B, K)."""
    T, *_, B, K = y.shape
    if classes.shape != (T, B):
        want = f"classes of shape {(T, B)} or distributions of shape {(T, B, K)}"
        raise wanted("target", f"shape {classes.shape}", want)
    if not np.isin(classes, np.arange(K)).all():
        raise wanted(
            "target", f"classes {classes.min():g}…{classes.max():g}", f"whole classes 0…{K - 1}"
        )
    return np.eye(K, dtype=y.real.dtype)[classes.real.astype(int)]


def _like_y(target, y):
    """Target (T, B, K) with room for the grid axes of y (T, *G, B, K)."""
    target = number_array("target", target)
    T, *_, B, K = y.shape
    if target.shape not in (y.shape, (T, B, K)):
        raise wanted("target", f"shape {target.shape}", f"shape {(T, B, K)}")
    if target.dtype.kind == "c":
        raise wanted("target", "complex numbers", "real numbers")
    return over_grid(target.astype(y.real.dtype, copy=False), y.ndim)


def _weights(y, steps, reduction):
    """Weight of each step's loss, (T, 1, …, 1): 0 off `steps`, else 1, or 1/(number of terms)
    for the mean."""
    T, B = y.shape[0], y.shape[-2]
    every = range(1, T + 1)
    if steps is None or isinstance(steps, str):
        chosen = {None: every, "last": [T]}.get(steps, [])
    else:
        chosen = list(steps) if hasattr(steps, "__iter__") else []
    if not chosen or not all(is_whole(t, 1, T) for t in chosen):
        raise wanted("steps", repr(steps), f"None, 'last', or steps from 1 to {T}")
    check_choice("reduction", reduction, ("sum", "mean"))
    weight = np.zeros((T, *[1] * (y.ndim - 1)), y.real.dtype)
    weight[np.array(chosen) - 1] = 1 if reduction == "sum" else 1 / (len(set(chosen)) * B)
    return weight
