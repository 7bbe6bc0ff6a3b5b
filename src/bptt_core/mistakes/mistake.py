"""A mistake: a line of the plain passes, written otherwise."""

import re
from typing import NamedTuple

import numpy as np

from bptt_core._checks import wanted
from bptt_core.cells import checked
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
        """{line: (its text, the mistaken text)} in a module of `explicit`; {} if none is there."""
        listing = listing_of(module)
        texts = listing.edited(self.edits) or {}
        return {name: (listing.texts[name], text) for name, text in texts.items()}

    def concerns(self, params, cache=None):
        """Whether it can be made with this cell, with or without biases."""
        lines = self.lines(pass_of(params, cache))
        biases = all(re.match(r"db_|\w\[t\]", name) for name in lines)
        return bool(lines) and not (biases and params.b_h is None)

    def source(self, module):
        """The backward pass of a module of `explicit` as somebody writes it with this mistake."""
        texts = {name: wrong for name, (_, wrong) in self.lines(module).items()}
        return listing_of(module).backward.rewritten(texts)

    def passes(self, module):
        """Both functions, forward and backward, of a module of `explicit` with this mistake."""
        texts = {name: wrong for name, (_, wrong) in self.lines(module).items()}
        return listing_of(module).functions(texts)

    def apply(self, params, cache, dh):
        """The gradient of the parameters that this mistake gives.

        cache  of the forward pass of `bptt_core.rnn`, `lstm` or `gru`
        dh     ∂⁺L/∂h_t (T, B, H) or {t: array}

        ValueError: a mistake that nobody makes with this cell, the cache of another, a grid."""
        params = checked(params, cache)
        if not self.concerns(params, cache):
            raise wanted("params", type(params).__module__, f"a cell that has “{self.name}”")
        module = pass_of(params, cache)
        forward, backward = self.passes(module)
        before = listing_of(module).forward.lines
        again = any(line.name in self.lines(module) for line in before)
        with np.errstate(all="ignore"):
            states = forward(params, **module.arguments(cache)) if again else module.plain(cache)
            found = backward(params, states, dh)
        return found._replace(**{name: None for name, w in params._asdict().items() if w is None})
