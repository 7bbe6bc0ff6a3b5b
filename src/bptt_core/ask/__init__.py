"""The page takes an answer, and says which mistake it was; Python computed all that it needs.

choice      pick one of a few; `wrong_line` picks one line of code
number      one number, at the digits that were typed
matrix      a matrix, or several steps that build on one another: `Task`, `Step`, `Part`
curve       a curve, drawn before it is seen
order       lines of a program, put in order: `Line`, `Run`
state       a lab, brought to a state
code        code, written and checked
again       what went wrong on earlier pages; `summary`, `progress`: what was expected, what was so
score       the points of a page's challenges
tasks       gradients to be carried back by hand
"""

from bptt_core.ask.choices import choice, wrong_line
from bptt_core.ask.curves import curve
from bptt_core.ask.numbers import matrix, number
from bptt_core.ask.orders import Line, Run, order
from bptt_core.ask.pages import again, progress, score, summary
from bptt_core.ask.programs import code
from bptt_core.ask.states import state
from bptt_core.ask.steps import Part, Step, Task

__all__ = [
    "Line",
    "Part",
    "Run",
    "Step",
    "Task",
    "again",
    "choice",
    "code",
    "curve",
    "matrix",
    "number",
    "order",
    "progress",
    "score",
    "state",
    "summary",
    "wrong_line",
]
