"""Every cell against witnesses: complex step, central differences, the unrolled Jacobian, PyTorch.

The cells offer the same names, so nearly all tests run on each. Sizes are all different, T is 1 to
12, and every setting is drawn: what is equal here is not equal by symmetry.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import witnesses
from hypothesis import given, settings
from hypothesis import strategies as st
from witnesses import (
    central_differences,
    complex_step,
    core_backward,
    core_gradients,
    every_cell,
    params_of,
    problems,
    run,
    states_of,
    stepped,
    torch_gradients,
    torch_module_states,
    worst,
)

from bptt_core import _arrays, lstm


@pytest.fixture(scope="module", autouse=True)
def short_segments():
    """Backward passes work on segments of steps;
    these are so short that most problems need several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_arrays, "CACHED", 50)
        yield


@every_cell
@settings(max_examples=200)
@given(data=st.data())
def test_every_gradient_matches_the_complex_step(cell, data):
    problem = data.draw(problems(cell, truncated=False))
    error, name = worst(core_gradients(problem), complex_step(problem))
    assert error <= 1e-10, name


@every_cell
@settings(max_examples=200)
@given(data=st.data())
def test_every_gradient_matches_an_autograd_graph_of_the_equations(cell, torch, data):
    problem = data.draw(problems(cell))
    error, name = worst(core_gradients(problem), torch_gradients(problem))
    assert error <= 1e-10, name


@every_cell
@settings(max_examples=100)
@given(data=st.data())
def test_every_gradient_matches_torch_nn(cell, torch, data):
    kinds = {"forget_gate": True, "squash": "tanh", "truncated": False, "reset": "after"}
    kinds["activation"] = data.draw(st.sampled_from(["tanh", "relu"]))
    problem = data.draw(problems(cell, grids=False, **kinds))
    error, name = worst(core_gradients(problem), torch_gradients(problem, torch_module_states))
    assert error <= 1e-10, name


@every_cell
@settings(max_examples=20)
@given(data=st.data())
def test_every_gradient_matches_central_differences(cell, data):
    problem = data.draw(problems(cell, grids=False, scale=1.0, activation="tanh", truncated=False))
    found, right = core_gradients(problem), central_differences(problem)
    largest = max(np.abs(value).max() for value in right.values())
    for name, value in right.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-7, atol=1e-8 * largest, err_msg=name)


@settings(max_examples=50)
@given(problem=problems(lstm, truncated=True))
def test_the_truncated_gradient_matches_a_graph_whose_gates_see_a_detached_h(torch, problem):
    found = core_gradients(problem)
    error, name = worst(found, torch_gradients(problem))
    assert error <= 1e-10, name
    assert not found["h_0"].any()


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_total_derivatives_of_the_states_solve_the_dense_unrolled_system(cell, data):
    """The unrolled network is s_t − step(s_{t−1}) = 0 for all t: dL/ds solves one linear system."""
    kinds = {"upstream": "array", "loss": None, "truncated": False, "loss on c": True}
    problem = data.draw(problems(cell, grids=False, **kinds))
    cache = run(problem, problem.leaves)
    back, _ = core_backward(problem)
    params = params_of(problem, problem.leaves)
    joint = states_of(cell, cache)
    T, B, _ = cache.x.shape
    n = len(joint) * cache.h.shape[-1]
    states = np.concatenate(joint, axis=-1)
    immediate = np.concatenate(list(problem.upstream.values()), axis=-1)
    total = back.h
    if (
        "c" in cell.STATES
    ):  # h_t and c_t as independent coordinates: without c_t → h_t inside the step
        within = np.zeros_like(back.c)
        within[1:] = back.h[1:] * cache.o * cache.squash.df(cache.s)
        total = np.concatenate([back.h, back.c - within], axis=-1)
    for b in range(B):
        unrolled = np.eye((T + 1) * n)
        for t in range(1, T + 1):
            moved = states[t - 1, b] + 1j * witnesses.STEP * np.eye(n)
            x_t = np.repeat(cache.x[t - 1, b : b + 1], n, axis=0)
            after = stepped(
                cell, params, x_t, np.split(moved, len(joint), axis=-1), **problem.settings
            )
            columns = np.concatenate(after, axis=-1).imag / witnesses.STEP
            unrolled[t * n : (t + 1) * n, (t - 1) * n : t * n] = -columns.T
        right = np.linalg.solve(unrolled.T, np.concatenate([np.zeros(n), immediate[:, b].ravel()]))
        found = total[:, b].ravel()
        assert np.abs(found - right).max() <= 1e-10 * np.abs(right).max()


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_contributions_of_the_steps_sum_to_the_gradient(cell, data):
    problem = data.draw(problems(cell))
    back, _ = core_backward(problem, per_step=True)
    T = len(problem.leaves["x"])
    for name in problem.parameter_names:
        terms, total = getattr(back.per_step, name), getattr(back.params, name)
        assert terms.shape == (T, *total.shape)
        size = np.abs(terms).sum(0).max()
        np.testing.assert_allclose(terms.sum(0), total, rtol=1e-12, atol=1e-12 * size)


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_a_contribution_is_the_derivative_by_the_copy_of_that_step(cell, data):
    """Every step has a copy of the parameters; one entry of one copy takes the complex step."""
    problem = data.draw(problems(cell, loss=None, truncated=False))
    back, _ = core_backward(problem, per_step=True)
    params = params_of(problem, problem.leaves)
    x = problem.leaves["x"]
    t = data.draw(st.integers(1, len(x)), label="t")
    for name in problem.parameter_names:
        index = tuple(data.draw(st.integers(0, n - 1)) for n in getattr(params, name).shape)
        moved = getattr(params, name).astype(complex)
        moved[index] += 1j * witnesses.STEP
        copy = params._replace(**{name: moved})
        states = [[problem.leaves[state]] for state in problem.state_names]
        for s, x_s in enumerate(x, start=1):
            before = [state[-1] for state in states]
            after = stepped(cell, copy if s == t else params, x_s, before, **problem.settings)
            for state, value in zip(states, after, strict=True):
                state.append(value)
        loss = sum(
            np.sum(witnesses.paired(*pair))
            for pair in zip(problem.upstream.values(), states, strict=True)
        )
        right = np.imag(loss) / witnesses.STEP
        terms = getattr(back.per_step, name)
        assert abs(terms[t - 1][index] - right) <= 1e-10 * np.abs(terms).max(), name


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_a_grid_of_networks_equals_its_networks_one_by_one(cell, data):
    problem = data.draw(problems(cell, grid=(2, 3), loss=None, upstream="array"))
    cache, (back, _) = run(problem, problem.leaves), core_backward(problem, per_step=True)
    time_first = {"x", "h", "c", "a"}
    for point in np.ndindex(problem.grid):
        at = (slice(None), *point)
        x = problem.leaves["x"]
        leaves = {name: leaf[point] for name, leaf in problem.leaves.items() if name != "x"} | {
            "x": x[at] if x.ndim > 3 else x
        }
        upstream = {"dh": problem.dh[at], "dc": None if problem.dc is None else problem.dc[at]}
        single = problem._replace(leaves=leaves, grid=(), **upstream)
        own_cache, (own, _) = run(single, leaves), core_backward(single, per_step=True)
        pairs = [(getattr(cache, name)[at], getattr(own_cache, name)) for name in cell.STATES]
        pairs += [
            (getattr(back, name)[at], getattr(own, name)) for name in time_first & set(own._fields)
        ]
        pairs += [
            (getattr(back.params, name)[point], getattr(own.params, name))
            for name in problem.parameter_names
        ]
        pairs += [
            (getattr(back.per_step, name)[at], getattr(own.per_step, name))
            for name in problem.parameter_names
        ]
        for found, right in pairs:
            assert found.shape == right.shape
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12 * np.abs(right).max())


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_forward_is_step_after_step(cell, data):
    problem = data.draw(problems(cell))
    cache, params, x = (
        run(problem, problem.leaves),
        params_of(problem, problem.leaves),
        problem.leaves["x"],
    )
    state = [problem.leaves[name] for name in problem.state_names]
    for t, x_t in enumerate(x, start=1):
        state = stepped(cell, params, x_t, state, **problem.settings)
        for found, right in zip(states_of(cell, cache), state, strict=True):
            np.testing.assert_allclose(found[t], right, rtol=1e-12, atol=1e-13)


@every_cell
@settings(max_examples=20)
@given(data=st.data())
def test_a_dictionary_of_steps_equals_the_array_that_is_zero_elsewhere(cell, data):
    problem = data.draw(problems(cell, loss=None, upstream="steps", **{"loss on c": True}))
    dense = {}
    for name, given_steps in problem.upstream.items():
        dense[name] = np.zeros(run(problem, problem.leaves).h[1:].shape)
        for t, value in given_steps.items():
            dense[name][t - 1] = value
    found, right = core_gradients(problem), core_gradients(problem._replace(**dense))
    assert all((found[name] == right[name]).all() for name in right)


@every_cell
@settings(max_examples=30)
@given(data=st.data())
def test_float32_in_float32_out(cell, data):
    problem = data.draw(problems(cell, loss=None))
    single = {name: leaf.astype(np.float32) for name, leaf in problem.leaves.items()}
    narrow = problem._replace(leaves=single)
    cache, (back, _) = run(narrow, single), core_backward(narrow, per_step=True)
    everything = [
        value
        for value in (*cache, *back, *back.params, *back.per_step)
        if isinstance(value, np.ndarray)
    ]
    assert {value.dtype for value in everything} == {np.dtype(np.float32)}
    error, name = worst(core_gradients(narrow), core_gradients(problem))
    assert error <= 1e-2, name


@every_cell
def test_a_cache_and_gradients_are_not_changed_by_a_second_backward(cell):
    rng = np.random.default_rng(0)
    params = cell.init_params(2, 4, rng)
    cache, dh = cell.forward(params, rng.standard_normal((5, 3, 2))), rng.standard_normal((5, 3, 4))
    before = [np.copy(value) for value in (*params, *cache, dh) if isinstance(value, np.ndarray)]
    assert cell.backward(params, cache, dh).per_step is None
    first = cell.backward(params, cache, dh, per_step=True)
    second = cell.backward(params, cache, dh, per_step=True)
    after = [value for value in (*params, *cache, dh) if isinstance(value, np.ndarray)]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert all((a == b).all() for a, b in zip(first.params, second.params, strict=True))
    for value in (*second.params, *second.per_step, second.x, second.h):
        for own in (*params, cache.h, cache.x, dh):
            assert not np.shares_memory(value, own)


def test_chapter_2_sets_the_forget_bias_of_torch_as_it_says(torch):
    """Its lines are run, and the gate is read off a cell that starts at 1 and is fed nothing."""
    (chapter,) = (Path(__file__).parents[1] / "chapters").glob("02*.ipynb")
    cells = json.loads(chapter.read_text("utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells)
    (lines,) = re.findall(r"~~~python\n(.+?)\n~~~", text, re.S)
    model = torch.nn.LSTM(3, 16)
    biases = torch.cat([model.bias_ih_l0, model.bias_hh_l0]).detach()
    assert 0.2 < biases.abs().max() <= 16**-0.5, "drawn from ±1/√H"

    def forget():
        weights = model.weight_ih_l0, model.weight_hh_l0
        with torch.no_grad():
            for weight in weights:
                weight.zero_()
            c = [torch.full((1, 1, 16), value) for value in (0.0, 1.0)]
            zero = torch.zeros(1, 1, 16)
            run = [model(torch.zeros(1, 1, 3), (zero, start))[1][1] for start in c]
        return (run[1] - run[0]).numpy()

    assert 0.3 < forget().mean() < 0.7
    exec(lines, {"torch": torch, "model": model})
    assert np.allclose(forget(), 1 / (1 + np.exp(-3)), rtol=0, atol=1e-6)
