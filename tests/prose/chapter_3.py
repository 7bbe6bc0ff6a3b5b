"""Sentences of chapter 3: what its labs and the stored studies show."""

import re

import numpy as np

from bptt_core import lstm
from bptt_core.labs.forgetting import remembered
from bptt_core.studies import long_gradient as study
from bptt_core.studies import random_networks
from prose import kept, lab, numbers, power, says

GATE = "#lab=forget-gate"


def left(bias, curve="exact"):
    """{lag: what is left} at the lags of the lab's table."""
    state = lab("forget_gate", forget_bias=bias, layers="four")
    return dict(zip(state.drawn[curve][0].astype(int), state.drawn[curve][1], strict=True))


def pairs(bias):
    """The stored row of 200 random pairs at a bias, at the usual weights."""
    rows = random_networks.stored()["gates"]
    return next(row for row in rows if row["bias"] == bias and row["scale"] == 1)


@says(
    "chapters/03",
    f"of {{n}} random pairs the LSTM in {{zero}}. [At bias 1]({GATE}&forget_bias=1) it is {{one}}, "
    f"[at bias 3]({GATE}) all of them.",
)
@says("chapters/03", f"[At bias 0]({GATE}&forget_bias=0) a gate is half open,")
def who_remembers_longer():
    n = random_networks.NETWORKS
    assert pairs(3)["longer"] == n
    assert abs(left(0, "forget")[200] ** (1 / 200) - 0.5) < 0.02
    for bias in (0, 1, 3):
        assert f" in {pairs(bias)['longer']}:" in lab("forget_gate", forget_bias=bias).sentence
    return {"n": n, "zero": pairs(0)["longer"], "one": pairs(1)["longer"]}


@says(
    "chapters/03",
    f"[at bias 1]({GATE}&forget_bias=1&layers=forget) {{lag}} steps leave ${{gates}}$ of it, and "
    f"{{exact:.2g}} of the gradient.",
)
def one_path_of_many():
    return {"lag": 30, "gates": power(left(1, "forget")[30]), "exact": left(1)[30]}


@says(
    "chapters/03",
    "A larger bias does not always leave a larger gradient: after {last} steps it is {four:.1f} "
    f"[at bias 4.5]({GATE}&forget_bias=4.5) and {{five:.1f}} [at bias 5]({GATE}&forget_bias=5).",
)
def not_always_larger():
    assert left(5)[200] < left(4.5)[200]
    return {"last": max(left(6)), "four": left(4.5)[200], "five": left(5)[200]}


@says(
    "chapters/03",
    f"[At bias 3]({GATE}) a small change of $c_T$ moves $h_T$ by {{three}} % of it, "
    f"[at bias 6]({GATE}&forget_bias=6) by {{six}} %.",
)
def view_of_the_cell():
    def shown(bias):
        sentence = lab("forget_gate", forget_bias=bias).sentence
        return re.search(r"moves h_T by ([\d.]+)\s*%", sentence)[1]

    inputs, params, _ = remembered(np.array([6.0]), np.array([1.0]))
    assert np.abs(lstm.forward(params, inputs).c[-1]).mean() > 2.5  # tanh is flat there
    return {"three": shown(3), "six": shown(6)}


@says(
    "chapters/03",
    "together about {lstm:.1f} of the gradient is left a step. How much an RNN keeps depends on "
    "its inputs. A letter is a small input: tanh stays steep, and the RNN keeps about {rnn:.1f}.",
)
def factors_of_fresh_networks():
    on_letters, on_noise = (
        numbers(line) for line in kept("chapters/03", "b-factors").split("noise")
    )
    (rnn, steep, _, lstm, share), (noisy, flat, _, _, fewer) = on_letters[:5], on_noise[:5]
    assert steep > flat
    assert share > 50 > fewer  # it loses its lead
    assert rnn > noisy
    return {"lstm": lstm, "rnn": rnn}


@says(
    "chapters/03",
    "{units} units, {updates} updates, the whole gradient. A network *has learnt* the task when it "
    "is right on more than {share:.0f}% of {fresh} new rows; guessing is right on a quarter.",
)
def how_they_were_trained():
    return {
        "units": study.UNITS,
        "updates": study.UPDATES,
        "share": 100 * study.LEAST_ACCURACY,
        "fresh": study.FRESH,
    }


@says(
    "chapters/03",
    "At bias 0 none learns it from length {length} on; at bias 3 every network learns it at every "
    "length, and no other kind does.",
)
def who_learns_the_first_letter():
    def shares(cell):
        found = study.rows("atlas", task="letter, first", cell=cell, window=None)
        return {row["length"]: row["k"] / row["n"] for row in found}

    zero = shares("LSTM 0")
    assert all((share == 0) == (length >= 20) for length, share in zero.items())
    assert set(shares("LSTM 3").values()) == {1}
    for other in ("RNN", "orthogonal RNN", "LSTM 0", "LSTM 1"):
        assert min(shares(other).values()) < 1
    return {"length": 20}


@says(
    "chapters/03",
    "At bias 0 an LSTM forgets letters faster than a plain RNN and learns no first letter of "
    "thirty; at bias 3 all of {n} do.",
)
def all_of_twenty():
    row, *_ = study.rows("atlas", task="letter, first", cell="LSTM 3", window=None, length=30)
    assert row["k"] == row["n"]
    return {"n": row["n"]}


@says(
    "chapters/03",
    "the true derivative over 18 steps is {a:.2f} at $w_o = -2$, 1 at 0, {b:.0f} at 2 and {c:,.0f} "
    "at 8.",
)
def balanced_truth():
    lines = kept("chapters/03", "b44-balanced-truth").splitlines()
    true = [numbers(line)[-1] for line in lines]
    assert true[1] == 1
    return {"a": true[0], "b": true[2], "c": round(true[3], -3)}
