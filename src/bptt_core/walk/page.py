"""A walk as one element: every step stands in the page, to be read without a script; the script
shows one of them."""

import json
import re
from html import escape

import numpy as np

from bptt_core.ask.text import number, rich
from bptt_core.mistakes.listing import listing_of
from bptt_core.walk import slips
from bptt_core.walk.scene import LOSS, Where
from bptt_core.walk.trace import ALWAYS

DIGITS = 3  # decimals of what is computed
KEYS = 'data-lm-suppress-shortcuts="true"'  # JupyterLab leaves the arrow keys alone
REF = re.compile(r"#(\d+)|data-n=\"(\d+)\"")
GATE = re.compile(r"(?<![.\w])(?:W_[xh]|b_|da_|)([ifgo])\b")  # i, W_hi, da_i
WIDE, HIGH = 180, 56  # of the picture of the losses


def html(scene, uid):
    """The walk of a scene."""
    steps, numbers, gradient = slips.right(scene)
    wrong = slips.slips(scene, steps, numbers, gradient)
    good = slips.train(scene)
    body = _body(scene, uid, steps, numbers, wrong, good)
    body, used = _numbered(body)
    values = [written(numbers.values.get(n, np.nan)) for n in used]
    others = [
        _others(values, [written(slip.numbers.get(n, np.nan)) for n in used]) for slip in wrong
    ]
    body = re.sub(  # without a script the numbers of the right walk stand there
        r'(data-n="(\d+)"[^>]*>)(?=</)', lambda match: match[1] + values[int(match[2])], body
    )
    return body.replace(
        "{data}", json.dumps([{}, *others], ensure_ascii=False, separators=(",", ":"))
    )


def written(value):
    """A number as the walk prints it: with a true minus, and no minus before a zero."""
    if np.isnan(value):
        return ""
    if round(value, 2) == round(value, 9):
        text = f"{value:.2f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.{DIGITS}f}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _others(values, own):
    """{place: text} of the numbers that differ from those of the right walk."""
    return {i: b for i, (a, b) in enumerate(zip(values, own, strict=True)) if a != b}


def _numbered(body):
    """The numbers that the page needs, and the page with their places among those."""
    used = {}

    def place(match):
        n = used.setdefault(int(match[1] or match[2]), len(used))
        return f"#{n}" if match[1] else f'data-n="{n}"'

    return REF.sub(place, body), list(used)


def _body(scene, uid, steps, numbers, wrong, good):
    back = next(step.number for step in steps if step.phase == "losses")
    names = "".join(f"<option>{escape(slip.mistake.name, quote=False)}</option>" for slip in wrong)
    top = 1.05 * max(slip.losses.max() for slip in wrong)
    notes = "".join(_note(steps, slip, m, good, top) for m, slip in enumerate(wrong, 1))
    marks = "".join(
        f'<span class="gtt-walk-mark" data-m="{m}" style="--at:{slip.first / (len(steps) - 1):.4f}">'
        "</span>"
        for m, slip in enumerate(wrong, 1)
        if slip.first is not None
    )
    items = "".join(_item(scene, step, wrong) for step in steps)
    return f"""<div class="gtt-walk{" gtt-walk-long" * (len(steps) > 30)}" id="{uid}" data-back="{back}" role="group" tabindex="-1" \
aria-labelledby="{uid}-title">
<p class="gtt-title" id="{uid}-title">{rich(scene.title)}</p>
<p class="gtt-question">{rich(scene.question)}</p>
<div class="gtt-walk-bar">{_knob("prev", "Step back", "←")}
<span class="gtt-walk-slide"><input type="range" min="0" max="{len(steps) - 1}" value="0" \
aria-label="Step of the walk" disabled {KEYS}>{marks}</span>
{_knob("next", "Next step", "→")}<output></output><label><span>Mistake</span> <select disabled {KEYS}><option>no mistake</option>{names}</select></label></div>
<div class="gtt-walk-notes">{notes}</div>
<div class="gtt-walk-view"><div class="gtt-walk-code">{_code(scene, steps, wrong)}</div>
{scene.draw(Where(steps, numbers), uid)}</div>
<ol class="gtt-walk-steps">{items}</ol>
<p class="gtt-walk-terms" role="status"></p>
<p class="gtt-status" role="status"></p>
<script type="application/json">{{data}}</script></div>"""


def _knob(kind, label, sign):
    return (
        f'<button type="button" class="gtt-walk-{kind}" aria-label="{label}" disabled {KEYS}>'
        f"{sign}</button>"
    )


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
        for html, own in variants.items():
            equations += f"<div{_for(own) if len(variants) > 1 else ''}>{html}</div>"
    code = " ".join(f"<code>{_line(scene, line)}</code>" for line in step.lines)
    sentence = rich(scene.words(step.lines, step.t, length))
    return (
        f'<li data-label="{step.label}"><p>{sentence}</p>'
        f'<p class="gtt-walk-line">{step.label}: {code}</p>'
        f'<div class="gtt-walk-equations">{equations}</div></li>'
    )


def _equations(scene, step):
    return [html for made in step.made if made.line not in scene.unseen for html in made.html]


def _for(mistakes):
    return f' data-m="{" ".join(map(str, mistakes))}"' + " hidden" * (0 not in mistakes)


def _line(scene, name):
    if (name,) == LOSS:
        return "dh = h - y"
    listing = listing_of(scene.module)
    adds = any(line.adds for line in listing.backward.lines if line.name == name)
    text = listing.texts[name].removesuffix(ALWAYS)
    return escape(f"{name} {'+' * adds}= {text}", quote=False)


def _code(scene, steps, wrong):
    """The loops of both passes; a line that a mistake writes otherwise stands there in all ways."""
    listing = listing_of(scene.module)
    ahead = _rows(listing.forward, steps, "forward", wrong)
    back = _rows(listing.backward, steps, "back", wrong)
    loss = next(step.number for step in steps if step.phase == "losses")
    loss = f'<li data-on="{loss}"><code>dh = h - y</code></li>'
    return f"<ol>{ahead}{loss}</ol><ol>{back}</ol>"


def _rows(function, steps, phase, wrong):
    source = function.source.split("\n")
    start, *lines = function.lines
    rows = f"<li><code>{source[start.number].strip()}</code></li>"
    for line in lines:
        on = [s.number for s in steps if s.phase == phase and line.name in s.lines]
        lit = f' data-on="{" ".join(map(str, on))}"' if on else ""
        text = "  " + source[line.number].strip().removesuffix(ALWAYS)
        others = [
            (m, slip.texts[line.name]) for m, slip in enumerate(wrong, 1) if line.name in slip.texts
        ]
        plain = [m for m in range(len(wrong) + 1) if m not in dict(others)]
        codes = f"<code{_for(plain) if others else ''}>{_coloured(text)}</code>"
        for m, other in others:
            before, _, after = text.rpartition(line.text.removesuffix(ALWAYS))
            codes += f"<code{_for([m])}>{_marked(before, line.text, other, after)}</code>"
        rows += f"<li{lit}>{codes}</li>"
    return rows


def _marked(before, text, other, after):
    """A line with what is written otherwise marked."""
    start = next(
        (i for i, (a, b) in enumerate(zip(text, other)) if a != b), min(map(len, (text, other)))
    )
    end = 0
    while end < min(len(text), len(other)) - start and text[-1 - end] == other[-1 - end]:
        end += 1
    if start + end == len(other):  # something is left out: mark what stands before it
        start -= 1
    middle = other[start : len(other) - end]
    tail = other[len(other) - end :] if end else ""
    return f"{_coloured(before + other[:start])}<mark>{_coloured(middle)}</mark>{_coloured(tail + after)}"


def _coloured(text):
    """Code in which the words of a gate have its colour."""
    return GATE.sub(r'<span class="gtt-walk-\1">\g<0></span>', escape(text, quote=False))


def _note(steps, slip, m, good, top):
    """What a mistake is, where it shows, and what training with it does."""
    explanation = slip.mistake.explanation
    first = explanation[0] if explanation[1] == "_" else explanation[0].upper()
    said = f"{first}{explanation[1:]}. "
    ends = number(slip.losses[-1], 2), number(good[-1], 2)
    if slip.first is None:
        said += (
            f"*No number changes*: this is hidden while {slip.mistake.hidden}, and here it is. "
            "A check with other numbers would find it."
        )
        return f'<div data-m="{m}" hidden><p>{rich(said)}</p></div>'
    step = steps[slip.first]
    said += f"The numbers first differ at step {step.number + 1} ({step.label}). "
    trained = (
        f"All in all the gradient points {slip.angle:.0f}° away from the right one. "
        f"{len(good) - 1} updates with it take the loss of this network from {number(good[0], 2)} "
        f"to *{ends[0]}*; with the right one to *{ends[1]}*."
    )
    go = f'<button type="button" data-go="{step.number}" {KEYS}>Go there</button>'
    return (
        f'<div data-m="{m}" hidden><p>{rich(said)}{go}</p>'
        f'<div class="gtt-walk-trained">{_picture(slip.losses, good, ends, top)}<p>{rich(trained)}</p></div></div>'
    )


def _picture(losses, good, ends, top):
    label = f"loss while training: {ends[0]} at the end with the mistake, {ends[1]} without"
    paths = "".join(
        f'<path class="gtt-walk-{kind}" d="{_curve(values, top)}"/>'
        for kind, values in (("good", good), ("bad", losses))
    )
    return f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}">{paths}</svg>'


def _curve(losses, top):
    every = np.linspace(0, len(losses) - 1, 31).round().astype(int)
    x = np.linspace(2, WIDE - 2, len(every))
    y = 2 + (1 - losses[every] / top) * (HIGH - 4)
    return "M" + "L".join(f"{a:.0f} {b:.1f}" for a, b in zip(x, y, strict=True))
