"""Sentences of chapter 5: what its labs show."""

import numpy as np

from bptt_core import gradient_flow, lstm, rnn
from bptt_core.labs.forgetting import remembered
from prose import lab, power, says

TANH = "#lab=eigenvalues-tanh"


def after_30(**settings):
    return lab("eigenvalues_tanh", **settings).drawn["gradient"][1][30]


@says(
    "chapters/05",
    f"[At radius 1.2 without input]({TANH}&radius=1.2&drive=0) the gradient grows "
    f"{{grows:.1f}}-fold in 30 steps. "
    f"[With an input of 2]({TANH}&radius=1.2) ${{left}}$ of it is left: the input alone "
    f"turns growth into decay.",
)
def radius_1_2():
    assert lab("eigenvalues_tanh").settings["drive"] == 2
    return {"grows": after_30(radius=1.2, drive=0), "left": power(after_30(radius=1.2))}


@says(
    "chapters/05",
    f"[At 1.5 without input]({TANH}&drive=0) the units drive themselves into saturation, "
    f"and {{left:.2g}} is left. "
    f"That is no law. [At 1.8]({TANH}&radius=1.8&drive=0) the units are flatter still, "
    f"and the gradient grows "
    "{grows:.1f}-fold.",
)
def no_law():
    def passed(radius):
        sentence = lab("eigenvalues_tanh", radius=radius, drive=0).sentence
        return float(sentence.split("passes ")[1].split("\u00a0%")[0].split(" %")[0])

    assert passed(1.8) < passed(1.5) < passed(1.2)
    return {"left": after_30(drive=0), "grows": after_30(radius=1.8, drive=0)}


@says(
    "chapters/05",
    "Of {n} random networks with ten units, radius 1.5 and no input, it grows over 30 "
    "steps in {ten}; "
    "of {n} with fifty units, in {fifty}.",
)
def random_networks():
    def grows(units, n=200, radius=1.5):
        W = np.random.default_rng(0).standard_normal((n, units, units))
        W *= radius / np.abs(np.linalg.eigvals(W)).max(-1)[:, None, None]
        params = rnn.Params(np.zeros((n, units, 1)), W)
        run = rnn.forward(params, np.zeros((50, 1, 1)), np.full((1, units), 0.3))
        return int((gradient_flow.norm_curve(params, run, lags=30)[-1] > 1).sum())

    return {"n": 200, "ten": grows(10), "fifty": grows(50)}


@says(
    "chapters/05",
    "[At a bias of 3](#lab=forget-gate) a line fitted to its curve already has a half-life of "
    "{steps:.0f} steps",
)
def half_life():
    inputs, params, _ = remembered(np.array([3.0]), np.array([1.0]))
    curve = gradient_flow.norm_curve(params, lstm.forward(params, inputs))[:, 0, 0]
    slope = np.polyfit(np.arange(len(curve)), np.log(curve), 1)[0]
    assert f"halves every {np.log(0.5) / slope:.2g} steps" in lab("forget_gate").sentence
    return {"steps": np.log(0.5) / slope}


@says("chapters/05", "of which the lab shows {shown} of the {asked} steps.")
def challenge_1():
    return {"shown": lab("eigenvalues_linear").drawn["gradient"][0].max().astype(int), "asked": 300}


@says("chapters/05", "try the fourth on the sliders of the first lab, and the first too,")
def challenges_on_sliders():
    np.testing.assert_allclose(
        lab("eigenvalues_linear", radius=1, angle=90, between=90).drawn["gradient"][1], 1
    )
    lags, norm = lab("eigenvalues_linear", radius=0.95, angle=6, between=16).drawn["gradient"]
    assert lags[norm.argmax()] >= 10
    return {}
