"""The tasks ask what they say they ask, and their baselines are what they say they are."""

import numpy as np
import pytest

from bptt_core import tasks
from bptt_core.readout import softmax_cross_entropy, squared_error

DRAWS = {
    "first_letter": lambda rng: tasks.first_letter(7, 50, rng),
    "adding": lambda rng: tasks.adding(7, 50, rng),
    "copying": lambda rng: tasks.copying(3, 50, rng),
    "temporal_order": lambda rng: tasks.temporal_order(20, 50, rng),
    "latching": lambda rng: tasks.latching(6, 50, rng),
    "characters": lambda rng: tasks.characters(9, 50, rng),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_task_is_the_same_for_the_same_generator_and_new_for_another(name):
    first, again, other = (DRAWS[name](np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.x, again.x) and np.array_equal(first.target, again.target)
    assert not np.array_equal(first.x, other.x)
    assert (
        first.x.shape[1] == 50
        and first.x.shape[0] == len(first.target)
        and np.isfinite(first.x).all()
    )


@pytest.mark.parametrize("name", DRAWS)
def test_a_loss_of_the_readout_takes_the_batch(name):
    batch = DRAWS[name](np.random.default_rng(0))
    if name == "adding":
        loss, dy = squared_error(np.zeros((*batch.x.shape[:2], 1)), batch.target, steps=batch.steps)
    else:
        loss, dy = softmax_cross_entropy(
            np.zeros((*batch.x.shape[:2], 40)), batch.target, steps=batch.steps
        )
    assert loss > 0 and (batch.steps is None or not dy[:-1].any())


def test_first_letter_asks_for_the_letter_at_the_flag():
    x, target, steps = tasks.first_letter(6, 300, np.random.default_rng(0), letters=3)
    assert x.shape == (6, 300, 4) and (x[..., :3].sum(-1) == 1).all() and steps == "last"
    assert (x[0, :, 3] == 1).all() and not x[1:, :, 3].any()
    assert np.array_equal(target[-1], x[0, :, :3].argmax(-1))
    assert set(np.unique(target)) == {0, 1, 2}
    for later in x[1:, :, :3].argmax(-1):
        assert abs((later == target[-1]).mean() - 1 / 3) < 0.1  # no other step tells


def test_the_target_of_adding_is_the_sum_of_the_two_marked_values():
    for length in (2, 7):
        x, target, steps = tasks.adding(length, 200, np.random.default_rng(0))
        values, markers = x[..., 0], x[..., 1]
        assert set(np.unique(markers)) <= {0, 1} and steps == "last"
        assert (markers[: length // 2].sum(0) == 1).all() and (
            markers[length // 2 :].sum(0) == 1
        ).all()
        assert np.allclose(target[-1, :, 0], (values * markers).sum(0), rtol=0, atol=1e-15)
        assert (markers.sum(1) > 0).all()  # every step is marked at some time
        assert 0 <= values.min() < 0.05 and 0.95 < values.max() < 1


def test_always_answering_one_has_a_mean_squared_error_of_a_sixth():
    target = tasks.adding(4, 400_000, np.random.default_rng(0)).target[-1]
    assert tasks.ADDING_BASELINE == 1 / 6
    error = ((target - 1) ** 2).mean()
    assert error == pytest.approx(1 / 6, abs=1e-3) and abs(error - 0.1767) > 5e-3
    assert ((target - 1.05) ** 2).mean() > error < ((target - 0.95) ** 2).mean()


def test_copying_repeats_the_word_after_the_signal():
    word, lag, symbols = 4, 6, 3
    x, target, steps = tasks.copying(lag, 100, np.random.default_rng(0), word=word, symbols=symbols)
    shown = x.argmax(-1)
    assert (
        x.shape == (2 * word + lag, 100, symbols + 2) and (x.sum(-1) == 1).all() and steps is None
    )
    assert np.array_equal(target[-word:], shown[:word]) and (target[:-word] == symbols).all()
    assert set(np.unique(shown[:word])) == set(range(symbols))
    assert (shown[word + lag - 1] == symbols + 1).all()
    assert (np.delete(shown[word:], lag - 1, axis=0) == symbols).all()


def test_the_baseline_of_copying_is_the_loss_of_a_guess():
    batch = tasks.copying(6, 100, np.random.default_rng(0), word=4, symbols=3)
    y = np.full((*batch.target.shape, 5), -1e9)
    y[:-4, :, 3] = 0
    y[-4:, :, :3] = 0
    loss, _ = softmax_cross_entropy(y, batch.target, reduction="mean")
    assert loss == pytest.approx(tasks.copying_baseline(6, word=4, symbols=3), rel=1e-14)


def test_temporal_order_asks_for_the_two_symbols_in_their_order():
    x, target, steps = tasks.temporal_order(20, 300, np.random.default_rng(0))
    shown = x.argmax(-1)
    assert set(np.unique(shown)) == set(range(6)) and (x.sum(-1) == 1).all() and steps == "last"
    assert ((shown < 2).sum(0) == 2).all() and set(np.unique(target)) == {0, 1, 2, 3}
    for sequence, classes in zip(shown.T, target.T, strict=True):
        first, second = np.flatnonzero(sequence < 2)
        assert 2 <= first < 4 and 8 <= second < 10
        assert (classes == 2 * sequence[first] + sequence[second]).all()


def test_latching_shows_its_bit_once():
    x, target, steps = tasks.latching(6, 4000, np.random.default_rng(0), noise=0.5)
    assert (
        np.array_equal(np.sign(x[0, :, 0]), 2 * target[-1] - 1)
        and (np.abs(x[0]) == 1).all()
        and steps == "last"
    )
    assert (
        x[1:].std() == pytest.approx(0.5, rel=0.02)
        and abs(np.corrcoef(x[3, :, 0], target[-1])[0, 1]) < 0.05
    )
    assert target.mean() == pytest.approx(0.5, abs=0.03)


def test_characters_asks_for_the_next_character_of_the_text():
    x, target, steps = tasks.characters(30, 40, np.random.default_rng(0))
    for b in range(40):
        seen = "".join(tasks.ALPHABET[k] for k in x[:, b].argmax(-1))
        wanted = "".join(tasks.ALPHABET[k] for k in target[:, b])
        assert seen[1:] == wanted[:-1] and seen + wanted[-1] in tasks.TEXT
    assert steps is None and (x.sum(-1) == 1).all()


def test_the_longest_window_is_the_text_without_its_last_character():
    batch = tasks.characters(len(tasks.TEXT) - 1, 2, np.random.default_rng(0))
    assert "".join(tasks.ALPHABET[k] for k in batch.target[:, 1]) == tasks.TEXT[1:]


def test_the_text_is_short_and_plain():
    assert 1200 < len(tasks.TEXT) < 1800 and tasks.TEXT.isascii() and len(tasks.ALPHABET) < 40
    assert "".join(tasks.ALPHABET[k] for k in tasks.encode(tasks.TEXT)) == tasks.TEXT


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda rng: tasks.adding(1, 3, rng), "length"),
        (lambda rng: tasks.first_letter(0, 3, rng), "length"),
        (lambda rng: tasks.first_letter(3, 3, rng, letters=1), "letters"),
        (lambda rng: tasks.copying(0, 3, rng), "lag"),
        (lambda rng: tasks.temporal_order(9, 3, rng), "length"),
        (lambda rng: tasks.latching(1, 3, rng), "length"),
        (lambda rng: tasks.characters(0, 3, rng), "length"),
        (lambda rng: tasks.characters(len(tasks.TEXT), 3, rng), "length"),
        (lambda rng: tasks.adding(5, 0, rng), "batch"),
        (lambda rng: tasks.copying(3, 4, rng, word=0), "word"),
        (lambda rng: tasks.copying(3, 4, rng, symbols=0), "symbols"),
        (lambda rng: tasks.latching(5.0, 3, rng), "length"),
        (lambda rng: tasks.adding(5, 3, 0), "rng"),
        (lambda rng: tasks.encode("naïve"), "text"),
    ],
)
def test_bad_input_is_named(call, argument):
    with pytest.raises(ValueError, match=f"^{argument}: got .*, wanted "):
        call(np.random.default_rng(0))
