"""What training does (`A93`, `A104`, `A105`, `B46`, `B63`, `B69`, `D-x16`): 200 networks at once,
each with its own weights, all on the same inputs. One setting each; another task or size gives
other shares."""

from functools import cache
from typing import NamedTuple

import numpy as np
from evidence import shown
from networks import from_cell, length

from bptt_core import lstm, rnn, tasks
from bptt_core.gradient_flow import norm_curve
from bptt_core.jacobians import cell_terms, norms

NETS, UNITS, BATCH, STEPS, RATE = 200, 6, 8, 10, 0.03
BASELINE = 1 / 6  # of the adding problem: what the best constant answer scores


class Trained(NamedTuple):
    before: tuple  # params of the cell
    after: tuple
    score: np.ndarray  # mean squared error of each network over the last 20 updates


def adding(rng, batch):
    """The answer is the sum of two marked numbers, one in each half."""
    drawn = tasks.adding(STEPS, batch, rng)
    return drawn.x, drawn.target[-1]


def recent(rng, batch):
    """The answer depends on the last two inputs only."""
    x = rng.standard_normal((STEPS, batch, 2))
    return x, np.tanh(x[-1, :, :1] - x[-2, :, 1:])


def gradient(cell, params, run, dh, window):
    """Of the cell's parameters: by all steps, by the last one alone, or none."""
    if window is None:
        return cell.backward(params, run, {STEPS: dh}).params
    if window == 0:
        return [np.zeros_like(array) for array in params]
    states = (run.h[-2], run.c[-2]) if cell is lstm else (run.h[-2],)
    return cell.backward(params, cell.forward(params, run.x[-1:], *states), {1: dh}).params


@cache
def train(cell, draw, updates=250, window=None, **options):
    """Adam on 200 random networks and their linear readouts; no forget bias."""
    rng = np.random.default_rng(105)
    rows = UNITS * (4 if cell is lstm else 1)
    weights = [
        rng.standard_normal((NETS, rows, 2)) / np.sqrt(2),
        rng.standard_normal((NETS, rows, UNITS)) / np.sqrt(UNITS),
        np.zeros((NETS, rows)),
        rng.standard_normal((NETS, 1, UNITS)) / np.sqrt(UNITS),
        np.zeros((NETS, 1)),
    ]
    before = cell.Params(*(array.copy() for array in weights[:3]))
    mean, square, scores = [0.0] * 5, [0.0] * 5, []
    for update in range(1, updates + 1):
        x, y = draw(rng, BATCH)
        params = cell.Params(*weights[:3])
        run = cell.forward(params, x, **options)
        e = run.h[-1] @ weights[3].mT + weights[4][:, None] - y
        scores.append((e**2).mean((-2, -1)))
        of_cell = gradient(cell, params, run, e @ weights[3] / BATCH, window)
        of_readout = (e.mT @ run.h[-1] / BATCH, e.mean(-2))
        for n, slope in enumerate((*of_cell, *of_readout)):
            mean[n] = 0.9 * mean[n] + 0.1 * slope
            square[n] = 0.999 * square[n] + 0.001 * slope**2
            size = np.sqrt(square[n] / (1 - 0.999**update)) + 1e-8
            weights[n] = weights[n] - RATE * mean[n] / (1 - 0.9**update) / size
    return Trained(before, cell.Params(*weights[:3]), np.mean(scores[-20:], 0))


def gates_and_terms(params, draw):
    """Of each network: the mean forget gate, the norm of ∂c_T/∂c_1, and the largest over the
    smallest mean norm of the four terms."""
    x, _ = draw(np.random.default_rng(9), 32)
    run = lstm.forward(params, x)
    one = lstm.forward(params, x[:, :1])
    sizes = np.stack([norms(term[1:]).mean((0, 2)) for term in cell_terms(params, one)])
    spread = sizes.max(0) / sizes.min(0)
    return run.f.mean((0, 2, 3)), norms(from_cell(params, one, STEPS - 1)[1]), spread


def test_a104_training_opens_the_forget_gate_where_the_task_needs_it_and_closes_it_elsewhere():
    rises, grows, evens = {}, {}, {}
    for draw in (adding, recent):
        trained = train(lstm, draw)
        before = gates_and_terms(trained.before, draw)
        after = gates_and_terms(trained.after, draw)
        rises[draw] = (after[0] > before[0]).mean()
        grows[draw] = (after[1] > before[1]).mean()
        evens[draw] = (after[2] < before[2]).mean()
        if draw is adding:
            sizes = [np.median(before[1]), np.median(after[1])]
    shown("A104 B69", [250, NETS], "250", "200")
    shown("A104", [rises[adding], rises[recent]], "76%", "4.5%")
    shown("A104", [STEPS - 1, *sizes], "nine", "0.056", "1.4")
    shown("B69", [evens[adding], evens[recent]], "84%", "96%")
    shown("B69", [grows[adding], grows[recent]], "99%", "46%")


def test_a93_d_x16_what_is_learned_with_the_gradient_and_without_it():
    scores = {
        "whole": train(lstm, adding).score,
        "cut": train(lstm, adding, 400, window=1).score,
        "frozen": train(lstm, adding, window=0).score,
        "rnn": train(rnn, adding).score,
    }
    solved = {name: (score < BASELINE / 2).mean() for name, score in scores.items()}
    shown("A93 B63", [NETS, solved["cut"], solved["frozen"]], "200", "87%", "0%")
    shown("A93 B63", [STEPS, 0.5], "ten", "half")
    shown("D-x16", [NETS, STEPS, 0.5], "200", "ten", "half")
    shown("D-x16", [solved["whole"], solved["rnn"]], "84%", "10%")


def test_a105_training_saturates_the_units_of_an_rnn():
    trained = train(rnn, adding)
    x, _ = adding(np.random.default_rng(9), 32)
    flat, mean = [], []
    for params in (trained.before, trained.after):
        slope = 1 - rnn.forward(params, x).h[1:] ** 2
        flat.append((slope < 0.1).mean((0, 2, 3)))
        mean.append(np.median(slope.mean((0, 2, 3))))
    shown("A105", [250, NETS, (flat[1] > flat[0]).mean()], "250", "200", "96%")
    shown("A105", [*mean, 0.1], "0.75", "0.53", "1/10")
    shown("A105", [np.median(flat[0]), np.median(flat[1])], "1.3%", "15%")


def test_b63_a_network_whose_far_terms_vanish_still_learns_what_is_near():
    trained = train(rnn, recent, activation="sigmoid")
    x, y = recent(np.random.default_rng(9), 1000)
    run = rnn.forward(trained.after, x[:, :1], activation="sigmoid")
    far = norm_curve(trained.after, run)[STEPS, :, 0]
    shown("B63", [NETS, (trained.score < 0.1 * (y**2).mean()).mean(), 250], "200", "100%", "250")
    shown("B63", [0.1, np.median(far)], "tenth", "1.5e-7")
    shown("B63", 2, "two")


def test_b46_one_step_of_gradient_descent_does_not_aim_at_the_forget_gate():
    drawn = []
    for seed in range(NETS):  # the networks of chapter 3
        rng = np.random.default_rng(seed)
        params = lstm.init_params(3, 5, rng, forget_bias=0.0)
        drawn.append((*params, rng.standard_normal((8, 2, 3)), rng.uniform(-1, 1, (2, 5))))
    W_xh, W_hh, b_h, x, target = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    params, x = lstm.Params(W_xh, W_hh, b_h), np.moveaxis(x, 0, 1)

    def look(params):
        run = lstm.forward(params, x)
        e = run.h[8] - target
        return lstm.backward(params, run, {8: e}), (e**2).sum((-2, -1)), run.f.mean((0, 2, 3))

    back, error, gate = look(params)
    moved = lstm.Params(*(w - 0.1 * dw for w, dw in zip(params, back.params, strict=True)))
    later, new_error, new_gate = look(moved)
    assert np.all(new_error < error)
    smaller = length(later.c[1]) < length(back.c[1])
    shown("B46", [(new_gate > gate).sum(), NETS, smaller.mean()], "84", "200", "78%")
    shown("A104", [(new_gate > gate).sum(), NETS], "84", "200")
