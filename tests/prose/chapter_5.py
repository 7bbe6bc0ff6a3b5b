"""Sentences of chapter 5: what its labs show."""

import re

import numpy as np

from bptt_core import follow, labs
from bptt_core.labs.families import split
from bptt_core.studies import first_letter
from prose import lab, says

LANES = "#lab=two-lanes&forget_bias"
LINEAR = "#lab=eigenvalues-linear&radius=1.05&between"
TANH = "#lab=eigenvalues-tanh"
GATE = "#lab=forget-gate&forget_bias=4"
PATHS = "#lab=paths&forget_bias"


@says(
    "chapters/05",
    f"[At bias 2]({LANES}=2&update=400) {{two}} of {{n}} LSTMs know the letter after {{updates}} "
    f"updates, [at bias 1]({LANES}=1&update=400) {{one}}. Of the RNNs it is {{rnn}}.",
)
def between():
    def know(bias):
        found = lab("two_lanes", forget_bias=bias, update=400).sentence
        return re.search(r"\*(\d+)\* RNNs and \*(\d+)\* LSTMs", found).groups()

    (rnn, one), (same, two) = know(1), know(2)
    assert rnn == same
    updates, n = first_letter.MOMENTS[-1], first_letter.NETWORKS
    return {"one": one, "two": two, "rnn": rnn, "n": n, "updates": updates}


@says(
    "chapters/05",
    f"[At 16°]({LINEAR}=16) the norm swings up to {{times:.1f}} times above $\\rho^k$; "
    f"[at 90°]({LINEAR}=90) it is $\\rho^k$. In the long run both double in {{steps:.0f}} steps.",
)
def doubling():
    for between, times in ((16, labs.linear.climb(30, 16)), (90, 1)):
        state = lab("eigenvalues_linear", radius=1.05, between=between)
        lags, norm = state.drawn["gradient"]
        above = norm / 1.05**lags
        assert np.all((above > 1 - 1e-9) & (above < times + 1e-9))
        assert above.max() > 0.99 * times
        assert "doubles in 14 steps in the long run" in state.sentence
    return {"times": labs.linear.climb(30, 16), "steps": np.log(2) / np.log(1.05)}


def grows(**settings):
    return re.search(r"grows in (\d+)", lab("eigenvalues_tanh", **settings).sentence)[1]


@says(
    "chapters/05",
    f"[At radius 1.5]({TANH}) the gradient grows in {{large}} of 200 networks with 100 units, and "
    f"[with 10 units]({TANH}&units=10) in {{small}}.",
)
@says(
    "chapters/05",
    f"[At 1.2]({TANH}&radius=1.2) it grows in {{quiet}} of the large ones, and [an input of "
    f"0.25]({TANH}&radius=1.2&drive=0.25) stops it in all of them.",
)
def edge_of_chaos():
    assert grows(radius=1.2, drive=0.25) == "0"
    return {"large": grows(), "small": grows(units="10"), "quiet": grows(radius=1.2)}


@says(
    "chapters/05",
    f"[With the usual weights]({GATE}) the gradient of this LSTM stays between {{low}} and "
    f"{{high}}; [four times as large]({GATE}&scale=4) they make it explode, doubling every "
    "{doubles} steps.",
)
def large_weights():
    usual, large = (lab("forget_gate", forget_bias=4, scale=s).sentence for s in (1, 4))
    low, high = re.match(r"This LSTM: \*neither.*? between (\S+) and (\S+) over", usual).groups()
    doubles = re.match(r"This LSTM: \*exploding\*.*? doubles every (\S+) steps", large)[1]
    return {"low": low, "high": high, "doubles": doubles}


@says(
    "chapters/05",
    "the cell's own road carries {cell}, and the roads via f, i and g carry {f} each.",
)
def terms_of_the_balanced_cell():
    parts = labs.balance.PARTS
    assert parts["f"] == parts["i"] == parts["g"] and np.isclose(sum(parts.values()), 1)
    return parts


@says(
    "chapters/05",
    "With a weight $w_o$ [of −4](#lab=balanced-cell&w_o=-4) the roots are {larger:.3f} and "
    "−{smaller:.3f}. "
    "What travels along the cell alone is out of the output gate's reach.",
)
def roots():
    smaller, larger = lab("balanced_cell", w_o=-4).drawn["roots"][0]
    for w_o in made_values("balanced_cell", "w_o"):
        assert lab("balanced_cell", w_o=w_o).drawn["roots"][0].max() > 0.7
    return {"larger": larger, "smaller": -smaller}


def made_values(name, key):
    return labs.LABS[name]().grid[key]


@says(
    "chapters/05",
    "Four paths of a quarter each: together they carry the gradient, which is 1. [Let all gates "
    "read $h$](#lab=follow-a-path&roads=all&w_g=-2&w_o=2), and all {all} are open and have both "
    "signs.",
)
def open_paths():
    shown = follow.paths().at()
    open_ones = shown.paths[shown.paths != 0]
    np.testing.assert_allclose(open_ones, [0.25] * 4, rtol=1e-12)
    assert np.isclose(shown.exact, 1, rtol=1e-12)
    everything = follow.paths().at(roads="all", w_g=-2, w_o=2).paths
    assert np.all(everything != 0) and {-1, 1} == set(np.sign(everything))
    return {"all": len(everything)}


def share(bias):
    found = lab("paths", forget_bias=bias, scale=0.05).sentence
    return re.search(r"through the cell alone is ([\d.]+)\s*%", found)[1]


@says(
    "chapters/05",
    f"[At bias 3]({PATHS}=3&scale=0.05) the share is {{opened}} %, [at bias "
    f"−1]({PATHS}=-1&scale=0.05) {{closed}} %.",
)
def closed_gates():
    def size(bias):
        cell = split("1", np.array([bias]), np.array([0.05])).cell
        return np.linalg.norm(cell[16]) / np.linalg.norm(cell[0])

    assert size(-1.0) < 1e-6 * size(3.0)
    return {"opened": share(3), "closed": share(-1)}


@says(
    "chapters/05",
    "[Clipped at 0.1](#lab=clipping&threshold=0.1) the last losses have the median {short:.2f}, "
    "[at 0.2](#lab=clipping) {long:.3f}.",
)
def thresholds():
    def median(**settings):
        return np.median(lab("clipping", **settings).drawn["clipped-loss"][1][-20:])

    return {"short": median(threshold=0.1), "long": median()}


@says(
    "chapters/05",
    "The RNN needs a window of {rnn}, [at 30 steps](#lab=truncation) and [at "
    "120](#lab=truncation&length=120). The LSTM with a forget gate of 0.9 needs {short} [at 30 "
    "steps](#lab=truncation&cell=lstm) and {long} [at 120](#lab=truncation&cell=lstm&length=120)",
)
def windows():
    def needs(**settings):
        return re.search(r"takes (\d+) steps", lab("truncation", **settings).sentence)[1]

    rnn = {needs(length=length) for length in ("30", "120")}
    assert len(rnn) == 1
    lstm = [needs(cell="lstm", length=length) for length in ("30", "120")]
    return {"rnn": rnn.pop(), "short": lstm[0], "long": lstm[1]}
