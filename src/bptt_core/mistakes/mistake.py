"""A mistake: a line of the plain passes, written otherwise."""

import re
from typing import NamedTuple

import numpy as np

from bptt_core._arrays import wanted
from bptt_core.explicit import pass_of
from bptt_core.mistakes.listing import Edit, listing_of

__all__ = ["Mistake"]


class Mistake(NamedTuple):
    """One way to go wrong. "It looks as if " + explanation tells a reader what they did.

    >>> mistake = known_mistakes(explicit.rnn)[0]
    >>> mistake.explanation
    'the recurrence was multiplied by W_hh instead of its transpose'
    >>> mistake.lines(explicit.rnn)
    {'dh_next': ('da @ W_hh', 'da @ W_hh.mT')}
    """

    name: str
    explanation: str
    hidden: str  # when the mistake changes nothing
    edits: tuple[Edit, ...]
    common: bool = True  # whether it is also looked for together with another one

    def lines(self, module):
        """{line: (its text, the mistaken text)} in a module of `explicit`; {} if it has no such line."""
        listing = listing_of(module)
        texts = listing.edited(self.edits) or {}
        return {name: (listing.texts[name], text) for name, text in texts.items()}

    def concerns(self, params):
        """Whether it can be made with this cell, with or without biases."""
        lines = self.lines(pass_of(params))
        biases = all(re.match(r"db_|\w\[t\]", name) for name in lines)
        return bool(lines) and not (biases and params.b_h is None)

    def apply(self, params, cache, dh):
        """The gradient of the parameters that this mistake gives, for ∂⁺L/∂h_t = dh (T, B, H) or {t: array}.

        cache  of the forward pass of `bptt_core.rnn`, `lstm`, …

        ValueError: a mistake that nobody makes with this cell, a grid of networks."""
        if not self.concerns(params):
            raise wanted("params", type(params).__module__, f"a cell that has “{self.name}”")
        module = pass_of(params)
        texts = listing_of(module).edited(self.edits)
        forward, backward = listing_of(module).functions(texts)
        with np.errstate(all="ignore"):
            found = backward(params, forward(params, **module.arguments(cache)), dh)
        return found._replace(**{name: None for name, w in params._asdict().items() if w is None})
