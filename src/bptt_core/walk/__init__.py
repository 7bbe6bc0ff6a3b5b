"""A backward pass to be walked: the line of code, the equation, the edge of the unrolled graph and
the numbers, one step at a time, with a mistake if the reader wants one.

rnn, lstm   two units, three steps, a loss at each

The numbers are those of the plain passes of `explicit`, run line by line; the mistakes those of
`mistakes`.
"""

from bptt_core.walk.gated import SCENE as _LSTM
from bptt_core.walk.recurrent import SCENE as _RNN
from bptt_core.walk.widget import Walk

__all__ = ["Walk", "lstm", "rnn"]


def rnn():
    """The walk through an RNN (`walk-rnn`)."""
    return Walk(_RNN)


def lstm():
    """The walk through an LSTM (`walk-lstm`)."""
    return Walk(_LSTM)
