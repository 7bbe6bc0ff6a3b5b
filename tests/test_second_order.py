"""Witnesses that look at a backward pass from another side: second derivatives and forward mode.

The Hessian is symmetric, u·Hv = v·Hu, for a gradient that is one: H v is the complex step through
`backward`. In forward mode nothing goes back: real-time recurrent learning carries ∂s_t/∂θ along
with the states, and a directional derivative J v needs the forward pass alone.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from witnesses import (
    CHOICES,
    STEP,
    Problem,
    core_backward,
    core_gradients,
    every_cell,
    params_of,
    problems,
    run,
    settings_of,
    states_of,
    stepped,
    weight_shapes,
    worst,
)

from bptt_core import cells

SMOOTH = {"grids": False, "truncated": False}


def smooth_problem(data, cell, **fixed):
    """A problem without a kink: second derivatives exist everywhere."""
    phi = data.draw(st.sampled_from(["tanh", "sigmoid", "identity"]))
    return data.draw(problems(cell, **SMOOTH, activation=phi, **fixed))


def moved(problem, direction, step):
    """The problem with every leaf moved along a direction."""
    leaves = {name: leaf + step * direction[name] for name, leaf in problem.leaves.items()}
    return problem._replace(leaves=leaves)


def random_direction(problem, rng):
    return {name: rng.standard_normal(leaf.shape) for name, leaf in problem.leaves.items()}


def dot(a, b):
    return sum(np.sum(a[name] * b[name]) for name in a)


def length(a):
    return np.sqrt(dot(a, a))


def hessian_times(problem, v):
    """H v, exact to rounding: the gradient at a complex place."""
    found = core_gradients(moved(problem, v, 1j * STEP))
    return {name: value.imag / STEP for name, value in found.items()}


@every_cell
@settings(max_examples=100)
@given(data=st.data())
def test_second_derivatives_are_symmetric(cell, data):
    problem = smooth_problem(data, cell)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="directions"))
    u, v = random_direction(problem, rng), random_direction(problem, rng)
    Hu, Hv = hessian_times(problem, u), hessian_times(problem, v)
    scale = length(u) * length(Hv) + length(v) * length(Hu)
    assert abs(dot(u, Hv) - dot(v, Hu)) <= 1e-12 * scale


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_the_hessian_times_a_direction_matches_central_differences_of_the_gradient(cell, data):
    problem = smooth_problem(data, cell, scale=0.3)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="direction"))
    v = random_direction(problem, rng)
    Hv = hessian_times(problem, v)
    eps = 1e-5
    ahead, behind = (core_gradients(moved(problem, v, sign * eps)) for sign in (1, -1))
    central = {name: (ahead[name] - behind[name]) / (2 * eps) for name in ahead}
    error = {name: central[name] - Hv[name] for name in Hv}
    noise = 1e-15 / eps * length(core_gradients(problem))
    assert length(error) <= 1e-6 * length(Hv) + 100 * noise


@every_cell
@settings(max_examples=100)
@given(data=st.data())
def test_forward_mode_and_backward_mode_agree_on_every_direction(cell, data):
    """⟨u, J v⟩ = ⟨Jᵀu, v⟩: J v by the complex step through `forward`, Jᵀu by `backward`."""
    problem = data.draw(problems(cell, loss=None, truncated=False, upstream="array"))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="direction"))
    v = random_direction(problem, rng)
    there = run(problem, moved(problem, v, 1j * STEP).leaves)
    upstream = {name: u for name, u in problem.upstream.items() if u is not None}
    forwards = [
        (u * getattr(there, name[1:])[1:].imag / STEP).ravel() for name, u in upstream.items()
    ]
    back = core_gradients(problem)
    backwards = [(back[name] * v[name]).ravel() for name in v]
    scale = np.abs(np.concatenate(forwards)).sum() + np.abs(np.concatenate(backwards)).sum()
    difference = np.concatenate(forwards).sum() - np.concatenate(backwards).sum()
    assert abs(difference) <= 1e-13 * scale


def real_time_recurrent_learning(problem):
    """dL/dθ without a backward pass, and without any derivative of the package's.

    ∂s_t/∂θ = ∂s_t/∂s_{t−1} ∂s_{t−1}/∂θ + ∂⁺s_t/∂θ, both factors by the complex step through
    `step`."""
    cell = problem.cell
    params = params_of(problem, problem.leaves)
    names = problem.parameter_names
    states = [problem.leaves[name] for name in problem.state_names]
    B, H = states[0].shape
    width = len(states) * H
    carried = {name: np.zeros((B, width, getattr(params, name).size)) for name in names}
    gradient = {name: np.zeros(getattr(params, name).size) for name in names}

    def after(params, states, x_t):
        moved = stepped(cell, params, x_t, states, **problem.settings)
        return np.concatenate(moved, axis=-1)

    for t, x_t in enumerate(problem.leaves["x"]):
        J = np.empty((B, width, width))
        joint = np.concatenate(states, axis=-1)
        for k, unit in enumerate(np.eye(width)):
            parts = np.split(joint + 1j * STEP * unit, len(states), axis=-1)
            J[..., k] = after(params, parts, x_t).imag / STEP
        for name in names:
            own = getattr(params, name)
            immediate = np.empty_like(carried[name])
            for k in range(own.size):
                copy = own.astype(complex)
                copy.flat[k] += 1j * STEP
                changed = params._replace(**{name: copy})
                immediate[..., k] = after(changed, states, x_t).imag / STEP
            carried[name] = J @ carried[name] + immediate
        upstream = [np.zeros((B, H)) if u is None else u[t] for u in problem.upstream.values()]
        row = np.concatenate(upstream, axis=-1)
        for name in names:
            gradient[name] += np.einsum("bs,bsk->k", row, carried[name])
        states = stepped(cell, params, x_t, states, **problem.settings)
    return {name: value.reshape(getattr(params, name).shape) for name, value in gradient.items()}


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_real_time_recurrent_learning_gives_the_gradient_of_backpropagation(cell, data):
    problem = data.draw(problems(cell, grids=False, loss=None, truncated=False, upstream="array"))
    back = core_backward(problem)[0].params
    found = {name: getattr(back, name) for name in problem.parameter_names}
    error, name = worst(found, real_time_recurrent_learning(problem))
    assert error <= 1e-10, name


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_going_step_back_after_step_back_is_the_backward_pass(cell, data):
    """The loop as a chapter writes it: slopes, then one `step_back` after the other."""
    problem = data.draw(problems(cell, loss=None, truncated=False, upstream="array"))
    back, _ = core_backward(problem)
    params = params_of(problem, problem.leaves)
    cache = run(problem, problem.leaves)
    slopes = cell.slopes(cache)
    gradients = [np.zeros_like(cache.h[0]) for _ in cell.STATES]
    for t in reversed(range(len(cache.x))):
        upstream = [0 if u is None else u[t] for u in problem.upstream.values()]
        totals = [g + u for g, u in zip(gradients, upstream, strict=True)]
        da_t, *gradients = cell.step_back(params, cells.at(slopes, t), *totals)
        np.testing.assert_allclose(da_t, back.a[t], rtol=1e-12, atol=1e-12 * np.abs(back.a).max())
    for found, right in zip(gradients, states_of(cell, back), strict=True):
        size = np.abs(right).max()
        np.testing.assert_allclose(found, right[0], rtol=1e-12, atol=1e-12 * size)


def not_transposed(cell, patch):
    honest = cell.step_back_into

    def wrong(out, W_hh, *rest):
        H = W_hh.shape[-1]
        blocks = W_hh.reshape(-1, H, H).mT
        honest(out, blocks.reshape(W_hh.shape), *rest)

    patch.setattr(cell, "step_back_into", wrong)


def nothing_carried(cell, patch):
    honest = cell.step_back_into

    def wrong(out, *rest):
        honest(out, *rest)
        for before in out[-len(cell.STATES) :]:
            before[...] = 0

    patch.setattr(cell, "step_back_into", wrong)


def one_slope_halved(cell, patch):
    honest = cell.slopes

    def wrong(cache, *part, **out):
        found = honest(cache, *part, **out)
        found[0][...] *= 0.5
        return found

    patch.setattr(cell, "slopes", wrong)


def twice_one_parameter(cell, patch):
    honest = cell.backward

    def wrong(*arguments, **options):
        found = honest(*arguments, **options)
        return found._replace(params=found.params._replace(W_hh=2 * found.params.W_hh))

    patch.setattr(cell, "backward", wrong)


def twice_everything(cell, patch):
    honest = cell.backward

    def wrong(params, cache, **upstream):
        return honest(params, cache, **{name: 2 * value for name, value in upstream.items()})

    patch.setattr(cell, "backward", wrong)


BUGS = [not_transposed, nothing_carried, one_slope_halved, twice_one_parameter, twice_everything]


def asymmetry(problem, u, v):
    Hu, Hv = hessian_times(problem, u), hessian_times(problem, v)
    return abs(dot(u, Hv) - dot(v, Hu)) / (length(u) * length(Hv) + length(v) * length(Hu))


def disagreement(problem, v):
    there = run(problem, moved(problem, v, 1j * STEP).leaves)
    forwards = sum(
        np.sum(u * getattr(there, name[1:])[1:].imag / STEP)
        for name, u in problem.upstream.items()
        if u is not None
    )
    backwards = dot(core_gradients(problem), v)
    return abs(forwards - backwards) / (abs(forwards) + abs(backwards))


def error_against_forward_learning(problem):
    back = core_backward(problem)[0].params
    found = {name: getattr(back, name) for name in problem.parameter_names}
    return worst(found, real_time_recurrent_learning(problem))[0]


def fixed_problem(cell):
    rng = np.random.default_rng(0)
    T, B, D, H = 4, 2, 3, 5
    shapes = weight_shapes(cell, D, H) | {"x": (T, B, D)}
    shapes |= {f"{state}_0": (B, H) for state in cell.STATES}
    leaves = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    upstream = {f"d{state}": rng.standard_normal((T, B, H)) for state in cell.STATES}
    settings = {name: CHOICES[name][0] for name in settings_of(cell)}
    problem = Problem(cell, leaves, (), settings, **upstream)
    return problem, random_direction(problem, rng), random_direction(problem, rng)


@pytest.mark.parametrize("bug", BUGS)
@every_cell
def test_the_witnesses_see_a_bug_that_was_put_in(cell, bug, monkeypatch):
    """Symmetry sees all that is no gradient; twice a gradient is one,
    and the others see that too."""
    problem, u, v = fixed_problem(cell)
    assert asymmetry(problem, u, v) < 1e-13
    assert disagreement(problem, v) < 1e-12
    assert error_against_forward_learning(problem) < 1e-11
    bug(cell, monkeypatch)
    assert (asymmetry(problem, u, v) > 1e-4) == (bug is not twice_everything)
    assert disagreement(problem, v) > 1e-3
    assert error_against_forward_learning(problem) > 1e-2
