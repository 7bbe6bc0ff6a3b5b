"""Numbers and matrices that the reader types, and the mistakes that give other ones.

number  one number
matrix  a vector or a matrix, or several steps that build on one another, in one variant or in many
"""

import numpy as np

from bptt_core._checks import wanted
from bptt_core.ask import fields, text
from bptt_core.ask.question import Question
from bptt_core.ask.steps import Part, Step, Task, before, outline, table

SIGN = "The sign is the other way round."
TURNED = "Rows and columns have changed places: that is the transpose."


def number(
    name,
    question,
    right,
    why,
    *,
    also=(),
    slips=(),
    factors=None,
    digits=None,
    answer=None,
    unit="",
    **more,
):
    """A question whose answer is one number. The digits that are typed decide how near it must be.

    right    the number
    why      said with the right answer
    also     other numbers that are right, such as what rounded givens make
    slips    [(number, sentence)]: what mistakes give
    factors  {name: value}, as {"T": 6}: that much too large or too small is named. The sign always
             is, and 2 unless the number is whole
    digits   how many must be typed: 2; 1 means a whole number, to be met exactly
    **more   hints, reveals, label, solved: see `Question`

    Raises ValueError for a slip that the digits cannot tell from the right number."""
    digits = digits or (1 if float(right).is_integer() else 2)
    least = 1.5 * 10 ** (np.floor(np.log10(abs(right) or 1)) + 1 - digits)  # in its last digit
    for value, sentence in slips:
        if abs(value - right) < least and digits > 1:
            raise wanted("slips", f"{value:.4g} ({sentence})", f"farther from {right:.4g}")
    others = [*((value, None) for value in also), *slips]
    step = Step("", (1,), add=Part([right], [([value], said) for value, said in others]), why=why)
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
        if outline(other) != outline(tasks[0]):
            raise wanted(
                "task", f"{outline(other)}", f"the outline of the first, {outline(tasks[0])}"
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
        answer=(text.paragraphs(words) if words else "") + fields.solution(tasks[0]),
        was=was or "its own numbers in every variant: open the question",
        **more,
    )


def _factors(factors, whole):
    """[(factor, sentence)] for the sign, 2 and every size that is named. Of a whole number 2 is
    not said: who hears that 4 is twice as many need not think again."""
    known = [(-1, SIGN)]
    if not whole:
        known.append((2, "That is twice the right one."))
        known.append((0.5, "That is half of the right one."))
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
        if sentence is None:
            return -1  # no slip: right as well
        html = text.rich(sentence)
        if html not in sentences:
            sentences.append(html)
        return sentences.index(html)

    common = [(factor, number_of(said)) for factor, said in _factors(factors, digits == 1)]
    steps = []
    for k, step in enumerate(first.steps):
        square = len(step.shape) == 2 and step.shape[0] == step.shape[1] > 1
        steps.append(
            {
                "n": step.size,
                "rows": step.shape[0],
                "digits": digits,
                "whole": digits == 1,
                "why": text.rich(step.why),
                "slots": [
                    (slot, [number_of(said) for _, said in part.slips])
                    for slot, part, _ in step.slots(before(first, k))
                ],
                "factors": common + ([("T", number_of(TURNED))] if square else []),
            }
        )
    variants = [
        {
            "numbers": table(task),
            "given": [fields.given(value) for value in task.given.values()],
        }
        for task in tasks
    ]
    form = fields.givens(first) + "".join(
        fields.field(step, k, len(first.steps), unit) for k, step in enumerate(first.steps)
    )
    if len(tasks) > 1:
        form += fields.another(len(tasks))
    spec = {"steps": steps, "variants": variants, "sentences": sentences}
    return Question(
        kind, name, question, form, spec, button=None if len(first.steps) > 1 else "Answer", **more
    )
