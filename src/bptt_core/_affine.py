"""The affine map of a layer, W x_t + b, for every step at once or step by step, and its gradients.

affine               for every step at once
outer_sum            Σ_t dz_t x_tᵀ
joint_map            [h_{t−1}, x_t, 1] and [W_hh, W_xh, b_h]ᵀ, whose product is a_t
parameter_gradients  of a cell whose a_t is that product: the RNN's and the LSTM's
all_gradients        what a backward pass returns, once dL/da_t is known for every step
"""

import numpy as np

from bptt_core._arrays import by_step, over_grid, report_overflow, rows

__all__ = ["affine", "all_gradients", "joint_map", "outer_sum", "parameter_gradients"]


def affine(x, W, b, T):
    """W x_t + b for every step at once: (T, …, B, D) → (T, *G, B, N)."""
    z = rows(x) @ W.mT
    return by_step(z if b is None else z + b[..., None, :], T)


def outer_sum(dz, x, *, per_step=False):
    """Σ_t Σ_batch dz_t x_tᵀ, the gradient of a weight that maps x_t to z_t.

    per_step  before the sum over t, with a leading axis T

    As (Σ x_t dz_tᵀ)ᵀ, with the wider factor on the right, the product is a quarter faster."""
    return dz.mT @ over_grid(x, dz.ndim) if per_step else (rows(x).mT @ rows(dz)).mT


def joint_map(params, x, h_0, dtype):
    """[h_{t−1}, x_t, 1] and [W_hh, W_xh, b_h]ᵀ: their product is the whole affine map a_t.

    One product per step is faster than two and a sum. The first is (T+1, *G, B, H+D+1), and its
    part h is filled in row 0 only: a forward pass writes h_t into row t, where the next product
    reads it. Without a bias there is no 1."""
    bias = [] if params.b_h is None else [params.b_h[..., None]]
    W = np.concatenate([params.W_hh, params.W_xh, *bias], axis=-1)
    *grid, _, H = params.W_hh.shape
    T, B, D = len(x), *x.shape[-2:]
    joint = np.empty((T + 1, *grid, B, W.shape[-1]), dtype)
    joint[0, ..., :H] = 0 if h_0 is None else h_0
    joint[:-1, ..., H : H + D] = over_grid(x, joint.ndim)
    joint[:-1, ..., H + D :] = 1
    joint[-1, ..., H:] = 0  # there is no x_{T+1}
    return joint, np.ascontiguousarray(W.mT, dtype)


def parameter_gradients(params, cache, da, *, per_step=False):
    """Σ_t da_t [h_{t−1}, x_t, 1]ᵀ, cut into the gradients of W_hh, W_xh and b_h;
    with `per_step` its terms."""
    outer = outer_sum(da, cache.joint[:-1], per_step=per_step)
    H = params.W_hh.shape[-1]
    D = params.W_xh.shape[-1]
    db = None if params.b_h is None else outer[..., -1]
    return type(params)(outer[..., H : H + D], outer[..., :H], db)


def all_gradients(
    container, params, cache, states, da, *, per_step=False, of_parameters=parameter_gradients
):
    """The `Gradients` of a cell from those of its states and of a_t; an overflow is reported,
    so ignore NumPy's warnings.

    Of the arrays it is enough to look at the parameters, the inputs and the initial states: an
    overflow gets there."""
    grads = of_parameters(params, cache, da)
    terms = of_parameters(params, cache, da, per_step=True) if per_step else None
    grad_x = da @ params.W_xh
    arrays = (*states, da, grad_x, *grads, *(terms or ()))
    watch = (*grads, grad_x, *(state[0] for state in states))
    report_overflow("the gradient", *arrays, watch=watch, stacklevel=4)
    return container(grads, grad_x, *states, da, terms)
