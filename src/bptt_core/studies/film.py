"""One training as a film: one network of each kind, looked at while it learns the first letter.

The networks of `first_letter`, each with the seed of `SEEDS`, trained as there, and also without
clipping and with a gradient that looks back `WINDOWS` steps. At each of `FRAMES`, in updates, with
the whole gradient, whatever the network trains with:

loss, right   on fresh rows: the mean loss; the share answered right
arrives       the gradient by the state at `LAGS` over that at lag 0, as a decimal logarithm
eigenvalues   of the step Jacobian averaged over steps and `ROWS` rows, those with Im ≥ 0: real
              parts, then imaginary parts, from the outermost in. State h in an RNN, (h, c) in an
              LSTM
factors       of each step and unit, the slope 1 − h² in an RNN and the forget gate in an LSTM: the
              share of them in each tenth from 0 to 1; and `mean`

One film shows one network. `crowd` looks at `NETWORKS` of each kind, clipped and with the whole
gradient: when the loss falls, and how far out an eigenvalue has come by then.

    python -m bptt_core.studies.film

makes the stored result in about half an hour of one processor.
"""

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np

from bptt_core import jacobians, training
from bptt_core._containers import map_leaves
from bptt_core.studies import long_gradient as study
from bptt_core.studies.first_letter import LENGTH, LETTERS
from bptt_core.studies.lag_tasks import TASKS

SEEDS = {"RNN": 54, "LSTM 0": 35, "LSTM 1": 35, "LSTM 3": 35}
CLIPS = {"clipped": study.CLIP, "free": None}
WINDOWS = {"1": 1, "10": 10, "30": None}
FRAMES = list(range(0, 401, 20))
LAGS = [*range(0, 29, 2), 29]
ROWS, BINS = 20, 10
NETWORKS, TOGETHER = 100, 10
GUESS = np.log(len(LETTERS))  # the loss of a network that gives each letter the same chance
FALLEN = 0.9 * GUESS  # a loss below has fallen
STORED = Path(__file__).with_suffix(".json")


def outcome(cell, clip, window, frames=FRAMES):
    """What is kept of one training: {name: a list with one entry a frame}."""
    seeds = [SEEDS[cell]]
    fresh = _fresh(seeds)
    film = study.training_of(_setting(cell, window), seeds, frames[-1], clip=CLIPS[clip])
    seen = [look(model, fresh) for update, model in film if update in frames]
    return {name: [frame[name] for frame in seen] for name in seen[0]}


def look(model, batch):
    """One frame: what the only network of a grid does after so many updates."""
    alone, cache = alone_on(model, batch, 0)
    factors = cache.f if hasattr(cache, "f") else 1 - cache.h[1:] ** 2
    share, _ = np.histogram(factors, BINS, (0, 1))
    return {
        "loss": round(float(_losses(model, batch)[0]), 4),
        "right": float(study.score_of(model, batch)[0]),
        "arrives": np.log10(study.measure(model, batch)[0][LAGS, 0]).round(2).tolist(),
        "eigenvalues": outermost_first(mean_eigenvalues(alone, cache)),
        "factors": (share / factors.size).round(3).tolist(),
        "mean": round(float(factors.mean()), 3),
    }


def alone_on(model, batch, network):
    """(one network of a grid, its cache on the first `ROWS` rows)."""
    alone = map_leaves(lambda array: array[network].astype(float), model)
    return alone, training.answer(alone, batch[0][:, network, :ROWS])[0]


def mean_eigenvalues(model, cache):
    """The eigenvalues of the step Jacobian averaged over steps and rows."""
    return np.linalg.eigvals(jacobians.step_jacobians(model.cell, cache).mean(axis=(0, 1)))


def outermost_first(eigenvalues):
    """Those of the upper half of the plane: real parts, then imaginary parts."""
    upper = eigenvalues[eigenvalues.imag >= 0]
    upper = upper[np.argsort(-np.abs(upper), kind="stable")]
    return [upper.real.round(3).tolist(), upper.imag.round(3).tolist()]


def crowd(cell, seeds, frames=FRAMES):
    """What is kept of networks with these seeds, {name: a list with one entry a network}.

    fell   the first frame at which its loss has fallen, −1 if none
    reach  the largest modulus of an eigenvalue of the mean step at that frame or before, or at any
    right  the share of fresh rows that it answers right at the last frame"""
    fresh = _fresh(seeds)
    fell, reach = np.full(len(seeds), -1), np.zeros(len(seeds))
    for update, model in study.training_of(_setting(cell, "30"), seeds, frames[-1]):
        if update not in frames:
            continue
        for network in np.flatnonzero(fell < 0):
            modulus = np.abs(mean_eigenvalues(*alone_on(model, fresh, network))).max()
            reach[network] = max(reach[network], modulus)
        fell[(fell < 0) & (_losses(model, fresh) < FALLEN)] = update
    right = study.score_of(model, fresh)
    return {"fell": fell.tolist(), "reach": reach.round(3).tolist(), "right": right.tolist()}


def _setting(cell, window):
    return study.Setting("letter, first", LENGTH, cell, WINDOWS[window])


def _fresh(seeds):
    return study.fresh_batch(TASKS["letter, first"](LENGTH), seeds)


def _losses(model, batch):
    return study.loss_of(study.last_step(model, batch[0])[3], batch[1])[0]


@cache
def stored():
    """The stored films, {(cell, clip, window): {name: a list with one entry a frame}}."""
    return {tuple(name.split(", ")): film for name, film in _held()["films"].items()}


@cache
def stored_crowd():
    """The stored `crowd` of each kind of network, {cell: {name: array}}."""
    return {
        cell: {name: np.array(values) for name, values in rows.items()}
        for cell, rows in _held()["crowds"].items()
    }


@cache
def _held():
    return json.loads(STORED.read_text(encoding="utf-8"))


def main():
    """Make the stored result: the films, then `TOGETHER` networks of each kind at a time."""
    films = itertools.product(SEEDS, CLIPS, WINDOWS)
    held = {"films": {", ".join(case): outcome(*case) for case in films}, "crowds": {}}
    for cell in SEEDS:
        for seeds in np.split(np.arange(NETWORKS), NETWORKS // TOGETHER):
            found = crowd(cell, seeds.tolist())
            rows = held["crowds"].setdefault(cell, {name: [] for name in found})
            for name, values in found.items():
                rows[name] += values
            print(cell, seeds, np.sum(np.array(found["fell"]) >= 0), flush=True)
            _write(held)


def _write(held):
    """One line for each film and for each crowd."""
    parts = []
    for name, rows in held.items():
        lines = [
            f"  {json.dumps(k)}: {json.dumps(row, separators=(',', ':'))}"
            for k, row in rows.items()
        ]
        parts.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
    STORED.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
