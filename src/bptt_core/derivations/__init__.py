"""The gradients once more, by SymPy, from nothing that the numeric modules know.

unrolled  `rnn`, `lstm`: a small network unrolled, as a `Derivation`
symbols   symbols that print as the book writes them; `aligned`: equations as LaTeX for a notebook
"""

from bptt_core.derivations.unrolled import Derivation, aligned, lstm, rnn

__all__ = ["Derivation", "aligned", "lstm", "rnn"]
