"""The readable code is the fast code: a pass takes at most so many times its bare matrix products.

Minima of processor time over many rounds, and limits with slack, so that a busy machine does not fail this.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bptt_core import gradient_flow, jacobians, lstm, rnn

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import peers


def least(*calls, rounds=30):
    """The smallest processor time of each call, taken in turn."""
    best = [np.inf] * len(calls)
    for _ in range(rounds):
        for k, call in enumerate(calls):
            start = time.process_time()
            call()
            best[k] = min(best[k], time.process_time() - start)
    return best


@pytest.mark.parametrize("cell, limit", [(rnn, 2.2), (lstm, 2.8)], ids=["rnn", "lstm"])
def test_a_pass_takes_little_more_than_its_matrix_products(cell, limit):
    shape = T, B, D, H = 50, 16, 65, 100
    rng = np.random.default_rng(0)
    params = cell.init_params(D, H, rng)
    x, dh = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    products = peers.products_alone(shape, "RNN" if cell is rnn else "LSTM", float)
    ours, floor = least(lambda: cell.backward(params, cell.forward(params, x), dh), products)
    assert ours <= limit * floor


def test_a_gradient_curve_takes_little_more_than_its_matrix_products():
    rng = np.random.default_rng(0)
    params = rnn.init_params(8, 64, rng)
    cache = rnn.forward(params, rng.standard_normal((200, 1, 8)))
    J = jacobians.step_jacobians(params, cache)[:, 0]
    curve, floor = least(
        lambda: gradient_flow.norm_curve(params, cache, norm="fro"), lambda: peers.bare_products(J)
    )
    assert curve <= 3.5 * floor


@pytest.mark.parametrize("cell", [rnn, lstm], ids=["rnn", "lstm"])
def test_the_peers_of_the_benchmark_compute_the_same_gradients(cell):
    rng = np.random.default_rng(0)
    params = cell.init_params(2, 4, rng)
    x, dh = rng.standard_normal((6, 3, 2)), rng.standard_normal((6, 3, 4))
    ours = cell.backward(params, cell.forward(params, x), dh).params
    peers.same(ours, peers.textbook(params, x, dh)(), "textbook")
    with pytest.raises(AssertionError, match="gradients of W_xh differ"):
        peers.same(ours, peers.textbook(params, 1.01 * x, dh)(), "textbook")
