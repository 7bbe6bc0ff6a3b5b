"""What every question is: an element of the page, and with a kernel the same element, live.

`Question`  the widget around one kind of form. A reader's answer is its trait `answered`

The page stores nothing that Python did not compute: the form, the sentences, and a table that the
script looks up.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import anywidget
import traitlets

from bptt_core._checks import wanted
from bptt_core.ask.text import paragraphs, rich

HERE = Path(__file__).parent
PARTS = "read judge store choice steps curve order state code pages mount".split()
SHEET = (HERE / "ask.css").read_text(encoding="utf-8")
PALETTE = (HERE.parent / "explorer" / "explorer.css").read_text(encoding="utf-8")
HINTS = ("A hint", "One more hint")
COSTS = ("A hint, for a point", "One more, for a point")  # of a challenge


def script(progress=False):
    """All parts as one script, or with that of the course's page. Comments stay behind."""
    parts = [*PARTS[:-1], *(["progress"] if progress else []), PARTS[-1]]
    lines = [
        line.strip()
        for part in parts
        for line in (HERE / "script" / f"{part}.js").read_text(encoding="utf-8").splitlines()
    ]
    code = "\n".join(line for line in lines if line and not line.startswith("//"))
    return f'(() => {{\n"use strict";\n{code}\n}})();\n'


SCRIPT = script()
EXPORT = "export default { render: globalThis.gttAsk.render };\n"


class Element(anywidget.AnyWidget):
    """A piece of the page that the script brings to life."""

    _script = SCRIPT
    _esm = SCRIPT + EXPORT
    _css = PALETTE + SHEET
    _html = traitlets.Unicode().tag(sync=True)

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if "google.colab" in sys.modules:
            return data, metadata  # Colab shows every form it knows: leave it the live one alone
        linked = os.environ.get("BPTT_CORE_STATIC") == "linked"  # the book's pages load them once
        extra = "" if linked else f"<style>{self._css}</style><script>{self._script}</script>"
        return data | {"text/html": self._html + extra}, metadata


class Question(Element):
    """One question of the page.

    kind      what the script does with the form
    name      short and unique in the book: under this name the answer is kept, and `#ask-name` is
              its address
    question  what is asked, one sentence or two
    form      HTML of the controls
    spec      what the script looks up
    button    what the button says that hands the answer in; none: the form has its own
    answer    the solution, in words: "show me" opens it
    was       the truth in a few words, for "you expected, it was"
    hints     at most two, each a sentence
    reveals   names of cells, or ids, whose outputs stay folded until the question is answered or
              shown
    label     the line above the question
    solved    printed with the solution
    points    of a challenge: what it brings when it is solved. Each hint that was opened takes one,
              and the solution all

    Raises ValueError for a name that is no name, more than two hints, and an empty answer."""

    answered = traitlets.Dict().tag(sync=True)
    _made = Counter()

    def __init__(
        self,
        kind,
        name,
        question,
        form,
        spec,
        *,
        answer,
        was,
        button="Answer",
        hints=(),
        reveals=(),
        label="Before you look",
        solved=False,
        points=0,
    ):
        if not name.replace("-", "").replace("_", "").isalnum():
            raise wanted("name", repr(name), "letters, digits, - and _")
        if len(hints) > len(HINTS):
            raise wanted("hints", f"{len(hints)} hints", "two at most")
        if not answer:
            raise wanted("answer", repr(answer), "the solution in words")
        Question._made[name] += 1
        copy = Question._made[name]
        self._name = name
        self._question = question
        uid = f"ask-{name}" + (f"-{copy}" if copy > 1 else "")
        reveals = [reveals] if isinstance(reveals, str) else list(reveals)
        known = {"name": name, "was": rich(was)} | ({"reveals": reveals} if reveals else {})
        form = form.replace("{uid}", uid)
        more = "".join(
            _fold("gtt-ask-hint", title, hint)
            for title, hint in zip(COSTS if points else HINTS, hints, strict=False)
        )
        more += _fold("gtt-ask-answer", "Show me", answer)
        submit = knob(button, 'type="submit"') if button else ""
        mark = " data-solved" * solved
        worth = ""
        if points:
            mark += f' data-points="{points}"'
            worth = f'<span class="gtt-ask-points">{points} points</span>'
        html = f"""<!--ask {name} {kind}-->\
<div class="gtt-ask" data-kind="{kind}" id="{uid}"{mark}>
<p class="gtt-ask-label">{rich(label)}{worth}</p>
<form novalidate><fieldset class="gtt-ask-form" disabled>
<legend class="gtt-ask-question">{rich(question)}</legend>
{form}<div class="gtt-ask-buttons">{submit}</div></fieldset></form>
<div class="gtt-ask-said" role="status"></div><div class="gtt-ask-more">{more}</div>
<script type="application/json">{_json(known | spec)}</script></div><!--/ask-->"""
        super().__init__(_html=html)

    def __repr__(self):
        return f"Question {self._name}: {self._question}"


def _fold(kind, title, inside):
    inside = inside if inside.startswith("<") else paragraphs(inside)
    return f'<details class="{kind}"><summary>{title}</summary><div>{inside}</div></details>'


def knob(name, more='type="button"'):
    return f'<button {more} data-lm-suppress-shortcuts="true">{name}</button>'


def _json(value):
    """JSON that can stand in a page: with no <, so that nothing in it ends the script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
