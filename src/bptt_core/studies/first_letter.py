"""Who knows the first letter? Networks that read 30 letters, before, during and after training.

An RNN and LSTMs with six forget biases, `NETWORKS` of each, trained as in `long_gradient` on
`tasks.first_letter`. At each of `MOMENTS`, in updates, is kept:

right     of each network: how many of 500 fresh rows it answers right
arrives   of each network: the share of the answer's gradient that gets back to the first step, by
          `long_gradient.measure`, a mean over those rows, as its decimal logarithm
shares    of the first `SHOWN` networks: that logarithm at every step, the first step first, for
          one row, `spelt`, on which none was trained
answers   of those: what they answer to that row if its first letter is the first class, the
          second, …

    python -m bptt_core.studies.first_letter

makes the stored result in about half an hour of one processor.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from bptt_core.studies import long_gradient as study
from bptt_core.studies.lag_tasks import TASKS

LENGTH, LETTERS = 30, "abcd"
BIASES = range(6)
CELLS = ["RNN", *(f"LSTM {bias}" for bias in BIASES)]
MOMENTS = [0, 50, 100, 150, 200, 300, 400]
NETWORKS, SHOWN, TOGETHER = 100, 5, 10
FRESH = study.FRESH
LEARNT = study.LEAST_ACCURACY * FRESH  # who answers more rows right knows the letter
STORED = Path(__file__).with_suffix(".json")


def row():
    """The row that the figure shows: a batch (T, 1, 1, D) of inputs and its target."""
    return study.grid_batch(TASKS["letter, first"](LENGTH), 1, [np.random.default_rng(0)])


@cache
def spelt():
    """That row as a text."""
    return "".join(LETTERS[k] for k in row()[0][:, 0, 0, :-1].argmax(-1))


def begun():
    """That row with each of the letters as its first: inputs (T, 1, 4, D)."""
    x = np.repeat(row()[0], len(LETTERS), axis=2)
    x[0, 0, :, :-1] = np.eye(len(LETTERS))
    return x


def outcome(cell, seeds, moments=MOMENTS):
    """What is kept of networks with these seeds, {name: array}: (networks, moments), `shares`
    (networks, moments, steps) and `answers` (networks, moments, letters)."""
    task = TASKS["letter, first"](LENGTH)
    setting = study.Setting("letter, first", LENGTH, cell, None)
    fresh = study.fresh_batch(task, seeds)
    one = [np.repeat(part, len(seeds), axis=1) for part in row()]
    others = np.repeat(begun(), len(seeds), axis=1)
    kept = []
    for update, model in study.training_of(setting, seeds, moments[-1]):
        if update in moments:
            right = np.rint(study.FRESH * study.score_of(model, fresh)).astype(int)
            arrives = study.measure(model, fresh)[0][-1]
            shares = study.measure(model, one)[0][::-1]
            answers = study.last_step(model, others)[3].argmax(-1)[0]
            kept.append((right, np.log10(arrives), np.log10(shares.T), answers))
    names = "right", "arrives", "shares", "answers"
    return {n: np.stack(each, 1) for n, each in zip(names, zip(*kept, strict=True), strict=True)}


@cache
def stored():
    """The stored result, {cell: {name: array}} as `outcome` gives them."""
    held = json.loads(STORED.read_text(encoding="utf-8"))
    return {cell: {name: np.array(v) for name, v in rows.items()} for cell, rows in held.items()}


def main():
    """Make the stored result, `TOGETHER` networks of each cell at a time."""
    held = {cell: [] for cell in CELLS}
    for seeds in np.split(np.arange(NETWORKS), NETWORKS // TOGETHER):
        for cell, parts in held.items():
            parts.append(outcome(cell, seeds.tolist()))
            print(cell, seeds, (parts[-1]["right"] > LEARNT).sum(0), flush=True)
        lines = [f" {json.dumps(cell)}: {_text(parts)}" for cell, parts in held.items()]
        STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _text(parts):
    """What is kept of one cell as JSON: logarithms to two decimals, the rest whole."""
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole |= {name: whole[name][:SHOWN] for name in ("shares", "answers")}
    rounded = {name: np.round(values.astype(float), 2).tolist() for name, values in whole.items()}
    return json.dumps(rounded).replace(".0,", ",").replace(".0]", "]")


if __name__ == "__main__":
    main()
