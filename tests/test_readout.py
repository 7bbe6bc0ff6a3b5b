"""The linear readout and its two losses; their gradients through a whole network are in
test_agreement.py."""

import numpy as np
import pytest

from bptt_core import ExplodedWarning, readout
from bptt_core.readout import softmax_cross_entropy, squared_error

T, B, H, K = 4, 3, 5, 6


def logits(rng, grid=()):
    return 2 * rng.standard_normal((T, *grid, B, K))


def test_the_readout_by_hand():
    params = readout.Params(
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0.1, 0.2, 0.3])
    )
    h = np.array([[[1.0, -1.0]], [[2.0, 0.5]]])
    np.testing.assert_allclose(
        readout.forward(params, h), [[[-0.9, -0.8, -0.7]], [[3.1, 8.2, 13.3]]], rtol=1e-14
    )
    dy = np.array([[[1.0, 0.0, 2.0]], [[0.0, 3.0, 0.0]]])
    back = readout.backward(params, h, dy)
    assert back.params.W_hy.tolist() == [[1, -1], [6, 1.5], [2, -2]]
    assert back.params.b_y.tolist() == [1, 3, 2]
    assert back.h.tolist() == [[[11, 14]], [[9, 12]]]
    no_bias = readout.Params(params.W_hy)
    np.testing.assert_allclose(
        readout.forward(no_bias, h), readout.forward(params, h) - params.b_y, atol=1e-14
    )
    assert readout.backward(no_bias, h, dy).params.b_y is None


def test_states_for_one_network_serve_every_readout_of_a_grid():
    rng = np.random.default_rng(0)
    params = readout.Params(rng.standard_normal((2, 7, K, H)), rng.standard_normal((2, 7, K)))
    h, dy = rng.standard_normal((T, B, H)), rng.standard_normal((T, 2, 7, B, K))
    y, back = readout.forward(params, h), readout.backward(params, h, dy)
    own = readout.Params(params.W_hy[1, 4], params.b_y[1, 4])
    np.testing.assert_allclose(y[:, 1, 4], readout.forward(own, h), rtol=1e-13)
    alone = readout.backward(own, h, dy[:, 1, 4])
    np.testing.assert_allclose(back.params.W_hy[1, 4], alone.params.W_hy, rtol=1e-12)
    np.testing.assert_allclose(back.params.b_y[1, 4], alone.params.b_y, rtol=1e-12)
    np.testing.assert_allclose(back.h[:, 1, 4], alone.h, rtol=1e-12)


def test_one_unit_and_one_output_are_enough():
    assert (
        readout.forward(
            readout.Params(np.array([[2.0]]), np.array([1.0])), np.array([[[3.0]]])
        ).item()
        == 7
    )


@pytest.mark.parametrize("bias", [True, False])
def test_initial_weights_have_the_stated_spread(bias):
    params = readout.init_params(
        300, 200, np.random.default_rng(0), scale=0.7, bias=bias, dtype=np.float32
    )
    assert params.W_hy.shape == (200, 300) and params.W_hy.dtype == np.float32
    assert params.W_hy.std() == pytest.approx(0.7 / np.sqrt(300), rel=0.02)
    assert (params.b_y.tolist() == [0] * 200) if bias else params.b_y is None
    default = readout.init_params(3, 2, np.random.default_rng(0))
    assert (
        default.W_hy == readout.init_params(3, 2, np.random.default_rng(0), scale=1.0).W_hy
    ).all()
    assert default.b_y.tolist() == [0, 0] and default.W_hy.dtype == float


def test_softmax_is_a_distribution_and_does_not_see_a_shift():
    y = logits(np.random.default_rng(0))
    p = readout.softmax(y)
    np.testing.assert_allclose(p, np.exp(y) / np.exp(y).sum(-1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(readout.softmax(y + 700), p, rtol=1e-12)


@pytest.mark.parametrize("size", [1e4, -1e4, 1e308])
def test_logits_of_ten_thousand_are_exact(size):
    y = np.array([[[size, 0.0, size]]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = readout.softmax(y)[0, 0].tolist()
        loss, dy = readout.softmax_cross_entropy(y, np.array([[0]]))
    want = [0.5, 0.0, 0.5] if size > 0 else [0.0, 1.0, 0.0]
    assert found == want
    assert loss == pytest.approx(np.log(2) if size > 0 else 1e4, rel=1e-15)
    np.testing.assert_allclose(dy[0, 0], np.array(want) - [1, 0, 0], atol=1e-15)


def test_cross_entropy_is_minus_the_log_of_the_probability_of_the_class():
    rng = np.random.default_rng(0)
    y, target = logits(rng), rng.integers(K, size=(T, B))
    p = readout.softmax(y)
    loss, dy = readout.softmax_cross_entropy(y, target)
    by_hand = -sum(np.log(p[t, b, target[t, b]]) for t in range(T) for b in range(B))
    assert loss == pytest.approx(by_hand, rel=1e-13)
    np.testing.assert_allclose(dy, p - np.eye(K)[target], atol=1e-15)
    as_distribution = readout.softmax_cross_entropy(y, np.eye(K)[target])
    assert as_distribution[0] == loss and (as_distribution[1] == dy).all()


def test_cross_entropy_of_distributions_and_squared_error_by_hand():
    rng = np.random.default_rng(0)
    y, target = logits(rng), rng.dirichlet(np.ones(K), size=(T, B))
    loss, dy = readout.softmax_cross_entropy(y, target)
    assert loss == pytest.approx(-(target * np.log(readout.softmax(y))).sum(), rel=1e-13)
    np.testing.assert_allclose(dy, readout.softmax(y) - target, atol=1e-15)
    loss, dy = readout.squared_error(y, target)
    assert loss == pytest.approx(((y - target) ** 2).sum() / 2, rel=1e-14)
    np.testing.assert_allclose(dy, y - target, rtol=1e-15)


@pytest.mark.parametrize("loss_of", [readout.softmax_cross_entropy, readout.squared_error])
@pytest.mark.parametrize(
    "steps, kept",
    [(None, [0, 1, 2, 3]), ("last", [3]), ([2, 3], [1, 2]), ((1,), [0]), (range(2, 5), [1, 2, 3])],
)
def test_only_the_chosen_steps_count(loss_of, steps, kept):
    rng = np.random.default_rng(0)
    y, target = logits(rng), rng.dirichlet(np.ones(K), size=(T, B))
    parts = [loss_of(y[t : t + 1], target[t : t + 1]) for t in kept]
    loss, dy = loss_of(y, target, steps=steps)
    assert loss == pytest.approx(sum(part[0] for part in parts), rel=1e-13)
    np.testing.assert_allclose(dy[kept], np.concatenate([part[1] for part in parts]), rtol=1e-13)
    assert not np.delete(dy, kept, axis=0).any()
    mean, dmean = loss_of(y, target, steps=steps, reduction="mean")
    assert mean == pytest.approx(loss / (len(kept) * B), rel=1e-13)
    np.testing.assert_allclose(dmean, dy / (len(kept) * B), rtol=1e-13)


@pytest.mark.parametrize("loss_of", [readout.softmax_cross_entropy, readout.squared_error])
def test_a_grid_of_networks_has_a_loss_for_each(loss_of):
    rng = np.random.default_rng(0)
    y, target = logits(rng, grid=(2, 7)), rng.dirichlet(np.ones(K), size=(T, B))
    loss, dy = loss_of(y, target, reduction="mean")
    own = loss_of(y[:, 1, 4], target, reduction="mean")
    assert loss.shape == (2, 7) and dy.shape == y.shape
    assert loss[1, 4] == pytest.approx(own[0], rel=1e-13)
    np.testing.assert_allclose(dy[:, 1, 4], own[1], rtol=1e-13)
    for_each = np.moveaxis(np.broadcast_to(target, (2, 7, T, B, K)), 2, 0)
    assert (loss_of(y, for_each, reduction="mean")[0] == loss).all()


@pytest.mark.parametrize("loss_of", [readout.softmax_cross_entropy, readout.squared_error])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_gradient_of_a_loss_matches_the_complex_step(loss_of, reduction):
    rng = np.random.default_rng(0)
    y, target = logits(rng), rng.dirichlet(np.ones(K), size=(T, B))
    dy = loss_of(y, target, steps=[1, 3], reduction=reduction)[1]
    for index in np.ndindex(y.shape):
        moved = y.astype(complex)
        moved[index] += 1e-30j
        slope = loss_of(moved, target, steps=[1, 3], reduction=reduction)[0].imag / 1e-30
        assert dy[index] == pytest.approx(slope, rel=1e-12, abs=1e-15)


def test_float32_stays_float32():
    rng = np.random.default_rng(0)
    params = readout.init_params(H, K, rng, dtype=np.float32)
    h = rng.standard_normal((T, B, H)).astype(np.float32)
    y = readout.forward(params, h)
    for loss_of, target in (
        (readout.softmax_cross_entropy, rng.integers(K, size=(T, B))),
        (readout.squared_error, y[::-1]),
    ):
        loss, dy = loss_of(y, target, reduction="mean")
        back = readout.backward(params, h, dy)
        assert {value.dtype for value in (y, loss, dy, back.h, *back.params)} == {
            np.dtype(np.float32)
        }


def test_a_shared_gradient_of_the_outputs_goes_to_every_network_of_as_many_as_steps():
    rng = np.random.default_rng(0)
    params = readout.Params(rng.standard_normal((4, 5, 3)), rng.standard_normal((4, 5)))
    h, dy = rng.standard_normal((4, 2, 3)), rng.standard_normal((4, 2, 5))
    found = readout.backward(params, h, dy)
    for g in range(4):
        alone = readout.backward(readout.Params(params.W_hy[g], params.b_y[g]), h, dy)
        np.testing.assert_allclose(found.h[:, g], alone.h, rtol=1e-14)
        np.testing.assert_allclose(found.params.W_hy[g], alone.params.W_hy, rtol=1e-13)


def test_what_leaves_the_range_is_infinite_and_says_so():
    W = np.tile([[1e200], [-1e200]], (16, 1))
    with pytest.warns(ExplodedWarning, match="the gradient exploded"):
        found = readout.backward(readout.Params(W), np.ones((1, 1, 1)), np.full((1, 1, 32), 1e200))
    assert np.isinf(found.h).all()
    with pytest.warns(ExplodedWarning, match="the output exploded"):
        y = readout.forward(
            readout.Params(1e200 * np.array([[1.0, -1.0]])), np.full((1, 1, 2), 1e200)
        )
    assert np.isinf(y).all()


def test_a_class_of_probability_zero_costs_nothing_where_its_target_is_zero():
    loss, dy = softmax_cross_entropy([[[1.7e308, -1.7e308]]], [[0]])
    assert loss == 0 and (dy == 0).all()


def test_an_error_off_the_chosen_steps_does_not_count_whatever_its_size():
    with np.errstate(over="ignore"):
        loss, dy = squared_error([[[1.5e308]], [[3.0]]], [[[-1.5e308]], [[1.0]]], steps=[2])
    assert loss == 2 and dy.ravel().tolist() == [0, 2]
