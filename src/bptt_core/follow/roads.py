"""The roads of a small LSTM, from its loss back to a cell: which there are, and what each carries.

One unit rests at c = ½ with f = ½ and τ = ½, so that a step's two roads through the cell carry ½
and ¼ w_g, as in the two-path cell of the slides (`C09`, `C10`). Here tanh(c) is not zero, and the
output gate's weight counts as well. The loss is 2 h_T: a change of c_T counts once.

`network`  the cell at n settings
`edges`    what each arrow of the graph carries: its immediate derivative
`PATHS`    every path from L back to c_1 for T = 3; `family` names what kind it is
"""

import numpy as np

from bptt_core import lstm

T, LOSS = 3, 2.0
C = F = TAU = 0.5
G = np.sqrt(2) - 1  # so that i g = ½ c and i (1 − g²) = ½ at once
REST = {"i": 0.25 / G, "f": F, "g": G, "o": TAU / (1 - np.tanh(C) ** 2)}
OPEN = 0.1  # what the roads via f and via i carry where they are open
FAMILIES = ("cell only", "through gates", "output only", "mixed")


def network(roads, w_g, w_o, steps=T):
    """The cell with recurrent weights w_g and w_o, each (n,): (parameters, cache).

    roads  "g": the weights of f and i are zero; "all": each of their roads carries 0.1"""
    i, f, g, o = REST.values()
    h = o * np.tanh(C)
    share = OPEN if roads == "all" else 0.0
    w_i, w_f = share / (g * i * (1 - i) * TAU), share / (C * f * (1 - f) * TAU)
    w = np.stack(np.broadcast_arrays(w_i, w_f, w_g, w_o), -1)
    at_rest = np.array([np.log(i / (1 - i)), 0, np.arctanh(g), np.log(o / (1 - o))])
    params = lstm.Params(np.zeros((len(w), 4, 1)), w[..., None], at_rest - w * h)
    one = np.ones((1, 1))
    return params, lstm.forward(params, np.zeros((steps, 1, 1)), h * one, C * one)


def edges(params, cache):
    """{(from, to): ∂⁺ of the one by the other, (n,)} against the arrows, from L back to c_1."""
    c, s = cache.c[..., 0, 0], cache.s[..., 0, 0]
    gate = {name: cache.gates[..., 0, k, 0] for k, name in enumerate("ifgo")}
    by_h = {
        name: (1 - gate[name] ** 2 if name == "g" else gate[name] * (1 - gate[name]))
        * params.W_hh[:, k, 0]
        for k, name in enumerate("ifgo")
    }
    found = {("L", f"h_{T}"): np.full(c.shape[1], LOSS)}
    for t in range(T, 0, -1):
        found[f"h_{t}", f"c_{t}"] = gate["o"][t - 1] * (1 - s[t - 1] ** 2)
        if t == 1:
            break
        into = {"f": c[t - 1], "i": gate["g"][t - 1], "g": gate["i"][t - 1], "o": s[t - 1]}
        found[f"c_{t}", f"c_{t - 1}"] = gate["f"][t - 1]
        for name, factor in into.items():
            found[f"{'h' if name == 'o' else 'c'}_{t}", f"{name}_{t}"] = factor
            found[f"{name}_{t}", f"h_{t - 1}"] = by_h[name][t - 1]
    return found


def _paths():
    """Every path as its nodes, the straightest first."""
    onward = {}
    for a, b in edges(*network("g", np.zeros(1), np.zeros(1))):
        onward.setdefault(a, []).append(b)
    found, waiting = [], [("L",)]
    while waiting:
        path = waiting.pop(0)
        if path[-1] == "c_1":
            found.append(path)
        waiting += [(*path, node) for node in onward.get(path[-1], ())]
    return sorted(found, key=lambda path: (FAMILIES.index(family(path)), len(path)))


def family(path):
    """Which of `jacobians.PathFamilies` a path belongs to."""
    letters = {node[0] for node in path[1:]}
    if "o" not in letters:
        return "through gates" if letters & set("ifg") else "cell only"
    inside = [node for node in path if node[0] == "c"]
    return "output only" if inside == ["c_1"] else "mixed"


def along(path):
    """The edges of a path."""
    return list(zip(path[:-1], path[1:], strict=True))


PATHS = _paths()


def products(factors, paths=None):
    """What each path carries, (paths, n)."""
    return np.stack(
        [np.prod([factors[edge] for edge in along(path)], axis=0) for path in paths or PATHS]
    )
