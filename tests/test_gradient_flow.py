"""Curves over lags, clipping, truncation and Lyapunov exponents,
each against a definition written out again."""

from typing import NamedTuple

import numpy as np
import pytest
from witnesses import (
    CELLS,
    every_cell,
    every_setting_of_every_cell,
    network,
    of_grid,
    states_of,
)

from bptt_core import ExplodedWarning, gradient_flow, lstm, readout, rnn
from bptt_core._containers import map_leaves
from bptt_core.activations import ACTIVATIONS
from bptt_core.gradient_flow import (
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    factor_per_step,
    global_norm,
    half_life,
    lyapunov_exponents,
    norm_bounds,
    norm_curve,
    truncated_backward,
)
from bptt_core.jacobians import cell_jacobians, products, step_jacobians

T, B, D, H = 6, 2, 3, 5
GRIDS = [(), (3,), (2, 3)]


def draw(cell, grid=(), steps=T, **settings):
    return network(cell, steps, B, D, H, grid, **settings)


def dense_matrices(cell, params, cache):
    """What `norm_curve` takes the norm of, from whole products."""
    if "c" in cell.STATES:
        return cell_jacobians(params, cache)
    return products(step_jacobians(params, cache))


@pytest.mark.parametrize("norm", ["2", "fro"])
@pytest.mark.parametrize("grid", GRIDS)
@every_cell
def test_a_curve_is_the_norm_of_every_product(cell, grid, norm, monkeypatch):
    monkeypatch.setattr(
        gradient_flow, "CHUNK", 2
    )  # so that neither the grid nor the lags fit into one chunk
    params, cache = draw(cell, grid, steps=9)
    want = np.linalg.norm(
        dense_matrices(cell, params, cache), 2 if norm == "2" else "fro", axis=(-2, -1)
    )
    assert want.shape == (10, *grid, B)
    assert np.allclose(norm_curve(params, cache, norm=norm), want, rtol=1e-12, atol=0)


@pytest.mark.parametrize("lags", [0, 1, 4, T])
@every_cell
def test_fewer_lags_are_the_start_of_the_same_curve(cell, lags):
    params, cache = draw(cell, (3,))
    assert np.array_equal(
        norm_curve(params, cache, lags=lags), norm_curve(params, cache)[: lags + 1]
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_curve_exceeds_its_bound(activation):
    params, cache = draw(rnn, (2, 3), activation=activation)
    bound, _ = norm_bounds(params.W_hh, T, gamma=ACTIVATIONS[activation].bound)
    curve = norm_curve(params, cache)
    assert (curve <= bound[..., None] * (1 + 1e-12)).all()
    assert (curve[1:] > 1e-4 * bound[1:, ..., None]).any()


def test_a_linear_network_with_a_normal_matrix_is_on_both_bounds():
    rng = np.random.default_rng(0)
    params = rnn.init_params(D, H, rng, scale=0.9, orthogonal=True)
    cache = rnn.forward(params, rng.standard_normal((T, B, D)), activation="identity")
    for bound in norm_bounds(params.W_hh, T):
        assert np.allclose(norm_curve(params, cache), bound[:, None], rtol=1e-12, atol=0)


def test_a_matrix_that_is_not_normal_grows_first_although_its_radius_is_below_one():
    W_hh = np.array([[0.9, 5.0], [0.0, 0.8]])
    params = rnn.Params(np.ones((2, 1)), W_hh)
    cache = rnn.forward(params, np.ones((60, 1, 1)), activation="identity")
    curve = norm_curve(params, cache)[:, 0]
    gain, radius = norm_bounds(W_hh, 60)
    assert radius[-1] == pytest.approx(0.9**60, rel=1e-12) and gain[1] > 5
    assert curve.max() > 10 and curve[-1] < 1
    assert np.allclose(
        curve, [np.linalg.norm(np.linalg.matrix_power(W_hh, k), 2) for k in range(61)], rtol=1e-12
    )


@pytest.mark.parametrize("norm", ["2", "fro"])
@every_cell
def test_an_exploding_curve_ends_in_infinity_and_says_so(cell, norm):
    params, cache = draw(cell)
    with pytest.warns(ExplodedWarning, match="gradient exploded beyond float64"):
        curve = norm_curve(params._replace(W_hh=1e90 * params.W_hh), cache, norm=norm)
    assert np.isfinite(curve[:3]).all() and np.isinf(curve[-1]).all() and not np.isnan(curve).any()


def test_a_curve_of_single_precision_stays_single():
    for cell in CELLS:
        params, cache = draw(cell)
        params = cell.Params(*(value.astype(np.float32) for value in params))
        assert (
            norm_curve(params, cell.forward(params, cache.x.astype(np.float32))).dtype == np.float32
        )


def test_the_factor_per_step_is_the_geometric_mean():
    curve = np.array([[2.0, 1.0, 3.0], [9.0, 9.0, 9.0], [9.0, 0.0, 9.0], [16.0, 0.0, 3.0]])
    assert np.allclose(factor_per_step(curve), [2, 0, 1], rtol=1e-15)
    assert factor_per_step([4.0, 3.0]) == pytest.approx(0.75, rel=1e-15)


def test_the_half_life_is_when_half_is_left():
    assert np.allclose(half_life([0.5, 0.25, 0.9]), [1, 0.5, np.log(2) / -np.log(0.9)], rtol=1e-15)
    assert half_life(0.0) == 0 and half_life(1.0) == np.inf and half_life(1.5) == np.inf
    assert 0.99 ** half_life(0.99) == pytest.approx(0.5, rel=1e-14)


def test_the_lyapunov_exponents_of_a_constant_matrix_are_the_logarithms_of_its_eigenvalues():
    rng = np.random.default_rng(0)
    eigenvalues = np.array([0.3, -2.0, 1.1, 0.7])
    V = rng.standard_normal((4, 4))
    J = np.broadcast_to(V @ np.diag(eigenvalues) @ np.linalg.inv(V), (400, 4, 4))
    want = np.sort(np.log(np.abs(eigenvalues)))[::-1]
    assert np.allclose(lyapunov_exponents(J, skip=100), want, rtol=0, atol=1e-10)
    assert (
        np.abs(lyapunov_exponents(J) - want).max() > 1e-4
    )  # the turning of Q counts if it is not skipped


def test_the_lyapunov_exponents_add_up_to_the_logarithm_of_the_determinants():
    J = np.random.default_rng(0).standard_normal((30, 3, 2, 4, 4))
    exponents = lyapunov_exponents(J, skip=10)
    assert exponents.shape == (3, 2, 4) and (np.diff(exponents) <= 0).all()
    volume = np.log(np.abs(np.linalg.det(J)))
    assert np.allclose(exponents.sum(-1), volume[10:].mean(0), rtol=1e-12)
    assert np.allclose(lyapunov_exponents(J).sum(-1), volume.mean(0), rtol=1e-12)


def test_the_largest_lyapunov_exponent_is_the_growth_of_a_long_product():
    J = np.random.default_rng(0).standard_normal((300, 3, 3))
    growth, v = 0.0, np.ones(3)
    for J_t in J:
        v = J_t @ v
        growth += np.log(np.linalg.norm(v))
        v /= np.linalg.norm(v)
    assert lyapunov_exponents(J)[0] == pytest.approx(growth / 300, abs=0.02)


def test_a_lost_direction_has_the_exponent_minus_infinity():
    J = np.broadcast_to(np.diag([2.0, 0.0]), (5, 2, 2))
    assert lyapunov_exponents(J).tolist() == [np.log(2.0), -np.inf]


class Two(NamedTuple):
    cell: rnn.Params
    out: readout.Params


def gradients(dtype=float):
    """A nested container with a bias that is not there."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in ((H, D), (H, H), (H,), (4, H))]
    return Two(rnn.Params(*arrays[:3]), readout.Params(arrays[3]))


def vector(tree):
    return np.concatenate(
        [tree.cell.W_xh.ravel(), tree.cell.W_hh.ravel(), tree.cell.b_h, tree.out.W_hy.ravel()]
    )


@pytest.mark.parametrize("share", [0.1, 0.9])
@pytest.mark.parametrize("scale", [1, 1e-3])
def test_clipping_by_global_norm_keeps_the_direction(scale, share):
    long = map_leaves(lambda a: scale * a, gradients())
    g = vector(long)
    threshold = share * np.linalg.norm(g)
    clipped, size = clip_by_global_norm(long, threshold)
    assert size == pytest.approx(np.linalg.norm(g), rel=1e-15) and size == global_norm(long)
    assert np.linalg.norm(vector(clipped)) == pytest.approx(threshold, rel=1e-15)
    assert np.allclose(vector(clipped), threshold / size * g, rtol=1e-14, atol=0)
    assert clipped.out.b_y is None and isinstance(clipped.cell, rnn.Params)


@pytest.mark.parametrize(
    "clip", [lambda g, c: clip_by_global_norm(g, c)[0], clip_by_norm, clip_by_value]
)
def test_clipping_never_enlarges_a_gradient_and_leaves_a_short_one_alone(clip):
    g = gradients()
    assert np.array_equal(vector(clip(g, 1e3)), vector(g))
    assert (np.abs(vector(clip(g, 0.3))) <= np.abs(vector(g)) + 1e-16).all()
    assert np.array_equal(vector(g), vector(gradients()))
    zero = Two(rnn.Params(*(0 * v for v in g.cell)), readout.Params(0 * g.out.W_hy))
    assert not vector(clip(zero, 0.3)).any()


def test_clipping_by_norm_treats_every_array_by_itself():
    g = gradients()
    clipped = clip_by_norm(g, 2.0)
    for before, after in zip([*g.cell, g.out.W_hy], [*clipped.cell, clipped.out.W_hy], strict=True):
        factor = min(1, 2 / np.linalg.norm(before))
        assert np.allclose(after, factor * before, rtol=1e-14, atol=0)
    cosine = (
        vector(g) @ vector(clipped) / np.linalg.norm(vector(g)) / np.linalg.norm(vector(clipped))
    )
    assert cosine < 0.999


def test_clipping_by_value_cuts_every_entry():
    g, clipped = vector(gradients()), vector(clip_by_value(gradients(), 0.3))
    assert np.array_equal(clipped, np.where(np.abs(g) < 0.3, g, 0.3 * np.sign(g)))


@pytest.mark.parametrize(
    "clip", [lambda g, c: clip_by_global_norm(g, c)[0], clip_by_norm, clip_by_value]
)
def test_clipping_keeps_single_precision(clip):
    assert vector(clip(gradients(np.float32), 0.3)).dtype == np.float32


def test_dictionaries_and_lists_are_containers_too():
    clipped, size = clip_by_global_norm({"a": np.array([3.0]), "b": [np.array([[4.0]]), None]}, 1)
    assert (
        size == 5
        and clipped["a"][0] == pytest.approx(0.6)
        and clipped["b"][0][0, 0] == pytest.approx(0.8)
    )
    assert clipped["b"][1] is None


def windowed(cell, params, cache, dh, window, settings):
    """dL/dθ, dL/dx, dL/dh_0 and dL/dc_0 by the complex step:
    every loss runs its own last steps from a given state."""
    states = states_of(cell, cache)

    def loss(params, x, *start):
        total = 0
        for t in range(1, T + 1):
            first = max(0, t - window)
            given = start if first == 0 else [s[first] for s in states]
            run = cell.forward(params, x[first:t], *given, **settings)
            total = total + (dh[t - 1] * run.h[-1]).sum()
        return total

    leaves = [*params, cache.x, *(s[0] for s in states)]
    count = len(params)
    for place, leaf in enumerate(leaves):
        gradient = np.empty(leaf.shape)
        for index in np.ndindex(leaf.shape):
            moved = [*leaves[:place], leaf.astype(complex), *leaves[place + 1 :]]
            moved[place][index] += 1e-30j
            gradient[index] = loss(cell.Params(*moved[:count]), *moved[count:]).imag / 1e-30
        yield gradient


@pytest.mark.parametrize("window", [1, 2, 3, T - 1, T, T + 5])
@every_setting_of_every_cell
def test_a_window_is_the_derivative_in_which_older_states_are_given(cell, settings, window):
    params, cache = draw(cell, **settings)
    dh = np.random.default_rng(1).standard_normal((T, B, H))
    got = truncated_backward(params, cache, dh, window)
    starts = [state[0] for state in states_of(cell, got)]
    want = windowed(cell, params, cache, dh, window, settings)
    for value, right in zip([*got.params, got.x, *starts], want, strict=True):
        assert np.abs(value - right).max() <= 1e-13 * max(1, np.abs(right).max())


@pytest.mark.parametrize("grid", GRIDS)
@every_cell
def test_a_window_over_everything_is_the_full_gradient(cell, grid):
    params, cache = draw(cell, grid)
    dh = {2: np.random.default_rng(1).standard_normal((*grid, B, H)), T: np.ones((*grid, B, H))}
    got, want = truncated_backward(params, cache, dh, T), cell.backward(params, cache, dh)
    for name in ("x", "a", *cell.STATES):
        assert np.allclose(getattr(got, name), getattr(want, name), rtol=1e-12, atol=1e-13), name
    for value, right in zip(got.params, want.params, strict=True):
        assert np.allclose(value, right, rtol=1e-12, atol=1e-13)


@every_cell
def test_a_grid_is_truncated_as_its_networks_are(cell):
    params, cache = draw(cell, (2, 3))
    dh = np.random.default_rng(1).standard_normal((T, 2, 3, B, H))
    got = truncated_backward(params, cache, dh, 3)
    for g in np.ndindex(2, 3):
        alone = truncated_backward(*of_grid(cell, params, cache, g), dh[:, *g], 3)
        for value, right in zip([*got.params, got.h[:, *g]], [*alone.params, alone.h], strict=True):
            value = value[g] if value.ndim > right.ndim else value
            assert np.allclose(value, right, rtol=1e-12, atol=1e-13)


def test_an_exploding_truncated_gradient_is_infinite_and_says_so():
    params, cache = draw(rnn)
    with pytest.warns(ExplodedWarning, match="gradient exploded"):
        got = truncated_backward(
            params._replace(W_hh=1e150 * params.W_hh), cache, np.ones((T, B, H)), 4
        )
    assert np.isinf(got.params.W_hh).any() and not np.isnan(got.params.W_hh).any()


def bad_calls():
    params, cache = draw(rnn)
    other, _ = draw(lstm)
    dh = np.ones((T, B, H))
    yield "wrong cache", lambda: norm_curve(other, cache), "cache"
    yield "unknown norm", lambda: norm_curve(params, cache, norm="inf"), "norm"
    yield "too many lags", lambda: norm_curve(params, cache, lags=T + 1), "lags"
    yield "true lags", lambda: norm_curve(params, cache, lags=True), "lags"
    yield "half a lag", lambda: norm_curve(params, cache, lags=2.0), "lags"
    yield "lags of a bound", lambda: norm_bounds(np.eye(2), 2.5), "lags, gamma"
    yield "gamma of a bound", lambda: norm_bounds(np.eye(2), 2, gamma=-1), "lags, gamma"
    yield "no gamma", lambda: norm_bounds(np.eye(2), 2, gamma="x"), "gamma"
    yield "negative lags", lambda: norm_curve(params, cache, lags=-1), "lags"
    yield "no matrix", lambda: norm_bounds(np.ones(3), 4), "W_hh"
    yield "no square matrix", lambda: norm_bounds(np.ones((4, 2, 3)), 4), "W_hh"
    yield "NaN", lambda: norm_bounds(np.full((2, 2), np.nan), 4), "W_hh"
    yield "one lag", lambda: factor_per_step([1.0]), "curve"
    yield "negative factor", lambda: half_life(-0.5), "factor"
    yield "no square", lambda: lyapunov_exponents(np.ones((4, 2, 3))), "J, skip"
    yield "NaN in a Jacobian", lambda: lyapunov_exponents(np.full((4, 2, 2), np.nan)), "J"
    yield "all skipped", lambda: lyapunov_exponents(np.ones((4, 2, 2)), skip=4), "J, skip"
    for clip in (clip_by_global_norm, clip_by_norm, clip_by_value):
        for threshold in (0, -1.0, np.nan, np.inf, "x", None, [1]):
            yield (
                f"{clip.__name__} {threshold}",
                lambda c=clip, t=threshold: c([dh], t),
                "threshold",
            )
    yield "infinite gradient", lambda: clip_by_global_norm([np.inf * dh], 1), "gradients"
    for window in (0, -1, 2.5, None, True):
        yield (
            f"window {window}",
            lambda w=window: truncated_backward(params, cache, dh, w),
            "window",
        )
    yield "wrong dh", lambda: truncated_backward(params, cache, dh[1:], 2), "dh"


@pytest.mark.parametrize(
    ("call", "argument"), [pytest.param(*rest, id=name) for name, *rest in bad_calls()]
)
def test_bad_input_is_named(call, argument):
    with pytest.raises(ValueError, match=f"^{argument}: got .*, wanted "):
        call()


@pytest.mark.parametrize("size", [1e-200, 1e199])
@pytest.mark.parametrize("clip", [lambda g, c: clip_by_global_norm(g, c)[0], clip_by_norm])
def test_a_gradient_whose_squares_leave_the_range_is_clipped_all_the_same(clip, size):
    g = {"a": np.array([3.0, 0.0]) * size, "b": np.array([[4.0]]) * size}
    assert global_norm(g) == pytest.approx(5 * size, rel=1e-15, abs=0)
    clipped = clip(g, size)
    assert clipped["a"][0] == pytest.approx(
        (0.6 if clip is not clip_by_norm else 1) * size, rel=1e-15, abs=0
    )
    assert global_norm({"a": np.array([3 + 4j])}) == 5 and global_norm([None]) == 0


def test_the_bounds_of_no_lag_and_of_a_flat_activation():
    for bound in norm_bounds(2 * np.eye(2), 0):
        assert bound.tolist() == [1]
    assert norm_bounds(2 * np.eye(2), 2, gamma=0)[0].tolist() == [1, 0, 0]


def test_one_counted_step_is_enough_for_an_exponent():
    J = np.stack([np.eye(2), np.diag([2.0, 0.5])])
    assert np.allclose(lyapunov_exponents(J, skip=1), [np.log(2), -np.log(2)])
