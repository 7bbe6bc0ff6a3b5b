"""Thousands of backward passes at once, in lockstep.

Two passes that differ in one line share all the others. So each line is computed for all passes
together, along a leading axis, and then again for those that have it written otherwise.
"""

from functools import cache

import numpy as np

__all__ = ["gradients"]

NUMBERS = 2_000_000  # that may be in work at once


def gradients(listing, params, arguments, dh, programs, fields=None, cache=None):
    """What each of V programs gives: {name: (V, *shape)} for some or all fields of params.

    arguments  of the forward pass
    cache      what it computed, if that is known already
    programs   [{name: text}, …], the lines that are written otherwise"""
    shapes = {name: getattr(params, name).shape for name in fields or params._fields}
    found = {name: np.empty((len(programs), *shape)) for name, shape in shapes.items()}
    apart = {line.name for line in listing.forward.lines} | {"for"}
    groups = {}
    for row, texts in enumerate(programs):
        key = frozenset((name, texts[name]) for name in texts.keys() & apart)
        groups.setdefault(key, []).append(row)
    size = 4 * len(params.W_hh) * np.shape(arguments["x"])[1]
    length = max(1, NUMBERS // (size + sum(int(np.prod(shape)) for shape in shapes.values())))
    for texts, rows in groups.items():
        if texts or cache is None:
            states = listing.functions(dict(texts))[0](params, **arguments)
        else:
            states = cache
        for start in range(0, len(rows), length):
            part = rows[start : start + length]
            with np.errstate(all="ignore"):
                swept = _sweep(listing, params, states, dh, [programs[row] for row in part], shapes)
            for name, values in swept.items():
                found[name][part] = values
    return found


def _sweep(listing, params, cache, dh, programs, shapes):
    """The same for programs that share a forward pass and the order of the steps."""
    fixed = listing.names()
    exec(listing.backward.start, fixed, local := {"params": params, "cache": cache, "dh": dh})
    fixed |= {name: v.view(_Weight) if name.startswith("W_") else v for name, v in local.items()}
    header, *lines = listing.backward.lines
    lines = [line for line in lines if not line.adds or line.name[1:] in shapes]
    variants = _variants(programs)
    plan = [(line, _code(line.text), variants.get(line.name, {})) for line in lines]
    own = {
        line.name: np.zeros((len(programs), *(np.shape(fixed.get(line.name)) or (1, 1))))
        for line in lines
    }
    for t in eval(programs[0].get("for", header.text), fixed):
        fixed["t"] = t
        for line, code, others in plan:
            value = np.array(eval(code, fixed, own))
            for text, rows in others.items():
                other = _code(text)
                here = {name: own[name][rows] for name in other.co_names if name in own}
                try:
                    value[rows] = eval(other, fixed, here)
                except (
                    ValueError
                ):  # two edits of one line may fit each other's text, and not its shapes
                    value[rows] = np.nan
            own[line.name] = own[line.name] + value if line.adds else value
    return {name: own[f"d{name}"] for name in shapes}


def _variants(programs):
    """{line: {text: the rows of the programs that have it so}}"""
    rows = {}
    for row, texts in enumerate(programs):
        for name, text in texts.items():
            rows.setdefault(name, {}).setdefault(text, []).append(row)
    return {name: {t: np.array(r) for t, r in texts.items()} for name, texts in rows.items()}


@cache
def _code(text):
    return compile(text, "<line>", "eval")


class _Weight(np.ndarray):
    """A matrix that multiplies the rows of all passes in one product."""

    def __rmatmul__(self, rows):
        W = np.asarray(self)
        return (rows.reshape(-1, len(W)) @ W).reshape(*rows.shape[:-1], W.shape[1])
