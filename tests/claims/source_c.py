"""The networks of source C's tests: those of chapter 4, drawn in its order, and 200 wide ones.
Its LSTM is the core's with squash="sigmoid"; its s and s̃ are c and g."""

from types import SimpleNamespace

import numpy as np
from networks import network, tau

from bptt_core import lstm, rnn


def chapter_4():
    """An RNN of four steps; then a σ-squashed LSTM of 20 steps and six units."""
    rng = np.random.default_rng(5)
    n = SimpleNamespace()
    n.rnn = rnn.init_params(3, 6, rng, scale=1.0)
    n.rnn = n.rnn._replace(b_h=0.3 * rng.standard_normal(6))
    n.rnn_x = rng.standard_normal((4, 1, 3))
    n.rnn_h_0 = rng.standard_normal((1, 6)) / 2
    n.dh_4 = rng.standard_normal((1, 6))
    n.params = lstm.init_params(4, 6, rng, scale=2.0, forget_bias=1.0)
    n.params = n.params._replace(b_h=n.params.b_h + 0.3 * rng.standard_normal(24))
    n.x = rng.standard_normal((20, 1, 4))
    n.h_0, n.c_0 = rng.standard_normal((2, 1, 6)) / 2
    n.cache = lstm.forward(n.params, n.x, n.h_0, n.c_0, squash="sigmoid")
    return n


def wide(seed, **options):
    """200 LSTMs of 16 units, three inputs and 21 steps, and a gradient at the last h of each."""
    rng = np.random.default_rng(seed)
    params, cache = network(rng, 21, 1, 3, 16, grid=(200,), **options)
    return params, cache, rng.standard_normal(cache.h[-1].shape)


def exit_of(cache):
    """o_T φ′(c_T), (*G, B, H)."""
    return cache.o[-1] * cache.squash.df(cache.s[-1])


def t_0(cache, dL, k, t):
    """t_0 with explicit derivatives, for one network: L′ D(o_t ∘ σ′(s_t)) D(f_t) … D(f_{k+1})."""
    return dL @ tau(cache, t) * cache.f[k:t, 0].prod(0)


def t_1_factor(params, cache, t):
    """D(σ(s_t) ∘ o′_t) W_o, one bracket of t_1."""
    o = cache.o[t - 1, 0]
    return (cache.s[t - 1, 0] * o * (1 - o))[:, None] * params.W_ho


def path_weights(params, cache, k, t, node="s"):
    """The product of explicit derivatives along every path from s_k (or h_k) to h_t that is not
    zero, for one unit and one sequence."""
    if k == t and node == "h":
        return [1.0]
    found = []
    if node == "s":
        found += [tau(cache, k)[0, 0] * w for w in path_weights(params, cache, k, t, "h")]
    if k < t:
        i, f, g, o, s_before = (a[k, 0, 0] for a in (cache.i, cache.f, cache.g, cache.o, cache.c))
        if node == "s":
            found += [f * w for w in path_weights(params, cache, k + 1, t, "s")]
        else:
            edges = (
                s_before * f * (1 - f) * params.W_hf,
                g * i * (1 - i) * params.W_hi,
                i * g * (1 - g) * params.W_hg,
            )
            later = path_weights(params, cache, k + 1, t, "s")
            found += [edge[0, 0] * w for edge in edges for w in later]
            through_o = cache.s[k, 0, 0] * o * (1 - o) * params.W_ho[0, 0]
            found += [through_o * w for w in path_weights(params, cache, k + 1, t, "h")]
    return [w for w in found if w]
