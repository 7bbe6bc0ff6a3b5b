"""A line of a plain pass read as an equation, with the numbers of one step under its symbols.

The passes multiply rows, `da @ W_hh`; an equation multiplies columns, W_hhᵀ δ. `Reader` turns one
into the other, and evaluates it twice: in numbers, and in `Written`.
"""

import ast
import re

import numpy as np

from bptt_core.activations import Activation
from bptt_core.walk.written import Squash

JOINS = {
    ast.Add: ("+", np.add),
    ast.Sub: ("−", np.subtract),
    ast.Mult: ("∘", np.multiply),
}


class Symbols:
    """What a quantity of a pass is called in the equations of one cell."""

    def __init__(self, gates):
        self.gates = gates if len(gates) > 1 else ""

    def __call__(self, name, t=None):
        """HTML: of an array's row t, or of what is called `name` within step t."""
        if found := re.fullmatch(r"([Wb])_(\w+)", name):
            return self._of(name[-1], f"<i>{found[1]}</i><sub>{found[2]}</sub>")
        if name == "s":
            return f"tanh({_letter('c', t)})"
        if found := re.fullmatch(r"d([hc])_next", name):
            return f"sent to {_letter(found[1], t - 1)}"
        if found := re.fullmatch(r"d([hc])_t", name):
            return f"∂<i>L</i>/∂{_letter(found[1], t)}"
        if found := re.fullmatch(r"d([hc])", name):
            return f"∂⁺<i>L</i>/∂{_letter(found[1], t)}"
        if name == "da" and not self.gates:
            return _letter("δ", t)
        if found := re.fullmatch(r"da_?(\w?)", name):
            place = f"{found[1]}," * bool(found[1])
            return self._of(found[1], f"∂<i>L</i>/∂<i>a</i><sub>{place}{t}</sub>")
        if found := re.fullmatch(r"d([Wb])_(\w+)", name):
            html = f"∂<i>L</i>/∂<i>{found[1]}</i><sub>{found[2]}</sub>"
            return self._of(name[-1], html)
        return self._of(name, _letter(name, t))

    def _of(self, letter, html):
        known = letter and letter in self.gates
        return f'<span class="gtt-walk-{letter}">{html}</span>' if known else html


def _letter(name, t):
    return f"<i>{name}</i><sub>{t}</sub>"


class Piece:
    """A part of a line: its value, how each of its numbers is made, and its HTML."""

    def __init__(self, value, written, html):
        self.value = value
        self.written = written
        self.html = html


class Reader:
    """Reads the lines of one step.

    names    what a line may use besides its variables
    values   {variable: number or array}
    written  {variable: array of `Written`}
    numbers  `trace.Numbers`, to keep values that have no variable
    symbols  `Symbols`"""

    def __init__(self, names, values, written, numbers, symbols):
        phi = {key: v for key, v in (names | values).items() if isinstance(v, Activation)}
        self.values = names | values
        self.written = self.values | written | {key: Squash(v.name) for key, v in phi.items()}
        self.numbers = numbers
        self.symbols = symbols
        self.t = values["t"]

    def read(self, text):
        """The `Piece` of a line's right side."""
        return self._piece(ast.parse(text, mode="eval").body)

    def both(self, text):
        """The value of a text, and how it is made."""
        return self._both(ast.parse(text, mode="eval").body)

    def _both(self, node):
        code = compile(ast.Expression(node), "<line>", "eval")
        return eval(code, dict(self.values)), eval(code, dict(self.written))

    def _piece(self, node, row=False):
        match node:
            case ast.BinOp(op=ast.MatMult()):
                return self._product(node)
            case ast.BinOp(left=ast.Compare() as condition) if not self._both(condition)[0]:
                value = 0 * self._both(node.right)[0]
                return self._derived(node, value, self.numbers.plain(value), "0", row)
            case ast.BinOp(left=ast.Compare()):
                return self._piece(node.right, row)
            case ast.BinOp(op=ast.Sub(), left=ast.Constant()):
                return self._derived(node, *self._both(node), self._symbol(node), row)
            case ast.BinOp():
                return self._joined(node)
            case ast.Call(func=ast.Attribute(attr="df")):
                return self._derived(node, *self._both(node), self._slope(node), row)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="f")):
                inside = self._piece(node.args[0])
                squash = self.written[name]
                html = f"{operator(f'{squash.word}(')}{inside.html}{operator(')')}"
                return Piece(self.values[name].f(inside.value), squash.f(inside.written), html)
            case ast.Call(func=ast.Attribute(attr="sum", value=inside)):
                part = self._piece(inside)
                return Piece(part.value.sum(axis=-2), part.written.sum(axis=-2), part.html)
            case ast.Constant():
                return Piece(node.value, node.value, operator(str(node.value)))
            case ast.Name() | ast.Subscript():
                value, written = self._both(node)
                if not np.ndim(value):
                    return Piece(value, written, operator(str(value)))
                turned = row or not ast.unparse(node).startswith("W_")
                return Piece(value, written, operand(self._symbol(node), written, turned, row=row))
        raise NotImplementedError(ast.unparse(node))

    def _product(self, node):
        """Rows times a matrix, W v or Wᵀ v as an equation has it; or a column times a row."""
        if isinstance(node.left, ast.Attribute):
            left, right = self._piece(node.left.value), self._piece(node.right, row=True)
            value, written = left.value.mT @ right.value, left.written.mT @ right.written
            return Piece(value, written, left.html + right.html)
        left, (W, matrix) = self._piece(node.left), self._both(node.right)
        turned = isinstance(node.right, ast.Name)  # rows times W: the transpose times a column
        name = self._symbol(node.right if turned else node.right.value) + "<sup>⊤</sup>" * turned
        html = operand(name, matrix.mT) + _bracketed(node.left, left.html)
        return Piece(left.value @ W, left.written @ matrix, html)

    def _joined(self, node):
        if isinstance(node.op, ast.Div):
            left, size = self._piece(node.left), self._both(node.right)[0]
            html = left.html + operator(f"/ {size}")
            return Piece(left.value / size, left.written / size, html)
        sign, join = JOINS[type(node.op)]
        left, right = self._piece(node.left), self._piece(node.right)
        html = (left.html, right.html)
        if sign == "∘":
            html = map(_bracketed, (node.left, node.right), html)
        value, written = join(left.value, right.value), join(left.written, right.written)
        return Piece(value, written, operator(sign).join(html))

    def _derived(self, node, value, written, symbol, row):
        """A part that has no variable of its own, as a slope: kept under its text."""
        cells = self.numbers.keep((ast.unparse(node), self.t), value)
        return Piece(value, cells, operand(symbol, cells, True, row=row, made=written))

    def _slope(self, node):
        inside = self._symbol(node.args[0])
        if self.written[node.func.value.id].word == "tanh":
            return f"1 − {inside}<sup>2</sup>"
        return f"{inside}(1 − {inside})"

    def _symbol(self, node):
        match node:
            case ast.Subscript(value=ast.Name(id=name)):
                return self.symbols(name, self._both(node.slice)[0])
            case ast.Name(id="dh_next" | "dc_next" as name):
                return self.symbols(name, self.t + 1)
            case ast.Name(id=name):
                return self.symbols(name, self.t)
            case ast.BinOp(op=ast.Sub()):
                return f"{ast.unparse(node.left)} − {self._symbol(node.right)}"
            case ast.BinOp(op=ast.Pow()):
                return f"{self._symbol(node.left)}<sup>{ast.unparse(node.right)}</sup>"
        raise NotImplementedError(ast.unparse(node))


def _bracketed(node, html):
    sums = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
    return f"{operator('(')}{html}{operator(')')}" if sums else html


def operator(sign):
    return f"<em>{sign}</em>"


def operand(symbol, cells, turned=False, *, row=False, made=None):
    """A symbol above its numbers: a matrix as it is, a row of the passes as a column (`turned`).

    made  how each number is made: then the reader can ask for it"""
    cells = np.atleast_2d(cells)
    made = cells if made is None else np.atleast_2d(made)
    if turned and not row:
        cells, made = cells.T, made.T
    rows = "".join(
        "<tr>" + "".join(map(_cell, *pair)) + "</tr>" for pair in zip(cells, made, strict=True)
    )
    above = f"{symbol}<sup>⊤</sup>" if row and symbol != "0" else symbol
    return f'<span>{above}<table role="presentation">{rows}</table></span>'


def _cell(number, made):
    ref = str(number).removeprefix("#")
    if made is number:
        return f'<td data-n="{ref}"></td>'
    return f'<td><button data-n="{ref}" data-of="{made}"></button></td>'
