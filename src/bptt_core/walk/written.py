"""How a number was made, in writing: `Written` behaves as a number and keeps the expression.

A line of a pass that is evaluated with arrays of `Written` gives, for each entry of its result, the
products that the entry is the sum of: "#3 × #7 + #4 × #8", where #3 is the third of the numbers.
"""

import re

import numpy as np

SUM, PRODUCT, ATOM = 1, 2, 3  # how tightly an expression holds together
WORDS = {"tanh": np.tanh, "σ": lambda a: 1 / (1 + np.exp(-a))}


class Written:
    """An expression, and how tightly it holds together."""

    def __init__(self, text, level=ATOM):
        self.text = text
        self.level = level

    def __repr__(self):
        return self.text

    def __add__(self, other):
        other = _written(other)
        return self if other.text == "0" else Written(f"{self} + {other}", SUM)

    def __radd__(self, other):
        return _written(other) + self if other else self

    def __sub__(self, other):
        return Written(f"{self} − {_at(other, PRODUCT)}", SUM)

    def __rsub__(self, other):
        return _written(other) - self

    def __mul__(self, other):
        if other is False or other is np.False_:
            return Written("0")
        if other is True or other is np.True_:
            return self
        return Written(f"{_at(self, PRODUCT)} × {_at(other, PRODUCT)}", PRODUCT)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return Written(f"{_at(self, PRODUCT)} / {other}", PRODUCT)

    def __pow__(self, power):
        return Written(f"{_at(self, ATOM)}{'²' if power == 2 else f'^{power}'}")


def _written(value):
    return value if isinstance(value, Written) else Written(str(value))


def _at(value, level):
    value = _written(value)
    return value.text if value.level >= level else f"({value})"


def applied(name, array):
    """name(…) of each entry."""
    return np.vectorize(lambda entry: Written(f"{name}({entry})"), otypes=[object])(array)


class Squash:
    """A squashing function that writes: `f` of a sum, `df` of a value as `Activation.df` has it."""

    def __init__(self, name):
        self.word = {"tanh": "tanh", "sigmoid": "σ"}[name]

    def f(self, a):
        return applied(self.word, a)

    def df(self, y):
        return 1 - y**2 if self.word == "tanh" else y * (1 - y)


def value_of(text, numbers):
    """What an expression says: the sum of its terms, from the numbers that it names."""
    code = re.sub(r"#(\d+)", r"numbers[\1]", text)
    for sign, python in (("×", "*"), ("−", "-"), ("²", "**2"), ("σ", "sigma")):
        code = code.replace(sign, python)
    return eval(code, {"numbers": numbers, "tanh": WORDS["tanh"], "sigma": WORDS["σ"]})
