"""Every mistake is made once: the witnesses see it, `diagnose` names it, and it hides where it is said to."""

import numpy as np
import pytest
import witnesses
from witnesses import Problem, complex_step, core_gradients, params_of, run

from bptt_core import lstm, rnn
from bptt_core.gradcheck import GradientError, check_gradients
from bptt_core.mistakes import MISTAKES, diagnose, explicit_backward

T, B, D, H = 5, 3, 2, 4
CELLS = {"rnn": rnn, "lstm": lstm}
PLANTED = [
    (cell, mistake) for cell in CELLS for mistake in MISTAKES if cell == "lstm" or not mistake.gate
]
planted = pytest.mark.parametrize(
    "cell, mistake", PLANTED, ids=lambda value: getattr(value, "name", value)
)


def network(cell, *, T=T, B=B, **changes):
    """Everything random and different: sizes, biases, states, the upstream gradient of every step."""
    rng, module = np.random.default_rng(1), CELLS[cell]
    rows = H if cell == "rnn" else 4 * H
    shapes = {
        "W_xh": (rows, D),
        "W_hh": (rows, H),
        "b_h": (rows,),
        "x": (T, B, D),
        "h_0": (B, H),
        "c_0": (B, H),
    }
    leaves = {
        name: 0.6 * rng.standard_normal(shape)
        for name, shape in shapes.items()
        if name != "c_0" or cell == "lstm"
    }
    dh = changes.pop("dh", rng.standard_normal((T, B, H)))
    return Problem(module, leaves | changes, (), {}, dh=dh)


def wrong_and_right(problem, mistake):
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    wrong = mistake.apply(params, cache, problem.dh)
    return wrong._asdict(), {
        name: value for name, value in core_gradients(problem).items() if name in wrong._fields
    }


def relative_error(wrong, right):
    return max(
        np.linalg.norm(wrong[name] - value) / np.linalg.norm(value) for name, value in right.items()
    )


def test_every_pattern_seen_in_the_wild_is_planted():
    slips = {mistake.slip for mistake in MISTAKES}
    assert slips == {
        "not transposed", "one chain", "not carried", "shifted", "wrapped", "reversed", "outer transposed", "1 - h",
        "mean over B", "mean over T", "no output path", "no slope", "slope twice", "bias of another",
    }  # fmt: skip
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)
    assert all(mistake.explanation and mistake.hidden for mistake in MISTAKES)


@pytest.mark.parametrize("cell", CELLS)
def test_the_explicit_backward_pass_without_a_slip_is_right(cell):
    problem = network(cell)
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    exact = complex_step(problem)
    for name, value in explicit_backward(params, cache, problem.dh)._asdict().items():
        np.testing.assert_allclose(value, exact[name], rtol=1e-11, atol=1e-13)


@planted
def test_the_witnesses_catch_it(cell, mistake):
    problem = network(cell)
    wrong, right = wrong_and_right(problem, mistake)
    assert relative_error(wrong, right) > 0.01
    assert relative_error(wrong, {name: complex_step(problem)[name] for name in right}) > 0.01


@planted
def test_the_gradient_checker_catches_it(cell, mistake):
    problem = network(cell)
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    with pytest.raises(GradientError, match="gradient of .* is wrong"):
        check_gradients(
            lambda p: witnesses.loss(problem, problem.leaves | p._asdict()),
            params,
            mistake.apply(params, cache, problem.dh),
        )


@planted
def test_diagnose_names_it_and_nothing_else(cell, mistake):
    problem = network(cell)
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    wrong = mistake.apply(params, cache, problem.dh)
    assert [found.name for found in diagnose(params, cache, problem.dh, wrong)] == [mistake.name]


@pytest.mark.parametrize("cell", CELLS)
def test_diagnose_is_silent_on_what_is_right_and_on_what_is_wrong_in_its_own_way(cell):
    problem = network(cell)
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    back = problem.cell.backward(params, cache, problem.dh)
    assert diagnose(params, cache, problem.dh, back) == []
    assert (
        diagnose(params, cache, problem.dh, back.params._replace(W_hh=1.1 * back.params.W_hh)) == []
    )
    with pytest.raises(ValueError, match="^gradients: got .*W_hh"):
        diagnose(params, cache, problem.dh, {"W_hh": np.ones((H + 1, H))})


def test_diagnose_reads_a_single_matrix_and_losses_at_some_steps():
    problem = network("rnn")
    params, cache, dh = (
        params_of(problem, problem.leaves),
        run(problem, problem.leaves),
        {2: problem.dh[1], 5: problem.dh[4]},
    )
    wrong = MISTAKES[0].apply(params, cache, dh)
    assert diagnose(params, cache, dh, {"W_hh": wrong.W_hh}) == [MISTAKES[0]]
    assert "transpose" in MISTAKES[0].explanation


def test_diagnose_wants_one_network():
    params = rnn.Params(np.ones((2, H, D)), np.ones((2, H, H)))
    with pytest.raises(ValueError, match="params: got a grid"):
        diagnose(
            params,
            rnn.forward(params, np.ones((T, B, D))),
            np.ones((T, 2, B, H)),
            {"W_hh": np.ones((2, H, H))},
        )


def test_a_network_without_biases_is_diagnosed_too():
    problem = network("lstm")
    params = params_of(problem, problem.leaves)._replace(b_h=None)
    cache = lstm.forward(params, problem.leaves["x"], problem.leaves["h_0"], problem.leaves["c_0"])
    wrong = MISTAKES[0].apply(params, cache, problem.dh)
    assert wrong.b_h is None and diagnose(params, cache, problem.dh, wrong) == [MISTAKES[0]]


SYMMETRIC = np.array(
    [[0.3, -0.4, 0.1, 0.2], [-0.4, 0.5, 0.2, 0.1], [0.1, 0.2, -0.6, 0.3], [0.2, 0.1, 0.3, 0.4]]
)
# name → (cell, changes of the network that hide the mistake, gradients in which it then hides: None for all)
HIDDEN = [
    ("recurrence not transposed", "rnn", {"T": 1}, None),
    ("recurrence not transposed", "rnn", {"T": 2, "h_0": np.zeros((B, H))}, ["W_hh"]),
    ("recurrence not transposed", "rnn", {"W_hh": np.zeros((H, H))}, None),
    ("recurrence not transposed", "rnn", {"W_hh": SYMMETRIC}, None),
    ("recurrence not transposed", "lstm", {"W_hh": np.tile(SYMMETRIC, (4, 1))}, None),
    ("sum over k missing", "lstm", {"T": 1}, None),
    ("nothing carried back", "rnn", {"T": 1}, None),
    ("nothing carried back", "lstm", {"T": 1}, None),
    ("state shifted by one", "rnn", {}, ["W_xh", "b_h"]),
    ("index −1 wraps", "rnn", {}, ["W_xh", "b_h"]),
    ("time reversed", "rnn", {"dh": np.ones((T, B, H))}, None),
    ("time reversed", "lstm", {"dh": np.ones((T, B, H))}, None),
    ("outer product transposed", "rnn", {}, ["W_xh", "b_h"]),
    ("bias averaged over the batch", "rnn", {"B": 1}, None),
    ("bias averaged over time", "lstm", {"T": 1}, None),
    ("output-gate path dropped", "lstm", {"T": 1}, None),
    ("gate i has the bias of gate f", "lstm", {"b_h": np.zeros(4 * H)}, ["W_xh", "W_hh"]),
    (
        "gate o has the bias of gate g",
        "lstm",
        {"b_h": np.tile([0.1, 0.2, 0.3, 0.4], 4)},
        ["W_xh", "W_hh"],
    ),
]


@pytest.mark.parametrize(
    "name, cell, changes, fields", HIDDEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_it_hides_where_it_is_said_to(name, cell, changes, fields):
    mistake = next(mistake for mistake in MISTAKES if mistake.name == name)
    wrong, right = wrong_and_right(network(cell, **changes), mistake)
    assert relative_error(wrong, {field: right[field] for field in fields or right}) <= 1e-12


def test_one_minus_h_hides_near_zero_and_shows_at_inputs_of_order_one():
    mistake = next(mistake for mistake in MISTAKES if mistake.slip == "1 - h")
    large = network("rnn")
    small = network(
        "rnn",
        **{
            name: 1e-6 * value
            for name, value in large.leaves.items()
            if name in ("x", "h_0", "b_h")
        },
    )
    assert relative_error(*wrong_and_right(small, mistake)) < 1e-5
    assert relative_error(*wrong_and_right(large, mistake)) > 0.1


def test_a_wrapped_index_needs_a_state_that_is_not_zero_at_either_end():
    """With h_0 = 0 the last state is used where a zero belongs: the error is there too."""
    mistake = next(mistake for mistake in MISTAKES if mistake.slip == "wrapped")
    assert relative_error(*wrong_and_right(network("rnn", h_0=np.zeros((B, H))), mistake)) > 0.01


def test_clipping_and_the_adding_problem_are_claims_and_not_gradients():
    """The two other patterns seen in the wild: clipping cannot enlarge a gradient, and the baseline is 1/6."""
    from bptt_core.gradient_flow import clip_by_global_norm

    small = (1e-9 * np.ones(3),)
    assert (clip_by_global_norm(small, 1.0)[0][0] == small[0]).all()
    first, second = np.random.default_rng(0).random((2, 400_000))
    assert np.var(first + second) == pytest.approx(1 / 6, rel=0.01) and abs(1 / 6 - 0.1767) > 0.009


@pytest.mark.parametrize(
    ("gradients", "argument"),
    [(wrong, "gradients") for wrong in ({}, None, 3, {"W_xx": np.eye(3)}, {"W_hh": 0.0})],
)
def test_diagnose_wants_gradients_of_the_parameters(gradients, argument):
    problem = network("rnn")
    params, cache, dh = params_of(problem, problem.leaves), run(problem, problem.leaves), problem.dh
    with pytest.raises(ValueError, match=f"^{argument}: got"):
        diagnose(params, cache, dh, gradients)


@pytest.mark.parametrize("slip", ["no such slip", "no output path", "bias of another"])
def test_a_slip_nobody_makes_with_this_cell_is_refused(slip):
    problem = network("rnn")
    with pytest.raises(ValueError, match="^slip: got"):
        explicit_backward(
            params_of(problem, problem.leaves), run(problem, problem.leaves), problem.dh, slip
        )


def test_a_cache_of_another_cell_is_refused():
    problem, other = network("rnn"), network("lstm")
    with pytest.raises(ValueError, match="^cache: got"):
        explicit_backward(params_of(problem, problem.leaves), run(other, other.leaves), problem.dh)
