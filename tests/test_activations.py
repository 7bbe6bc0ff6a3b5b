"""Every activation: its values, its derivative from the output, its bound."""

import numpy as np
import pytest

from bptt_core.activations import ACTIVATIONS, get_activation, sigmoid

every_activation = pytest.mark.parametrize("phi", ACTIVATIONS.values(), ids=list(ACTIVATIONS))
POINTS = np.array([-3.7, -1.2, -0.31, 0.02, 0.48, 1.9, 4.4])
TRUTH = {
    "tanh": lambda a: (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.where(a > 0, a, 0),
    "identity": lambda a: a,
}


def test_the_four_activations_of_the_sources_are_there():
    assert list(ACTIVATIONS) == ["tanh", "sigmoid", "relu", "identity"]
    assert all(name == phi.name for name, phi in ACTIVATIONS.items())
    assert [phi.analytic for phi in ACTIVATIONS.values()] == [True, True, False, True]


@every_activation
def test_values_are_those_of_the_definition(phi):
    np.testing.assert_allclose(phi.f(POINTS), TRUTH[phi.name](POINTS), rtol=1e-14)


@every_activation
def test_the_derivative_from_the_output_matches_the_complex_step(phi):
    slope = phi.f(POINTS + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(phi.df(phi.f(POINTS)), slope, rtol=1e-12)


@every_activation
def test_the_derivative_never_exceeds_its_bound_and_reaches_it(phi):
    slopes = phi.df(phi.f(np.linspace(-6, 6, 1201)))
    assert slopes.max() == pytest.approx(phi.bound, rel=1e-12)
    assert slopes.min() >= 0


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_types_are_kept_and_out_is_filled(phi, dtype):
    a = POINTS.astype(dtype)
    out = np.empty_like(a)
    assert phi.f(a, out=out) is out
    assert phi.f(a).dtype == phi.df(phi.f(a)).dtype == dtype
    assert (out == phi.f(a)).all() and (a == POINTS.astype(dtype)).all()


def test_sigmoid_neither_overflows_nor_loses_its_tails():
    with np.errstate(all="raise"):
        assert sigmoid(np.array([-1e4, -1e308, 0.0, 1e4, 1e308])).tolist() == [
            0.0,
            0.0,
            0.5,
            1.0,
            1.0,
        ]
    np.testing.assert_allclose(sigmoid(np.array([-8.0])), 1 / (1 + np.exp(8.0)), rtol=1e-12)


def test_relu_is_flat_at_zero_and_takes_a_complex_step_on_both_sides():
    relu = get_activation("relu")
    assert relu.df(relu.f(np.array([-1.0, 0.0, 1e-300]))).tolist() == [0.0, 0.0, 1.0]
    assert relu.f(np.array([-1 + 1e-30j, 1 + 1e-30j])).tolist() == [0, 1 + 1e-30j]


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(
        ValueError, match="activation: got 'swish', wanted one of tanh, sigmoid, relu, identity"
    ):
        get_activation("swish")


def true_slope(name, a):
    """tanh′ or σ′ with digits to spare, from e^−|a|."""
    a = np.abs(a.astype(np.longdouble))
    e = np.exp(-2 * a) if name == "tanh" else np.exp(-a)
    return (4 if name == "tanh" else 1) * e / (1 + e) ** 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "units"), [("tanh", 1.2), ("sigmoid", 0.5)])
def test_the_error_of_a_slope_is_a_rounding_unit_however_small_the_slope(name, units, dtype):
    phi = get_activation(name)
    a = np.linspace(-45, 45, 90_001).astype(dtype)
    error = np.abs(phi.df(phi.f(a)) - true_slope(name, a)) / np.finfo(dtype).eps
    assert units / 2 < error.max() <= units


@pytest.mark.parametrize(
    ("name", "dtype", "below", "above"),
    [
        ("tanh", np.float64, -19, 19),
        ("tanh", np.float32, -10, 10),
        ("sigmoid", np.float64, -38, 37),
        ("sigmoid", np.float32, -20, 18),
    ],
)
def test_the_slope_of_a_saturated_unit_is_zero(name, dtype, below, above):
    phi = get_activation(name)
    far = np.linspace(0, 20, 2001)
    assert not phi.df(phi.f((above + far).astype(dtype))).any()
    assert not phi.df(phi.f((below - 0.001 - far).astype(dtype))).any()
    assert phi.df(phi.f(np.array([0.88 * below, 0.88 * above], dtype))).all()


@pytest.mark.parametrize(("dtype", "at", "error"), [(np.float64, 10, 3e-8), (np.float32, 5, 7e-4)])
def test_half_of_the_digits_of_a_slope_are_gone_where_the_docstring_says(dtype, at, error):
    phi = get_activation("tanh")
    a = np.linspace(at - 0.1, at + 0.1, 2001).astype(dtype)
    right = true_slope("tanh", a)
    found = np.abs(phi.df(phi.f(a)) - right) / right
    assert error / 3 < found.max() <= error
