"""The study of the long gradient: its tasks, its gradients, its stored result."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bptt_core import explicit, lstm, rnn, tasks
from bptt_core.gradient_flow import clip_by_global_norm, truncated_backward
from bptt_core.mistakes import known_mistakes
from bptt_core.studies import long_gradient as study
from bptt_core.studies import reading
from bptt_core.studies.lag_tasks import TASKS
from bptt_core.studies.long_gradient import Setting


def drawn(name, length=12, batch=400, seed=0):
    return TASKS[name](length).draw(batch=batch, rng=np.random.default_rng(seed))


# Tasks


@pytest.mark.parametrize("name, own", [("adding", tasks.adding), ("order", tasks.temporal_order)])
def test_with_the_usual_places_a_task_is_that_of_the_package(name, own):
    ours, theirs = drawn(name, 20, 7), own(20, 7, np.random.default_rng(0))
    assert np.array_equal(ours.x, theirs.x) and np.array_equal(ours.target, theirs.target)


PLACES = {  # of the marks, from step 0, in 12 steps: the first range, and the second
    "adding, early": (range(0, 3), range(3, 6)),
    "adding, fixed": (range(1, 2), range(6, 7)),
    "adding, late": (range(8, 10), range(10, 12)),
    "adding, first third": (range(0, 2), range(2, 4)),
    "order, anywhere": (range(0, 6), range(6, 12)),
    "order, late": (range(8, 10), range(10, 12)),
    "order, first third": (range(0, 2), range(2, 4)),
    "letter, first": (range(0, 1),),
    "letter, anywhere": (range(0, 12),),
    "letter, early": (range(0, 6),),
    "letter, late": (range(8, 12),),
    "letter, first third": (range(0, 4),),
    "letter, middle third": (range(4, 8),),
    "letter, both ends": ([*range(0, 4), *range(8, 12)],),
    "letter, 0% anywhere": (range(0, 6),),
    "letter, 100% anywhere": (range(0, 12),),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_marks_of_a_task_are_where_it_says_and_nowhere_else(name):
    batch = drawn(name)
    marked = batch.x[..., :2].sum(-1) if name.startswith("order") else batch.x[..., -1]
    places = np.array([np.flatnonzero(column) for column in marked.T])
    assert [set(column) for column in places.T] == [set(allowed) for allowed in PLACES[name]]


def test_the_answer_is_what_was_marked():
    letter, adding, order = drawn("letter, anywhere"), drawn("adding, late"), drawn("order, late")
    flagged = letter.x[..., -1].argmax(0)
    asked = letter.x[flagged, np.arange(400), :4].argmax(-1)
    assert np.array_equal(asked, letter.target[-1]) and set(asked) == {0, 1, 2, 3}
    assert np.allclose((adding.x[..., 0] * adding.x[..., 1]).sum(0), adding.target[-1, :, 0])
    pairs = [sequence[sequence < 2] for sequence in order.x.argmax(-1).T]
    assert [2 * a + b for a, b in pairs] == order.target[-1].tolist()


def test_a_share_of_the_flags_may_be_anywhere():
    batch = drawn("letter, 30% anywhere", batch=20_000)
    late = (batch.x[..., -1].argmax(0) >= 6).mean()
    assert abs(late - 0.15) < 0.01  # half of those


# Gradients


def networks(name, cell, seeds=(0, 1, 2), length=12):
    """Three random networks as a grid, with biases, and a batch for each."""
    setting = Setting(name, length, cell, None, units=5)
    model = study.run(setting, seeds, 1).model
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return model, study.grid_batch(TASKS[name](length), 7, rngs)


@pytest.mark.parametrize("window", [1, 3, 12, 20, None])
@pytest.mark.parametrize("name, cell", [("adding", "RNN"), ("order", "LSTM 1")])
def test_a_window_is_that_of_truncated_backward(name, cell, window):
    model, batch = networks(name, cell)
    got = study.gradient(model, batch, window)
    module, cache, h, y = study.last_step(model, batch[0])
    dh = {
        len(batch[0]): study.readout.backward(model.readout, h, study.loss_of(y, batch[1])[1]).h[0]
    }
    if window is None:
        want = module.backward(model.cell, cache, dh).params
    else:
        want = truncated_backward(model.cell, cache, dh, window).params
    for ours, theirs in zip(got.cell, want, strict=True):
        assert np.abs(theirs).max() > 1e-3
        assert np.allclose(ours, theirs, rtol=0, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("name", ["adding", "order"])
def test_the_readouts_gradient_is_that_of_each_networks_own_mean_loss(name):
    model, batch = networks(name, "RNN")
    model = study.map_leaves(lambda array: array.astype(float), model)
    got = study.gradient(model, batch, 1).readout.b_y
    for k in range(got.shape[-1]):
        moved = model._replace(
            readout=model.readout._replace(b_y=model.readout.b_y.astype(complex))
        )
        moved.readout.b_y[..., k] += 1e-30j
        value = study.loss_of(study.last_step(moved, batch[0])[3], batch[1])[0]
        assert np.allclose(value.imag / 1e-30, got[:, k], rtol=1e-12, atol=0)


def test_a_window_of_zero_trains_the_readout_alone():
    runs = study.run(Setting("adding", 12, "LSTM 1", 0), range(2), 3)
    assert all(np.array_equal(*pair) for pair in zip(runs.start.cell, runs.model.cell, strict=True))
    assert not np.array_equal(runs.start.readout.W_hy, runs.model.readout.W_hy)


def test_a_frozen_gate_keeps_its_weights_and_the_others_learn():
    runs = study.run(Setting("adding", 12, "LSTM 1", 1, "f"), range(2), 3)
    before, after = runs.start.cell, runs.model.cell
    for kind in ("W_x", "W_h", "b_"):
        same = [
            np.array_equal(getattr(before, kind + gate), getattr(after, kind + gate))
            for gate in "ifgo"
        ]
        assert same == [False, True, False, False], kind


def test_a_gate_that_is_not_heard_changes_what_is_sent_back_and_nothing_at_the_last_step():
    """Witness: the known mistake of the dropped road, a line written otherwise."""
    model, batch = networks("adding", "LSTM 1")
    model = study.map_leaves(lambda array: array.astype(float), model)
    got = study.gradient(model, batch, None, unheard="o").cell
    x, target = batch
    _, cache, h, y = study.last_step(model, x)
    dh = np.zeros_like(cache.h[1:])
    out = study.readout.backward(model.readout, h, study.loss_of(y, target)[1])
    dh[-1] = out.h[0]
    (mistake,) = (m for m in known_mistakes(explicit.lstm) if m.name == "output-gate path dropped")
    for n in range(3):
        params = study.map_leaves(lambda array, n=n: array[n], model.cell)
        alone = lstm.forward(params, x[:, n])
        wanted = mistake.apply(params, alone, dh[:, n])
        for ours, theirs in zip(got, wanted, strict=True):
            assert np.allclose(ours[n], theirs, rtol=0, atol=1e-12)
    right = study.gradient(model, batch, None).cell
    assert not np.allclose(right.W_hh, got.W_hh, rtol=0, atol=1e-6)
    last, same = (study.gradient(model, batch, 1, unheard=gates).cell for gates in ("", "ifgo"))
    assert all(np.array_equal(*pair) for pair in zip(last, same, strict=True))


def test_each_network_is_clipped_by_its_own_norm():
    model, batch = networks("adding", "LSTM 1")
    gradients = study.gradient(model, batch, None)
    norms = [
        study.training.global_norm(study.map_leaves(lambda g, n=n: g[n], gradients))
        for n in range(3)
    ]
    threshold = float(np.median(norms))
    got = study.clip_each(gradients, threshold)
    for n in range(3):
        alone, _ = clip_by_global_norm(study.map_leaves(lambda g, n=n: g[n], gradients), threshold)
        ours = study.map_leaves(lambda g, n=n: g[n], got)
        for (_, a), (_, b) in zip(study.leaves(ours), study.leaves(alone), strict=True):
            assert np.allclose(a, b, rtol=1e-5, atol=0)


# Runs


def test_a_network_learns_in_a_grid_as_it_does_alone():
    setting = Setting("adding", 10, "LSTM 1", 1)
    together, alone = study.run(setting, (3, 8), 20), study.run(setting, (8,), 20)
    assert np.allclose(together.score[1], alone.score[0], rtol=1e-4)
    assert together.score[0] != together.score[1]


def test_a_run_stops_when_all_have_passed_and_goes_on_if_it_is_told_to():
    setting = Setting("latching", 3, "LSTM 1", None)
    assert study.run(setting, range(2), 300).learnt.max() < 300
    assert (study.run(setting, range(2), 300, stop=False).learnt > 0).all()


def test_the_criterion_is_an_error_for_numbers_and_an_accuracy_for_classes():
    adding, order = TASKS["adding"](10), TASKS["order"](10)
    assert study.passes(adding, np.array([0.029, 0.031])).tolist() == [True, False]
    assert study.passes(order, np.array([0.951, 0.949])).tolist() == [True, False]


def test_a_score_is_the_squared_error_or_the_share_of_right_classes():
    for name, cell in (("adding", "RNN"), ("order", "LSTM 0")):
        model, (x, target) = networks(name, cell)
        got = study.score_of(model, (x, target))
        y = study.last_step(model, x)[3]
        for n in range(3):
            if name == "adding":
                want = np.mean((y[0, n, :, 0] - target[0, n, :, 0]) ** 2)
            else:
                want = np.mean(
                    [
                        a == b
                        for a, b in zip(y[0, n].argmax(-1), target[0, n].argmax(-1), strict=True)
                    ]
                )
            assert abs(got[n] - want) < 1e-6


@pytest.mark.parametrize("cell", ["RNN", "LSTM 3"])
def test_what_arrives_is_the_norm_of_the_derivative_by_an_earlier_state(cell):
    """Witness: a network alone, one entry of one state moved at a time by the complex step."""
    model, (x, target) = networks("adding", cell, seeds=(0, 1), length=6)
    model = study.map_leaves(lambda array: array.astype(float), model)
    arrives, forget = study.measure(model, (x, target))
    n, batch = 1, x.shape[2]
    module, _ = study.CELLS[cell]
    params = study.map_leaves(lambda array: array[n], model)
    cache = module.forward(params.cell, x[:, n])

    def loss(first, **state):
        end = module.forward(params.cell, x[first:, n], **state) if first < 6 else None
        h = end.h[-1] if end else final_h(state)
        error = h @ params.readout.W_hy.T + params.readout.b_y - target[0, n]
        return (error**2).sum() / (2 * batch)

    def final_h(state):
        return state["h_0"] if module is rnn else cache.o[-1] * np.tanh(state["c_0"])

    sizes = []
    for lag in range(6):
        first = 6 - lag
        state = {"h_0": cache.h[first].astype(complex)}
        if module is lstm:
            state["c_0"] = cache.c[first].astype(complex)
        moved = state["h_0" if module is rnn else "c_0"]
        gradient = np.empty(moved.shape)
        for index in np.ndindex(moved.shape):
            moved[index] += 1e-30j
            if module is lstm and first < 6:  # h_t hangs on c_t
                state["h_0"] = cache.o[first - 1] * np.tanh(moved)
            gradient[index] = np.imag(loss(first, **state)) / 1e-30
            moved[index] -= 1e-30j
        sizes.append(np.linalg.norm(gradient, axis=-1).mean())
    assert np.allclose(arrives[:, n], np.array(sizes) / sizes[0], rtol=1e-10)
    assert forget is None if module is rnn else np.isclose(forget[n], cache.f.mean())


# The stored result


def test_wilsons_interval_is_where_the_deviation_is_two_standard_errors():
    for k, n in ((0, 20), (3, 3), (7, 20), (20, 20)):
        for end in study.wilson(k, n):
            assert abs((k / n - end) ** 2 - 1.959964**2 * end * (1 - end) / n) < 1e-12
    assert np.allclose(study.wilson(3, 3), (0.4385, 1), atol=1e-4)


def test_the_stored_result_is_that_of_the_plan_and_of_nothing_else():
    planned = {(part, *setting): n for part, setting, n, _ in study.plan()}
    found = {}
    for row in study.rows():
        setting = Setting(**{key: row[key] for key in Setting._fields if key in row})
        found[row["part"], *setting] = row["n"]
        assert 0 <= row["k"] <= row["n"]
        assert row["n"] > 20 or row["updates"] == sorted(row["updates"])
        assert row["n"] > 20 or len(row["updates"]) == row["k"]
    assert found == planned and len(study.rows()) == len(planned)


AGAIN = (
    ("adding", "LSTM 1", 1),
    ("adding", "LSTM 1", None),
    ("letter, first", "RNN", None),
    ("letter, first", "LSTM 3", 0),
)


@pytest.mark.parametrize("name, cell, window", AGAIN)
def test_a_row_of_the_stored_result_comes_out_again(name, cell, window):
    """Another processor rounds otherwise, so a check may be passed one earlier or later."""
    (row,) = study.rows("atlas", task=name, length=10, cell=cell, window=window)
    again = study.outcome("atlas", Setting(name, 10, cell, window), row["n"], None)
    assert abs(again["k"] - row["k"]) <= 1
    assert np.abs(np.subtract(again["score"], row["score"])).max() < 0.03
    assert abs(np.median(again["updates"] or [0]) - np.median(row["updates"] or [0])) <= 100


@pytest.mark.parametrize("length, updates, risen", [(10, 300, 4), (30, 100, 0)])
def test_training_opens_the_gates_where_the_way_is_short_and_not_where_it_is_long(
    length, updates, risen
):
    setting = Setting("letter, first", length, "LSTM 0", None)
    again = study.opened(setting, 4, updates)
    (row,) = study.rows("gates", length=length)
    assert again["risen"] == risen and row["risen"] == row["n"] * risen / 4
    assert np.abs(np.subtract(again["fresh forget"], row["fresh forget"])).max() < 0.03


def count(task, window, length=30, **more):
    """How many LSTMs with a forget bias of 1 have learnt it."""
    found = study.rows(task=task, length=length, cell="LSTM 1", window=window)
    usual = Setting._field_defaults
    (row,) = [
        r
        for r in found
        if r["part"] != "arrival"
        and all(r.get(key, usual[key]) == more.get(key, usual[key]) for key in usual)
    ]
    return row


def test_chapter_2_prints_what_is_stored():
    (chapter,) = (Path(__file__).parents[1] / "chapters").glob("02*.ipynb")
    text = "".join("".join(c["source"]) for c in json.loads(chapter.read_text("utf-8"))["cells"])
    text = text.split("## Did a gradient travel?")[1].split("\n## ")[0]
    names = ["adding", "order, anywhere", "letter, anywhere"]
    names += ["adding, early", "order", "letter, early"]
    table = [[count(name, window)["k"] for window in study.WINDOWS] for name in names]
    printed = re.findall(r"^\| (?:sum|order|letter) \|[^|]+\| (.+) \|$", text, re.M)
    assert [[int(n) for n in row.split(" | ")] for row in printed] == table
    quoted = [
        count("letter, 30% anywhere", 1),
        count("letter, 10% anywhere", 1),
        count("adding", 1, frozen="f"),
        count("adding", 1, frozen="igo"),
    ]
    said = text.split("Three remarks")[1]
    assert re.findall(r"\d+ of \d+", said) == [f"{row['k']} of {row['n']}" for row in quoted]
    asked = "adding, first third"
    whole, cut = (count("adding, late", window, asked=asked) for window in (None, 1))
    assert (cut["k"], cut["asked k"], whole["asked k"]) == (20, 2, 0)
    assert f"{study.wilson(0, 20)[1]:.2f} {study.wilson(20, 20)[0]:.2f}" == "0.16 0.84"


# Reading a text


@pytest.mark.parametrize("name, rate", [("RNN", 0.01), ("LSTM", 0.02)])
def test_a_stored_error_of_reading_comes_out_again(name, rate):
    """The first seed, to the first of the two numbers of updates."""
    (stored,) = (r for r in reading.rows() if (r["cell"], r["rate"]) == (name, rate))
    (again,) = reading.errors(name, rate, 1, reading.UPDATES[:1])
    assert abs(again - stored["400"][0]) < 0.03


def test_every_cell_read_at_every_rate_and_its_best_is_not_the_last_that_was_tried():
    found = [(r["cell"], r["rate"]) for r in reading.rows()]
    assert found == [(cell, rate) for cell in reading.CELLS for rate in reading.RATES]
    for cell in reading.CELLS:
        for updates in reading.UPDATES:
            rate, errors = reading.best(cell, updates)
            assert rate not in (reading.RATES[0], reading.RATES[-1])
            assert len(errors) == len(reading.SEEDS)
