"""Does a network need the long gradient to learn a long lag?

Each network is trained with a gradient that looks back a fixed number of steps, its window:

    0      the recurrent weights stay as they were drawn, only the readout learns
    1      immediate derivatives ∂⁺, as if the state were detached at every step
    10     ten steps                 None  the whole sequence

The loss is at the last step alone. A network *has learnt* a task if it passes at one of the checks,
every 100 updates, on 500 fresh sequences: a mean squared error below 0.03, or more than 95% of the
classes right. That and the recipe (16 units, Adam 0.005, gradient clipped at 1, batches of 32, at
most 2000 updates, float32) were settled before the runs.

run          train networks side by side, one a seed; `training_of`, update by update
measure      what of the gradient arrives at earlier steps, and the forget gate
plan         what was run; `rows` reads it from the stored result
wilson       the 95% interval of a share

    python -m bptt_core.studies.long_gradient

computes the rows that the stored result lacks; all of them took 50 minutes of one processor.
"""

import json
import platform
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptt_core import lstm, readout, rnn, training
from bptt_core._containers import leaves, map_leaves
from bptt_core.cells import cell_of
from bptt_core.studies.lag_tasks import SHARES, TASKS

UNITS, BATCH, RATE, CLIP, UPDATES, EVERY, FRESH = 16, 32, 0.005, 1.0, 2000, 100, 500
LARGEST_ERROR, LEAST_ACCURACY = 0.03, 0.95
STORED = Path(__file__).with_suffix(".json")
CELLS = {
    "RNN": (rnn, {}),
    "orthogonal RNN": (rnn, {"orthogonal": True}),
    **{f"LSTM {bias}": (lstm, {"forget_bias": float(bias)}) for bias in range(6)},
}


class Setting(NamedTuple):
    """What the networks of one row have in common."""

    task: str
    length: int
    cell: str
    window: int | None
    frozen: str = ""  # gates of an LSTM whose weights stay as they were drawn
    asked: str | None = None  # a task of which nothing was trained, put to the trained networks
    units: int = UNITS
    optimiser: str = "adam"  # or "sgd" and its learning rate, with momentum 0.9
    unheard: str = ""  # gates of an LSTM that send no gradient back to h


class Runs(NamedTuple):
    """The networks of one setting, as a grid (G,)."""

    start: training.Model
    model: training.Model
    learnt: np.ndarray  # the update of the first check that was passed, 0 if none was
    score: np.ndarray  # mean squared error or accuracy at the last check


def run(setting, seeds, updates=UPDATES, *, stop=True):
    """Train one network a seed, each on data of its own; `stop` as soon as every one has passed."""
    task = TASKS[setting.task](setting.length)
    fresh = fresh_batch(task, seeds)
    learnt = np.zeros(len(seeds), int)
    for update, model in training_of(setting, seeds, updates):
        if update == 0:
            start = model
        elif update % EVERY == 0 or update == updates:
            score = score_of(model, fresh)
            learnt[(learnt == 0) & passes(task, score)] = update
            if stop and learnt.all():
                break
    return Runs(start, model, learnt, score)


def training_of(setting, seeds, updates, *, clip=CLIP):
    """(update, model) of networks that train side by side, one a seed; at update 0 as drawn."""
    cell, settings = CELLS[setting.cell]
    task = TASKS[setting.task](setting.length)
    sizes = task.inputs, setting.units, task.outputs
    rngs = [np.random.default_rng(seed) for seed in seeds]
    drawn = [training.init_model(cell, *sizes, r, dtype=np.float32, **settings) for r in rngs]
    model = map_leaves(lambda *arrays: np.stack(arrays), *drawn)
    name, _, rate = setting.optimiser.partition(" ")
    optimiser = training.adam(RATE) if name == "adam" else training.sgd(float(rate), momentum=0.9)
    yield 0, model
    for update in range(1, updates + 1):
        batch = grid_batch(task, BATCH, rngs)
        gradients = gradient(model, batch, setting.window, setting.frozen, setting.unheard)
        model = optimiser(model, gradients if clip is None else clip_each(gradients, clip))
        yield update, model


def grid_batch(task, batch, rngs):
    """A batch for each network: inputs (T, G, B, D), and the last step's targets (1, G, B, K)."""
    each = [task.draw(batch=batch, rng=rng) for rng in rngs]
    target = np.stack([one.target[-1] for one in each])[None]
    if task.outputs > 1:
        target = np.eye(task.outputs)[target]
    return np.stack([one.x for one in each], axis=1).astype(np.float32), target


def fresh_batch(task, seeds):
    """Sequences on which nothing was trained, the same at every check."""
    return grid_batch(task, FRESH, [np.random.default_rng([seed, 1]) for seed in seeds])


def last_step(model, x):
    """(cell, cache, h_T, y_T), the last two as one step (1, G, B, ·): nothing else is read out."""
    cell = cell_of(model.cell)
    cache = cell.forward(model.cell, x)
    h = cache.h[-1:]
    return cell, cache, h, readout.forward(model.readout, h)


def loss_of(y, target):
    """The mean loss of each network, and ∂L/∂y."""
    loss = readout.squared_error if target.shape[-1] == 1 else readout.softmax_cross_entropy
    return loss(y, target, reduction="mean")


def gradient(model, batch, window, frozen="", unheard=""):
    """The gradient of each network; the recurrent weights see the last `window` steps."""
    x, target = batch
    cell, whole, h, y = last_step(model, x)
    out = readout.backward(model.readout, h, loss_of(y, target)[1])
    if window == 0:
        return training.Model(map_leaves(np.zeros_like, model.cell), out.params)
    seen = len(x) if window is None else min(window, len(x))
    back = without(model.cell, unheard) if unheard else model.cell
    of_cell = cell.backward(back, last_steps(whole, seen), {seen: out.h[0]}).params
    for gate in frozen:
        for field in (f"W_x{gate}", f"W_h{gate}", f"b_{gate}"):
            getattr(of_cell, field)[:] = 0  # views of the stacked gradients
    return training.Model(of_cell, out.params)


def without(params, gates):
    """An LSTM's parameters with W_h of these gates at zero: no way leads back through them."""
    silent = params._replace(W_hh=params.W_hh.copy())
    for gate in gates:
        getattr(silent, f"W_h{gate}")[:] = 0  # a view
    return silent


def last_steps(whole, window):
    """The last steps of a cache: for a loss at the end, all that `truncated_backward` looks at."""
    shorter = {}
    for name, value in whole._asdict().items():
        if name in ("x", "gates", "s"):
            shorter[name] = value[-window:]
        elif name in ("h", "c", "joint"):
            shorter[name] = value[-window - 1 :]
    return whole._replace(**shorter)


def clip_each(gradients, threshold):
    """`clip_by_global_norm` for each network of a grid (G,)."""
    squares = [np.square(g).sum(axis=tuple(range(1, g.ndim))) for _, g in leaves(gradients)]
    factor = np.minimum(1, threshold / np.maximum(np.sqrt(sum(squares)), 1e-30))
    return map_leaves(lambda g: g * factor.reshape(-1, *[1] * (g.ndim - 1)), gradients)


def score_of(model, batch):
    """Mean squared error or accuracy of each network."""
    x, target = batch
    y = last_step(model, x)[3]
    if target.shape[-1] == 1:
        return np.square(y - target).mean(axis=(0, 2, 3))
    return (y.argmax(-1) == target.argmax(-1)).mean(axis=(0, 2))


def passes(task, score):
    """The criterion, for a score or an array of them."""
    return score < LARGEST_ERROR if task.outputs == 1 else score > LEAST_ACCURACY


def measure(model, batch):
    """‖dL/ds_{T−k}‖ over its value at lag 0, (T, G), and the mean forget gate (G,), None in an RNN.

    s is h in an RNN and c in an LSTM, the norm a mean over the batch, the gradient the full one."""
    x, target = batch
    cell, cache, h, y = last_step(model, x)
    out = readout.backward(model.readout, h, loss_of(y, target)[1])
    grads = cell.backward(model.cell, cache, {len(x): out.h[0]})
    states = grads.h if cell is rnn else grads.c
    size = np.linalg.norm(states[1:].astype(float), axis=-1).mean(-1)[::-1]
    return size / size[0], None if cell is rnn else cache.f.mean(axis=(0, 2, 3))


def wilson(k, n, z=1.959964):
    """Wilson's 95% interval of a share of which k of n were seen."""
    middle = k / n + z * z / (2 * n)
    width = z * np.sqrt(k * (n - k) / n**3 + z * z / (4 * n * n))
    return (middle - width) / (1 + z * z / n), (middle + width) / (1 + z * z / n)


# What was run, and where it is kept

ATLAS = {
    "latching": (20, 50),
    "adding": (10, 30, 50, 100),
    "order": (20, 60),
    "letter, first": (10, 20, 30, 50),
}
NEAR = {
    "adding": ("adding, early", "adding, fixed"),
    "order": ("order", "order, anywhere"),
    "letter": ("letter, early", "letter, anywhere"),
}
WINDOWS = (0, 1, 10, None)
ROADS = (  # tasks that the whole gradient teaches all or nearly all
    ("letter, first", 20, "LSTM 1"),
    ("letter, first", 30, "LSTM 3"),
    ("order", 30, "LSTM 1"),
    ("adding, early", 30, "LSTM 1"),
)
LAGS = (10, 20, 29)  # of which `measure` is kept
TOGETHER = 20  # LSTMs that train side by side where there are many


def plan():
    """(part, setting, n, updates) of each row: n networks, stopped by `run` if updates is None."""
    for name, lengths in ATLAS.items():
        for length in lengths:
            n = 20 if length <= 30 else 10
            for cell in ("RNN", "LSTM 0", "LSTM 1", "LSTM 3"):
                for window in WINDOWS:
                    yield "atlas", Setting(name, length, cell, window), n, None
            if name == "letter, first":
                yield "atlas", Setting(name, length, "orthogonal RNN", None), n, None
    for name in (name for names in NEAR.values() for name in names):
        for cell in ("RNN", "LSTM 1", "LSTM 3"):
            for window in WINDOWS:
                yield "near", Setting(name, 30, cell, window), 20, None
    for share in SHARES:
        yield "share", Setting(f"letter, {share:.0%} anywhere", 30, "LSTM 1", 1), 20, None
    for name in ("adding", "order", "letter"):
        late, early = f"{name}, late", f"{name}, first third"
        for cell in ("RNN", "LSTM 1"):
            for window in (1, 10, None):
                yield "unseen", Setting(late, 30, cell, window, asked=early), 20, UPDATES
        yield "unseen", Setting(early, 30, "LSTM 1", None, asked=late), 20, UPDATES
    for window in (1, 10, None):
        ends, middle = "letter, both ends", "letter, middle third"
        yield "unseen", Setting(ends, 30, "LSTM 1", window, asked=middle), 20, UPDATES
    for name in ("adding", "letter, anywhere"):
        for cell in ("LSTM 0", "LSTM 1", "LSTM 3"):
            for frozen in ("f", "igo"):
                yield "frozen", Setting(name, 30, cell, 1, frozen), 20, None
        for rate in (0.03, 0.1, 0.3, 1.0):
            yield "sgd", Setting(name, 10, "LSTM 1", 1, optimiser=f"sgd {rate}"), 20, None
    for name in ("adding", "order, anywhere", "order"):
        yield "units", Setting(name, 30, "LSTM 1", 1, units=32), 20, None
    for name, length, cell in ROADS:
        for unheard in ("o", "ifgo"):
            setting = Setting(name, length, cell, None, unheard=unheard)
            yield "roads", setting, 20, None
    for cell in ("RNN", "orthogonal RNN"):
        yield "arrival", Setting("letter, first", 30, cell, None), 200, 400
    for length in (10, 30):
        yield "gates", Setting("letter, first", length, "LSTM 0", None), 200, 400


def outcome(part, setting, n, updates):
    """One row of the result: k of n networks have learnt the task, after how many updates."""
    if part == "gates":
        return {"part": part, **settled(setting), "n": n, **opened(setting, n, updates)}
    seeds = range(n)
    runs = run(setting, seeds, updates or UPDATES, stop=updates is None)
    row = {"part": part, **settled(setting), "n": n, "k": int((runs.learnt > 0).sum())}
    row["updates"] = np.sort(runs.learnt[runs.learnt > 0]).tolist() if n <= 20 else []
    row["score"] = quartiles(runs.score)
    if setting.asked is not None:
        task = TASKS[setting.asked](setting.length)
        score = score_of(runs.model, fresh_batch(task, seeds))
        row |= {"asked k": int(passes(task, score).sum()), "asked score": quartiles(score)}
    if part == "arrival":
        row |= before_and_after(runs, TASKS[setting.asked or setting.task](setting.length), seeds)
    return row


def before_and_after(runs, task, seeds):
    """`measure` at `LAGS`, in the fresh and in the trained networks."""
    found = {}
    batch = fresh_batch(task, seeds)
    measured = [measure(model, batch) for model in (runs.start, runs.model)]
    for name, (arrives, forget) in zip(("fresh", "trained"), measured, strict=True):
        found[name] = [quartiles(arrives[lag]) for lag in LAGS]
        if forget is not None:
            found[f"{name} forget"] = quartiles(forget)
    less = measured[1][0][LAGS[-1]] < measured[0][0][LAGS[-1]]
    found["less arrives"] = int(less.sum())
    found["less arrives, not learnt"] = int((less & (runs.learnt == 0)).sum())
    return found


def opened(setting, n, updates):
    """How many of n networks have learnt the task, and in how many the mean forget gate of fresh
    sequences has risen; its quartiles before and after."""
    found = []
    for first in range(0, n, TOGETHER):
        seeds = range(first, min(first + TOGETHER, n))
        runs = run(setting, seeds, updates, stop=False)
        batch = fresh_batch(TASKS[setting.task](setting.length), seeds)
        (_, before), (_, after) = (measure(model, batch) for model in (runs.start, runs.model))
        found.append([runs.learnt > 0, before, after])
    learnt, before, after = np.concatenate(found, axis=1)
    row = {"k": int(learnt.sum()), "risen": int((after > before).sum())}
    return row | {"fresh forget": quartiles(before), "trained forget": quartiles(after)}


def quartiles(values):
    """Lower quartile, median and upper quartile, to three digits."""
    return [float(f"{q:.3g}") for q in np.quantile(values, (0.25, 0.5, 0.75))]


def settled(setting):
    """A setting as a dict, without the fields that most settings share."""
    pairs = setting._asdict().items()
    return {
        k: v
        for k, v in pairs
        if k not in Setting._field_defaults or v != Setting._field_defaults[k]
    }


@cache
def stored():
    """The stored result: `versions`, and `rows`."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def rows(part=None, **chosen):
    """The rows of a part or of all with these entries: `rows("atlas", task="order")`."""
    found = stored()["rows"] if part is None else [r for r in stored()["rows"] if r["part"] == part]
    return [row for row in found if all(row.get(key) == chosen[key] for key in chosen)]


def same(row, part, setting):
    """Whether a stored row is the one of this part and setting."""
    own = {key: value for key, value in row.items() if key in Setting._fields}
    return row["part"] == part and own == settled(setting)


def main():
    """Compute what the stored result lacks; it is written after every row."""
    done = stored()["rows"] if STORED.exists() else []
    versions = {"numpy": np.__version__, "python": platform.python_version()}
    for part, setting, n, updates in plan():
        if any(same(row, part, setting) for row in done):
            continue
        done.append(outcome(part, setting, n, updates))
        print(json.dumps(done[-1]), flush=True)
        lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in done)
        text = f'{{"versions": {json.dumps(versions)},\n "rows": [\n  {lines}\n]}}\n'
        STORED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
