"""Sentences of chapter 5: what its labs show."""

import re

import numpy as np

from bptt_core import gradient_flow, lstm
from bptt_core.labs.forgetting import remembered
from bptt_core.studies import random_networks
from prose import lab, says

TANH = "#lab=eigenvalues-tanh"


def grows(**settings):
    return re.search(r"grows in (\d+)", lab("eigenvalues_tanh", **settings).sentence)[1]


@says(
    "chapters/05",
    f"[At radius 1.2 without input]({TANH}&radius=1.2) the gradient grows in {{quiet}} of {{n}} "
    f"random networks with {{units}} units. [With an input of 2]({TANH}&radius=1.2&drive=2) it "
    "grows in none: the input alone turns growth into decay.",
)
def radius_1_2():
    assert grows(radius=1.2, drive=2) == "0"
    units = lab("eigenvalues_tanh").settings["units"]
    return {"quiet": grows(radius=1.2), "n": random_networks.NETWORKS, "units": units}


@says(
    "chapters/05",
    f"[At 1.5 without input]({TANH}) it grows in {{large}}, [with 10 units]({TANH}&units=10) in "
    f"{{small}}. [At 2]({TANH}&radius=2) the units are flatter still, and it grows in {{two}}.",
)
def no_law():
    def passed(radius):
        return lab("eigenvalues_tanh", radius=radius).drawn["here-passes"][1][0]

    assert passed(2) < passed(1.5) < passed(1.2)
    return {"large": grows(), "small": grows(units="10"), "two": grows(radius=2)}


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
