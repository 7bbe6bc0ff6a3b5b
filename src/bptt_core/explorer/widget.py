"""A figure with sliders that lives in the page: live with a kernel, and just as movable without one.

`Explorer`  the widget
`Slider`    a control that moves along a grid of numbers
`Choice`    a control that picks one of a few names

Matplotlib draws the figure once, as SVG; an artist that moves carries a `gid`. A function of the settings says where
each of them goes. It is evaluated over the whole grid of settings when the cell runs, and the page keeps the resulting
path coordinates as a table. With a kernel the same function is evaluated at the exact setting.
"""

import itertools
import math
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import anywidget
import numpy as np
import traitlets

from bptt_core import plotting
from bptt_core.explorer import markup, table
from bptt_core.explorer.picture import Picture

STATIC = Path(__file__).parent
SCRIPT, SHEET = (
    (STATIC / name).read_text(encoding="utf-8") for name in ("explorer.js", "explorer.css")
)
LIMIT = 4_000_000  # numbers in one table
CHUNK = 64  # settings evaluated at once


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
            raise traitlets.TraitError(
                f"{self.name}: got {value}, wanted a number from {self.min} to {self.max}"
            )
        return value


class Explorer(anywidget.AnyWidget):
    """A movable figure: controls, a picture, a sentence that says what is seen.

    function   (**settings) → (positions, sentences). The settings of sliders arrive as arrays (n,), those of choices as
               strings. positions maps a gid to (x, y), each (n, points) or (points,) in data coordinates, NaN where
               nothing is drawn; sentences is a list of n texts, with *stressed words* and indices as in W_hh
    figures    Matplotlib figures whose moving artists have these gids; side by side, on a phone below one another
    controls   {setting: Slider or Choice}
    name       short and unique in the book: it is the figure's address
    title      the claim of the figure
    question   what to predict before touching
    reading    how to read it, in a sentence or two
    alts       a description of each figure
    drag       {gid of markers: names of the one or two sliders they drag}
    play       gids of the curves whose horizontal axis is time: a button lets them grow
    columns    (heading of the abscissa, {gid: heading}): the curves of the table of numbers. Its rows are the points of
               the first of them, or positions[heading of the abscissa]: (x on the axis, the number to write)

    Each setting is a trait: `lab.radius = 1.05` moves the figure, `lab.observe(f, "radius")` hears the reader move it.
    Raises what `function` raises; ValueError for a table that would be too large and for a gid that is not drawn."""

    _esm = SCRIPT + "\nexport default { render: globalThis.bpttExplorer.render };\n"
    _css = SHEET
    _html = traitlets.Unicode().tag(sync=True)
    _frame = traitlets.Dict().tag(sync=True)
    _made = Counter()

    def __init__(
        self,
        function,
        figures,
        controls,
        *,
        name,
        title,
        question,
        reading,
        alts,
        drag=None,
        play=(),
        columns=None,
    ):
        self._function, self._picture, self._name = function, Picture(figures), name
        self._columns = columns or ("", {})
        # choices first: their settings are the leading axes of the table
        self._controls = dict(
            sorted(controls.items(), key=lambda item: isinstance(item[1], Slider))
        )
        self._values = {key: _values(key, control) for key, control in self._controls.items()}
        Explorer._made[name] += 1
        uid = name if Explorer._made[name] == 1 else f"{name}-{Explorer._made[name]}"
        self.add_traits(**{key: self._trait(key).tag(sync=True) for key in self._controls})
        start = {key: control.start for key, control in self._controls.items()}
        positions = function(**_arrays(start))[0]
        self._picture.place({gid: xy for gid, xy in positions.items() if gid != self._columns[0]})
        frame = self._evaluate(start)
        spec = {"name": name, "uid": uid} | self._spec(drag or {}, play)
        texts = {"title": title, "question": question, "reading": reading, "words": frame["words"]}
        texts["longest"] = spec.pop("longest")
        page = markup.html(self._controls, spec, self._picture.svgs(alts, uid), texts)
        super().__init__(**start, _html=page, _frame=frame)
        self.observe(self._update, list(self._controls))

    @property
    def settings(self):
        """The current setting of every control, as a dict."""
        return {key: getattr(self, key) for key in self._controls}

    def __repr__(self):
        return f"Explorer {self._name}: " + ", ".join(
            f"{key}={value}" for key, value in self.settings.items()
        )

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if "google.colab" in sys.modules:
            return data, metadata  # Colab shows every form it knows: leave it the live widget alone
        linked = (
            os.environ.get("BPTT_CORE_STATIC") == "linked"
        )  # the book loads script and sheet once for all pages
        extra = "" if linked else f"<style>{SHEET}</style><script>{SCRIPT}</script>"
        return data | {
            "text/html": self._html + extra,
            "image/png": plotting.png(*self._picture.figures),
        }, metadata

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
            self._frame = {
                "at": list(self.settings.values()),
                "error": f"{type(error).__name__}: {error}",
            }
            raise

    def _coordinates(self, settings):
        """What the function says at n settings, as {gid: (x, y)} of int16 (n, points), and its sentences.

        Under the gid "" are the columns of the table of numbers, each (n, rows)."""
        positions, sentences = self._function(**settings)
        n, (heading, columns), cells = len(sentences), self._columns, []
        if columns:
            x = positions[next(iter(columns))][0]
            rows = positions.pop(heading, (x, x))
            at, numbers = (np.broadcast_to(v, (n, np.shape(v)[-1])).astype(float) for v in rows)
            curves = [self._picture.heights(gid, *positions[gid], at) for gid in columns]
            cells = [table.digits(values) for values in (numbers, *curves)]
        return {gid: self._picture.coordinates(gid, n, *xy) for gid, xy in positions.items()} | {
            "": cells
        }, sentences

    def _evaluate(self, settings):
        """One frame, at exactly these settings."""
        coordinates, sentences = self._coordinates(_arrays(settings))
        texts = [_text(self._controls[key], value) for key, value in settings.items()]
        *rows, cells = [[axis[0].tolist() for axis in xy] for xy in coordinates.values()]
        return {
            "at": list(settings.values()),
            "texts": texts,
            "words": sentences[0],
            "rows": rows,
            "cells": cells,
        }

    def _over_grid(self):
        """All that the function says over the grid: {gid: [x, y]} of (*grid, points), its sentences, its shape."""
        choices = {k: v for k, v in self._values.items() if isinstance(self._controls[k], Choice)}
        sliders = {k: v for k, v in self._values.items() if k not in choices}
        mesh = dict(zip(sliders, np.meshgrid(*sliders.values(), indexing="ij"), strict=True))
        shape = tuple(map(len, self._values.values()))
        parts, sentences = [], []
        for names in itertools.product(*choices.values()):
            chosen = dict(zip(choices, names, strict=True))
            for i in range(0, math.prod(map(len, sliders.values())), CHUNK):
                part, words = self._coordinates(
                    chosen | {k: m.ravel()[i : i + CHUNK] for k, m in mesh.items()}
                )
                each = sum(axis.shape[-1] for xy in part.values() for axis in xy)
                if (total := math.prod(shape) * each) > LIMIT:
                    size = " × ".join(map(str, shape))
                    raise ValueError(
                        f"controls: got {size} settings of {each} numbers, {total:,}; wanted {LIMIT:,} at most"
                    )
                parts.append(part)
                sentences += words
        joined = {
            gid: map(np.concatenate, zip(*(part[gid] for part in parts), strict=True))
            for gid in parts[0]
        }
        return (
            {gid: [axis.reshape(*shape, -1) for axis in xy] for gid, xy in joined.items()},
            sentences,
            shape,
        )

    def _spec(self, drag, play):
        """All that the script needs to know, with the table packed."""
        grid, sentences, shape = self._over_grid()
        longest = re.sub("[*_]", "", max(sentences, key=len))
        start = tuple(
            self._values[key].index(control.start) for key, control in self._controls.items()
        )
        items, series, cells = [], [], grid.pop("")
        for gid, xy in grid.items():
            item = self._picture.describe(gid) | {
                "n": xy[0].shape[-1],
                "time": gid in play,
                "drag": drag.get(gid),
            }
            item["at"] = [int(axis[start][0]) for axis in xy]
            packed, item["varies"], item["along"] = zip(*map(table.shrink, xy), strict=True)
            series += packed
            items.append(item)
        columns = []
        for column, name in zip(
            cells, [self._columns[0], *self._columns[1].values()][: len(cells)], strict=True
        ):
            packed, varies, along = table.shrink(column)
            series.append(packed)
            columns.append({"name": name, "n": column.shape[-1], "varies": varies, "along": along})
        words, codes = table.encode(sentences, shape)
        controls = [
            {"name": key, "symbol": control.symbol, "values": self._values[key], "start": start[i]}
            | {
                "texts": [_text(control, v) for v in self._values[key]],
                "options": isinstance(control, Choice),
            }
            for i, (key, control) in enumerate(self._controls.items())
        ]
        known = {
            "controls": controls,
            "items": items,
            "words": words,
            "longest": longest,
            "columns": columns,
        }
        return known | {"table": table.pack(np.concatenate(series + codes))}


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
    return (
        control.text.format(value).replace("-", "−")
        if isinstance(control.text, str)
        else control.text(value)
    )


def _arrays(settings):
    return {
        key: value if isinstance(value, str) else np.array([value], float)
        for key, value in settings.items()
    }
