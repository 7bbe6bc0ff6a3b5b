"""What a docstring says is so: its example runs, what it exports is there,
and who raises an error says so."""

import ast
import doctest
import importlib
import inspect

import numpy as np
import pytest

import bptt_core

READ_FIRST = [  # what somebody opens to learn something: each public function has an example
    "activations",
    "cells",
    "gradcheck",
    "gradient_flow",
    "gru",
    "jacobians",
    "lstm",
    "readout",
    "rnn",
    "tasks",
    "training",
]
MODULES = {name: importlib.import_module(f"bptt_core.{name}") for name in READ_FIRST}
# Of inner loops: nobody calls them by hand.
INNER = {"buffers", "step_back_into", "parameter_gradients", "map_slopes", "each_step"}


def own_functions(module):
    """The public functions that the module defines itself."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield value


FUNCTIONS = [
    pytest.param(function, id=f"{name}.{function.__name__}")
    for name, module in MODULES.items()
    for function in own_functions(module)
]


@pytest.mark.parametrize("name", READ_FIRST)
def test_the_examples_print_what_they_say(name):
    """An example may use np and the modules of the core, as if they had been imported."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    names = {"np": np} | MODULES
    said = []
    for example in finder.find(MODULES[name], globs=names):
        runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)
    assert runner.tries > 0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_public_function_has_an_example(function):
    assert function.__name__ in INNER or ">>> " in function.__doc__


def raises(function):
    """Whether the body of a function raises a ValueError,
    or checks an argument and lets the check raise."""
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id.removeprefix("_")
            if name.startswith("check") or name in ("number_array", "get_activation", "upstream"):
                return True
    return False


@pytest.mark.parametrize("function", FUNCTIONS)
def test_who_raises_says_so(function):
    said = function.__doc__
    assert not raises(function) or "Error" in said, "raises, and does not say what"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_all_names_what_is_public(name):
    module = MODULES[name]
    public = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    assert public <= set(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, key) for key in module.__all__)


def test_the_package_exports_what_it_says():
    assert all(hasattr(bptt_core, name) for name in bptt_core.__all__)
