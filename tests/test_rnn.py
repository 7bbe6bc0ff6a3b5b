"""What the RNN has and the LSTM has not; what both share is in test_agreement.py."""

import numpy as np
import pytest

from bptt_core import ExplodedWarning, rnn


def spectral_radius(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


def test_one_step_by_hand():
    params = rnn.Params(np.array([[2.0, -1.0]]), np.array([[0.5]]), np.array([0.25]))
    h = rnn.step(params, np.array([[0.3, 0.1]]), np.array([[-0.8]]))
    np.testing.assert_allclose(h, [[np.tanh(0.6 - 0.1 - 0.4 + 0.25)]], rtol=1e-15)


def test_two_steps_of_a_scalar_network_by_hand():
    """h_2 = w (w h_0 + x_1) + x_2: with dL/dh_2 = 1 the gradient of w is h_1 + w h_0, a sum of two
    paths."""
    params = rnn.Params(np.array([[1.0]]), np.array([[0.5]]))
    cache = rnn.forward(
        params, np.array([[[2.0]], [[3.0]]]), np.array([[4.0]]), activation="identity"
    )
    assert cache.h.ravel().tolist() == [4, 4, 5]
    back = rnn.backward(params, cache, {2: [[1.0]]}, per_step=True)
    assert back.params.W_hh.item() == 4 + 0.5 * 4
    assert back.per_step.W_hh.ravel().tolist() == [0.5 * 4, 4]
    assert back.h.ravel().tolist() == [0.25, 0.5, 1]
    assert back.a.ravel().tolist() == [0.5, 1]
    assert back.params.W_xh.item() == 0.5 * 2 + 3
    assert back.params.b_h is back.per_step.b_h is None


def test_weights_are_transposed_on_the_way_back():
    """A shift register: h_t[1] = h_{t−1}[0]. The gradient of the last h[1] can only come from the
    first unit."""
    params = rnn.Params(np.zeros((2, 1)), np.array([[0.0, 0.0], [1.0, 0.0]]))
    cache = rnn.forward(params, np.zeros((1, 1, 1)), np.array([[5.0, 7.0]]), activation="identity")
    back = rnn.backward(params, cache, {1: [[0.0, 1.0]]})
    assert cache.h[1].tolist() == [[0, 5]]
    assert back.h[0].tolist() == [[1, 0]]


def test_initial_weights_have_the_stated_spread():
    params = rnn.init_params(30, 400, np.random.default_rng(0), scale=1.5)
    assert (params.W_xh.shape, params.W_hh.shape, params.b_h.shape) == (
        (400, 30),
        (400, 400),
        (400,),
    )
    assert params.W_xh.std() == pytest.approx(1 / np.sqrt(30), rel=0.02)
    assert params.W_hh.std() == pytest.approx(1.5 / np.sqrt(400), rel=0.02)
    assert spectral_radius(params.W_hh) == pytest.approx(1.5, rel=0.1)
    assert not params.b_h.any()


def test_the_default_scale_is_one():
    first, second = (
        rnn.init_params(2, 3, np.random.default_rng(0), **scale) for scale in ({}, {"scale": 1.0})
    )
    assert (first.W_hh == second.W_hh).all() and (first.W_xh == second.W_xh).all()
    assert first.b_h.shape == (3,)
    assert (
        first.W_hh == rnn.init_params(2, 3, np.random.default_rng(0), orthogonal=False).W_hh
    ).all()


def test_orthogonal_initial_weights_are_a_scaled_rotation():
    W = rnn.init_params(2, 7, np.random.default_rng(0), scale=0.9, orthogonal=True).W_hh
    np.testing.assert_allclose(W @ W.T, 0.81 * np.eye(7), atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_initial_weights_have_the_asked_type_and_no_bias_if_none_is_wanted(dtype):
    rng = np.random.default_rng(0)
    assert {value.dtype for value in rnn.init_params(2, 3, rng, dtype=dtype)} == {np.dtype(dtype)}
    assert rnn.init_params(2, 3, rng, dtype=dtype, bias=False).b_h is None


def test_the_same_seed_gives_the_same_weights():
    first, second = (rnn.init_params(2, 3, np.random.default_rng(5)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_the_initial_state_is_zero_unless_given_and_is_kept_in_row_zero():
    rng = np.random.default_rng(0)
    params, x, h_0 = (
        rnn.init_params(2, 4, rng),
        rng.standard_normal((5, 3, 2)),
        rng.standard_normal((3, 4)),
    )
    assert not rnn.forward(params, x).h[0].any()
    assert (rnn.forward(params, x, h_0).h[0] == h_0).all()
    assert (rnn.forward(params, x).h == rnn.forward(params, x, np.zeros((3, 4))).h).all()


def test_an_exploding_state_is_infinity_with_a_warning_and_never_nan():
    params = rnn.Params(np.ones((2, 1)), np.array([[1e200, -1e200], [1e200, 1e200]]))
    with pytest.warns(ExplodedWarning, match="the state exploded beyond float64"):
        cache = rnn.forward(params, np.ones((4, 1, 1)), activation="identity")
    assert np.isinf(cache.h[-1]).all() and not np.isnan(cache.h).any()
    with pytest.warns(ExplodedWarning, match="the gradient exploded"):
        back = rnn.backward(params, cache, np.ones((4, 1, 2)), per_step=True)
    for value in (*back.params[:2], back.x, back.h, back.a, *back.per_step[:2]):
        assert not np.isnan(value).any()


def test_an_exploding_gradient_is_infinity_with_a_warning_and_the_rest_stays_finite():
    params = rnn.Params(np.ones((1, 1)), np.array([[1e150]]), np.zeros(1))
    cache = rnn.forward(params, np.zeros((4, 1, 1)), activation="identity")
    with pytest.warns(
        ExplodedWarning, match="the gradient exploded beyond float64; reported as infinity"
    ):
        back = rnn.backward(params, cache, {4: [[1.0]]})
    assert back.h.ravel().tolist() == pytest.approx([np.inf, np.inf, 1e300, 1e150, 1.0])
    assert back.params.b_h.item() == np.inf
