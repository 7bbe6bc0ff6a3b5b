"""What `explorer` puts into a page: the markup around a figure, and the table of coordinates and sentences, packed."""

import base64
import json
import re
import zlib
from html import escape

import numpy as np

from bptt_core._picture import GAP


def shrink(array):
    """int16 `array` (*grid, points) made small: (differences, the grid axes they vary along, one differenced or −1).

    Grid axes along which nothing changes are dropped. What is left is differenced along the curve, and along the grid
    axis that then packs best. Overflow wraps around, and back again when the differences are summed."""
    array, varies = _squeeze(array)
    curve = np.diff(array, prepend=np.int16(0))
    options = {-1: curve} | {i: np.diff(curve, axis=i, prepend=np.int16(0)) for i, moves in enumerate(varies) if moves}
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


def html(controls, spec, pictures, texts):
    """The figure as one element. Without the script it is the picture and the texts, and nothing that does not work."""
    uid, time = spec["uid"], any(item["time"] for item in spec["items"])
    panels = "".join(f'<div class="gtt-panel" style="--width:{width:g}">{svg}</div>' for svg, width in pictures)
    knobs = "".join(_choice(c, uid) if c["options"] else _slider(c) for c in _described(controls, spec))
    play = _button("gtt-play", "Play", ' data-name="Play"') if time else ""
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"""<div class="gtt-explorer" id="{uid}" role="group" aria-labelledby="{uid}-title">
<p class="gtt-title" id="{uid}-title">{_rich(texts["title"])}</p>
<p class="gtt-question">{_rich(texts["question"])}</p>
<div class="gtt-panels">{panels}</div>
<div class="gtt-said" data-longest="{escape(texts["longest"])}">
<p class="gtt-readout">{_rich(texts["words"])}</p></div>
<div class="gtt-controls">{knobs}<div class="gtt-buttons">{play}{_button("gtt-reset", "Reset")}</div></div>
<p class="gtt-reading">{_rich(texts["reading"])}</p>
<details class="gtt-numbers"><summary>Numbers of the curves shown</summary>{_button("gtt-copy", "Copy")}
<div class="gtt-scroll" tabindex="0" role="region" aria-label="Table: {escape(texts["title"])}"><table></table></div>
</details><p class="gtt-status" role="status"></p><p class="gtt-error" role="alert"></p>
<script type="application/json">{data}</script></div>"""


def _described(controls, spec):
    return [c | {"label": controls[c["name"]].label} for c in spec["controls"]]


def _slider(c):
    start, last = c["start"], len(c["values"]) - 1
    value = escape(c["texts"][start])
    return f"""<div class="gtt-slider" data-control="{c["name"]}"><label><span>{_rich(c["label"])}</span>
<input type="range" min="0" max="{last}" value="{start}" step="1" aria-valuetext="{value}"
 style="--at:{start / last:.4g}" disabled data-lm-suppress-shortcuts="true"></label><output>{value}</output></div>"""


def _choice(c, uid):
    options = [
        f"""<label><input type="radio" name="{uid}-{c["name"]}" value="{escape(value)}"{" checked" * (i == c["start"])}
 disabled data-lm-suppress-shortcuts="true"><span>{escape(text)}</span></label>"""
        for i, (value, text) in enumerate(zip(c["values"], c["texts"], strict=True))
    ]
    legend = f"<legend>{escape(c['label'])}</legend>"
    return f'<fieldset class="gtt-choice" data-control="{c["name"]}">{legend}{"".join(options)}</fieldset>'


def _button(kind, name, more=""):
    return f'<button type="button" class="{kind}"{more} disabled data-lm-suppress-shortcuts="true">{name}</button>'


def _rich(text):
    """HTML of a sentence: *stressed words* are strong, and W_hh has an index."""
    parts = [re.sub(r"_(\w+)", r"<sub>\1</sub>", escape(part), flags=re.ASCII) for part in text.split("*")]
    return "".join(f"<strong>{part}</strong>" if i % 2 else part for i, part in enumerate(parts))
