"""The markup around a movable figure."""

import json
import re
from html import escape


def html(spec, pictures, texts):
    """The figure as one element. Without the script it is the picture and the texts, and nothing that does not work.

    spec      a `table.Spec`
    pictures  (SVG, width in inches) of each panel
    texts     title, question, words, longest (the longest sentence) and reading"""
    uid = spec["uid"]
    panels = "".join(
        f'<div class="gtt-panel" style="--width:{width:g}">{svg}</div>' for svg, width in pictures
    )
    knobs = "".join(_choice(c, uid) if c["options"] else _slider(c) for c in spec["controls"])
    play = "" if spec["play"] is None else _button("gtt-play", "Play")
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
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


def _button(kind, name):
    return f'<button type="button" class="{kind}" disabled data-lm-suppress-shortcuts="true">{name}</button>'


def _rich(text):
    """HTML of a sentence: *stressed words* are strong, and W_hh has an index."""
    parts = [
        re.sub(r"_(\w+)", r"<sub>\1</sub>", escape(part), flags=re.ASCII)
        for part in text.split("*")
    ]
    return "".join(f"<strong>{part}</strong>" if i % 2 else part for i, part in enumerate(parts))
