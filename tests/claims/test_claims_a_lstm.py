"""Source A, the LSTM (`A69`–`A98`): the cell's recursion, its one-step derivative, and what a product of those misses.

The witness is the complex step through the forward pass.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from setups import jacobian, lstm_grid, relative, shown, total_cell_derivative

from bptt_core import lstm
from bptt_core.activations import sigmoid
from bptt_core.gradient_flow import clip_by_global_norm
from bptt_core.jacobians import cell_terms, products, step_jacobians

T, B, D, H = 6, 2, 3, 5


@pytest.fixture(scope="module")
def cell():
    """Sizes all different, every gate another bias, first state and cell not zero."""
    rng = np.random.default_rng(21)
    n = SimpleNamespace(x=rng.standard_normal((T, B, D)))
    n.h_0, n.c_0 = 0.5 * rng.standard_normal((2, B, H))
    n.params = lstm.Params(
        *(0.7 * rng.standard_normal((4 * H, width)) for width in (D, H)),
        0.4 * rng.standard_normal(4 * H),
    )
    n.cache = lstm.forward(n.params, n.x, n.h_0, n.c_0)
    return n


def next_cell(n, t, c, h=None, **kwargs):
    """c_t as a function of c_{t−1}, h_{t−1} = o_{t−1} tanh(c_{t−1}) with o_{t−1} held, first sequence."""
    h = n.cache.o[t - 2, 0] * np.tanh(c) if h is None else h
    return lstm.step(n.params, n.x[t - 1, :1], h[None], c[None], **kwargs)[1][0]


def test_a72_the_modern_cell_scales_what_it_keeps(cell):
    c = cell.cache
    for t in range(T):
        h, now = lstm.step(cell.params, cell.x[t], c.h[t], c.c[t])
        assert relative(now, c.f[t] * c.c[t] + c.i[t] * c.g[t]) < 1e-14
        assert relative(c.c[t + 1], now) < 1e-14 and relative(c.h[t + 1], h) < 1e-13
    assert (
        relative(
            c.f[1],
            sigmoid(c.h[1] @ cell.params.W_hf.T + cell.x[1] @ cell.params.W_xf.T + cell.params.b_f),
        )
        < 1e-13
    )
    shown("A72", relative(c.c[1] + c.i[1] * c.g[1], c.c[2]), "0.520")


def test_a69_the_first_cell_only_adds(cell):
    c = lstm.forward(cell.params, cell.x, cell.h_0, cell.c_0, forget_gate=False)
    assert np.all(c.f == 1)
    assert relative(c.c[T], cell.c_0 + (c.i * c.g).sum(0)) < 1e-14
    shown("A69", relative(c.c[T], cell.cache.c[T]), "1.94")


def test_a70_its_derivative_is_one_only_when_the_gradient_is_truncated(cell):
    c = lstm.forward(cell.params, cell.x, cell.h_0, cell.c_0, forget_gate=False)
    up = np.random.default_rng(22).standard_normal((B, H))
    cut = lstm.backward(cell.params, c, dc={T: up}, truncated=True)
    assert np.array_equal(cut.c, np.broadcast_to(up, cut.c.shape)) and not cut.h[:T].any()
    whole = lstm.backward(cell.params, c, dc={T: up})
    truth = jacobian(
        lambda c_0: (
            lstm.forward(cell.params, cell.x + 0j, cell.h_0, c_0, forget_gate=False).c[T] * up
        ).sum(),
        cell.c_0,
    )
    assert relative(whole.c[0], truth) < 1e-12
    shown("A95", np.abs(cut.h[:T]).max(), "0")
    shown("A95", relative(cut.params.W_hh, whole.params.W_hh), "0.232")
    for scale, text in ((0.5, "0.58"), (1, "1.25"), (2, "2.79")):
        params, cache = lstm_grid(scale, forget_gate=False, steps=11)
        change = total_cell_derivative(params, cache)[10] - np.eye(16)
        shown("A70", np.median(np.linalg.norm(change, axis=(-2, -1)) / 4), text)


def test_a71_without_a_forget_gate_the_cell_grows():
    rng = np.random.default_rng(23)
    params = lstm.init_params(8, 16, rng, forget_bias=2.2)
    x = rng.standard_normal((1000, 20, 8))

    def rms(cache, t):
        return np.sqrt((cache.c[t] ** 2).mean())

    open_end, kept = (lstm.forward(params, x, forget_gate=f) for f in (False, True))
    for t, plain, gated in ((10, "1.18", "0.735"), (100, "9.71", "0.853"), (1000, "95.3", "0.846")):
        shown("A71", rms(open_end, t), plain)
        shown("A71", rms(kept, t), gated)
    shown("A71", kept.f.mean(), "0.862")
    one_sided = params._replace(b_h=params.b_h + np.repeat([0, 0, 0.5, 0], 16))
    shown("A71", rms(lstm.forward(one_sided, x, forget_gate=False), 1000), "162")


def test_a73_the_forget_gate_alone_is_not_the_derivative():
    for scale, one, ten in ((0.5, "17%", "79%"), (1, "32%", "95%"), (2, "53%", "99.5%")):
        params, cache = lstm_grid(scale)
        truth = total_cell_derivative(params, cache)
        gates = np.cumprod(cache.f[::-1, :, 0], axis=0)[..., None] * np.eye(16)
        for k, text in ((1, one), (10, ten)):
            gap = np.linalg.norm(gates[k - 1] - truth[k], axis=(-2, -1)) / np.linalg.norm(
                truth[k], axis=(-2, -1)
            )
            shown("A73", np.median(gap), text)


def test_a74_a_product_of_forget_gates_still_shrinks():
    params, cache = lstm_grid(1.0)
    assert np.all((cache.f > 0) & (cache.f < 1))
    kept = np.prod(cache.f, axis=0)
    assert np.all(np.diff(np.cumprod(cache.f, axis=0), axis=0) < 0)
    shown("A74", np.median(kept), "9.7e-5")
    shown("A74", 0.95**100, "0.0059")
    shown("A74", np.log(0.5) / np.log(0.95), "13.5")
    shown("A75", 0.95**100, "0.0059")
    shown("A75", 0.95**10, "0.599")
    shown("A75", (1 - np.tanh(2) ** 2) ** 10, "3.1e-12")
    shown("A75", (1 - np.tanh(0) ** 2) ** 10, "1")


def test_a76_all_four_gates_depend_on_the_previous_cell_through_the_state(cell):
    c, t = cell.cache, 3
    for gate, phi in (("i", sigmoid), ("f", sigmoid), ("g", np.tanh), ("o", sigmoid)):
        W_h, W_x, b = (getattr(cell.params, f"{name}{gate}") for name in ("W_h", "W_x", "b_"))

        def value(c_prev, W_h=W_h, W_x=W_x, b=b, phi=phi):
            return phi(W_h @ (c.o[t - 2, 0] * np.tanh(c_prev)) + W_x @ cell.x[t - 1, 0] + b)

        y = getattr(c, gate)[t - 1, 0]
        assert relative(value(c.c[t - 1, 0]), y) < 1e-13
        slope = 1 - y**2 if gate == "g" else y * (1 - y)
        tau = c.o[t - 2, 0] * (1 - c.s[t - 2, 0] ** 2)
        J = jacobian(value, c.c[t - 1, 0])
        assert relative(J, slope[:, None] * W_h * tau) < 1e-12
        if gate == "o":
            shown("A76", np.linalg.norm(J, 2), "0.210")
        if gate == "f":
            shown("A97", np.linalg.norm(J, 2), "0.253")
    # the present cell: open the input gate of step t and c_t moves, f_t stays
    rows = cell.params.b_h + np.repeat([1.0, 0, 0, 0], H)
    moved = lstm.forward(cell.params._replace(b_h=rows), cell.x[t - 1 : t], c.h[t - 1], c.c[t - 1])
    assert np.array_equal(moved.f[0], c.f[t - 1])
    shown("A97", relative(moved.c[1], c.c[t]), "0.260")


def test_a77_the_four_terms_make_the_one_step_derivative(cell):
    terms = cell_terms(cell.params, cell.cache)
    for t in (2, 4, T):
        truth = jacobian(lambda c, t=t: next_cell(cell, t, c), cell.cache.c[t - 1, 0])
        assert relative(sum(term[t - 1, 0] for term in terms), truth) < 1e-12
    shares = [np.linalg.norm(term[T - 1, 0]) / np.linalg.norm(truth) for term in terms]
    # the same symbol stands on both sides: read alike, the three gate terms would have to cancel
    shown("A77", relative(terms[1][T - 1, 0], truth), "0.339")
    shown("A102", shares[1], "0.927")


def test_a78_the_printed_terms_need_a_matrix_reading(cell):
    c, t = cell.cache, T
    f, i, g = (getattr(c, gate)[t - 1, 0] for gate in "fig")
    c_prev, tau = c.c[t - 1, 0], c.o[t - 2, 0] * (1 - c.s[t - 2, 0] ** 2)
    truth = jacobian(lambda c: next_cell(cell, t, c), c_prev)
    left = [
        (c_prev * f * (1 - f))[:, None] * cell.params.W_hf,
        (g * i * (1 - i))[:, None] * cell.params.W_hi,
        (i * (1 - g**2))[:, None] * cell.params.W_hg,
    ]
    assert relative(sum(left) * tau + np.diag(f), truth) < 1e-12
    shown("A78", relative(sum(left) * tau[:, None] + np.diag(f), truth), "0.193")  # o tanh' on rows
    shown("A78", relative(sum(left) * tau + f, truth), "1.85")  # f added to every row


def test_a79_the_product_of_one_step_derivatives_is_exact_for_one_step_only(cell):
    terms = sum(cell_terms(cell.params, cell.cache))[:, 0]

    def two_steps(c):  # c_T from c_{T−2}
        h, now = lstm.step(
            cell.params, cell.x[T - 2, :1], (cell.cache.o[T - 3, 0] * np.tanh(c))[None], c[None]
        )
        return lstm.step(cell.params, cell.x[T - 1, :1], h, now)[1][0]

    truth = jacobian(two_steps, cell.cache.c[T - 2, 0])
    M = step_jacobians(cell.params, cell.cache)[:, 0]
    tau = cell.cache.o[:, 0] * (1 - cell.cache.s[:, 0] ** 2)
    G = M[T - 1][H:, :H]
    o = cell.cache.o[T - 2, 0]
    R = (cell.cache.s[T - 2, 0] * o * (1 - o))[:, None] * cell.params.W_ho
    defect = G @ R * tau[T - 3]
    assert relative(terms[T - 1] @ terms[T - 2] + defect, truth) < 1e-12
    assert relative(total_cell_derivative(cell.params, cell.cache)[2], truth) < 1e-12
    shown("A79", relative(terms[T - 1] @ terms[T - 2], truth), "0.0435")
    no_path = cell.params._replace(W_hh=cell.params.W_hh * np.repeat([1, 1, 1, 0], H)[:, None])
    cache = lstm.forward(no_path, cell.x, cell.h_0, cell.c_0)
    chained = np.linalg.multi_dot(sum(cell_terms(no_path, cache))[:0:-1, 0])
    assert relative(chained, total_cell_derivative(no_path, cache)[T - 1]) < 1e-12
    assert (
        relative(np.linalg.matrix_power(terms[T - 1], 2), terms[T - 1] @ terms[T - 2]) > 0.1
    )  # factors differ


@pytest.mark.parametrize(
    ("scale", "texts"),
    [(1, ("4.4%", "8%", "11%", "15%")), (4, ("26%", "48%", "72%", "89%"))],
)
def test_a79_the_missing_path_grows_with_the_lag_and_the_weights(scale, texts):
    params, cache = lstm_grid(scale, steps=21)
    truth = total_cell_derivative(params, cache)
    chained = products(sum(cell_terms(params, cache)))[:-1, :, 0]
    gaps = np.linalg.norm(chained - truth, axis=(-2, -1)) / np.linalg.norm(truth, axis=(-2, -1))
    assert np.all(gaps[1] < 1e-12)
    for k, text in zip((2, 5, 10, 20), texts, strict=True):
        shown("A79", np.median(gaps[k]), text)


def test_a79_the_joint_recursion_is_exact(cell):
    up = np.random.default_rng(24).standard_normal((B, H))
    truth = jacobian(
        lambda c_0: (lstm.forward(cell.params, cell.x + 0j, cell.h_0, c_0).c[T] * up).sum(),
        cell.c_0,
    )
    assert relative(lstm.backward(cell.params, cell.cache, dc={T: up}).c[0], truth) < 1e-12
    P = products(step_jacobians(cell.params, cell.cache))[T]
    assert relative(np.einsum("bi,bij->bj", up, P[:, H:, H:]), truth) < 1e-12


def scalar(*, w_g=0.0, w_o=0.0, b=(0.0, 0.0, 0.0, 0.0)):
    """A cell of one unit: recurrent weights of candidate and output gate, biases in the order i, f, g, o."""
    return lstm.Params(
        np.zeros((4, 1)), np.array([[0], [0], [w_g], [w_o]], float), np.array(b, float)
    )


def one_factor(params, c=0.0, o=0.5):
    """dc_2/dc_1 of a one-unit cell from c_1 = c with o_1 = o, by the complex step."""
    return jacobian(
        lambda c: lstm.step(params, np.zeros((1, 1)), (o * np.tanh(c))[None], c[None])[1][0],
        np.array([c]),
    )[0, 0]


def test_a81_the_factor_of_a_cell_takes_either_sign():
    for w_g, text in ((-8.0, "-1.5"), (4.0, "1.5"), (0.0, "0.5")):
        params = scalar(w_g=w_g)
        cache = lstm.forward(params, np.zeros((2, 1, 1)))
        assert sum(cell_terms(params, cache))[1, 0, 0, 0] == pytest.approx(
            one_factor(params), rel=1e-12
        )
        shown("A81", one_factor(params), text)
    params, cache = lstm_grid(1.0)
    A, _, C, D_t = (term[1:] for term in cell_terms(params, cache))
    off = ~np.eye(16, dtype=bool)
    for term, text in ((A, "0.501"), (C, "0.498"), (D_t, "0.497")):
        shown("A81", (term[..., off] < 0).mean(), text)


def test_a83_an_open_forget_gate_promises_nothing():
    b_f = np.log(0.99995 / 0.00005)
    keeps = sigmoid(np.array([b_f]))[0]
    shown("A83", keeps, "0.99995")
    assert keeps < 1
    cancels = scalar(w_g=-keeps / 0.25, b=(0, b_f, 0, 0))  # i = o = 1/2, c = 0: f + i w o = 0
    assert abs(one_factor(cancels)) < 1e-12
    cache = lstm.forward(cancels, np.zeros((20, 1, 1)))
    shown("A83", np.prod(cache.f), "0.999")
    assert np.abs(products(step_jacobians(cancels, cache))[3:, 0]).max() < 1e-12
    fills = scalar(b=(9, b_f, 9, 0))  # the cell gains one at every step
    cache = lstm.forward(fills, np.zeros((10, 1, 1)))
    shown("A83", cache.c[10, 0, 0], "10.0")
    exit_factor = lstm.backward(fills, cache, dh={10: np.ones((1, 1))}).c[0, 0, 0]
    shown("A83", exit_factor, "4.15e-9")


def test_a82_a_cell_may_keep_its_gradient_over_any_finite_time():
    params = scalar(b=(-20.0, 20.0, 0.0, 0.0))
    cache = lstm.forward(params, np.zeros((1000, 1, 1)), None, np.array([[0.3]]))
    shown("A82", lstm.backward(params, cache, dc={1000: np.ones((1, 1))}).c[0, 0, 0], "0.999998")


def test_a84_training_does_not_steer_the_forget_gate_towards_one():
    rng = np.random.default_rng(25)
    params, cache = lstm_grid(1.0, nets=200, steps=20)
    target = rng.standard_normal(cache.h[20].shape)
    loss = 0.5 * ((cache.h[20] - target) ** 2).sum()
    g = lstm.backward(params, cache, {20: cache.h[20] - target})
    stepped = lstm.Params(*(p - 0.01 * d for p, d in zip(params, g.params, strict=True)))
    after = lstm.forward(stepped, cache.x)
    assert 0.5 * ((after.h[20] - target) ** 2).sum() < loss
    down = after.f.mean((0, 2, 3)) < cache.f.mean((0, 2, 3))
    shown("A104", down.mean(), "64%")
    shown("B69", down.mean(), "64%")
    after_g = lstm.backward(stepped, after, {20: after.h[20] - target})
    smaller = np.linalg.norm(after_g.c[1], axis=(-2, -1)) < np.linalg.norm(g.c[1], axis=(-2, -1))
    shown("B46", smaller.mean(), "64%")
    now = np.random.default_rng(26).standard_normal((1, 3))
    one = lstm.init_params(3, 4, rng)
    found = lstm.forward(one, now[None], 0.1 * np.ones((1, 4)))
    gate = [sigmoid(now @ one.W_xf.T + h @ one.W_hf.T + one.b_f) for h in found.h]
    assert relative(gate[0], found.f[0]) < 1e-13
    shown("A84", relative(gate[1], found.f[0]), "0.0136")


def growth(params, cache, dh):
    """log10 of the factor per step by which the joint gradient changes, going back."""
    g = lstm.backward(params, cache, dh)
    joint = np.concatenate([g.h, g.c], -1)[..., 0, :]
    return np.log10(np.linalg.norm(joint[15], axis=-1) / np.linalg.norm(joint[-1], axis=-1)) / (
        len(joint) - 16
    )


def test_a85_an_lstm_can_explode_and_clipping_bounds_the_update():
    params, cache = lstm_grid(1.0, steps=45, nets=30)
    dh = {45: np.random.default_rng(27).standard_normal(cache.h[1].shape)}
    shown("A85", np.median(growth(params, cache, dh)), "-0.212")
    larger = params._replace(W_hh=8 * params.W_hh)
    found = lstm.forward(larger, cache.x)
    shown("A85", np.median(growth(larger, found, dh)), "0.0608")
    shown("A85", (growth(larger, found, dh) > 0).mean(), "87%")
    shown("B52", np.median(growth(params, cache, dh)), "-0.212")
    shown("B55", np.median(growth(larger, found, dh)), "0.0608")
    grads = lstm.backward(larger, found, dh).params
    clipped, norm = clip_by_global_norm(grads, 1.0)
    size = np.sqrt(sum((p**2).sum() for p in grads))
    assert norm == pytest.approx(size, rel=1e-12)
    assert np.sqrt(sum((p**2).sum() for p in clipped)) == pytest.approx(1.0, rel=1e-12)
    shown("A98", np.log10(size), "6.51")
    small = [1e-9 * p for p in clipped]
    assert all(
        np.array_equal(a, b) for a, b in zip(clip_by_global_norm(small, 1.0)[0], small, strict=True)
    )


def test_a86_the_joint_recursion_gives_every_parameter(cell):
    dh, dc = np.random.default_rng(28).standard_normal((2, T, B, H))
    g = lstm.backward(cell.params, cell.cache, dh, dc)

    def loss(**changed):
        kind = np.result_type(float, *changed.values())
        start = {"h_0": cell.h_0, "c_0": cell.c_0} | {
            k: v for k, v in changed.items() if k in ("h_0", "c_0")
        }
        params = cell.params._replace(
            **{k: v for k, v in changed.items() if k in lstm.Params._fields}
        )
        cache = lstm.forward(
            params, changed.get("x", cell.x).astype(kind), start["h_0"], start["c_0"]
        )
        return (dh * cache.h[1:]).sum() + (dc * cache.c[1:]).sum()

    for name, at in zip(lstm.Params._fields, cell.params, strict=True):
        assert (
            relative(getattr(g.params, name), jacobian(lambda v, name=name: loss(**{name: v}), at))
            < 1e-12
        ), name
    for name, found in (("h_0", g.h[0]), ("c_0", g.c[0]), ("x", g.x)):
        assert (
            relative(found, jacobian(lambda v, name=name: loss(**{name: v}), getattr(cell, name)))
            < 1e-12
        ), name
    shown("A86", sum(p.size for p in cell.params), "180")
