"""What `make bench` compares computes the same. How long it takes is measured there, not here."""

import sys
from pathlib import Path

import numpy as np
import pytest

from bptt_core import lstm, rnn

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import peers


@pytest.mark.parametrize("cell", [rnn, lstm], ids=["rnn", "lstm"])
def test_the_peers_of_the_benchmark_compute_the_same_gradients(cell):
    rng = np.random.default_rng(0)
    params = cell.init_params(2, 4, rng)
    x = rng.standard_normal((6, 3, 2))
    dh = rng.standard_normal((6, 3, 4))
    ours = cell.backward(params, cell.forward(params, x), dh).params
    peers.same(ours, peers.textbook(params, x, dh)(), "textbook")
    with pytest.raises(AssertionError, match="gradients of W_xh differ"):
        peers.same(ours, peers.textbook(params, 1.01 * x, dh)(), "textbook")
