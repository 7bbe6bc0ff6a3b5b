"""What a walk is made of, and the order of its steps."""

from typing import NamedTuple

import numpy as np

__all__ = ["LOSS", "Scene", "Step", "Where", "lit", "steps_of"]

LOSS = ("dh[t]",)


class Scene(NamedTuple):
    """One walk: a network with its numbers, and what is said and drawn on the way."""

    name: str  # its address
    title: str
    question: str
    module: object  # of `explicit`
    params: object
    x: np.ndarray
    target: np.ndarray  # L = Σ ½‖h_t − target_t‖²
    forward: tuple  # lines that are shown together, one tuple for each step of the walk
    backward: tuple
    words: object  # (lines, t, T) → a sentence
    draw: object  # (`Where`, uid) → SVG
    mistakes: tuple  # names, as in `mistakes`
    closed: dict  # {mistake: (how the names of edges begin, lines)}: no way for these lines
    unseen: tuple  # lines whose numbers are not shown: like those of a line beside them
    rate: float  # of the training: gradient descent from these numbers
    updates: int
    spelling: tuple = ()  # ((what the pass writes, what the walk writes for it), …)

    def spelt(self, text):
        """A line of a pass as the walk writes it."""
        for own, shown in self.spelling:
            text = text.replace(own, shown)
        return text


class Step(NamedTuple):
    """Some lines of one t."""

    number: int
    lines: tuple
    t: int
    phase: str  # forward, losses or back
    made: list  # of `trace.Made`

    @property
    def label(self):
        if self.phase == "losses":
            return "the losses"
        return f"{self.phase}, t = {self.t}"


def steps_of(scene, done):
    """[Step] of what a trace has done."""
    length = len(scene.x)
    plan = [(lines, t, "forward") for t in range(1, length + 1) for lines in scene.forward]
    plan.append((LOSS, 0, "losses"))
    plan += [(lines, t, "back") for t in range(length, 0, -1) for lines in scene.backward]
    steps = []
    for lines, t, phase in plan:
        made = [one for one in done if one.line in lines and (one.t == t or phase == "losses")]
        steps.append(Step(len(steps), lines, t, phase, made))
    return steps


def lit(steps, kind=""):
    """The attributes of what is lit at these steps; the page begins at step 0."""
    kinds = " ".join(filter(None, [kind.strip(), "on" * (0 in steps)]))
    known = f' class="{kinds}"' * bool(kinds)
    return known + f' data-on="{" ".join(map(str, steps))}"' * bool(len(steps))


class Where:
    """At which steps something happens."""

    def __init__(self, steps, numbers):
        self.steps = steps
        self.numbers = numbers

    def __call__(self, line, t):
        """The number of the step at which a line runs for t."""
        return next(s.number for s in self.steps if line in s.lines and s.t in (t, 0))

    def cells(self, line, t):
        """The places of what a line makes at t."""
        made = (m for s in self.steps for m in s.made if m.line == line and m.t == t)
        return next(made).cells.ravel()

    def kept(self, array, t):
        """The places of an array's row t."""
        return [f"#{n}" for (*key, _), n in self.numbers.ids.items() if key == [array, t]]
