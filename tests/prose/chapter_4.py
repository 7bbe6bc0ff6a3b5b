"""Sentences of chapter 4."""

import re

import numpy as np

from bptt_core import gradient_flow, jacobians, lstm
from bptt_core.activations import sigmoid
from bptt_core.labs.families import split
from prose import kept, lab, numbers, says

PATHS = "#lab=paths&forget_bias=3&scale"


def share(**settings):
    return re.search(r"through the cell alone is ([\d.]+)\s*%", lab("paths", **settings).sentence)[
        1
    ]


@says(
    "chapters/04",
    "[As the figure opens](#lab=paths), the cell's path carries {one:.0f} % of the "
    "gradient after one step. "
    "After sixteen its share is {sixteen} %: the other gates took over.",
)
def as_the_figure_opens():
    families = split("1", np.array([1.0]), np.array([2.0]))
    total = np.linalg.norm(families.total, axis=-1)
    shares = [(part / total).ravel() for part in families.along_total()]
    assert np.isclose(100 * shares[0][16], float(share()), atol=0.05)
    assert np.argmax([part[16] for part in shares]) == families._fields.index("gates")
    return {"one": 100 * shares[0][1], "sixteen": share()}


@says(
    "chapters/04",
    f"[at bias 3]({PATHS}=0.05) it is {{a}} %. But it does not come nearer step by step. "
    f"In the same "
    f"network it is {{b}} % at [half]({PATHS}=0.5) the usual size, {{c}} % at [the usual "
    f"one]({PATHS}=1) "
    f"and {{d}} % at [twice]({PATHS}=2).",
)
def not_step_by_step():
    at = [share(forget_bias=3, scale=scale) for scale in (0.05, 0.5, 1, 2)]
    return dict(zip("abcd", at, strict=True))


@says(
    "chapters/04",
    "In {n} random networks of this kind the share has the median {a:.2f}, {b:.2f} and "
    "{c:.2f} at the three scales.",
)
def medians_of_the_share():
    """As in the cell c39-when-t0-speaks."""
    medians = []
    for scale in (0.05, 0.5, 2.0):
        shares = []
        for seed in range(200):
            rng = np.random.default_rng(seed)
            p = lstm.init_params(3, 8, rng, scale=scale, forget_bias=3.0)
            run = lstm.forward(p, rng.standard_normal((18, 1, 3)))
            along = jacobians.path_families(p, run, dc=np.ones((1, 8))).along_total()
            shares.append((along.cell[16] / sum(along)[16]).item())
        medians.append(np.median(shares))
    return dict(zip("abc", medians, strict=True)) | {"n": 200}


def output_path(units, factor, seed, lags=15):
    """(the path through the output gates, the whole gradient, the gradient it starts from)."""
    rng = np.random.default_rng(seed)
    p = lstm.init_params(4, units, rng, forget_bias=0.0)
    p.W_ho[...] *= factor
    run = lstm.forward(p, rng.standard_normal((20, 1, 4)), squash="sigmoid")
    dh = np.ones((1, units))
    path = jacobians.output_gate_path(p, run, dh)[lags]
    return path, lstm.backward(p, run, {20: dh}).h[20 - lags], dh


@says(
    "chapters/04",
    "At 64 and 128 the path is nearly the gradient: it is off by {a:.0f} % and {b:.0f} %.",
)
def nearly_the_gradient():
    off = []
    for factor in (64, 128):
        path, whole, _ = output_path(64, factor, 0)
        off.append(100 * np.linalg.norm(path - whole) / np.linalg.norm(whole))
    return dict(zip("ab", off, strict=True))


@says("chapters/04", "Of {n} networks with {units} units it grows at one of these five in {grows}.")
def smaller_networks():
    def grows(seed):
        pairs = (output_path(16, factor, seed)[::2] for factor in (1, 16, 64, 128, 384))
        return any(np.linalg.norm(path) > np.linalg.norm(start) for path, start in pairs)

    return {"n": 200, "units": 16, "grows": sum(map(grows, range(200)))}


@says(
    "chapters/04",
    "In {n} others, {lags} steps back, the gradient of the cell has grown in {i} for "
    "$W_{{hi}}$, {f} for "
    "$W_{{hf}}$, {g} for $W_{{hg}}$ and {o} for $W_{{ho}}$.",
)
def each_gate_alone():
    n, H, lags = 200, 32, 59

    def grown(gate, factor):
        rng = np.random.default_rng(0)
        W_xh = rng.standard_normal((n, 4 * H, 4)) / 2
        W_hh = rng.standard_normal((n, 4 * H, H)) / np.sqrt(H)
        p = lstm.Params(W_xh, W_hh, np.zeros((n, 4 * H)))
        getattr(p, f"W_h{gate}")[...] *= factor
        run = lstm.forward(p, rng.standard_normal((lags + 1, 1, 4)))
        curve = gradient_flow.norm_curve(p, run, lags=lags, norm="fro")[..., 0]
        return int((curve[-1] > curve[0]).sum())

    assert grown("i", 1) == 0
    return {"n": n, "lags": lags} | {gate: grown(gate, 64) for gate in "ifgo"}


@says(
    "chapters/04",
    "[As the figure opens](#lab=clipping), one step without clipping throws the weights "
    "from the cliff to "
    "$w = {w:.2f}$, $b = {b:.2f}$. There the ground is flat, and the descent never comes "
    "back: the loss "
    "stands at {loss:.3f} to the end.",
)
@says(
    "chapters/04",
    "Its last {n} losses lie anywhere between {low:.0f} and {high:.2f}; their median is "
    "{median:.3f}.",
)
def off_the_cliff():
    drawn = lab("clipping").drawn
    w, b = drawn["free"]
    jump = np.hypot(np.diff(w), np.diff(b))
    assert jump[jump.argmax()] > 30 * np.sort(jump)[-2]  # one step
    landed = jump.argmax() + 1
    late, clipped = drawn["free-loss"][1][landed:], drawn["clipped-loss"][1][-20:]
    assert np.ptp(late) < 1e-3
    assert (
        np.hypot(np.diff(drawn["clipped"][0]), np.diff(drawn["clipped"][1])).max()
        <= 0.1 * 0.2 + 1e-9
    )
    return {
        "w": w[landed],
        "b": b[landed],
        "loss": late[-1],
        "n": len(clipped),
        "low": clipped.min(),
        "high": clipped.max(),
        "median": np.median(clipped),
    }


@says(
    "chapters/04",
    "Of {steps} steps the RNN needs {nine} [at a factor of 0.9](#lab=truncation), {five} "
    "[at 0.5](#lab=truncation&memory=0.5) and {most} [at "
    "0.99](#lab=truncation&memory=0.99); the LSTM "
    "needs {lstm} [at a forget gate of 0.9](#lab=truncation&cell=lstm).",
)
def windows():
    def needs(**settings):
        window, angle = lab("truncation", **settings).drawn["angle"]
        return int(window[np.flatnonzero(angle >= 10)[-1] + 1])

    return {
        "steps": int(lab("truncation").drawn["angle"][0].max()),
        "nine": needs(),
        "five": needs(memory=0.5),
        "most": needs(memory=0.99),
        "lstm": needs(cell="lstm"),
    }


@says(
    "chapters/04",
    "Over three steps the news arrives in this network: between {low:.0f} and {high:.0f} "
    "per cent of the norm.",
)
def three_steps():
    shares = numbers(kept("chapters/04", "c08-three-steps").replace("k = 1", ""))[1::2]
    return {"low": min(shares), "high": max(shares)}


@says("chapters/04", "The forget gate is open here, at {f:.5f}.")
@says("chapters/04", "open the forget gate to {f:.5f}.")
def open_gate():
    return {"f": sigmoid(np.float64(10))}


@says("chapters/04", "run for {steps} steps, with the loss $(\\sigma(a_{{50}}) - 0.7)^2$.")
def the_cliff():
    w, b = (path[0] for path in lab("clipping").drawn["free"])
    a, steps = 0.5, 50
    for _ in range(steps):
        a = w * sigmoid(np.float64(a)) + b
    assert np.isclose((sigmoid(a) - 0.7) ** 2, lab("clipping").drawn["free-loss"][1][0], rtol=1e-12)
    return {"steps": steps}
