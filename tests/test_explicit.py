"""The plain passes compute what the fast ones compute, and what the complex step says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from witnesses import complex_step, params_of, problems, run

from bptt_core import explicit, gru, lstm, rnn
from bptt_core.mistakes.listing import listing_of

CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru, "gru_before": gru}


@pytest.mark.parametrize("name", explicit.PASSES)
@given(data=st.data())
def test_the_plain_passes_agree_with_the_fast_ones_and_with_the_complex_step(name, data):
    plain = explicit.PASSES[name]
    fixed = {"truncated": False, "loss on c": False, "loss": None, "grid": ()}
    fixed |= getattr(plain, "FORM", {})
    problem = data.draw(problems(CELLS[name], grids=False, **fixed))
    params, fast = params_of(problem, problem.leaves), run(problem, problem.leaves)
    cache = plain.forward(params, **plain.arguments(fast))
    for state in problem.state_names:
        ours, theirs = getattr(cache, state[0]), getattr(fast, state[0])
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    found = plain.backward(params, cache, problem.dh)._asdict()
    right = problem.cell.backward(params, fast, problem.dh).params._asdict()
    exact = complex_step(problem)
    for field in problem.parameter_names:
        scale = np.abs(exact[field]).max()
        np.testing.assert_allclose(found[field], right[field], rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(found[field], exact[field], rtol=0, atol=1e-11 * scale)


def test_the_passes_of_a_cell_are_found_by_its_parameters():
    rng = np.random.default_rng(0)
    assert explicit.pass_of(rnn.init_params(2, 3, rng)) is explicit.rnn
    assert explicit.pass_of(lstm.init_params(2, 3, rng)) is explicit.lstm
    params = gru.init_params(2, 3, rng)
    for form, plain in {"after": explicit.gru, "before": explicit.gru_before}.items():
        cache = gru.forward(params, np.ones((4, 1, 2)), reset=form)
        assert explicit.pass_of(params, cache) is plain
    wants = "rnn.Params or lstm.Params or gru.Params"
    with pytest.raises(ValueError, match=f"^params: got tuple, wanted {wants}"):
        explicit.pass_of((1, 2))


@pytest.mark.parametrize("name", explicit.PASSES)
def test_a_grid_and_another_cell_are_refused(name):
    plain, rng = explicit.PASSES[name], np.random.default_rng(0)
    grid = plain.Params(*(np.stack([w, w]) for w in CELLS[name].init_params(2, 3, rng)))
    with pytest.raises(ValueError, match="^params: got a grid"):
        plain.forward(grid, np.ones((4, 1, 2)))
    with pytest.raises(ValueError, match="^params: got tuple"):
        plain.forward((), np.ones((4, 1, 2)))


@pytest.mark.parametrize("name", explicit.PASSES)
def test_a_bias_that_is_missing_is_zero(name):
    """A second bias has another length than the first."""
    plain = explicit.PASSES[name]
    params = CELLS[name].init_params(2, 3, np.random.default_rng(0), bias=False)
    zeros = CELLS[name].init_params(2, 3, np.random.default_rng(0))
    zeros = zeros._replace(**{b: np.zeros_like(getattr(zeros, b)) for b in zeros._fields[2:]})
    x = np.random.default_rng(1).standard_normal((4, 2, 2))
    assert np.array_equal(plain.forward(params, x).h, plain.forward(zeros, x).h)


@pytest.mark.parametrize("name", explicit.PASSES)
def test_every_line_of_a_pass_can_be_written_otherwise(name):
    """A pass is read as text: each statement of its loop stands on a line of its own."""
    listing = listing_of(explicit.PASSES[name])
    for line, text in listing.texts.items():
        written = {line: f"({text})"}
        sources = listing.forward.rewritten(written) + listing.backward.rewritten(written)
        assert f"({text})" in sources
