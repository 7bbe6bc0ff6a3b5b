"""Source B, the LSTM (`B20`–`B27`, `B34`–`B49`, `B52`–`B60`, `B64`–`B68`): its additive
derivative and what it leaves out.

The source's c is the cell, its h the state; W acts on [h, x], without biases."""

from types import SimpleNamespace

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
from source_b import balanced, chapter_3
from witnesses import jacobian

from bptt_core import lstm
from bptt_core.jacobians import cell_jacobians, cell_terms, norms, products

D, H = 3, 5
PHI = {"i": sigma, "f": sigma, "g": np.tanh, "o": sigma}


@pytest.fixture(scope="module")
def cell():
    """Source B's LSTM: W acts on [h, x], no biases; states not zero."""
    rng = np.random.default_rng(51)
    T, B = 6, 2
    n = SimpleNamespace(T=T, x=rng.standard_normal((T, B, D)))
    n.h_0, n.c_0 = 0.5 * rng.standard_normal((2, B, H))
    n.W = dict(zip("ifgo", 0.8 * rng.standard_normal((4, H, H + D)), strict=True))
    n.params = lstm.Params.from_hx(*n.W.values())
    n.cache = lstm.forward(n.params, n.x, n.h_0, n.c_0)
    return n


def tau(n, t, b=0):
    """o_t tanh′(c_t)."""
    return n.cache.o[t - 1, b] * (1 - n.cache.s[t - 1, b] ** 2)


def next_state(n, t, c):
    """(h_t, c_t) as a function of c_{t−1}, o_{t−1} held, first sequence."""
    h = n.cache.o[t - 2, 0] * np.tanh(c)
    after = lstm.step(n.params, n.x[t - 1, :1], h[None], c[None])
    return after[0][0], after[1][0]


# Definitions


def test_b22_the_gates_of_the_source_are_those_of_the_package(cell):
    h, c = cell.h_0, cell.c_0
    gates_apart, cells_apart = [], []
    for t in range(cell.T):
        z = np.concatenate([h, cell.x[t]], -1)
        i, f, g, o = (PHI[k](z @ cell.W[k].T) for k in "ifgo")
        c = c * f + g * i
        h = o * np.tanh(c)
        for name, value in (("i", i), ("f", f), ("g", g), ("o", o)):
            gates_apart.append(relative(getattr(cell.cache, name)[t], value))
        cells_apart += [relative(cell.cache.c[t + 1], c), relative(cell.cache.h[t + 1], h)]
    within("B22 B24", gates_apart, "1e-13")
    within("B20 B25 B27", gates_apart + cells_apart, "1e-13")
    gates = np.stack([cell.cache.i, cell.cache.f, cell.cache.o])
    assert gates.min() > 0 and gates.max() < 1
    shown("B21", [0, 1, cell.cache.g.min()], "0", "1", "-0.993")
    shown("B23", gates > 0, "never")
    shown("B23", [(cell.cache.i * cell.cache.g).min(), 0], "-0.953", "0")
    largest = np.abs(cell.cache.h[1:]).max()
    shown("B67", largest, "0.540")
    swapped = np.concatenate([cell.x[0], cell.h_0], -1) @ cell.W["f"].T
    shown("B22", relative(sigma(swapped), cell.cache.f[0]), "0.504")


def test_b64_the_output_gate_acts_on_what_is_read_and_not_on_the_cell(cell):
    W = dict(cell.W, o=-cell.W["o"])
    other = lstm.forward(lstm.Params.from_hx(*W.values()), cell.x, cell.h_0, cell.c_0)
    assert np.array_equal(other.c[1], cell.cache.c[1])
    shown("B64", relative(other.h[1], cell.cache.h[1]), "0.704")
    shown("B66", relative(other.c[2], cell.cache.c[2]), "0.163")


def test_b65_without_a_bias_a_gate_at_rest_is_half_open(cell):
    rest = lstm.forward(cell.params, np.zeros((5, 1, D)))
    assert np.all(rest.f == 0.5) and np.all(rest.i == 0.5)
    back = lstm.backward(cell.params, rest, dc={5: np.ones((1, H))}, truncated=True)
    shown("B65", [rest.f[0, 0, 0], len(rest.f), back.c[0, 0, 0]], "1/2", "five", "0.03125")
    shown("B65", rest.f[0, 0, 0], "half", where="right")


# The derivative of one step


def test_b37_the_four_terms_with_diagonal_factors_on_the_left(cell):
    t, c = cell.T, cell.cache
    i, f, g = (getattr(c, k)[t - 1, 0] for k in "ifg")
    before, out = c.c[t - 1, 0], tau(cell, t - 1)
    truth = jacobian(lambda v: next_state(cell, t, v)[1], before)
    slope = {"f": f * (1 - f), "i": i * (1 - i), "g": 1 - g**2}
    inner = {k: slope[k][:, None] * cell.W[k][:, :H] * out for k in "fig"}  # df/dc, di/dc, dg/dc

    def gate(k, v):
        h = c.o[t - 2, 0] * np.tanh(v)
        return PHI[k](cell.W[k] @ np.concatenate([h, cell.x[t - 1, 0]]))

    for k in "fig":
        assert relative(inner[k], jacobian(lambda v, k=k: gate(k, v), before)) < 1e-12
    A, B, C, D_t = (term[t - 1, 0] for term in cell_terms(cell.params, c))
    within("B39", relative(before[:, None] * inner["f"], A), "1e-12")
    within("B41", relative(g[:, None] * inner["i"], C), "1e-12")
    assert relative(i[:, None] * inner["g"], D_t) < 1e-12
    assert relative(np.diag(f), B) < 1e-14
    within("B37 B43", relative(A + B + C + D_t, truth), "1e-12")
    on_the_right = inner["f"] * before + inner["i"] * g + inner["g"] * i + B
    shown("B37", relative(on_the_right, truth), "0.459")
    shares = [np.linalg.norm(term) / np.linalg.norm(truth) for term in (A, C, D_t)]
    shown("B39", shares[0], "0.0947")
    shown("B41", shares[1], "0.272")
    shown("B43", shares[2], "0.400")
    shown("B40", relative(truth - B + f, truth), "1.98")  # f_t as a vector, added to every row
    shown("B36", np.linalg.norm(truth - B) / np.linalg.norm(truth), "0.486")
    # our copy destroyed two lines; the sum rule they stand for
    kept = jacobian(lambda v: v * gate("f", v), before)
    within("B68", [relative(kept, A + B), relative(truth - kept, C + D_t)], "1e-12")
    shown("B68", np.linalg.norm(kept) / np.linalg.norm(truth), "0.952")


def test_b38_the_candidate_has_the_slope_of_tanh(cell):
    n = chapter_3()
    t = 4
    terms = cell_terms(n.lstm, n.memory)
    right = terms.D[t - 1, 0]
    four = sum(terms)[t - 1, 0]
    g = n.memory.g[t - 1, 0]
    s = sigma(np.arctanh(g))
    printed = (s * (1 - s) / (1 - g**2))[:, None] * right  # σ′ for tanh′
    shown("B42 B60", relative(printed, right), "74.3%")
    shown("B38", np.linalg.norm(printed - right) / np.linalg.norm(four), "39.9%")
    f = n.memory.f[t - 1, 0]
    shown("B38", relative(four - np.diag(f) + f, four), "2.02")
    a = np.array([0.0, 1.663, 3.0])
    ratio = slopes(np.tanh, a) / slopes(sigma, a)
    shown("B42", [*ratio, *a], "4", "1.00", "0.218", "0", "1.663", "3")
    with pytest.raises(ValueError):  # the full W_f acts on [h, x] and does not fit o tanh′(c)
        cell.W["f"] @ tau(cell, cell.T - 1)
    z = np.concatenate([cell.cache.h[3, 0], cell.x[3, 0]])
    shown("B59", relative(sigma(cell.W["g"] @ z), cell.cache.g[3, 0]), "0.675")


def test_b56_the_inner_derivative_is_that_of_the_previous_state(cell):
    t, c = cell.T, cell.cache
    before, f = c.c[t - 1, 0], c.f[t - 1, 0]
    previous = jacobian(lambda v: c.o[t - 2, 0] * np.tanh(v), before)
    present = jacobian(lambda v: next_state(cell, t, v)[0], before)
    assert relative(previous, np.diag(tau(cell, t - 1))) < 1e-13
    slope = (f * (1 - f))[:, None] * cell.W["f"][:, :H]
    left = before[:, None] * slope
    exact = left @ jacobian(lambda v: c.o[t - 2, 0] * np.tanh(v), before)
    truth = cell_terms(cell.params, c).A[t - 1, 0]
    within("B57", relative(exact, truth), "1e-12")
    shown("B56", relative(left @ present, truth), "88%")
    shown("B57", relative(slope * tau(cell, t - 1) * before, truth), "1.19")


def test_b58_the_input_gate_term_uses_the_input_gates_own_matrix(cell):
    t, c = cell.T, cell.cache
    i, g = c.i[t - 1, 0], c.g[t - 1, 0]
    truth = cell_terms(cell.params, c).C[t - 1, 0]
    own = (g * i * (1 - i))[:, None] * cell.W["i"][:, :H] * tau(cell, t - 1)
    assert relative(own, truth) < 1e-12
    s = sigma(cell.W["g"] @ np.concatenate([c.h[t - 1, 0], cell.x[t - 1, 0]]))
    printed = (g * s * (1 - s))[:, None] * cell.W["g"][:, :H] * tau(cell, t - 1)
    shown("B58", relative(printed, truth), "123%")


# More than one step


def test_b34_equation_four_misses_paths_even_at_one_step():
    off = []
    for scale in (0.5, 1, 4):
        params, cache = two_hundred(seed=52, steps=12, scale=scale)
        up = np.random.default_rng(53).standard_normal(cache.h[-1].shape)
        exact = up @ from_cell(params, cache, 1)[0]
        tau_T = cache.o[-1] * (1 - cache.s[-1] ** 2)
        printed = (up * tau_T) @ sum(cell_terms(params, cache))[-1, :, 0]
        off.append(np.median(gaps(printed, exact)))
    shown("B34", [len(up), 0.5, 1, 4, *off], "200", "0.5", "1", "4", "6.4%", "12%", "38%")


def test_b34_from_an_empty_cell_equation_four_gives_w_f_no_gradient(cell):
    cache = lstm.forward(cell.params, cell.x, cell.h_0)
    up = np.random.default_rng(53).standard_normal(cache.h[1].shape)
    back = lstm.backward(cell.params, cache, {cell.T: up}, per_step=True)
    assert (
        not back.per_step.W_hf[0].any() and not back.per_step.W_xf[0].any()
    )  # dc_1/dW_f = c_0 … = 0

    def error(W):
        params = lstm.Params.from_hx(cell.W["i"], W, cell.W["g"], cell.W["o"])
        return (up * lstm.forward(params, cell.x + 0j, cell.h_0).h[-1]).sum()

    truth = jacobian(error, cell.W["f"])
    assert relative(back.params.W_f, truth) < 1e-12
    shown("B34", np.linalg.norm(truth), "0.211")


def test_b35_the_cell_chain_is_what_shrinks_in_the_cell():
    params, cache = two_hundred()
    chained = products(sum(cell_terms(params, cache)))[20, :, 0]
    of_h, exact = from_cell(params, cache, 20)
    shown("B35", [20, 200, np.median(norms(chained))], "20", "200", "0.000555")
    shown("B52", [20, 200, np.median(norms(exact))], "20", "200", "0.000545")
    shown("B44", [np.median(gaps(chained, exact)), 20], "16%", "20")
    up = np.random.default_rng(54).standard_normal(cache.h[-1].shape)
    tau_T = cache.o[-1] * (1 - cache.s[-1] ** 2)
    inside = up * tau_T * np.prod(cache.f[-20:], axis=0)
    share = length(inside) / length(up @ of_h)
    shown("B26", [20, 200, np.median(share)], "20", "200", "0.085")
    kept = params._replace(b_h=params.b_h + np.repeat([0, 4.0, 0, 0], 16))
    run = lstm.forward(kept, cache.x, cache.h[0], cache.c[0])
    opened = np.median(norms(from_cell(kept, run, 20)[1]))
    shown("B55", [4, 20, np.median(norms(exact)), opened], "4", "20", "0.000545", "3.67")


def test_b49_the_balanced_example_says_one_and_the_cell_something_else():
    truth = {}
    for w_o in (0, 2, -2, 8):
        params, run = balanced(w_o)
        terms = [term[1:, 0, 0, 0] for term in cell_terms(params, run)]
        for term, value in zip(terms, (0.1, 0.7, 0.1, 0.1), strict=True):
            assert np.allclose(term[:10], value, rtol=1e-9)
        product = products(sum(cell_terms(params, run)))[18].item()
        assert abs(product - 1) < 1e-9
        truth[w_o] = from_cell(params, run, 18)[1].item()
        assert abs(truth[w_o] / cell_jacobians(params, run)[18].item() - 1) < 1e-9
    shown("B49", [18, product], "18", "1.000")
    shown("B44", [18, product, *truth], "18", "1", "0", "2", "-2", "8")
    shown("B44", truth.values(), "1.000", "10.17", "0.2029", "7.411e4")
    params, run = balanced(0, units=3)
    several = products(sum(cell_terms(params, run)))[18, 0]
    assert np.allclose(several, np.eye(3), rtol=0, atol=1e-9)
    shown("B49", len(several), "three")


def test_b45_the_forget_gate_is_no_free_knob_of_a_step():
    rng = np.random.default_rng(55)
    params = lstm.init_params(D, H, rng, scale=0.5)
    constant = lstm.forward(params, np.broadcast_to(rng.standard_normal((1, 1, D)), (200, 1, D)))
    assert np.allclose(constant.f[150:], constant.f[-1], rtol=0, atol=1e-9)
    moved = params._replace(b_h=params.b_h + np.repeat([0, 0.1, 0, 0], H))
    x = rng.standard_normal((10, 1, D))
    change = (lstm.forward(moved, x).f - lstm.forward(params, x).f).mean((1, 2))
    shown("B45", [0.1, len(change), change.min()], "0.1", "ten", "0.0140")
    shown("B70", [0.1, len(change), change.max()], "0.1", "ten", "0.0216")


def test_b46_whether_a_forget_gate_can_be_found_depends_on_the_way_out():
    biases = np.linspace(-12, 12, 481)  # every setting of the forget gate, f from 6e-6 to 0.999994

    def exits(b_o):  # a full cell, one step, an error of 1 on h
        b = np.stack(np.broadcast_arrays(9.0, biases, 9.0, b_o), -1)
        grid = lstm.Params(np.zeros((481, 4, 1)), np.zeros((481, 4, 1)), b)
        run = lstm.forward(grid, np.zeros((1, 481, 1, 1)), None, np.full((481, 1, 1), 9.0))
        back = lstm.backward(grid, run, {1: np.ones((481, 1, 1))})
        return run.f[0, :, 0, 0], back.c[1, :, 0, 0], back.params.b_f[:, 0]

    f, exit_factor, slope = exits(0.0)
    kept, tenth = np.abs(f - 0.99995).argmin(), np.abs(f - 0.1).argmin()
    assert abs(f[tenth] - 0.1) < 0.005
    shown("B46", [f[kept].round(5), exit_factor[kept]], "0.99995", "4.1e-9")
    shown("B46", [f[tenth].round(1), exit_factor[tenth]], "0.1", "0.04")
    assert slope[tenth] > 1e6 * slope[kept]
    f, exit_factor, slope = exits(-20.0)
    shown("B46", [len(f), exit_factor.max()], "481", "9e-10")
    rng = np.random.default_rng(46)
    params, cache = two_hundred(seed=46, steps=5)
    solved = lstm.backward(params, cache, {5: 0 * rng.standard_normal(cache.h[5].shape)})
    assert not any(part.any() for part in solved.params)


def test_b48_the_four_terms_have_signs_and_can_cancel():
    f = sigma(10.0)
    params = one_unit(hh=(0, 0, -4 * f, 0), b=(0, logit(f), 0, 0))
    run = lstm.forward(params, np.zeros((20, 1, 1)))
    A, kept, C, D_t = (term[5, 0, 0, 0] for term in cell_terms(params, run))
    shown("B48", [kept, D_t, A + kept + C + D_t], "0.99995", "-0.99995", "0")
    assert abs(from_cell(params, run, 18)[1].item()) < 1e-12
    shown("B48", [18, np.prod(run.f[-18:])], "18", "0.9992")
    grid, cache = two_hundred(steps=12)
    terms = cell_terms(grid, cache)
    assert all(0.4 < (term[1:] < 0).mean() < 0.6 for term in (terms.A, terms.C, terms.D))
    assert not (terms.B < 0).any()
