"""Sentences of chapter 2."""

import numpy as np

from bptt_core import lstm, tasks
from bptt_core.jacobians import cell_jacobians, cell_terms, norms, products
from prose import says

NETWORKS = range(200)


@says(
    "chapters/02",
    "in {n} fresh networks its median lies between {low:.2f} and {high:.2f}.",
)
@says(
    "chapters/02",
    "In all, what is dropped is more than half as large as what is kept, here and in "
    "{more} of the {n}.",
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


@says("chapters/02", "Exercise 4 measures both in one network; they hold in all of {n}.")
def forget_gates_alone():
    """As in the cell d-exercise-4."""
    held = 0
    for seed in NETWORKS:
        off = {}
        for bias in (0, 5):
            rng = np.random.default_rng(seed)
            net = lstm.init_params(8, 16, rng, scale=0.5, forget_bias=bias)
            run = lstm.forward(net, rng.standard_normal((24, 4, 8)))
            exact = cell_jacobians(net, run)
            gap = products(cell_terms(net, run).B) - exact
            off[bias] = np.median(norms(gap, "fro") / norms(exact, "fro"), axis=-1)[[1, 5, 20]]
        grows = all((np.diff(off[bias]) > 0).all() for bias in off)
        held += bool(grows and (off[5] < off[0]).all())
    return {"n": held} if held == len(NETWORKS) else {"n": f"{held} of {len(NETWORKS)}"}


@says("chapters/02", "At $T = 1000$ it is {many:,} layers against {one:,}.")
def layers():
    return {"many": sum(range(1, 1001)), "one": 1000}


@says("chapters/02", "The first mark is at least {away} steps away.")
@says("chapters/02", "The LSTM uses a number that it read at least {away} steps before.")
@says("chapters/02", "Did a gradient travel back those {away} steps to teach it that?")
def marks():
    marked = tasks.adding(50, 10_000, np.random.default_rng(0)).x[..., 1]
    return {"away": 50 - (marked.argmax(0).max() + 1)}
