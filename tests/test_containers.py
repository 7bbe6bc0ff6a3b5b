"""Containers of parameters: named tuples, tuples, lists and dicts of arrays, nested."""

import numpy as np
import pytest

from bptt_core import rnn
from bptt_core._containers import leaves, map_leaves

ONE, TWO, THREE = np.ones(1), np.full((2, 2), 2.0), np.array(3.0)
TREE = {"net": rnn.Params(ONE, TWO), "more": [THREE, (ONE, None)]}


def test_every_array_has_a_name():
    assert [name for name, _ in leaves(TREE)] == ["net.W_xh", "net.W_hh", "more.0", "more.1.0"]
    assert [value.sum() for _, value in leaves(TREE)] == [1, 8, 3, 1]
    assert [name for name, _ in leaves(ONE)] == ["value"] and leaves(None) == []


def test_a_function_is_applied_in_place_of_every_array():
    doubled = map_leaves(lambda a: 2 * a, TREE)
    assert isinstance(doubled["net"], rnn.Params) and doubled["net"].b_h is None
    assert (
        type(doubled["more"]) is list
        and type(doubled["more"][1]) is tuple
        and doubled["more"][1][1] is None
    )
    assert [value.sum() for _, value in leaves(doubled)] == [2, 16, 6, 2]
    assert map_leaves(lambda a: 2 * a, ONE) == 2


def test_arrays_of_the_same_place_meet():
    other = map_leaves(lambda a: 10 * a, TREE)
    sums = map_leaves(lambda a, b, c: a + b - c, TREE, other, TREE)
    assert [value.sum() for _, value in leaves(sums)] == [10, 80, 30, 10]


@pytest.mark.parametrize(
    "other", [{"net": TREE["net"]}, {"net": TREE["net"], "more": ONE}, ONE, list(TREE.values())]
)
def test_containers_that_differ_do_not_meet(other):
    with pytest.raises(ValueError, match="^containers: got .*, wanted the fields of "):
        map_leaves(lambda a, b: a, TREE, other)
