"""The mistakes people make in backpropagation through time, and which of them somebody made.

A mistake is a line of `explicit` written otherwise: `da_f = dc_t * c[t] * …` for c[t - 1].

diagnose        what is wrong with a gradient: a `Diagnosis`
MISTAKES        those that have a name of their own
known_mistakes  every `Mistake` of a cell: what it looks like, when nobody can see it, and `apply`
"""

from bptt_core.mistakes.diagnosis import Diagnosis, Finding
from bptt_core.mistakes.known import MISTAKES, known_mistakes
from bptt_core.mistakes.mistake import Mistake
from bptt_core.mistakes.search import diagnose

__all__ = ["MISTAKES", "Diagnosis", "Finding", "Mistake", "diagnose", "known_mistakes"]
