"""A plain RNN and an LSTM of about as many weights read a short text, each at several rates.

What is compared is each network at its own best learning rate: at a rate that suits one of them the
other looks worse than it is. The text is learnt by heart: the windows that are measured are drawn
from the text that is trained on.

errors  the mean loss of one network, after each of `UPDATES`
best    the rate that is best for a cell, and its errors, one a seed
rows    the stored result

    python -m bptt_core.studies.reading

computes it; it took a few minutes of one processor.
"""

import json
from functools import cache, partial
from pathlib import Path

import numpy as np

from bptt_core import lstm, rnn, tasks, training

UPDATES, RATES, SEEDS = (400, 1200), (0.005, 0.01, 0.02, 0.04, 0.08), (1, 2, 3)
CELLS = {"RNN": (rnn, 64), "LSTM": (lstm, 32)}
LENGTH, BATCH, CLIP, LAST = 40, 16, 1.0, 20
STORED = Path(__file__).with_suffix(".json")


def errors(name, rate, seed, updates=UPDATES):
    """The mean loss in nats over the `LAST` updates before each of `updates`."""
    cell, units = CELLS[name]
    K = len(tasks.ALPHABET)
    model = training.init_model(cell, K, units, K, np.random.default_rng(seed), dtype=np.float32)
    draw = partial(tasks.characters, LENGTH, BATCH, np.random.default_rng(seed + 100))
    how = {"loss": "softmax_cross_entropy", "clip": CLIP, "optimiser": training.adam(rate)}
    loss = training.train(model, draw, max(updates), **how).loss
    return [float(f"{loss[end - LAST : end].mean():.3g}") for end in updates]


def best(name, updates):
    """(rate, errors of the seeds) where a cell's median over the seeds is smallest."""
    found = {row["rate"]: row[str(updates)] for row in rows() if row["cell"] == name}
    rate = min(found, key=lambda rate: np.median(found[rate]))
    return rate, found[rate]


@cache
def rows():
    """One row for each cell and rate: the errors after each of `UPDATES`, one a seed."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def row(name, rate):
    """One row of the result."""
    each = [errors(name, rate, seed) for seed in SEEDS]
    after = {str(end): [found[k] for found in each] for k, end in enumerate(UPDATES)}
    return {"cell": name, "rate": rate, **after}


def main():
    """Compute the result and store it."""
    found = []
    for name in CELLS:
        for rate in RATES:
            found.append(row(name, rate))
            print(json.dumps(found[-1]), flush=True)
    lines = ",\n ".join(map(json.dumps, found))
    STORED.write_text(f"[\n {lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
