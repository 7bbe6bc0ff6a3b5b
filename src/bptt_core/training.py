"""Training, in a few lines: forward, loss, backward, clip, update.

Model               a recurrent cell and its readout; `init_model` draws one
answer              y_t of a batch; `loss_and_gradients` its loss and all gradients; `accuracy` of
                    its classes
sgd, adam           an optimiser: (params, gradients) → new params
train               the loop; returns the trained model and the history of losses and gradient norms
"""

from typing import Any, NamedTuple

import numpy as np

from bptt_core import readout
from bptt_core._checks import check_choice
from bptt_core._containers import map_leaves
from bptt_core.cells import cell_of
from bptt_core.gradient_flow import clip_by_global_norm, global_norm

__all__ = [
    "LOSSES",
    "History",
    "Model",
    "accuracy",
    "adam",
    "answer",
    "init_model",
    "loss_and_gradients",
    "sgd",
    "train",
]

LOSSES = {
    "squared_error": readout.squared_error,
    "softmax_cross_entropy": readout.softmax_cross_entropy,
}


class Model(NamedTuple):
    """y_t = readout(h_t), h_t from a recurrent cell. Gradients come in the same container."""

    cell: Any  # the `Params` of a cell
    readout: readout.Params


class History(NamedTuple):
    """What `train` saw, one entry an update."""

    model: Model  # after the last update
    loss: np.ndarray  # mean loss of the batch before the update
    norm: np.ndarray  # ‖gradient‖ before clipping


def init_model(cell, input_size, hidden_size, output_size, rng, *, dtype=float, **settings):
    """A model with random weights; `cell` is a module such as `rnn`,
    `settings` go to its `init_params`.

    >>> model = training.init_model(lstm, 2, 3, 1, np.random.default_rng(0), forget_bias=2.0)
    >>> model.cell.b_f.tolist(), model.readout.W_hy.shape
    ([2.0, 2.0, 2.0], (1, 3))
    """
    params = cell.init_params(input_size, hidden_size, rng, dtype=dtype, **settings)
    return Model(params, readout.init_params(hidden_size, output_size, rng, dtype=dtype))


def answer(model, x, **settings):
    """(cache, y) for inputs x (T, B, D); `settings` go to the cell's `forward`.

    >>> model = training.init_model(gru, 2, 3, 1, np.random.default_rng(0))
    >>> cache, y = training.answer(model, np.ones((4, 5, 2)))
    >>> cache.h.shape, y.shape
    ((5, 5, 3), (4, 5, 1))
    """
    cell = cell_of(model.cell)
    cache = cell.forward(model.cell, x.astype(model.cell.W_hh.dtype, copy=False), **settings)
    return cache, readout.forward(model.readout, cache.h[1:])


def loss_and_gradients(model, batch, loss="squared_error", **settings):
    """The mean loss over the batch (and over its steps),
    and its gradient by everything in the model.

    loss  "squared_error" or "softmax_cross_entropy"; ValueError: another name

    >>> rng = np.random.default_rng(0)
    >>> model = training.init_model(rnn, 2, 3, 1, rng)
    >>> value, gradients = training.loss_and_gradients(model, tasks.adding(5, 100, rng))
    >>> round(value, 2), gradients.cell.W_hh.shape
    (0.76, (3, 3))
    """
    check_choice("loss", loss, LOSSES)
    cell = cell_of(model.cell)
    cache, y = answer(model, batch.x, **settings)
    value, dy = LOSSES[loss](y, batch.target, steps=batch.steps, reduction="mean")
    out = readout.backward(model.readout, cache.h[1:], dy)
    return float(value), Model(cell.backward(model.cell, cache, out.h).params, out.params)


def accuracy(model, batch, **settings):
    """The share of right classes among the answers that count.

    >>> rng = np.random.default_rng(0)
    >>> model = training.init_model(rnn, 5, 8, 4, rng)
    >>> 0.1 < training.accuracy(model, tasks.first_letter(10, 200, rng)) < 0.4  # a guess
    True
    """
    _, y = answer(model, batch.x, **settings)
    counted = slice(-1, None) if batch.steps == "last" else slice(None)
    return float((y[counted].argmax(-1) == batch.target[counted]).mean())


def sgd(learning_rate, momentum=0.0):
    """v ← momentum · v + g, θ ← θ − learning_rate · v (`D-eq9`, `D-eq25` without momentum).

    >>> training.sgd(0.1)([np.array([1.0])], [np.array([2.0])])
    [array([0.8])]
    """
    velocity = None

    def update(params, gradients):
        nonlocal velocity
        velocity = (
            gradients
            if velocity is None
            else map_leaves(lambda v, g: momentum * v + g, velocity, gradients)
        )
        return map_leaves(lambda p, v: p - learning_rate * v, params, velocity)

    return update


def adam(learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """θ ← θ − learning_rate · m̂ / (√v̂ + ε), m̂ and v̂ the running means of g and g²,
    freed of their start at 0.

    >>> training.adam(0.1)([np.array([1.0])], [np.array([2.0])])
    [array([0.9])]
    """
    mean = square = None
    count = 0

    def update(params, gradients):
        nonlocal mean, square, count
        if count == 0:
            mean = square = map_leaves(np.zeros_like, gradients)
        count += 1
        mean = map_leaves(lambda m, g: beta_1 * m + (1 - beta_1) * g, mean, gradients)
        square = map_leaves(lambda v, g: beta_2 * v + (1 - beta_2) * g * g, square, gradients)
        rate = learning_rate / (1 - beta_1**count)
        root = float(np.sqrt(1 - beta_2**count))
        return map_leaves(
            lambda p, m, v: p - rate * m / (np.sqrt(v) / root + epsilon), params, mean, square
        )

    return update


def train(
    model, draw, updates, *, optimiser, loss="squared_error", clip=None, callback=None, **settings
):
    """`updates` steps of gradient descent; returns a `History`.

    draw       () → `Batch`, a new one each time: `lambda: tasks.adding(50, 20, rng)`
    optimiser  `sgd(…)` or `adam(…)`, a new one for each training
    clip       threshold of the global gradient norm, or None
    callback   (update, model, loss, norm) after each update, from 1; return True to stop early

    An exploded gradient ends the training with a ValueError if `clip` is set: infinity has no
    direction.

    >>> rng = np.random.default_rng(0)
    >>> model = training.init_model(rnn, 2, 8, 1, rng)
    >>> adam = training.adam(0.01)
    >>> history = training.train(model, lambda: tasks.adding(5, 20, rng), 3, optimiser=adam)
    >>> len(history.loss), bool(history.loss[2] < history.loss[0])
    (3, True)
    """
    losses = []
    norms = []
    for update in range(1, updates + 1):
        value, gradients = loss_and_gradients(model, draw(), loss, **settings)
        if clip is None:
            size = global_norm(gradients)
        else:
            gradients, size = clip_by_global_norm(gradients, clip)
        model = optimiser(model, gradients)
        losses.append(value)
        norms.append(float(size))
        if callback is not None and callback(update, model, value, float(size)):
            break
    return History(model, np.array(losses), np.array(norms))
