"""The table of coordinates and sentences that a page carries: made small, packed, base64."""

import base64
import zlib

import numpy as np

from bptt_core.explorer.picture import GAP


def shrink(array):
    """int16 `array` (*grid, points) made small: (differences, the grid axes they vary along, one differenced or −1).

    Grid axes along which nothing changes are dropped. What is left is differenced along the curve, and along the grid
    axis that then packs best. Overflow wraps around, and back again when the differences are summed."""
    array, varies = _squeeze(array)
    curve = np.diff(array, prepend=np.int16(0))
    options = {-1: curve} | {
        i: np.diff(curve, axis=i, prepend=np.int16(0)) for i, moves in enumerate(varies) if moves
    }
    best = min(options, key=lambda axis: len(_deflate(options[axis])))
    return options[best].ravel(), varies, best


def _squeeze(array):
    varies = []
    for axis in range(array.ndim - 1):
        first = array.take([0], axis)
        varies.append(bool((array != first).any()))
        array = array if varies[-1] else first
    return array, varies


def encode(sentences, shape):
    """Sentences over a grid of `shape` as words, and for each place in the sentence the number of the word there.

    Returns ({"list": words, "varies": which grid axes each place varies along}, [numbers of each place])."""
    split = [sentence.split(" ") for sentence in sentences]
    words = sorted({"", *(word for sentence in split for word in sentence)})
    number = {word: i for i, word in enumerate(words)}
    codes = np.zeros((len(split), max(map(len, split))), np.int16)  # word 0 is the empty one
    for row, sentence in zip(codes, split, strict=True):
        row[: len(sentence)] = [number[word] for word in sentence]
    places, varies = zip(*(_squeeze(place.reshape(*shape, 1)) for place in codes.T), strict=True)
    return {"list": words, "varies": varies}, [place.ravel() for place in places]


def digits(values):
    """Numbers as int16, to three digits from 1e-18 to 1e17: 0 for what is smaller, `GAP` for NaN and what is larger.

    900 steps per power of ten: m · 10^(e − 2) is ±(1 + 900 (e + 18) + m − 100). The script undoes it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(np.abs(values)))
        mantissa = np.rint(np.abs(values) / 10.0 ** (power - 2))
    power, mantissa = np.where(mantissa == 1000, (power + 1, 100 + 0 * mantissa), (power, mantissa))
    code = np.sign(values) * (1 + 900 * (power + 18) + mantissa - 100)
    return np.where(power < -18, 0, np.where(power <= 17, code, GAP)).astype(np.int16)


def pack(numbers):
    """int16 numbers as text: all low bytes, then all high bytes, deflated, base64."""
    return base64.b64encode(_deflate(numbers)).decode()


def _deflate(numbers):
    return zlib.compress(numbers.astype("<i2").ravel().view(np.uint8).reshape(-1, 2).T.tobytes(), 9)
