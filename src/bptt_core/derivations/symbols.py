"""Symbols that print as the book writes them,
and functions of numbers made from lists of equations.

`derivations` is built on this; like it, this module knows SymPy and nothing else.
"""

import math
from typing import NamedTuple

import sympy as sp


class Named(sp.Symbol):
    """A symbol with its role ("h", "a", "W_hh", …) and its LaTeX: h_2_1 is unit 1 of h_2,
    dh_2_1 is dL/d(h_2_1)."""

    def __new__(cls, kind, t=None, index=(), *, gradient=False):
        places = ([] if t is None else [str(t)]) + (["".join(map(str, index))] if index else [])
        letter, _, subscript = kind.partition("_")
        letter = {"target": r"y^{\star}"}.get(letter, letter)
        inside = ",".join([*([subscript] if subscript else []), *places])
        latex = letter + ("_{" + inside + "}" if inside else "")
        symbol = super().__new__(cls, "_".join(["d" * gradient + kind, *places]))
        symbol.role = kind
        symbol.latex = r"\frac{dL}{d" + latex + "}" if gradient else latex
        symbol.place = (kind, t, index)
        return symbol

    def _latex(self, printer):
        return self.latex

    def by_loss(self):
        """The symbol dL/d(this)."""
        return Named(*self.place, gradient=True)


class sigmoid(sp.Function):
    """σ(a) = 1 / (1 + e^−a), with σ′ = σ (1 − σ)."""

    def fdiff(self, argindex=1):
        return self * (1 - self)

    def _eval_rewrite_as_exp(self, a, **_):
        return 1 / (1 + sp.exp(-a))

    def _latex(self, printer):
        return rf"\sigma\left({printer.doprint(self.args[0])}\right)"


class softmax(sp.Function):
    """softmax(k, y_1, …, y_K) = e^{y_k} / Σ_j e^{y_j}, with ∂p_k/∂y_j = p_k ([j = k] − p_j)."""

    def fdiff(self, argindex=1):
        k, *y = self.args
        return self * (int(k == argindex - 1) - softmax(argindex - 1, *y))

    def _eval_rewrite_as_exp(self, k, *y, **_):
        return sp.exp(y[k - 1]) / sum(map(sp.exp, y))

    def _latex(self, printer):
        k, *y = map(printer.doprint, self.args)
        return rf"\mathrm{{softmax}}\left({', '.join(y)}\right)_{{{k}}}"


SQUASH = {"tanh": sp.tanh, "sigmoid": sigmoid, "identity": lambda a: a}
OPERATIONS = {
    sp.Add: lambda *parts: math.fsum(parts),
    sp.Mul: lambda *parts: math.prod(parts),
    sp.Pow: pow,
    sp.log: math.log,
    sp.tanh: math.tanh,
    sigmoid: lambda a: 1 / (1 + math.exp(-a)),
    softmax: lambda k, *y: math.exp(y[int(k) - 1]) / sum(map(math.exp, y)),
}


class Line(NamedTuple):
    """One line of the unrolled network: symbol = value, at step t."""

    t: int
    symbol: Named
    value: sp.Expr


class Term(NamedTuple):
    """One term of the sum over k: its factors as (LaTeX, matrix),
    and their product in the shape of the parameter."""

    k: int
    factors: tuple
    value: sp.Matrix

    @property
    def latex(self):
        """The factors by name, and for a network of one unit also written out."""
        names = " ".join(name for name, _ in self.factors)
        if any(value.shape != (1, 1) for _, value in self.factors):
            return names
        return (
            names
            + " = "
            + r" \, ".join(rf"\left({sp.latex(value[0])}\right)" for _, value in self.factors)
        )

    def _repr_latex_(self):
        return f"$${self.latex}$$"


class Aligned(str):
    """LaTeX that a notebook shows as mathematics."""

    def _repr_latex_(self):
        return f"$$\n{self}\n$$"


def aligned(equations):
    """Equations below one another, aligned at the equals sign."""
    rows = [rf"{sp.latex(equation.lhs)} &= {sp.latex(equation.rhs)}" for equation in equations]
    return Aligned(r"\begin{aligned}" + "\n" + " \\\\\n".join(rows) + "\n" + r"\end{aligned}")


def column(kind, t, size):
    return [Named(kind, t, (j,) if size > 1 else ()) for j in range(1, size + 1)]


def matrix(kind, rows, columns):
    """The symbols of a parameter: W_hh if it is one number, else W_hh_12 (row 1, column 2)
    or b_h_1."""
    if rows == columns == 1:
        return sp.Matrix([[Named(kind)]])
    column = kind.startswith("b")
    return sp.Matrix(
        rows, columns, lambda r, c: Named(kind, None, (r + 1,) if column else (r + 1, c + 1))
    )


def leaves_of(gates, states, further, n, T, inputs, outputs, bias):
    """Everything a network is made of that is given: {name: matrix of symbols},
    by gate and stacked as in the code.

    gates    letters of the gates that the code stacks in W_xh, W_hh and b_h; "h" alone: nothing is
             stacked
    states   letters of the states
    further  names of biases (n) that are not stacked"""
    leaves = {f"W_x{gate}": matrix(f"W_x{gate}", n, inputs) for gate in gates}
    leaves |= {f"W_h{gate}": matrix(f"W_h{gate}", n, n) for gate in gates}
    if bias:
        leaves |= {f"b_{gate}": matrix(f"b_{gate}", n, 1) for gate in gates}
    if len(gates) > 1:
        for name in ("W_x", "W_h", "b_") if bias else ("W_x", "W_h"):
            leaves[f"{name}h"] = sp.Matrix.vstack(*[leaves[name + gate] for gate in gates])
    if bias:
        leaves |= {name: matrix(name, n, 1) for name in further}
    leaves["W_hy"] = matrix("W_hy", outputs, n)
    if bias:
        leaves["b_y"] = matrix("b_y", outputs, 1)
    for name, size in (("x", inputs), ("target", outputs)):
        leaves[name] = sp.Matrix([column(name, t, size) for t in range(1, T + 1)])
    return leaves | {f"{state}_0": sp.Matrix(column(state, 0, n)) for state in states}


def numeric(leaves, lines, outputs):
    """A function with one keyword for each name in `leaves`,
    that computes the `lines` and then the matrices `outputs`.

    Arrays or nested lists come in, nested lists go out. ValueError: a name or a number too many or
    too few."""

    def function(**numbers):
        if numbers.keys() != leaves.keys():
            raise ValueError(
                f"numbers: got {', '.join(sorted(numbers))}, wanted {', '.join(sorted(leaves))}"
            )
        values = {}
        for name, symbols in leaves.items():
            flat = [float(number) for number in _flat(numbers[name])]
            if len(flat) != len(symbols):
                raise ValueError(
                    f"{name}: got {len(flat)} numbers, wanted {len(symbols)} {symbols.shape}"
                )
            values |= zip(symbols, flat, strict=True)
        for symbol, expression in lines:
            values[symbol] = _number(expression, values)
        return {
            name: [[_number(e, values) for e in row] for row in m.tolist()]
            for name, m in outputs.items()
        }

    return function


def _number(expression, values):
    """The value of an expression; `values` holds those of the symbols,
    and remembers those of all parts."""
    if expression not in values:
        parts = [_number(part, values) for part in expression.args]
        values[expression] = OPERATIONS[expression.func](*parts) if parts else float(expression)
    return values[expression]


def one_of(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name}: got {value!r}, wanted one of {', '.join(choices)}")
    return value


def _flat(numbers):
    """The numbers of a nested list, or of an array, row by row."""
    numbers = numbers.tolist() if hasattr(numbers, "tolist") else numbers
    return (
        [x for part in numbers for x in _flat(part)]
        if isinstance(numbers, list | tuple)
        else [numbers]
    )
