"""The wire format between Python and the page, and how its numbers are packed.

A figure's page carries one JSON object, a `Spec`. All that differs between settings is in its
`table`: int16 numbers, one `Series` after another, in the order of `items` (in each the order of
its `series`), then `columns`, then `words`. With a kernel the page gets a `Reply` for a setting
that is not on the grid. The script reads them in `script/wire.js`, whose typedefs have the same
keys; a test compares the two.
"""

import base64
import zlib
from typing import TypedDict

import numpy as np

from bptt_core._checks import wanted
from bptt_core.explorer.picture import GAP


class Series(TypedDict):
    """n numbers at every setting, in the order of the grid: the last control changes fastest."""

    n: int  # numbers at one setting
    varies: list  # the controls, by number, along which they change; stored once along the others
    along: int  # numbers are differences along this control, then along n; −1: along n alone


class Control(TypedDict):
    """A slider or a choice."""

    name: str  # in the address, and the trait in Python
    symbol: str  # another name in the address, or null
    label: str  # what the reader sees
    values: list  # its grid: numbers, or the names of options
    texts: list  # the same as the page writes them
    start: int  # number of the first setting
    options: bool  # whether it is a choice


class Item(TypedDict):
    """An artist that moves or changes."""

    gid: str  # its element has the id {uid}-{panel}-{gid}
    panel: int  # number of its picture
    kind: str  # "line", "area", "label" or "boxes"
    radius: float  # of its markers in points, or 0
    set: dict  # of a text that changes: {offset, size, anchor, fill, halo}, in points; else null
    below: str  # the colour of shades below 0, or null
    time: bool  # Play lets it grow
    drag: list  # the controls, by number, that its markers drag, or null
    click: list  # the controls, by number, that a click on its picture sets, or null
    at: list  # x and y at the first setting; null but for texts, if it stays where it is
    series: dict  # any of "x", "y", "shade" and "word", each a Series


class Column(TypedDict):
    """One column of the table of numbers; a number of its series is one of `digits`."""

    name: str  # its heading
    series: Series


class Words(TypedDict):
    """The sentences and all other texts that change, as numbers of words."""

    list: list  # the words
    places: list  # a Series for each word of a sentence


class Spec(TypedDict):
    """All that the script knows of a figure."""

    name: str  # its address
    uid: str  # the id of its element, unique on the page
    title: str  # for the caption of what is saved
    controls: list  # of Control
    play: int  # the control, by number, that Play moves; −1: Play lets curves grow; null: no Play
    items: list  # of Item
    columns: list  # of Column
    words: Words
    table: str  # all series: low bytes, then high bytes, deflated, base64


class Change(TypedDict):
    """An item at one setting."""

    x: list  # coordinates in 1/16 of a point, −32768 for none; null if it stays where it is
    y: list
    shade: list  # from −200 to 200, or null
    word: str  # what a text says, or null


class Reply(TypedDict):
    """A kernel's answer: one setting, exactly."""

    at: list  # the settings, in the order of the controls
    texts: list  # the same as the page writes them
    words: str  # the sentence
    items: list  # of Change, in the order of the items
    cells: list  # the columns of the table of numbers, as `digits`
    error: str  # instead of all but `at`: what the function raised


def pack(arrays):
    """[Series of each int16 array (*grid, n)], and all their numbers as text: deflated, base64."""
    found = [_small(array) for array in arrays]
    numbers = np.concatenate([numbers for _, numbers in found])
    return [series for series, _ in found], base64.b64encode(_deflate(numbers)).decode()


def _small(array):
    """(Series, its numbers): what does not change along an axis of the grid is stored once for it.

    What is left is differenced along n, and along the axis of the grid that then packs best.
    Overflow wraps around, and back when the script sums the differences."""
    varies = []
    for axis in range(array.ndim - 1):
        first = array.take([0], axis)
        if (array != first).any():
            varies.append(axis)
        else:
            array = first
    curve = np.diff(array, prepend=np.int16(0))
    options = {-1: curve} | {k: np.diff(curve, axis=k, prepend=np.int16(0)) for k in varies}
    best = min(options, key=lambda axis: len(_deflate(options[axis])))
    return Series(n=array.shape[-1], varies=varies, along=best), options[best].ravel()


def _deflate(numbers):
    """All low bytes, then all high bytes, deflated."""
    planes = numbers.astype("<i2").ravel().view(np.uint8).reshape(-1, 2).T
    return zlib.compress(planes.tobytes(), 9)


def encode(sentences, texts):
    """Sentences and other texts as numbers of words: (words, [numbers for each place in a
    sentence], {gid: numbers}).

    sentences  n of them; each is split at its spaces
    texts      {gid: n strings}; each is one word, spaces and all
    ValueError: more than 32,767 different words."""
    split = [sentence.split(" ") for sentence in sentences]
    found = {"", *(word for sentence in split for word in sentence)}
    found.update(*texts.values())
    words = sorted(found)  # the empty one is word 0
    if len(words) > np.iinfo(np.int16).max:
        raise wanted("function", f"{len(words):,} different words", "32,767 at most")
    number = {word: i for i, word in enumerate(words)}
    codes = np.zeros((len(split), max(map(len, split))), np.int16)
    for row, sentence in zip(codes, split, strict=True):
        row[: len(sentence)] = [number[word] for word in sentence]
    said = {gid: np.array([number[word] for word in each], np.int16) for gid, each in texts.items()}
    return words, list(codes.T), said


def digits(values):
    """Numbers as int16, to three digits from 1e-18 to 1e17: 0 for what is smaller, `GAP` for NaN
    and what is larger.

    900 steps per power of ten: m · 10^(e − 2) is ±(1 + 900 (e + 18) + m − 100). The script undoes
    it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(np.abs(values)))
        mantissa = np.rint(np.abs(values) / 10.0 ** (power - 2))
    power, mantissa = np.where(mantissa == 1000, (power + 1, 100 + 0 * mantissa), (power, mantissa))
    code = np.sign(values) * (1 + 900 * (power + 18) + mantissa - 100)
    return np.where(power < -18, 0, np.where(power <= 17, code, GAP)).astype(np.int16)
