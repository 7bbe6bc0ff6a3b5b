"""Backward passes that are wrong in ways a student finds, written with no look at `mistakes`.

`RNN` and `LSTM` name those that were written before the families of `mistakes` were, from the
question "what would I do wrong?"; none was on any list. `LISTED_RNN` and `LISTED_LSTM` name those
that an audit of the first `diagnose` found unnamed. The passes share no code with the package: they
read its caches, where row t − 1 of the gates belongs to step t, and row t of h and c.
"""

import numpy as np

RNN = """
    the slope again on the way back · dW_hh from dh instead of da · dW_xh from dh instead of da
    db_h from dh instead of da · h two steps back in dW_hh · h itself for the slope
    one plus h squared · one minus h, squared · minus two h · only the diagonal of W_hh
    carry averaged over the batch · carry halved · losses summed up to the step
    overwritten instead of added · dh of the step before · h_0 taken for zero
    batch summed before the outer product · time summed before the outer product
    db_h averaged over the batch at each step and not summed · carry minus
    carry through the slope of the step after · weights decay · runs forward in time
    slope of the mean state
"""
LISTED_RNN = """
    db not filled · slope of h_{t−1} · 1 − a² · x shifted · sign · divided by B · divided by T
    divided by TB · doubled · slope on the loss only · carry without slope · last loss only
    carry accumulates · dh counted twice · one short at the start · one short at the end
    h (1 − h) for tanh · clipped · not transposed and h_t · truncated at 3 · db of the last step
    one sequence only · reversed and no slope
"""
LSTM = """
    the cell's gradient without what is carried · tau with the cell before
    tau with the slope at c · i in da_i for g · g in da_g for i · f in da_f for c
    da_o with o for tanh c · da_o with the cell before · da_o with the slope of tanh
    da_i from dh · da_f from dh · da_g from dh · cell carried by i · cell carried by o
    cell carried by f and i · cell carried by the slope of f · cell carried whole
    no way back through gate i · no way back through gate f · no way back through gate g
    way back through gate o alone · tanh slope at gate i · tanh slope at every gate
    sigmoid slope in tau · tau from this step's loss alone · da_o from this step's loss alone
    c_0 taken for zero · the cell two steps back in da_f · cell in dW_hh for the state
    dW_hf the wrong way round · cell's gradient accumulates · slope of f at the step before
    i of the step before in da_g · tanh c of the step before in da_o · f's slope squared
    W_xh's gates in the order of Keras · candidate's slope forgotten and i squared
    dW_hh with this step's h for the output gate · state's gradient also carried by o
    tanh squared for one minus tanh squared
"""
LISTED_LSTM = """
    dc not carried · dh not carried · o missing in tau · order i, f, o, g · order g, i, f, o
    da_o from dc · c_t for c_{t−1} · dc carried by f_{t−1} · dc carried without dh's part
    i and g exchanged · σ slope at the candidate · h for tanh(c) in da_o · c for tanh(c) in da_o
    sign · divided by B · divided by T · 1 − f for f (1 − f) · W_hi for W_hf · clipped
    db not filled · 1 − g at g only · o (1 − h²) · h_t and no slope at f
"""
RNN, LISTED_RNN, LSTM, LISTED_LSTM = (
    [name.strip() for name in text.strip().replace("\n", "·").split("·")]
    for text in (RNN, LISTED_RNN, LSTM, LISTED_LSTM)
)


def rnn_pass(params, cache, dh, wrong):
    """The gradient of a tanh RNN's parameters, wrong in one way; "" is the right one."""
    x, h, W = cache.x, cache.h, params.W_hh
    T, B, _ = x.shape
    dh = {
        "losses summed up to the step": np.cumsum(dh, axis=0),
        "reversed and no slope": dh[::-1],
        "last loss only": dh * (np.arange(T) == T - 1)[:, None, None],
    }.get(wrong, dh)
    a = x @ params.W_xh.T + h[:-1] @ W.T + params.b_h
    dW_xh, dW_hh, db_h = (np.zeros_like(array) for array in params)
    back, all_da = np.zeros_like(dh[0]), 0
    for t in range(T) if wrong == "runs forward in time" else range(T - 1, -1, -1):
        y = h[t + 1]
        right = 1 - y**2
        slope = {
            "h itself for the slope": y,
            "one plus h squared": 1 + y**2,
            "one minus h, squared": (1 - y) ** 2,
            "minus two h": -2 * y,
            "slope of the mean state": 1 - y.mean(0) ** 2,
            "slope of h_{t−1}": 1 - h[t] ** 2,
            "1 − a²": 1 - a[t] ** 2,
            "h (1 − h) for tanh": y * (1 - y),
            "reversed and no slope": np.ones_like(y),
        }.get(wrong, right)
        total = {
            "dh of the step before": (dh[t - 1] if t else 0) + back,
            "dh counted twice": 2 * dh[t] + back,
            "one short at the end": (dh[t] if t < T - 1 else 0 * dh[t]) + back,
        }.get(wrong, dh[t] + back)
        da = dh[t] * slope + back if wrong == "slope on the loss only" else total * slope
        before = {
            "h two steps back in dW_hh": h[t - 1] if t else 0 * h[0],
            "h_0 taken for zero": h[t] if t else 0 * h[0],
            "not transposed and h_t": y,
        }.get(wrong, h[t])
        x_t = (x[t - 1] if t else 0 * x[0]) if wrong == "x shifted" else x[t]
        counted = {
            "one short at the start": da if t else 0 * da,
            "truncated at 3": da if t >= T - 3 else 0 * da,
            "one sequence only": da * np.eye(B, 1),
        }.get(wrong, da)
        all_da = all_da + da
        for_hh, for_xh, for_b = (
            total if wrong == f"{name} from dh instead of da" else counted
            for name in ("dW_hh", "dW_xh", "db_h")
        )
        if wrong == "overwritten instead of added":
            dW_xh, dW_hh, db_h = 0 * dW_xh, 0 * dW_hh, 0 * db_h
        if wrong == "batch summed before the outer product":
            dW_xh += np.outer(da.sum(0), x[t].sum(0))
            dW_hh += np.outer(da.sum(0), before.sum(0))
        else:
            dW_xh += for_xh.T @ x_t
            dW_hh += for_hh.T @ before
        db_h = {
            "db_h averaged over the batch at each step and not summed": da.mean(0),
            "db of the last step": da.sum(0) if t == T - 1 else db_h,
            "db not filled": db_h,
        }.get(wrong, db_h + for_b.sum(0))
        back = {
            "the slope again on the way back": (da * slope) @ W,
            "only the diagonal of W_hh": da * np.diag(W),
            "carry averaged over the batch": np.repeat((da @ W).mean(0, keepdims=True), B, 0),
            "carry halved": (da @ W) / 2,
            "carry minus": -(da @ W),
            "carry through the slope of the step after": total * (1 - h[min(t + 2, T)] ** 2) @ W,
            "carry without slope": total @ W,
            "carry accumulates": back + da @ W,
            "not transposed and h_t": da @ W.T,
        }.get(wrong, da @ W)
    if wrong == "time summed before the outer product":
        dW_xh, dW_hh = all_da.T @ x.sum(0), all_da.T @ h[:-1].sum(0)
    if wrong == "weights decay":
        dW_xh, dW_hh = dW_xh + params.W_xh, dW_hh + params.W_hh
    return type(params)(*_scaled((dW_xh, dW_hh, db_h), wrong, T, B))


def lstm_pass(params, cache, dh, wrong):
    """The gradient of an LSTM's parameters, wrong in one way; "" is the right one."""
    x, h, c = cache.x, cache.h, cache.c
    T, B, H = dh.shape
    W_i, W_f, W_g, W_o = np.split(params.W_hh, 4)
    dW_xh, dW_hh, db_h = (np.zeros_like(array) for array in params)
    back, cell = np.zeros_like(dh[0]), np.zeros_like(dh[0])
    for t in range(T - 1, -1, -1):
        i, f, g, o = cache.i[t], cache.f[t], cache.g[t], cache.o[t]
        s, s_before = np.tanh(c[t + 1]), np.tanh(c[t])
        own, total = dh[t], dh[t] if wrong == "dh not carried" else dh[t] + back
        tau = {
            "tau with the cell before": o * (1 - s_before**2),
            "tau with the slope at c": o * (1 - c[t + 1] ** 2),
            "sigmoid slope in tau": o * s * (1 - s),
            "tanh squared for one minus tanh squared": o * s**2,
            "o missing in tau": 1 - s**2,
            "o (1 − h²)": o * (1 - h[t + 1] ** 2),
        }.get(wrong, o * (1 - s**2))
        memory = {
            "tau from this step's loss alone": cell + own * tau,
            "the cell's gradient without what is carried": total * tau,
            "dc not carried": total * tau,
            "cell's gradient accumulates": cell * (1 + f) + total * tau,
        }.get(wrong, cell + total * tau)
        c_before = {
            "c_0 taken for zero": c[t] if t else 0 * c[t],
            "the cell two steps back in da_f": c[t - 1] if t else 0 * c[t],
            "c_t for c_{t−1}": c[t + 1],
            "f in da_f for c": f,
        }.get(wrong, c[t])
        for_i = g if wrong not in ("i in da_i for g", "i and g exchanged") else i
        for_g = {
            "g in da_g for i": g,
            "i and g exchanged": g,
            "i of the step before in da_g": cache.i[t - 1] if t else 0 * i,
        }.get(wrong, i)
        for_o = {
            "da_o with o for tanh c": o,
            "da_o with the cell before": s_before,
            "da_o with the slope of tanh": 1 - s**2,
            "tanh c of the step before in da_o": s_before if t else 0 * s,
            "h for tanh(c) in da_o": h[t + 1],
            "c for tanh(c) in da_o": c[t + 1],
        }.get(wrong, s)
        up_i, up_f, up_g = (
            total if wrong == f"da_{gate} from dh" else memory for gate in ("i", "f", "g")
        )
        up_o = {
            "da_o from this step's loss alone": own,
            "da_o from dc": memory,
        }.get(wrong, total)
        f_before = cache.f[t - 1] if t else 0 * f
        tanh_slopes = wrong == "tanh slope at every gate"
        slope_i = 1 - i**2 if tanh_slopes or wrong == "tanh slope at gate i" else i * (1 - i)
        slope_o = 1 - o**2 if tanh_slopes else o * (1 - o)
        slope_f = {
            "tanh slope at every gate": 1 - f**2,
            "slope of f at the step before": f_before * (1 - f_before),
            "f's slope squared": (f * (1 - f)) ** 2,
            "1 − f for f (1 − f)": 1 - f,
            "h_t and no slope at f": np.ones_like(f),
        }.get(wrong, f * (1 - f))
        slope_g = {
            "σ slope at the candidate": g * (1 - g),
            "1 − g at g only": 1 - g,
            "candidate's slope forgotten and i squared": i,
        }.get(wrong, 1 - g**2)
        da_i, da_f = up_i * for_i * slope_i, up_f * c_before * slope_f
        da_g, da_o = up_g * for_g * slope_g, up_o * for_o * slope_o
        orders = {
            "order i, f, o, g": [da_i, da_f, da_o, da_g],
            "order g, i, f, o": [da_g, da_i, da_f, da_o],
        }
        da = np.concatenate(orders.get(wrong, [da_i, da_f, da_g, da_o]), axis=1)
        keras = np.concatenate([da_i, da_f, da_o, da_g], axis=1)
        dW_xh += (keras if wrong == "W_xh's gates in the order of Keras" else da).T @ x[t]
        now, later = da.T @ h[t], da.T @ h[t + 1]
        dW_hh += {
            "cell in dW_hh for the state": da.T @ c[t],
            "dW_hf the wrong way round": np.concatenate([now[:H], now[H : 2 * H].T, now[2 * H :]]),
            "dW_hh with this step's h for the output gate": np.concatenate(
                [now[: 3 * H], later[3 * H :]]
            ),
            "h_t and no slope at f": later,
        }.get(wrong, now)
        db_h = db_h if wrong == "db not filled" else db_h + da.sum(0)
        ways = [da_i @ W_i, da_f @ W_f, da_g @ W_g, da_o @ W_o]
        kept = {
            "no way back through gate i": ways[1:],
            "no way back through gate f": [ways[0], *ways[2:]],
            "no way back through gate g": [*ways[:2], ways[3]],
            "way back through gate o alone": ways[3:],
            "W_hi for W_hf": [ways[0], da_f @ W_i, *ways[2:]],
            "state's gradient also carried by o": [*ways, total * o],
        }.get(wrong, ways)
        back = sum(kept)
        cell = {
            "cell carried by i": memory * i,
            "cell carried by o": memory * o,
            "cell carried by f and i": memory * f * i,
            "cell carried by the slope of f": memory * f * (1 - f),
            "cell carried whole": memory,
            "dc carried by f_{t−1}": memory * f_before,
            "dc carried without dh's part": cell * f,
        }.get(wrong, memory * f)
    return type(params)(*_scaled((dW_xh, dW_hh, db_h), wrong, T, B))


def _scaled(gradients, wrong, T, B):
    """What is done to all gradients in the end."""
    if wrong == "clipped":
        limit = 0.5 * max(np.abs(array).max() for array in gradients)
        return [np.clip(array, -limit, limit) for array in gradients]
    factors = {"sign": -1, "divided by B": 1 / B, "divided by T": 1 / T, "doubled": 2}
    factors["divided by TB"] = 1 / (T * B)
    return [factors.get(wrong, 1) * array for array in gradients]
