"""HTML of a question in numbers: what is given, the boxes to type into, the right values."""

import numpy as np

from bptt_core.ask import text
from bptt_core.ask.question import knob


def another(n):
    """The button that deals the next of n variants."""
    more = f'type="button" class="gtt-ask-another" title="other numbers: {n} in all"'
    return f'<p class="gtt-ask-variant">{knob("Another one", more)}</p>'


def given(value):
    """HTML of one thing that is given: an array, or a text."""
    return text.rich(value) if isinstance(value, str) else text.grid(value)


def givens(task):
    """The table of what is given."""
    if not task.given:
        return ""
    cells = "".join(
        f'<div><dt>{text.rich(name)}</dt><dd data-given="{i}">{given(value)}</dd></div>'
        for i, (name, value) in enumerate(task.given.items())
    )
    return f'<dl class="gtt-ask-given">{cells}</dl>'


def field(step, k, many, unit):
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
    button = knob("Check", f'type="submit" aria-label="Check step {k + 1}"')
    return f"""<fieldset class="gtt-ask-step">
<legend>{k + 1}. {text.rich(step.label)}</legend>{boxes}{button}
<div class="gtt-ask-said" role="status"></div></fieldset>"""


def _place(step, i, j):
    label = text.plain(step.label) or "Your number"
    if step.size == 1:
        return label
    return (
        f"{label}, row {i + 1}, column {j + 1}"
        if len(step.shape) > 1
        else f"{label}, entry {i + 1}"
    )


def solution(task):
    """The right values, in tables that the script fills again for another variant."""
    before, html = np.zeros(0), ""
    for step in task.steps:
        value = step.value(before)
        first, *cells = text.grid(value, 3).split("<td>")
        marked = [f'<td data-right="{len(before) + i}">{cell}' for i, cell in enumerate(cells)]
        grid = first + "".join(marked)
        html += f"<div><dt>{text.rich(step.label)}</dt><dd>{grid}</dd></div>"
        before = np.concatenate([before, value.ravel()])
    return f'<dl class="gtt-ask-given">{html}</dl>'
