"""What one step does to a small change of the state, and what many steps do.

step_jacobians   ∂s_t/∂s_{t−1} for every step: s = h for the RNN, s = (h, c) for the LSTM
products         ∂s_T/∂s_{T−k} for every lag k
norms            their 2-norms or Frobenius norms; `singular_values` all of their gains
cell_terms       the four terms A_t, B_t, C_t, D_t of ∂c_t/∂c_{t−1} (`B43`)
cell_jacobians   the exact ∂c_T/∂c_{T−k}; `two_step_defect` is what the product of one-step derivatives misses
explicit_path    the path t_0 through the cell alone (`C34`)
output_gate_path the path t_1 through the output gate alone (`C44`)
path_families    the exact gradient of the cell, split by the kind of path it took

All of them accept leading grid axes G. A derivative is a matrix (out, in); a gradient is a row.
"""

from typing import NamedTuple

import numpy as np

from bptt_core import lstm, rnn
from bptt_core._arrays import check_cache, check_weights, number_array, report_overflow, wanted
from bptt_core.lstm import local_derivatives, output_derivative


def step_jacobians(params, cache):
    """J_t = ∂s_t/∂s_{t−1} for t = 1…T, as an array whose row t−1 is J_t.

        RNN   J_t = D(φ′(a_t)) W_hh                                              (T, *G, B, H, H)   (`A41`, `D-eq6`)
        LSTM  M_t = [[R_t + D(τ_t) G_t, D(τ_t ∘ f_t)], [G_t, D(f_t)]] on (h, c)  (T, *G, B, 2H, 2H) (`C50`)

    D(v)  the diagonal matrix of v          τ_t = o_t ∘ tanh′(c_t) = ∂h_t/∂c_t
    G_t   ∂c_t/∂h_{t−1} at fixed c_{t−1}    R_t = D(tanh(c_t) ∘ o′_t) W_ho, the path through the output gate
    ValueError: parameters and cache that do not go together."""
    params = checked(params, cache)
    if isinstance(params, rnn.Params):
        return cache.activation.df(cache.h[1:])[..., None] * params.W_hh[..., None, :, :]
    local, tau = local_derivatives(cache), output_derivative(cache)
    G, R = gate_matrix(params, local), _scaled_rows(local[..., 3, :], params.W_ho)
    H = G.shape[-1]
    M = np.empty((*G.shape[:-2], 2 * H, 2 * H), G.dtype)
    M[..., :H, :H] = R + tau[..., None] * G
    M[..., :H, H:] = _diagonal(tau * cache.f)
    M[..., H:, :H] = G
    M[..., H:, H:] = _diagonal(cache.f)
    return M


def products(J):
    """P_k = ∂s_T/∂s_{T−k} = J_T J_{T−1} … J_{T−k+1} for k = 0…T; P_0 is the identity. J (T, …, N, N) → (T+1, …, N, N).

    A product beyond the floating-point range comes back as infinity with an `ExplodedWarning`."""
    J = number_array("J", J)
    if J.ndim < 3 or J.shape[-1] != J.shape[-2]:
        raise wanted("J", f"shape {J.shape}", "(T, …, N, N)")
    P = np.empty((J.shape[0] + 1, *J.shape[1:]), J.dtype)
    P[0] = np.eye(J.shape[-1])
    with np.errstate(over="ignore", invalid="ignore"):
        for J_t, longer, shorter in zip(J[::-1], P[1:], P[:-1], strict=True):
            np.matmul(shorter, J_t, out=longer)
    report_overflow("the product of Jacobians", P)
    return P


def norms(matrices, norm="2"):
    """The norm of every matrix of a stack (…, N, M); infinity for a matrix that holds one.

    norm  "2", the largest singular value, or "fro", the root of the sum of squares"""
    if norm not in ("2", "fro"):
        raise wanted("norm", repr(norm), "'2' or 'fro'")
    if norm == "2":
        return singular_values(matrices)[..., 0]
    matrices = np.asarray(matrices)
    matrices = matrices if matrices.dtype.kind in "fc" else matrices.astype(float)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        entries = matrices.reshape(*matrices.shape[:-2], -1)
        size = np.asarray(np.sqrt(np.vecdot(entries, entries).real))
        unsafe = (
            ~((size > 1e-140) & (size < 1e140))
            if matrices.dtype == float
            else ~((size > 1e-17) & (size < 1e17))
        )
        if unsafe.any():  # the squares left the range, the norm need not
            largest = np.abs(matrices[unsafe]).max((-2, -1), keepdims=True)
            ratio = np.divide(
                matrices[unsafe], largest, out=np.zeros_like(matrices[unsafe]), where=largest > 0
            )
            scaled = largest[..., 0, 0] * np.linalg.norm(ratio, axis=(-2, -1))
            size[unsafe] = np.where(np.isfinite(largest[..., 0, 0]), scaled, np.inf)
    return size[()]


def singular_values(matrices):
    """The singular values of every matrix of a stack (…, N, M), largest first: how much each direction is stretched."""
    matrices = np.asarray(matrices)
    finite = np.isfinite(matrices).all((-2, -1))
    values = np.linalg.svd(np.where(finite[..., None, None], matrices, 0), compute_uv=False)
    values[~finite] = np.inf
    return values


class CellTerms(NamedTuple):
    """The four terms whose sum is ∂c_t/∂c_{t−1}, each (T, *G, B, H, H). In row 0 only B_1: h_0 is given."""

    A: np.ndarray  # D(c_{t−1} ∘ f′_t) W_hf D(τ_{t−1}), through the forget gate
    B: np.ndarray  # D(f_t), in the cell
    C: np.ndarray  # D(g_t ∘ i′_t) W_hi D(τ_{t−1}), through the input gate
    D: np.ndarray  # D(i_t ∘ g′_t) W_hg D(τ_{t−1}), through the candidate


def cell_terms(params, cache):
    """∂c_t/∂c_{t−1} = A_t + B_t + C_t + D_t (`B43`, `A77`): `sum(terms)` adds them, `products(sum(terms))` multiplies.

    Each step is exact; the product of several steps is not, because it loses c → h → o → h (see `two_step_defect`)."""
    params = checked(params, cache, lstm)
    local, tau = local_derivatives(cache), _tau_before(cache)[..., None, :]
    i, f, g, _ = np.moveaxis(local, -2, 0)
    A, C, D = (
        _scaled_rows(v, W) * tau for v, W in ((f, params.W_hf), (i, params.W_hi), (g, params.W_hg))
    )
    return CellTerms(A, _diagonal(cache.f), C, D)


def two_step_defect(params, cache):
    """∂c_t/∂c_{t−2} − (∂c_t/∂c_{t−1}) (∂c_{t−1}/∂c_{t−2}) = G_t R_{t−1} D(τ_{t−2}), (T, *G, B, H, H), row t−1.

    The detour c_{t−2} → h_{t−2} → o_{t−1} → h_{t−1} → gates → c_t, which no product of one-step derivatives contains
    (`A79`, `B44`, `D-eq22`). Zero in rows 0 and 1."""
    params = checked(params, cache, lstm)
    local, tau = local_derivatives(cache), _tau_before(cache)
    defect = gate_matrix(params, local)
    defect[1:] = (
        defect[1:] @ _scaled_rows(local[:-1, ..., 3, :], params.W_ho) * tau[:-1, ..., None, :]
    )
    defect[:1] = 0
    return defect


def cell_jacobians(params, cache):
    """The exact ∂c_T/∂c_{T−k} with every h free to respond, k = 0…T, (T+1, *G, B, H, H): the pair (h, c) is carried."""
    checked(params, cache, lstm)
    H = cache.c.shape[-1]
    dc = np.eye(H, dtype=cache.c.dtype).reshape(H, *[1] * (cache.c.ndim - 2), H)
    return np.moveaxis(path_families(params, cache, dc=dc).total, 1, -2)


def explicit_path(params, cache, dh):
    """t_0 = L′ D(τ_T) D(f_T ∘ … ∘ f_{T−k+1}), the part of ∂L/∂c_{T−k} that stays in the cell (`C34`, `A73`).

    dh (*G, B, H) is ∂L/∂h_T; returns (T+1, *G, B, H), row k for lag k."""
    return path_families(params, cache, dh=dh).cell


def output_gate_path(params, cache, dh):
    """t_1 = L′ R_T R_{T−1} … R_{T−k+1}, the part of ∂L/∂h_{T−k} that passes output gates only (`C43`, `C44`).

    dh (*G, B, H) is ∂L/∂h_T; returns (T+1, *G, B, H), row k for lag k."""
    params = checked(params, cache, lstm)
    local = local_derivatives(cache)[..., 3, :]
    path = [_upstream("dh", dh, cache) + np.zeros_like(cache.h[0])]
    with np.errstate(over="ignore", invalid="ignore"):
        for o_t in local[::-1]:
            path.append((path[-1] * o_t) @ params.W_ho)
    path = np.stack(path)
    report_overflow("the gradient", path)
    return path


class PathFamilies(NamedTuple):
    """∂L/∂c_{T−k} split by the paths it took back from step T, each (T+1, …, *G, B, H), row k for lag k.

    A path goes from c_{t−1} to c_t inside the cell (f) or through h_{t−1} and the gates i, f, g; from h_{t−1} to h_t
    through the output gate. Every path belongs to one family."""

    cell: np.ndarray  # never leaves the cell: t_0 of `C34`
    gates: np.ndarray  # leaves it through i, f or g at least once, never through o: with `cell` the product of `B44`
    output: (
        np.ndarray
    )  # leaves it at once and stays in h, through o at every step: t_1 of `C44`, times τ_{T−k}
    mixed: np.ndarray  # through o at some step, and through the cell or i, f, g at another

    @property
    def total(self):
        """The exact gradient: the sum of all families."""
        return self.cell + self.gates + self.output + self.mixed

    def along_total(self):
        """Each family's signed length along the exact gradient, (T+1, …, *G, B): the four add up to its norm."""
        total = self.total
        size = norms(total[..., None, :], "fro")[..., None]  # of any magnitude
        direction = np.divide(total, size, out=np.zeros_like(total), where=size > 0)
        return PathFamilies(*((family * direction).sum(-1) for family in self))


def path_families(params, cache, dh=None, dc=None):
    """Split ∂L/∂c_{T−k} into path families, for a loss that reads h_T and c_T: a recursion for each (`C22`, `C24`).

    dh, dc  ∂⁺L/∂h_T and ∂⁺L/∂c_T, (*G, B, H), or with further axes in front for several losses at once
    ValueError: neither is given, a shape does not fit, no LSTM"""
    params = checked(params, cache, lstm)
    if dh is None and dc is None:
        raise wanted("dh, dc", "None and None", "at least one of them")
    local = local_derivatives(cache)
    dh, dc = (_upstream(name, value, cache) for name, value in (("dh", dh), ("dc", dc)))
    (T, *_, H), tau, W = cache.s.shape, _tau_before(cache), params.W_hh
    W_gates, W_o = W[..., : 3 * H, :], W[..., 3 * H :, :]

    def through_gates(delta, t):  # G_tᵀ δ
        scaled = delta[..., None, :] * local[t, ..., :3, :]
        return scaled.reshape(*scaled.shape[:-2], 3 * H) @ W_gates

    def through_output(eps, t):  # R_tᵀ ε
        return (eps * local[t, ..., 3, :]) @ W_o

    # The families' gradients of c_t; of h_t, eps has come through o only, left through the gates last and no o before.
    cell = dc + dh * output_derivative(cache)[-1] + np.zeros_like(cache.c[0])
    nought = np.zeros_like(cell)
    gates, output, mixed, left, mixed_h = nought, nought, nought, nought, nought
    eps = nought + dh
    rows = [(cell, gates, output, mixed)]
    with np.errstate(over="ignore", invalid="ignore"):
        for t in reversed(range(T)):
            eps, left, mixed_h = (
                through_output(eps, t),
                through_gates(cell + gates, t),
                through_gates(output + mixed, t) + through_output(left + mixed_h, t),
            )
            f_t, tau_t = cache.f[t], tau[t]
            mixed = (output + mixed) * f_t + mixed_h * tau_t
            cell, gates, output = cell * f_t, gates * f_t + left * tau_t, eps * tau_t
            rows.append((cell, gates, output, mixed))
    families = PathFamilies(*(np.stack(family) for family in zip(*rows, strict=True)))
    report_overflow("the gradient", *families)
    return families


def gate_matrix(params, local):
    """G_t = D(c_{t−1} ∘ f′_t) W_hf + D(g_t ∘ i′_t) W_hi + D(i_t ∘ g′_t) W_hg, from `local_derivatives`."""
    weights = (params.W_hi, params.W_hf, params.W_hg)
    return sum(_scaled_rows(local[..., index, :], W) for index, W in enumerate(weights))


def _tau_before(cache):
    """τ_{t−1} for t = 1…T; zero for t = 1, because h_0 is given and does not depend on c_0."""
    tau = output_derivative(cache)
    return np.concatenate([np.zeros_like(tau[:1]), tau[:-1]])


def _scaled_rows(v, W):
    """D(v) W for v (T, *G, B, H) and W (*G, H, H)."""
    return v[..., None] * W[..., None, :, :]


def _diagonal(v):
    """D(v): the last axis becomes the diagonal of a matrix."""
    return v[..., None] * np.eye(v.shape[-1], dtype=v.dtype)


def _upstream(name, gradient, cache):
    """A gradient of the last state, checked against the shape (*G, B, H); 0 for None."""
    if gradient is None:
        return 0.0
    gradient, shape = number_array(name, gradient), cache.h[0].shape
    try:
        if np.broadcast_shapes(gradient.shape, shape)[-len(shape) :] == shape:
            return gradient
    except ValueError:
        pass
    raise wanted(name, f"shape {gradient.shape}", f"shape {shape}, or with axes in front")


def checked(params, cache, cell=None):
    """`params` with arrays for fields; ValueError unless they belong to `cell` (None: either) and to the cache."""
    cell = cell or (rnn if isinstance(params, rnn.Params) else lstm)
    params, grid, H, D = check_weights(params, cell.Params, blocks=1 if cell is rnn else 4)
    check_cache(cache, cell.Cache, params, grid, H, D)
    return params
