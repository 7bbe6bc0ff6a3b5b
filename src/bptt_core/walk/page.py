"""A walk as one element: every step stands in the page, to be read without a script; the script
shows one of them."""

import json
import re
from html import escape

from bptt_core.ask.text import rich
from bptt_core.walk import slips
from bptt_core.walk.lines import code, only, statement
from bptt_core.walk.notes import notes
from bptt_core.walk.scene import Where, lit

DIGITS = 3  # decimals of what is computed
KEYS = 'data-lm-suppress-shortcuts="true"'  # JupyterLab leaves the arrow keys alone
REF = re.compile(r"#(\d+)|data-n=\"(\d+)\"")  # a number, named in a sum or shown
EMPTY = re.compile(r'(data-n="(\d+)"[^>]*>)(?=</)')


def html(scene, uid):
    """The walk of a scene."""
    steps, numbers, gradient = slips.right(scene)
    wrong = slips.slips(scene, steps, numbers, gradient)
    body, used = _numbered(_body(scene, uid, steps, numbers, wrong))
    values = _texts(numbers.values, used)
    others = [
        {i: text for i, text in enumerate(_texts(slip.numbers, used)) if text != values[i]}
        for slip in wrong
    ]
    body = EMPTY.sub(lambda match: match[1] + values[int(match[2])], body)
    data = json.dumps([{}, *others], ensure_ascii=False, separators=(",", ":"))
    return body.replace("{data}", data)


def written(value):
    """A number as the walk prints it: with a true minus, and no minus before a zero."""
    if round(value, 2) == round(value, 9):
        text = f"{value:.2f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.{DIGITS}f}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _texts(values, used):
    """The numbers in the order of their places; none where this walk has none."""
    return [written(values[n]) if n in values else "" for n in used]


def _numbered(body):
    """The page with the numbers that it needs in their order, and their places in the walk."""
    used = {}

    def place(match):
        n = used.setdefault(int(match[1] or match[2]), len(used))
        return f"#{n}" if match[1] else f'data-n="{n}"'

    return REF.sub(place, body), list(used)


def _body(scene, uid, steps, numbers, wrong):
    last = len(steps) - 1
    long = " gtt-walk-long" if len(scene.module.GATES) > 1 else ""
    back = next(step.number for step in steps if step.phase == "losses")
    said = f"1 of {len(steps)}: {steps[0].label}"
    names = "".join(f"<option>{escape(slip.mistake.name, quote=False)}</option>" for slip in wrong)
    marks = "".join(_mark(m, slip.first / last) for m, slip in enumerate(wrong, 1) if slip.first)
    items = "".join(_item(scene, step, wrong) for step in steps)
    return f"""<div class="gtt-walk{long}" id="{uid}" data-back="{back}" role="group" \
tabindex="-1" aria-labelledby="{uid}-title">
<p class="gtt-title" id="{uid}-title">{rich(scene.title)}</p>
<p class="gtt-question">{rich(scene.question)}</p>
<div class="gtt-walk-bar">{_knob("prev", "Step back", "←")}
<span class="gtt-walk-slide"><input type="range" min="0" max="{last}" value="0" \
aria-label="Step of the walk" disabled {KEYS}>{marks}</span>
{_knob("next", "Next step", "→")}<output aria-live="off">{said}</output>
<label><span>Mistake</span> <select disabled {KEYS}><option>no mistake</option>{names}</select>\
</label></div>
<div class="gtt-walk-notes">{notes(steps, wrong, slips.train(scene))}</div>
<div class="gtt-walk-view"><div class="gtt-walk-code">{code(scene, steps, wrong)}</div>
{_closed(scene, steps, scene.draw(Where(steps, numbers), uid), uid)}</div>
<ol class="gtt-walk-steps">{items}</ol>
<p class="gtt-walk-terms" role="status"></p>
<p class="gtt-status" role="status"></p>
<script type="application/json">{{data}}</script></div>"""


def _knob(kind, label, sign):
    return (
        f'<button type="button" class="gtt-walk-{kind}" aria-label="{label}" disabled {KEYS}>'
        f"{sign}</button>"
    )


def _closed(scene, steps, svg, uid):
    """The graph, in which an edge names the steps at which a mistake sends nothing along it."""
    for mistake, (edge, lines) in scene.closed.items():
        m = scene.mistakes.index(mistake) + 1
        where = " ".join(str(step.number) for step in steps if set(lines) & set(step.lines))
        begins = f'id="{uid}-{edge}-'
        svg = svg.replace(begins, f'data-closed{m}="{where}" {begins}')
    return svg


def _mark(m, at):
    """Where on the slider the numbers first differ."""
    return f'<span class="gtt-walk-mark" data-m="{m}" style="--at:{at:.4f}" hidden></span>'


def _item(scene, step, wrong):
    """One step: its sentence, its lines, its equations with the numbers; and these as a mistake
    has them."""
    length = len(scene.x)
    equations = ""
    for right, *others in zip(
        _equations(scene, step),
        *(_equations(scene, slip.steps[step.number]) for slip in wrong),
        strict=True,
    ):
        variants = {right: [0]}
        for m, other in enumerate(others, 1):
            variants.setdefault(other, []).append(m)
        for equation, own in variants.items():
            there = only(own) if len(variants) > 1 else ""
            equations += f"<div{there}>{equation}</div>"
    said = " ".join(f"<code>{statement(scene, line)}</code>" for line in step.lines)
    other = [m for m, slip in enumerate(wrong, 1) if set(step.lines) & set(slip.texts)]
    right = f"<em{only(other)}>Without the mistake:</em> " if other else ""
    sentence = right + rich(scene.words(step.lines, step.t, length))
    return (
        f'<li{lit([], "on" * (step.number == 0))} data-label="{step.label}"><p>{sentence}</p>'
        f'<p class="gtt-walk-line">{step.label}: {said}</p>'
        f'<div class="gtt-walk-equations">{equations}</div></li>'
    )


def _equations(scene, step):
    return [html for made in step.made if made.line not in scene.unseen for html in made.html]
