"""The plain passes run line by line, and everything written down that a reader will see of it."""

import re
from typing import NamedTuple

import numpy as np

from bptt_core.mistakes.listing import listing_of
from bptt_core.walk.equations import Reader, Symbols, operand, operator
from bptt_core.walk.written import Written

ALWAYS = " if forget_gate else 1"  # what a walk does not show: it has a forget gate


class Made(NamedTuple):
    """A line that ran."""

    line: str  # its name, as "da" or "h[t]"
    t: int
    value: np.ndarray
    cells: np.ndarray  # of `Written`: where the numbers of the value are kept
    made: np.ndarray  # of `Written`: how each is made
    html: tuple  # its equations


class Numbers:
    """Every number of a walk, by what it is. Walks that share `ids` keep a number in one place."""

    def __init__(self, ids=None):
        self.ids = {} if ids is None else ids
        self.values = {}

    def keep(self, key, array):
        """Keep an array; returns one that names the places, "#3" for the third."""
        array = np.asarray(array, float)
        cells = np.empty(array.shape, object)
        for index in np.ndindex(array.shape):
            number = self.ids.setdefault((*key, index), len(self.ids))
            self.values[number] = float(array[index])
            cells[index] = Written(f"#{number}")
        return cells

    @staticmethod
    def plain(array):
        """Numbers that are written as they are."""
        return np.vectorize(lambda value: Written(f"{value:g}"), otypes=[object])(array)


class Pass:
    """One pass on its way: the variables, in numbers and as places where they are kept."""

    def __init__(self, listing, function, given, numbers, symbols):
        self.names = listing.names()
        self.numbers = numbers
        self.symbols = symbols
        names = self.names | given
        exec(function.start, names)
        self.values = {name: value for name, value in names.items() if name not in self.names}
        self.values.setdefault("T", len(self.values["x"]) - 1)
        self.written = {}
        for name, value in list(self.values.items()):
            if isinstance(value, np.ndarray):
                self.written[name] = self._kept(name, value)

    def _kept(self, name, array):
        if array.ndim < 3:
            key = (name, self.values["T"] + 1) if name.startswith("d") else (name,)
            return self.numbers.keep(key, array)
        rows = [self.numbers.keep((name, t), row) for t, row in enumerate(array)]
        return np.stack(rows)

    def run(self, name, text, t, adds=False):
        """Run one line: `Made`."""
        self.values["t"] = t
        reader = Reader(self.names, self.values, self.written, self.numbers, self.symbols)
        array = name.removesuffix("[t]")
        if text.startswith("np.concatenate"):  # side by side: no number is made
            value, cells = reader.both(text)
            self._assign(name, array, value, cells)
            return Made(name, t, value, cells, cells, ())
        piece = reader.read(text)
        value, made = piece.value, piece.written
        if adds:
            before = self.written[array]
            value = self.values[array] + value
            made = before + made
        cells = self.numbers.keep((array, t), value)
        if adds:
            html = self._sums(reader, array, text, before, cells, made)
        else:
            left = operand(self.symbols(array, t), cells, True, made=made)
            html = (left + operator("=") + piece.html,)
        self._assign(name, array, value, cells)
        return Made(name, t, np.array(value), cells, made, html)

    def _assign(self, name, array, value, cells):
        if name == array:
            self.values[name] = value
            self.written[name] = cells
        else:
            self.values[array][self.values["t"]] = value
            self.written[array][self.values["t"]] = cells

    def _sums(self, reader, array, text, *arrays):
        """The equations of a line that adds: one, or one for each gate."""
        gates = self.symbols.gates
        parts = zip(*(np.split(a, len(gates) or 1) for a in arrays), strict=True)
        found = []
        for gate, (before, cells, made) in zip(gates or [""], parts, strict=True):
            own = re.sub(r"\bda\b", f"da_{gate}", text) if gate else text
            name = array[:-1] + gate if gate else array
            column = before.ndim < 2
            left = operand(self.symbols(name), cells, column, made=made)
            sofar = operand("so far", before, column)
            found.append(f"{left}{operator('=')}{sofar}{operator('+')}{reader.read(own).html}")
        return tuple(found)


def trace(module, params, x, target, texts=None, ids=None):
    """Both passes of a module of `explicit`, with L = Σ ½‖h_t − target_t‖² between them.

    texts  {line: text} of the lines that a mistake writes otherwise
    ids    of the walk that this is compared with

    Returns ([`Made`], `Numbers`, {parameter: gradient})."""
    listing = listing_of(module)
    texts = listing.texts | (texts or {})
    numbers, symbols = Numbers(ids), Symbols(module.GATES)
    given = {"params": params, "x": x, "h_0": None, "c_0": None}
    given |= {"activation": "tanh", "squash": "tanh", "forget_gate": True}
    done, steps = [], range(1, len(x) + 1)
    ahead = Pass(listing, listing.forward, given, numbers, symbols)
    for t in steps:
        for line in listing.forward.lines[1:]:
            text = texts[line.name].removesuffix(ALWAYS)
            done.append(ahead.run(line.name, text, t))
    ahead.values["target"] = np.concatenate([0 * target[:1], target])
    ahead.values["dh"] = np.zeros_like(ahead.values["h"])
    ahead.written |= {name: ahead._kept(name, ahead.values[name]) for name in ("target", "dh")}
    done += [ahead.run("dh[t]", "h[t] - target[t]", t) for t in steps]
    cache = module.Cache(*(ahead.values[name] for name in module.Cache._fields))
    given = {"params": params, "cache": cache, "dh": ahead.values["dh"][1:]}
    back = Pass(listing, listing.backward, given, numbers, symbols)
    for t in reversed(steps):
        for line in listing.backward.lines[1:]:
            done.append(back.run(line.name, texts[line.name], t, line.adds))
    return done, numbers, {name: back.values[f"d{name}"] for name in params._fields}
