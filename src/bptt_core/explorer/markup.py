"""The markup around a movable figure."""

import json
import re
from html import escape

# until the script is there; and JupyterLab leaves the keys of such a field alone
OFF = 'disabled data-lm-suppress-shortcuts="true"'
SHARED = {
    "link": "Copy link",
    "embed": "Copy code to embed",
    "present": "Fill the screen",
    "svg": "Save SVG",
    "png": "Save PNG",
    "csv": "Save CSV",
}
FEW = 12  # a slider with so many settings has a tick for each


def html(spec, pictures, texts):
    """The figure as one element. Without the script it is the picture and the texts, and nothing
    that does not work.

    spec      a `table.Spec`
    pictures  (SVG, width in inches) of each panel
    texts     title, question, words, longest (the longest sentence) and reading"""
    uid = spec["uid"]
    panels = "".join(
        f'<div class="gtt-panel" style="--width:{width:g}">{svg}</div>' for svg, width in pictures
    )
    knobs = "".join(_choice(c, uid) if c["options"] else _slider(c) for c in spec["controls"])
    play = "" if spec["play"] is None else _button("gtt-play", "Play")
    buttons = f'<div class="gtt-buttons">{play}{_button("gtt-reset", "Reset")}</div>'
    # JSON writes what a parser of HTML could take for a tag some other way
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    known = f'id="{uid}" data-name="{spec["name"]}"'
    return f"""<div class="gtt-explorer" {known} role="group" aria-labelledby="{uid}-title">
<p class="gtt-title" id="{uid}-title">{_rich(texts["title"])}</p>
<p class="gtt-question">{_rich(texts["question"])}</p>
<div class="gtt-panels">{panels}</div>
<div class="gtt-said" data-longest="{escape(texts["longest"])}">
<p class="gtt-readout">{_rich(texts["words"])}</p></div>
<div class="gtt-controls">{knobs}{buttons}</div>
<p class="gtt-reading">{_rich(texts["reading"])}</p>
<div class="gtt-more">{_numbers(texts["title"])}{_share()}</div>
<p class="gtt-status" role="status"></p><p class="gtt-error" role="alert"></p>
<script type="application/json">{data}</script></div>"""


def _numbers(title):
    """The table of numbers, which the script fills; js/share.js copies it."""
    return f"""<details class="gtt-numbers"><summary>Numbers of the curves shown</summary>
<button type="button" class="gtt-copy" value="numbers" {OFF}>Copy</button>
<div class="gtt-scroll" tabindex="0" role="region" aria-label="Table: {escape(title)}">
<table></table></div></details>"""


def _slider(control):
    last = len(control["values"]) - 1
    start = control["start"]
    texts = [escape(text) for text in control["texts"]]
    value = texts[start]
    room = max(map(len, control["texts"]))
    ends = f' data-first="{texts[0]}" data-last="{texts[-1]}"' if last < FEW else ""
    known = f'data-control="{control["name"]}"{ends}'
    return f"""<div class="gtt-slider" {known}>
<label><span>{_rich(control["label"])}</span>
<input type="range" min="0" max="{last}" value="{start}" step="1" aria-valuetext="{value}"
 style="--at:{start / last:.4g};--steps:{last}" {OFF}></label>
<output style="min-width:{room}ch">{value}</output></div>"""


def _choice(control, uid):
    name = control["name"]
    options = [
        f"""<label><input type="radio" name="{uid}-{name}" value="{escape(value)}"
{" checked" * (i == control["start"])} {OFF}><span>{escape(text)}</span></label>"""
        for i, (value, text) in enumerate(zip(control["values"], control["texts"], strict=True))
    ]
    legend = f"<legend>{escape(control['label'])}</legend>"
    return f"""<fieldset class="gtt-choice" data-control="{name}">{legend}
{"".join(options)}</fieldset>"""


def _button(kind, name):
    return f'<button type="button" class="{kind}" {OFF}>{name}</button>'


def _share():
    """What a reader takes along; the values are those of js/share.js."""
    buttons = "".join(
        f'<button type="button" value="{value}" {OFF}>{name}</button>'
        for value, name in SHARED.items()
    )
    return (
        '<details class="gtt-share"><summary>Share</summary>'
        f'<div class="gtt-buttons">{buttons}</div></details>'
    )


def _rich(text):
    """HTML of a sentence: *stressed words* are strong, and W_hh has an index."""
    parts = [
        re.sub(r"_(\w+)", r"<sub>\1</sub>", escape(part), flags=re.ASCII)
        for part in text.split("*")
    ]
    return "".join(f"<strong>{part}</strong>" if i % 2 else part for i, part in enumerate(parts))
