"""A small network, unrolled: the chain rule goes back through it line by line.

Derivation     .forward              the equations of the network, one named quantity a line
               .backward(named)      the equations of the gradients, last line first: the recursion
                                     of the code
               .gradient(name)       dL/dθ; `.contributions(name)` its sum over steps, term by term
               .terms(name, t)       the factors of ∂L_t/∂s_t · ∂s_t/∂s_{t−1} · … · ∂⁺s_k/∂θ, whose
                                     sum over k is dL_t/dθ
               .jacobian(t)          ∂s_t/∂s_{t−1}; `.immediate(k, name)` ∂⁺s_k/∂θ
               .cell_recursion(t)    δ of `D-eq22`; `.joint_recursion(t)` the ε and δ that are right
               .function()           all gradients as a function of numbers; `.evaluate` any
                                     expression

`networks` makes one of n ≤ 2 units over T ≤ 3 steps, with its readout and loss. Every quantity is a
symbol that prints in the notation of the book. Nothing here comes from the numeric modules, so that
agreement between the two proves something.
"""

from collections import Counter, defaultdict

import sympy as sp

from bptt_core.derivations.symbols import (
    Line,
    Named,
    Term,
    column,
    leaves_of,
    numeric,
    one_of,
    softmax,
)

__all__ = ["Derivation"]

MAX_UNITS, MAX_STEPS, MAX_SIZE = 2, 3, 3


READOUT = ("y", "p", "L")
NAMED = ("y", "h", "c", "a")  # the gradients that get a name of their own unless told otherwise


class Derivation:
    """A network unrolled over T steps; `rnn`, `lstm` and `gru` make it. The state s is h, or (h, c)
    for the LSTM."""

    def __init__(self, given, n, T, loss, inputs, outputs, bias, steps, reduction):
        """`given` are the gates, the states and further biases of `leaves_of`."""
        sizes = (
            ("n", n, MAX_UNITS),
            ("T", T, MAX_STEPS),
            ("inputs", inputs, MAX_SIZE),
            ("outputs", outputs, MAX_SIZE),
        )
        for name, value, most in sizes:
            if value not in range(1, most + 1):
                raise ValueError(f"{name}: got {value}, wanted 1 to {most}")
        one_of("loss", loss, ("squared_error", "softmax_cross_entropy"))
        one_of("reduction", reduction, ("sum", "mean"))
        steps = range(1, T + 1) if steps is None else [T] if steps == "last" else sorted(set(steps))
        if not steps or not set(steps) <= set(range(1, T + 1)):
            raise ValueError(f"steps: got {steps}, wanted None, 'last', or steps from 1 to {T}")
        self.n = n
        self.T = T
        self.lines, self._known = [], {}  # the values that have a name of their own
        self._slopes, self._pulled, self._passes = {}, {}, {}  # what was differentiated before
        self.leaves = leaves_of(*given, n, T, inputs, outputs, bias)
        self.states = [
            sp.Matrix.vstack(*[self.leaves[name] for name in ("h_0", "c_0") if name in self.leaves])
        ]
        self._steps, self._loss = list(steps), loss
        self._weight = sp.Rational(1, len(steps)) if reduction == "mean" else sp.Integer(1)

    def let(self, t, kind, values):
        """Name `values`, a column, as the quantity `kind` of step t;
        returns the column of its symbols."""
        symbols = column(kind, t, len(values))
        for symbol, value in zip(symbols, values, strict=True):
            self.lines.append(Line(t, symbol, value))
            if isinstance(value, sp.Function):
                self._known[value] = symbol
        return sp.Matrix(symbols)

    def affine(self, t, gate):
        """W_x x_t + W_h h_{t−1} + b of one gate, for the step t that is being written."""
        h = self.states[t - 1][: self.n, :]
        return self.from_input(t, gate) + self.leaves[f"W_h{gate}"] * h

    def from_input(self, t, gate):
        """W_x x_t + b of one gate."""
        x_t = self.leaves["x"][t - 1, :].T
        b = self.leaves.get(f"b_{gate}", sp.zeros(self.n, 1))
        return self.leaves[f"W_x{gate}"] * x_t + b

    def read_out(self):
        """Write y_t and L_t for every step with a loss, and their sum L; returns the derivation."""
        losses = []
        for t in self._steps:
            b_y, target = self.leaves.get("b_y"), self.leaves["target"][t - 1, :].T
            y = self.leaves["W_hy"] * self.states[t][: self.n, :]
            y = self.let(t, "y", y if b_y is None else y + b_y)
            if self._loss == "squared_error":
                value = sum((y - target).applyfunc(lambda e: e**2)) / 2
            else:
                p = self.let(t, "p", [softmax(k, *y) for k in range(1, len(y) + 1)])
                value = -sum(target.multiply_elementwise(p.applyfunc(sp.log)))
            losses.extend(self.let(t, "L", [value]))
        self.total = self.let(None, "L", [self._weight * sum(losses)])[0]
        return self

    @property
    def forward(self):
        """The equations of the network, in the order in which they are computed."""
        return [sp.Eq(line.symbol, line.value, evaluate=False) for line in self.lines]

    def backward(self, named=NAMED):
        """The equations of the gradients, last first.

        A gradient that is not `named` is written out where it is used.

        named=("a",) is the δ recursion of `D-eq6`; named=("h", "c") the joint recursion of ε =
        dL/dh and δ = dL/dc."""
        return [sp.Eq(symbol, value, evaluate=False) for symbol, value in self._reverse(named)[0]]

    def gradient(self, name, named=NAMED):
        """dL/d(name) in the shape of the code, in the named gradients; `name` is W_hh, x, h_0,
        … or W_hf."""
        return sum(self.contributions(name, named), sp.zeros(*self._leaf(name).shape))

    def contributions(self, name, named=NAMED):
        """The terms of dL/d(name), one for each step 1…T,
        as `backward(…, per_step=True)` returns them."""
        found = self._reverse(named)[1]
        return [
            self._leaf(name).applyfunc(lambda leaf, t=t: found[leaf][t])
            for t in range(1, self.T + 1)
        ]

    def equation(self, name, named=NAMED):
        """dL/d(name) = its gradient, to be shown."""
        value = self.gradient(name, named)
        return sp.Eq(
            Named(name, gradient=True), value[0] if value.shape == (1, 1) else value, evaluate=False
        )

    def state(self, t):
        """The symbols of s_t as a column: h_t, and c_t below it."""
        return self.states[self._step(t, 0)]

    def jacobian(self, t):
        """∂s_t/∂s_{t−1}, differentiated through the lines of step t alone."""
        return sp.Matrix([[row[s] for s in self.state(t - 1)] for row in self._pulls(t)])

    def immediate(self, k, name):
        """∂⁺s_k/∂θ for every entry of the state: a list of matrices in the shape of θ.

        s_{k−1} is held fixed."""
        return [
            self._leaf(name).applyfunc(lambda leaf, row=row: row[leaf]) for row in self._pulls(k)
        ]

    def loss_gradient(self, t):
        """∂L_t/∂s_t, a row: what the loss of step t sends into the state."""
        loss = [line for line in self.lines if line.t == t and line.symbol.role in READOUT]
        if not loss:
            raise ValueError(f"t: got {t}, wanted a step with a loss: {self._steps}")
        return sp.Matrix([[self._pull(loss, loss[-1].symbol)[s] for s in self.state(t)]])

    def terms(self, name, t=None):
        """The terms k = 1…t of dL_t/d(name), t = T if not given (`A30`, `C06`):
        a list of `Term`."""
        if name in ("W_hy", "b_y", "target", "h_0", "c_0"):
            raise ValueError(
                f"name: got {name!r}, wanted what the cell reads at every step, such as W_hh or x"
            )
        t = self.T if t is None else t
        s = "(h, c)" if "c_0" in self.leaves else "h"
        row, factors, terms = self.loss_gradient(t), [], []
        factors.append((rf"\frac{{\partial L_{{{t}}}}}{{\partial {s}_{{{t}}}}}", row))
        theta = Named(name).latex
        for k in range(t, 0, -1):
            pieces = self.immediate(k, name)
            formula = rf"\frac{{\partial^{{+}} {s}_{{{k}}}}}{{\partial {theta}}}"
            value = sum(
                (row[j] * piece for j, piece in enumerate(pieces)),
                sp.zeros(*self._leaf(name).shape),
            )
            terms.append(
                Term(k, (*factors, (formula, sp.Matrix([list(piece) for piece in pieces]))), value)
            )
            J = self.jacobian(k)
            factors.append((rf"\frac{{\partial {s}_{{{k}}}}}{{\partial {s}_{{{k - 1}}}}}", J))
            row = row * J
        return terms[::-1]

    def joint_recursion(self, t=None):
        """{j: (ε_j, δ_j)} for j = t…0: the rows ∂L_t/∂h_j and ∂L_t/∂c_j of an LSTM;
        the pair is carried (`C50`)."""
        if "c_0" not in self.leaves:
            raise ValueError(
                "joint_recursion: got a cell without c, wanted an LSTM; "
                "the δ of another cell is backward(named=('a',))"
            )
        t = self.T if t is None else t
        row, rows = self.loss_gradient(t), {}
        for j in range(t, -1, -1):
            eps = row[:, : self.n]
            rows[j] = (eps, row[:, self.n :] + eps * self._tau(j))
            row = row * self.jacobian(j) if j else row
        return rows

    def cell_recursion(self, t=None):
        """{j: δ_j} for j = t…0 by `D-eq22`, δ_j = δ_{j+1} ∂c_{j+1}/∂c_j.

        Wrong for j < t: it loses c_j → h_j → o_{j+1} → h_{j+1}. `joint_recursion` has it right."""
        t, n = self.T if t is None else t, self.n
        delta = {t: self.joint_recursion(t)[t][1]}
        for j in range(t - 1, -1, -1):
            M = self.jacobian(j + 1)
            delta[j] = delta[j + 1] * (M[n:, n:] + M[n:, :n] * self._tau(j))
        return delta

    def function(self):
        """numbers → gradients: takes every leaf by name (W_xh, W_hh, b_h, W_hy, b_y, x, target,
        h_0, c_0) and returns
        {name: nested lists}, with the loss as "L"."""
        names = [name for name in self._stacked() if name != "target"]
        return self._function(
            {"L": sp.Matrix([self.total])} | {name: self.gradient(name) for name in names}
        )

    def evaluate(self, expression, **numbers):
        """The value of any expression or matrix of this derivation,
        at the numbers that `function` takes."""
        matrix = expression if isinstance(expression, sp.MatrixBase) else sp.Matrix([[expression]])
        value = self._function({"value": matrix})(**numbers)["value"]
        return value if isinstance(expression, sp.MatrixBase) else value[0][0]

    def _step(self, t, first):
        if t not in range(first, self.T + 1):
            raise ValueError(f"t: got {t!r}, wanted a step from {first} to {self.T}")
        return t

    def _leaf(self, name):
        if name not in self.leaves:
            raise ValueError(f"name: got {name!r}, wanted one of {', '.join(self.leaves)}")
        return self.leaves[name]

    def _stacked(self):
        """The leaves under the names of the code: W_xh rather than W_xi, W_xf, …"""
        names = ("W_xh", "W_hh", "b_h", "b_hn", "W_hy", "b_y", "x", "target", "h_0", "c_0")
        return {
            name: self.leaves[name]
            for name in names
            if name in self.leaves and self.leaves[name].free_symbols
        }

    def _function(self, outputs):
        lines = [(line.symbol, line.value) for line in self.lines]
        return numeric(self._stacked(), lines + self._reverse(NAMED)[0], outputs)

    def _local(self, line, symbol):
        """The derivative of one line by one symbol; what has a name is called by it:
        1 − tanh(a)² is 1 − h²."""
        if (line.symbol, symbol) not in self._slopes:
            self._slopes[line.symbol, symbol] = line.value.diff(symbol).xreplace(self._known)
        return self._slopes[line.symbol, symbol]

    def _pull(self, lines, symbol):
        """Derivatives of `symbol` by everything above `lines`, through these lines only."""
        bars = defaultdict(lambda: sp.Integer(0), {symbol: sp.Integer(1)})
        for line in reversed(lines):
            bar = bars.pop(line.symbol, 0)
            for below in line.value.free_symbols if bar else ():
                bars[below] += bar * self._local(line, below)
        return bars

    def _pulls(self, t):
        """For every entry of s_t: its derivatives by all that step t reads."""
        if self._step(t, 1) not in self._pulled:
            lines = [line for line in self.lines if line.t == t and line.symbol.role not in READOUT]
            self._pulled[t] = [self._pull(lines, symbol) for symbol in self.state(t)]
        return self._pulled[t]

    def _tau(self, j):
        """∂h_j/∂c_j at fixed gates; zero for j = 0, because h_0 is given."""
        lines = [line for line in self.lines if line.t == j and line.symbol.role in ("s", "h")]
        rows = [self._pull(lines, h) for h in self.state(j)[: self.n]]
        return sp.Matrix(
            [[row[c] if lines else sp.Integer(0) for c in self.state(j)[self.n :]] for row in rows]
        )

    def _reverse(self, named):
        """The chain rule from L back: the lines of the named gradients, and {leaf: {step:
        contribution}}."""
        if named in self._passes:
            return self._passes[named]
        bars = defaultdict(lambda: sp.Integer(0), {self.total: sp.Integer(1)})
        found, equations = defaultdict(Counter), []
        for line in reversed(self.lines):
            bar = bars[line.symbol]
            if line.symbol.role == "y":  # for softmax: Σ target · p − target
                bar = sp.collect(sp.expand(bar), self._known.values())
            if bar != 0 and line.symbol.role.split("_")[0] in named:
                equations.append((line.symbol.by_loss(), bar))
                bar = line.symbol.by_loss()
            for below in sorted(line.value.free_symbols, key=str) if bar != 0 else ():
                part = bar * self._local(line, below)
                bars[below] += part
                found[below][line.t] += part
        self._passes[named] = equations, found
        return equations, found
