"""The package's page holds every public name, and a docstring says what its function raises."""

import ast
import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

import bptt_core

ROOT = Path(__file__).parents[1]
PACKAGE = Path(bptt_core.__file__).parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from gtt import api  # noqa: E402

LISTED = re.findall(r"^```\{api\} (\S+)$", (ROOT / "book" / "api.md").read_text("utf-8"), re.M)
PUBLIC = sorted(
    {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
)
MODULES = [name for name in PUBLIC if not name.startswith("_")]


def test_every_public_module_is_on_the_page_once():
    assert sorted(LISTED) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_of_a_module_has_a_docstring(name):
    module = importlib.import_module(f"bptt_core.{name}")
    found = dict(api.described(module))
    assert found or name == "labs"
    assert not [n for n, value in found.items() if not (value.__doc__ or "").strip()]


def raisers(module):
    """Functions of a module's own text that raise in their own body, with their docstrings."""
    tree = ast.parse(Path(inspect.getsourcefile(module)).read_text("utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        inside = [n for n in ast.walk(node) if isinstance(n, ast.Raise) and n.exc is not None]
        if inside:
            yield node.name, ast.get_docstring(node) or ""


@pytest.mark.parametrize("name", MODULES)
def test_a_public_function_that_raises_says_what_it_raises(name):
    module = importlib.import_module(f"bptt_core.{name}")
    silent = [n for n, doc in raisers(module) if not re.search(r"Error|raise", doc, re.I)]
    assert not silent


def test_a_module_without_a_list_offers_what_it_defines_and_no_import(tmp_path, monkeypatch):
    (tmp_path / "small.py").write_text("import math\ndef seen(): ...\ndef _unseen(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert api.public_names(importlib.import_module("small")) == ["seen"]


def test_the_fields_of_a_container_are_shown_with_their_shapes():
    from bptt_core import rnn

    assert api.fields(rnn.Params).splitlines()[0] == "W_xh: np.ndarray  # (*G, H, D)"
