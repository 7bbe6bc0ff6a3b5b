"""A figure with sliders that lives in the page: live with a kernel, and just as movable without one.

`Explorer`  the widget
`Slider`    a control that moves along a grid of numbers
`Choice`    a control that picks one of a few names

Matplotlib draws the figure once, as SVG; an artist that moves carries a `gid`. A function of the settings says where each of
them goes. It is evaluated over the whole grid of settings when the cell runs, and the page keeps the resulting path
coordinates as a table. With a kernel the same function is evaluated at the exact setting.
"""

import itertools
import os
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import anywidget
import numpy as np
import traitlets
from matplotlib.patches import Polygon
from matplotlib.text import Annotation, Text

from bptt_core import _page, plotting

STATIC = Path(__file__).parent / "static"
SCRIPT, SHEET = ((STATIC / name).read_text(encoding="utf-8") for name in ("explorer.js", "explorer.css"))
UNITS, GAP, EDGE = 64, -32768, 32000  # int16 coordinates: 1/64 point, "not drawn", and the farthest they go
LIMIT = 4_000_000  # numbers in one table
CHUNK = 64  # settings evaluated at once
KINDS = {"label": Text, "area": Polygon}  # every other artist that moves is a line


class Slider(NamedTuple):
    """A control that moves along `values`; `text` formats a value, as a format string or a function."""

    label: str  # plain words, with the symbol if there is one
    values: object  # increasing numbers
    start: float
    text: object = "{:.3g}"
    symbol: str | None = None  # another name for it in the page's address


class Choice(NamedTuple):
    """A control that picks one of `options`, {value: label}."""

    label: str
    options: dict
    start: str
    symbol: str | None = None


class _Number(traitlets.Float):
    """A finite number in the range of a slider."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not np.isfinite(value):
            raise traitlets.TraitError(f"{self.name}: got {value}, wanted a number from {self.min} to {self.max}")
        return value


class Explorer(anywidget.AnyWidget):
    """A movable figure: controls, a picture, a sentence that says what is seen.

    function   (**settings) → (positions, sentences). Slider settings arrive as arrays (n,), choices as strings. positions maps
               a gid to (x, y), each (n, points) or (points,) in data coordinates, NaN where nothing is drawn; sentences is a
               list of n texts, *stressed words* between asterisks
    figures    Matplotlib figures (shown side by side, below one another on a phone) whose moving artists have these gids
    controls   {setting: Slider or Choice}
    name       short and unique in the book: it is the lab's address
    title      the claim of the figure
    question   what to predict before touching
    reading    one sentence on how to read it
    alts       a description of each figure
    drag       {gid of markers: names of the one or two sliders they drag}
    play       gids of the curves whose horizontal axis is time: a button lets them grow
    columns    (heading of the abscissa, {gid: heading}): the curves of the table of numbers

    Each setting is a trait: `lab.radius = 1.05` moves the figure, `lab.observe(f, "radius")` hears the reader move it.
    Raises what `function` raises, and ValueError for a grid whose table would be too large and for a gid that is not drawn."""

    _esm = SCRIPT + "\nexport default { render: globalThis.bpttExplorer.render };\n"
    _css = SHEET
    _html = traitlets.Unicode().tag(sync=True)
    _frame = traitlets.Dict().tag(sync=True)
    _made = Counter()

    def __init__(
        self, function, figures, controls, *, name, title, question, reading, alts, drag=None, play=(), columns=("", {})
    ):  # fmt: skip
        # choices first: their settings are the leading axes of the table
        self._controls = dict(sorted(controls.items(), key=lambda item: isinstance(item[1], Slider)))
        self._function, self._figures, self._name = function, figures, name
        self._values = {key: _values(key, control) for key, control in self._controls.items()}
        Explorer._made[name] += 1
        self._uid = name if Explorer._made[name] == 1 else f"{name}-{Explorer._made[name]}"
        self.add_traits(**{key: self._trait(key).tag(sync=True) for key in self._controls})
        start = {key: control.start for key, control in self._controls.items()}
        self._find_artists(start)
        spec = self._spec(drag or {}, play, columns) | {"name": name, "uid": self._uid}
        pictures = [
            (plotting.svg(fig, alt, uid=f"{self._uid}-{i}"), fig.get_figwidth())
            for i, (fig, alt) in enumerate(zip(figures, alts, strict=True))
        ]
        frame = self._evaluate(start)
        texts = {"title": title, "question": question, "reading": reading, "words": frame["words"]}
        page = _page.html(self._controls, spec, pictures, texts)
        super().__init__(**start, _html=page, _frame=frame)
        self.observe(self._update, list(self._controls))

    @property
    def settings(self):
        """The current setting of every control, as a dict."""
        return {key: getattr(self, key) for key in self._controls}

    def __repr__(self):
        return f"Explorer {self._name}: " + ", ".join(f"{key}={value}" for key, value in self.settings.items())

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if "google.colab" in sys.modules:
            return data, metadata  # Colab shows the richest it finds twice over: leave it the live widget alone
        linked = os.environ.get("BPTT_CORE_STATIC") == "linked"  # the book loads script and sheet once for all pages
        extra = "" if linked else f"<style>{SHEET}</style><script>{SCRIPT}</script>"
        return data | {"text/html": self._html + extra, "image/png": plotting.png(*self._figures)}, metadata

    def _trait(self, key):
        control, values = self._controls[key], self._values[key]
        if hasattr(type(self), key):
            raise ValueError(f"controls: got {key!r}, wanted a name that no widget has of its own")
        if isinstance(control, Choice):
            return traitlets.Enum(values, control.start)
        return _Number(control.start, min=values[0], max=values[-1])

    def _update(self, _):
        if list(self.settings.values()) == self._frame["at"]:
            return  # a second trait of one change
        try:
            self._frame = self._evaluate(self.settings)
        except Exception as error:
            self._frame = {"at": list(self.settings.values()), "error": f"{type(error).__name__}: {error}"}
            raise

    def _find_artists(self, start):
        """Find what the function moves, put it where it starts, and freeze the layout."""
        positions, _ = self._function(**_arrays(start))
        drawn = [fig.findobj(lambda artist: artist.get_gid() is not None) for fig in self._figures]
        self._artists = {a.get_gid(): (panel, a) for panel, artists in enumerate(drawn) for a in artists}
        if missing := sorted(set(positions) - set(self._artists)):
            raise ValueError(f"function: moves {missing}, but the figures have only {sorted(self._artists)}")
        for gid, xy in positions.items():
            x, y = (np.atleast_2d(values)[0] for values in xy)
            artist = self._artists[gid][1]
            if isinstance(artist, Annotation):
                artist.xy = x[0], y[0]
            elif isinstance(artist, Text):
                artist.set_position((x[0], y[0]))
            elif isinstance(artist, Polygon):
                artist.set_xy(np.stack([x, y], -1)[np.isfinite(x + y)])
            else:
                artist.set_data(x, y)
        for fig in self._figures:
            plotting.freeze(fig)

    def _coordinates(self, settings):
        """What the function says at n settings, as {gid: (x, y)} of int16 (n, points), and its sentences."""
        positions, sentences = self._function(**settings)
        n = len(sentences)
        return {gid: self._to_svg(gid, n, *xy) for gid, xy in positions.items()}, sentences

    def _to_svg(self, gid, n, x, y):
        panel, artist = self._artists[gid]
        fig = self._figures[panel]
        transform = artist.axes.transData if isinstance(artist, Text) else artist.get_transform()
        xy = np.stack(np.broadcast_arrays(np.atleast_2d(x), np.atleast_2d(y)), -1).astype(float)
        points = transform.transform(xy.reshape(-1, 2)).reshape(xy.shape) * 72 / fig.dpi
        points[..., 1] = fig.get_figheight() * 72 - points[..., 1]
        if isinstance(artist, Text):
            points = np.rint(points / 3) * 3  # a name may sit a little off: it packs better
        whole = np.clip(np.rint(points * UNITS), -EDGE, EDGE)
        whole[..., 1] = np.where(np.isnan(xy).any(-1) | _far_out(points, fig), GAP, whole[..., 1])
        whole = np.where(np.isnan(whole), GAP, whole).astype(np.int16)
        return tuple(np.broadcast_to(whole, (n, *whole.shape[1:]))[..., axis] for axis in (0, 1))

    def _evaluate(self, settings):
        """One frame, at exactly these settings."""
        coordinates, sentences = self._coordinates(_arrays(settings))
        texts = [_text(self._controls[key], value) for key, value in settings.items()]
        rows = [[axis[0].tolist() for axis in xy] for xy in coordinates.values()]
        return {"at": list(settings.values()), "texts": texts, "words": sentences[0], "rows": rows}

    def _over_grid(self):
        """Everything the function says over the grid: {gid: (x, y)} of (*grid, points), and the sentences in the same order."""
        sliders = [key for key, control in self._controls.items() if isinstance(control, Slider)]
        shape = tuple(len(values) for values in self._values.values())
        mesh = [m.ravel() for m in np.meshgrid(*(self._values[key] for key in sliders), indexing="ij")]
        parts, sentences = [], []
        for names in itertools.product(*(values for key, values in self._values.items() if key not in sliders)):
            chosen = dict(zip(self._controls, names, strict=False))
            for i in range(0, mesh[0].size, CHUNK):
                coordinates, words = self._coordinates(
                    chosen | {k: m[i : i + CHUNK] for k, m in zip(sliders, mesh, strict=True)}
                )
                numbers = sum(x.shape[1] + y.shape[1] for x, y in coordinates.values())
                if (total := np.prod(shape) * numbers) > LIMIT:
                    size = " × ".join(map(str, shape))
                    raise ValueError(
                        f"controls: got {size} settings of {numbers} numbers, {total:,}; wanted at most {LIMIT:,}"
                    )
                parts.append(coordinates)
                sentences += words
        join = {gid: [np.concatenate([part[gid][axis] for part in parts]) for axis in (0, 1)] for gid in parts[0]}
        return {gid: [a.reshape(*shape, -1) for a in xy] for gid, xy in join.items()}, sentences, shape

    def _spec(self, drag, play, columns):
        """All that the script needs to know, with the table packed."""
        grid, sentences, shape = self._over_grid()
        start = tuple(self._values[key].index(control.start) for key, control in self._controls.items())
        items, series = [], []
        for gid, xy in grid.items():
            panel, artist = self._artists[gid]
            kind = next((kind for kind, types in KINDS.items() if isinstance(artist, types)), "line")
            item = {
                "gid": gid,
                "panel": panel,
                "kind": kind,
                "n": xy[0].shape[-1],
                "time": gid in play,
                "drag": drag.get(gid),
            }
            item["at"] = [int(axis[start][0]) for axis in xy]
            if gid in columns[1]:
                item |= {"name": columns[1][gid], "axes": _page.axes(artist.axes, self._figures[panel])}
            item["varies"], item["along"] = [], []
            for axis in xy:
                small, varies = _page.squeeze(axis)
                packed, along = _page.difference(small)
                item["varies"].append(varies)
                item["along"].append(along)
                series.append(packed)
            items.append(item)
        words, codes, varies = _page.encode(sentences, shape)
        controls = [
            {"name": key, "symbol": control.symbol, "values": self._values[key], "start": start[i]}
            | {"texts": [_text(control, v) for v in self._values[key]], "options": isinstance(control, Choice)}
            for i, (key, control) in enumerate(self._controls.items())
        ]
        words = {"list": words, "varies": varies}
        table = _page.pack(np.concatenate(series + codes))
        return {"controls": controls, "items": items, "words": words, "abscissa": columns[0], "table": table}


def _values(key, control):
    """The grid of a control, as a list that holds its start."""
    if isinstance(control, Choice):
        values = list(control.options)
    else:
        values = [float(f"{value:.6g}") for value in control.values]
    if control.start not in values:
        raise ValueError(f"{key}.start: got {control.start!r}, wanted one of {values}")
    return values


def _text(control, value):
    if isinstance(control, Choice):
        return control.options[value]
    return control.text.format(value) if isinstance(control.text, str) else control.text(value)


def _far_out(points, fig):
    """Points above or below the picture whose neighbours are too: no line that is seen needs them."""
    y, height = points[..., 1], fig.get_figheight() * 72
    out = np.where(y < 0, -1, np.where(y > height, 1, 0))
    before, after = (np.pad(out, [(0, 0)] * (out.ndim - 1) + [pad], mode="edge") for pad in ((1, 0), (0, 1)))
    return (out != 0) & (before[..., :-1] == out) & (after[..., 1:] == out)


def _arrays(settings):
    return {key: value if isinstance(value, str) else np.array([value], float) for key, value in settings.items()}
