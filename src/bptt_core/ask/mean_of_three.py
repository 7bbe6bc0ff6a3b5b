"""The gradient of a bias to be carried back by hand: an RNN with two units and an output at each of
three steps, whose loss is the mean of the three.

task  seed → `Task`: δ_3, δ_2, and what both give to db_h
"""

import numpy as np

from bptt_core.ask.steps import Part, Step, Task
from bptt_core.ask.tasks import ZERO, _draw, _first_clear, _slope, said

WHOLE = "The readout's matrix is not transposed."


def task(seed):
    """L = (L_1 + L_2 + L_3)/3, from p_t − target_t at the readout to δ_3 + δ_2."""
    return _first_clear(_task, np.random.default_rng([seed, 3]))


def _task(rng):
    W, V = _draw(rng, 2, 2), _draw(rng, 2, 2, low=0.3)
    h = _draw(rng, 4, 2)
    error = rng.uniform(0.15, 0.95, 4).round(2) * rng.choice([-1, 1], 4)
    e = np.stack([error, -error], -1)  # p and the target both sum to 1
    given = {"W_hh": W, "W_hy": V} | {f"h_{t}": h[t] for t in (1, 2, 3)}
    given |= {f"p_{t} − target_{t}": e[t] for t in (1, 2, 3)}
    own = V.T @ e[3] / 3
    slips = [
        (V @ e[3] / 3, WHOLE),
        (V.T @ e[1] / 3, said("time reversed")),
        (V.T @ e[2] / 3, "That is the error of step 2, not of step 3."),
    ]
    last = Step(
        "δ_3 = ∂L/∂a_3",
        (2,),
        (_slope(3, h),),
        Part(own, slips),
        why="A third of W_hy^{⊤} (p_3 − target_3), because L is a mean, and the slope 1 − h_3^2.",
    )
    return Task(given, [last, _back(W, V, h, e), _bias()])


def _back(W, V, h, e):
    """δ_2 from δ_3."""
    own = V.T @ e[2] / 3
    slips = [
        (ZERO, said("only the last loss")),
        (V @ e[2] / 3, WHOLE),
        (3 * own, "The error of step 2 counts a third here too: L is a mean."),
        (V.T @ e[1] / 3, "That is the error of step 1, not of step 2."),
    ]
    carried = [
        (W, said("recurrence not transposed")),
        (0 * W, said("nothing carried back")),
        (-W.T, "What is carried back has the other sign: it is added."),
        (W.T / 3, "The mean is in δ_3 already: it was divided by three before."),
        (W.T / (1 - h[3] ** 2), "What is carried back is δ_3, with the slope of its step on it."),
    ]
    return Step(
        "δ_2 = ∂L/∂a_2",
        (2,),
        (_slope(2, h),),
        Part(own, slips),
        Part(W.T, carried),
        why="A third of W_hy^{⊤} (p_2 − target_2), and W_hh^{⊤} δ_3; both pass 1 − h_2^2.",
    )


def _bias():
    """What steps 3 and 2 give to db_h, from δ_3 and δ_2."""

    def over(third, second):
        return np.hstack([third * np.eye(2), second * np.eye(2)])

    slips = [
        (over(1, 0), "That is step 3 alone: the bias was added at step 2 as well."),
        (over(0, 1), "That is step 2 alone: the bias was added at step 3 as well."),
        (over(1, -1), "Both parts are added, with one sign."),
        (over(1 / 3, 1 / 3), "The mean is in the δ already: the bias gets their sum."),
        (over(0.5, 0.5), "The bias gets the sum of its parts, not their mean."),
    ]
    why = "The bias was added at every step, so it gets δ_3 + δ_2, and δ_1 after them."
    return Step("db_h, from steps 3 and 2", (2,), carry=Part(over(1, 1), slips), why=why)
