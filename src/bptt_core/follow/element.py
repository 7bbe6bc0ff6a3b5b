"""The figure `paths`: the graph, the sum of the paths taken, and what Python knows of every
setting.

The script multiplies the factors of a path and adds paths up: bookkeeping on numbers that Python
made. The exact gradient is not computed in the page: it is looked up, and the sum must meet it.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptt_core import jacobians
from bptt_core._checks import wanted
from bptt_core.ask.question import PALETTE, Element
from bptt_core.ask.text import number, rich
from bptt_core.follow import graph, roads

HERE = Path(__file__).parent
SCRIPT = (HERE / "follow.js").read_text(encoding="utf-8")
SHEET = (HERE / "follow.css").read_text(encoding="utf-8")
ROADS = {"g": "g only", "all": "f, i and g"}
W_G = (-6, -5.6, -4, -3, -2, -1, 0, 1, 2, 3, 4)
W_O = tuple(range(-8, 9, 2))
SIZES = [len(ROADS), len(W_G), len(W_O)]
START = (0, W_G.index(2), W_O.index(0))
LONG = 20  # steps of the last sentence
NAME = "follow-a-path"
TITLE = "The gradient is the signed sum of its paths"
QUESTION = (
    "Start at the loss L and choose your way back to c_1. Each arrow that you follow multiplies. "
    "How much of the gradient does one path carry?"
)
READING = (
    "A bar is one path, and it begins where the sum of those before it ended. The red line is the "
    "exact gradient of L = 2 h_3, the dashed line the product of four terms. It knows the "
    f"{sum('o' not in ''.join(path) for path in roads.PATHS)} paths that visit no o. The others go "
    "through an output gate: *the four terms miss them*."
)
SUPPRESS = 'data-lm-suppress-shortcuts="true"'  # JupyterLab leaves the keys of a field alone


def settings():
    """Every setting of the page, (roads, w_g, w_o), in the order of its numbers."""
    return [(name, w_g, w_o) for name in ROADS for w_g in W_G for w_o in W_O]


def values(name, w_g, w_o):
    """What the figure knows at n settings that share `name`.

    edges  {edge: (n,)}; paths (24, n); exact, four: the gradient of c_1, and what the product of
    four terms says of it; far: the gradient, the cell's path and the path via g over 20 steps"""
    w_g, w_o = np.atleast_1d(w_g).astype(float), np.atleast_1d(w_o).astype(float)
    params, cache = roads.network(name, w_g, w_o)
    edges = roads.edges(params, cache)
    upstream = np.full((len(w_g), 1, 1), roads.LOSS)
    families = jacobians.path_families(params, cache, dh=upstream)
    long = roads.network(name, w_g, w_o, steps=LONG + 2)
    over = jacobians.path_families(*long, dh=upstream)
    via_g = jacobians.cell_terms(*long).D[-1, :, 0, 0, 0] ** LONG
    return {
        "edges": edges,
        "paths": roads.products(edges),
        "exact": families.total[roads.T - 1, :, 0, 0],
        "four": (families.cell + families.gates)[roads.T - 1, :, 0, 0],
        "far": np.stack([over.total[LONG, :, 0, 0], over.cell[LONG, :, 0, 0], via_g]),
    }


def say(paths, exact, four, far):
    """What is seen at one setting: paths (24,), and the others as in `values`."""
    biggest = paths[np.abs(paths).argmax()]
    same = np.isclose(four, exact, rtol=1e-9, atol=1e-12)
    knows = "the four terms say the same" if same else f"the four terms say {_number(four)}"
    return (
        f"The gradient of c_1 is *{_number(exact)}*; {knows}. {np.count_nonzero(paths)} of the "
        f"{len(paths)} paths are open, and the largest carries {_number(biggest)}. Over {LONG} "
        f"steps the path in the cell carries {_number(far[1])}, the path via g {_number(far[2])}, "
        f"and the gradient is *{_number(far[0])}*."
    )


def _number(value):
    """Two digits, or three from 100 on: 0.25, 837, 9.5 × 10^−7."""
    digits = 3 if abs(value) >= 100 else 2
    return number(0.0 if abs(value) < 1e-13 else float(f"{value:.{digits}g}"), digits)


def paths():
    """Follow a path from the loss back to a cell; paths add up to the exact gradient (`C09`, `C10`,
    `C11`, `B44`).

    An LSTM with one unit at rest. Controls: which gates read h, and the recurrent weights of the
    candidate and of the output gate."""
    mesh = [part.ravel() for part in np.meshgrid(W_G, W_O, indexing="ij")]
    known = [values(name, *mesh) for name in ROADS]
    edges = {
        edge: _series(np.stack([part["edges"][edge].reshape(len(W_G), -1) for part in known]))
        for edge in known[0]["edges"]
    }
    exact, four = (np.concatenate([part[key] for part in known]) for key in ("exact", "four"))
    said = [
        rich(say(*row))
        for part in known
        for row in zip(part["paths"].T, part["exact"], part["four"], part["far"].T, strict=True)
    ]
    words = ["".join(graph.LETTERS[edge] for edge in roads.along(path)) for path in roads.PATHS]
    kinds = [roads.FAMILIES.index(roads.family(path)) for path in roads.PATHS]
    spec = {
        "sizes": SIZES,
        "edges": {graph.LETTERS[edge]: [*at, *_names(*edge)] for edge, at in edges.items()},
        "ways": _ways(words),
        "paths": dict(zip(words, map(str, kinds), strict=True)),
        "names": list(Follow.grid),
        "texts": [list(ROADS), *([_signed(value) for value in each] for each in (W_G, W_O))],
        "kinds": [
            f"({name}{', missed by the four terms' * (k > 1)})"
            for k, name in enumerate(roads.FAMILIES)
        ],
        "exact": [_short(value) for value in exact],
        "four": [_short(value) for value in four],
        "said": said,
    }
    factors = {edge: at[min(START[axis], len(at) - 1)] for edge, (axis, at) in edges.items()}
    return Follow(_html=_html(spec, factors))


def _ways(words):
    """{a path so far: where it can go on to}, with no stop where there is but one way on."""

    def onward(path):
        on = {word[len(path)] for word in words if word.startswith(path) and word != path}
        return path if len(on) != 1 else onward(path + on.pop())

    found, waiting = {}, [onward("")]
    while waiting:
        path = waiting.pop(0)
        on = dict.fromkeys(
            word[len(path)] for word in words if word.startswith(path) and word != path
        )
        if on:
            found[path] = [onward(path + edge) for edge in on]
            waiting += found[path]
    return found


def _names(a, b):
    """How an edge is named below its factor, and where it leads."""
    a, b = (node.translate(str.maketrans("123", "₁₂₃")).replace("_", "") for node in (a, b))
    return f"{a} ← {b}", b


def _series(factor):
    """[control, values]: a factor (roads, w_g, w_o) that depends on one control, or on none."""
    axes = [axis for axis in range(3) if np.ptp(factor, axis).max() > 1e-12]
    if len(axes) > 1:
        raise RuntimeError(f"a factor depends on the controls {axes}, wanted one at most")
    axis = axes[0] if axes else 0
    along = np.moveaxis(factor, axis, 0).reshape(factor.shape[axis], -1)[:, 0]
    return [axis, [_short(value) for value in (along if axes else along[:1])]]


def _short(value):
    """A number for the page, to nine digits; what rounding left of zero is zero."""
    return 0 if abs(value) < 1e-13 else float(f"{value:.9g}")


class Follow(Element):
    """The figure as an element; with a kernel the same."""

    _script = SCRIPT
    _esm = SCRIPT + "export default { render: globalThis.gttFollow.render };\n"
    _css = PALETTE + SHEET

    grid = {"roads": list(ROADS), "w_g": list(W_G), "w_o": list(W_O)}
    settings = {key: at[k] for (key, at), k in zip(grid.items(), START, strict=True)}
    address = NAME

    def settings_grid(self):
        """Every setting of the page, one dict after another."""
        for each in settings():
            yield dict(zip(self.grid, each, strict=True))

    def at(self, **settings):
        """The `Sum` at these settings, the others as the figure opens. ValueError: none of
        `grid`."""
        for key, value in settings.items():
            if value not in self.grid.get(key, ()):
                raise wanted(key, repr(value), f"one of {self.grid.get(key, 'no setting')}")
        name, w_g, w_o = (self.settings | settings).values()
        known = values(name, w_g, w_o)
        row = (known[key][..., 0] for key in ("paths", "exact", "four", "far"))
        return Sum(*row)

    def __repr__(self):
        return f"Figure {NAME}"


class Sum(NamedTuple):
    """What the figure knows at one setting."""

    paths: np.ndarray  # what each of the paths carries, in the order of `roads.PATHS`
    exact: float  # the gradient of c_1
    four: float  # what the product of four terms says of it
    far: np.ndarray  # over 20 steps: the gradient, the cell's path, the path via g

    @property
    def sentence(self):
        return say(*self)


def _html(spec, factors):
    """Without the script: the graph, what is said as it opens, and the table of all paths."""
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    layers = "".join(
        _button(f"{name}, {list(spec['paths'].values()).count(str(k))}", k, _key(name))
        for k, name in enumerate(roads.FAMILIES)
    )
    rows = "".join(_row(path, factors) for path in roads.PATHS)
    said = spec["said"][int(np.ravel_multi_index(START, SIZES))]
    return f"""<div class="gtt-follow" id="{NAME}" role="group" aria-labelledby="{NAME}-title">
<p class="gtt-title" id="{NAME}-title">{rich(TITLE)}</p>
<p class="gtt-question">{rich(QUESTION)}</p>
<div class="gtt-two"><div>{graph.svg()}</div><div class="gtt-sums" aria-hidden="true">
<p class="gtt-at-exact">exact <b class="gtt-exact"></b></p><div class="gtt-frame">
<i class="gtt-at-zero"></i><i class="gtt-at-four"></i><i class="gtt-at-exact"></i>
<div class="gtt-bars"></div></div><p class="gtt-at-four">four terms <b class="gtt-four"></b></p>
</div></div>
<p class="gtt-product"></p>
<div class="gtt-next" role="group" aria-label="Ways on"></div>
<div class="gtt-layers" role="group" aria-label="Add whole families">{layers}
{_button(f"all {len(roads.PATHS)}", "all")}</div>
<p class="gtt-sum" role="status"></p>
<p class="gtt-readout">{said}</p>
<div class="gtt-controls">{_choice()}{_slider("Candidate's weight w_g", W_G, START[1])}
{_slider("Output gate's weight w_o", W_O, START[2])}</div>
<p class="gtt-reading">{rich(READING)}</p>
<details><summary>All {len(roads.PATHS)} paths, with their factors as the figure opens</summary>
<div class="gtt-scroll" tabindex="0" role="region" aria-label="Table: all paths"><table>
<thead><tr><th scope="col">path</th><th scope="col">family</th><th scope="col">factors</th>
<th scope="col">product</th></tr></thead><tbody>{rows}</tbody></table></div></details>
<script type="application/json" class="gtt-data">{data}</script></div>"""


def _row(path, factors):
    along = [factors[edge] for edge in roads.along(path)]
    names = " ← ".join(_names(node, node)[1] for node in path)
    return (
        f'<tr><th scope="row">{names}</th>'
        f'<td class="{_key(roads.family(path))}">{roads.family(path)}</td>'
        f"<td>{' · '.join(number(each) for each in along)}</td>"
        f"<td>{number(float(np.prod(along)))}</td></tr>"
    )


def _key(family):
    """The class by which a text lights up a family."""
    return f"part-{family.replace(' ', '-')}"


def _button(text, what, key="gtt-all"):
    return f'<button type="button" class="{key}" data-layer="{what}" {SUPPRESS}>{text}</button>'


def _signed(value):
    return f"{value:g}".replace("-", "−")


def _choice():
    options = "".join(
        f'<option value="{k}">{name}</option>' for k, name in enumerate(ROADS.values())
    )
    return f"""<label class="gtt-pick"><span>Gates that read h, besides o</span>
<select {SUPPRESS}>{options}</select></label>"""


def _slider(label, at, start):
    value = _signed(at[start])
    return f"""<label class="gtt-slider"><span>{rich(label)}</span>
<input type="range" min="0" max="{len(at) - 1}" value="{start}" step="1"
 aria-valuetext="{value}" {SUPPRESS}><output>{value}</output></label>"""
