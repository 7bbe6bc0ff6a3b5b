"""All mistakes of a cell, each program once."""

import inspect
from functools import cache

import numpy as np

from bptt_core.explicit import PASSES
from bptt_core.mistakes.catalogue import catalogue
from bptt_core.mistakes.families import families
from bptt_core.mistakes.listing import listing_of
from bptt_core.mistakes.lockstep import gradients

__all__ = ["MISTAKES", "known_mistakes", "programs_of"]

# The mistakes that have a name of their own, of whatever cell.
MISTAKES = tuple({m.name: m for p in PASSES.values() for m in catalogue(p.GATES)}.values())


def known_mistakes(module):
    """The mistakes that can be made in a module of `explicit`, those with their own name first.

    Of two that are the same program, such as a term left out where it is made or where it is used,
    the first counts.

    >>> len(known_mistakes(explicit.rnn)) > 100
    True
    """
    return [mistake for mistake, _ in programs_of(module)]


@cache
def programs_of(module):
    """The same with the lines that each changes: ((mistake, {name: text}), …)."""
    listing = listing_of(module)
    possible = []
    for mistake in (*catalogue(module.GATES), *families(listing)):
        texts = listing.edited(mistake.edits)
        if texts is not None:
            possible.append((mistake, texts))
    programs = [{}, *(texts for _, texts in possible)]
    prints = np.hstack([_fingerprints(listing, programs, a) for a in ("tanh", "sigmoid")])
    seen, found = prints[:1], []
    for pair, own in zip(possible, prints[1:], strict=True):
        if np.abs(seen - own).max(axis=1).min() > 1e-9 * np.abs(own).max():
            seen = np.vstack([seen, own])
            found.append(pair)
    return tuple(found)


def _fingerprints(listing, programs, activation):
    """Four numbers for the outcome of each program in a network of all different sizes."""
    T, B, D, H = 11, 3, 2, 4  # 11: a cut counted from the first step or from the last differ
    rng = np.random.default_rng(0)
    rows = len(listing.module.GATES) * H
    shapes = {"W_xh": (rows, D), "W_hh": (rows, H), "b_h": (rows,)}
    Params = listing.module.Params
    params = Params(*(0.5 * rng.standard_normal(shapes.get(n, (H,))) for n in Params._fields))
    arguments = {"x": rng.standard_normal((T, B, D))}
    for name, parameter in inspect.signature(listing.module.forward).parameters.items():
        if parameter.default is None:
            arguments[name] = rng.standard_normal((B, H))
        elif parameter.default == "tanh":
            arguments[name] = activation
    found = gradients(listing, params, arguments, rng.standard_normal((T, B, H)), programs)
    flat = np.concatenate([v.reshape(len(programs), -1) for v in found.values()], axis=1)
    return np.nan_to_num(flat @ rng.standard_normal((flat.shape[1], 4)))
