"""Sentences of chapter 4."""

import re

import numpy as np

from bptt_core import gradient_flow, jacobians, lstm, rnn
from bptt_core.activations import sigmoid
from bptt_core.follow import roads
from bptt_core.labs import cliff, windows
from bptt_core.labs._words import fit
from bptt_core.labs.families import split
from bptt_core.studies import long_gradient
from prose import kept, lab, made, numbers, pages, says, whole

PATHS = "#lab=paths&forget_bias=3&scale"


def share(**settings):
    return re.search(r"through the cell alone is ([\d.]+)\s*%", lab("paths", **settings).sentence)[
        1
    ]


@says(
    "chapters/04",
    "[As the figure opens](#lab=paths), the cell's path carries {one:.0f} % of the "
    "gradient after one step. "
    "After sixteen its share is {sixteen} %: the {{part}}`other gates <through-gates>` took over.",
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
    f"In that of the figure the share is {{a}} % [at a twentieth]({PATHS}=0.05) of the usual size, "
    f"{{b}} % [at half]({PATHS}=0.5), {{c}} % [at the usual one]({PATHS}=1) and {{d}} % [at "
    f"twice]({PATHS}=2):",
)
def not_step_by_step():
    at = [share(forget_bias=3, scale=scale) for scale in (0.05, 0.5, 1, 2)]
    return dict(zip("abcd", at, strict=True))


@says(
    "chapters/04",
    "In {n} random networks with a forget bias of 3 its share after 16 steps has the median "
    "{a:.2f} at a twentieth of the usual size, {b:.2f} at half of it and {c:.2f} at twice.",
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


@says(
    "chapters/04",
    "After twenty steps there are $3.36 \\cdot 10^{{13}}$, and every further step multiplies their "
    "number by nearly five.",
)
def number_of_paths():
    c, h = 1, 1
    for _ in range(20):
        c, h = c + 3 * h, c + 4 * h
    assert f"{c:.2e}" == "3.36e+13"
    assert 4.5 < (c + 3 * h) / c < 5
    return {}


@says(
    "chapters/04",
    "In these networks, {units} units with recurrent weights twice the usual size and a forget "
    "bias of 1, ten steps back, its norm is with tanh a sixth of the gradient's, in the median.",
)
def a_sixth():
    line = kept("chapters/04", "c32-not-the-worst-case").splitlines()[1]
    assert line.startswith("tanh")
    assert round(1 / numbers(line)[-1]) == 6
    source = pages()["chapters/04"].read_text(encoding="utf-8")
    units = re.search(r"init_params\(3, (\d+), rng, scale=2.0, forget_bias=1.0\)", source)[1]
    assert "explicit_path(p, run, dh)[10], lstm.backward(p, run, {12: dh}).c[2]" in source
    return {"units": units}


@says("chapters/04", "From the loss there are {n} ways,")
def ways_from_the_loss():
    return {"n": len(roads.PATHS)}


@says("chapters/04", "(These are networks of {units} units.)")
def units_of_the_two_hundred():
    source = pages()["chapters/04"].read_text(encoding="utf-8")
    return {"units": re.search(r"init_params\(4, (\d+), np.random.default_rng\(s\)", source)[1]}


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
    "[As the figure opens](#lab=clipping), the step over the edge has a gradient of {edge:.2f} and "
    "falls: the loss goes from {above:.3f} to {below:.3f}. The next one climbs back, to "
    "{back:.3f}. There the gradient is {size:.0f}, and without clipping one step throws the "
    "weights to $w = {w:.2f}$, $b = {b:.2f}$. There the ground is flat, and the descent never "
    "comes back: the loss stands at {loss:.3f} to the end.",
)
@says(
    "chapters/04",
    "Its last {n} losses lie anywhere between {low:.0f} and {high:.2f}; their median is "
    "{median:.3f}, their mean {mean:.3f}, hardly below the unclipped end.",
)
def off_the_cliff():
    drawn = lab("clipping").drawn
    (w, b), loss = drawn["free"], drawn["free-loss"][1]
    jump = np.hypot(np.diff(w), np.diff(b))
    assert jump[jump.argmax()] > 30 * np.sort(jump)[-2]  # one step
    landed = jump.argmax() + 1
    *_, sizes = cliff.descend(w[:1], b[:1], 0.1, np.inf)
    edge, size = sizes[0][[landed - 3, landed - 1]]
    late, clipped = loss[landed:], drawn["clipped-loss"][1][-20:]
    assert np.ptp(late) < 1e-3
    assert 0.9 < clipped.mean() / late[-1] < 1
    assert (
        np.hypot(np.diff(drawn["clipped"][0]), np.diff(drawn["clipped"][1])).max()
        <= 0.1 * 0.2 + 1e-9
    )
    return {
        "edge": edge,
        "above": loss[landed - 3],
        "below": loss[landed - 2],
        "back": loss[landed - 1],
        "size": size,
        "w": w[landed],
        "b": b[landed],
        "loss": late[-1],
        "n": len(clipped),
        "low": clipped.min(),
        "high": clipped.max(),
        "median": np.median(clipped),
        "mean": clipped.mean(),
    }


def cliff_settings():
    """Start, threshold and rate of every setting of the lab: (w, b, threshold, rate), each (n,)."""
    grid = made("clipping").grid
    mesh = np.meshgrid(*(grid[key] for key in ("w", "b", "threshold", "rate")), indexing="ij")
    return [part.ravel().astype(float) for part in mesh]


@says(
    "chapters/04",
    "Without clipping it leaves the picture from {left} of the {starts} starts and rates of the "
    "figure; clipped at {short} or shorter, from none.",
)
def out_of_the_picture():
    w, b, threshold, rate = cliff_settings()
    short = threshold <= 0.5
    starts = threshold == threshold[0]  # each start and rate once
    free, clipped = (cliff.descend(w, b, rate, at) for at in (np.inf, threshold))
    assert not cliff.outside(*clipped[:2])[short].any()
    left = cliff.outside(*free[:2]).any(-1)
    return {"left": left[starts].sum(), "starts": starts.sum(), "short": threshold[short].max()}


@says(
    "chapters/04",
    "And much hangs on the draw: from $a_0 = 0$ the same descent stays near the cliff without "
    "clipping, and has the lower median, {free:.3f} against {clipped:.3f}.",
)
def another_start_of_the_state():
    """By hand, with the slopes of the loop's own lines."""

    def descend(threshold):
        w, b = (path[0] for path in lab("clipping").drawn["free"])
        losses = []
        for _ in range(51):
            a, da = 0.0, np.zeros(2)
            for _ in range(50):
                s = sigmoid(np.float64(a))
                a, da = w * s + b, np.array([s, 1.0]) + w * s * (1 - s) * da
            s = sigmoid(a)
            losses.append((s - 0.7) ** 2)
            gradient = 2 * (s - 0.7) * s * (1 - s) * da
            w, b = (w, b) - 0.1 * gradient * min(1, threshold / np.linalg.norm(gradient))
            assert not cliff.outside(w, b)
        return np.median(losses[-20:])

    return {"free": descend(np.inf), "clipped": descend(0.2)}


@says(
    "chapters/04",
    "Of {steps} steps the RNN needs {nine} [at a factor of 0.9](#lab=truncation), {five} "
    "[at 0.5](#lab=truncation&memory=0.5) and {most} [at "
    "0.99](#lab=truncation&memory=0.99); the LSTM "
    "needs {lstm} [at a forget gate of 0.9](#lab=truncation&cell=lstm).",
)
def windows_needed():
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
    "from $a_0 = \\tfrac12$, run for {steps} steps, with the loss $(\\sigma(a_{{50}}) - 0.7)^2$.",
)
def the_cliff():
    w, b = (path[0] for path in lab("clipping").drawn["free"])
    a, steps = 0.5, 50
    for _ in range(steps):
        a = w * sigmoid(np.float64(a)) + b
    assert np.isclose((sigmoid(a) - 0.7) ** 2, lab("clipping").drawn["free-loss"][1][0], rtol=1e-12)
    return {"steps": steps}


@says("chapters/04", "against the arrows; in brackets one way from $h_3$ to $c_1$:")
def each_family_is_shown_by_one_of_its_paths():
    text = whole(pages()["chapters/04"])
    text = text[text.index("## All the paths, in four families") :]
    told = re.findall(r"- \{part\}`([a-z ]+) <[a-z-]+>`:.*?\((\$h_3[^)]*\$)\)", text)
    assert [name for name, _ in told] == list(roads.FAMILIES)
    for name, way in told:
        path = ("L", *way.strip("$").split(", "))
        assert path in roads.PATHS and roads.family(path) == name
    said = {name: [path for path in roads.PATHS if roads.family(path) == name] for name, _ in told}
    for path in said["output only"]:  # an output gate at every step, a cell at the very end
        assert [node[0] for node in path[1:]] == ["h", "o", "h", "o", "h", "c"]
    assert not any("o" in "".join(path) for path in said["cell only"] + said["through gates"])
    assert all("o" in "".join(path) for path in said["output only"] + said["mixed"])
    return {}


@says("chapters/04", "As a forget bias that is $\\ln(k+1)$: {bias:.2f} for twenty steps.")
def as_a_bias():
    for k in (5, 20, 100):
        assert np.isclose(sigmoid(np.log(k + 1.0)), (k + 1) / (k + 2), rtol=1e-14)
    return {"bias": np.log(21)}


@says(
    "chapters/04",
    "If every step adds as much, $c_{{j-1}}$ is a sum of powers of $f$, and for twenty steps back "
    "to $c_j$ the best gate lies nearer to 1: {a:.3f} at $j = 20$, {b:.3f} at $j = 50$, {c:.3f} at "
    "$j = 200$.",
)
def an_open_gate_fills_the_cell():
    f = np.linspace(0.9, 0.9999, 99_991)

    def best(j):
        content = sum(f**m for m in range(j - 1))  # c_{j−1}, from c_0 = 0
        return f[(f**20 * f * (1 - f) * content).argmax()]

    found = [best(j) for j in (20, 50, 200)]
    assert 21 / 22 < found[0] < found[1] < found[2] < 1
    return dict(zip("abc", found, strict=True))


@says("chapters/04", "As drawn, at the usual size, the norm is about {norm}.")
def norm_as_drawn():
    drawn = [lstm.init_params(4, 64, np.random.default_rng(seed)) for seed in range(200)]
    norms = np.linalg.norm([params.W_ho for params in drawn], 2, axis=(1, 2))
    assert 1.7 < norms.min() < norms.max() < 2.3
    return {"norm": round(np.median(norms))}


@says(
    "chapters/04",
    "So with a forget bias of 0 an LSTM of {units} units begins to explode at four to five times "
    "the usual size.",
)
def all_gates_together():
    lines = kept("chapters/04", "c-all-gates-grow").splitlines()
    grown = {int(row[0]): row[3] for row in map(numbers, lines)}
    assert grown[1] == grown[2] == 0 and 40 < grown[4] < 160 and min(grown[5], grown[6]) > 190
    source = pages()["chapters/04"].read_text(encoding="utf-8")
    return {"units": re.search(r"W_hh = rng.standard_normal\(\(n, 4 \* (\d+), \1\)\)", source)[1]}


@says(
    "chapters/04",
    "with a loss at each of {steps} steps, windows of {window} take {back} steps back, where the "
    "whole gradient takes {steps}.",
)
def steps_back():
    steps, window = 30, 10
    return {"steps": steps, "window": window, "back": sum(min(t, window) for t in range(1, 31))}


@says("chapters/04", "and a loss looks back to the start of its chunk, 1 to $k$ steps.")
def chunks_take_as_many_steps_back():
    k = 7
    assert [t % k + 1 for t in range(k)] == list(range(1, k + 1))
    params = rnn.init_params(2, 3, np.random.default_rng(0))
    cache = rnn.forward(params, np.ones((20, 1, 2)))
    dh = np.random.default_rng(1).standard_normal((20, 1, 3))
    chunks = sum_of_chunks(rnn, params, cache, dh, k)
    # the same as a window of its own for each loss, as long as its place in the chunk
    each = [
        gradient_flow.truncated_backward(params, cache, {t + 1: dh[t]}, t % k + 1)
        for t in range(20)
    ]
    assert np.allclose(chunks, sum(windows._flat(one.params, 1) for one in each), rtol=1e-12)
    return {}


def sum_of_chunks(cell, params, cache, dh, k):
    """The gradient that `detach` every k steps gives, as one vector for each network."""
    total = 0
    for start in range(0, len(dh), k):
        states = [getattr(cache, name)[start] for name in ("h", "c")[: 1 + (cell is lstm)]]
        chunk = cell.forward(params, cache.x[start : start + k], *states)
        gradient = cell.backward(params, chunk, dh[start : start + k]).params
        total = total + windows._flat(gradient, params.W_hh.shape[0] if params.W_hh.ndim > 2 else 1)
    return total


STEPS, NETWORKS = 60, 200


def random_networks(cell):
    """200 networks as those of the lab, each with a factor per step of its own."""
    rng = np.random.default_rng(0)
    x, dh = 0.3 * rng.standard_normal((STEPS, 1, 3)), rng.standard_normal((STEPS, NETWORKS, 1, 8))
    look = {"orthogonal": True} if cell is rnn else {"scale": 0.5, "forget_bias": 0}
    drawn = [cell.init_params(3, 8, np.random.default_rng(s), **look) for s in range(NETWORKS)]
    W_xh, W_hh = (np.stack([getattr(p, name) for p in drawn]) for name in ("W_xh", "W_hh"))
    factor = rng.uniform(0.5, 0.95 if cell is rnn else 0.9, NETWORKS)
    if cell is rnn:
        return rnn.Params(W_xh, factor[:, None, None] * W_hh), x, dh
    b_h = np.repeat([0, 1, 0, 0], 8) * np.log(factor / (1 - factor))[:, None]
    return lstm.Params(W_xh, W_hh, b_h), x, dh


def degrees(one, other):
    cosine = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def turned(cell):
    """(half-life (n,), angle at windows 1 … 30 (30, n), angle of chunks of 20 (n,))."""
    params, x, dh = random_networks(cell)
    cache = cell.forward(params, x)
    whole_one = windows._flat(cell.backward(params, cache, dh).params, NETWORKS)
    cut = [gradient_flow.truncated_backward(params, cache, dh, w).params for w in range(1, 31)]
    angles = np.stack([degrees(windows._flat(each, NETWORKS), whole_one) for each in cut])
    curves = gradient_flow.norm_curve(params, cache)[..., 0].T
    half_life = gradient_flow.half_life(np.array([fit(curve).factor for curve in curves]))
    chunks = degrees(sum_of_chunks(cell, params, cache, dh, 20), whole_one)
    return half_life, angles, chunks


@says(
    "chapters/04",
    "In {n} random RNNs over {steps} steps, with a loss at each, three half-lives kept the "
    "gradient within 10° in {three:.0f} %, two in {two:.0f} %; in {m} LSTMs whose gradient halves "
    "within ten steps, in {three_l:.0f} % and {two_l:.0f} %. With `detach` the first losses of a "
    "chunk see nearly nothing: cut every 20 steps, the gradients of the same RNNs turn by "
    "{chunk:.0f}° in the median, where a window of 20 turns them by less than 0.1°.",
)
def three_half_lives():
    found = {"n": NETWORKS, "steps": STEPS}
    for cell, mark in ((rnn, ""), (lstm, "_l")):
        half_life, angles, chunks = turned(cell)
        slow = half_life < STEPS / 6
        for name, many in (("two", 2), ("three", 3)):
            window = np.ceil(many * half_life[slow]).astype(int)
            within = angles[:, slow][window - 1, np.arange(slow.sum())] < 10
            found[f"{name}{mark}"] = 100 * within.mean()
        if cell is rnn:
            assert slow.all() and np.median(angles[19]) < 0.1
            found["chunk"] = np.median(chunks)
        else:
            found["m"] = slow.sum()
    return found


@says(
    "chapters/04",
    "in every setting of the figure by less than 90°: {low:.0f}° to {high:.0f}° at a window of one "
    "step. So a small enough step still lowers the loss.",
)
def never_the_other_way():
    grid = made("truncation").grid
    factors, one = np.array(grid["memory"]), []
    for cell in grid["cell"]:
        for loss in grid["loss"]:
            for length in grid["length"]:
                angles, _ = windows.truncated(cell, loss, int(length), factors)
                assert angles.max() < 90
                one.append(angles[:, 0])
    return {"low": np.min(one), "high": np.max(one)}


@says(
    "chapters/04",
    "cut after one step, an LSTM learns to add. Temporal order over {length} steps takes more: "
    "with a forget bias of 1 it was learnt by none of {n} LSTMs cut after one step, by {ten} cut "
    "after ten, and by all {n} with the whole gradient.",
)
def what_the_long_part_teaches():
    (adding,) = long_gradient.rows("atlas", task="adding", length=30, cell="LSTM 1", window=1)
    assert adding["k"] == adding["n"] == 20
    one, ten, all_of_it = (
        long_gradient.rows("atlas", task="order", length=20, cell="LSTM 1", window=window)[0]
        for window in (1, 10, None)
    )
    assert one["k"] == 0 and all_of_it["k"] == all_of_it["n"] == ten["n"] == one["n"]
    return {"length": 20, "n": one["n"], "ten": ten["k"]}
