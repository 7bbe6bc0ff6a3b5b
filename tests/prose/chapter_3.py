"""Sentences of chapter 3: what its lab shows."""

import re

import numpy as np

from bptt_core import lstm
from bptt_core.labs.forgetting import remembered
from bptt_core.studies import random_networks
from prose import lab, power, says

GATE = "#lab=forget-gate"


def left(bias, curve="exact"):
    """{lag: what is left} at the lags of the lab's table."""
    state = lab("forget_gate", forget_bias=bias, layers="four")
    return dict(zip(state.drawn[curve][0].astype(int), state.drawn[curve][1], strict=True))


@says(
    "chapters/03",
    f"[At bias 0]({GATE}&forget_bias=0&layers=forget) a forget gate is one half on "
    f"average, at single steps more or less.",
)
def one_half():
    product = np.array(list(left(0, "forget").values()))
    lags = np.array(list(left(0, "forget")))
    assert abs(product[-1] ** (1 / lags[-1]) - 0.5) < 0.02
    single = product[1:10] / product[:9]
    assert single.min() < 0.4
    assert single.max() > 0.6
    return {}


@says(
    "chapters/03",
    "The product of the gates is below one per cent from lag {gates} on, the exact "
    "gradient from lag "
    "{exact} on: here the other paths help it.",
)
def one_per_cent():
    def first(curve):
        lags, small = list(curve), np.array(list(curve.values())) < 0.01
        assert small[small.argmax() :].all()
        assert lags[small.argmax() - 1] == lags[small.argmax()] - 1  # no lag is left out before it
        return lags[small.argmax()]

    exact, gates = left(0), left(0, "forget")
    assert all(exact[k] > gates[k] for k in exact if k)
    return {"gates": first(gates), "exact": first(exact)}


@says(
    "chapters/03",
    f"[At bias 0]({GATE}&forget_bias=0) the draw decides which of the two forgets faster: of {{n}} "
    "random pairs the LSTM's gradient lives longer in {longer}. In the pair shown, {lag} steps "
    f"back, ${{lstm}}$ of its gradient is left, and ${{rnn}}$ of the RNN's. [At bias "
    f"1]({GATE}&forget_bias=1) "
    f"it is {{one:.2g}}, [at bias 3]({GATE}) it is {{three:.2g}}.",
)
def beside_an_rnn():
    lag = 26
    lstm, rnn = left(0)[lag], left(0, "rnn")[lag]
    assert lstm < rnn < left(1)[lag] < left(3)[lag]
    (pairs,) = (
        row for row in random_networks.stored()["gates"] if (row["scale"], row["bias"]) == (1, 0)
    )
    assert 0.1 < pairs["longer"] / random_networks.NETWORKS < 0.9
    return {
        "n": random_networks.NETWORKS,
        "longer": pairs["longer"],
        "lag": lag,
        "lstm": power(lstm),
        "rnn": power(rnn),
        "one": left(1)[lag],
        "three": left(3)[lag],
    }


@says(
    "chapters/03",
    "A larger bias does not always leave a larger gradient: after {last} steps it is {four:.1f} "
    f"[at bias 4.5]({GATE}&forget_bias=4.5) and {{five:.1f}} [at bias 5]({GATE}&forget_bias=5). "
    f"[At bias 6]({GATE}&forget_bias=6) it stays between {{low:.2f}} and {{high:.1f}} "
    f"over all {{last}} lags.",
)
def not_always_larger():
    six = list(left(6).values())
    assert left(5)[200] < left(4.5)[200]
    return {
        "last": max(left(6)),
        "four": left(4.5)[200],
        "five": left(5)[200],
        "low": min(six),
        "high": max(six),
    }


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
