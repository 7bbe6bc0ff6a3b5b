"""The backward pass of an LSTM as lines to be put in order, some of them with a wrong twin.

LINES  the lines of the loop, for `ask.order`
run    the lines, run on a small LSTM: relative errors, and the losses of training with them
"""

import textwrap
from functools import cache, partial

import numpy as np

from bptt_core import lstm, readout, tasks, training
from bptt_core.ask.orders import Line, Run
from bptt_core.explicit.lstm import plain
from bptt_core.mistakes import MISTAKES

LENGTH, BATCH, UPDATES, RATE = 8, 32, 80, 0.02


def said(name):
    """The sentence of a known mistake."""
    text = next(mistake.explanation for mistake in MISTAKES if mistake.name == name)
    return text[0].upper() + text[1:] + "."


H_FIRST = "`dh_t` is needed here: collect what arrives at h_t first."
C_FIRST = "`dc_t` is needed here, before it is known."
GATE_FIRST = "All four gates must have theirs before h_{t−1} gets its own."
OLD = "`dc_next` of step t + 1 is still needed by `dc_t`: it must not be written over before."
LINES = [
    Line("dh_t = dh[t] + dh_next"),
    Line(
        "dc_t = dc_next + dh_t * o[t] * (1 - s[t] ** 2)",
        {"dc_t = dh_t * o[t] * (1 - s[t] ** 2)": said("cell's gradient not carried")},
        ((0, H_FIRST),),
    ),
    Line("da_i = dc_t * g[t] * i[t] * (1 - i[t])", {}, ((1, C_FIRST),)),
    Line("da_f = dc_t * c[t - 1] * f[t] * (1 - f[t])", {}, ((1, C_FIRST),)),
    Line("da_g = dc_t * i[t] * (1 - g[t] ** 2)", {}, ((1, C_FIRST),)),
    Line(
        "da_o = dh_t * s[t] * o[t] * (1 - o[t])",
        {
            "da_o = dc_t * s[t] * o[t] * (1 - o[t])": "The output gate acts behind the cell: it "
            "listens to ∂L/∂h_t."
        },
        ((0, H_FIRST),),
    ),
    Line(
        "dh_next = da_i @ W_hi + da_f @ W_hf + da_g @ W_hg + da_o @ W_ho",
        {
            "dh_next = da_i @ W_hi + da_f @ W_hf + da_g @ W_hg": "The output gate reads h_{t−1} "
            "too: its road back is missing."
        },
        tuple((gate, GATE_FIRST) for gate in (2, 3, 4, 5)),
    ),
    Line("dc_next = dc_t * f[t]", {}, ((1, OLD),)),
]
COLLECT = """da = np.concatenate([da_i, da_f, da_g, da_o], -1)
dW_xh += da.T @ x[t]
dW_hh += da.T @ h[t - 1]
db_h += da.sum(0)"""


def run(codes):
    """`Run` of a program: what it computes, and what training with it comes to."""
    program = _program(codes)
    cell, forward, dh = _network()
    right = lstm.backward(cell, forward, dh).params
    found = _gradient(program, cell, forward, dh)
    errors = {
        name: float(np.linalg.norm(a - b) / np.linalg.norm(b))
        for name, a, b in zip(cell._fields, found, right, strict=True)
    }
    return Run(errors, _losses(program) if max(errors.values()) > 1e-9 else _right_losses())


@cache
def _network():
    """A cell with biases and states of its own, what it computed, and an error at every step."""
    draw = np.random.default_rng(4).standard_normal
    cell = lstm.Params(draw((16, 3)), draw((16, 4)), draw(16))
    return cell, lstm.forward(cell, draw((5, 2, 3)), draw((2, 4)), draw((2, 4))), draw((5, 2, 4))


@cache
def _right_losses():
    return _losses(_program([line.code for line in LINES]))


def _losses(program):
    """The losses while a small LSTM learns the first of eight letters by the program's gradient."""
    rng = np.random.default_rng(7)
    model = training.init_model(lstm, 5, 6, 4, rng, forget_bias=2.0)
    draw, adam, losses = partial(tasks.first_letter, LENGTH, BATCH, rng), training.adam(RATE), []
    for _ in range(UPDATES):
        x, target, steps = draw()
        forward = lstm.forward(model.cell, x)
        y = readout.forward(model.readout, forward.h[1:])
        loss, dy = readout.softmax_cross_entropy(y, target, steps=steps, reduction="mean")
        out = readout.backward(model.readout, forward.h[1:], dy)
        found = _gradient(program, model.cell, forward, out.h)
        model = adam(model, training.Model(found, out.params))
        losses.append(float(loss))
    return losses


def _program(codes):
    lines = textwrap.indent("\n".join([*codes, COLLECT]), " ")
    return compile(f"for t in range(T, 0, -1):\n{lines}", "the lines", "exec")


def _gradient(program, cell, forward, dh):
    rows = plain(forward)._asdict()
    names = {key: rows[key] for key in "xhcifgos"} | {"np": np, "T": len(dh)}
    names |= dict(zip(("W_hi", "W_hf", "W_hg", "W_ho"), np.split(cell.W_hh, 4), strict=True))
    names["dh"] = np.concatenate([np.zeros_like(dh[:1]), dh])
    names |= {f"d{field}": np.zeros_like(value) for field, value in cell._asdict().items()}
    names |= {"dh_next": np.zeros_like(dh[0]), "dc_next": np.zeros_like(dh[0])}
    names |= {f"d{name}": np.zeros_like(dh[0]) for name in ("h_t", "c_t")}
    exec(program, names)
    return lstm.Params(names["dW_xh"], names["dW_hh"], names["db_h"])
