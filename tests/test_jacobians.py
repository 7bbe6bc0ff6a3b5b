"""Step Jacobians, their products, the paths of an LSTM:
against the complex step through single steps."""

from itertools import product

import numpy as np
import pytest
from witnesses import (
    CELLS,
    every_cell,
    every_setting_of_every_cell,
    network,
    of_grid,
    states_of,
    stepped,
)

from bptt_core import ExplodedWarning, cells, lstm, rnn
from bptt_core.activations import get_activation, sigmoid
from bptt_core.jacobians import (
    PathFamilies,
    cell_jacobians,
    cell_terms,
    explicit_path,
    norms,
    output_gate_path,
    path_families,
    products,
    singular_values,
    step_jacobians,
    two_step_defect,
)

T, B, D, H = 4, 2, 3, 5
GRIDS = [(), (3,), (2, 3)]
SQUASHES = [("tanh", True), ("sigmoid", True), ("tanh", False), ("sigmoid", False)]


def draw(cell, grid=(), **settings):
    return network(cell, T, B, D, H, grid, **settings)


def state(cell, cache, t):
    """The states of step t side by side."""
    return np.concatenate([array[t] for array in states_of(cell, cache)], axis=-1)


def dense(function, at):
    """The Jacobian (out, in) of a function of a vector, by the complex step."""
    columns = [np.imag(function(at + 1e-30j * e)) / 1e-30 for e in np.eye(len(at))]
    return np.stack(columns, axis=-1)


def close(got, want, tolerance=1e-13):
    return np.abs(got - want).max() <= tolerance * max(1.0, np.abs(want).max())


@pytest.mark.parametrize("grid", GRIDS)
@every_setting_of_every_cell
def test_the_step_jacobian_is_the_derivative_of_one_step(cell, settings, grid):
    params, cache = draw(cell, grid, **settings)
    J = step_jacobians(params, cache)
    parts = len(cell.STATES)
    assert J.shape == (T, *grid, B, parts * H, parts * H)
    for g in np.ndindex(grid):
        net, _ = of_grid(cell, params, cache, g, **settings)
        for b, t in product(range(B), range(T)):

            def step(s, net=net, b=b, t=t):
                x_t = cache.x[t, b : b + 1]
                after = stepped(cell, net, x_t, np.split(s[None], parts, -1), **settings)
                return np.concatenate(after, axis=-1)[0]

            assert close(J[t][g][b], dense(step, state(cell, cache, t)[g][b]))


@pytest.mark.parametrize("grid", GRIDS)
@every_setting_of_every_cell
def test_the_rows_of_the_step_jacobian_are_unit_gradients_that_went_one_step_back(
    cell, settings, grid
):
    params, cache = draw(cell, grid, **settings)
    J = step_jacobians(params, cache)
    units = np.split(np.eye(len(cell.STATES) * H), len(cell.STATES), axis=-1)
    for t, b in product(range(T), range(B)):
        slopes_t = cells.at(cell.slopes(cache), (t, ..., slice(b, b + 1), slice(None)))
        _, *before = cell.step_back(params, slopes_t, *units)
        assert close(np.concatenate(before, axis=-1), J[t, ..., b, :, :])


@every_setting_of_every_cell
def test_a_step_back_is_linear_and_leaves_what_it_is_given_alone(cell, settings):
    params, cache = draw(cell, (3,), **settings)
    slopes_t = cells.at(cell.slopes(cache), 2)
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((2, len(cell.STATES), 3, B, H))
    kept = first.copy()
    both = cell.step_back(params, slopes_t, *(2 * first - 3 * second))
    ones = cell.step_back(params, slopes_t, *first)
    others = cell.step_back(params, slopes_t, *second)
    assert np.array_equal(first, kept)
    assert len(both) == 1 + len(cell.STATES)
    for together, one, other in zip(both, ones, others, strict=True):
        assert close(together, 2 * one - 3 * other)


@every_cell
def test_products_are_the_derivatives_of_the_last_state(cell):
    params, cache = draw(cell)
    P = products(step_jacobians(params, cache))
    for k, b in product(range(T + 1), range(B)):

        def last_state(s, k=k, b=b):
            for x_t in cache.x[T - k :, b : b + 1]:
                parts = np.split(s.reshape(1, -1), len(cell.STATES), axis=-1)
                s = np.concatenate(stepped(cell, params, x_t, parts), axis=-1)
            return s.reshape(-1)

        assert close(P[k, b], dense(last_state, state(cell, cache, T - k)[b]))


OF_EVERY_CELL = [step_jacobians]
OF_THE_LSTM = [
    two_step_defect,
    cell_jacobians,
    lambda params, cache: sum(cell_terms(params, cache)),
    lambda params, cache: explicit_path(params, cache, cache.h[-1]),
    lambda params, cache: output_gate_path(params, cache, cache.h[-1]),
    lambda params, cache: np.stack(path_families(params, cache, cache.h[-1], cache.c[-1]), axis=-1),
]


@pytest.mark.parametrize("grid", GRIDS[1:])
@every_cell
def test_a_grid_gives_what_its_networks_give_one_by_one(cell, grid):
    params, cache = draw(cell, grid)
    for g in np.ndindex(grid):
        net, alone = of_grid(cell, params, cache, g)
        for function in OF_EVERY_CELL + OF_THE_LSTM * (cell is lstm):
            assert close(function(params, cache)[:, *g], function(net, alone), 1e-12)


def test_the_norms_are_the_largest_gain_and_the_root_of_the_sum_of_squares():
    matrices = np.random.default_rng(0).standard_normal((2, 3, 4, 6))
    gains = np.sqrt(np.linalg.eigvalsh(matrices @ matrices.mT))[..., ::-1]
    assert close(singular_values(matrices), gains)
    assert close(norms(matrices), gains[..., 0])
    assert close(norms(matrices, "fro"), np.sqrt((gains**2).sum(-1)))


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-150, 1.0, 1e150, 1e200, 1e300])
@pytest.mark.parametrize("norm", ["2", "fro"])
def test_the_norm_of_a_huge_or_tiny_matrix_is_exact(norm, size):
    matrices = np.random.default_rng(0).standard_normal((3, 4, 4))
    assert np.allclose(
        norms(size * matrices, norm) / size, norms(matrices, norm), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("norm", ["2", "fro"])
def test_the_norm_of_an_infinite_matrix_is_infinite_and_of_a_zero_matrix_zero(norm):
    matrices = np.stack([np.full((3, 3), np.inf), np.eye(3), np.zeros((3, 3))])
    matrices[0, 1, 1] = 2
    assert norms(matrices, norm)[0] == np.inf
    assert np.isclose(norms(matrices, norm)[1], 1 if norm == "2" else np.sqrt(3), rtol=1e-15)
    assert norms(matrices, norm)[2] == 0


@pytest.mark.parametrize("norm", ["2", "fro"])
def test_norms_of_single_precision_survive_squares_that_do_not(norm):
    sizes = np.float32(
        [1e-30, 3e-22, 1e-20, 1e30]
    )  # the squares in the middle lose digits before they are lost
    matrices = sizes[:, None, None] * np.eye(3, dtype=np.float32)
    assert norms(matrices, norm).dtype == np.float32
    assert np.allclose(norms(matrices, norm) / sizes, 1 if norm == "2" else np.sqrt(3), rtol=1e-6)


def test_a_product_that_explodes_is_infinite_and_says_so():
    J = np.full((3, 2, 2), 1e200)
    J[0] *= [[1, -1], [1, -1]]
    with pytest.warns(ExplodedWarning, match="product of Jacobians exploded"):
        P = products(J)
    assert np.isinf(P[2:]).all() and np.isfinite(P[:2]).all()


def cell_step(params, x_t, h, c, squash, forget_gate, listens="ifg"):
    """c_t from c_{t−1} and h_{t−1}, of which a gate that does not listen sees the real part
    only."""
    phi = get_activation(squash).f
    a = {g: x_t @ getattr(params, f"W_x{g}").T + getattr(params, f"b_{g}") for g in "ifg"}
    a = {g: a[g] + (h if g in listens else h.real) @ getattr(params, f"W_h{g}").T for g in "ifg"}
    return (sigmoid(a["f"]) if forget_gate else 1) * c + sigmoid(a["i"]) * phi(a["g"])


@pytest.mark.parametrize(("squash", "forget_gate"), SQUASHES)
def test_each_of_the_four_terms_is_the_derivative_through_its_own_gate(squash, forget_gate):
    params, cache = draw(lstm, squash=squash, forget_gate=forget_gate)
    phi, terms = get_activation(squash).f, cell_terms(params, cache)
    for t, b in product(range(T), range(B)):
        for term, listens in zip(terms, ("f", "", "i", "g"), strict=True):

            def c_t(c, t=t, b=b, listens=listens):
                h = cache.o[t - 1, b] * phi(c) if t else cache.h[0, b] + 0j
                moving = c if listens == "" else c.real
                return cell_step(params, cache.x[t, b], h, moving, squash, forget_gate, listens)

            assert close(term[t, b], dense(c_t, cache.c[t, b] + 0j))


def exact_cell_jacobian(params, cache, t, k, b):
    """∂c_t/∂c_{t−k} with every h free to respond, by the complex step; h_0 is given."""
    phi = cache.squash.f

    def c_t(c):
        h = cache.o[t - k - 1, b] * phi(c) if t > k else cache.h[0, b]
        h, c = h[None], c[None]
        for s in range(t - k, t):
            h, c = lstm.step(
                params,
                cache.x[s, b : b + 1],
                h,
                c,
                squash=cache.squash.name,
                forget_gate=cache.forget_gate,
            )
        return c[0]

    return dense(c_t, cache.c[t - k, b] + 0j)


@pytest.mark.parametrize(("squash", "forget_gate"), SQUASHES)
def test_the_four_terms_add_up_to_one_step_but_their_product_is_not_two(squash, forget_gate):
    params, cache = draw(lstm, squash=squash, forget_gate=forget_gate)
    J, defect, exact = (
        sum(cell_terms(params, cache)),
        two_step_defect(params, cache),
        cell_jacobians(params, cache),
    )
    for b in range(B):
        for t in range(1, T + 1):
            assert close(J[t - 1, b], exact_cell_jacobian(params, cache, t, 1, b))
        for t in range(2, T + 1):
            missing = exact_cell_jacobian(params, cache, t, 2, b) - J[t - 1, b] @ J[t - 2, b]
            assert close(defect[t - 1, b], missing)
            assert (t == 2) == (np.abs(missing).max() < 1e-12)
        for k in range(T + 1):
            assert close(exact[k, b], exact_cell_jacobian(params, cache, T, k, b))
    assert not defect[0].any()


def test_the_explicit_path_is_a_product_of_forget_gates():
    params, cache = draw(lstm)
    dh = np.random.default_rng(1).standard_normal((B, H))
    path = explicit_path(params, cache, dh)
    for k in range(T + 1):
        gates = np.ones((B, H))
        for t in range(T - k + 1, T + 1):
            gates = gates * cache.f[t - 1]
        assert close(path[k], dh * cache.o[-1] * (1 - np.tanh(cache.c[-1]) ** 2) * gates)


def test_the_output_gate_path_is_the_derivative_with_the_cell_held_fixed():
    params, cache = draw(lstm)
    dh = np.random.default_rng(1).standard_normal((B, H))
    path = output_gate_path(params, cache, dh)
    for k, b in product(range(T + 1), range(B)):

        def h_T(h, k=k, b=b):
            for t in range(T - k, T):
                h = sigmoid(params.W_xo @ cache.x[t, b] + params.W_ho @ h + params.b_o) * np.tanh(
                    cache.c[t + 1, b]
                )
            return h

        assert close(path[k, b], dh[b] @ dense(h_T, cache.h[T - k, b] + 0j))


def enumerated_families(params, cache, dh, dc, k):
    """∂L/∂c_{T−k} by family, path by path: every walk over the nodes h_t and c_t, edge by edge."""
    tau = cache.o * (1 - cache.s**2)
    local = {"i": cache.g * cache.i * (1 - cache.i), "f": cache.c[:-1] * cache.f * (1 - cache.f)}
    local["g"] = cache.i * (1 - cache.g**2)
    found = dict.fromkeys(PathFamilies._fields, 0)
    for b in range(B):
        start = [("h", dh[b], "", 0), ("c", dc[b], "", 0)]
        walks = [(node, row, edges) for node, row, edges, _ in start]
        final = {name: np.zeros(H) for name in found}
        for t in range(T, T - k - 1, -1):
            # within step t: h_t may hand its gradient down to c_t
            if t:
                walks += [
                    ("c", row * tau[t - 1, b], edges + "t")
                    for node, row, edges in walks
                    if node == "h"
                ]
            if t == T - k:
                break
            back = []
            for node, row, edges in walks:
                if node == "h":
                    R = (cache.s * cache.o * (1 - cache.o))[t - 1, b][:, None] * params.W_ho
                    back.append(("h", row @ R, edges + "o"))
                else:
                    back.append(("c", row * cache.f[t - 1, b], edges + "F"))
                    for gate in "ifg":
                        G = local[gate][t - 1, b][:, None] * getattr(params, f"W_h{gate}")
                        back.append(("h", row @ G, edges + gate))
            walks = back
        for node, row, edges in walks:
            if node == "c":
                steps = edges.replace("t", "")
                if set(steps) <= {"F"}:
                    family = "cell"
                elif "o" not in steps:
                    family = "gates"
                else:
                    family = "output" if set(steps) == {"o"} else "mixed"
                final[family] = final[family] + row
        for name in found:
            found[name] = found[name] + np.eye(B)[b][:, None] * final[name]
    return PathFamilies(**found)


@pytest.mark.parametrize("k", range(T + 1))
def test_the_families_are_the_sums_of_their_paths(k):
    params, cache = draw(lstm)
    dh, dc = np.random.default_rng(1).standard_normal((2, B, H))
    got = path_families(params, cache, dh, dc)
    for name, want in enumerated_families(params, cache, dh, dc, k)._asdict().items():
        assert close(getattr(got, name)[k], want), name
    present = [name for name, family in got._asdict().items() if np.abs(family[k]).max() > 1e-9]
    wanted = {0: ["cell"], 1: ["cell", "gates", "output"], T: ["cell", "gates", "mixed"]}
    assert present == wanted.get(k, list(PathFamilies._fields))


@pytest.mark.parametrize(("squash", "forget_gate"), SQUASHES)
@pytest.mark.parametrize("grid", GRIDS)
def test_the_families_add_up_to_the_gradient_of_the_backward_pass(grid, squash, forget_gate):
    params, cache = draw(lstm, grid, squash=squash, forget_gate=forget_gate)
    dh, dc = np.random.default_rng(1).standard_normal((2, *grid, B, H))
    families = path_families(params, cache, dh, dc)
    exact = lstm.backward(params, cache, {T: dh}, {T: dc}).c[::-1]
    assert close(families.total, exact)
    assert close(sum(families.along_total()), np.linalg.norm(exact, axis=-1))


def test_cell_and_gates_together_are_the_product_of_the_four_terms():
    params, cache = draw(lstm)
    dc = np.random.default_rng(1).standard_normal((B, H))
    families = path_families(params, cache, dc=dc)
    four = products(sum(cell_terms(params, cache)))
    assert close(families.cell + families.gates, (dc[:, None] @ four)[..., 0, :])


def test_several_losses_at_once_give_what_each_gives_alone():
    params, cache = draw(lstm, (3,))
    dh = np.random.default_rng(1).standard_normal((7, 3, B, H))
    together = path_families(params, cache, dh)
    for n in range(7):
        for all_of_them, alone in zip(together, path_families(params, cache, dh[n]), strict=True):
            assert close(all_of_them[:, n], alone)


def test_a_vanished_gradient_has_families_of_length_zero():
    params, cache = draw(lstm)
    assert not np.any(path_families(params, cache, np.zeros((B, H))).along_total())


def test_exploding_families_are_infinite_and_say_so():
    params, cache = draw(lstm)
    with pytest.warns(ExplodedWarning, match="gradient exploded"):
        families = path_families(params._replace(W_hh=1e200 * params.W_hh), cache, np.ones((B, H)))
    assert not any(np.isnan(family).any() for family in families) and np.isinf(families.mixed).any()


def test_single_precision_stays_single():
    for cell in CELLS:
        params, cache = draw(cell)
        params = cell.Params(*(value.astype(np.float32) for value in params))
        cache = cell.forward(params, cache.x.astype(np.float32))
        assert (
            step_jacobians(params, cache).dtype
            == products(step_jacobians(params, cache)).dtype
            == np.float32
        )
    params, cache = draw(lstm)
    params = lstm.Params(*(value.astype(np.float32) for value in params))
    cache = lstm.forward(params, cache.x.astype(np.float32))
    assert {term.dtype for term in cell_terms(params, cache)} == {np.dtype(np.float32)}


def bad_calls():
    (rnn_params, rnn_cache), (params, cache) = draw(rnn), draw(lstm)
    yield "no LSTM", lambda: cell_terms(rnn_params, rnn_cache), "params"
    yield "no LSTM for its cell", lambda: cell_jacobians(rnn_params, rnn_cache), "params"
    yield "cache of the RNN", lambda: step_jacobians(params, rnn_cache), "cache"
    yield "cache of the LSTM", lambda: step_jacobians(rnn_params, cache), "cache"
    yield "no loss", lambda: path_families(params, cache), "dh, dc"
    yield "wrong dh", lambda: path_families(params, cache, np.ones((B, H + 1))), "dh"
    yield "wrong dc", lambda: path_families(params, cache, dc=np.ones((B + 1, H))), "dc"
    yield "dh without a batch", lambda: explicit_path(params, cache, np.ones(H)[:0]), "dh"
    yield "NaN", lambda: output_gate_path(params, cache, np.full((B, H), np.nan)), "dh"
    yield "not square", lambda: products(np.ones((3, 2, 4))), "J"
    yield "NaN in a matrix", lambda: products(np.full((3, 2, 2), np.nan)), "J"
    yield "one matrix", lambda: products(np.eye(3)), "J"
    yield "unknown norm", lambda: norms(np.eye(3), "1"), "norm"


@pytest.mark.parametrize(
    ("call", "argument"), [pytest.param(*rest, id=name) for name, *rest in bad_calls()]
)
def test_bad_input_is_named(call, argument):
    with pytest.raises(ValueError, match=f"^{argument}: got .*, wanted "):
        call()


@pytest.mark.parametrize("norm", ["2", "fro"])
def test_a_single_matrix_and_whole_numbers_have_norms(norm):
    assert norms(np.zeros((2, 2)), norm) == 0 and norms(np.full((2, 2), np.inf), norm) == np.inf
    assert norms([[1e-200, 0], [0, 0]], norm) == pytest.approx(1e-200, rel=1e-15, abs=0)
    assert np.allclose(norms(np.full((3, 2, 2), 100, np.int8), norm), 200)


@pytest.mark.parametrize("scale", [1e-170, 1e-3, 1e170])
def test_the_families_add_up_along_the_total_at_any_magnitude(scale):
    params, cache = draw(lstm, ())
    dh = np.random.default_rng(1).standard_normal(cache.h[0].shape)
    found = path_families(params, cache, scale * dh)
    size = np.linalg.norm(found.total / scale, axis=-1)
    assert close(sum(found.along_total()) / scale, size, 1e-12)


def test_the_output_gates_path_that_explodes_is_infinite_and_says_so():
    W_hh = np.zeros((12, 3))
    W_hh[9:] = 2.0**100 * np.array([[1, -1, 0], [-1, 1, 0], [0, 0, 0]])
    params = lstm.Params(np.ones((12, 1)), W_hh, np.zeros(12))
    cache = lstm.forward(params, np.ones((30, 1, 1)))
    local = cache._replace(gates=np.full_like(cache.gates, 0.5), s=np.full_like(cache.s, 0.5))
    with pytest.warns(ExplodedWarning, match="the gradient exploded"):
        path = output_gate_path(params, local, np.array([[1.0, -1, 0]]))
    assert not np.isnan(path).any() and np.isinf(path).any()


def test_the_exact_jacobians_of_a_float32_network_stay_float32():
    params = lstm.init_params(2, 3, np.random.default_rng(0), dtype=np.float32)
    assert (
        cell_jacobians(params, lstm.forward(params, np.ones((4, 1, 2), np.float32))).dtype
        == np.float32
    )
