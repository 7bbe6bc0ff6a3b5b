"""What a movable figure's page holds, read without the package and without the script."""

import base64
import functools
import json
import re
import zlib

import numpy as np

GAP = -32768  # "not drawn", in the table


def spec_of(lab):
    """The JSON in a figure's page."""
    found = re.search(r'<script type="application/json">(.*)</script>', lab.html, re.DOTALL)
    return json.loads(found[1])


class Page:
    """A figure's table, undone: `page.at(setting)` is what a page without a kernel shows there.

    items   {gid: {part: numbers over the grid}}
    cells   the columns of the table of numbers, over the grid"""

    def __init__(self, lab):
        self.spec = spec = spec_of(lab)
        self.grid = [len(control["values"]) for control in spec["controls"]]
        planes = np.frombuffer(zlib.decompress(base64.b64decode(spec["table"])), np.uint8)
        low, high = planes.astype(np.uint16).reshape(2, -1)
        self._numbers = (low + 256 * high).astype(np.uint16).view(np.int16)
        self._next = 0
        self.items = {
            item["gid"]: {part: self._series(**each) for part, each in item["series"].items()}
            for item in spec["items"]
        }
        self.cells = [self._series(**column["series"]) for column in spec["columns"]]
        self._places = [self._series(**place) for place in spec["words"]["places"]]
        assert self._next == self._numbers.size

    def _series(self, n, varies, along):
        shape = [size if k in varies else 1 for k, size in enumerate(self.grid)] + [n]
        part = self._numbers[self._next : self._next + np.prod(shape)].reshape(shape)
        self._next += part.size
        if along >= 0:
            part = np.cumsum(part, along, dtype=np.int16)
        return np.broadcast_to(np.cumsum(part, -1, dtype=np.int16), (*self.grid, n))

    def at(self, setting):
        """{words, items, cells} at a setting of the grid, in the form of a kernel's reply."""
        controls = self.spec["controls"]
        index = tuple(control["values"].index(setting[control["name"]]) for control in controls)
        listed = self.spec["words"]["list"]
        words = [listed[place[index][0]] for place in self._places]
        items = []
        for parts in self.items.values():
            item = {part: values[index].tolist() for part, values in parts.items()}
            if "word" in item:
                item["word"] = listed[item["word"][0]]
            items.append(item)
        cells = [column[index].tolist() for column in self.cells]
        return {"words": " ".join(words).strip(), "items": items, "cells": cells}


def numbers(cells):
    """Codes of the table of numbers as numbers: NaN for a cell that is empty."""
    cells = np.array(cells, float)
    size = np.abs(cells) - 1
    number = np.sign(cells) * (size % 900 + 100) * 10.0 ** (size // 900 - 20)
    return np.where(cells == GAP, np.nan, np.where(cells == 0, 0, number))


@functools.cache
def _artists(lab):
    return {
        artist.get_gid(): (panel, artist)
        for panel, fig in enumerate(lab.figures)
        for artist in fig.findobj(lambda artist: artist.get_gid() is not None)
    }


def artist_of(lab, gid):
    """(number of its figure, artist): what Matplotlib draws under a gid."""
    return _artists(lab)[gid]
