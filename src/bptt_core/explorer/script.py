"""The script and the style sheet of a figure, from the files in js/ and explorer.css.

The files in js/ are ES modules, for editors and linters. A page opened from disk can load no
module, so here they become one classic script: in order, without their imports and exports,
comments and indentation. One scope holds all of their top-level names, so no two may be alike; a
browser refuses the script if they are.
"""

import functools
import re
from pathlib import Path

HERE = Path(__file__).parent
FILES = "wire table controls drawing play pointer numbers address kernel mount".split()
# what a page or a reader does not need; no template literal in js/ goes over more than one line
DROPPED = re.compile(
    r"^import [^;]*;\n|^export (?=\w)|^ *//.*\n|^ */\*\*[\s\S]*?\*/\n|^ +|^\n", re.MULTILINE
)


@functools.cache
def classic():
    """The script for a page: it mounts every figure that it finds, and sets
    globalThis.bpttExplorer."""
    parts = [(HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in FILES]
    body = DROPPED.sub("", "".join(parts))
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def module():
    """The same as a module for anywidget."""
    return classic() + "export default { render: globalThis.bpttExplorer.render };\n"


@functools.cache
def sheet():
    """The style sheet: the palette and the look of a figure."""
    return (HERE / "explorer.css").read_text(encoding="utf-8")
