"""Imports go one way, and the core is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bptt_core

PACKAGE = Path(bptt_core.__file__).parent
# A module may import from the levels below its own.
LEVELS = [
    {"_arrays", "_places"},
    {"_containers", "activations"},
    {"rnn", "readout"},
    {"lstm"},
    {"jacobians"},
    {"gradient_flow", "gradcheck", "tasks", "mistakes"},
    {"training", "experiments"},
    {"plotting"},
    {"diagrams", "_picture"},
    {"_page"},
    {"explorer"},
    {"labs"},
]
SYMBOLIC = {"derivations", "_symbols"}  # agreement with them proves something because they share nothing with the rest
NUMERIC = {"numpy"}
DRAWING = {"numpy", "matplotlib"}
ALLOWED = {"plotting": DRAWING, "diagrams": DRAWING, "labs": DRAWING, "explorer": DRAWING | {"anywidget", "traitlets"}}
ALLOWED |= {"_picture": DRAWING, "_page": DRAWING | {"IPython"}, "derivations": {"sympy"}, "_symbols": {"sympy"}}
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def imported(module):
    """Names of the modules of this package, and of others, which a module imports anywhere in its text."""
    own, other = set(), set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = [
                f"{node.module}.{alias.name}" if node.module == "bptt_core" else node.module for alias in node.names
            ]
        for name in names:
            top, *rest = name.split(".")
            (own if top == "bptt_core" else other).add(rest[0] if top == "bptt_core" else top)
    return own, other - set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below(module):
    own, other = imported(module)
    if module in SYMBOLIC:
        assert own <= SYMBOLIC
    else:
        level = next(i for i, names in enumerate(LEVELS) if module in names)
        below = set().union(*LEVELS[:level])
        assert own <= below, f"{module} imports {own - below}"
    assert other <= ALLOWED.get(module, NUMERIC), f"{module} imports {other - ALLOWED.get(module, NUMERIC)}"


def loaded_by(statement):
    """Top-level names of the modules that a fresh Python holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_numpy_and_nothing_heavier():
    assert loaded_by("import bptt_core") - loaded_by("import numpy") - set(sys.stdlib_module_names) == {"bptt_core"}


def test_every_module_has_a_level():
    assert set(MODULES) == set().union(*LEVELS) | SYMBOLIC
