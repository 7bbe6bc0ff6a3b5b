"""The `table.Spec` of a figure: its model over the grid, packed for the page."""

import re
import textwrap

from bptt_core._checks import wanted
from bptt_core._style import PALETTE
from bptt_core._svg import variable
from bptt_core.explorer import table
from bptt_core.explorer.controls import Choice


def spec(model, moves, **known):
    """(Spec, longest sentence) of a `Model`.

    moves  drag, click, play and below, as `Explorer` takes them
    known  name, uid and title"""
    layers, cells, sentences = model.over_grid()
    _check(model, moves, {gid for gid, parts in layers.items() if "x" in parts})
    written = {gid: parts.pop("word") for gid, parts in layers.items() if "word" in parts}
    words, places, codes = table.encode(sentences, written)
    for gid, code in codes.items():
        layers[gid]["word"] = code
    shape = tuple(map(len, model.grid.values()))
    start = tuple(model.grid[key].index(value) for key, value in model.start.items())
    layers = {
        gid: {part: values.reshape(*shape, -1) for part, values in parts.items()}
        for gid, parts in layers.items()
    }
    arrays = [values for parts in layers.values() for values in parts.values()]
    arrays += [table.digits(values).reshape(*shape, -1) for values in cells.values()]
    arrays += [place.reshape(*shape, 1) for place in places]
    series, packed = table.pack(arrays)
    series = iter(series)
    items = [
        _item(model, moves, gid, start, parts, {part: next(series) for part in parts})
        for gid, parts in layers.items()
    ]
    columns = [{"name": name, "series": next(series)} for name in cells]
    found = {
        "controls": [_control(model, key, at) for key, at in zip(model.grid, start, strict=True)],
        "play": _played(model, moves["play"]),
        "items": items,
        "columns": columns,
        "words": {"list": words, "places": list(series)},
        "table": packed,
    }
    return known | found, _longest({re.sub("[*_]", "", said) for said in sentences})


def _longest(sentences):
    """The sentence that needs most lines, on a phone and on a desk: the page keeps room for it."""
    many = sorted(sentences, key=lambda said: (len(said), said))[-20:]
    return max(many, key=lambda said: sum(len(textwrap.wrap(said, n)) for n in range(36, 96, 6)))


def _check(model, moves, places):
    """ValueError: Play, drag or click names no slider, or what never moves."""
    played = [("play", moves["play"])] if isinstance(moves["play"], str) else []
    named = played + [
        (f"{kind}[{gid!r}]", name)
        for kind in ("drag", "click")
        for gid, names in moves[kind].items()
        for name in names
    ]
    sliders = [key for key, control in model.controls.items() if not isinstance(control, Choice)]
    for argument, name in named:
        if name not in sliders:
            raise wanted(argument, repr(name), f"one of the sliders {sliders}")
    for kind in ("drag", "click"):
        if missing := sorted(set(moves[kind]) - places):
            raise wanted(kind, missing, f"some of {sorted(places)}, which move")


def _item(model, moves, gid, start, parts, series):
    def numbers(names):
        return [list(model.controls).index(name) for name in names] if names else None

    below = moves["below"].get(gid)
    described = model.picture.describe(gid, written="word" in parts)
    return described | {
        "below": variable(PALETTE[below][0]) if below else None,
        "time": not isinstance(moves["play"], str) and gid in moves["play"],
        "drag": numbers(moves["drag"].get(gid)),
        "click": numbers(moves["click"].get(gid)),
        "at": [int(parts[axis][start][0]) for axis in "xy"] if "x" in parts else described["at"],
        "series": series,
    }


def _control(model, key, start):
    control, values = model.controls[key], model.grid[key]
    return {
        "name": key,
        "symbol": control.symbol,
        "label": control.label,
        "values": values,
        "texts": [control.write(value) for value in values],
        "start": start,
        "options": isinstance(control, Choice),
    }


def _played(model, play):
    if isinstance(play, str):
        return list(model.controls).index(play)
    return -1 if play else None
