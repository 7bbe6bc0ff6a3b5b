"""Passes to read: plain loops over the steps of one network, line for line the equations.

rnn, lstm   `forward` and `backward`, with a `Cache` between them; `bptt_core.rnn` and `lstm`
            compute the same, and faster
pass_of     the module for some parameters

`mistakes` takes a mistake to be one line of these passes written otherwise. A further cell is one
more module here.
"""

from bptt_core._checks import wanted
from bptt_core.explicit import lstm, rnn

PASSES = {"rnn": rnn, "lstm": lstm}
__all__ = ["PASSES", "lstm", "pass_of", "rnn"]


def pass_of(params):
    """The module whose passes are those of this cell. ValueError: no cell that is here."""
    for module in PASSES.values():
        if isinstance(params, module.Params):
            return module
    cells = " or ".join(f"{name}.Params" for name in PASSES)
    raise wanted("params", type(params).__name__, cells)
