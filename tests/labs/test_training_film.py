"""What the training film says and shows in every state, and the trainings that are stored."""

import numpy as np
import pytest
from lab_claims import NUMBER, PERCENT, READOUT, claims, made, near, number, parse

from bptt_core import jacobians, lstm, rnn
from bptt_core._containers import map_leaves
from bptt_core.labs import film as shown
from bptt_core.studies import film as study
from bptt_core.studies import first_letter, long_gradient
from bptt_core.studies.lag_tasks import TASKS

REACHES = 0.93  # the modulus of an eigenvalue that reaches the unit circle
READS = (
    r"(?:After (?P<update>\d+) updates|Before training) the loss is (?P<loss>[\d.]+), and "
    rf"(?P<right>{PERCENT}) of fresh rows are answered right\. The outermost eigenvalue has "
    rf"modulus (?P<modulus>[\d.]+)\. The gradient 29 steps back is (?P<arrives>{NUMBER}) times "
    r"that of the last step\. Mean (?P<factor>slope of tanh|forget gate): (?P<mean>[\d.]+)\."
)


def case_of(settings):
    return shown.NETWORKS[settings["network"]], settings["clip"], settings["window"]


def frame_of(settings):
    """What is stored of a state, {name: value}."""
    frame = study.FRAMES.index(settings["update"])
    return {name: values[frame] for name, values in study.stored()[case_of(settings)].items()}


def films(states):
    """{(cell, clip, window): its states, in the order of the updates}."""
    found = {}
    for state in sorted(states, key=lambda state: state.settings["update"]):
        found.setdefault(case_of(state.settings), []).append(state)
    return found


def loss_of(state):
    """Over that of a guess, as it is drawn."""
    return state.drawn["loss-now"][1][0]


def reach_of(state):
    """The modulus of the outermost eigenvalue, as it is drawn."""
    x, y = state.drawn["eigenvalues"]
    return np.nanmax(np.hypot(x, y))


# Title, question and reading


@claims("training_film", "An LSTM's loss stands still until an eigenvalue reaches the unit circle")
def the_loss_waits_for_an_eigenvalue(states):
    fallen = waits = 0
    for (cell, *_), film in films(states).items():
        reach = np.maximum.accumulate([reach_of(state) for state in film])
        for state, far in zip(film, reach, strict=True):
            if cell != "RNN" and far < REACHES:
                assert 0.97 < loss_of(state) < 1.05, state.settings
                waits += 1
            fallen += cell != "RNN" and loss_of(state) < 0.9
    assert fallen > 50 and waits > 200


@claims(
    "training_film",
    "Of 300 LSTMs, 100 with each bias, the loss of 186 falls by a tenth: by then an eigenvalue has "
    "reached 0.93 in all of them, and none does in the others.",
)
def so_it_is_in_300_lstms(_):
    for bias, fallen in ((0, 0), (1, 86), (3, 100)):
        found = study.stored_crowd()[f"LSTM {bias}"]
        fell = found["fell"] >= 0
        assert len(fell) == 100 and fell.sum() == fallen
        assert ((found["reach"] >= REACHES) == fell).all()
    assert study.FALLEN == pytest.approx(0.9 * np.log(4))


@claims(
    "training_film",
    "One network of each kind is shown, one that can be watched: the RNN of seed 54, the LSTMs of "
    "seed 35.",
)
def one_network_of_each_kind(_):
    """Of the seeds, one whose loss falls after it has lain flat."""
    assert set(study.SEEDS.items()) == {("RNN", 54), *((f"LSTM {b}", 35) for b in (0, 1, 3))}
    for cell in ("RNN", "LSTM 1"):
        assert study.stored_crowd()[cell]["fell"][study.SEEDS[cell]] > 150


@claims(
    "training_film",
    "After 180 updates the loss is still that of a guess. Has training changed nothing?",
)
def as_it_opens(_):
    opened, fresh = (frame_of(made("training_film").settings | at) for at in ({}, {"update": 60}))
    assert made("training_film").settings["update"] == 180
    assert abs(opened["loss"] - np.log(4)) < 0.02
    moduli = [np.hypot(*np.array(frame["eigenvalues"])[:, 0]) for frame in (opened, fresh)]
    assert moduli[0] - moduli[1] > 0.05 and opened["arrives"][-1] - fresh["arrives"][-1] > 0.7


@claims(
    "training_film",
    "Play trains the network.",
    "The lower half of the plane mirrors the upper.",
)
def play_trains_and_half_of_the_plane_is_shown(states):
    """All eigenvalues of a real matrix: those on the axis once, the others twice."""
    assert '"play":3' in made("training_film").html
    assert list(made("training_film").grid)[3] == "update"
    for state in states:
        x, y = (part[np.isfinite(part)] for part in state.drawn["eigenvalues"])
        units = 16 if state.settings["network"] == "rnn" else 32
        assert (y >= 0).all() and (y == 0).sum() + 2 * (y > 0).sum() == pytest.approx(units, abs=1)
        assert (np.abs(x) < shown.REACH).all() and (y < shown.REACH).all()


def moved(params, cell, x, start, unit):
    """The last h if a state before the rows `x` is moved by a complex step in one unit."""
    states = [np.array(state, complex) for state in start]
    states[-1][:, unit] += 1e-30j
    if cell is lstm:  # its output gate is held, and what is seen of the cell moves
        states[0] = start[0] * np.tanh(states[1]) / np.tanh(start[1])
    for x_t in x:
        after = cell.step(params, x_t, *states)
        states = after if isinstance(after, tuple) else (after,)
    return states[0]


@claims(
    "training_film",
    "The gradient is always the whole one, whatever the network learns from.",
)
def the_gradient_is_the_whole_one(_):
    """By a complex step, after some updates that look back one step."""
    for name, cell in (("RNN", rnn), ("LSTM 1", lstm)):
        model, batch = trained(name, 1, 20)
        alone = map_leaves(lambda array: array[0].astype(float), model)
        x, target = batch[0][:, 0, :40].astype(float), batch[1][0, 0, :40]
        cache = cell.forward(alone.cell, x)
        sizes = []
        for t in (1, study.LENGTH):
            start = [cache.h[t]] if cell is rnn else [cache.h[t], cache.c[t]]
            found = []
            for unit in range(16):
                h = moved(alone.cell, cell, x[t:], start, unit)
                y = h @ alone.readout.W_hy.T + alone.readout.b_y
                loss = np.log(np.exp(y).sum(-1)) - (y * target).sum(-1)
                found.append(loss.imag / 1e-30)
            sizes.append(np.linalg.norm(found, axis=0).mean())
        part = batch[0][:, :, :40], batch[1][:, :, :40]
        measured = study.look(model, part)["arrives"][-1]
        assert measured == pytest.approx(np.log10(sizes[0] / sizes[1]), abs=0.006), name


def trained(name, window, updates):
    """(the network of a film after some updates, its fresh rows)."""
    setting = long_gradient.Setting("letter, first", study.LENGTH, name, window)
    film = long_gradient.training_of(setting, [study.SEEDS[name]], updates)
    *_, (_, model) = film
    return model, long_gradient.fresh_batch(
        TASKS["letter, first"](study.LENGTH), [study.SEEDS[name]]
    )


@claims(
    "training_film",
    "The mean step is the Jacobian of one step, averaged over steps and rows: of (h, c) in an "
    "LSTM; in the RNN it is W_hh, each row times the mean slope of its unit.",
)
def the_mean_step_is_what_it_says(_):
    for name, cell, size in (("RNN", rnn, 16), ("LSTM 1", lstm, 32)):
        model, batch = trained(name, 1, 2)
        alone, cache = study.alone_on(model, batch, 0)
        total = np.zeros((size, size))
        for t in range(study.LENGTH):
            for n in range(study.ROWS):
                state = (cache.h[t, n : n + 1],)
                if cell is lstm:
                    state += (cache.c[t, n : n + 1],)
                one = cell.forward(alone.cell, cache.x[t : t + 1, n : n + 1], *state)
                total += jacobians.step_jacobians(alone.cell, one)[0, 0]
        mean = total / study.LENGTH / study.ROWS
        frame = study.look(model, batch)
        largest = np.sort(np.abs(np.linalg.eigvals(mean)))[-1]
        assert np.hypot(*frame["eigenvalues"]).max() == pytest.approx(largest, abs=0.001)
        factors = cache.f if cell is lstm else 1 - cache.h[1:] ** 2
        assert frame["mean"] == pytest.approx(factors.mean(), abs=0.001)
        assert (factors > 0.7).mean() == pytest.approx(sum(frame["factors"][7:]), abs=0.002)
        if cell is rnn:
            assert np.allclose(mean, factors.mean((0, 1))[:, None] * alone.cell.W_hh, atol=1e-12)


@claims("training_film", READOUT)
def the_readout_says_what_is_stored(states):
    for state in states:
        said, frame = parse(READS, state.sentence), frame_of(state.settings)
        assert float(said["update"] or 0) == state.settings["update"]
        assert said["loss"] == f"{frame['loss']:.2f}"
        assert number(said["right"]) == pytest.approx(100 * frame["right"], abs=0.5)
        assert said["modulus"] == f"{reach_of(state):.2f}"
        assert near(said["arrives"], 10 ** frame["arrives"][-1])
        rnn_shown = state.settings["network"] == "rnn"
        assert said["factor"] == ("slope of tanh" if rnn_shown else "forget gate")
        assert said["mean"] == f"{frame['mean']:.2f}"


def test_the_pictures_show_what_is_stored_in_every_state():
    for settings in made("training_film").settings_grid():
        if settings["update"] % 80:
            continue
        state, frame = made("training_film").at(**settings), frame_of(settings)
        drawn = state.drawn
        at = list(drawn["loss"][0]).index(settings["update"])
        assert drawn["loss-now"][0] == drawn["modulus-now"][0] == settings["update"]
        assert drawn["loss-now"][1] == drawn["loss"][1][at] == frame["loss"] / np.log(4)
        far = np.array(frame["eigenvalues"])[:, np.hypot(*frame["eigenvalues"]).argmax()]
        assert np.allclose(np.ravel(drawn["outermost"]), far)
        assert drawn["modulus-now"][1] == drawn["modulus"][1][at] == np.hypot(*far)
        assert np.allclose(np.log10(drawn["gradient"][1]), frame["arrives"])
        x, y = drawn["factors"]
        bars = [y[(x < middle)[:20].sum()] for middle in np.arange(0.05, 1, 0.1)]
        assert bars == frame["factors"] and abs(sum(bars) - 1) < 0.01
        rnn_shown = settings["network"] == "rnn"
        assert state.shades["factors"] == (-1 if rnn_shown else 1)
        assert state.texts["factors.title"].startswith("Slopes" if rnn_shown else "Forget gates")


def test_no_curve_leaves_its_axes_in_any_state():
    for held in study.stored().values():
        assert -8 < np.min(held["arrives"]) and np.max(held["arrives"]) < 4
        assert np.max(held["loss"]) < shown.REACH * np.log(4)


# The stored trainings


@pytest.mark.parametrize("case", [("RNN", "clipped", "30"), ("LSTM 3", "free", "10")])
def test_a_stored_training_comes_out_again(case):
    """Another processor rounds otherwise, and training enlarges what rounding leaves."""
    again, held = study.outcome(*case, frames=[0, 20]), study.stored()[case]
    assert np.abs(np.subtract(again["arrives"], held["arrives"][:2])).max() < 0.05
    assert np.abs(np.subtract(again["loss"], held["loss"][:2])).max() < 0.01
    assert np.abs(np.subtract(again["factors"], held["factors"][:2])).max() < 0.01
    for ours, theirs in zip(again["eigenvalues"], held["eigenvalues"], strict=False):
        assert np.hypot(*ours)[:3] == pytest.approx(np.hypot(*theirs)[:3], abs=0.01)


def test_a_stored_crowd_comes_out_again():
    """Three LSTMs that begin at the unit circle, as far as the frames of the test go."""
    again = study.crowd("LSTM 3", [0, 1, 2], frames=[0, 20, 40])
    held = {name: values[:3] for name, values in study.stored_crowd()["LSTM 3"].items()}
    soon = held["fell"] <= 40
    assert soon.any()
    assert again["fell"] == np.where(soon, held["fell"], -1).tolist()
    assert np.abs(again["reach"] - held["reach"])[soon].max() < 0.01


def test_the_film_is_that_of_a_network_of_the_two_lanes():
    """The same seed and the same training: the same rows right at the moments that both have."""
    for cell, seed in study.SEEDS.items():
        lanes = first_letter.stored()[cell]["right"][seed] / first_letter.FRESH
        film = study.stored()[cell, "clipped", "30"]["right"]
        for moment, right in zip(first_letter.MOMENTS, lanes, strict=True):
            if moment in study.FRAMES:
                assert film[study.FRAMES.index(moment)] == pytest.approx(right, abs=0.01)


# What the questions of chapter 5 say about the film


def frames_of(clip, window, *updates):
    """What is stored of the LSTM with bias 1 after some updates."""
    held = study.stored()["LSTM 1", clip, window]
    at = [study.FRAMES.index(update) for update in updates]
    return [{name: values[k] for name, values in held.items()} for k in at]


def test_what_the_wrong_picks_are_told_is_so():
    fresh, now, after = frames_of("clipped", "30", 0, 180, 400)
    assert 1 / 45 < 10 ** now["arrives"][-1] < 1 / 35
    assert f"{fresh['mean']:.2f}" == f"{now['mean']:.2f}" == "0.73"
    assert after["mean"] > now["mean"] + 0.09
    until = study.FRAMES[: study.FRAMES.index(180) + 1]
    assert frames_of("clipped", "30", *until) == frames_of("free", "30", *until)
    assert frames_of("clipped", "30", 220) != frames_of("free", "30", 220)


def test_a_short_window_and_nothing_else_keeps_the_lstm_from_learning():
    ends = {"1": "0.79", "10": "0.78"}
    for clip in study.CLIPS:
        for window in study.WINDOWS:
            (last,) = frames_of(clip, window, 400)
            assert (last["loss"] < study.FALLEN) == (window == "30")
            assert abs(last["loss"] - np.log(4)) < 0.01 or window == "30"
            reach = np.hypot(*last["eigenvalues"]).max()
            assert f"{reach:.2f}" == ends.get(window, f"{reach:.2f}")
