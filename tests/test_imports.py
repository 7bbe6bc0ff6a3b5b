"""Imports go one way, and the core is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bptt_core

PACKAGE = Path(bptt_core.__file__).parent
# A module may import from the levels below its own. A wing is a folder: inside it, a module imports
# what stands to its left; outside, everybody imports the wing as one.
LEVELS = [
    {"_checks"},
    {"_arrays", "_containers", "activations"},
    {"_affine", "cells"},  # `cells` finds the cells, and imports none of them
    {"rnn", "lstm", "gru", "readout"},
    {"jacobians", "gradcheck", "tasks", "explicit"},
    {"gradient_flow", "mistakes"},
    {"training"},
    {"studies"},
    {"_style"},
    {"_svg"},
    {"plotting"},
    {"diagrams", "explorer", "ask"},
    {"labs", "walk", "follow"},
]
SYMBOLIC = {"derivations"}  # agreement with it proves something: it shares nothing with the rest
# the modules of a wing, each importing only from those before it; its __init__ comes last
WINGS = {
    "explicit": ["_rows", "rnn", "lstm", "gru", "gru_before"],
    "mistakes": [
        *("wording", "listing", "lockstep", "mistake", "bookkeeping", "catalogue", "families"),
        *("known", "comparison", "diagnosis", "causes", "search"),
    ],
    "explorer": [
        *("controls", "frame", "places", "axes", "picture", "table", "model", "page", "markup"),
        *("script", "widget"),
    ],
    "ask": [
        *(
            "text",
            "question",
            "choices",
            "steps",
            "fields",
            "numbers",
            "curves",
            "orders",
            "states",
            "programs",
        ),
        "pages",
        "tasks",
        "roads",
        "lstm_lines",
        "mean_of_three",
    ],
    "derivations": ["symbols", "unrolled", "networks"],
    "follow": ["roads", "graph", "element"],
    "studies": ["lag_tasks", "long_gradient", "reading", "first_letter", "random_networks", "film"],
    "walk": [
        *("written", "equations", "trace", "scene", "graph", "recurrent", "gated", "slips"),
        *("lines", "notes", "page", "widget"),
    ],
    "labs": [
        "_words",
        "lanes",
        "balance",
        "linear",
        "saturation",
        "forgetting",
        "families",
        "cliff",
        "windows",
        "film",
    ],
}
NUMERIC = {"numpy"}
DRAWING = {"numpy", "matplotlib"}
ALLOWED = {  # by module or by wing; the others import NumPy alone
    "_style": DRAWING,
    "_svg": DRAWING,
    "plotting": DRAWING,
    "diagrams": DRAWING,
    "labs": DRAWING,
    "explorer": DRAWING | {"anywidget", "traitlets"},
    "ask": {"numpy", "anywidget", "traitlets"},
    "walk": {"numpy"},
    "derivations": {"sympy"},
}


def names_of_modules():
    """Every module as a dotted name below the package;
    a wing's __init__ goes by the name of the wing."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if name := ".".join(part for part in parts if part != "__init__"):
            yield name


MODULES = list(names_of_modules())


def path_of(module):
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(module):
    """Dotted names of the modules of this package, and top-level names of others,
    that a module imports."""
    own, other = set(), set()
    for node in ast.walk(ast.parse(path_of(module).read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [
                name if name.removeprefix("bptt_core.") in MODULES else node.module for name in full
            ]
        for name in names:
            top, _, rest = name.partition(".")
            (own if top == "bptt_core" else other).add(rest if top == "bptt_core" else top)
    return own, other - set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below(module):
    own, other = imported(module)
    wing, _, room = module.partition(".")
    inside = {name for name in own if name.partition(".")[0] == wing}
    left = WINGS.get(wing, [])
    left = left[: left.index(room)] if room else left
    assert inside <= {f"{wing}.{name}" for name in left} | ({wing} if room else set()), (
        f"{module}: {inside}"
    )
    level = next((i for i, names in enumerate(LEVELS) if wing in names), 0)
    below = set() if wing in SYMBOLIC else set().union(*LEVELS[:level])
    outside = own - inside
    assert {name.partition(".")[0] for name in outside} <= below, f"{module} imports {outside}"
    assert other <= ALLOWED.get(wing, NUMERIC), (
        f"{module} imports {other - ALLOWED.get(wing, NUMERIC)}"
    )


def loaded_by(statement):
    """Top-level names of the modules that a fresh Python holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_numpy_and_nothing_heavier():
    assert loaded_by("import bptt_core") - loaded_by("import numpy") - set(
        sys.stdlib_module_names
    ) == {"bptt_core"}


def test_every_module_has_a_level():
    assert {name for name in MODULES if "." not in name} == set().union(*LEVELS) | SYMBOLIC
    rooms = {f"{wing}.{room}" for wing, rooms in WINGS.items() for room in rooms}
    assert {name for name in MODULES if "." in name} == rooms
