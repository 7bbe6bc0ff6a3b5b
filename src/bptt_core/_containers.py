"""Parameters come in containers: named tuples, tuples, lists and dicts of arrays or None,
nested as one likes."""

import numpy as np

from bptt_core._checks import wanted


def is_container(tree):
    """Whether `tree` holds further values rather than being one."""
    return isinstance(tree, tuple | list | dict)


def fields(tree):
    """The (name, value) pairs of one container."""
    if isinstance(tree, dict):
        return list(tree.items())
    return list(zip(getattr(tree, "_fields", range(len(tree))), tree, strict=True))


def leaves(tree, name=""):
    """Every array of a container with its name: [("rnn.W_hh", array), …]. None is left out."""
    if tree is None:
        return []
    if not is_container(tree):
        return [(name or "value", np.asarray(tree))]
    return [
        leaf
        for key, value in fields(tree)
        for leaf in leaves(value, f"{name}.{key}" if name else str(key))
    ]


def map_leaves(function, tree, *others):
    """`tree` with each array replaced by function(array, …);
    more arguments come from the same place in `others`."""
    if tree is None:
        return None
    if not is_container(tree):
        return function(tree, *others)
    for other in others:
        if not is_container(other) or [key for key, _ in fields(other)] != [
            key for key, _ in fields(tree)
        ]:
            raise wanted("containers", type(other).__name__, f"the fields of {type(tree).__name__}")
    columns = zip(fields(tree), *map(fields, others), strict=True)
    values = {row[0][0]: map_leaves(function, *[value for _, value in row]) for row in columns}
    if isinstance(tree, dict):
        return values
    return type(tree)(*values.values()) if hasattr(tree, "_fields") else type(tree)(values.values())
