"""A small figure that has what a figure can have: two pictures, a click, a slider that plays, few
and many settings; and pages that hold it."""

import numpy as np

from bptt_core import plotting
from bptt_core.explorer import Choice, Explorer, Frame, Slider, script

W = np.linspace(-2, 2, 9)
B = np.linspace(0, 3, 31)
READY = "document.querySelectorAll('.gtt-explorer:not([data-ready])').length === 0"
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>A page</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="explorer.css"><style>body {{ margin: 0 auto; max-width: 700px;
padding: 16px; background: var(--gtt-paper); color: var(--gtt-ink) }}</style>
<script defer src="explorer.js"></script></head>
<body><main><h1>A page</h1>{body}</main></body></html>"""


def line(kind, w, b):
    x = np.linspace(-1, 1, 5)
    y = w[:, None] * x**3 + b[:, None] if kind == "cubic" else w[:, None] * x + b[:, None]
    said = [
        f"The {kind} line rises by *{slope:g}* from {start:.1f}."
        for slope, start in zip(w, b, strict=True)
    ]
    return Frame({"point": (w[:, None], b[:, None]), "line": (x, y)}, said)


@plotting.style()
def probe(**changes):
    plane, ax = plotting.figure(3.5, 2.9)
    ax.set(xlim=(-2, 2), ylim=(0, 3), xlabel="w", ylabel="b", title="Choose w and b")
    ax.plot([], [], "o", color="gtt:gradient", gid="point")
    over, below = plotting.figure(3.5, 2.9)
    below.set(xlim=(-1, 1), ylim=(-2, 5), xlabel="x", title="The line")
    below.plot([], [], color="gtt:forward", gid="line")
    controls = {
        "kind": Choice("Kind", {"straight": "straight", "cubic": "cubic"}, "straight"),
        "w": Slider("Slope w", W, 0.5),
        "b": Slider("Height b", B, 1.0),
    }
    texts = {
        "name": "probe",
        "title": "A line is where it is",
        "question": "Where does it go?",
        "reading": "Left the two numbers, right their line.",
        "alts": ["The plane of w and b.", "The line."],
        "click": {"point": ["w", "b"]},
        "play": "w",
        "columns": ("x", {"line": "height"}),
    }
    return Explorer(line, [plane, over], controls, **texts | changes)


def write(folder, body, name="page"):
    """Pages in both themes around some HTML; address(theme) is their file:// address."""
    (folder / "explorer.js").write_text(script.classic(), encoding="utf-8")
    (folder / "share.js").write_text(script.aside(), encoding="utf-8")
    (folder / "explorer.css").write_text(script.sheet(), encoding="utf-8")
    for theme in ("light", "dark"):
        page = PAGE.format(theme=theme, body=body)
        (folder / f"{name}-{theme}.html").write_text(page, encoding="utf-8")
    return lambda theme="light": (folder / f"{name}-{theme}.html").as_uri()
