"""The plain passes as lines of text, so that a line can be written otherwise.

listing_of  the two passes of a cell, line by line
Edit        a change of some lines; `Listing.functions` are the passes so written
"""

import ast
import inspect
import re
from functools import cache
from typing import NamedTuple

import numpy as np

from bptt_core.activations import get_activation

__all__ = ["Edit", "Function", "Line", "Listing", "listing_of"]


class Edit(NamedTuple):
    """In lines whose name matches `line`, what matches `old` becomes `new`, as in `re.sub`."""

    line: str
    old: str
    new: str


class Line(NamedTuple):
    """name = text, or name += text: one line of a loop."""

    name: str  # "da_f", "h[t]"; "for" is what the loop of the backward pass runs over
    text: str
    adds: bool
    number: int  # of the line in the function


class Function(NamedTuple):
    """One pass: its source, the lines of its loop, and what comes before the loop."""

    source: str
    lines: tuple
    start: object  # code

    def rewritten(self, texts):
        """The source with other texts for some lines, {name: text}."""
        rows = self.source.split("\n")
        for line in self.lines:
            if line.name in texts:
                before, _, after = rows[line.number].rpartition(line.text)
                rows[line.number] = before + texts[line.name] + after
        return "\n".join(rows)


class Listing:
    """Both passes of a module of `explicit`."""

    def __init__(self, module):
        self.module = module
        self.forward = _parsed(module.forward)
        self.backward = _parsed(module.backward)
        lines = (*self.forward.lines, *self.backward.lines)
        self.texts = {line.name: line.text for line in lines}
        self.found = {}

    def named(self, pattern):
        """The (name, text) of the lines whose name matches."""
        if pattern not in self.found:
            self.found[pattern] = [p for p in self.texts.items() if re.fullmatch(pattern, p[0])]
        return self.found[pattern]

    def edited(self, edits, texts=None):
        """{name: text} of the lines that edits change, on top of `texts`; None if one cannot."""
        changed = dict(texts or {})
        for edit in edits:
            found = False
            for name, right in self.named(edit.line):
                before = changed.get(name, right)
                after = re.sub(edit.old, edit.new, before)
                if edit.old == ".+" and name in changed:
                    return None  # a whole line cannot be written anew twice
                if after != before:
                    changed[name] = after
                    found = True
            if not found:
                return None
        return changed

    def functions(self, texts):
        """The forward and the backward pass with other texts for some lines."""
        names = self.names()
        for function in (self.forward, self.backward):
            exec(function.rewritten(texts), names)
        return names["forward"], names["backward"]

    def names(self):
        """What an edited line may use besides the variables of its pass."""
        return vars(self.module) | HELPERS


listing_of = cache(Listing)


def _parsed(function):
    source = inspect.getsource(function)
    body = ast.parse(source).body[0].body
    loop = next(node for node in body if isinstance(node, ast.For))
    header = "for" if function.__name__ == "backward" else "for, forward"
    lines = [Line(header, ast.unparse(loop.iter), False, loop.lineno - 1)]
    for node in loop.body:
        adds = isinstance(node, ast.AugAssign)
        target = node.target if adds else node.targets[0]
        text = ast.get_source_segment(source, node.value)
        lines.append(Line(ast.unparse(target), text, adds, node.lineno - 1))
    start = ast.Module(body[1 : body.index(loop)], [])
    return Function(source, tuple(lines), compile(start, function.__name__, "exec"))


def _transposed(dW, gate=None):
    """A stacked matrix (…, kH, H) with each gate's block the wrong way round, or with one."""
    blocks = np.split(dW, dW.shape[-2] // dW.shape[-1], axis=-2)
    turned = [W.mT if gate in (None, k) else W for k, W in enumerate(blocks)]
    return np.concatenate(turned, axis=-2)


def _lent(da, gates, to, by):
    """da stacked by gates, if the bias of gate `by` served gate `to` too, whose own served none."""
    parts = dict(zip(gates, np.split(da, len(gates), axis=-1), strict=True))
    parts |= {by: parts[by] + parts[to], to: 0 * parts[to]}
    return np.concatenate([parts[gate] for gate in gates], axis=-1)


def _unsquashed(phi, y):
    """The a of y = φ(a)."""
    if phi.name == "tanh":
        return np.arctanh(y)
    return np.log(y / (1 - y)) if phi.name == "sigmoid" else y


HELPERS = {
    "lent": _lent,
    "np": np,
    "sigma": get_activation("sigmoid"),
    "tanh": get_activation("tanh"),
    "transposed": _transposed,
    "unsquashed": _unsquashed,
}
