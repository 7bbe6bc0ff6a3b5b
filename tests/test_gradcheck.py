"""The gradient checker: it accepts what is right and complains, with a reason,
about what is wrong in one way."""

import math
import warnings

import numpy as np
import pytest
from witnesses import every_cell, weight_shapes

from bptt_core import lstm, readout, rnn
from bptt_core.gradcheck import GradientError, check_gradients, numerical_gradients

T, B, D, H, K = 5, 2, 3, 4, 6


def problem(cell=lstm, readout_bias=True, **settings):
    """A network with readout and squared error: (loss, params, gradients),
    everything random and of different sizes."""
    rng = np.random.default_rng(0)
    net = cell.Params(
        *(0.5 * rng.standard_normal(shape) for shape in weight_shapes(cell, D, H).values())
    )
    out = readout.Params(
        rng.standard_normal((K, H)), rng.standard_normal(K) if readout_bias else None
    )
    x, target, h_0 = (
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, K)),
        rng.standard_normal((B, H)),
    )

    def run(params):
        cache = cell.forward(params["net"], x, params["h_0"], **settings)
        return cache, *readout.squared_error(
            readout.forward(params["out"], cache.h[1:]), target, reduction="mean"
        )

    params = {"net": net, "out": out, "h_0": h_0}
    cache, _, dy = run(params)
    behind = readout.backward(out, cache.h[1:], dy)
    grads = cell.backward(net, cache, behind.h)
    return (
        lambda p: run(p)[1],
        params,
        {"net": grads.params, "out": behind.params, "h_0": grads.h[0]},
    )


def with_wrong(gradients, field, change):
    """The gradients, with one field of the cell changed."""
    net = gradients["net"]
    return gradients | {"net": net._replace(**{field: change(getattr(net, field).copy())})}


def complaint(loss, params, gradients, **settings):
    with pytest.raises(GradientError) as caught:
        check_gradients(loss, params, gradients, **settings)
    return caught.value


@pytest.mark.parametrize("method", ["auto", "complex", "central"])
@every_cell
def test_right_gradients_pass(cell, method):
    errors = check_gradients(*problem(cell), method=method)
    names = [f"net.{name}" for name in cell.Params._fields]
    assert list(errors) == [*names, "out.W_hy", "out.b_y", "h_0"]
    assert 0 < max(errors.values()) < (1e-12 if method != "central" else 1e-7)
    assert (max(errors.values()) > 1e-13) == (method == "central")


def test_a_missing_bias_is_no_parameter():
    assert "out.b_y" not in check_gradients(*problem(readout_bias=False))


def test_a_network_of_rectifiers_passes():
    assert max(check_gradients(*problem(rnn, activation="relu")).values()) < 1e-12


@pytest.mark.parametrize("method", ["auto", "complex", "central"])
@pytest.mark.parametrize("field", ["W_xh", "W_hh", "b_h"])
@every_cell
def test_an_error_of_a_twentieth_of_a_percent_is_caught(cell, field, method):
    loss, params, gradients = problem(cell)
    error = complaint(
        loss, params, with_wrong(gradients, field, lambda g: 1.0005 * g), method=method
    )
    assert error.parameter == f"net.{field}" and error.error == pytest.approx(5e-4, rel=1e-2)
    assert error.hint == "It is the right gradient times 1.0005." or method == "central"


@pytest.mark.parametrize("method", ["auto", "central"])
def test_one_wrong_entry_is_named(method):
    def change(g):
        g[7, 2] += 1e-3 * np.abs(g).max()
        return g

    loss, params, gradients = problem()
    right = gradients["net"].W_hh[7, 2]
    error = complaint(loss, params, with_wrong(gradients, "W_hh", change), method=method)
    assert error.parameter == "net.W_hh" and error.index == (7, 2)
    assert error.wanted == pytest.approx(right, rel=1e-5) and error.got != pytest.approx(
        right, rel=1e-5
    )
    assert "gradient of net.W_hh is wrong, relative error 0.001. Worst at [7, 2]: got" in str(error)
    assert "1 of 64 entries are wrong" in error.hint


def half_of_the_bias_of_one_gate(g):
    g[2 * H : 3 * H] *= 0.5
    return g


TRANSPOSED = "It is the transpose of the right gradient: the outer product is the wrong way round."
MEAN_OR_SUM = ": a sum for a mean, or a mean for a sum."
MISTAKES = [
    ("one column", rnn, "W_hh", lambda g: g * [1, 1, 1, 2], "4 of 16 entries are wrong."),
    ("half", rnn, "W_hh", lambda g: g * [1, 3, 1, 2], "8 of 16 entries are wrong."),
    ("more than half", rnn, "W_hh", lambda g: g * [4, 3, 1, 2], ""),
    ("all gates", lstm, "W_hh", lambda g: g * [4, 3, 1, 2], ""),
    ("sign", rnn, "W_xh", lambda g: -g, "It is the right gradient with the wrong sign."),
    (
        "zero",
        rnn,
        "W_hh",
        lambda g: 0 * g,
        "It is all zeros: is the path to this parameter missing?",
    ),
    ("transpose", rnn, "W_hh", lambda g: g.T, TRANSPOSED),
    (
        "factor T",
        rnn,
        "b_h",
        lambda g: T * g,
        f"It is the right gradient times 5, which is T{MEAN_OR_SUM}",
    ),
    (
        "one over B",
        rnn,
        "W_xh",
        lambda g: g / B,
        f"It is the right gradient times 0.5, which is 1/B{MEAN_OR_SUM}",
    ),
    ("unknown factor", rnn, "b_h", lambda g: 3 * g, "It is the right gradient times 3."),
    ("NaN", rnn, "b_h", lambda g: np.where(g == g[1], np.nan, g), "It holds infinity or NaN."),
    (
        "infinity",
        rnn,
        "W_hh",
        lambda g: np.where(g == g[1, 2], np.inf, g),
        "It holds infinity or NaN.",
    ),
    ("states shifted", rnn, "W_hh", lambda g: np.roll(g, 1, axis=1), ""),
]


@pytest.mark.parametrize(
    ("cell", "field", "change", "hint"), [pytest.param(*m[1:], id=m[0]) for m in MISTAKES]
)
def test_a_mistake_is_recognised(cell, field, change, hint):
    loss, params, gradients = problem(cell)
    error = complaint(loss, params, with_wrong(gradients, field, change), factors={"T": T, "B": B})
    assert error.parameter == f"net.{field}" and error.hint == hint
    if "NaN" in hint:
        assert not np.isfinite(error.got) and error.error == np.inf


@pytest.mark.parametrize("field", ["W_xh", "W_hh", "b_h"])
def test_the_gate_that_is_wrong_is_named(field):
    loss, params, gradients = problem()
    wrong = with_wrong(gradients, field, half_of_the_bias_of_one_gate)["net"]

    def on_cell(net):
        return loss(params | {"net": net})

    error = complaint(on_cell, params["net"], wrong)
    assert error.parameter == field and error.hint == "Only the rows of gate g are wrong."


def test_a_parameter_without_a_gradient_is_checked_too():
    """With h_0 = 0 and one step W_hh has no gradient;
    the checker must still see what is added there."""
    rng = np.random.default_rng(0)
    net, x = lstm.init_params(D, H, rng), rng.standard_normal((1, B, D))

    def loss(params):
        return lstm.forward(params, x).h[-1].sum()

    right = lstm.backward(net, lstm.forward(net, x), np.ones((1, B, H))).params
    errors = check_gradients(loss, net, right)
    assert errors["W_hh"] == 0 and not right.W_hh.any()
    assert complaint(loss, net, right._replace(W_hh=right.W_hh + 1e-9)).parameter == "W_hh"


def test_a_transposed_gradient_of_another_shape_is_caught():
    loss, params, gradients = problem()
    error = complaint(loss, params, with_wrong(gradients, "W_xh", lambda g: g.T))
    assert (error.parameter, error.index, error.got, error.wanted) == (
        "net.W_xh",
        None,
        (D, 4 * H),
        (4 * H, D),
    )
    assert "wrong shape" in str(error) and error.hint == "The outer product is the wrong way round."


def test_a_shape_that_would_broadcast_is_caught():
    loss, params, gradients = problem()
    error = complaint(loss, params, with_wrong(gradients, "b_h", lambda g: g[:, None]))
    assert error.parameter == "net.b_h" and error.hint == ""


@pytest.mark.parametrize("spoil", [np.abs, np.real, lambda h: h.real + 0j])
def test_a_loss_which_is_not_analytic_is_checked_by_central_differences(spoil):
    rng = np.random.default_rng(0)
    net, x, weights = (
        rnn.init_params(D, H, rng),
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
    )

    def loss(params):
        return np.real(np.sum(weights * spoil(rnn.forward(params, x).h[1:])))

    if spoil is np.real:  # a constant must not hide that the complex step is wrong
        plain = loss

        def loss(params):
            return 1e3 + plain(params)

    cache = rnn.forward(net, x)
    dh = weights * (np.sign(cache.h[1:]) if spoil is np.abs else 1)
    right = rnn.backward(net, cache, dh).params
    assert 1e-13 < max(check_gradients(loss, net, right).values()) < 1e-7
    complaint(loss, net, right._replace(W_hh=right.W_hh.T))
    with pytest.raises(GradientError):  # the complex step alone is blind here
        check_gradients(loss, net, right, method="complex")


def test_a_loss_that_refuses_complex_numbers_is_checked_by_central_differences():
    def real_only(p):
        if np.iscomplexobj(p[0]):
            raise TypeError("real numbers only")
        return (p[0] ** 3).sum()

    assert check_gradients(real_only, [np.array([1.0, 2.0])], [np.array([3.0, 12.0])])["0"] < 1e-8
    assert complaint(real_only, [np.array([1.0, 2.0])], [np.array([3.0, 12.1])]).index == (1,)


def test_the_complex_step_sees_an_error_in_the_tenth_digit():
    loss, params, gradients = problem()
    error = complaint(loss, params, with_wrong(gradients, "W_hh", lambda g: (1 + 3e-10) * g))
    assert error.error == pytest.approx(3e-10, rel=1e-3) and "times 1.0000000003" in error.hint
    one_gate = with_wrong(
        gradients, "W_hh", lambda g: g * np.repeat([1, 1, 1, 1 + 1e-8], H)[:, None]
    )["net"]
    error = complaint(lambda net: loss(params | {"net": net}), params["net"], one_gate)
    assert error.hint == "Only the rows of gate o are wrong."


def test_a_large_constant_in_the_loss_is_no_error_of_the_gradient():
    loss, params, gradients = problem()

    def raised(params):
        return 1e6 + loss(params)

    assert max(check_gradients(raised, params, gradients, method="central").values()) > 1e-6
    complaint(raised, params, with_wrong(gradients, "W_hh", lambda g: 1.05 * g), method="central")
    assert max(check_gradients(raised, params, gradients).values()) < 1e-12


def test_numerical_gradients_come_in_the_container_of_the_parameters_and_leave_them_alone():
    loss, params, gradients = problem()
    before = params["net"].W_hh.copy()
    for method, tolerance in (("complex", 1e-13), ("central", 1e-8)):
        found = numerical_gradients(loss, params, method=method)
        assert isinstance(found["net"], lstm.Params) and found["out"].b_y.shape == (K,)
        assert 0 < np.abs(found["net"].W_hh - gradients["net"].W_hh).max() < tolerance
    assert np.array_equal(params["net"].W_hh, before)


def test_a_single_number_can_be_checked():
    right = np.array(np.cos(0.7) * 0.7 + np.sin(0.7))
    assert check_gradients(lambda w: np.sin(w) * w, np.array(0.7), right)["value"] < 1e-14
    error = complaint(lambda w: np.sin(w), np.array(0.7), np.array(0.1))
    assert error.index == () and "Worst: got 0.1" in str(error)


def test_a_tolerance_of_ones_own_is_used():
    loss, params, gradients = problem()
    wrong = with_wrong(gradients, "W_hh", lambda g: 1.0005 * g)
    assert check_gradients(loss, params, wrong, rtol=1e-3)["net.W_hh"] == pytest.approx(5e-4)
    complaint(loss, params, wrong, rtol=4e-4)


@pytest.mark.parametrize("method", ["auto", "complex", "central"])
@every_cell
def test_right_gradients_pass_the_fast_mode(cell, method):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        errors = check_gradients(*problem(cell), method=method, fast_mode=True, rng=rng)
        assert set(errors) == set(check_gradients(*problem(cell), method=method))
        assert max(errors.values()) < (1e-13 if method != "central" else 1e-7)


@pytest.mark.parametrize("size", [10, 1000])
@pytest.mark.parametrize(("method", "evaluations"), [("complex", 3), ("central", 6)])
def test_the_cost_of_the_fast_mode_is_three_directions_for_each_array(method, evaluations, size):
    seen = []

    def loss(params):
        seen.append(1)
        return (params["a"] ** 2).sum() + (params["b"] ** 3).sum()

    params = {"a": np.linspace(1, 2, size), "b": np.linspace(-1, 1, 2 * size)}
    right = {"a": 2 * params["a"], "b": 3 * params["b"] ** 2}
    check_gradients(loss, params, right, method=method, fast_mode=True)
    assert len(seen) == 2 * evaluations + (method == "central")  # and once for the noise


@pytest.mark.parametrize("field", ["W_xh", "W_hh", "b_h"])
@every_cell
def test_the_fast_mode_sees_one_entry_that_is_wrong_by_a_twentieth_of_a_percent(cell, field):
    """By the complex step, in each of 100 draws of the directions;
    the gradient is wrong in one entry."""

    def change(g):
        g.flat[3] *= 1.0005
        return g

    loss, params, gradients = problem(cell)
    wrong = with_wrong(gradients, field, change)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        error = complaint(loss, params, wrong, method="complex", fast_mode=True, rng=rng)
        assert error.parameter == f"net.{field}" and error.index is None
        assert "Along a direction: got" in str(error) and error.hint == ""


def passed(n, method, rtol, draws, wrong_by=5e-4):
    """In how many of `draws` the fast mode passes a gradient of n entries, one of them wrong."""
    rng = np.random.default_rng(n)
    params = {"w": rng.standard_normal(n)}
    gradient = params["w"].copy()
    gradient[n // 2] += wrong_by * np.linalg.norm(gradient) / np.sqrt(n)

    def loss(p):
        return (p["w"] ** 2).sum() / 2

    count = 0
    for _ in range(draws):
        try:
            check_gradients(
                loss, params, {"w": gradient}, method=method, rtol=rtol, fast_mode=True, rng=rng
            )
        except GradientError:
            continue
        count += 1
    return count


@pytest.mark.parametrize(("n", "rtol"), [(100, 5e-5), (400, 1.25e-5), (10_000, 5e-6)])
def test_a_wrong_gradient_passes_as_often_as_the_docstring_says(n, rtol):
    """|N(0, 1)| below rtol √n / 5e-4, three times: tolerances so loose that it can be counted."""
    draws = 400
    limit = rtol * np.sqrt(n) / 5e-4
    chance = math.erf(limit / np.sqrt(2)) ** 3
    count = passed(n, "complex", rtol, draws)
    assert abs(count - draws * chance) <= 4 * np.sqrt(draws * chance * (1 - chance)) + 1
    assert passed(n, "complex", None, 100) == 0


def test_the_probabilities_of_the_docstring_are_those_of_three_gaussian_directions():
    def missed(rtol, n):
        return math.erf(rtol * np.sqrt(n) / 5e-4 / np.sqrt(2)) ** 3

    assert 1e11 < 1 / missed(1e-10, 1e6) < 1e12
    assert 1 / missed(1e-6, 100) == pytest.approx(250_000, rel=0.05)
    assert 1 / missed(1e-6, 10_000) == pytest.approx(250, rel=0.05)
    assert missed(1e-6, 1e6) == pytest.approx(0.87, abs=0.005)


def test_with_central_differences_the_fast_mode_is_blind_to_one_entry_of_a_million():
    assert passed(1_000_000, "central", None, 5) == 5
    assert passed(1_000_000, "complex", None, 5) == 0


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda g: -g, "It is the right gradient with the wrong sign."),
        (lambda g: 0 * g, "It is all zeros: is the path to this parameter missing?"),
        (lambda g: T * g, "It is the right gradient times 5, which is T: a sum for a mean"),
        (lambda g: np.where(g == g[1, 2], np.nan, g), "It holds infinity or NaN."),
        (lambda g: g[:, ::-1], ""),
    ],
)
def test_the_fast_mode_says_what_concerns_a_whole_array(change, hint):
    loss, params, gradients = problem()
    wrong = with_wrong(gradients, "W_hh", change)
    error = complaint(loss, params, wrong, factors={"T": T}, fast_mode=True)
    assert error.parameter == "net.W_hh"
    assert error.hint.startswith(hint) and (hint or not error.hint)


def test_the_fast_mode_names_a_wrong_shape_and_draws_the_same_directions_every_time():
    loss, params, gradients = problem()
    error = complaint(loss, params, with_wrong(gradients, "W_xh", lambda g: g.T), fast_mode=True)
    assert (error.got, error.wanted) == ((D, 4 * H), (4 * H, D))
    first, second = (
        complaint(loss, params, with_wrong(gradients, "b_h", lambda g: 2 * g), fast_mode=True)
        for _ in range(2)
    )
    assert str(first) == str(second)


def bad_calls():
    loss, params, gradients = problem(rnn)
    fewer = {name: value for name, value in gradients.items() if name != "h_0"}
    yield (
        "missing field",
        lambda: check_gradients(loss, params, fewer),
        "gradients: got fields .*check h_0",
    )
    yield (
        "unknown method",
        lambda: check_gradients(loss, params, gradients, method="exact"),
        "method",
    )
    yield (
        "no number",
        lambda: check_gradients(lambda p: p["h_0"], params, gradients),
        r"loss\(params\)",
    )
    yield "no return", lambda: check_gradients(lambda p: None, params, gradients), r"loss\(params\)"
    yield (
        "NaN for a tolerance",
        lambda: check_gradients(loss, params, gradients, rtol=np.nan),
        "rtol",
    )
    yield (
        "NaN loss",
        lambda: check_gradients(lambda p: np.nan, params, gradients),
        r"loss\(params\)",
    )
    yield "NaN", lambda: numerical_gradients(loss, params | {"h_0": np.full((B, H), np.nan)}), "h_0"
    yield (
        "integers",
        lambda: numerical_gradients(loss, params | {"h_0": np.ones((B, H), int)}),
        "h_0",
    )


@pytest.mark.parametrize(
    ("call", "message"), [pytest.param(*rest, id=name) for name, *rest in bad_calls()]
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}.*"):
        call()


def test_a_small_array_that_is_not_analytic_is_not_hidden_by_a_large_one():
    params = {"a": np.ones(3), "b": np.array([1.0, 2.0]), "c": np.ones(2)}

    def loss(p):
        return p["a"].sum() + 3 * p["c"].sum() + 1e-7 * np.abs(p["b"]).sum()

    right = {"a": np.ones(3), "b": np.full(2, 1e-7), "c": np.full(2, 3.0)}
    assert set(check_gradients(loss, params, right, rtol=1e-2)) == set(params)
    assert complaint(loss, params, right | {"b": np.zeros(2)}, rtol=1e-2).parameter == "b"


def test_gates_that_are_all_wrong_are_not_singled_out_and_a_network_without_bias_has_gates_too():
    rng = np.random.default_rng(3)
    net = problem()[1]["net"]._replace(b_h=None)
    x, dh = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    right = lstm.backward(net, lstm.forward(net, x), dh).params

    def energy(p):
        return (lstm.forward(p, x).h[1:] * dh).sum()

    bent = right.W_hh.copy()
    bent[H : 2 * H] += 0.1
    assert (
        complaint(energy, net, right._replace(W_hh=bent)).hint
        == "Only the rows of gate f are wrong."
    )
    everywhere = right._replace(W_hh=right.W_hh + 0.1 * rng.standard_normal(right.W_hh.shape))
    assert "gate" not in complaint(energy, net, everywhere).hint


def test_a_tiny_gradient_is_checked_as_closely_as_a_large_one():
    params = {"w": np.array([1.0, 2.0])}

    def loss(p):
        return 1e-20 * (p["w"] ** 2).sum()

    assert check_gradients(loss, params, {"w": 2e-20 * params["w"]}, method="complex")["w"] < 1e-15
    complaint(loss, params, {"w": 2.001e-20 * params["w"]}, method="complex")


def test_a_gradient_where_there_should_be_none_is_measured_against_one():
    assert (
        complaint(
            lambda p: 0 * p["w"].sum() + 3, {"w": np.ones(2)}, {"w": np.array([0, 0.5])}
        ).error
        == 0.5
    )


def test_choosing_a_method_warns_nobody():
    def loss(p):
        return float(np.float64(p["w"].sum() ** 2))  # drops the imaginary part, with a warning

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        check_gradients(loss, {"w": np.array([1.0, 2.0])}, {"w": np.array([6.0, 6.0])})
    assert heard == []
