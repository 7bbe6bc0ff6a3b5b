"""Studies that take longer than a chapter may: what was run, and the stored result that is read.

long_gradient    does a network need the long gradient to learn a long lag?
lag_tasks        its tasks, each with and without examples of a short lag
first_letter     who knows the first of 30 letters?
film             how networks come to know it, update by update
reading          a plain RNN and an LSTM read a text, each at its own best learning rate
random_networks  what the gradient of a random network does, at every setting of two labs
"""

from bptt_core.studies.lag_tasks import Task
from bptt_core.studies.long_gradient import Runs, Setting, measure, plan, rows, run, wilson

__all__ = ["Runs", "Setting", "Task", "measure", "plan", "rows", "run", "wilson"]
