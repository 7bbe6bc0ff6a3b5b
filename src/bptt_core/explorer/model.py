"""A function of settings behind a picture: asked at one setting, or over the whole grid."""

import itertools
import math

import numpy as np

from bptt_core._checks import wanted
from bptt_core.explorer import table
from bptt_core.explorer.controls import Choice, check
from bptt_core.explorer.frame import Frame, State, parts_of, rows_of
from bptt_core.explorer.picture import Picture

LIMIT = 4_000_000  # numbers in one table
CHUNK = 64  # settings evaluated at once


class Model:
    """What an `Explorer` knows, apart from the page.

    function   (**settings) → Frame
    figures    the Matplotlib figures it moves
    controls   {setting: Slider or Choice}
    columns    (heading of the abscissa, {gid: heading}) of the table of numbers"""

    def __init__(self, function, figures, controls, columns):
        self.function = function
        # choices first: their settings are the leading axes of the table
        self.controls = dict(
            sorted(controls.items(), key=lambda item: not isinstance(item[1], Choice))
        )
        self.grid = {key: control.grid() for key, control in self.controls.items()}
        self.columns = columns
        for key, control in self.controls.items():
            if control.start not in self.grid[key]:
                raise wanted(f"{key}.start", repr(control.start), f"one of {self.grid[key]}")
        self.start = {key: control.start for key, control in self.controls.items()}
        self.picture = Picture(figures)
        self.picture.place(self._said(self.start))

    def checked(self, settings):
        """The settings, if every one is in the range of its control."""
        if unknown := set(settings) - set(self.controls):
            raise wanted("settings", sorted(unknown), f"some of {list(self.controls)}")
        return {key: check(key, self.controls[key], value) for key, value in settings.items()}

    def frame(self, settings):
        """The whole `Frame` at settings: one number a slider, or an array (n,) each."""
        return self.picture.completed(self._said(settings))

    def _said(self, settings):
        arrays = {
            key: value if isinstance(value, str) else np.atleast_1d(np.asarray(value, float))
            for key, value in settings.items()
        }
        frame = self.function(**arrays)
        if not isinstance(frame, Frame):
            raise wanted("function", type(frame).__name__, "a Frame")
        return frame

    def cells(self, frame):
        """{heading: (n, rows)}: the table of numbers, NaN where it holds none."""
        heading, curves = self.columns
        if not curves:
            return {}
        first = frame.positions[next(iter(curves))][0]
        at = rows_of(first if frame.rows is None else frame.rows, len(frame.sentences))
        heights = {name: self.picture.heights(gid, frame, at) for gid, name in curves.items()}
        return {heading: at} | heights

    def state(self, settings):
        """The `State` at one setting."""
        frame = self.frame(settings)
        return State(
            settings,
            {gid: tuple(rows_of(v, 1)[0] for v in xy) for gid, xy in frame.positions.items()},
            frame.sentences[0],
            {heading: values[0] for heading, values in self.cells(frame).items()},
            {gid: parts_of(shade, 1)[0] for gid, shade in frame.shades.items()},
            {gid: said[0] for gid, said in frame.texts.items()},
        )

    def reply(self, settings):
        """The `table.Reply` at one setting."""
        frame = self.frame(settings)
        cells = [table.digits(values[0]).tolist() for values in self.cells(frame).values()]
        return {
            "at": list(settings.values()),
            "texts": [self.controls[key].write(value) for key, value in settings.items()],
            "words": frame.sentences[0],
            "items": [_change(layer) for layer in self.picture.layers(frame).values()],
            "cells": cells,
        }

    def over_grid(self):
        """All that is said over the grid: ({gid: layer}, {heading: cells}, sentences), each
        (settings, ·)."""
        choices = {k: v for k, v in self.grid.items() if isinstance(self.controls[k], Choice)}
        sliders = {k: v for k, v in self.grid.items() if k not in choices}
        mesh = dict(zip(sliders, np.meshgrid(*sliders.values(), indexing="ij"), strict=True))
        layers, cells, sentences = [], [], []
        for names in itertools.product(*choices.values()):
            chosen = dict(zip(choices, names, strict=True))
            for i in range(0, math.prod(map(len, sliders.values())), CHUNK):
                part = {key: values.ravel()[i : i + CHUNK] for key, values in mesh.items()}
                frame = self.frame(chosen | part)
                layers.append(self.picture.layers(frame))
                cells.append(self.cells(frame))
                sentences += frame.sentences
                self._check_size(layers[-1], cells[-1])
        joined = {
            gid: {part: np.concatenate([layer[gid][part] for layer in layers]) for part in parts}
            for gid, parts in layers[0].items()
        }
        rows = {name: np.concatenate([part[name] for part in cells]) for name in cells[0]}
        return joined, rows, sentences

    def _check_size(self, layers, cells):
        parts = [values for layer in layers.values() for values in layer.values()]
        each = sum(np.shape(values)[1] if np.ndim(values) > 1 else 1 for values in parts)
        each += sum(values.shape[1] for values in cells.values())
        shape = [len(values) for values in self.grid.values()]
        if (total := math.prod(shape) * each) > LIMIT:
            got = f"{' × '.join(map(str, shape))} settings of {each} numbers, {total:,}"
            raise wanted("controls", got, f"{LIMIT:,} at most")


def _change(layer):
    """A `table.Change` of one layer."""
    first = {
        part: values[0] if part == "word" else values[0].tolist() for part, values in layer.items()
    }
    return dict.fromkeys(table.Change.__annotations__) | first
