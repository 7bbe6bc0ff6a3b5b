"""What `explorer` puts into a page: the markup around a figure, and the table of coordinates and sentences, packed."""

import base64
import json
import zlib
from html import escape

import numpy as np


def squeeze(array):
    """Drop the grid axes along which `array` (*grid, points) never changes, and say which are left."""
    varies = []
    for axis in range(array.ndim - 1):
        first = array.take([0], axis)
        varies.append(bool((array != first).any()))
        array = array if varies[-1] else first
    return array, varies


def encode(sentences, shape):
    """Sentences over a grid of `shape` as a list of words and, for each place in the sentence, which word stands there."""
    split = [sentence.split(" ") for sentence in sentences]
    words = sorted({"", *(word for sentence in split for word in sentence)})
    number = {word: i for i, word in enumerate(words)}
    codes = np.zeros((len(split), max(map(len, split))), np.int16)  # word 0 is the empty one
    for row, sentence in zip(codes, split, strict=True):
        row[: len(sentence)] = [number[word] for word in sentence]
    columns, varies = zip(*(squeeze(column.reshape(*shape, 1)) for column in codes.T), strict=True)
    return words, [column.ravel() for column in columns], list(varies)


def difference(array):
    """Differences of int16 `array` (*grid, points) along the curve, and along the grid axis that then packs best.

    Returns (differences, that axis), −1 for none. Overflow wraps around, and back again when they are summed."""
    curve = np.diff(array, prepend=np.int16(0))
    grids = [axis for axis, size in enumerate(array.shape[:-1]) if size > 1]
    options = {-1: curve} | {axis: np.diff(curve, axis=axis, prepend=np.int16(0)) for axis in grids}
    best = min(options, key=lambda axis: len(_deflate(options[axis])))
    return options[best].ravel(), best


def pack(numbers):
    """int16 numbers as text: all low bytes, then all high bytes, deflated, base64."""
    return base64.b64encode(_deflate(numbers)).decode()


def _deflate(numbers):
    return zlib.compress(numbers.astype("<i2").ravel().view(np.uint8).reshape(-1, 2).T.tobytes(), 9)


def axes(ax, fig):
    """How to read values back from coordinates in points: per axis [logarithmic?, a, b], value = a + b · c, or 10 to that."""
    height = fig.get_figheight() * 72
    corners = ax.transData.inverted().transform(np.array([[0, height], [100, height - 100]]) * fig.dpi / 72)
    read = []
    for scale, ends in zip((ax.get_xscale(), ax.get_yscale()), corners.T, strict=True):
        start, end = np.log10(ends) if scale == "log" else ends
        read.append([scale == "log", float(start), float((end - start) / 100)])
    return read


def html(controls, spec, pictures, texts):
    """The lab as one element. Without the script it is the picture, the texts and nothing that does not work."""
    uid, play = spec["uid"], any(item["time"] for item in spec["items"])
    panels = "".join(f'<div class="gtt-panel" style="--width:{width:g}">{picture}</div>' for picture, width in pictures)
    knobs = "".join(
        _choice(key, c, uid) if hasattr(c, "options") else _slider(key, c, spec) for key, c in controls.items()
    )
    buttons = [(f'class="gtt-play" data-name="Play"', "Play")] if play else []
    buttons += [('class="gtt-reset"', "Reset")]
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"""<div class="gtt-explorer" id="{uid}" role="group" aria-labelledby="{uid}-title">
<p class="gtt-title" id="{uid}-title">{escape(texts["title"])}</p>
<p class="gtt-question">{escape(texts["question"])}</p>
<div class="gtt-panels">{panels}</div>
<p class="gtt-readout">{_stressed(texts["words"])}</p>
<div class="gtt-controls">{knobs}
<div class="gtt-buttons">{"".join(_button(attributes, name) for attributes, name in buttons)}</div></div>
<p class="gtt-reading">{escape(texts["reading"])}</p>
<details class="gtt-numbers"><summary>Numbers of the curves shown</summary>{_button('class="gtt-copy"', "Copy")}
<div class="gtt-scroll" tabindex="0" role="region" aria-label="Table of the curves shown"><table></table></div></details>
<p class="gtt-status" role="status"></p><p class="gtt-error" role="alert"></p>
<script type="application/json">{data}</script></div>"""


def _slider(key, control, spec):
    values, texts, start = next((c["values"], c["texts"], c["start"]) for c in spec["controls"] if c["name"] == key)
    return (
        f'<div class="gtt-slider" data-control="{key}"><label><span>{escape(control.label)}</span>'
        f'<input type="range" min="0" max="{len(values) - 1}" value="{start}" step="1" disabled data-lm-suppress-shortcuts="true" '
        f'aria-valuetext="{escape(texts[start])}" style="--at:{start / (len(values) - 1):.4g}"></label>'
        f"<output>{escape(texts[start])}</output></div>"
    )


def _choice(key, control, uid):
    options = "".join(
        f'<label><input type="radio" name="{uid}-{key}" value="{escape(value)}" disabled data-lm-suppress-shortcuts="true"'
        f"{' checked' if value == control.start else ''}><span>{escape(label)}</span></label>"
        for value, label in control.options.items()
    )
    return f'<fieldset class="gtt-choice" data-control="{key}"><legend>{escape(control.label)}</legend>{options}</fieldset>'


def _button(attributes, name):
    return f'<button type="button" {attributes} disabled>{name}</button>'


def _stressed(text):
    return "".join(f"<strong>{escape(t)}</strong>" if i % 2 else escape(t) for i, t in enumerate(text.split("*")))
