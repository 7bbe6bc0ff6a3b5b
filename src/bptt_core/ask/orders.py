"""Lines of a program to be put in order, some of them with a wrong twin: `order`."""

import itertools
import math
import zlib
from typing import NamedTuple

import numpy as np

from bptt_core._checks import wanted
from bptt_core.ask.question import Question, knob
from bptt_core.ask.text import number, rich

LIMIT = 256  # programs that are run
SUPPRESS = 'data-lm-suppress-shortcuts="true"'  # JupyterLab leaves the arrow keys alone
WIDE, HIGH = 180, 64  # of the picture of the losses


class Line(NamedTuple):
    """One place of a program: the right code, and {wrong code: sentence} of what people write."""

    code: str
    wrong: dict = {}
    after: tuple = ()  # ((earlier line's number, sentence if it comes later), …)


class Run(NamedTuple):
    """What a program computes: {parameter: relative error}, and the losses of training with it."""

    errors: dict
    losses: object = ()


def order(name, question, lines, run, why, *, intro="", outro="", answer=None, **more):
    """A question whose answer is a program.

    lines   [Line], in the right order
    run     [code of each line] → Run; called for every choice of wrong twins, in the right order
    why     said when all is right
    intro   code before the lines, and `outro` after them: shown, not moved
    **more  hints, reveals, label, solved: see `Question`

    Every order that the `after` of the lines allows counts as right, so `run` is called for each
    of them too. Raises ValueError if one of those, or the right program, does not compute what it
    should (an error above 1e-9), if a wrong line changes nothing, and for more than 256
    programs."""
    ways = [[line.code, *line.wrong] for line in lines]
    if (programs := math.prod(map(len, ways))) > LIMIT:
        raise wanted("lines", f"{programs} programs", f"{LIMIT} at most")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    placed = [rng.permutation(len(codes)) for codes in ways]
    right = [int(order.argmin()) if len(order) > 1 else None for order in placed]
    good = run([line.code for line in lines])
    _check_orders(lines, run)
    runs = {}
    for picks in itertools.product(*(range(len(codes)) for codes in ways)):
        found = good if not any(picks) else run([c[i] for c, i in zip(ways, picks, strict=True)])
        slips = [i for i, pick in enumerate(picks) if pick]
        if len(slips) == 1 and max(found.errors.values()) < 1e-9:
            raise wanted(
                "lines", f"{ways[slips[0]][picks[slips[0]]]!r}, which changes nothing", "a mistake"
            )
        shown = [int(np.argmax(order == pick)) for order, pick in zip(placed, picks, strict=True)]
        key = "".join("" if right[i] is None else str(at) for i, at in enumerate(shown))
        runs[key] = _result(found, good)
    sentences = []
    said = [
        [_number_of(line.wrong.get(ways[i][k], ""), sentences) for k in placed[i]]
        for i, line in enumerate(lines)
    ]
    before = [
        [first, then, _number_of(sentence, sentences)]
        for then, line in enumerate(lines)
        for first, sentence in line.after
    ]
    shuffled = _shuffle(len(lines), rng)
    items = "".join(_item(i, [ways[i][k] for k in placed[i]]) for i in shuffled)
    form = f"""{_fixed(intro)}<ol class="gtt-ask-lines">{items}</ol>{_fixed(outro)}"""
    inside = "    " * intro.endswith(":")
    program = "\n".join(filter(None, [intro, *(inside + line.code for line in lines), outro]))
    spec = {"right": right, "before": before, "runs": runs, "said": said, "sentences": sentences}
    return Question(
        "order",
        name,
        question,
        form,
        spec | {"why": rich(why)},
        button="Check",
        answer=answer or f"{_fixed(program)}<p>{rich(why)}</p>",
        was="in the order of the solution",
        **more,
    )


def _check_orders(lines, run):
    """Every order that is allowed must work, or the page would call a wrong program right."""
    for places in itertools.permutations(range(len(lines))):
        at = {line: place for place, line in enumerate(places)}
        if any(at[first] > at[then] for then, line in enumerate(lines) for first, _ in line.after):
            continue
        errors = run([lines[i].code for i in places]).errors
        if not max(errors.values()) < 1e-9:
            raise wanted(
                "lines", f"the order {list(places)} with errors {errors}", "none above 1e-9"
            )


def _number_of(sentence, sentences):
    html = rich(sentence)
    if html not in sentences:
        sentences.append(html)
    return sentences.index(html)


def _shuffle(n, rng):
    """An order in which no line follows the one it should."""
    for _ in range(1000):
        order = rng.permutation(n)
        if n < 3 or (np.diff(order) != 1).all():
            return order
    return order


def _result(found, good):
    """What the program computes, in words, and its losses over those of the right one."""
    off = {name: error for name, error in found.errors.items() if not error < 1e-9}
    if not off:
        words = "Every gradient is right to rounding."
    else:
        words = (
            "Relative errors: "
            + ", ".join(
                f"{name} {number(error, 2) if np.isfinite(error) else 'no number'}"
                for name, error in found.errors.items()
            )
            + "."
        )
    if not len(found.losses):
        return rich(words)
    ends = number(found.losses[-1], 2), number(good.losses[-1], 2)
    if off:
        words += (
            f" Trained with it, the loss ends at {ends[0]}; with the right gradient at {ends[1]}."
        )
    top = max(np.max(good.losses), good.losses[0]) * 1.05
    paths = "".join(
        f'<path class="{kind}" d="{_losses(losses, top)}"/>'
        for kind, losses in (("gtt-true", good.losses), ("gtt-yours", found.losses))[
            : 1 + bool(off)
        ]
    )
    label = (
        f"loss while training: {ends[0]} at the end with this program, {ends[1]} with the right one"
    )
    box = f'viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}"'
    picture = f'<svg class="gtt-losses" {box}>{paths}</svg>'
    key = '<span class="gtt-yours">loss with this program</span> ' if off else ""
    return f'{rich(words)}<br>{picture}<br>{key}<span class="gtt-true">with the right one</span>'


def _losses(losses, top):
    losses = np.nan_to_num(np.asarray(losses, float), nan=top, posinf=top)
    y = (1 - np.clip(losses / top, 0, 1)) * (HIGH - 4) + 2
    x = np.linspace(2, WIDE - 2, len(y))
    return "M" + "L".join(f"{a:.0f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _fixed(code):
    escaped = code.replace("&", "&amp;").replace("<", "&lt;")
    return f'<div class="gtt-ask-fixed"><code>{escaped}</code></div>' if code else ""


def _item(i, codes):
    grip = '<span class="gtt-ask-grip" aria-hidden="true"></span>'
    boxes = [f"<code>{code.replace('&', '&amp;').replace('<', '&lt;')}</code>" for code in codes]
    if len(codes) > 1:
        boxes = [
            f'<label><input type="radio" name="{{uid}}-{i}" {SUPPRESS}>{box}</label>'
            for box in boxes
        ]
        boxes = [
            f'<fieldset><legend class="gtt-unseen">One of these</legend>{"".join(boxes)}</fieldset>'
        ]
    moves = "".join(
        knob(sign, f'type="button" data-by="{by}" aria-label="Move {way}: {_quoted(codes[0])}"')
        for sign, by, way in (("↑", -1, "up"), ("↓", 1, "down"))
    )
    moves = f'<span class="gtt-ask-moves">{moves}</span>'
    return f'<li data-line="{i}">{grip}<div>{boxes[0]}</div>{moves}</li>'


def _quoted(code):
    return code.strip().replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
