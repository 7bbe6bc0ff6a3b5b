"""The cells, written line by line as their equations read: an unrolled `Derivation` of each."""

import sympy as sp

from bptt_core.derivations.symbols import SQUASH, one_of, sigmoid
from bptt_core.derivations.unrolled import Derivation

__all__ = ["gru", "lstm", "rnn"]


def rnn(
    n=1,
    T=3,
    *,
    loss="squared_error",
    inputs=1,
    outputs=1,
    activation="tanh",
    bias=True,
    steps=None,
    reduction="sum",
):
    """Unroll h_t = φ(W_xh x_t + W_hh h_{t−1} + b_h), y_t = W_hy h_t + b_y, L = Σ_t L_t.

    n, T              units (1 or 2) and steps (1 to 3); `inputs` and `outputs` are the sizes of x_t
                      and y_t (1 to 3)
    loss              "squared_error" or "softmax_cross_entropy" (targets are distributions)
    activation        "tanh", "sigmoid" or "identity"
    steps, reduction  where there is a loss: None (every step), "last" or 1-based steps; their "sum"
                      or "mean"
    ValueError: a size beyond these, an unknown name."""
    phi = SQUASH[one_of("activation", activation, SQUASH)]
    d = Derivation(("h", "h", ()), n, T, loss, inputs, outputs, bias, steps, reduction)
    for t in range(1, T + 1):
        a = d.let(t, "a", d.affine(t, "h"))
        d.states.append(d.let(t, "h", a.applyfunc(phi)))
    return d.read_out()


def lstm(
    n=1,
    T=3,
    *,
    loss="squared_error",
    inputs=1,
    outputs=1,
    squash="tanh",
    forget_gate=True,
    bias=True,
    steps=None,
    reduction="sum",
):
    """Unroll the LSTM of `D-eq11`–`D-eq16`; arguments as for `rnn`,
    with `squash` of candidate and cell."""
    phi = SQUASH[one_of("squash", squash, SQUASH)]
    d = Derivation(("ifgo", "hc", ()), n, T, loss, inputs, outputs, bias, steps, reduction)
    c = d.leaves["c_0"]
    for t in range(1, T + 1):
        a = {gate: d.let(t, f"a_{gate}", d.affine(t, gate)) for gate in "ifgo"}
        gates = {
            gate: d.let(t, gate, a[gate].applyfunc(phi if gate == "g" else sigmoid))
            for gate in "ifgo"
        }
        kept = c.multiply_elementwise(gates["f"]) if forget_gate else c
        c = d.let(t, "c", kept + gates["i"].multiply_elementwise(gates["g"]))
        s = d.let(t, "s", c.applyfunc(phi))
        d.states.append(sp.Matrix.vstack(d.let(t, "h", gates["o"].multiply_elementwise(s)), c))
    return d.read_out()


def gru(
    n=1,
    T=3,
    *,
    loss="squared_error",
    inputs=1,
    outputs=1,
    reset="after",
    bias=True,
    steps=None,
    reduction="sum",
):
    """Unroll the GRU h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t−1}; arguments as for `rnn`,
    with the place of the reset gate.

    reset  "after": n_t = tanh(W_xn x_t + b_n + r_t ∘ (W_hn h_{t−1} + b_hn))
           "before": n_t = tanh(W_xn x_t + b_n + W_hn (r_t ∘ h_{t−1}) + b_hn)
    ValueError: a size beyond these, an unknown name."""
    one_of("reset", reset, ("after", "before"))
    d = Derivation(("rzn", "h", ("b_hn",)), n, T, loss, inputs, outputs, bias, steps, reduction)
    W_hn = d.leaves["W_hn"]
    b_hn = d.leaves.get("b_hn", sp.zeros(n, 1))
    for t in range(1, T + 1):
        h_prev = d.state(t - 1)
        r, z = (
            d.let(t, gate, d.let(t, f"a_{gate}", d.affine(t, gate)).applyfunc(sigmoid))
            for gate in "rz"
        )
        if reset == "after":
            m = d.let(t, "m", W_hn * h_prev + b_hn)
            from_state = r.multiply_elementwise(m)
        else:
            from_state = W_hn * r.multiply_elementwise(h_prev) + b_hn
        a_n = d.let(t, "a_n", d.from_input(t, "n") + from_state)
        candidate = d.let(t, "n", a_n.applyfunc(sp.tanh))
        new = (sp.ones(n, 1) - z).multiply_elementwise(candidate)
        d.states.append(d.let(t, "h", new + z.multiply_elementwise(h_prev)))
    return d.read_out()
