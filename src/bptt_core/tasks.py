"""Small tasks that need memory. Each call draws a new batch from `rng`.

first_letter    which letter came first, asked at the end
adding          two numbers among many, their sum at the end: a real-valued task
copying         a word, a pause, and the same word again
temporal_order  which of two symbols came first, and which second
latching        one bit at the start, then noise
characters      the next character of a short English text

Every task returns a `Batch`; its `target` and `steps` go to `readout.squared_error` or
`softmax_cross_entropy`.
"""

from typing import NamedTuple

import numpy as np

from bptt_core._checks import is_whole, wanted

__all__ = [
    "ADDING_BASELINE",
    "ALPHABET",
    "TEXT",
    "Batch",
    "adding",
    "characters",
    "copying",
    "copying_baseline",
    "encode",
    "first_letter",
    "latching",
    "temporal_order",
]

TEXT = """\
On Monday the keeper climbs the stair and lights the lamp. The lamp turns, the sea turns, and the \
night goes by. On Tuesday the keeper climbs the stair and cleans the glass. The glass is clear, \
the sea is grey, and the night goes by. On Wednesday the keeper climbs the stair and winds the \
clock. The clock strikes one, the clock strikes two, and the night goes by. On Thursday the \
keeper climbs the stair and counts the ships. One ship goes out, two ships come in, and the night \
goes by. On Friday the keeper climbs the stair and writes a letter. The letter is short, the \
winter is long, and the night goes by. On Saturday the keeper climbs the stair and reads the \
letter again. The words stay the same, the voice is far away, and the night goes by. On Sunday \
the keeper sleeps. The lamp is dark, the glass is dark, and no ship goes out and no ship comes \
in.
Who remembers Monday when Sunday comes? The stair remembers, for every step is worn. The clock \
remembers, for every wheel has turned. The sea forgets. The sea forgets the ship that went out, \
the sea forgets the ship that came in, and the sea forgets the lamp. But the keeper keeps a book \
beside the lamp, and in the book there is a line for every night. The line of this night leans on \
the line of the last night, and that line leans on the line before. So the first line is still in \
the last line, if the hand that writes is steady and the page is not too long.
On Monday the keeper climbs the stair and lights the lamp. The lamp turns, the sea turns, and the \
night goes by.
"""
ALPHABET = "".join(sorted(set(TEXT)))
# Mean squared error of the best constant answer, which is 1: the variance of a sum of two uniforms.
ADDING_BASELINE = 1 / 6


class Batch(NamedTuple):
    """Inputs and what a network should answer."""

    x: np.ndarray  # (T, B, D)
    target: np.ndarray  # (T, B, K) numbers, or (T, B) classes; only those of `steps` count
    steps: str | None  # where there is a loss: "last", or None for every step


def first_letter(length, batch, rng, *, letters=4):
    """A row of random letters goes by, and at the end the class is the first of them.

    A channel for each letter, and one that is 1 at the first step and 0 after it. Guessing is right
    in 1 of `letters` cases. ValueError: a size that is too small or not whole, no generator.

    >>> x, target, steps = tasks.first_letter(3, 1, np.random.default_rng(0))
    >>> x[:, 0].tolist()
    [[0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]
    >>> target[-1].tolist(), steps
    ([3], 'last')
    """
    _check(rng, batch, length=(length, 1), letters=(letters, 2))
    row = rng.integers(0, letters, (length, batch))
    first = np.zeros((length, batch, 1))
    first[0] = 1
    x = np.concatenate([np.eye(letters)[row], first], axis=-1)
    return Batch(x, np.broadcast_to(row[0], (length, batch)), "last")


def adding(length, batch, rng):
    """x_t = (value in [0, 1), marker), one marker in each half;
    the target is the sum of the marked values.

    Always answering 1 has a mean squared error of 1/6, `ADDING_BASELINE`, not the 0.1767 often
    quoted.
    ValueError: a size that is too small or not whole, no generator.

    >>> x, target, steps = tasks.adding(4, 1, np.random.default_rng(0))
    >>> x[:, 0].round(2).tolist(), target[-1].round(2).tolist(), steps
    ([[0.64, 1.0], [0.27, 0.0], [0.04, 0.0], [0.02, 1.0]], [[0.65]], 'last')
    """
    _check(rng, batch, length=(length, 2))
    values = rng.random((length, batch))
    markers = np.zeros((length, batch))
    half = length // 2
    each = np.arange(batch)
    markers[rng.integers(0, half, batch), each] = 1
    markers[rng.integers(half, length, batch), each] = 1
    target = np.zeros((length, batch, 1))
    target[-1, :, 0] = (values * markers).sum(0)
    return Batch(np.stack([values, markers], -1), target, "last")


def copying(lag, batch, rng, *, word=5, symbols=4):
    """A word of random symbols, `lag` blanks, a signal; then the word again:
    T = 2 word + lag steps.

    Classes: the symbols 0, 1, …, then blank. Without memory the mean loss is `copying_baseline`.
    ValueError: a size that is too small or not whole, no generator.

    >>> x, target, _ = tasks.copying(2, 1, np.random.default_rng(0), word=2, symbols=3)
    >>> x[:, 0].argmax(-1).tolist(), target[:, 0].tolist()
    ([2, 1, 3, 4, 3, 3], [3, 3, 3, 3, 2, 1])
    """
    _check(rng, batch, lag=(lag, 1), word=(word, 1), symbols=(symbols, 1))
    blank = symbols
    signal = symbols + 1
    drawn = rng.integers(0, symbols, (word, batch))
    x = np.full((2 * word + lag, batch), blank)
    x[:word] = drawn
    x[word + lag - 1] = signal
    target = np.full(x.shape, blank)
    target[-word:] = drawn
    return Batch(np.eye(symbols + 2)[x], target, None)


def copying_baseline(lag, *, word=5, symbols=4):
    """word · ln(symbols) / T, the mean loss per step of a network that remembers nothing but the
    clock.

    >>> round(float(tasks.copying_baseline(20)), 3)
    0.231
    """
    return word * np.log(symbols) / (2 * word + lag)


def temporal_order(length, batch, rng):
    """A or B at two places among four distractors; the class is the pair in its order, AA, AB,
    BA or BB.

    The places are drawn from [T/10, T/5) and [2T/5, T/2).
    ValueError: a size that is too small or not whole, no generator.

    >>> x, target, _ = tasks.temporal_order(10, 1, np.random.default_rng(0))
    >>> "".join("ABcdef"[k] for k in x[:, 0].argmax(-1)), target[-1].tolist()
    ('fBedBccccf', [3])
    """
    _check(rng, batch, length=(length, 10))
    symbols = rng.integers(2, 6, (length, batch))
    first, second = rng.integers(0, 2, (2, batch))
    each = np.arange(batch)
    symbols[rng.integers(length // 10, length // 5, batch), each] = first
    symbols[rng.integers(2 * length // 5, length // 2, batch), each] = second
    return Batch(np.eye(6)[symbols], np.broadcast_to(2 * first + second, (length, batch)), "last")


def latching(length, batch, rng, *, noise=0.2):
    """x_1 = ±1 tells the class, everything after it is noise; the class is asked at the end.

    ValueError: a size that is too small or not whole, no generator.

    >>> x, target, _ = tasks.latching(4, 1, np.random.default_rng(0))
    >>> x.ravel().round(2).tolist(), target[-1].tolist()
    ([1.0, 0.13, 0.02, -0.11], [1])
    """
    _check(rng, batch, length=(length, 2))
    sign = rng.integers(0, 2, batch)
    x = noise * rng.standard_normal((length, batch, 1))
    x[0, :, 0] = 2 * sign - 1
    return Batch(x, np.broadcast_to(sign, (length, batch)), "last")


def characters(length, batch, rng):
    """Windows of `TEXT`; at every step the class is the next character, an index into `ALPHABET`.

    ValueError: a size that is too small or not whole, a length beyond the text, no generator.

    >>> x, target, _ = tasks.characters(5, 1, np.random.default_rng(0))
    >>> "".join(tasks.ALPHABET[k] for k in target[:, 0])
    'ne be'
    """
    _check(rng, batch, length=(length, 1))
    codes = encode(TEXT)
    if length >= len(codes):
        raise wanted("length", length, f"fewer than {len(codes)} characters")
    window = rng.integers(0, len(codes) - length, batch) + np.arange(length + 1)[:, None]
    return Batch(np.eye(len(ALPHABET))[codes[window[:-1]]], codes[window[1:]], None)


def encode(text):
    """Text → indices into `ALPHABET`; a ValueError names a character that is not in it.

    >>> tasks.encode("sea").tolist()
    [28, 16, 12]
    """
    if strange := set(text) - set(ALPHABET):
        raise wanted("text", repr(min(strange)), f"characters of {ALPHABET!r}")
    return np.array([ALPHABET.index(character) for character in text], dtype=int)


def _check(rng, batch, **sizes):
    """ValueError unless rng can draw and every size, given as name=(value, least),
    is a whole number not below."""
    if not isinstance(rng, np.random.Generator):
        raise wanted("rng", type(rng).__name__, "a numpy.random.Generator")
    for name, (value, least) in {"batch": (batch, 1), **sizes}.items():
        if not is_whole(value, least):
            raise wanted(name, value, f"a whole number of at least {least}")
