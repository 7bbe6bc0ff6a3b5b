"""What the gradient of a random network does: 200 networks at every setting of two labs.

edge    tanh networks of 10 and of 100 units over spectral radius and size of the input: the factor
        per step of a gradient, how much tanh passes, in how many networks it grows
gates   pairs of an LSTM and a tanh RNN over forget bias and scale of the recurrent weights: the
        factor per step of both, and in how many pairs the LSTM's gradient lives longer

A factor per step is a fit: least squares in the logarithm of the gradient's size over the lag.

    python -m bptt_core.studies.random_networks

computes the stored result again: some minutes of one processor.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from bptt_core import gradient_flow, lstm, rnn

STORED = Path(__file__).with_suffix(".json")
NETWORKS = 200
SHARES = (0.1, 0.5, 0.9)  # the quantiles that are kept
UNITS = (10, 100)
RADII = np.arange(0.5, 2.51, 0.1).round(1).tolist()
DRIVES = [0, 0.1, 0.25, 0.5, 1, 1.5, 2, 3]
SCALES = [0.5, 1, 2, 4]
BIASES = np.arange(-2, 6.1, 0.5).tolist()
SETTLE, LAGS = 60, 100  # steps before the gradient, and steps it goes back
FIRST = 10  # lags that the fit leaves out: the gradient has not turned yet
HIDDEN, INPUTS, LENGTH = 6, 3, 200  # of the pairs


def slope(logs, first=0):
    """ln of the factor per step, by least squares, of logarithms of curves (lags, …)."""
    lags = np.arange(first, len(logs)) - (first + len(logs) - 1) / 2
    return np.tensordot(lags, logs[first:], 1) / (lags**2).sum()


def weights(units, rng):
    """Random recurrent matrices (networks, N, N) of spectral radius 1."""
    W = rng.standard_normal((NETWORKS, units, units))
    return W / np.abs(np.linalg.eigvals(W)).max(-1)[:, None, None]


def edge_of(W, drive, rng):
    """The factor per step of a gradient, and the root mean square of tanh′, of each network."""
    n, units = W.shape[:2]
    x = drive * rng.standard_normal((SETTLE + LAGS, n, units))
    h = 0.3 * rng.standard_normal((n, units))
    slopes = []
    for x_t in x:
        h = np.tanh(x_t + (W @ h[..., None])[..., 0])
        slopes.append(1 - h**2)
    g = rng.standard_normal((n, units))
    logs = np.zeros((LAGS + 1, n))
    for lag, slope_t in enumerate(slopes[: -LAGS - 1 : -1], 1):
        g = ((g * slope_t)[:, None] @ W)[:, 0]
        size = np.maximum(np.linalg.norm(g, axis=-1), 1e-300)
        logs[lag] = logs[lag - 1] + np.log(size)
        g /= size[:, None]
    passed = np.sqrt(np.mean(np.square(slopes[-LAGS:]), (0, 2)))
    return np.exp(slope(logs, FIRST)), passed


def edge():
    """A row for every number of units, size of the input and spectral radius."""
    rows = []
    for units in UNITS:
        W = weights(units, np.random.default_rng(units))
        for drive in DRIVES:
            for radius in RADII:
                factor, passed = edge_of(radius * W, drive, np.random.default_rng(1))
                row = {"units": units, "drive": drive, "radius": radius}
                row |= {"factor": _kept(factor), "passes": round(float(np.median(passed)), 4)}
                rows.append(row | {"grows": int((factor > 1).sum())})
    return rows


def pairs(scale, bias):
    """The factors per step of `NETWORKS` LSTMs and of as many RNNs of one scale: two arrays."""
    drawn = [np.random.default_rng(seed) for seed in range(NETWORKS)]
    cells = [lstm.init_params(INPUTS, HIDDEN, rng) for rng in drawn]
    plain = [rnn.init_params(INPUTS, HIDDEN, rng) for rng in drawn]
    x = np.random.default_rng(NETWORKS).standard_normal((LENGTH, 1, INPUTS))
    b_h = np.broadcast_to(np.repeat([0, float(bias), 0, 0], HIDDEN), (NETWORKS, 4 * HIDDEN))
    both = [
        lstm.Params(_stack(cells, "W_xh"), scale * _stack(cells, "W_hh"), b_h),
        rnn.Params(_stack(plain, "W_xh"), scale * _stack(plain, "W_hh")),
    ]
    runs = [module.forward(params, x) for module, params in zip((lstm, rnn), both, strict=True)]
    curves = [
        gradient_flow.norm_curve(params, run, norm="fro")[..., 0]
        for params, run in zip(both, runs, strict=True)
    ]
    # what has underflowed to zero is left out
    logs = [[np.log(one[one > 0])[:, None] for one in curve.T] for curve in curves]
    return tuple(np.exp(np.concatenate([slope(one) for one in each])) for each in logs)


def _stack(params, name):
    return np.stack([getattr(p, name) for p in params])


def _kept(values):
    return np.quantile(values, SHARES).round(4).tolist()


def gates():
    """A row for every scale and forget bias."""
    rows = []
    for scale in SCALES:
        for bias in BIASES:
            cell, plain = pairs(scale, bias)
            row = {"scale": scale, "bias": bias, "lstm": _kept(cell), "rnn": _kept(plain)}
            rows.append(row | {"longer": int((cell > plain).sum())})
    return rows


@cache
def stored():
    """The stored result: {"edge": rows, "gates": rows}."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def main():
    """Compute the stored result again."""
    parts = {"edge": edge(), "gates": gates()}
    text = ",\n".join(
        f' "{name}": [\n  ' + ",\n  ".join(json.dumps(row) for row in rows) + "\n ]"
        for name, rows in parts.items()
    )
    STORED.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
