"""What the core is measured against: other implementations of the same computation, and its bare
matrix products."""

import numpy as np

from bptt_core import lstm


def same(right, found, what):
    """Raise unless a peer's parameter gradients are the core's: only equal work may be compared."""
    tolerance = 1e-8 if right.W_hh.dtype == np.float64 else 2e-3
    for name in ("W_xh", "W_hh", "b_h"):
        a, b = (
            getattr(right, name),
            np.asarray(found[name] if isinstance(found, dict) else getattr(found, name)),
        )
        if np.abs(a - b).max() > tolerance * np.abs(a).max():
            raise AssertionError(
                f"{what}: gradients of {name} differ by {np.abs(a - b).max() / np.abs(a).max():.1e}"
            )


def products_alone(shape, cell, dtype):
    """The matrix products of a forward and a backward pass, and nothing else."""
    (T, B, D, H), rng = shape, np.random.default_rng(0)
    N = 4 * H if cell == "LSTM" else H

    def random(*size):
        return rng.standard_normal(size).astype(dtype)

    x, h, a, W_x, W_h = (
        random(T * B, D),
        random(T, B, H),
        random(T, B, N),
        random(D, N),
        random(H, N),
    )
    W_xT, W_hT = np.ascontiguousarray(W_x.T), np.ascontiguousarray(W_h.T)
    a_rows, h_rows, one_a, one_h, all_a = (
        a.reshape(-1, N),
        h.reshape(-1, H),
        random(B, N),
        random(B, H),
        random(T * B, N),
    )

    def run():
        np.matmul(x, W_x, out=all_a)
        for h_t in h:
            h_t.dot(W_h, out=one_a)
        for a_t in a:
            a_t.dot(W_hT, out=one_h)
        return h_rows.T @ a_rows, x.T @ a_rows, a_rows @ W_xT

    return run


def textbook(params, x, dh):
    """As it is taught: [h, x] concatenated at each step, one matrix per gate, outer products added
    step by step."""
    return (
        _textbook_lstm(params, x, dh)
        if isinstance(params, lstm.Params)
        else _textbook_rnn(params, x, dh)
    )


def _textbook_rnn(params, x, dh):
    W, b, H = np.concatenate([params.W_hh, params.W_xh], axis=-1), params.b_h, params.W_hh.shape[-1]

    def run():
        h, inputs = [np.zeros_like(dh[0])], []
        for x_t in x:
            inputs.append(np.concatenate([h[-1], x_t], axis=1))
            h.append(np.tanh(inputs[-1] @ W.T + b))
        dW, db, dh_next, dx = (
            np.zeros_like(W),
            np.zeros_like(b),
            np.zeros_like(h[0]),
            np.zeros_like(x),
        )
        for t in reversed(range(len(x))):
            da = (1 - h[t + 1] ** 2) * (dh[t] + dh_next)
            dW += da.T @ inputs[t]
            db += da.sum(0)
            back = da @ W
            dh_next, dx[t] = back[:, :H], back[:, H:]
        return {"W_hh": dW[:, :H], "W_xh": dW[:, H:], "b_h": db}

    return run


def _textbook_lstm(params, x, dh):
    H = params.W_hh.shape[-1]
    W = {gate: np.ascontiguousarray(getattr(params, f"W_{gate}")) for gate in lstm.GATES}
    b = {gate: getattr(params, f"b_{gate}") for gate in lstm.GATES}

    def sigma(a):
        return 1 / (1 + np.exp(-a))

    def run():
        h, c, kept = np.zeros_like(dh[0]), np.zeros_like(dh[0]), []
        for x_t in x:
            hx = np.concatenate([h, x_t], axis=1)
            i, f, o = (sigma(hx @ W[gate].T + b[gate]) for gate in "ifo")
            g = np.tanh(hx @ W["g"].T + b["g"])
            c_prev, c = c, f * c + i * g
            s = np.tanh(c)
            h = o * s
            kept.append((hx, i, f, g, o, c_prev, s))
        dW, db = (
            {gate: np.zeros_like(W[gate]) for gate in W},
            {gate: np.zeros_like(b[gate]) for gate in b},
        )
        dh_next, dc_next, dx = np.zeros_like(h), np.zeros_like(h), np.zeros_like(x)
        for t in reversed(range(len(x))):
            hx, i, f, g, o, c_prev, s = kept[t]
            dh_t = dh[t] + dh_next
            dc = dc_next + dh_t * o * (1 - s**2)
            da = {
                "i": dc * g * i * (1 - i),
                "f": dc * c_prev * f * (1 - f),
                "g": dc * i * (1 - g**2),
            }
            da["o"] = dh_t * s * o * (1 - o)
            back = 0
            for gate, da_gate in da.items():
                dW[gate] += da_gate.T @ hx
                db[gate] += da_gate.sum(0)
                back = back + da_gate @ W[gate]
            dh_next, dx[t], dc_next = back[:, :H], back[:, H:], dc * f
        joined = np.concatenate([dW[gate] for gate in lstm.GATES])
        return {
            "W_hh": joined[:, :H],
            "W_xh": joined[:, H:],
            "b_h": np.concatenate([db[gate] for gate in lstm.GATES]),
        }

    return run


def torch_module(params, x, dh):
    """torch.nn.RNN or torch.nn.LSTM and autograd, on one thread."""
    import torch

    torch.set_num_threads(1)
    kind = torch.nn.LSTM if isinstance(params, lstm.Params) else torch.nn.RNN
    x, dh = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dh)
    module = kind(x.shape[-1], dh.shape[-1], dtype=x.dtype)
    with torch.no_grad():
        for own, value in zip(
            module.parameters(), (params.W_xh, params.W_hh, params.b_h, 0 * params.b_h), strict=True
        ):
            own.copy_(torch.from_numpy(value))
    wanted = [x, *module.parameters()]

    def run():
        _, W_xh, W_hh, b_h, _ = torch.autograd.grad(module(x)[0], wanted, dh)
        return {"W_xh": W_xh, "W_hh": W_hh, "b_h": b_h}

    return run


def jax_scan(params, x, dh):
    """jax.lax.scan and jax.grad, jitted; the first call compiles and is not counted."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp, is_lstm = jax.numpy, isinstance(params, lstm.Params)

    def loss(weights, x, dh):
        W_xh, W_hh, b_h = weights

        def rnn_step(state, x_t):
            h = jnp.tanh(x_t @ W_xh.T + state[0] @ W_hh.T + b_h)
            return (h, h), h

        def lstm_step(state, x_t):
            h, c = state
            i, f, g, o = jnp.split(x_t @ W_xh.T + h @ W_hh.T + b_h, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        start = jnp.zeros_like(dh[0])
        _, h = jax.lax.scan(lstm_step if is_lstm else rnn_step, (start, start), x)
        return (h * dh).sum()

    gradient, given = (
        jax.jit(jax.grad(loss, argnums=(0, 1))),
        (tuple(params), jnp.asarray(x), jnp.asarray(dh)),
    )

    def run():
        weights, _ = jax.block_until_ready(gradient(*given))
        return dict(zip(("W_xh", "W_hh", "b_h"), weights, strict=True))

    return run


def bare_products(J):
    """J_T J_{T−1} … one after the other."""
    P, out = np.eye(J.shape[-1]), np.empty_like(J[0])
    for J_t in J[::-1]:
        np.matmul(P, J_t, out=out)
        P, out = out, P
    return P


def torch_curves(params, cache):
    """All ‖∂h_T/∂h_k‖ by autograd: a backward pass for each component of h_T, and all components as
    one batch."""
    import torch

    torch.set_num_threads(1)
    W_xh, W_hh, b_h = (torch.from_numpy(value) for value in params)
    x = torch.from_numpy(np.ascontiguousarray(cache.x))
    h = [torch.zeros(1, W_hh.shape[0], dtype=x.dtype, requires_grad=True)]
    for x_t in x:
        h.append(torch.tanh(x_t @ W_xh.T + h[-1] @ W_hh.T + b_h))
    eye = torch.eye(W_hh.shape[0], dtype=x.dtype)

    def norms(rows):
        return [torch.linalg.matrix_norm(row.reshape(len(eye), -1)) for row in rows]

    def one_by_one():
        columns = [torch.autograd.grad(h[-1], h, e[None], retain_graph=True) for e in eye]
        return norms([torch.stack(rows) for rows in zip(*columns, strict=True)])

    def batched():
        return norms(
            torch.autograd.grad(h[-1], h, eye[:, None], retain_graph=True, is_grads_batched=True)
        )

    def one_step_each():
        return norms(
            torch.autograd.grad(
                h[-1], [h_k], eye[:, None], retain_graph=True, is_grads_batched=True
            )[0]
            for h_k in h
        )

    found = {"torch, a pass for each component": one_by_one, "torch, batched": batched}
    return found if len(h) > 200 else found | {"torch, batched, a pass for each lag": one_step_each}


def torch_lyapunov(params, cache):
    """The Lyapunov spectrum by autograd: the Jacobian of every step, then QR."""
    import torch

    torch.set_num_threads(1)
    W_xh, W_hh, b_h = (torch.from_numpy(value) for value in params)
    x, h = (
        torch.from_numpy(np.ascontiguousarray(value)) for value in (cache.x[:, 0], cache.h[:-1, 0])
    )

    def run():
        Q, total = torch.eye(len(b_h), dtype=h.dtype), torch.zeros(len(b_h), dtype=h.dtype)
        for x_t, h_t in zip(x, h, strict=True):
            J = torch.autograd.functional.jacobian(
                lambda s, x_t=x_t: torch.tanh(W_xh @ x_t + W_hh @ s + b_h), h_t
            )
            Q, R = torch.linalg.qr(J @ Q)
            total += R.diagonal().abs().log()
        return total / len(x)

    return run
