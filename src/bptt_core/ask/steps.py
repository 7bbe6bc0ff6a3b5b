"""Numbers and matrices that the reader types, and the mistakes that give other ones.

number  one number
matrix  a vector or a matrix, or several steps that build on one another, in one variant or in many
Step    one answer: scale ∘ (add + carry · the answers before it), each part with what mistakes make of it
Part    the right values of a part, and those of the mistakes
Task    what is given, and the steps: one variant
"""

import itertools
import re
from typing import NamedTuple

import numpy as np

from bptt_core._arrays import wanted
from bptt_core.ask import text
from bptt_core.ask.question import Question, _button

DIGITS = 6  # of the numbers in the table; the script allows for it
SIGN = "The sign is the other way round."
TURNED = "Rows and columns have changed places: that is the transpose."


class Part(NamedTuple):
    """One part of a step: its right values, and [(values, sentence)] of the mistakes that change it."""

    right: object
    slips: object = ()


class Step(NamedTuple):
    """One answer of a task, of any shape (n,) or (rows, columns).

    answer = scale_1 ∘ scale_2 ∘ … ∘ (add + carry · before), where `before` are the entries of all earlier answers, row by
    row. So an earlier slip is carried on, and two slips in different parts are known as a pair. A part that is left out
    is 1 (scale) or 0 (add, carry)."""

    label: str  # what is wanted, as in "δ_3 = ∂L/∂a_3"
    shape: tuple
    scale: tuple = ()  # Parts of the answer's shape
    add: Part | None = None  # a Part of the answer's shape
    carry: Part | None = None  # a Part of shape (entries, entries before)
    why: str = ""  # said when it is right

    @property
    def size(self):
        return int(np.prod(self.shape))

    def slots(self, before):
        """[(kind, Part, its size)], in the order of the table."""
        found = [("scale", part, self.size) for part in self.scale]
        found += [("add", self.add, self.size)] if self.add else []
        return found + ([("map", self.carry, self.size * before)] if self.carry else [])

    def value(self, before):
        """The right answer after the answers `before`, as an array of `shape`."""
        total = np.zeros(self.size)
        if self.add:
            total = total + np.ravel(self.add.right)
        if self.carry:
            total = total + np.reshape(self.carry.right, (self.size, -1)) @ before
        for part in self.scale:
            total = total * np.ravel(part.right)
        return total.reshape(self.shape)


class Task(NamedTuple):
    """One variant of a question: {name: array or text} that is given, and the steps."""

    given: dict
    steps: list


def number(
    name, question, right, why, *, slips=(), factors=None, digits=None, answer=None, unit="", **more
):
    """A question whose answer is one number. The digits that are typed decide how near it must be.

    right    the number
    why      said with the right answer
    slips    [(number, sentence)]: what mistakes give
    factors  {name: value}, as {"T": 6}: that much too large or too small is named. The sign and 2 always are
    digits   how many must be typed: 2, or 1 for a whole number
    **more   hints, reveals, label, solved: see `Question`

    Raises ValueError for a slip that the digits cannot tell from the right number."""
    digits = digits or (1 if float(right).is_integer() else 2)
    for value, sentence in slips:
        if abs(value - right) < 1.5 * 10 ** (1 - digits) * abs(right) / 2 and digits > 1:
            raise wanted("slips", f"{value:.4g} ({sentence})", f"farther from {right:.4g}")
    step = Step("", (1,), add=Part([right], [([value], said) for value, said in slips]), why=why)
    task = Task({}, [step])
    written = text.number(right, max(digits, 3))
    return _question(
        "number",
        name,
        question,
        [task],
        factors,
        digits,
        unit,
        answer=answer or f"*{written}*{f' {unit}' if unit else ''}. {why}",
        was=written,
        **more,
    )


def matrix(
    name, question, task, *, seeds=(0,), factors=None, digits=2, answer=None, was=None, **more
):
    """A question whose answer is a matrix, or several in steps.

    task     a Task, or a function seed → Task with equal labels, shapes and sentences for all seeds
    seeds    one variant for each: "another one" deals the next
    factors  {name: value}: see `number`
    digits   significant digits that must be typed
    answer   words above the right values, which the page fills in
    **more   hints, reveals, label, solved: see `Question`

    Raises ValueError if the variants differ in more than numbers."""
    tasks = [task] if isinstance(task, Task) else [task(seed) for seed in seeds]
    for other in tasks[1:]:
        if _outline(other) != _outline(tasks[0]):
            raise wanted(
                "task", f"{_outline(other)}", f"the outline of the first, {_outline(tasks[0])}"
            )
    words = answer or " ".join(step.why for step in tasks[0].steps)
    return _question(
        "matrix",
        name,
        question,
        tasks,
        factors,
        digits,
        "",
        answer=(text.paragraphs(words) if words else "") + _solution(tasks[0]),
        was=was or "its own numbers in every variant: open the question",
        **more,
    )


def _outline(task):
    """What all variants have in common: labels, shapes, sentences."""
    steps = [
        (
            step.label,
            step.shape,
            [
                (kind, [said for _, said in part.slips])
                for kind, part, _ in step.slots(_before(task, k))
            ],
        )
        for k, step in enumerate(task.steps)
    ]
    return list(task.given), steps


def _before(task, k):
    return sum(step.size for step in task.steps[:k])


def _factors(factors):
    """[(factor, sentence)] for the sign, 2 and every size that is named."""
    known = [(-1, SIGN), (2, "That is twice the right one."), (0.5, "That is half of the right one.")]
    for name, value in (factors or {}).items():
        known.append(
            (value, f"That is {name} = {value} times too large: a sum where a mean belongs?")
        )
        known.append(
            (1 / value, f"That is {name} = {value} times too small: a mean where a sum belongs?")
        )
    return known


def _question(kind, name, question, tasks, factors, digits, unit, **more):
    first, sentences = tasks[0], []

    def number_of(sentence):
        html = text.rich(sentence)
        if html not in sentences:
            sentences.append(html)
        return sentences.index(html)

    common = [(factor, number_of(said)) for factor, said in _factors(factors)]
    steps = []
    for k, step in enumerate(first.steps):
        square = len(step.shape) == 2 and step.shape[0] == step.shape[1] > 1
        steps.append(
            {
                "n": step.size,
                "rows": step.shape[0],
                "digits": digits,
                "why": text.rich(step.why),
                "slots": [
                    (slot, [number_of(said) for _, said in part.slips])
                    for slot, part, _ in step.slots(_before(first, k))
                ],
                "factors": common + ([("T", number_of(TURNED))] if square else []),
            }
        )
    variants = [
        {
            "numbers": _numbers(task),
            "given": [_given(value) for value in task.given.values()],
        }
        for task in tasks
    ]
    form = _givens(first) + "".join(
        _field(step, k, len(first.steps), unit) for k, step in enumerate(first.steps)
    )
    if len(tasks) > 1:
        form += f'<p class="gtt-ask-variant">{_button("Another one", _another(len(tasks)))}</p>'
    spec = {"steps": steps, "variants": variants, "sentences": sentences}
    return Question(
        kind, name, question, form, spec, button=None if len(first.steps) > 1 else "Answer", **more
    )


def _another(n):
    return f'type="button" class="gtt-ask-another" title="the same question with other numbers, {n} in all"'


def _numbers(task):
    """Every part of every step, right values first, in one row."""
    row = []
    for k, step in enumerate(task.steps):
        for kind, part, size in step.slots(_before(task, k)):
            for values in (part.right, *(values for values, _ in part.slips)):
                flat = np.asarray(values, float).ravel()
                if flat.size != size:
                    raise wanted(
                        f"{step.label or 'right'}, {kind}", f"{flat.size} numbers", f"{size}"
                    )
                row += [float(f"{value:.{DIGITS}g}") for value in flat]
    return [int(value) if value == int(value) else value for value in row]


def _given(value):
    return text.rich(value) if isinstance(value, str) else text.grid(value)


def _givens(task):
    if not task.given:
        return ""
    cells = "".join(
        f'<div><dt>{text.rich(name)}</dt><dd data-given="{i}">{_given(value)}</dd></div>'
        for i, (name, value) in enumerate(task.given.items())
    )
    return f'<dl class="gtt-ask-given">{cells}</dl>'


def _field(step, k, many, unit):
    """The boxes of one step. A single number needs no heading of its own."""
    rows = [
        "".join(
            f'<td><input type="text" autocomplete="off" autocapitalize="off" spellcheck="false" '
            f'data-lm-suppress-shortcuts="true" aria-label="{_place(step, i, j)}"></td>'
            for j in range(step.size // step.shape[0])
        )
        for i in range(step.shape[0])
    ]
    kind = "gtt-grid" if step.size > 1 else "gtt-one"
    boxes = "".join(f"<tr>{row}</tr>" for row in rows)
    boxes = f'<table class="{kind}" role="presentation"><tbody>{boxes}</tbody></table>'
    if unit:
        boxes += f'<span class="gtt-ask-unit">{text.rich(unit)}</span>'
    if many == 1:
        legend = f"<legend>{text.rich(step.label)}</legend>" if step.label else ""
        return f'<fieldset class="gtt-ask-step">{legend}{boxes}</fieldset>'
    button = _button("Check", f'type="submit" aria-label="Check step {k + 1}"')
    return f"""<fieldset class="gtt-ask-step"><legend>{k + 1}. {text.rich(step.label)}</legend>{boxes}{button}
<div class="gtt-ask-said" role="status"></div></fieldset>"""


def _place(step, i, j):
    label = text.plain(step.label) or "Your number"
    if step.size == 1:
        return label
    return f"{label}, row {i + 1}, column {j + 1}" if len(step.shape) > 1 else f"{label}, entry {i + 1}"


def _solution(task):
    """The right values, in tables that the script fills again for another variant."""
    before, html = np.zeros(0), ""
    for step in task.steps:
        value = step.value(before)
        cells = itertools.count(len(before))
        grid = re.sub("<td>", lambda _: f'<td data-right="{next(cells)}">', text.grid(value, 3))
        html += f"<div><dt>{text.rich(step.label)}</dt><dd>{grid}</dd></div>"
        before = np.concatenate([before, value.ravel()])
    return f'<dl class="gtt-ask-given">{html}</dl>'
