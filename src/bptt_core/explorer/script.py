"""The script and the style sheet of a figure, from the files in js/ and explorer.css.

The files in js/ are ES modules, for editors and linters. A page opened from disk can load no
module, so here those of a page become two classic scripts: each in order, without imports and
exports, comments and indentation. A notebook's become one module in the same way, since anywidget
takes one. One scope holds all of their top-level names, so no two may be alike; a browser refuses
the script if they are.
"""

import functools
import re
from pathlib import Path

HERE = Path(__file__).parent
FIGURE = "elements wire table controls drawing play pointer numbers mount".split()
PAGE = [*FIGURE, "address", "page"]
ASIDE = ["elements", "share", "alone", "aside"]
NOTEBOOK = [*FIGURE, "share", "kernel", "notebook"]
FILES = list(dict.fromkeys(PAGE + ASIDE + NOTEBOOK))
# what a page or a reader does not need; no template literal in js/ goes over more than one line
DROPPED = re.compile(
    r"^import [^;]*;\n|^export (?=\w)|^ *//.*\n|^ */\*\*[\s\S]*?\*/\n|^ +|^\n", re.MULTILINE
)


def _joined(names):
    parts = [(HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return DROPPED.sub("", "".join(parts))


def _classic(names):
    return f'(() => {{\n"use strict";\n{_joined(names)}}})();\n'


@functools.cache
def classic():
    """The script for a page: it mounts every figure that it finds."""
    return _classic(PAGE)


@functools.cache
def aside():
    """What a reader takes along, and a figure alone. A page's script loads it when one asks, from
    share.js beside explorer.js, unless it stands in the page."""
    return _classic(ASIDE)


@functools.cache
def module():
    """The module for anywidget, with a kernel instead of an address."""
    return f"{_joined(NOTEBOOK)}export default {{ render }};\n"


@functools.cache
def sheet():
    """The style sheet: the palette and the look of a figure."""
    return (HERE / "explorer.css").read_text(encoding="utf-8")
