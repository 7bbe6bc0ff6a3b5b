"""The training loop does what its lines say, and it trains."""

import numpy as np
import pytest
from witnesses import every_cell

from bptt_core import lstm, readout, rnn, tasks
from bptt_core._containers import leaves
from bptt_core.gradcheck import check_gradients
from bptt_core.gradient_flow import global_norm
from bptt_core.training import (
    Model,
    accuracy,
    adam,
    answer,
    init_model,
    loss_and_gradients,
    sgd,
    train,
)

TASKS = {
    "adding": (lambda rng: tasks.adding(5, 3, rng), 2, 1, "squared_error"),
    "latching": (lambda rng: tasks.latching(5, 3, rng), 1, 2, "softmax_cross_entropy"),
    "copying": (lambda rng: tasks.copying(1, 3, rng, word=2), 6, 5, "softmax_cross_entropy"),
}


@pytest.mark.parametrize("task", TASKS)
@every_cell
def test_the_gradient_of_the_loss_is_right(cell, task):
    draw, inputs, outputs, loss = TASKS[task]
    rng = np.random.default_rng(0)
    model, batch = init_model(cell, inputs, 4, outputs, rng), draw(rng)
    value, gradients = loss_and_gradients(model, batch, loss)

    def recomputed(model):
        cache = cell.forward(model.cell, batch.x)
        y = readout.forward(model.readout, cache.h[1:])
        return getattr(readout, loss)(y, batch.target, steps=batch.steps, reduction="mean")[0]

    assert value == pytest.approx(float(recomputed(model)), rel=1e-14)
    assert list(check_gradients(recomputed, model, gradients))[-1] == "readout.b_y"


def test_settings_of_the_cell_are_passed_on():
    rng = np.random.default_rng(0)
    model, batch = (
        init_model(rnn, 2, 4, 1, rng, orthogonal=True, bias=False),
        tasks.adding(5, 3, rng),
    )
    assert model.cell.b_h is None and np.allclose(model.cell.W_hh @ model.cell.W_hh.T, np.eye(4))
    linear, _ = answer(model, batch.x, activation="identity")
    assert linear.activation.name == "identity"
    with_tanh, with_relu = (
        loss_and_gradients(model, batch, activation=name)[0] for name in ("tanh", "relu")
    )
    assert with_tanh != with_relu


def test_accuracy_counts_the_steps_that_count():
    rng = np.random.default_rng(0)
    model = init_model(rnn, 1, 4, 2, rng)
    batch = tasks.latching(5, 200, rng)
    y = answer(model, batch.x)[1]
    assert accuracy(model, batch) == np.mean(
        [y[-1, b].argmax() == batch.target[-1, b] for b in range(200)]
    )
    every = batch._replace(steps=None)
    assert accuracy(model, every) == (y.argmax(-1) == batch.target).mean() != accuracy(model, batch)


def params_and_gradients():
    rng = np.random.default_rng(0)
    return [
        Model(init_model(lstm, 2, 3, 1, rng).cell, readout.init_params(3, 1, rng, bias=False))
        for _ in range(4)
    ]


def arrays(tree):
    return [value for _, value in leaves(tree)]


def test_gradient_descent_goes_down_the_gradient():
    params, g, *_ = params_and_gradients()
    for got, p, d in zip(*map(arrays, (sgd(0.1)(params, g), params, g)), strict=True):
        assert np.array_equal(got, p - 0.1 * d)


def test_momentum_remembers_the_gradients_before():
    params, *gradients = params_and_gradients()
    update = sgd(0.1, momentum=0.5)
    want, velocity = arrays(params), [0] * len(arrays(params))
    for g in gradients:
        params = update(params, g)
        velocity = [0.5 * v + d for v, d in zip(velocity, arrays(g), strict=True)]
        want = [p - 0.1 * v for p, v in zip(want, velocity, strict=True)]
    assert all(
        np.allclose(got, right, rtol=1e-13) for got, right in zip(arrays(params), want, strict=True)
    )


def test_adam_divides_the_mean_gradient_by_its_root_mean_square():
    params, *gradients = params_and_gradients()
    update, want = adam(0.1, beta_1=0.8, beta_2=0.95, epsilon=1e-3), arrays(params)
    for count in (1, 2, 3):
        params = update(params, gradients[count - 1])
        seen = [arrays(g) for g in gradients[:count]]
        for place, p in enumerate(want):
            mean = sum(0.2 * 0.8 ** (count - 1 - s) * g[place] for s, g in enumerate(seen)) / (
                1 - 0.8**count
            )
            square = sum(
                0.05 * 0.95 ** (count - 1 - s) * g[place] ** 2 for s, g in enumerate(seen)
            ) / (1 - 0.95**count)
            want[place] = p - 0.1 * mean / (np.sqrt(square) + 1e-3)
    assert all(
        np.allclose(got, right, rtol=1e-12) for got, right in zip(arrays(params), want, strict=True)
    )


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate():
    params, g, *_ = params_and_gradients()
    for got, p, d in zip(*map(arrays, (adam(0.01)(params, g), params, g)), strict=True):
        assert np.allclose(p - got, 0.01 * np.sign(d), rtol=1e-5)


@pytest.mark.parametrize("clip", [None, 0.05])
def test_training_is_the_loop_of_its_lines(clip):
    start = init_model(rnn, 2, 4, 1, np.random.default_rng(0))
    rng, seen = np.random.default_rng(1), []
    history = train(
        start,
        lambda: tasks.adding(5, 3, rng),
        4,
        optimiser=sgd(0.3),
        clip=clip,
        callback=lambda *now: seen.append(now),
    )
    model, rng = start, np.random.default_rng(1)
    for update in range(4):
        value, g = loss_and_gradients(model, tasks.adding(5, 3, rng))
        size = global_norm(g)
        factor = 1 if clip is None else min(1, clip / size)
        assert clip is None or factor < 1
        model = Model(
            *(
                type(p)(*(a - 0.3 * factor * d for a, d in zip(p, q, strict=True)))
                for p, q in zip(model, g, strict=True)
            )
        )
        assert history.loss[update] == pytest.approx(value, rel=1e-13)
        assert history.norm[update] == pytest.approx(size, rel=1e-12)
        assert (seen[update][0], *seen[update][2:]) == (
            update + 1,
            history.loss[update],
            history.norm[update],
        )
    for got, right in zip(arrays(history.model), arrays(model), strict=True):
        assert np.allclose(got, right, rtol=1e-12)
    assert seen[-1][1] is history.model and len(seen) == len(history.loss) == 4


def test_a_callback_can_end_the_training():
    rng = np.random.default_rng(0)
    history = train(
        init_model(rnn, 2, 4, 1, rng),
        lambda: tasks.adding(5, 3, rng),
        100,
        optimiser=sgd(0.1),
        callback=lambda update, *_: update == 7,
    )
    assert len(history.loss) == len(history.norm) == 7


def test_training_leaves_the_model_it_was_given_alone_and_keeps_single_precision():
    rng = np.random.default_rng(0)
    for optimiser in (sgd(0.1, 0.9), adam(0.01)):
        model = init_model(lstm, 2, 4, 1, rng, dtype=np.float32)
        before = [value.copy() for value in arrays(model)]
        history = train(model, lambda: tasks.adding(5, 3, rng), 3, optimiser=optimiser, clip=1e-3)
        assert all(map(np.array_equal, before, arrays(model)))
        assert {value.dtype for value in arrays(history.model)} == {np.dtype(np.float32)}
        assert not any(map(np.array_equal, before, arrays(history.model)))


@every_cell
def test_a_bit_is_latched_over_twenty_steps(cell):
    rng = np.random.default_rng(0)
    history = train(
        init_model(cell, 1, 10, 2, rng),
        lambda: tasks.latching(20, 20, rng),
        150,
        optimiser=adam(0.02),
        clip=1.0,
        loss="softmax_cross_entropy",
    )
    assert history.loss[:5].mean() > 0.5 and history.loss[-20:].mean() < 0.1
    assert accuracy(history.model, tasks.latching(20, 300, rng)) > 0.97


def test_bad_input_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="^loss: got 'hinge', wanted "):
        loss_and_gradients(init_model(rnn, 2, 4, 1, rng), tasks.adding(5, 3, rng), "hinge")
