"""Passes to read: plain loops over the steps of one network, line for line the equations.

rnn, lstm        `forward` and `backward`, with a `Cache` between them; `bptt_core.rnn` and `lstm`
                 compute the same, and faster
gru, gru_before  the two forms of a GRU, with the reset gate after the product with W_hn or before
pass_of          the module for some parameters and the cache of their forward pass

`mistakes` takes a mistake to be one line of these passes written otherwise. A further cell is one
more module here.
"""

from bptt_core._checks import wanted
from bptt_core.explicit import gru, gru_before, lstm, rnn

PASSES = {"rnn": rnn, "lstm": lstm, "gru": gru, "gru_before": gru_before}
__all__ = ["PASSES", "gru", "gru_before", "lstm", "pass_of", "rnn"]


def pass_of(params, cache=None):
    """The module whose passes are those of this cell, in the form that made the cache.

    ValueError: no cell that is here."""
    for module in PASSES.values():
        form = getattr(module, "FORM", {})
        if isinstance(params, module.Params) and (cache is None or form.items() <= _form(cache)):
            return module
    cells = dict.fromkeys(f"{module.Params.__module__[10:]}.Params" for module in PASSES.values())
    raise wanted("params", type(params).__name__, " or ".join(cells))


def _form(cache):
    """What a cache says of the form of its cell: the fields that are words."""
    fields = cache._asdict().items()
    return {name: value for name, value in fields if isinstance(value, str)}.items()
