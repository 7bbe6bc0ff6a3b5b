"""The controls of a movable figure: each knows its grid of settings and how a value is written."""

from typing import NamedTuple

import numpy as np
import traitlets

from bptt_core._checks import wanted


class Slider(NamedTuple):
    """A control that moves along `values`; `text` formats a value, as a format string or a
    function."""

    label: str  # plain words, with the symbol if there is one
    values: object  # increasing numbers
    start: float
    text: object = "{:.3g}"
    symbol: str | None = None  # another name for it in the page's address

    def grid(self):
        """Its settings, to six digits: so they survive an address and come back as they were."""
        return [float(f"{value:.6g}") for value in self.values]

    def write(self, value):
        """A value as the page shows it."""
        if isinstance(self.text, str):
            return self.text.format(value).replace("-", "−")
        return self.text(value)

    def trait(self):
        values = self.grid()
        return Number(self.start, min=values[0], max=values[-1])


class Choice(NamedTuple):
    """A control that picks one of `options`, {value: label}."""

    label: str
    options: dict
    start: str
    symbol: str | None = None

    def grid(self):
        return list(self.options)

    def write(self, value):
        return self.options[value]

    def trait(self):
        return traitlets.Enum(self.grid(), self.start)


class Number(traitlets.Float):
    """A finite number in the range of a slider."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not np.isfinite(value):
            raise traitlets.TraitError(
                f"{self.name}: got {value}, wanted a number from {self.min} to {self.max}"
            )
        return value


def check(key, control, value):
    """`value` if the control can have it. ValueError: it cannot."""
    grid = control.grid()
    if isinstance(control, Choice):
        if value not in grid:
            raise wanted(key, repr(value), f"one of {grid}")
        return value
    if not (isinstance(value, (int, float, np.number)) and grid[0] <= value <= grid[-1]):
        raise wanted(key, repr(value), f"a number from {grid[0]:g} to {grid[-1]:g}")
    return float(value)
