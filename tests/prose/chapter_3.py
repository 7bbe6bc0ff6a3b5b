"""Sentences of chapter 3: what its labs and the stored studies show."""

import ast
import json
import re

import numpy as np
import pytest

from bptt_core import lstm, rnn
from bptt_core.labs.forgetting import remembered
from bptt_core.studies import first_letter, random_networks
from bptt_core.studies import long_gradient as study
from prose import kept, lab, numbers, pages, power, says

GATE = "#lab=forget-gate"


def questions():
    """All that the questions of the chapter ask and say."""
    cells = json.loads(pages()["chapters/03"].read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    nodes = [node for text in sources if "ask." in text for node in ast.walk(ast.parse(text))]
    return "\n".join(
        node.value for node in nodes if isinstance(node, ast.Constant) and type(node.value) is str
    )


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
    f"of {{n}} random pairs the LSTM's in {{zero}}. [At bias 1]({GATE}&forget_bias=1) it is "
    f"{{one}}, [at bias 3]({GATE}) all of them.",
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
    "together about {lstm:.1f} of the gradient is left a step. An RNN's factor moves with its "
    "weights and its inputs. A letter is a small input: tanh stays steep, and the RNN keeps about "
    "{rnn:.1f}.",
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
    "{units} units, {updates} updates, the whole gradient. (Optimiser, batches and clipping are "
    "those of chapter 2, which has these counts too.) A network *has learnt* the task when it is "
    "right on more than {share:.0f}% of {fresh} new rows; guessing is right on a quarter.",
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
    "On a long way the handle must start open. At bias 0 an LSTM learns no first letter of thirty; "
    "at bias 3 all of {n} do.",
)
def all_of_twenty():
    of = {"task": "letter, first", "window": None, "length": 30}
    (shut,), (row,) = (study.rows("atlas", cell=f"LSTM {bias}", **of) for bias in (0, 3))
    assert shut["k"] == 0 and row["k"] == row["n"]
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


# What a gate given as 0.953 leaves


@says("chapters/03", "A bias of 0 gives one step, a bias of 5 gives a hundred.")
def the_gate_as_it_is_given():
    """The reader who takes the three digits of the question, and follows its hint, is right."""
    asked = questions()
    given = float(re.search(r"a gate stands at σ\(3\) = (\d\.\d+)", asked)[1])
    assert given == round(1 / (1 + np.exp(-3)), 3)
    hint = re.search(r"ln (\d\.\d+) = −(\d\.\d+)", asked)
    assert float(hint[1]) == given and f"{-np.log(given):.4f}" == hint[2]
    assert f"also=[{given}**29, 0.25]" in pages()["chapters/03"].read_text(encoding="utf-8")
    assert abs(np.exp(-29 * float(hint[2])) - given**29) < 0.0005
    return {}


# Which of the two keeps less depends on the weights they start with


def at_the_end(scale, x_seed=0, n=200):
    """What arrives from the first of 30 letters in n RNNs and n LSTMs at bias 0, by complex step:
    no code is shared with the chapter but the forward passes."""
    x = np.random.default_rng(x_seed).integers(0, 4, 30)
    x = np.c_[np.eye(4)[x], np.arange(30) == 0][:, None]
    kept = {rnn: [], lstm: []}
    for seed in range(n):
        for cell in kept:
            more = {} if cell is rnn else {"forget_bias": 0.0}
            p = cell.init_params(5, 16, np.random.default_rng(seed), scale=scale, **more)
            kept[cell].append(gain(cell, p, x))
    return np.array(kept[rnn]), np.array(kept[lstm])


def gain(cell, p, x):
    """The largest gain from the state after the first step to the last one."""
    first, size = cell.forward(p, x[:1]), 16
    tiny = 1e-30j * np.eye(size)
    rest = np.repeat(x[1:], size, axis=1)
    if cell is rnn:
        moved = rnn.forward(p, rest, first.h[1] + tiny).h[-1]
    else:
        c = first.c[1] + tiny
        moved = lstm.forward(p, rest, first.o[0] * np.tanh(c), c).c[-1]
    return np.linalg.norm(moved.imag / 1e-30, 2)


@says(
    "chapters/03",
    "At {small} of their size, which is what PyTorch draws by default for both networks, the RNN "
    "keeps less. At {even} it is even.",
)
def the_initial_weights_decide():
    small = round(float(1 / np.sqrt(3)), 2)  # the deviation of U(-1/√H, 1/√H), times √H
    shares = {}
    for scale in (small, 0.8, 1.0):
        plain, gated = at_the_end(scale)
        shares[scale] = np.mean(gated < plain)
    assert shares[small] < 0.1 and 0.35 < shares[0.8] < 0.65 and shares[1.0] > 0.8
    return {"small": small, "even": 0.8}


@says(
    "chapters/03",
    "Before training, with weights of spectral radius near 1, bias 0 even keeps less of a letter's "
    "gradient than a plain RNN.",
)
def the_spectral_radius():
    draws = [rnn.init_params(5, 16, np.random.default_rng(seed)).W_hh for seed in range(200)]
    assert 0.9 < np.median([abs(np.linalg.eigvals(W)).max() for W in draws]) < 1.2
    return {}


# The bias, the gradient, and what training does to the gate


@says(
    "chapters/03",
    "after {early} updates the first of thirty letters is known by {cut} of {n}, where it was by "
    "{whole} of {n}, and after all {updates} by {late}.",
)
def cut_off_after_ten_steps():
    (cut,), (whole,) = (
        study.rows("atlas", task="letter, first", length=30, cell="LSTM 3", window=window)
        for window in (10, None)
    )
    early = 400
    known = [sum(update <= early for update in row["updates"]) for row in (cut, whole)]
    more = {"early": early, "n": cut["n"], "updates": study.UPDATES, "late": cut["k"]}
    return {"cut": known[0], "whole": known[1]} | more


def opened(length):
    (row,) = study.rows("gates", length=length)
    return row


@says(
    "chapters/03",
    "Each line is {n} LSTMs with bias 0 that learn the first of $T$ letters for {updates} updates:",
)
def how_they_were_watched():
    (how,) = {(n, updates) for part, _, n, updates in study.plan() if part == "gates"}
    return dict(zip(("n", "updates"), how, strict=True))


@says(
    "chapters/03",
    "At ten letters all {n} open their gates, and {learnt} learn the letter. At thirty not "
    "one does, and none learns it.",
)
def who_opens_its_gates():
    short, long = opened(10), opened(30)
    assert short["risen"] == short["n"] == long["n"]
    assert long["k"] == 0
    assert long["trained forget"][1] < long["fresh forget"][1]
    assert long["risen"] == 0
    return {"n": short["n"], "learnt": short["k"]}


@says("chapters/03", "at ten letters in all {n} networks, at thirty in none.")
def where_training_opens_the_gate():
    assert opened(30)["risen"] == 0
    return {"n": opened(10)["n"]}


# Which bias


@says(
    "chapters/03",
    "These are {n} LSTMs of each kind after {updates} updates, on the first of thirty letters:",
)
def those_of_the_lanes():
    assert first_letter.LENGTH == 30
    return {"n": first_letter.NETWORKS, "updates": first_letter.MOMENTS[-1]}


@says(
    "chapters/03",
    "at bias 3 half is left after {half:.0f} of {lag} steps, and {known} of {n} learn.",
)
def half_as_long_was_enough():
    f = 1 / (1 + np.exp(-3))
    right = first_letter.stored()["LSTM 3"]["right"][:, -1]
    known = int((right > first_letter.LEARNT).sum())
    lag = first_letter.LENGTH - 1
    return {"half": np.log(0.5) / np.log(f), "lag": lag, "known": known, "n": len(right)}


@says("chapters/03", "or nearly $\\ln(1.44\\,T)$.")
def nearly():
    T = np.arange(10, 2000)
    f = 0.5 ** (1 / T)
    assert np.abs(np.log(f / (1 - f)) - np.log(1.44 * T)).max() < 0.05
    return {}


@says("chapters/03", "At bias 5 that costs nothing here yet.")
def no_cost_yet():
    right = {b: first_letter.stored()[f"LSTM {b}"]["right"][:, -1] for b in (3, 5)}
    assert (right[5] > first_letter.LEARNT).sum() >= (right[3] > first_letter.LEARNT).sum()
    return {}


@says("chapters/03", "so this sets $b_f$, here for $T = {T}$:")
def in_pytorch():
    """The lines of the chapter, run: they open the forget gate, and no other."""
    torch = pytest.importorskip("torch")
    cells = json.loads(pages()["chapters/03"].read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    code = re.search(r"```python\n(cell = torch.*?)```", text, re.S)[1]
    names = {"torch": torch}
    torch.manual_seed(0)
    fresh = torch.nn.LSTM(5, 16)
    for drawn in fresh.parameters():
        assert 0.2 < drawn.abs().max() <= 1 / np.sqrt(16)  # ±1/√H, biases too
    exec(code, names)
    theirs = names["cell"]
    total = (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach().numpy().reshape(4, 16)
    wanted = float(re.search(r"\] = ([\d.]+)\n", code)[1])
    assert np.allclose(total[1], wanted) and np.abs(np.delete(total, 1, 0)).max() <= 0.5
    x = np.zeros((1, 1, 5), np.float32)
    weights = (w.detach().numpy() for w in (theirs.weight_ih_l0, theirs.weight_hh_l0))
    own = lstm.Params(*weights, total.ravel())
    assert np.allclose(lstm.forward(own, x).f, 1 / (1 + np.exp(-wanted)), atol=1e-6)
    got = theirs(torch.tensor(x))[0].detach().numpy()
    assert np.allclose(lstm.forward(own, x).h[1:], got, atol=1e-6)
    f = 0.5 ** (1 / 30)
    assert round(np.log(f / (1 - f)), 1) == wanted
    return {"T": 30}


# One step, two steps, many


@says("chapters/03", "There it rises with $R$ at the rate $\\lambda' = {rate}$:")
def rate_of_the_root():
    def root(R):
        return np.roots([1, -(1 + R), 0.7 * R]).real.max()

    return {"rate": round((root(1e-6) - root(-1e-6)) / 2e-6, 6)}


@says("chapters/03", "For these numbers the product is 1 exactly, whatever $w_o$ is.")
def the_balance_of_the_box():
    lines = kept("chapters/03", "b44-balanced-truth").splitlines()
    assert len(lines) == 4 and all("four terms 1.000," in line for line in lines)
    assert [w for w, _, true in map(numbers, lines) if true == 1] == [0]
    return {}


@says("chapters/03", "What vanishes is the long-range part of the gradient, not the gradient.")
def three_steps_back():
    """What the question says of 10^−2: three steps back, and not two."""
    rng = np.random.default_rng(3)
    p = rnn.init_params(3, 5, rng, bias=False)
    x, h_0 = rng.standard_normal((20, 1, 3)), rng.uniform(0.2, 0.8, (1, 5))
    run = rnn.forward(p, x, h_0, activation="sigmoid")
    g = rnn.backward(p, run, {20: rng.standard_normal((1, 5))}, per_step=True)
    size = np.linalg.norm(g.per_step.W_hh, axis=(1, 2)) / np.linalg.norm(g.params.W_hh)
    assert "Three steps back it is still about a hundredth." in questions()
    assert 0.008 < size[-4] < 0.015 and size[-3] > 0.03
    return {}


@says("chapters/03", "Gradient descent lowers the loss. It does not look for large gradients.")
def how_often_a_gate_opens():
    """The counts of the question, from the kept output: fewer than half, beyond chance."""
    rises, n, *_ = numbers(kept("chapters/03", "b46-no-steering"))
    assert (rises - n / 2) / np.sqrt(n / 4) < -3
    assert f"In {rises / n:.0%}".replace("%", " %") in questions()
    return {}
