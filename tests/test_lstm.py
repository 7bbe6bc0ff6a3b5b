"""What the LSTM has and the RNN has not; what both share is in test_agreement.py."""

import numpy as np
import pytest

from bptt_core import ExplodedWarning, lstm

D, H, B, T = 3, 4, 2, 6


def network(rng, **options):
    params = lstm.init_params(D, H, rng, **options)
    return params if params.b_h is None else params._replace(b_h=rng.standard_normal(4 * H))


def sigma(a):
    return 1 / (1 + np.exp(-a))


def test_one_step_by_hand():
    params = lstm.Params(
        W_xh=np.array([[0.1], [0.2], [0.3], [0.4]]),
        W_hh=np.array([[0.5], [0.6], [0.7], [0.8]]),
        b_h=np.array([1, 2, 3, 4.0]),
    )
    h, c = lstm.step(params, np.array([[2.0]]), np.array([[-1.0]]), np.array([[0.9]]))
    i, f, g, o = (
        sigma(0.2 - 0.5 + 1),
        sigma(0.4 - 0.6 + 2),
        np.tanh(0.6 - 0.7 + 3),
        sigma(0.8 - 0.8 + 4),
    )
    np.testing.assert_allclose(c, [[f * 0.9 + i * g]], rtol=1e-14)
    np.testing.assert_allclose(h, [[o * np.tanh(f * 0.9 + i * g)]], rtol=1e-14)


def test_the_cache_holds_each_gate_under_its_own_name():
    rng = np.random.default_rng(0)
    params, x = network(rng), rng.standard_normal((T, B, D))
    h_0, c_0 = rng.standard_normal((2, B, H))
    cache = lstm.forward(params, x, h_0, c_0)
    for gate, phi in {"i": sigma, "f": sigma, "g": np.tanh, "o": sigma}.items():
        W_x, W_h, b = (getattr(params, name + gate) for name in ("W_x", "W_h", "b_"))
        np.testing.assert_allclose(
            getattr(cache, gate), phi(x @ W_x.T + cache.h[:-1] @ W_h.T + b), rtol=1e-12
        )
    np.testing.assert_allclose(cache.c[1:], cache.f * cache.c[:-1] + cache.i * cache.g, rtol=1e-12)
    np.testing.assert_allclose(cache.h[1:], cache.o * np.tanh(cache.c[1:]), rtol=1e-12)
    np.testing.assert_allclose(cache.s, np.tanh(cache.c[1:]), rtol=1e-12)
    assert (cache.h[0] == h_0).all() and (cache.c[0] == c_0).all()
    assert (cache.squash.name, cache.forget_gate) == ("tanh", True)


@pytest.mark.parametrize("grid", [(), (5,), (2, 5)])
def test_gates_of_the_parameters_are_views_in_the_order_i_f_g_o(grid):
    params = lstm.Params(
        np.arange(np.prod(grid, dtype=int) * 4 * H * D, dtype=float).reshape(*grid, 4 * H, D),
        np.arange(np.prod(grid, dtype=int) * 4 * H * H, dtype=float).reshape(*grid, 4 * H, H),
        np.arange(np.prod(grid, dtype=int) * 4 * H, dtype=float).reshape(*grid, 4 * H),
    )
    for k, gate in enumerate("ifgo"):
        own = slice(k * H, (k + 1) * H)
        W_x, W_h, b, W = (getattr(params, name + gate) for name in ("W_x", "W_h", "b_", "W_"))
        assert (W_x == params.W_xh[..., own, :]).all() and np.shares_memory(W_x, params.W_xh)
        assert (W_h == params.W_hh[..., own, :]).all() and np.shares_memory(W_h, params.W_hh)
        assert (b == params.b_h[..., own]).all() and np.shares_memory(b, params.b_h)
        assert (W == np.concatenate([W_h, W_x], axis=-1)).all()
    again = lstm.Params.from_hx(
        params.W_i, params.W_f, params.W_g, params.W_o, params.b_h.reshape(*grid, 4, H)
    )
    assert all((a == b).all() for a, b in zip(params, again, strict=True))
    assert lstm.Params.from_hx(params.W_i, params.W_f, params.W_g, params.W_o).b_h is None
    with pytest.raises(ValueError, match="^W_i, W_f, W_g, W_o, b: got"):
        lstm.Params.from_hx(params.W_i[..., :1, :], params.W_f, params.W_g, params.W_o)
    with pytest.raises(ValueError, match="^W_i, W_f, W_g, W_o, b: got"):
        lstm.Params.from_hx(params.W_i, params.W_f, params.W_g, params.W_o, np.zeros((*grid, 3, H)))


def test_there_are_no_gate_biases_without_a_bias():
    params = lstm.init_params(D, H, np.random.default_rng(0), bias=False)
    assert params.b_h is params.b_i is params.b_f is params.b_g is params.b_o is None


def test_initial_weights_have_the_stated_spread_and_only_the_forget_bias_is_not_zero():
    params = lstm.init_params(30, 200, np.random.default_rng(0), scale=1.5, forget_bias=2.5)
    assert params.W_xh.std() == pytest.approx(1 / np.sqrt(30), rel=0.02)
    assert params.W_hh.std() == pytest.approx(1.5 / np.sqrt(200), rel=0.02)
    assert (params.b_f == 2.5).all() and not (
        params.b_i.any() or params.b_g.any() or params.b_o.any()
    )
    default = lstm.init_params(2, 3, np.random.default_rng(0))
    explicit = lstm.init_params(
        2, 3, np.random.default_rng(0), scale=1.0, bias=True, forget_bias=1.0
    )
    assert all((a == b).all() for a, b in zip(default, explicit, strict=True))
    assert {
        value.dtype for value in lstm.init_params(2, 3, np.random.default_rng(0), dtype=np.float32)
    } == {np.dtype("f4")}


def test_without_a_forget_gate_nothing_is_forgotten_and_the_gate_has_no_gradient():
    rng = np.random.default_rng(0)
    params, x = network(rng), rng.standard_normal((T, B, D))
    c_0 = rng.standard_normal((B, H))
    cache = lstm.forward(params, x, c_0=c_0, forget_gate=False)
    assert (cache.f == 1).all() and not cache.forget_gate
    np.testing.assert_allclose(cache.c[-1], c_0 + (cache.i * cache.g).sum(0), rtol=1e-12)
    back = lstm.backward(
        params, cache, rng.standard_normal((T, B, H)), rng.standard_normal((T, B, H))
    )
    assert not (back.params.W_xf.any() or back.params.W_hf.any() or back.params.b_f.any())
    assert back.params.W_xi.any() and back.params.W_hg.any() and back.params.b_o.any()


def test_the_constant_error_carousel_of_1997_carries_the_cell_gradient_unchanged():
    rng = np.random.default_rng(0)
    params = network(rng)
    cache = lstm.forward(params, rng.standard_normal((T, B, D)), forget_gate=False)
    dc = rng.standard_normal((B, H))
    truncated = lstm.backward(params, cache, dc={T: dc}, truncated=True)
    assert (truncated.c == dc).all() and not truncated.h.any()
    full = lstm.backward(params, cache, dc={T: dc})
    assert not np.allclose(full.c[0], dc) and full.h[:-1].any()


def test_the_initial_states_are_zero_unless_given():
    rng = np.random.default_rng(0)
    params, x = network(rng), rng.standard_normal((T, B, D))
    default, zero = (
        lstm.forward(params, x),
        lstm.forward(params, x, np.zeros((B, H)), np.zeros((B, H))),
    )
    assert not default.h[0].any() and not default.c[0].any()
    assert (default.h == zero.h).all() and (default.c == zero.c).all()


def test_a_loss_on_h_a_loss_on_c_and_both():
    rng = np.random.default_rng(0)
    params = network(rng)
    cache = lstm.forward(params, rng.standard_normal((T, B, D)))
    dh, dc = rng.standard_normal((2, T, B, H))
    on_h, on_c = lstm.backward(params, cache, dh), lstm.backward(params, cache, dc=dc)
    both = lstm.backward(params, cache, dh, dc)
    for name in ("x", "h", "c", "a"):
        np.testing.assert_allclose(
            getattr(on_h, name) + getattr(on_c, name), getattr(both, name), atol=1e-13
        )
    assert on_h.h.shape == on_h.c.shape == (T + 1, B, H) and on_h.a.shape == (T, B, 4 * H)
    nothing = lstm.backward(params, cache)
    assert not any(value.any() for value in (*nothing.params, nothing.x, nothing.h, nothing.c))


def test_sigma_squashing_replaces_both_tanh():
    rng = np.random.default_rng(0)
    params = network(rng)
    cache = lstm.forward(params, rng.standard_normal((T, B, D)), squash="sigmoid")
    a_g = cache.x @ params.W_xg.T + cache.h[:-1] @ params.W_hg.T + params.b_g
    np.testing.assert_allclose(cache.g, sigma(a_g), rtol=1e-12)
    np.testing.assert_allclose(cache.s, sigma(cache.c[1:]), rtol=1e-12)


@pytest.mark.parametrize("squash", ["identity", "relu", "swish", None, ["tanh"]])
def test_only_tanh_and_sigma_squash(squash):
    params, zero = lstm.init_params(D, H, np.random.default_rng(0)), np.zeros((B, H))
    for call in (
        lambda: lstm.forward(params, np.zeros((T, B, D)), squash=squash),
        lambda: lstm.step(params, np.zeros((B, D)), zero, zero, squash=squash),
    ):
        with pytest.raises(ValueError, match="squash: got .* wanted one of tanh, sigmoid"):
            call()


def test_a_cache_is_at_most_seven_hidden_sizes_and_one_input_a_step():
    cache = lstm.forward(network(np.random.default_rng(0)), np.zeros((T, B, D)))
    owned = sum(value.nbytes for value in (cache.joint, cache.c, cache.gates, cache.s))
    assert cache.h.base is cache.joint
    assert owned == 8 * B * ((7 * H + D + 1) * T + 2 * H + D + 1)


def test_an_exploded_state_is_infinity_with_a_warning_and_never_nan():
    params = lstm.Params(np.full((4, 2), 1e200) * [1, -1], np.ones((4, 1)))
    with pytest.warns(
        ExplodedWarning, match="the state exploded beyond float64; reported as infinity"
    ):
        cache = lstm.forward(params, np.full((3, 1, 2), 1e200))
    assert np.isinf(cache.h[1:]).all() and not any(np.isnan(value).any() for value in cache[:5])


def test_an_exploding_gradient_is_infinity_with_a_warning_and_never_nan():
    params = lstm.Params(np.zeros((4, 1)), np.full((4, 1), 1e160))
    cache = lstm.forward(params, np.zeros((4, 1, 1)), c_0=[[0.0]])
    with pytest.warns(
        ExplodedWarning, match="the gradient exploded beyond float64; reported as infinity"
    ):
        back = lstm.backward(params, cache, np.ones((4, 1, 1)), np.ones((4, 1, 1)), per_step=True)
    assert np.isinf(back.h[0]).all() and (back.h[4] == 1).all()
    for value in (*back.params[:2], *back.per_step[:2], back.x, back.h, back.c, back.a):
        assert not np.isnan(value).any()
