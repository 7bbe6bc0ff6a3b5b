"""The gradients once more, by SymPy, from nothing that the numeric modules know.

networks  `rnn`, `lstm`, `gru`: a small network unrolled, as a `Derivation`
unrolled  `Derivation`: the chain rule, back through the network line by line
symbols   symbols that print as the book writes them; `aligned`: equations as LaTeX for a notebook
"""

from bptt_core.derivations.networks import gru, lstm, rnn
from bptt_core.derivations.symbols import aligned
from bptt_core.derivations.unrolled import Derivation

__all__ = ["Derivation", "aligned", "gru", "lstm", "rnn"]
