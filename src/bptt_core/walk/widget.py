"""The element in which a walk lives: live with a kernel, and the same without one."""

from pathlib import Path

from bptt_core.ask.question import PALETTE, Element
from bptt_core.walk import page

HERE = Path(__file__).parent
SHEET = (HERE / "walk.css").read_text(encoding="utf-8")


def script():
    """The script, without comments and indentation."""
    lines = map(str.strip, (HERE / "walk.js").read_text(encoding="utf-8").splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("//"))
    return f'(() => {{\n"use strict";\n{code}\n}})();\n'


SCRIPT = script()


class Walk(Element):
    """A backward pass to be walked, one line of its code at a time."""

    _script = SCRIPT
    _esm = SCRIPT + "export default { render: globalThis.gttWalk.render };\n"
    _css = PALETTE + SHEET

    def __init__(self, scene):
        self._scene = scene
        super().__init__(_html=page.html(scene, scene.name))

    def __repr__(self):
        return f"Walk {self._scene.name}: {self._scene.title}"
