"""Sentences of chapter 2."""

import numpy as np

from bptt_core import lstm, tasks
from bptt_core.jacobians import cell_jacobians, cell_terms, norms, products
from bptt_core.studies import long_gradient, rows
from prose import says

NETWORKS = range(200)


@says(
    "chapters/02",
    "Of {n} LSTMs whose forget gates start open, all {open} learn the answer. Of {n} plain RNNs, "
    "{plain} do.",
)
def thirty_letters():
    """As the cell d-letter-shares prints."""
    found = {
        cell: rows("atlas", task="letter, first", length=30, cell=cell, window=None)[0]
        for cell in ("LSTM 3", "RNN")
    }
    assert {row["n"] for row in found.values()} == {20}
    return {"n": 20, "open": found["LSTM 3"]["k"], "plain": found["RNN"]["k"]}


@says("chapters/02", "At ten letters nearly all of them learn it.")
@says(
    "chapters/02",
    "At thirty the LSTM that starts open learns it every time, and the half-open one never.",
)
def first_letters():
    def share(cell, length):
        row = rows("atlas", task="letter, first", length=length, cell=cell, window=None)[0]
        return row["k"] / row["n"]

    assert min(share(cell, 10) for cell in ("RNN", "LSTM 0", "LSTM 1", "LSTM 3")) >= 0.9
    assert (share("LSTM 3", 30), share("LSTM 0", 30)) == (1, 0)
    # at twenty letters the order is that of what arrives
    at_20 = [share(cell, 20) for cell in ("LSTM 0", "RNN", "LSTM 1", "LSTM 3")]
    assert at_20 == sorted(at_20) and at_20[0] == 0 and 0.4 < at_20[1] < 0.6
    return {}


@says(
    "chapters/02",
    "The same recipe with up to {updates} updates was run for {n} seeds ({few} at length 50). A "
    "network counts if it gets more than {least:.0f}% of fresh rows right:",
)
def counted():
    found = {row["length"]: row["n"] for row in rows("atlas", task="letter, first", window=None)}
    few = found.pop(50)
    assert set(found.values()) == {20}
    least = 100 * long_gradient.LEAST_ACCURACY
    return {"updates": long_gradient.UPDATES, "n": 20, "few": few, "least": least}


@says("chapters/02", "the errors pass $1 + 2 + \\dots + 1000$ layers, {many:,} in all.")
def layers():
    return {"many": sum(range(1, 1001))}


@says(
    "chapters/02",
    "among {n} networks drawn like this one it is the other way round in {other}.",
)
def which_cell_is_more_wrong():
    """The cell-only recursion of the cell `cell-only`, for other seeds."""
    other = 0
    for seed in NETWORKS:
        rng = np.random.default_rng(seed)
        q = lstm.init_params(3, 5, rng, scale=2.0)
        q = q._replace(b_h=q.b_h + 0.3 * rng.standard_normal(20))
        states = 0.5 * rng.standard_normal((1, 5)), rng.standard_normal((1, 5))
        memory = lstm.forward(q, rng.standard_normal((4, 1, 3)), *states)
        right = lstm.backward(q, memory, {3: rng.standard_normal((1, 5))}).c[:, 0]
        factors = sum(cell_terms(q, memory))[:, 0]
        second = right[3] @ factors[2]
        off = [
            np.linalg.norm(found - true) / np.linalg.norm(true)
            for found, true in ((second, right[2]), (second @ factors[1], right[1]))
        ]
        other += bool(off[1] > off[0])
    return {"n": len(NETWORKS), "other": other}


@says(
    "chapters/02",
    "in {n} fresh networks its median lies between {low:.2f} and {high:.2f}",
)
@says(
    "chapters/02",
    "what is dropped is more than half as large as what is kept, here and in {more} of {n} "
    "networks.",
)
def dropped_and_kept():
    """As in the cell d-x27-product, for other seeds and a smaller batch."""
    slopes, ratios = [], []
    for seed in NETWORKS:
        rng = np.random.default_rng(seed)
        net = lstm.init_params(8, 16, rng, forget_bias=0.0)
        run = lstm.forward(net, rng.standard_normal((30, 4, 8)))
        slopes.append(np.median((1 - run.s[:-1] ** 2) * run.f[1:] * (1 - run.f[1:])))
        terms = cell_terms(net, run)
        dropped = norms(terms.A + terms.C + terms.D)[1:]
        ratios.append(np.median(dropped / norms(terms.B)[1:]))
    more = sum(ratio > 0.5 for ratio in ratios)
    return {"n": len(NETWORKS), "low": min(slopes), "high": max(slopes), "more": more}


def misses(seed, batch):
    """As in the cell d-exercise-4: {forget bias: relative errors over 1, 5 and 20 steps}."""
    off = {}
    for bias in (0, 5):
        rng = np.random.default_rng(seed)
        net = lstm.init_params(8, 16, rng, scale=0.5, forget_bias=bias)
        run = lstm.forward(net, rng.standard_normal((24, batch, 8)))
        exact = cell_jacobians(net, run)
        gap = products(cell_terms(net, run).B) - exact
        off[bias] = np.median(norms(gap, "fro") / norms(exact, "fro"), axis=-1)[[1, 5, 20]]
    return off


@says(
    "chapters/02",
    "by {a:.0f}%, {b:.0f}% and {c:.0f}% for $k = 1, 5, 20$ at bias 0, and by {d:.0f}%, {e:.0f}% "
    "and {f:.0f}% at bias 5.",
)
def forget_gates_alone():
    off = misses(8, 40)
    return {name: 100 * value for name, value in zip("abcdef", [*off[0], *off[5]], strict=True)}


@says("chapters/02", "helps, and the error grows with the lag, in all of {n} such networks.")
def forget_gates_in_many():
    held = 0
    for seed in NETWORKS:
        off = misses(seed, 4)
        grows = all((np.diff(off[bias]) > 0).all() for bias in off)
        held += bool(grows and (off[5] < off[0]).all())
    return {"n": held} if held == len(NETWORKS) else {"n": f"{held} of {len(NETWORKS)}"}


@says("chapters/02", "The first mark is at least {away} steps away.")
@says("chapters/02", "the LSTM uses a number that it read at least {away} steps before.")
@says("chapters/02", "a gradient travelled back these {away} steps.")
def marks():
    marked = tasks.adding(50, 10_000, np.random.default_rng(0)).x[..., 1]
    return {"away": 50 - (marked.argmax(0).max() + 1)}
