"""Source A, how large a gradient becomes (`A32`, `A33`, `A43`–`A67`, `A80`, `A82`, `A92`–`A94`)."""

import numpy as np
from evidence import shown, within
from networks import driven, norm, orthogonal, radius, relative, slopes, steered
from witnesses import jacobian

from bptt_core import rnn
from bptt_core.activations import ACTIVATIONS
from bptt_core.gradient_flow import norm_bounds, norm_curve
from bptt_core.jacobians import norms, products, step_jacobians


def jacobians(W, x, h_0=None, activation="tanh"):
    """The step Jacobians of h_t = φ(W h_{t−1} + x_t), (T, H, H)."""
    return step_jacobians(*driven(W, x, h_0, activation))[:, 0]


def size(W, x, h_0=None, activation="tanh"):
    """‖∂h_T/∂h_0‖."""
    return norm(products(jacobians(W, x, h_0, activation))[-1])


def unit(w, steps, h_0=0.0):
    """Step Jacobians of one unit h_t = tanh(w h_{t−1}), (T,)."""
    return jacobians([[w]], np.zeros((steps, 1)), np.array([[h_0]]))[:, 0, 0]


def run(W, x, h):
    """h_T, written here."""
    for x_t in x:
        h = np.tanh(x_t + W @ h)
    return h


# One step


def test_a32_the_jacobian_norm_is_not_bounded_by_one():
    J = unit(2, 10)
    shown("A32", [2, abs(J[0]), np.prod(J), len(J)], "2", "2", "1024", "ten")
    half = np.array([[0.5]])
    rest = rnn.Params(np.zeros((1, 1)), np.array([[8.0]]), np.array([-4.0]))
    cache = rnn.forward(rest, np.zeros((3, 1, 1)), half, activation="sigmoid")
    assert np.all(cache.h == 0.5)
    by_step = jacobian(lambda h: rnn.step(rest, np.zeros((1, 1)), h, activation="sigmoid"), half)
    assert np.array_equal(by_step.ravel(), step_jacobians(rest, cache)[0].ravel())
    shown("A32", [rest.W_hh.item(), by_step.item()], "8", "2")
    rng = np.random.default_rng(32)
    for activation, limit in (("tanh", "1"), ("sigmoid", "4")):
        W = rng.standard_normal((200, 6, 6))
        W *= (float(limit) / norms(W))[:, None, None]
        network = driven(W, rng.standard_normal((5, 200, 1, 6)), activation=activation)
        assert norms(step_jacobians(*network)).max() <= 1
    shown("A32", float(limit), "4", where="right")


def test_a33_the_slopes_of_tanh_and_sigmoid_have_the_bounds_printed():
    a = np.linspace(-9, 9, 3601)
    slope, top = {}, {}
    for name in ("tanh", "sigmoid"):
        phi = ACTIVATIONS[name]
        slope[name] = slopes(phi.f, a)
        top[name] = slope[name].max()
        assert top[name] <= phi.bound and abs(a[slope[name].argmax()]) < 1e-9
        assert np.abs(phi.f(a)).max() < 1
    shown("A33 A63", list(top.values()), "1", "0.25")
    shown("A63", 0, "0")
    shown("A50", top["tanh"], "1")
    at = {
        name: slope[name][np.abs(a - place).argmin()]
        for name, place in (("tanh", 3), ("sigmoid", 6))
    }
    shown("A87", [at["tanh"], 3, at["sigmoid"], 6], "0.00987", "3", "0.00247", "6")


# Eigenvectors and eigenvalues


def test_a43_not_every_jacobian_has_ordered_eigenvalues_and_a_basis_of_eigenvectors():
    turn = jacobians([[0.0, -1], [1, 0]], np.zeros((1, 2)))[0]
    moduli = np.abs(np.linalg.eigvals(turn))
    shown("A43", [len(moduli), moduli[0]], "two", "1")
    assert np.allclose(moduli, 1, rtol=0, atol=1e-14)
    W = np.array([[0.5, 1], [0, 0.5]])
    shear = jacobians(W, np.zeros((1, 2)))[0]
    assert np.linalg.cond(np.linalg.eig(shear)[1]) > 1e15
    shown("A43", W.ravel(), "0.5", "1", "0", "0.5")
    both = np.linalg.eig(np.array([[0.9, 0.4], [0.2, 0.3]]))[1]
    shown("A100", [both.shape[1], np.linalg.matrix_rank(both)], "two", "2")
    assert np.linalg.matrix_rank(np.stack([both[:, 0], both[:, 0]])) == 1


def test_a44_an_eigenvector_scales_for_one_step_and_not_for_the_next():
    W, h_0 = np.array([[0.9, 0.4], [0.2, 0.3]]), np.array([[0.3, -0.2]])
    x = np.random.default_rng(4).standard_normal((2, 2))
    J = jacobians(W, x, h_0)
    values, vectors = np.linalg.eig(J[0])
    v = vectors[:, np.abs(values).argmax()].real
    scaled = np.abs(values).max() * v
    within("A44", J[0] @ v - scaled, "1e-14")
    params = rnn.Params(np.eye(2), W)
    finite = rnn.step(params, x[:1], h_0 + 0.5 * v) - rnn.step(params, x[:1], h_0)
    shown("A44", [0.5, relative(finite[0], 0.5 * scaled)], "half", "14.5%")
    ratio = (J[1] @ scaled) / scaled
    shown("A45", [len(ratio), *ratio], "two", "0.314", "0.673")


def test_a45_eigenvalues_of_different_matrices_do_not_multiply():
    lower, upper = np.array([[0, 0], [2.0, 0]]), np.array([[0, 2.0], [0, 0]])
    pairs = 10
    grown = norm(np.linalg.matrix_power(lower @ upper, pairs))
    shown("A45", [2, radius(lower) + radius(upper), pairs, grown], "two", "0", "ten", "1.05e6")


def test_a46_the_factor_multiplies_the_first_change_and_not_the_current_one():
    factor, steps = 1.1, 10
    start, moved = (
        driven([[factor]], np.zeros((50, 1)), [[h]], "identity")[1].h for h in (1, 1.25)
    )
    change = (moved - start)[:, 0, 0]
    once_more = factor**steps * change[steps] / change[steps]
    assert abs(change[steps] / change[0] - factor**steps) < 1e-12
    shown("A46", [factor, steps, once_more], "1.1", "ten", "2.59")
    shown("A47", [50, factor, change[50] / change[0]], "50", "1.1", "117")
    shown("A47", [0.9, size([[0.9]], np.zeros((50, 1)), activation="identity")], "0.9", "0.00515")


def changing_places(W, steps):
    """Inputs under which one of two units has the slope 1 and the other 0.01, in turn."""
    return steered(W, np.array([[0, np.sqrt(0.99)], [np.sqrt(0.99), 0]] * (steps // 2)))


def test_a48_eigenvalues_inside_the_circle_do_not_make_the_product_vanish():
    W = np.array([[0.0, 2.0], [2.0, 0.0]])
    x = changing_places(W, 20)
    J = jacobians(W, x)
    assert relative(products(J)[-1], jacobian(lambda h: run(W, x, h), np.zeros(2))) < 1e-12
    assert np.allclose(radius(J), 0.2, rtol=1e-9)
    shown("A48", [radius(J[0]), len(J), norm(products(J)[-1])], "0.2", "twenty", "1.05e6")


def test_a48_eigenvalues_outside_the_circle_do_not_make_the_product_explode():
    W = 2 * np.eye(2)
    J = jacobians(W, changing_places(W, 20))
    assert np.allclose(radius(J), 2, rtol=1e-12) and np.allclose(norms(J), 2, rtol=1e-12)
    shown("A48", [radius(J[0]), norm(products(J)[-1])], "2", "1.05e-14")
    negative = unit(-2, 10)
    shown("A48", [negative[0], len(negative), abs(np.prod(negative))], "-2", "ten", "1024")


def test_a49_the_dominant_eigenvalue_of_the_weights_does_not_decide():
    W = np.array([[2.0, -2], [2, -2]])
    x = steered(W, np.tile([0, np.sqrt(0.9)], (30, 1)))  # slope 0.1 on the second unit
    J = jacobians(W, x)
    assert radius(W) < 1e-7
    assert relative(products(J[:6])[-1], jacobian(lambda h: run(W, x[:6], h), np.zeros(2))) < 1e-12
    shown("A49", [radius(W).round(7), len(J), norm(products(J)[-1])], "0", "thirty", "7.2e7")
    decades = np.log10(np.prod(unit(2, 100, 0.1)))
    shown("A49 A67", [2, decades, 100], "2", "-74.2", "100")
    shown("A49", -decades.round(), "74")


def test_a49_a_singular_value_below_one_over_gamma_is_enough_to_vanish():
    rng = np.random.default_rng(5)
    bound = 0.95
    W = rng.standard_normal((1000, 6, 6))
    W *= (bound / norms(W))[:, None, None]
    params, cache = driven(W, rng.standard_normal((20, 1, 6)))
    J = step_jacobians(params, cache)[..., 0, :, :]
    grown = norms(products(J)[20]) / bound**20
    assert grown.max() <= 1
    shown("A51", [len(W), bound, 20, grown.max()], "1000", "0.95", "20", "8.83e-6")
    slope = 1 - cache.h[1:, :, 0] ** 2
    sizes = norms(J)
    above = sizes / (bound * slope.max(-1))
    assert above.max() <= 1 + 1e-12
    shown("A60", [20, len(W), above.max()], "20", "1000", "0.999")
    shown("A64", [bound, sizes.size, sizes.max()], "0.95", "20000", "0.948")
    diagonal = slope[..., None] * np.eye(6)
    within("A62", norms(diagonal) / slope.max(-1) - 1, "1e-12")
    shown("A62", slope.max(), "1.000")
    eigenvalue = radius(J[0])
    assert np.all(eigenvalue <= sizes[0] * (1 + 1e-9))
    shown("A94", [len(W), bound, np.median(eigenvalue)], "1000", "0.95", "0.468")
    shear = np.array([[0.5, 10], [0, 0.5]])
    shown(
        "A94",
        [*shear[0], shear[1, 0], norm(shear), radius(shear)],
        "0.5",
        "10",
        "0",
        "10.02",
        "0.5",
    )


def back_through(W, x, dh, activation="tanh"):
    """Norm of ∂L/∂h_0 for the gradient dh (H,) at the last step, over that of dh; W (*G, H, H)."""
    params, cache = driven(W, x, activation=activation)
    dh = np.broadcast_to(dh, cache.h[-1].shape)
    dh_0 = rnn.backward(params, cache, {len(x): dh}).h[0]
    return np.linalg.norm(dh_0[..., 0, :], axis=-1) / np.linalg.norm(dh[..., 0, :], axis=-1)


def test_a67_a_gamma_above_one_proves_nothing():
    rng = np.random.default_rng(6)
    W = 1.5 * rng.standard_normal((100, 100)) / 10
    drive = rng.standard_normal((120, 100))
    bound, rate = norm_bounds(W, 60)
    shown("A67", [len(W), bound[1], rate[1]], "100", "3.02", "1.6")
    shrinks, grows = (norm_curve(*driven(W, s * drive), lags=60)[-1, 0] for s in (1, 0.001))
    shown("A67", [1, shrinks, 60, 0.001, grows], "1", "0.002", "60", "0.001", "1.3e2")
    W = 1.5 * rng.standard_normal((200, 100, 100)) / 10
    x, dh = rng.standard_normal((60, 1, 100)), rng.standard_normal(100)
    both = (back_through(W, x, dh) < 1) & (back_through(W, 0.001 * x, dh) > 1)
    shown("A67", [len(both), both.mean()], "200", "100%")
    W = 8.0 * rng.standard_normal((200, 200)) / np.sqrt(200)
    x, dh = rng.standard_normal((250, 200)), rng.standard_normal(200)
    rate = np.log(back_through(W, x, dh, "sigmoid").item()) / len(x)
    shown("A49", [len(W), radius(W), 4, norm(W) / 4, rate], "200", "8.33", "4", "3.96", "-0.165")


def test_a52_large_weights_saturate_the_units_and_the_gradient_vanishes():
    factors = unit(5, 100, 0.1)
    decades = np.log10(np.prod(factors))
    shown("A52", [5, factors[-1], len(factors)], "5", "0.000909", "100")
    shown("A52", [-decades, decades], "298", "-298.1")
    rng = np.random.default_rng(7)
    lost = []
    for gain in (3, 10, 100):
        W = gain * rng.standard_normal((400, 10, 10)) / np.sqrt(10)
        J = step_jacobians(*driven(W, rng.standard_normal((50, 400, 1, 10))))
        lost.append((norms(products(J[..., 0, :, :])[50]) < 1e-3).mean())
    shown("A52", [400, 10, 1e3, 50, 3, 10, 100], "400", "ten", "1000", "50", "3", "10", "100")
    shown("A52", lost, "12%", "78%", "100%")


def test_a53_a_product_may_stay_near_one_for_ever():
    W = np.array([[2.0]])
    x = steered(W, np.array([[0], [np.sqrt(0.75)]] * 100))
    factors = jacobians(W, x)[:, 0, 0]
    assert np.allclose(factors[:4], [2, 0.5, 2, 0.5], rtol=1e-12)
    shown("A53", [*factors[:2], len(factors), np.prod(factors)], "2", "half", "200", "1.0000")
    shown("A80", factors[:2], "2", "0.5")
    shown("A82", [np.prod(factors), len(factors)], "1.0000", "200")
    shown("A80", unit(-0.7, 3)[0], "-0.7")


def test_a54_deep_feedforward_networks_vanish_and_explode_as_well():
    rng = np.random.default_rng(9)
    layers = rng.standard_normal((50, 200, 30, 30)) / np.sqrt(30)
    x = rng.standard_normal((200, 30, 1))
    sizes = {}
    for gain in (0.5, 1.0, 3.0):
        a, J = x, np.eye(30)
        for W in gain * layers:
            a = np.tanh(W @ a)
            J = (1 - a**2) * W @ J
        sizes[gain] = norms(J)

    def feed(a):
        for W in 3.0 * layers[:, 0]:
            a = np.tanh(W @ a)
        return a

    assert relative(J[0], jacobian(feed, x[0, :, 0])) < 1e-9
    shown("A54", [len(layers), 200, 30], "50", "200", "30")
    shown("A54", sizes, "0.5", "1", "3")
    shown("A54", [np.median(s) for s in sizes.values()], "2.15e-15", "0.30", "1.1e6")


# What vanishes, and remedies


def test_a55_a_vanished_gradient_does_not_erase_the_past():
    ends = {}
    for start in (0.1, -0.1):
        params, cache = driven([[2.0]], np.zeros((50, 1)), [[start]])
        ends[start] = cache.h[50, 0, 0]
        by_core = rnn.backward(params, cache, {50: np.ones((1, 1))}).h[0, 0, 0]
        assert by_core == norm_curve(params, cache)[50, 0]
    shown("A55", [*ends, 50, *ends.values()], "0.1", "-0.1", "50", "0.957504", "-0.957504")
    shown("A55", by_core, "5e-36")
    shown("A93", ends[0.1] - ends[-0.1], "1.915")


def test_a56_orthogonal_weights_keep_a_gradient_while_the_units_stay_small():
    rng = np.random.default_rng(8)
    W, x = orthogonal(rng, 20), rng.standard_normal((100, 20))
    kept = {scale: size(W, scale * x) for scale in (0.01, 0.1, 0.5)}
    shown("A56", [*kept, *kept.values()], "0.01", "0.1", "0.5", "0.734", "0.00828", "1.14e-11")
    shown("A53 A57", [kept[0.01], len(x)], "0.734", "100")
    shown("A57", size(0.9 * W, 0.01 * x), "2.57e-5")
    shown("A57", 1 - 0.9, "10%")
    gaussian = 0.5 * rng.standard_normal((20, 20)) / np.sqrt(20)
    shown("A56", [len(x), 0.5, size(gaussian, 0.01 * x)], "100", "half", "1.53e-27")


def test_a58_relu_passes_one_only_through_active_units():
    rng = np.random.default_rng(10)
    W = orthogonal(rng, 20)
    h_0 = rng.random((1, 20))
    x = 0.1 * rng.standard_normal((30, 20))
    sizes = [size(scale * W, x, h_0, "relu") for scale in (1, 0.5, 2)]
    shown(
        "A58",
        [len(x), sizes[0], 0.5, sizes[1], 2, sizes[2]],
        "30",
        "8.82e-5",
        "half",
        "1.56e-14",
        "twice",
        "7.57e5",
    )
    shown("A58", size(np.eye(20), np.abs(x), h_0, "relu"), "1")
    shown("A58", size(W, x - 9, h_0, "relu"), "0")


def test_a61_the_norm_is_the_largest_singular_value_and_eigenvalues_bound_it_from_below():
    def curve(diagonal):
        W = np.array([[diagonal, 10], [0, diagonal]])
        sizes = norms(products(jacobians(W, np.zeros((70, 2)))))
        assert radius(W) == diagonal
        assert abs(norm(W) - np.sqrt(np.linalg.eigvalsh(W.T @ W).max())) < 1e-12
        return sizes.max(), np.flatnonzero(sizes > 1).max() + 1

    shown("A61", [0.5, 10, 0, *curve(0.5), 1], "0.5", "10", "0", "10.02", "8", "1")
    shown("A61", [0.9, *curve(0.9)], "0.9", "38.7", "63")
    W = np.random.default_rng(11).standard_normal((500, 5, 5))
    assert np.all(radius(W) <= norms(W))


def test_a65_the_exponent_counts_the_factors():
    t, k = 7, 3
    exact, printed = {}, {}
    for w in (2.0, 0.5):
        factors = unit(w, t - k + 1)
        exact[w] = np.prod(factors)
        printed[w] = norm(np.array([[w]])) ** (t - k)
    shown("A65", [t, k, 2, exact[2], printed[2]], "7", "3", "2", "32", "16")
    shown("A65", [0.5, exact[0.5], printed[0.5]], "1/2", "0.03125", "0.0625")


def test_a66_the_loss_of_a_recurrent_unit_has_a_cliff():
    steps, start = 20, np.array([[0.6]])
    x = np.zeros((steps, 1, 1))

    def end(b):  # u_t = σ(8 u_{t−1} + b)
        params = rnn.Params(np.zeros((1, 1)), np.array([[8.0]]), b)
        return rnn.forward(params, x.astype(b.dtype), start, activation="sigmoid").h[-1]

    def slope(b):
        return abs(jacobian(lambda b: (end(b) - 0.7) ** 2, np.array([b])).item())

    low, high = -6.0, -3.0  # u_20 ends low on one side of the cliff, high on the other
    for _ in range(19):
        middle = (low + high) / 2
        if end(np.array([middle])) < 0.5:
            low = middle
        else:
            high = middle
    shown(
        "A66",
        [8, steps, slope(high), 0.1, slope(high + 0.1)],
        "8",
        "20",
        "1.07e4",
        "tenth",
        "0.0208",
    )
