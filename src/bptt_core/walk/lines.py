"""The code of a walk: the loops of both passes, with a line in all the ways it is written."""

import re
from difflib import SequenceMatcher
from html import escape

from bptt_core.mistakes.listing import listing_of
from bptt_core.walk.scene import LOSS, lit
from bptt_core.walk.trace import ALWAYS

GATE = re.compile(r"(?<![.\w])(?:W_[xh]|b_|da_|)([ifgo])\b")  # i, W_hi, da_i
TOKEN = re.compile(r"\w+|\s|.")
LOSSES = "dh = h - target"


def only(mistakes):
    """The attributes of what is there with these mistakes; 0 is none."""
    return f' data-m="{" ".join(map(str, mistakes))}"' + " hidden" * (0 not in mistakes)


def statement(scene, name):
    """One line of a pass, for a text."""
    if (name,) == LOSS:
        return scene.spelt(LOSSES)
    listing = listing_of(scene.module)
    adds = any(line.adds for line in listing.backward.lines if line.name == name)
    text = listing.texts[name].removesuffix(ALWAYS)
    return escape(scene.spelt(f"{name} {'+' * adds}= {text}"), quote=False)


def code(scene, steps, wrong):
    """HTML of both loops, and of the losses between them."""
    listing = listing_of(scene.module)
    ahead = _loop(scene, listing.forward, steps, "forward", wrong)
    back = _loop(scene, listing.backward, steps, "back", wrong)
    between = [step.number for step in steps if step.phase == "losses"]
    return (
        f"<ol>{ahead}<li{lit(between)}><code>{scene.spelt(LOSSES)}</code></li></ol><ol>{back}</ol>"
    )


def _loop(scene, function, steps, phase, wrong):
    source = function.source.split("\n")
    start, *lines = function.lines
    rows = f"<li><code>{scene.spelt(source[start.number].strip())}</code></li>"
    for line in lines:
        on = [step.number for step in steps if step.phase == phase and line.name in step.lines]
        row = "  " + source[line.number].strip().removesuffix(ALWAYS)
        rows += f"<li{lit(on)}>{_ways(scene, line, row, wrong)}</li>"
    return rows


def _ways(scene, line, row, wrong):
    """A line as it is, and as each mistake that changes it has it."""
    others = {m: s.texts[line.name] for m, s in enumerate(wrong, 1) if line.name in s.texts}
    plain = [m for m in range(len(wrong) + 1) if m not in others]
    codes = f"<code{only(plain) if others else ''}>{_coloured(scene.spelt(row))}</code>"
    text = line.text.removesuffix(ALWAYS)
    before, _, after = row.rpartition(text)
    for m, other in others.items():
        parts = map(scene.spelt, (before, text, other, after))
        codes += f"<code{only([m])}>{_marked(*parts)}</code>"
    return codes


def _marked(before, text, other, after):
    """A line with what is written otherwise marked, and what is left out struck through."""
    old, new = TOKEN.findall(text), TOKEN.findall(other)
    html = _coloured(before)
    for how, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        part = _coloured("".join(old[a:b] if how == "delete" else new[c:d]))
        tag = {"delete": "del", "insert": "mark", "replace": "mark"}.get(how)
        html += f"<{tag}>{part}</{tag}>" if tag else part
    return html + _coloured(after)


def _coloured(text):
    """Code in which the words of a gate have its colour."""
    return GATE.sub(r'<span class="gtt-walk-\1">\g<0></span>', escape(text, quote=False))
