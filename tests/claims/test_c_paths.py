"""Source C, paths (`C09`–`C11`, `C22`–`C23`, `C42`–`C51`, `C56`–`C58`): counted, cancelled,
grown, clipped."""

import numpy as np
import pytest
from evidence import shown, within
from networks import (
    chain,
    from_start_to_end,
    length,
    network,
    norm,
    one_unit,
    relative,
    resting_cell,
    sigma,
    tau,
)
from source_c import path_weights, t_1_factor
from witnesses import jacobian

from bptt_core import gradient_flow, jacobians, lstm, rnn
from bptt_core.jacobians import cell_terms

T, B, D, H = 6, 2, 3, 5


@pytest.fixture
def slides():
    """A σ-squashed LSTM: all sizes different, distinct biases, non-zero initial states."""
    return network(np.random.default_rng(153), T, B, D, H, squash="sigmoid")


# Sums of paths


def paths_between_cells(steps):
    """The number of paths from s_0 to s_steps of one unit, and to h_steps: every edge of the
    graph."""
    to_cell, to_h = 1, 1  # from s_0: itself, and down to h_0
    for _ in range(steps):
        to_cell = to_cell + 3 * to_h  # by f, and from h by f, i and s̃
        to_h = to_cell + to_h  # from the new s, and from h by o
    return to_cell, to_h


def test_c09_a_million_vanishing_paths_can_add_up_to_one():
    params, cache, exit_factor = resting_cell(20, g=0.5)
    by_cell, by_candidate = (
        term[7].item() for term in (cell_terms(params, cache).B, cell_terms(params, cache).D)
    )
    assert by_cell == pytest.approx(0.5, abs=1e-12) and by_candidate == pytest.approx(
        0.5, abs=1e-12
    )
    short = [w / tau(cache, 5)[0, 0] for w in path_weights(params, cache, 1, 5)]
    straight = [w for w in short if w == pytest.approx(0.5**4, rel=1e-9)]
    assert (
        len(straight) == 2**4
    )  # every way to take the cell or the candidate at each of four steps
    shown("C09", [2**20, by_cell**20, 20], "1048576", "9.5e-7", "20")
    shown("C09", from_start_to_end(params, cache, exit_factor), "1.000000")


def test_c10_one_exploding_path_does_not_make_the_gradient_explode():
    grown = one_unit(hh=(0, 0, -5.6, 0))
    run = lstm.forward(grown, np.zeros((22, 1, 1)))
    path = cell_terms(grown, run).D[-1].item() ** 20
    total = jacobians.cell_jacobians(grown, run)[20].item()
    shown("C10", [20, path, total], "20", "837", "0.122")
    params, cache, exit_factor = resting_cell(20, g=2.0, f=-2.5)
    by_candidate = cell_terms(params, cache).D[-1].item()
    assert by_candidate == pytest.approx(2, rel=1e-9)
    shown("C10", [by_candidate**20, from_start_to_end(params, cache, exit_factor)], "1048576", "0")


def test_c11_c32_c40_c56_one_open_path_does_not_keep_the_gradient_from_vanishing():
    params, cache, exit_factor = resting_cell(20, keep=0.99, write=0.01, g=-0.99)
    path = cache.f.prod()
    total = from_start_to_end(params, cache, exit_factor)
    shown("C11", [cache.f[11, 0, 0], path, 20, total], "0.99", "0.818", "20", "0")
    shown("C32 C40", [path, 20, total], "0.818", "20", "0")
    shown("C56", [path, total], "0.818", "0")


def test_c22_c23_c51_c57_the_gradient_is_the_sum_over_all_paths_and_their_number_grows():
    params, cache = network(np.random.default_rng(22), 6, 1, 1, 1, scale=3.0, squash="sigmoid")
    paths = path_weights(params, cache, 1, 6)
    from_h = path_weights(params, cache, 1, 6, "h")
    total = lstm.backward(params, cache, {6: [[1.0]]})
    found = [sum(paths) / total.c[1].item() - 1, sum(from_h) / total.h[1].item() - 1]
    within("C22", found, "1e-12")
    shown("C51", [len(paths), 5, paths_between_cells(5)[1]], "2640", "5", "2640")
    shown("C51", [20, paths_between_cells(20)[1]], "20", "4.25e13")
    shown("C22", [20, paths_between_cells(20)[0]], "20", "3.36e13")
    factor = paths_between_cells(40)[1] / paths_between_cells(39)[1]
    assert factor == pytest.approx((5 + np.sqrt(21)) / 2, rel=1e-12)
    shown("C51", factor, "4.8", where="right")
    shown("C23", len(path_weights(params, cache, 5, 6, "h")), "four", where="right")
    only_output_gates = np.prod([t_1_factor(params, cache, t).item() for t in range(2, 7)])
    shown("C57", sum(abs(w - only_output_gates) < 1e-15 for w in from_h), "1")
    stays_in_the_cell = cache.f[1:6].prod() * tau(cache, 6).item()
    assert sum(abs(w - stays_in_the_cell) < 1e-15 for w in paths) == 1
    families = jacobians.path_families(params, cache, dh=np.ones((1, 1)))
    assert families.cell[5].item() == pytest.approx(stays_in_the_cell, rel=1e-12)
    assert families.total[5].item() == pytest.approx(sum(paths), rel=1e-12)


# Exploding


def through_output_gates(factor, size):
    """200 networks with W_o times `factor`: log10 of the growth per step, of the path and of all,
    and the norms of W_o."""
    rng = np.random.default_rng(42)
    params, cache = network(rng, 25, 1, 4, size, grid=(200,), squash="sigmoid")
    W_hh = params.W_hh * np.repeat([1, 1, 1, factor], size)[:, None]
    params = params._replace(W_hh=W_hh)
    cache = lstm.forward(params, cache.x, squash="sigmoid")
    dh = rng.standard_normal(cache.h[-1].shape)
    path = length(jacobians.output_gate_path(params, cache, dh)[[4, 24]])
    back = lstm.backward(params, cache, {25: dh})
    whole = length(np.concatenate([back.h, back.c], -1)[[21, 1]])
    with np.errstate(divide="ignore", invalid="ignore"):  # a path may underflow to zero
        rates = [np.nan_to_num(np.log10(ends[1] / ends[0]) / 20, nan=-99) for ends in (path, whole)]
    return *rates, np.linalg.norm(params.W_ho, 2, axis=(-2, -1))


def test_c42_c46_large_output_weights_make_the_path_explode_and_larger_ones_make_it_vanish():
    path, whole, size = through_output_gates(64, 64)
    shown("C42", [200, 64, np.median(size)], "200", "64", "124")
    shown("C42", [(path > 0).mean(), (whole > 0).mean()], "100%", "100%")
    shown("C42", [np.median(path), np.median(whole), 10], "0.19", "0.19", "10")
    path, whole, _ = through_output_gates(64, 8)
    shown("C42", [8, (path > 0).mean()], "8", "2%")
    rates, sizes, shares = [], [], []
    for factor in (1, 64, 256):
        path, _, size = through_output_gates(factor, 32)
        rates.append(np.median(path))
        sizes.append(np.median(size))
        shares.append((path > 0).mean())
    shown("C46", [200, 32, *sizes], "200", "32", "1.91", "122", "489")
    shown("C46", [10, *rates], "10", "-0.88", "0.08", "-0.72")
    shown("C46", shares, "0%", "74%", "4%")
    params, cache = network(np.random.default_rng(46), 20, 1, 4, 8, grid=(200,), squash="sigmoid")
    small = params.W_hh * np.repeat([1, 1, 1, 0], 8)[:, None]
    W_o = params.W_ho * (4 / np.linalg.norm(params.W_ho, 2, axis=(-2, -1)))[:, None, None]
    small[:, 24:] = W_o
    params = params._replace(W_hh=small)
    cache = lstm.forward(params, cache.x, squash="sigmoid")
    sizes = length(jacobians.output_gate_path(params, cache, np.ones(cache.h[-1].shape)))
    assert np.all(np.diff(sizes, axis=0) < 0)
    shown("C46", 4, "4", where="condition")


def test_c47_each_of_the_other_weights_can_make_the_gradient_explode():
    found, weights = [], []
    for gate in "ifg":
        params, cache, exit_factor = resting_cell(20, **{gate: 1.5})
        found.append(from_start_to_end(params, cache, exit_factor))
        weights.append(getattr(params, f"W_h{gate}").item())
    assert np.allclose(found, found[0], rtol=1e-6) and np.allclose(weights, weights[0], rtol=1e-6)
    shown("C47", [weights[0], len(found), 0, found[0], 20], "102", "three", "0", "1048576", "20")
    shown("C47", len(found), "three", where="right")


def test_c43_c44_c58_t_1_is_the_gradient_along_the_output_gates_with_the_latest_factor_on_the_left(
    slides,
):
    params, cache = slides
    dL, k = np.arange(1.0, H + 1), 3

    def only_output_gates(h):
        for t in range(k, T + 1):
            a_o = params.W_ho @ h + params.W_xo @ cache.x[t - 1, 0] + params.b_o
            h = sigma(a_o) * cache.s[t - 1, 0]
        return dL @ h

    exact = jacobian(only_output_gates, cache.h[k - 1, 0])
    brackets = [t_1_factor(params, cache, t) for t in range(k, T + 1)]
    core = jacobians.output_gate_path(params, cache, np.stack([dL] * B))
    found = [relative(dL @ chain(brackets)[-1], exact), relative(core[T - k + 1, 0], exact)]
    within("C43 C44", found, "1e-12")
    shown("C43", [len(brackets), T, k], "4", "6", "3")
    shown("C43", relative(dL @ chain(brackets[::-1])[-1], exact), "54%")
    assert relative(core[1, 0], dL @ brackets[-1]) < 1e-12
    shown("C58", np.linalg.norm(core[1, 0]) / np.linalg.norm(exact), "824")


def test_c45_the_bound_on_t_1_holds_with_k_below_a_quarter(slides):
    params, cache = slides
    brackets = [t_1_factor(params, cache, t) for t in range(3, T + 1)]
    dL = np.arange(1.0, H + 1)
    largest = (cache.s * cache.o * (1 - cache.o))[2:, 0].max()
    path = np.linalg.norm(dL @ chain(brackets)[-1])
    bound = np.linalg.norm(dL) * (largest * norm(params.W_ho)) ** len(brackets)
    shown("C45", [largest, path, bound], "0.170", "0.0018", "0.055")
    grid, run = network(
        np.random.default_rng(45), T, 1, D, H, grid=(200,), scale=8, squash="sigmoid"
    )
    factor = (run.s * run.o * (1 - run.o)).max((0, 2, 3))
    dh = np.ones(run.h[-1].shape)
    sizes = length(jacobians.output_gate_path(grid, run, dh))
    W_o = np.linalg.norm(grid.W_ho, 2, axis=(-2, -1))
    bounds = [length(dh) * (factor * W_o) ** k for k in range(T + 1)]
    assert np.all(sizes <= np.array(bounds) * (1 + 1e-12))
    assert factor.max() < 0.25
    shown("C45", [200, np.max(sizes[T] / bounds[T])], "200", "0.0054")
    shown("C45", 0.25, "¼", where="condition")


# Clipping


def test_c48_c49_clipping_keeps_the_direction_only_if_all_parameters_share_one_norm():
    rng = np.random.default_rng(49)
    gradient = rnn.Params(*(rng.standard_normal(shape) for shape in ((4, 3), (4, 4), (4,))))
    gradient = gradient._replace(W_hh=20 * gradient.W_hh)

    def flat(params):
        return np.concatenate([part.ravel() for part in params])

    def cosine(clipped):
        a, b = flat(clipped), flat(gradient)
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    together, before = gradient_flow.clip_by_global_norm(gradient, 1.0)
    assert before == pytest.approx(np.linalg.norm(flat(gradient)), rel=1e-12)
    shown("C48", [before, np.linalg.norm(flat(together)), 1], "93.3", "1.000", "1")
    tiny = rnn.Params(*(1e-12 * np.ones_like(part) for part in gradient))
    kept = gradient_flow.clip_by_global_norm(tiny, 1.0)[0]
    assert np.array_equal(flat(kept), flat(tiny))
    shown("C48", flat(kept)[0], "1e-12")
    each = gradient_flow.clip_by_norm(gradient, 1.0)
    values = gradient_flow.clip_by_value(gradient, 1.0)
    shown("C49", [cosine(together), cosine(each), cosine(values)], "1.000", "0.609", "0.695")
