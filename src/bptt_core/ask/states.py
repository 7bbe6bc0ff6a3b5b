"""A lab that the reader brings to a state: `state`."""

import numpy as np

from bptt_core._checks import wanted
from bptt_core.ask.question import Question
from bptt_core.ask.text import rich


def state(name, question, lab, judge, said, goal, *, answer, was="", **more):
    """A question that a lab answers: it sees when the lab is where it should be.

    lab     the Explorer, which stands on the same page
    judge   (**settings) → which of `said` fits: a whole number, for one setting of the lab's grid
    said    [sentence], at most ten; an empty one says nothing
    goal    the number of the sentence that means it is done
    answer  one way to get there
    **more  hints, reveals, label, solved: see `Question`

    Raises ValueError if no setting of the grid solves it, or the lab solves it as it starts."""
    found = [int(judge(**setting)) for setting in lab.settings_grid()]
    if not set(found) <= set(range(min(len(said), 10))):
        raise wanted("judge", sorted(set(found)), f"numbers of the {len(said)} sentences")
    if goal not in found:
        raise wanted("goal", goal, f"one that a setting reaches: {sorted(set(found))}")
    if judge(**lab.settings) == goal:
        raise wanted("lab", "a lab that starts solved", "one where something is to be done")
    sizes = [len(values) for values in lab.grid.values()]
    strides = [int(np.prod(sizes[k + 1 :])) for k in range(len(sizes))]
    spec = {
        "lab": lab.address,
        "table": "".join(map(str, found)),
        "strides": strides,
        "said": [rich(sentence) for sentence in said],
        "solved": goal,
    }
    form = f'<p><a class="gtt-ask-go" href="#{lab.address}">To the figure</a></p>'
    more.setdefault("label", "Bring the figure there")
    share = found.count(goal) / len(found)
    words = was or f"{share:.2g} of its settings do it"
    return Question(
        "state", name, question, form, spec, button=None, answer=answer, was=words, **more
    )
