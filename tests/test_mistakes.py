"""Every mistake is made once, hides where it is said to, and is named; and nothing else is."""

import doctest
import json
from pathlib import Path

import numpy as np
import pytest
import witnesses
import wrong_passes
from witnesses import Problem, complex_step, core_gradients, params_of, run, weight_shapes

from bptt_core import explicit, gru, lstm, rnn
from bptt_core.gradcheck import GradientError, check_gradients
from bptt_core.mistakes import Finding, diagnose, known_mistakes, mistake, search, wording
from bptt_core.mistakes.known import programs_of
from bptt_core.mistakes.listing import listing_of
from bptt_core.mistakes.lockstep import gradients

T, B, D, H = 5, 3, 2, 4
CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru, "gru_before": gru}
FORMS = {name: getattr(explicit.PASSES[name], "FORM", {}) for name in CELLS}
PINNED = json.loads((Path(__file__).parent / "pinned_mistakes.json").read_text("utf-8"))
cells = pytest.mark.parametrize("cell", CELLS)


def network(cell, *, T=T, B=B, seed=1, **changes):
    """Everything random and different: sizes, biases, states, the gradient of every step."""
    rng, module = np.random.default_rng(seed), CELLS[cell]
    shapes = {**weight_shapes(module, D, H), "x": (T, B, D), "h_0": (B, H)}
    shapes |= {"c_0": (B, H)} if "c" in module.STATES else {}
    leaves = {name: 0.6 * rng.standard_normal(shape) for name, shape in shapes.items()}
    dh = changes.pop("dh", rng.standard_normal((T, B, H)))
    return Problem(module, leaves | changes, (), FORMS[cell], dh=dh)


def parts(problem):
    """params, cache, dh, and the right gradients."""
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    return params, cache, problem.dh, problem.cell.backward(params, cache, problem.dh).params


def named(cell, name):
    return next(m for m in known_mistakes(explicit.PASSES[cell]) if m.name == name)


def wrong_and_right(problem, mistake):
    params, cache, dh, _ = parts(problem)
    wrong = mistake.apply(params, cache, dh)._asdict()
    right = core_gradients(problem)
    return wrong, {name: right[name] for name in wrong}


def relative_error(wrong, right):
    return max(
        np.linalg.norm(wrong[name] - value) / np.linalg.norm(value) for name, value in right.items()
    )


def flat(gradient):
    values = gradient.values() if isinstance(gradient, dict) else gradient
    return np.concatenate([np.ravel(value) for value in values])


def near(a, b, rtol=1e-7):
    return np.abs(flat(a) - flat(b)).max() <= rtol * np.abs(flat(b)).max()


# ----------------------------------------------------------------------------- the mistakes


@pytest.mark.parametrize("key", PINNED)
def test_the_mistakes_of_the_first_edition_give_what_they_gave(key):
    """Sums of what the branches of the first edition's pass gave, stored before they went."""
    cell, name = key.split(": ")
    params, cache, dh, _ = parts(network(cell))
    found = named(cell, name).apply(params, cache, dh)._asdict()
    for field, (total, weighted, norm) in PINNED[key].items():
        value = found[field]
        now = value.sum(), value.ravel() @ np.cos(np.arange(value.size)), np.linalg.norm(value)
        np.testing.assert_allclose(now, (total, weighted, norm), rtol=0, atol=1e-10 * (1 + norm))


def test_all_thirty_three_mistakes_of_the_first_edition_are_pinned():
    assert len({key.split(": ")[1] for key in PINNED}) == 33


@cells
def test_every_mistake_has_a_name_of_its_own_and_says_what_it_is(cell):
    known = known_mistakes(explicit.PASSES[cell])
    assert len(known) > 100
    assert len({m.name for m in known}) == len({m.explanation for m in known}) == len(known)
    for m in known:
        assert m.hidden and m.explanation[0] not in " ,." and not m.explanation.endswith((".", ","))
        assert not any(sign in m.explanation for sign in ("@", "[t", "df(", "None"))


@cells
def test_no_two_mistakes_are_the_same_program(cell):
    """In a network that they were not sorted with. A cut after k steps shows from k + 1 on."""
    params, cache, dh, right = parts(network(cell, T=11, seed=5))
    module = explicit.PASSES[cell]
    programs = [texts for _, texts in programs_of(module)]
    found = gradients(listing_of(module), params, module.arguments(cache), dh, [{}, *programs])
    table = np.hstack([v.reshape(len(v), -1) for v in found.values()])
    alike = []
    for row, own in enumerate(table):
        same = np.abs(table[:row] - own).max(axis=1, initial=0) <= 1e-9 * np.abs(own).max()
        alike += [(int(other), row) for other in np.flatnonzero(same)]
    # with tanh, "the slope of tanh" is the slope, and so for σ at a σ gate
    names = ["right", *(m.name for m, _ in programs_of(module))]
    assert all("1 - " in names[row] or "all slopes" in names[row] for _, row in alike), [
        (names[a], names[b]) for a, b in alike
    ]


@cells
def test_all_programs_in_lockstep_give_what_each_gives_alone(cell):
    params, cache, dh, _ = parts(network(cell))
    module = explicit.PASSES[cell]
    known = programs_of(module)
    arguments = module.arguments(cache)
    found = gradients(listing_of(module), params, arguments, dh, [texts for _, texts in known])
    for row, (m, _) in enumerate(known):
        alone = m.apply(params, cache, dh)._asdict()
        for name, value in alone.items():
            atol = 1e-12 * (1 + np.abs(value).max())
            np.testing.assert_allclose(
                found[name][row], value, rtol=1e-9, atol=atol, err_msg=m.name
            )


@pytest.mark.parametrize("key", PINNED)
def test_the_witnesses_and_the_gradient_checker_catch_it(key):
    cell, name = key.split(": ")
    problem = network(cell)
    wrong, right = wrong_and_right(problem, named(cell, name))
    assert relative_error(wrong, right) > 0.01
    assert relative_error(wrong, {field: complex_step(problem)[field] for field in right}) > 0.01
    params, cache, dh, _ = parts(problem)
    with pytest.raises(GradientError, match="gradient of .* is wrong"):
        check_gradients(
            lambda p: witnesses.loss(problem, problem.leaves | p._asdict()),
            params,
            named(cell, name).apply(params, cache, dh),
        )


def test_a_mistake_shows_the_line_as_it_is_written_by_mistake():
    transposed = named("rnn", "recurrence not transposed")
    assert transposed.lines(explicit.rnn) == {"dh_next": ("da @ W_hh", "da @ W_hh.mT")}
    assert "        dh_next = da @ W_hh.mT\n" in transposed.source(explicit.rnn)
    assert "        dh_next = da @ W_hh\n" not in transposed.source(explicit.rnn)


def test_the_examples_in_the_docstrings_run():
    params, cache, dh, right = parts(network("rnn"))
    names = {"explicit": explicit, "known_mistakes": known_mistakes, "diagnose": diagnose}
    names |= {"params": params, "cache": cache, "dh": dh, "right": right}
    for module in (mistake, search, wording):
        result = doctest.testmod(module, extraglobs=names)
        assert result.attempted and not result.failed


# -------------------------------------------------------------------------- right, and unknown


@cells
def test_what_is_right_is_called_right_and_is_never_given_a_name(cell):
    """200 networks, degenerate ones too: one step or sequence, zeros, equal losses, one loss."""
    rng = np.random.default_rng(0)
    for seed in range(200):
        steps, batch = (int(n) for n in rng.integers(1, 5, size=2))
        changes = [
            {},
            {"h_0": np.zeros((batch, H))},
            {"dh": np.ones((steps, batch, H))},
            {"dh": {steps: rng.standard_normal((batch, H))}},
            {"b_h": np.zeros(len(CELLS[cell].GATES) * H)},
        ][seed % 5]
        problem = network(cell, T=steps, B=batch, seed=seed, **changes)
        activation = ["tanh", "sigmoid", "relu", "identity"][seed % 4]
        settings = {"activation": activation} if cell == "rnn" else FORMS[cell]
        problem = problem._replace(settings=settings)
        params, cache, dh, right = parts(problem)
        diagnosis = diagnose(params, cache, dh, right)
        assert diagnosis.right and diagnosis.findings == () and str(diagnosis).endswith("is right.")


@cells
def test_what_is_wrong_in_its_own_way_is_called_unknown_and_the_right_arrays_right(cell):
    params, cache, dh, right = parts(network(cell))
    rng = np.random.default_rng(0)
    noise = right._replace(W_hh=right.W_hh * (1 + 0.1 * rng.standard_normal(right.W_hh.shape)))
    diagnosis = diagnose(params, cache, dh, noise)
    assert diagnosis.kind == "unknown" and not diagnosis.right and diagnosis.findings == ()
    others = [f"d{name}" for name in right._fields if name != "W_hh"]
    said = f"{', '.join(others[:-1])} and {others[-1]} are right; dW_hh is off by"
    assert said in str(diagnosis)
    off = np.abs(noise.W_hh - right.W_hh).max() / np.abs(right.W_hh).max()
    assert diagnosis.errors["W_hh"] == pytest.approx(off)
    assert diagnosis.errors["W_xh"] < 1e-12
    for _ in range(5):
        guess = right._replace(
            **{n: rng.standard_normal(v.shape) for n, v in right._asdict().items()}
        )
        assert diagnose(params, cache, dh, guess).kind == "unknown"


def test_unlike_the_first_edition_a_mistake_that_is_not_known_is_not_taken_for_right():
    """Exercise 2 of chapter 1: the slope of tanh kept in a network of logistic units."""
    problem = network("rnn")._replace(settings={"activation": "sigmoid"})
    params, cache, dh, _ = parts(problem)
    kept = wrong_passes.rnn_pass(params, cache, dh, "")
    diagnosis = diagnose(params, cache, dh, kept)
    assert not diagnosis.right and "1 − h_t², the slope of tanh, was used in da" in str(diagnosis)


def test_rows_of_one_gate_are_named():
    params, cache, dh, right = parts(network("lstm"))
    wrong = right.W_hh.copy()
    wrong[H : 2 * H] += np.random.default_rng(0).standard_normal((H, H))
    diagnosis = diagnose(params, cache, dh, right._replace(W_hh=wrong))
    assert diagnosis.gates == {"W_hh": "f"}
    assert str(diagnosis).endswith("In dW_hh only the rows of gate f are wrong.")


def test_arrays_that_a_mistake_alone_explains_are_named_as_that():
    params, cache, dh, right = parts(network("rnn"))
    wrong = named("rnn", "recurrence not transposed").apply(params, cache, dh)
    noise = wrong._replace(W_hh=wrong.W_hh + np.random.default_rng(0).standard_normal((H, H)))
    diagnosis = diagnose(params, cache, dh, noise)
    assert diagnosis.kind == "unknown"
    assert "dW_xh and db_h alone look as if the recurrence was multiplied" in str(diagnosis)


# ------------------------------------------------------------------------------- what is named


def random_sizes(rng):
    """T, B, D, H all different and T ≥ 3."""
    steps = int(rng.integers(3, 8))
    others = rng.permutation([n for n in range(2, 8) if n != steps])[:3]
    return steps, *(int(n) for n in others)


def random_problem(cell, rng, sizes=None):
    """params, cache and dh."""
    steps, batch, inputs, units = sizes or random_sizes(rng)
    module = CELLS[cell]
    shapes = weight_shapes(module, inputs, units).values()
    params = module.Params(*(0.6 * rng.standard_normal(shape) for shape in shapes))
    states = [rng.standard_normal((batch, units)) for _ in module.STATES]
    x = rng.standard_normal((steps, batch, inputs))
    cache = module.forward(params, x, *states, **FORMS[cell])
    return params, cache, rng.standard_normal((steps, batch, units))


def fits(finding, cell, gradient_of, like):
    """Whether a finding gives the same as some wrong pass in another network of these sizes too."""
    module = explicit.PASSES[cell]
    sizes = (*like.x.shape[:2], like.x.shape[2], like.h.shape[2])
    params, cache, dh = random_problem(cell, np.random.default_rng(77), sizes)
    edits = [edit for m in finding.mistakes for edit in m.edits]
    texts = listing_of(module).edited(edits) or {}
    found = gradients(listing_of(module), params, module.arguments(cache), dh, [texts])
    found = {name: value[0] for name, value in found.items()}
    return near(found, gradient_of(params, cache, dh))


@cells
def test_every_slip_is_named(cell):
    """Each once, in a network of its own. With B = 2 "halved" is "averaged"; cuts look alike."""
    module = explicit.PASSES[cell]
    known = known_mistakes(module)
    some = known if cell == "rnn" else known[::4]
    seen, found, tied = 0, 0, []
    for seed, m in enumerate(some):
        params, cache, dh = random_problem(cell, np.random.default_rng(seed))
        wrong = m.apply(params, cache, dh)
        if near(wrong, CELLS[cell].backward(params, cache, dh).params):
            continue
        seen += 1
        diagnosis = diagnose(params, cache, dh, wrong)
        found += Finding((m,)) in diagnosis.findings
        if len(diagnosis.findings) > 1:
            tied.append(diagnosis.because)
    print(f"{cell}: {found} of {seen} slips are among what is named, {seen - len(tied)} alone")
    assert found == seen
    assert all(because[0].startswith(("T =", "B =")) for because in tied)


def pairs_named(cell, pool, number, **options):
    """The share of `number` pairs of mistakes that is known, and how many are called falsely."""
    module = explicit.PASSES[cell]
    listing = listing_of(module)
    rng = np.random.default_rng(0)
    known, false = 0, 0
    for seed in range(number):
        while True:
            two = [pool[k] for k in rng.choice(len(pool), 2, replace=False)]
            texts = listing.edited([edit for m in two for edit in m.edits])
            if texts is None:
                continue

            def gradient_of(params, cache, dh, texts=texts):
                arguments = module.arguments(cache)
                swept = gradients(listing, params, arguments, dh, [texts])
                return {name: value[0] for name, value in swept.items()}

            params, cache, dh = random_problem(cell, np.random.default_rng(seed))
            wrong = gradient_of(params, cache, dh)
            right = CELLS[cell].backward(params, cache, dh).params
            if np.isfinite(flat(wrong)).all() and not near(wrong, right):
                break
        diagnosis = diagnose(params, cache, dh, wrong, **options)
        known += diagnosis.kind in ("known", "factor")
        if diagnosis.kind == "known" and not any(f.factor or f.where for f in diagnosis.findings):
            false += not any(fits(f, cell, gradient_of, cache) for f in diagnosis.findings)
    return known / number, false


@cells
def test_four_of_five_pairs_of_common_slips_are_known_and_none_is_called_by_a_wrong_name(cell):
    pool = [m for m in known_mistakes(explicit.PASSES[cell]) if m.common]
    share, false = pairs_named(cell, pool, 30)
    print(f"{cell}: {share:.0%} of 30 pairs of common slips")
    assert share >= 0.8 and false == 0


def test_of_an_rnn_pairs_of_any_slips_are_known():
    share, false = pairs_named("rnn", known_mistakes(explicit.rnn), 40)
    print(f"rnn: {share:.0%} of 40 pairs of any slips")
    assert share >= 0.8 and false == 0


WRITTEN = {
    "rnn": (wrong_passes.rnn_pass, wrong_passes.RNN, wrong_passes.LISTED_RNN),
    "lstm": (wrong_passes.lstm_pass, wrong_passes.LSTM, wrong_passes.LISTED_LSTM),
}


written_cells = pytest.mark.parametrize("cell", WRITTEN)


@written_cells
def test_the_passes_written_by_hand_are_right_without_a_slip_and_wrong_with_one(cell):
    write, free, listed = WRITTEN[cell]
    params, cache, dh, right = parts(network(cell))
    assert near(write(params, cache, dh, ""), right, 1e-12)
    for wrong in (*free, *listed):
        assert not near(write(params, cache, dh, wrong), right, 1e-3), wrong


@written_cells
def test_what_the_first_edition_missed_is_named(cell):
    write, _, listed = WRITTEN[cell]
    params, cache, dh, _ = parts(network(cell))
    kinds = {n: diagnose(params, cache, dh, write(params, cache, dh, n)).kind for n in listed}
    assert [name for name, kind in kinds.items() if kind != "known"] == []


@written_cells
def test_most_of_what_is_on_no_list_is_named_and_nothing_by_a_wrong_name(cell):
    write, free, _ = WRITTEN[cell]
    params, cache, dh, _ = parts(network(cell))
    unknown = []
    for wrong in free:
        diagnosis = diagnose(params, cache, dh, write(params, cache, dh, wrong))
        if diagnosis.kind == "unknown":
            unknown.append(wrong)
        for finding in diagnosis.findings:
            if not finding.where:
                assert fits(finding, cell, lambda *given, w=wrong: write(*given, w), cache), wrong
    print(f"{cell}: {len(free) - len(unknown)} of {len(free)}; unknown: {', '.join(unknown)}")
    assert len(unknown) <= 0.15 * len(free)


# ------------------------------------------------------------------ factors, parts, ties, luck


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda g: g._replace(W_hh=1.1 * g.W_hh),
         "dW_xh and db_h are right; dW_hh is the right gradient times 1.1."),
        (lambda g: type(g)(*(0.7 * a for a in g)), "Every array is the right gradient times 0.7."),
        (lambda g: g._replace(W_xh=-g.W_xh, W_hh=g.W_hh / 3),
         "db_h is right; dW_xh is the right gradient with the wrong sign; "
         "dW_hh is the right gradient times 0.333333333333, "
         "which is 1/B: a sum for a mean, or a mean for a sum."),
    ],
)  # fmt: skip
def test_a_number_times_right_is_told_from_a_mistake(change, text):
    params, cache, dh, right = parts(network("lstm"))
    diagnosis = diagnose(params, cache, dh, change(right))
    assert diagnosis.kind == "factor" and str(diagnosis) == text


def test_a_mistake_times_a_number_and_clipped_gradients_are_known():
    params, cache, dh, right = parts(network("rnn"))
    wrong = named("rnn", "recurrence not transposed").apply(params, cache, dh)
    text = str(diagnose(params, cache, dh, type(wrong)(*(0.31 * a for a in wrong))))
    assert text.endswith("instead of its transpose, and all was multiplied by 0.31.")
    clipped = type(right)(*(np.clip(a, -1, 1) for a in right))
    assert (
        str(diagnose(params, cache, dh, clipped)) == "It looks as if every entry was clipped to ±1."
    )


def test_a_mistake_in_one_array_is_placed():
    params, cache, dh, right = parts(network("lstm"))
    wrong = named("lstm", "order i, f, o, g").apply(params, cache, dh)
    diagnosis = diagnose(params, cache, dh, right._replace(W_xh=wrong.W_xh))
    assert str(diagnosis).endswith("where i, f, g, o belongs, but only in dW_xh.")


def test_two_mistakes_at_once_are_both_named():
    params, cache, dh, _ = parts(network("lstm"))
    wrong = wrong_passes.lstm_pass(params, cache, dh, "h_t and no slope at f")
    (finding,) = diagnose(params, cache, dh, wrong).findings
    assert {m.name for m in finding.mistakes} == {"state shifted by one", "slope missing at gate f"}


def test_with_as_many_steps_as_sequences_both_averages_are_named_and_the_sizes_blamed():
    params, cache, dh, right = parts(network("rnn", T=3, B=3))
    diagnosis = diagnose(params, cache, dh, right._replace(b_h=right.b_h / 3))
    names = {f.mistakes[0].name for f in diagnosis.findings}
    assert names == {"bias averaged over the batch", "bias averaged over time"}
    assert diagnosis.because == ("T = B = 3",)
    assert "These inputs cannot tell, because T = B = 3." in str(diagnosis)


def test_an_empty_matrix_alone_with_a_zero_state_is_explained_in_all_ways_that_fit():
    """The first edition said of a matrix not filled in: "the sum over all steps is missing"."""
    problem = network("rnn", h_0=np.zeros((B, H)))
    params, cache, dh, right = parts(problem)
    diagnosis = diagnose(params, cache, dh, {"W_hh": np.zeros((H, H))})
    names = {f.mistakes[0].name for f in diagnosis.findings}
    assert {"sum over k missing", "dW_hh was not filled in"} <= names
    assert {"dW_hh is all that was given", "h_0 = 0"} <= set(diagnosis.because)


def test_two_steps_tell_less_than_three():
    few = network("rnn", T=2)
    params, cache, dh, _ = parts(few)
    wrong = named("rnn", "dh_t: dh[t] → ((t < T) * dh[t])").apply(params, cache, dh)
    diagnosis = diagnose(params, cache, dh, wrong)
    assert len(diagnosis.findings) > 1 and "T = 2" in diagnosis.because


def test_what_these_inputs_hide_is_listed():
    params, cache, dh, right = parts(network("rnn", h_0=np.zeros((B, H))))
    unseen = {m.name for m in diagnose(params, cache, dh, right).unseen}
    assert "h_0 taken for zero" in unseen and "recurrence not transposed" not in unseen


def test_one_number_is_too_little_to_name_two_mistakes():
    rng = np.random.default_rng(0)
    params = rnn.Params(*(rng.standard_normal(shape) for shape in ((1, 1), (1, 1), (1,))))
    cache = rnn.forward(params, rng.standard_normal((4, 2, 1)), rng.standard_normal((2, 1)))
    dh = rng.standard_normal((4, 2, 1))
    right = rnn.backward(params, cache, dh).params
    for guess in np.linspace(0.1, 3, 30):
        found = diagnose(params, cache, dh, {"W_hh": guess * right.W_hh}, rtol=0.005)
        assert all(len(finding.mistakes) == 1 for finding in found.findings)


def test_diagnose_reads_a_single_matrix_and_losses_at_some_steps():
    problem = network("rnn")
    params, cache = params_of(problem, problem.leaves), run(problem, problem.leaves)
    dh = {2: problem.dh[1], 5: problem.dh[4]}
    transposed = named("rnn", "recurrence not transposed")
    wrong = transposed.apply(params, cache, dh)
    assert diagnose(params, cache, dh, {"W_hh": wrong.W_hh}).findings == (Finding((transposed,)),)


@cells
def test_a_network_without_biases_is_diagnosed_too(cell):
    problem = network(cell)
    params = params_of(problem, problem.leaves)
    params = params._replace(**dict.fromkeys(params._fields[2:]))
    states = [problem.leaves[name] for name in problem.state_names]
    cache = CELLS[cell].forward(params, problem.leaves["x"], *states, **FORMS[cell])
    transposed = named(cell, "recurrence not transposed")
    wrong = transposed.apply(params, cache, problem.dh)
    assert wrong.b_h is None
    assert diagnose(params, cache, problem.dh, wrong).findings == (Finding((transposed,)),)
    assert not named(cell, "bias averaged over time").concerns(params)


# -------------------------------------------------------------------------- where mistakes hide

SYMMETRIC = np.array(
    [[0.3, -0.4, 0.1, 0.2], [-0.4, 0.5, 0.2, 0.1], [0.1, 0.2, -0.6, 0.3], [0.2, 0.1, 0.3, 0.4]]
)
# name, cell, changes of the network that hide it, gradients in which it then hides: None for all
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
    ("first sequence only", "rnn", {"B": 1}, None),
    ("batch summed too early", "lstm", {"B": 1}, None),
    ("runs forward in time", "rnn", {"T": 1}, None),
    ("h_0 taken for zero", "lstm", {"h_0": np.zeros((B, H))}, None),
    ("c_0 taken for zero", "lstm", {"c_0": np.zeros((B, H))}, None),
    ("cell's gradient not carried", "lstm", {"T": 1}, None),
    ("cut after every 5 from the last", "rnn", {}, None),
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
    wrong, right = wrong_and_right(network(cell, **changes), named(cell, name))
    assert relative_error(wrong, {field: right[field] for field in fields or right}) <= 1e-12


def test_one_minus_h_hides_near_zero_and_shows_at_inputs_of_order_one():
    large = network("rnn")
    tiny = {n: 1e-6 * value for n, value in large.leaves.items() if n in ("x", "h_0", "b_h")}
    one_minus = named("rnn", "1 − h for 1 − h²")
    assert relative_error(*wrong_and_right(network("rnn", **tiny), one_minus)) < 1e-5
    assert relative_error(*wrong_and_right(large, one_minus)) > 0.1


def test_a_wrapped_index_needs_a_state_that_is_not_zero_at_either_end():
    """With h_0 = 0 the last state is used where a zero belongs: the error is there too."""
    wraps = named("rnn", "index −1 wraps")
    assert relative_error(*wrong_and_right(network("rnn", h_0=np.zeros((B, H))), wraps)) > 0.01


def test_clipping_and_the_adding_problem_are_claims_and_not_gradients():
    """The two other patterns of the wild: clipping cannot enlarge, and the baseline is 1/6."""
    from bptt_core.gradient_flow import clip_by_global_norm

    small = (1e-9 * np.ones(3),)
    assert (clip_by_global_norm(small, 1.0)[0][0] == small[0]).all()
    first, second = np.random.default_rng(0).random((2, 400_000))
    assert np.var(first + second) == pytest.approx(1 / 6, rel=0.01) and abs(1 / 6 - 0.1767) > 0.009


# ------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    "wrong", ({}, None, 3, {"W_xx": np.eye(3)}, {"W_hh": 0.0}, {"W_hh": np.ones((H + 1, H))})
)
def test_diagnose_wants_gradients_of_the_parameters(wrong):
    params, cache, dh, _ = parts(network("rnn"))
    with pytest.raises(ValueError, match="^gradients: got"):
        diagnose(params, cache, dh, wrong)


def test_diagnose_wants_one_network():
    params = rnn.Params(np.ones((2, H, D)), np.ones((2, H, H)))
    cache = rnn.forward(params, np.ones((T, B, D)))
    with pytest.raises(ValueError, match="params: got a grid"):
        diagnose(params, cache, np.ones((T, 2, B, H)), {"W_hh": np.ones((2, H, H))})


def test_a_slip_nobody_makes_with_this_cell_is_refused():
    params, cache, dh, _ = parts(network("rnn"))
    with pytest.raises(ValueError, match="^params: got bptt_core.rnn"):
        named("lstm", "output-gate path dropped").apply(params, cache, dh)


def test_a_cache_of_another_cell_is_refused():
    params, _, dh, right = parts(network("rnn"))
    other = network("lstm")
    cache = run(other, other.leaves)
    with pytest.raises(ValueError, match="^cache: got"):
        named("rnn", "recurrence not transposed").apply(params, cache, dh)
    with pytest.raises(ValueError, match="^cache: got"):
        diagnose(params, cache, dh, right)
