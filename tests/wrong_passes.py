"""Backward passes that are wrong in ways a student finds, each written by hand and with no look at `mistakes`.

They were written before the families of `mistakes` were, from the question "what would I do wrong?", and none is taken
from a list of known mistakes. `RNN` and `LSTM` hold the names. The passes share no code with the package: they read
its caches, where row t − 1 of the gates belongs to step t, and row t of h and c.
"""

import numpy as np

RNN = {
    "the slope again on the way back",
    "dW_hh from dh instead of da",
    "dW_xh from dh instead of da",
    "db_h from dh instead of da",
    "h two steps back in dW_hh",
    "h itself for the slope",
    "one plus h squared",
    "one minus h, squared",
    "minus two h",
    "only the diagonal of W_hh",
    "carry averaged over the batch",
    "carry halved",
    "losses summed up to the step",
    "overwritten instead of added",
    "dh of the step before",
    "h_0 taken for zero",
    "batch summed before the outer product",
    "time summed before the outer product",
    "db_h averaged over the batch at each step and not summed",
    "carry minus",
    "carry through the slope of the step after",
    "weights decay",
    "runs forward in time",
    "slope of the mean state",
}
LSTM = {
    "the cell's gradient without what is carried",
    "tau with the cell before",
    "tau with the slope at c",
    "i in da_i for g",
    "g in da_g for i",
    "f in da_f for c",
    "da_o with o for tanh c",
    "da_o with the cell before",
    "da_o with the slope of tanh",
    "da_i from dh",
    "da_f from dh",
    "da_g from dh",
    "cell carried by i",
    "cell carried by o",
    "cell carried by f and i",
    "cell carried by the slope of f",
    "cell carried whole",
    "no way back through gate i",
    "no way back through gate f",
    "no way back through gate g",
    "way back through gate o alone",
    "tanh slope at gate i",
    "tanh slope at every gate",
    "sigmoid slope in tau",
    "tau from this step's loss alone",
    "da_o from this step's loss alone",
    "c_0 taken for zero",
    "the cell two steps back in da_f",
    "cell in dW_hh for the state",
    "dW_hf the wrong way round",
    "cell's gradient accumulates",
    "slope of f at the step before",
    "i of the step before in da_g",
    "tanh c of the step before in da_o",
    "f's slope squared",
    "W_xh's gates in the order of Keras",
    "candidate's slope forgotten in a product with i squared",
    "dW_hh with this step's h for the output gate",
    "state's gradient also carried by o",
    "tanh squared for one minus tanh squared",
}


def rnn_pass(params, cache, dh, wrong):
    """The gradient of a tanh RNN's parameters, wrong in one way."""
    x, h, W = cache.x, cache.h, params.W_hh
    T, B, _ = x.shape
    dW_xh, dW_hh, db_h = (np.zeros_like(array) for array in params)
    if wrong == "losses summed up to the step":
        dh = np.cumsum(dh, axis=0)
    back = np.zeros_like(dh[0])
    all_da = 0
    order = range(T) if wrong == "runs forward in time" else range(T - 1, -1, -1)
    for t in order:
        slope = 1 - h[t + 1] ** 2
        if wrong == "h itself for the slope":
            slope = h[t + 1]
        if wrong == "one plus h squared":
            slope = 1 + h[t + 1] ** 2
        if wrong == "one minus h, squared":
            slope = (1 - h[t + 1]) ** 2
        if wrong == "minus two h":
            slope = -2 * h[t + 1]
        if wrong == "slope of the mean state":
            slope = 1 - h[t + 1].mean(0) ** 2
        if wrong == "dh of the step before":
            total = (dh[t - 1] if t > 0 else 0) + back
        else:
            total = dh[t] + back
        da = total * slope
        if wrong == "overwritten instead of added":
            dW_xh, dW_hh, db_h = da.T @ x[t], da.T @ h[t], da.sum(0)
        else:
            for_hh = total if wrong == "dW_hh from dh instead of da" else da
            before = h[t]
            if wrong == "h two steps back in dW_hh":
                before = h[t - 1] if t > 0 else np.zeros_like(h[0])
            if wrong == "h_0 taken for zero" and t == 0:
                before = np.zeros_like(h[0])
            if wrong == "batch summed before the outer product":
                dW_hh += np.outer(da.sum(0), before.sum(0))
                dW_xh += np.outer(da.sum(0), x[t].sum(0))
            else:
                dW_hh += for_hh.T @ before
                dW_xh += (total if wrong == "dW_xh from dh instead of da" else da).T @ x[t]
            db_h += (total if wrong == "db_h from dh instead of da" else da).sum(0)
        if wrong == "db_h averaged over the batch at each step and not summed":
            db_h = da.mean(0)
        if wrong == "the slope again on the way back":
            back = (da * slope) @ W
        elif wrong == "only the diagonal of W_hh":
            back = da * np.diag(W)
        elif wrong == "carry averaged over the batch":
            back = np.repeat((da @ W).mean(0, keepdims=True), B, 0)
        elif wrong == "carry halved":
            back = (da @ W) / 2
        elif wrong == "carry minus":
            back = -(da @ W)
        elif wrong == "carry through the slope of the step after":
            back = (total * (1 - h[min(t + 2, T)] ** 2)) @ W
        else:
            back = da @ W
        all_da = all_da + da
    if wrong == "time summed before the outer product":
        dW_hh = all_da.T @ h[:-1].sum(0)
        dW_xh = all_da.T @ x.sum(0)
    if wrong == "weights decay":
        dW_xh, dW_hh = dW_xh + params.W_xh, dW_hh + params.W_hh
    return type(params)(dW_xh, dW_hh, db_h)


def lstm_pass(params, cache, dh, wrong):
    """The gradient of an LSTM's parameters, wrong in one way."""
    x, h, c = cache.x, cache.h, cache.c
    T = len(x)
    H = h.shape[2]
    dW_xh, dW_hh, db_h = (np.zeros_like(array) for array in params)
    back = np.zeros_like(dh[0])
    cell = np.zeros_like(dh[0])
    for t in range(T - 1, -1, -1):
        i, f, g, o = cache.i[t], cache.f[t], cache.g[t], cache.o[t]
        s = np.tanh(c[t + 1])
        s_before = np.tanh(c[t])
        own = dh[t]
        total = own + back
        tau = o * (1 - s**2)
        if wrong == "tau with the cell before":
            tau = o * (1 - s_before**2)
        if wrong == "tau with the slope at c":
            tau = o * (1 - c[t + 1] ** 2)
        if wrong == "sigmoid slope in tau":
            tau = o * s * (1 - s)
        if wrong == "tanh squared for one minus tanh squared":
            tau = o * s**2
        memory = cell + (own if wrong == "tau from this step's loss alone" else total) * tau
        if wrong == "the cell's gradient without what is carried":
            memory = total * tau
        if wrong == "cell's gradient accumulates":
            memory = cell * (1 + f) + total * tau
        c_before = c[t]
        if wrong == "c_0 taken for zero" and t == 0:
            c_before = 0 * c_before
        if wrong == "the cell two steps back in da_f":
            c_before = c[t - 1] if t > 0 else 0 * c_before
        di, df, dg, do = memory * g, memory * c_before, memory * i, total * s
        if wrong == "i in da_i for g":
            di = memory * i
        if wrong == "g in da_g for i":
            dg = memory * g
        if wrong == "f in da_f for c":
            df = memory * f
        if wrong == "da_o with o for tanh c":
            do = total * o
        if wrong == "da_o with the cell before":
            do = total * s_before
        if wrong == "da_o with the slope of tanh":
            do = total * (1 - s**2)
        if wrong == "da_i from dh":
            di = total * g
        if wrong == "da_f from dh":
            df = total * c_before
        if wrong == "da_g from dh":
            dg = total * i
        if wrong == "da_o from this step's loss alone":
            do = own * s
        if wrong == "i of the step before in da_g":
            dg = memory * (cache.i[t - 1] if t > 0 else 0)
        if wrong == "tanh c of the step before in da_o" and t == 0:
            do = 0 * do
        elif wrong == "tanh c of the step before in da_o":
            do = total * s_before
        slope_i, slope_f, slope_g, slope_o = i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)
        if wrong == "tanh slope at gate i":
            slope_i = 1 - i**2
        if wrong == "tanh slope at every gate":
            slope_i, slope_f, slope_o = 1 - i**2, 1 - f**2, 1 - o**2
        if wrong == "slope of f at the step before":
            before = cache.f[t - 1] if t > 0 else 0 * f
            slope_f = before * (1 - before)
        if wrong == "f's slope squared":
            slope_f = slope_f**2
        da_i, da_f, da_g, da_o = di * slope_i, df * slope_f, dg * slope_g, do * slope_o
        if wrong == "candidate's slope forgotten in a product with i squared":
            da_g = memory * i**2
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        if wrong == "W_xh's gates in the order of Keras":  # i, f, c, o here; i, f, o, c in the array
            dW_xh += np.concatenate([da_i, da_f, da_o, da_g], axis=1).T @ x[t]
        else:
            dW_xh += da.T @ x[t]
        if wrong == "cell in dW_hh for the state":
            dW_hh += da.T @ c[t]
        elif wrong == "dW_hf the wrong way round":
            parts = [da_i.T @ h[t], h[t].T @ da_f, da_g.T @ h[t], da_o.T @ h[t]]
            dW_hh += np.concatenate(parts)
        elif wrong == "dW_hh with this step's h for the output gate":
            dW_hh += np.concatenate([da[:, : 3 * H].T @ h[t], da_o.T @ h[t + 1]])
        else:
            dW_hh += da.T @ h[t]
        db_h += da.sum(0)
        ways = [d @ W for d, W in zip(np.split(da, 4, 1), np.split(params.W_hh, 4), strict=True)]
        for k, gate in enumerate("ifg"):
            if wrong == f"no way back through gate {gate}":
                ways[k] = 0
        if wrong == "way back through gate o alone":
            ways = ways[3:]
        back = sum(ways)
        if wrong == "state's gradient also carried by o":
            back = back + total * o
        keep = {
            "cell carried by i": i,
            "cell carried by o": o,
            "cell carried by f and i": f * i,
            "cell carried by the slope of f": f * (1 - f),
            "cell carried whole": 1,
        }.get(wrong, f)
        cell = memory * keep
    return type(params)(dW_xh, dW_hh, db_h)
