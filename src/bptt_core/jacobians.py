"""What one step does to a small change of the state, and what many steps do.

step_jacobians   ∂s_t/∂s_{t−1} for every step of any cell: s = h, or s = (h, c) for the LSTM
products         ∂s_T/∂s_{T−k} for every lag k
norms            their 2-norms or Frobenius norms; `singular_values` all of their gains

and for the LSTM alone, whose cell the sources follow back:

cell_terms       the four terms A_t, B_t, C_t, D_t of ∂c_t/∂c_{t−1} (`B43`)
cell_jacobians   the exact ∂c_T/∂c_{T−k}; `two_step_defect` is what the product of one-step
                 derivatives misses
explicit_path    the path t_0 through the cell alone (`C34`)
output_gate_path the path t_1 through the output gate alone (`C44`)
path_families    the exact gradient of the cell, split by the kind of path it took

All of them accept leading grid axes G. A derivative is a matrix (out, in); a gradient is a row.
"""

from typing import NamedTuple

import numpy as np

from bptt_core import lstm
from bptt_core._arrays import diagonal, report_overflow, scale_rows
from bptt_core._checks import check_choice, number_array, wanted
from bptt_core.cells import cell_of, checked

__all__ = [
    "CellTerms",
    "PathFamilies",
    "cell_jacobians",
    "cell_terms",
    "explicit_path",
    "norms",
    "output_gate_path",
    "path_families",
    "products",
    "singular_values",
    "step_jacobians",
    "two_step_defect",
]


def step_jacobians(params, cache):
    """J_t = ∂s_t/∂s_{t−1} for t = 1…T, as an array whose row t−1 is J_t:
    the `jacobian` of the cell at every step.

        RNN   s = h       J_t = D(φ′(a_t)) W_hh                   (`A41`, `D-eq6`)
        LSTM  s = (h, c)  M_t = [[R_t + D(τ_t) G_t, D(τ_t ∘ f_t)], [G_t, D(f_t)]]  (`C50`)
        GRU   s = h       see `gru.jacobian`

    Returns (T, *G, B, H, H), for the LSTM (T, *G, B, 2H, 2H).
    ValueError: parameters and cache that do not go together.

    >>> params = rnn.Params(np.ones((1, 1)), np.array([[0.5]]))
    >>> cache = rnn.forward(params, np.ones((3, 1, 1)), activation="identity")
    >>> jacobians.step_jacobians(params, cache).ravel().tolist()
    [0.5, 0.5, 0.5]
    """
    params = checked(params, cache)
    cell = cell_of(params)
    return cell.jacobian(params, cell.slopes(cache))


def products(J):
    """P_k = ∂s_T/∂s_{T−k} = J_T J_{T−1} … J_{T−k+1} for k = 0…T; P_0 is the identity.

    J (T, …, N, N) → (T+1, …, N, N). A product beyond the floating-point range comes back as
    infinity with an `ExplodedWarning`. ValueError: no stack of square matrices, NaN or infinity.

    >>> jacobians.products([[[2.0]], [[3.0]]]).ravel().tolist()
    [1.0, 3.0, 6.0]
    """
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

    norm  "2", the largest singular value, or "fro", the root of the sum of squares

    ValueError: an unknown norm.

    >>> matrix = np.diag([3.0, 4.0])
    >>> float(jacobians.norms(matrix)), float(jacobians.norms(matrix, "fro"))
    (4.0, 5.0)
    """
    if check_choice("norm", norm, ("2", "fro")) == "2":
        return singular_values(matrices)[..., 0]
    matrices = np.asarray(matrices)
    matrices = matrices if matrices.dtype.kind in "fc" else matrices.astype(float)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        entries = matrices.reshape(*matrices.shape[:-2], -1)
        size = np.asarray(np.sqrt(np.vecdot(entries, entries).real))
        edge = 1e140 if matrices.dtype == float else 1e17
        unsafe = ~((size > 1 / edge) & (size < edge))
        if unsafe.any():  # the squares left the range, the norm need not
            outside = matrices[unsafe]
            largest = np.abs(outside).max((-2, -1), keepdims=True)
            ratio = np.divide(outside, largest, out=np.zeros_like(outside), where=largest > 0)
            scaled = largest[..., 0, 0] * np.linalg.norm(ratio, axis=(-2, -1))
            size[unsafe] = np.where(np.isfinite(largest[..., 0, 0]), scaled, np.inf)
    return size[()]


def singular_values(matrices):
    """The singular values of every matrix of a stack (…, N, M), largest first:
    what each direction gains.

    >>> jacobians.singular_values(np.diag([3.0, 4.0])).tolist()
    [4.0, 3.0]
    """
    matrices = np.asarray(matrices)
    finite = np.isfinite(matrices).all((-2, -1))
    values = np.linalg.svd(np.where(finite[..., None, None], matrices, 0), compute_uv=False)
    values[~finite] = np.inf
    return values


class CellTerms(NamedTuple):
    """The four terms whose sum is ∂c_t/∂c_{t−1}, each (T, *G, B, H, H). In row 0 only B_1:
    h_0 is given."""

    A: np.ndarray  # D(c_{t−1} ∘ f′_t) W_hf D(τ_{t−1}), through the forget gate
    B: np.ndarray  # D(f_t), in the cell
    C: np.ndarray  # D(g_t ∘ i′_t) W_hi D(τ_{t−1}), through the input gate
    D: np.ndarray  # D(i_t ∘ g′_t) W_hg D(τ_{t−1}), through the candidate


def cell_terms(params, cache):
    """∂c_t/∂c_{t−1} = A_t + B_t + C_t + D_t (`B43`, `A77`):
    `sum(terms)` is the derivative of one step.

    Each step is exact; `products(sum(terms))` is not, because a product of several steps loses the
    road c → h → o → h (see `two_step_defect`). ValueError: no LSTM, a cache of other parameters.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.full((4, 1), 0.5))
    >>> terms = jacobians.cell_terms(params, lstm.forward(params, np.ones((3, 1, 1))))
    >>> [term[2].round(3).item() for term in terms]
    [0.026, 0.786, 0.021, 0.03]
    """
    params = checked(params, cache, lstm)
    slopes = lstm.slopes(cache)
    tau = _tau_before(slopes)[..., None, :]
    return CellTerms(
        A=scale_rows(slopes.f, params.W_hf) * tau,
        B=diagonal(slopes.keep),
        C=scale_rows(slopes.i, params.W_hi) * tau,
        D=scale_rows(slopes.g, params.W_hg) * tau,
    )


def two_step_defect(params, cache):
    """∂c_t/∂c_{t−2} − (∂c_t/∂c_{t−1}) (∂c_{t−1}/∂c_{t−2}) = G_t R_{t−1} D(τ_{t−2}), row t−1.

    The detour c_{t−2} → h_{t−2} → o_{t−1} → h_{t−1} → gates → c_t, which no product of one-step
    derivatives contains (`A79`, `B44`, `D-eq22`). Returns (T, *G, B, H, H), zero in rows 0 and 1.
    ValueError: no LSTM, a cache of other parameters.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.full((4, 1), 0.5))
    >>> defect = jacobians.two_step_defect(params, lstm.forward(params, np.ones((3, 1, 1))))
    >>> defect.ravel().round(4).tolist()
    [0.0, 0.0, 0.0101]
    """
    params = checked(params, cache, lstm)
    slopes = lstm.slopes(cache)
    tau = _tau_before(slopes)[..., None, :]
    defect = lstm.cell_by_state(params, slopes)
    R = scale_rows(slopes.o, params.W_ho)
    defect[1:] = defect[1:] @ R[:-1] * tau[:-1]
    defect[:1] = 0
    return defect


def cell_jacobians(params, cache):
    """The exact ∂c_T/∂c_{T−k} with every h free to respond, k = 0…T: the pair (h, c) is carried.

    Returns (T+1, *G, B, H, H). ValueError: no LSTM, a cache of other parameters.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> cache = lstm.forward(params, np.ones((3, 1, 1)))
    >>> jacobians.cell_jacobians(params, cache).ravel().round(3).tolist()
    [1.0, 0.731, 0.534, 0.391]
    """
    checked(params, cache, lstm)
    H = cache.c.shape[-1]
    dc = np.eye(H, dtype=cache.c.dtype).reshape(H, *[1] * (cache.c.ndim - 2), H)
    return np.moveaxis(path_families(params, cache, dc=dc).total, 1, -2)


def explicit_path(params, cache, dh):
    """t_0 = L′ D(τ_T) D(f_T ∘ … ∘ f_{T−k+1}),
    the part of ∂L/∂c_{T−k} that stays in the cell (`C34`, `A73`).

    dh (*G, B, H) is ∂L/∂h_T; returns (T+1, *G, B, H), row k for lag k.
    ValueError: no LSTM, a cache of other parameters, a shape that does not fit.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.zeros((4, 1)))
    >>> cache = lstm.forward(params, np.ones((3, 1, 1)))
    >>> jacobians.explicit_path(params, cache, [[1.0]]).ravel().round(3).tolist()
    [0.201, 0.147, 0.107, 0.079]
    """
    return path_families(params, cache, dh=dh).cell


def output_gate_path(params, cache, dh):
    """t_1 = L′ R_T R_{T−1} … R_{T−k+1}, the part of ∂L/∂h_{T−k} that passes output gates only
    (`C43`, `C44`).

    dh (*G, B, H) is ∂L/∂h_T; returns (T+1, *G, B, H), row k for lag k.
    ValueError: no LSTM, a cache of other parameters, a shape that does not fit.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.ones((4, 1)))
    >>> cache = lstm.forward(params, np.ones((3, 1, 1)))
    >>> jacobians.output_gate_path(params, cache, [[1.0]]).ravel().round(4).tolist()
    [1.0, 0.127, 0.0167, 0.0017]
    """
    params = checked(params, cache, lstm)
    through_o = lstm.slopes(cache).o
    path = [_upstream("dh", dh, cache) + np.zeros_like(cache.h[0])]
    with np.errstate(over="ignore", invalid="ignore"):
        for o_t in through_o[::-1]:
            path.append((path[-1] * o_t) @ params.W_ho)
    path = np.stack(path)
    report_overflow("the gradient", path)
    return path


class PathFamilies(NamedTuple):
    """∂L/∂c_{T−k} split by the paths it took back from step T, each (T+1, …, *G, B, H),
    row k for lag k.

    A path goes from c_{t−1} to c_t inside the cell (f) or through h_{t−1} and the gates i, f, g;
    from h_{t−1} to h_t through the output gate. Every path belongs to one family.

    cell    never leaves the cell: t_0 of `C34`
    gates   leaves it through i, f or g at least once, never through o: with `cell` the product of
            `B44`
    output  leaves it at once and stays in h, through o at every step: t_1 of `C44`, times τ_{T−k}
    mixed   through o at some step, and through the cell or i, f, g at another"""

    cell: np.ndarray
    gates: np.ndarray
    output: np.ndarray
    mixed: np.ndarray

    @property
    def total(self):
        """The exact gradient: the sum of all families."""
        return self.cell + self.gates + self.output + self.mixed

    def along_total(self):
        """Each family's signed length along the exact gradient, (T+1, …, *G, B):
        the four add up to its norm."""
        total = self.total
        size = norms(total[..., None, :], "fro")[..., None]  # of any magnitude
        direction = np.divide(total, size, out=np.zeros_like(total), where=size > 0)
        return PathFamilies(*((family * direction).sum(-1) for family in self))


def path_families(params, cache, dh=None, dc=None):
    """Split ∂L/∂c_{T−k} into path families, for a loss that reads h_T and c_T (`C22`, `C24`).

    dh, dc  ∂⁺L/∂h_T and ∂⁺L/∂c_T, (*G, B, H), or with further axes in front for several losses at
            once

    ValueError: neither is given, a shape does not fit, no LSTM.

    >>> params = lstm.Params(W_xh=np.ones((4, 1)), W_hh=np.ones((4, 1)))
    >>> cache = lstm.forward(params, np.ones((3, 1, 1)))
    >>> families = jacobians.path_families(params, cache, dh=[[1.0]])
    >>> [family[2].round(4).item() for family in families]
    [0.0651, 0.0289, 0.0091, 0.0374]
    """
    params = checked(params, cache, lstm)
    if dh is None and dc is None:
        raise wanted("dh, dc", "None and None", "at least one of them")
    dh = _upstream("dh", dh, cache)
    dc = _upstream("dc", dc, cache)
    slopes = lstm.slopes(cache)
    tau = _tau_before(slopes)

    def through_gates(delta, t):  # G_tᵀ δ
        through_i = (delta * slopes.i[t]) @ params.W_hi
        through_f = (delta * slopes.f[t]) @ params.W_hf
        through_g = (delta * slopes.g[t]) @ params.W_hg
        return through_i + through_f + through_g

    def through_output(eps, t):  # R_tᵀ ε
        return (eps * slopes.o[t]) @ params.W_ho

    # The families' gradients of c_t; of h_t, eps has come through o only, left through the gates
    # last and no o before, mixed_h on any other way.
    cell = dc + dh * slopes.tau[-1] + np.zeros_like(cache.c[0])
    nought = np.zeros_like(cell)
    gates, output, mixed = nought, nought, nought
    eps, left, mixed_h = nought + dh, nought, nought
    rows = [(cell, gates, output, mixed)]
    with np.errstate(over="ignore", invalid="ignore"):
        for t in reversed(range(len(tau))):
            mixed_h = through_gates(output + mixed, t) + through_output(left + mixed_h, t)
            left = through_gates(cell + gates, t)
            eps = through_output(eps, t)
            mixed = (output + mixed) * slopes.keep[t] + mixed_h * tau[t]
            cell = cell * slopes.keep[t]
            gates = gates * slopes.keep[t] + left * tau[t]
            output = eps * tau[t]
            rows.append((cell, gates, output, mixed))
    families = PathFamilies(*(np.stack(family) for family in zip(*rows, strict=True)))
    report_overflow("the gradient", *families)
    return families


def _tau_before(slopes):
    """τ_{t−1} for t = 1…T; zero for t = 1, because h_0 is given and does not depend on c_0."""
    return np.concatenate([np.zeros_like(slopes.tau[:1]), slopes.tau[:-1]])


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
