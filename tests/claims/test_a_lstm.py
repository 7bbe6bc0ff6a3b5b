"""Source A, the LSTM (`A69`–`A86`, `A95`–`A102`): the cell's recursion, its one-step derivative,
and what a product of those misses. What training does to the gates is in `test_learning`."""

import numpy as np
import pytest
from evidence import shown, within
from networks import (
    from_cell,
    gaps,
    length,
    logit,
    one_unit,
    relative,
    sigma,
    slopes,
    two_hundred,
)
from source_a import chapter_1
from witnesses import jacobian

from bptt_core import lstm, rnn
from bptt_core.gradient_flow import clip_by_global_norm, half_life
from bptt_core.jacobians import cell_terms, products, step_jacobians

T, B, D, H = 6, 2, 3, 5


class Cell:
    """Sizes all different, every gate another bias, first state and cell not zero."""

    def __init__(self):
        rng = np.random.default_rng(21)
        self.x = rng.standard_normal((T, B, D))
        self.h_0, self.c_0 = 0.5 * rng.standard_normal((2, B, H))
        W_xh, W_hh = (0.7 * rng.standard_normal((4 * H, width)) for width in (D, H))
        self.params = lstm.Params(W_xh, W_hh, 0.4 * rng.standard_normal(4 * H))
        self.cache = self.run(self.params)

    def run(self, params, **options):
        return lstm.forward(params, self.x, self.h_0, self.c_0, **options)

    def next_cell(self, t, c):
        """c_t as a function of c_{t−1}, first sequence; h_{t−1} = o_{t−1} tanh(c_{t−1}), o_{t−1}
        held."""
        h = self.cache.o[t - 2, 0] * np.tanh(c)
        return lstm.step(self.params, self.x[t - 1, :1], h[None], c[None])[1][0]

    def one_step(self, t):
        """The one-step derivative by the complex step."""
        return jacobian(lambda c: self.next_cell(t, c), self.cache.c[t - 1, 0])


@pytest.fixture(scope="module")
def cell():
    return Cell()


# The cell of 1997, and the forget gate


def test_a72_the_modern_cell_scales_what_it_keeps(cell):
    c = cell.cache
    apart = []
    for t in range(T):
        h, now = lstm.step(cell.params, cell.x[t], c.h[t], c.c[t])
        by_hand = c.f[t] * c.c[t] + c.i[t] * c.g[t]
        apart += [relative(now, by_hand), relative(c.c[t + 1], by_hand)]
        assert relative(c.h[t + 1], h) < 1e-13
    within("A72", apart, "1e-14")
    f = sigma(c.h[1] @ cell.params.W_hf.T + cell.x[1] @ cell.params.W_xf.T + cell.params.b_f)
    assert relative(c.f[1], f) < 1e-13
    shown("A72", relative(c.c[1] + c.i[1] * c.g[1], c.c[2]), "0.520")


def test_a69_the_first_cell_only_adds(cell):
    c = cell.run(cell.params, forget_gate=False)
    assert np.all(c.f == 1)
    within("A69", relative(c.c[T], cell.c_0 + (c.i * c.g).sum(0)), "1e-14")
    shown("A69", relative(c.c[T], cell.cache.c[T]), "1.94")
    a = np.linspace(-40, 40, 81)
    candidate, output = 4 * sigma(a) - 2, 2 * sigma(a) - 1  # g and h of 1997
    shown("A69", [candidate.min(), candidate.max()], "-2", "2", where="right")
    assert relative(output, np.tanh(a / 2)) < 1e-14


def test_a70_its_derivative_is_one_only_when_the_gradient_is_truncated(cell):
    c = cell.run(cell.params, forget_gate=False)
    up = np.random.default_rng(22).standard_normal((B, H))
    cut = lstm.backward(cell.params, c, dc={T: up}, truncated=True)
    assert np.array_equal(cut.c, np.broadcast_to(up, cut.c.shape))
    shown("A70", (cut.c / up).mean(), "1")
    whole = lstm.backward(cell.params, c, dc={T: up})

    def end(c_0):
        run = lstm.forward(cell.params, cell.x + 0j, cell.h_0, c_0, forget_gate=False)
        return (run.c[T] * up).sum()

    assert relative(whole.c[0], jacobian(end, cell.c_0)) < 1e-12
    shown("A95", np.abs(cut.h[:T]).max(), "0")
    shown("A95", relative(cut.params.W_hh, whole.params.W_hh), "0.232")
    distance = []
    for scale in (0.5, 1, 2):
        params, cache = two_hundred(steps=11, scale=scale)
        cache = lstm.forward(params, cache.x, cache.h[0], cache.c[0], forget_gate=False)
        _, exact = from_cell(params, cache, 10, forget_gate=False)
        distance.append(np.median(gaps(exact, np.eye(16))))
    shown("A70", [10, len(exact), 0.5, 1, 2], "ten", "200", "0.5", "1", "2")
    shown("A70", distance, "0.467", "0.943", "1.93")


def growth_of_the_cell(params, x, **options):
    """Root mean square of the cell after 10, 100 and 1000 steps."""
    c = lstm.forward(params, x, **options).c
    return np.sqrt((c[[10, 100, 1000]] ** 2).mean((-2, -1)))


def test_a71_without_a_forget_gate_the_cell_grows():
    rng = np.random.default_rng(7)  # chapter 1's cell
    params = lstm.init_params(3, 5, rng)
    rng.standard_normal((12, 1, 3))
    x = rng.standard_normal((1000, 20, 3))
    without = growth_of_the_cell(params, x, forget_gate=False)
    gated = growth_of_the_cell(params, x)
    shown("A71", [10, 100, len(x), *without], "10", "100", "1000", "1.21", "9.07", "73.56")
    shown("A71", gated, "0.51", "0.45", "0.43")
    alone = params._replace(W_hh=0 * params.W_hh)
    deaf = alone._replace(W_xh=params.W_xh * np.repeat([0, 1, 1, 1], 5)[:, None])  # i is constant
    tenfold = []
    for changed in (alone, deaf):
        sizes = growth_of_the_cell(changed, x, forget_gate=False)
        tenfold += [sizes[1] / sizes[0], sizes[2] / sizes[1]]
    shown("A71", tenfold, "5.3", "7.6", "3.0", "2.5")
    grid = lstm.Params(
        rng.standard_normal((200, 20, 3)) / np.sqrt(3),
        rng.standard_normal((200, 20, 5)) / np.sqrt(5),
        np.tile(np.repeat([0.0, 1, 0, 0], 5), (200, 1)),
    )
    x = rng.standard_normal((1000, 200, 4, 3))
    plain = growth_of_the_cell(grid, x, forget_gate=False)
    gated = growth_of_the_cell(grid, x)
    shown("A71", [200, (plain[2] > 2 * plain[1]).mean()], "200", "100%")
    shown("A71", [2, (gated[2] > 2 * gated[1]).mean()], "twice", "1.5%")


def test_a73_the_forget_gate_alone_is_not_the_derivative():
    off = {}
    for scale in (0.5, 1, 2):
        params, cache = two_hundred(scale=scale)
        for lag in (1, 10):
            gates = np.prod(cache.f[-lag:, :, 0], axis=0)[..., None] * np.eye(16)
            off[scale, lag] = np.median(gaps(gates, from_cell(params, cache, lag)[1]))
    shown("A73", [0.5, 1, 2, 10, len(gates)], "0.5", "1", "2", "ten", "200")
    shown("A73", [off[scale, 1] for scale in (0.5, 1, 2)], "18%", "34%", "56%")
    shown("A73", [off[scale, 10] for scale in (0.5, 1, 2)], "75%", "95%", "99.7%")


def test_a74_a_product_of_forget_gates_still_shrinks():
    params, cache = two_hundred(steps=12)
    assert np.all((cache.f > 0) & (cache.f < 1))
    shown("A74", [len(cache.f), np.median(np.prod(cache.f, axis=0))], "twelve", "6.4e-5")
    # the same factor from the core: a cell whose gates ignore h
    keeps = one_unit(b=(0, logit(0.95), 0, 0))
    run = lstm.forward(keeps, np.zeros((100, 1, 1)))
    left = lstm.backward(keeps, run, dc={100: [[1.0]]}).c[:, 0, 0]
    shown("A74 A75", [run.f[0, 0, 0], 100, left[0]], "0.95", "100", "0.0059")
    shown("A74", [half_life(0.95), 0.5], "13.5", "half")
    shown("A75", [10, left[90]], "ten", "0.599")
    at = np.array([2.0, 0.0])
    shown("A75", [at[0], *slopes(np.tanh, at) ** 10], "2", "3.1e-12", "1")
    weight = 2 / np.tanh(2)  # so that 2 is the pre-activation of a unit at rest
    resting = rnn.Params([[1.0]], [[weight]])
    run = rnn.forward(resting, np.zeros((10, 1, 1)), np.tanh([[2.0]]))
    gain = np.prod(step_jacobians(resting, run))
    shown("A75", [weight, gain], "2.07", "4.6e-9")


# One step


def test_a76_all_four_gates_depend_on_the_previous_cell_through_the_state(cell):
    c, t = cell.cache, 3
    found = {}
    for gate, phi in (("i", sigma), ("f", sigma), ("g", np.tanh), ("o", sigma)):
        W_h, W_x, b = (getattr(cell.params, f"{name}{gate}") for name in ("W_h", "W_x", "b_"))

        def value(c_prev, W_h=W_h, W_x=W_x, b=b, phi=phi):
            return phi(W_h @ (c.o[t - 2, 0] * np.tanh(c_prev)) + W_x @ cell.x[t - 1, 0] + b)

        y = getattr(c, gate)[t - 1, 0]
        assert relative(value(c.c[t - 1, 0]), y) < 1e-13
        slope = 1 - y**2 if gate == "g" else y * (1 - y)
        tau = c.o[t - 2, 0] * (1 - c.s[t - 2, 0] ** 2)
        J = jacobian(value, c.c[t - 1, 0])
        assert relative(J, slope[:, None] * W_h * tau) < 1e-12
        found[gate] = np.linalg.norm(J, 2)
    shown("A76", found["o"], "0.210")
    shown("A97", found["f"], "0.253")
    later = sigma(
        c.h[t] @ cell.params.W_hf.T + cell.x[t - 1] @ cell.params.W_xf.T + cell.params.b_f
    )
    shown("A84", relative(later, c.f[t - 1]), "0.148")
    # the present cell: open the input gate of step t and c_t moves, f_t stays
    rows = cell.params.b_h + np.repeat([1.0, 0, 0, 0], H)
    moved = lstm.forward(cell.params._replace(b_h=rows), cell.x[t - 1 : t], c.h[t - 1], c.c[t - 1])
    assert np.array_equal(moved.f[0], c.f[t - 1])
    shown("A97", relative(moved.c[1], c.c[t]), "0.260")


def test_a77_the_four_terms_make_the_one_step_derivative(cell):
    terms = cell_terms(cell.params, cell.cache)
    steps = (2, 4, T)
    exact = [cell.one_step(t) for t in steps]
    found = [sum(term[t - 1, 0] for term in terms) for t in steps]
    within("A77", [relative(a, b) for a, b in zip(found, exact, strict=True)], "1e-12")
    direct = terms[1][T - 1, 0]
    shown("A77", relative(direct, exact[-1]), "0.339")
    shown("A102", np.linalg.norm(direct) / np.linalg.norm(exact[-1]), "0.927")
    # the same symbol stands on both sides: read alike, the three gate terms would have to cancel
    shown("A102", len(terms) - 1, "three", where="right")
    rest = np.linalg.norm(exact[-1] - direct) / np.linalg.norm(exact[-1])
    shown("A102", rest, "0.339")


def test_a78_the_printed_terms_need_a_matrix_reading(cell):
    c, t = cell.cache, T
    f, i, g = (getattr(c, gate)[t - 1, 0] for gate in "fig")
    c_prev = c.c[t - 1, 0]
    tau = c.o[t - 2, 0] * (1 - c.s[t - 2, 0] ** 2)
    exact = cell.one_step(t)
    left = (c_prev * f * (1 - f))[:, None] * cell.params.W_hf
    left = left + (g * i * (1 - i))[:, None] * cell.params.W_hi
    left = left + (i * (1 - g**2))[:, None] * cell.params.W_hg
    within("A78", relative(left * tau + np.diag(f), exact), "1e-12")
    shown("A78", relative(left * tau[:, None] + np.diag(f), exact), "0.193")  # o tanh' on rows
    shown("A78", relative(left * tau + f, exact), "1.85")  # f added to every row


# Several steps


def test_a79_the_product_of_one_step_derivatives_is_exact_for_one_step_only(cell):
    one = sum(cell_terms(cell.params, cell.cache))[:, 0]
    _, exact = from_cell(cell.params, cell.cache, 2)
    M = step_jacobians(cell.params, cell.cache)[:, 0]
    tau = cell.cache.o[:, 0] * (1 - cell.cache.s[:, 0] ** 2)
    G = M[T - 1][H:, :H]
    o = cell.cache.o[T - 2, 0]
    R = (cell.cache.s[T - 2, 0] * o * (1 - o))[:, None] * cell.params.W_ho
    product = one[T - 1] @ one[T - 2]
    shown("A79", [2, relative(product, exact)], "two", "0.0435")
    with_path = product + G @ R * tau[T - 3]
    shown("A79", 2, "two", where="right")
    closed = cell.params.W_hh * np.repeat([1, 1, 1, 0], H)[:, None]
    closed = cell.params._replace(W_hh=closed)
    cache = cell.run(closed)
    chained = np.linalg.multi_dot(sum(cell_terms(closed, cache))[:0:-1, 0])
    assert relative(chained, from_cell(closed, cache, T - 1)[1]) < 1e-12
    up = np.random.default_rng(24).standard_normal((B, H))

    def end(c_0):
        return (lstm.forward(cell.params, cell.x + 0j, cell.h_0, c_0).c[T] * up).sum()

    joint = products(step_jacobians(cell.params, cell.cache))[T][:, H:, H:]
    by_joint = np.einsum("bi,bij->bj", up, joint)
    by_core = lstm.backward(cell.params, cell.cache, dc={T: up}).c[0]
    whole = jacobian(end, cell.c_0)
    found = [relative(with_path, exact), relative(by_joint, whole), relative(by_core, whole)]
    within("A79", found, "1e-12")
    assert relative(one[T - 1] @ one[T - 1], product) > 0.1  # the factors differ


def test_a79_the_missing_path_grows_with_the_lag_and_the_weights():
    off = {}
    lags = (2, 5, 10, 20)
    for scale in (1, 4):
        params, cache = two_hundred(scale=scale)
        chained = products(sum(cell_terms(params, cache)))[:, :, 0]
        assert gaps(chained[1], from_cell(params, cache, 1)[1]).max() < 1e-12
        off[scale] = [np.median(gaps(chained[k], from_cell(params, cache, k)[1])) for k in lags]
    shown("A79", [len(chained[0]), *lags], "200", "2", "5", "10", "20")
    shown("A79", [1, *off[1]], "1", "4.2%", "8.4%", "11%", "16%")
    shown("A79", [4, *off[4]], "4", "26%", "48%", "66%", "90%")
    assert np.all(np.diff(off[1]) > 0) and np.all(np.diff(off[4]) > 0)


def factor(params):
    """dc_2/dc_1 of a one-unit cell from c_1 = 0 with o_1 = ½, by the complex step."""

    def step(c):
        return lstm.step(params, [[0.0]], (0.5 * np.tanh(c))[None], c[None])[1][0]

    return jacobian(step, np.zeros(1)).item()


def test_a81_the_factor_of_a_cell_takes_either_sign():
    factors = [factor(one_unit(hh=(0, 0, w_g, 0))) for w_g in (4.0, 0.0, -8.0)]
    shown("A81", factors, "1.5", "0.5", "-1.5")
    params, cache = two_hundred(steps=12)
    A, _, C, D_t = (term[1:] for term in cell_terms(params, cache))
    off = ~np.eye(16, dtype=bool)
    negative = [(term[..., off] < 0).mean() for term in (A, C, D_t)]
    shown("A81", [len(negative), A.shape[1], *negative], "three", "200", "0.501", "0.497", "0.502")


def test_a83_an_open_forget_gate_promises_nothing():
    b_f = logit(0.99995)
    keeps = sigma(b_f)
    cancels = one_unit(hh=(0, 0, -keeps / 0.25, 0), b=(0, b_f, 0, 0))  # i = o = ½: f + i w o = 0
    run = lstm.forward(cancels, np.zeros((20, 1, 1)))
    shown(
        "A83", [keeps, factor(cancels), len(run.f), np.prod(run.f)], "0.99995", "0", "20", "0.999"
    )
    assert np.abs(products(step_jacobians(cancels, run))[3:, 0]).max() < 1e-12
    fills = one_unit(b=(9, b_f, 9, 0))  # the cell gains one at every step
    run = lstm.forward(fills, np.zeros((10, 1, 1)))
    exit_factor = lstm.backward(fills, run, dh={10: np.ones((1, 1))}).c[0, 0, 0]
    shown("A83", [run.c[10, 0, 0], exit_factor], "10.0", "4.15e-9")


def test_a82_a_cell_may_keep_its_gradient_over_any_finite_time():
    steps = 1000
    params = one_unit(b=(-20.0, 20.0, 0.0, 0.0))
    cache = lstm.forward(params, np.zeros((steps, 1, 1)), None, [[0.3]])
    kept = lstm.backward(params, cache, dc={steps: np.ones((1, 1))}).c[0, 0, 0]
    shown("A82", [kept, steps], "0.999998", "1000")


def growth(params, cache, lag=30):
    """log10 of the factor per step of a random gradient of (h, c), going back `lag` steps."""
    rng = np.random.default_rng(27)
    dh, dc = rng.standard_normal((2, *cache.h[-1].shape))
    T = len(cache.x)
    back = lstm.backward(params, cache, {T: dh}, {T: dc})
    joint = np.concatenate([back.h, back.c], -1)
    return np.log10(length(joint[T - lag]) / length(joint[T])) / lag


def test_a85_an_lstm_can_explode_and_clipping_bounds_the_update():
    rates = {}
    for scale in (1, 8):
        rates[scale] = growth(*two_hundred(steps=45, scale=scale))
    shown("A85", [len(rates[1]), 1, np.median(rates[1])], "200", "1", "-0.198")
    shown("A85", [8, np.median(rates[8]), (rates[8] > 0).mean()], "8", "0.0759", "97%")
    shown("B52", np.median(rates[1]), "-0.198")
    shown("B55 B73", [8, np.median(rates[8])], "8", "0.0759")
    net = chapter_1()
    gradients = rnn.backward(net.params, net.cache, net.error @ net.Wy.T).params
    clipped, size = clip_by_global_norm(gradients, 0.1)
    after = np.sqrt(sum((array**2).sum() for array in clipped))
    shown("A98", [size, after], "20.68", "0.1")
    small = clip_by_global_norm(gradients, 1000)[0]
    assert all(np.array_equal(a, b) for a, b in zip(small, gradients, strict=True))


def test_a86_the_joint_recursion_gives_every_parameter(cell):
    dh, dc = np.random.default_rng(28).standard_normal((2, T, B, H))
    back = lstm.backward(cell.params, cell.cache, dh, dc)
    found = {**back.params._asdict(), "x": back.x, "h_0": back.h[0], "c_0": back.c[0]}
    at = {**cell.params._asdict(), "x": cell.x, "h_0": cell.h_0, "c_0": cell.c_0}

    def loss(**changed):
        kind = np.result_type(float, *changed.values())
        now = {name: value.astype(kind) for name, value in {**at, **changed}.items()}
        params = lstm.Params(*(now[name] for name in lstm.Params._fields))
        run = lstm.forward(params, now["x"], now["h_0"], now["c_0"])
        return (dh * run.h[1:]).sum() + (dc * run.c[1:]).sum()

    exact = {
        name: jacobian(lambda v, name=name: loss(**{name: v}), value) for name, value in at.items()
    }
    within("A86", [relative(found[name], exact[name]) for name in at], "1e-12")
    shown("A86", sum(p.size for p in cell.params), "180")
