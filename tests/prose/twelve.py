"""Sentences of the page of twelve sentences: what a figure of chapter 5 shows of them."""

import re

import numpy as np

from bptt_core import labs
from prose import lab, says

PAGE = "book/twelve_sentences.md"
FIGURES = "../chapters/05_play_with_the_gradient.html#lab="


def link(settings, text):
    return f'In a figure: <a href="{FIGURES}{settings}">{text}</a>'


@says(PAGE, link("eigenvalues-linear", "the norm rises to {high:.1f} by lag {lag}, and vanishes"))
def norm_above_one():
    state = lab("eigenvalues_linear")
    lags, norm = state.drawn["gradient"]
    assert norm[1] > 1 and "*vanishing*" in state.sentence
    return {"high": norm.max(), "lag": int(lags[norm.argmax()])}


@says(
    PAGE,
    link("eigenvalues-linear&radius=1.05&angle=-50", "two eigenvalues, 1.05 and half of it")
    + ". The determinant is {det:.2f}, and the norm explodes.",
)
def determinant():
    values = labs.linear.eigenvalues(np.array([1.05]), np.array([-50]))[0]
    np.testing.assert_allclose(values, [1.05, 1.05 / 2])
    assert "*exploding*" in lab("eigenvalues_linear", radius=1.05, angle=-50).sentence
    return {"det": values.prod().real}


@says(
    PAGE,
    link("forget-gate&forget_bias=1&layers=forget", "30 steps leave {whole} of a gradient")
    + ", and {gates} · 10⁻⁵ of the product of its gates.",
)
def one_step():
    said = lab("forget_gate", forget_bias=1, layers="forget").sentence
    left = r"30 steps back (.*)\s×\s10⁻³ of this gradient.* product of f says (.*)\s×\s10⁻⁵"
    whole, gates = re.search(left, said).groups()
    return {"whole": f"{float(whole) / 1000:.4f}", "gates": gates}


@says(
    PAGE,
    link("two-lanes&forget_bias=0&update=400", "at bias 0 none of 100 LSTMs")
    + " knows the letter after 400 updates, and {rnn} of 100 RNNs do.",
)
def no_solution():
    said = lab("two_lanes", forget_bias=0, update=400).sentence
    rnn, lstm = re.search(r"\*(\d+)\* RNNs and \*(\d+)\* LSTMs", said).groups()
    assert lstm == "0"
    return {"rnn": rnn}


@says(
    PAGE,
    link("clipping&w=4.8&rate=0.2&threshold=2", "a threshold that is never reached")
    + " changes nothing.",
)
def never_reached():
    state = lab("clipping", w=4.8, rate=0.2, threshold=2)
    assert "never reached" in state.sentence
    np.testing.assert_array_equal(state.drawn["free"], state.drawn["clipped"])
    return {}


@says(
    PAGE,
    link("truncation&window=5", "a window of 5 of 30 steps") + " turns the gradient by {angle}°.",
)
def detached():
    return {
        "angle": re.search(r"turns the gradient by (\d+)°", lab("truncation", window=5).sentence)[1]
    }


@says(
    PAGE,
    link("forget-gate&forget_bias=6", "at bias 6")
    + " a small change of the cell moves h by {share} % of it.",
)
def hidden_cell():
    said = lab("forget_gate", forget_bias=6).sentence
    return {"share": re.search(r"moves h_T by ([\d.]+)\s*%", said)[1]}
