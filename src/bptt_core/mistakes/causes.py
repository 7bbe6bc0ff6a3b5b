"""Why inputs cannot tell mistakes apart: change one thing about them, and see whether they can."""

import numpy as np

from bptt_core.mistakes.lockstep import gradients

__all__ = ["causes"]


def causes(search, findings):
    """What about the inputs makes these findings give the same: ("T = B = 3", "h_0 = 0"), …"""
    if len(findings) < 2:
        return ()
    programs = [search.program(*finding.mistakes) for finding in findings]
    return tuple(
        text for text, inputs in _changed(search) if _differ(search.listing, programs, *inputs)
    )


def _differ(listing, programs, params, arguments, dh, names):
    found = gradients(listing, params, arguments, dh, programs, names)
    flat = np.hstack([v.reshape(len(programs), -1) for v in found.values()])
    return (np.abs(flat - flat[0]).max(axis=1) > 1e-6 * np.abs(flat).max())[1:].any()


def _changed(search):
    """(what is so, the inputs if it were not) for all that is special about the inputs."""
    rng = np.random.default_rng(0)
    params, arguments, dh = search.params, search.arguments, search.dh
    names = list(search.given)
    (T, B, H), D = dh.shape, params.W_xh.shape[1]
    everything = [name for name in params._fields if getattr(params, name) is not None]
    if names != everything:
        given = " and ".join(f"d{name}" for name in names)
        yield (
            f"{given} {'is' if len(names) == 1 else 'are'} all that was given",
            (params, arguments, dh, everything),
        )
    states = [name for name, value in arguments.items() if np.shape(value) == (B, H)]
    for name in states:
        if not arguments[name].any():
            random = arguments | {name: rng.standard_normal((B, H))}
            yield f"{name} = 0", (params, random, dh, names)
    losses = np.flatnonzero(dh.any(axis=(1, 2))) + 1
    if len(losses) < T or (dh == dh[0]).all():
        alike = "all steps have the same dh"
        few = f"only step {losses[0]} has a loss" if len(losses) == 1 else "some steps have no loss"
        text = alike if (dh == dh[0]).all() else few
        yield text, (params, arguments, rng.standard_normal(dh.shape), names)
    b = params.b_h
    if b is not None and (b == b[0]).all():
        yield (
            "all biases are equal",
            (params._replace(b_h=rng.standard_normal(b.shape)), arguments, dh, names),
        )
    W = params.W_hh.reshape(-1, H, H)
    if np.allclose(W, W.mT):
        yield (
            "W_hh is symmetric",
            (params._replace(W_hh=rng.standard_normal(params.W_hh.shape)), arguments, dh, names),
        )
    longer = arguments | {"x": np.concatenate([arguments["x"], rng.standard_normal((1, B, D))])}
    more = np.concatenate([dh, rng.standard_normal((1, B, H))])
    wider = {
        name: np.concatenate([value, rng.standard_normal((1, H))])
        for name, value in arguments.items()
        if name in states
    }
    wider = (
        arguments
        | wider
        | {"x": np.concatenate([arguments["x"], rng.standard_normal((T, 1, D))], axis=1)}
    )
    also = np.concatenate([dh, rng.standard_normal((T, 1, H))], axis=1)
    if T == B:
        yield f"T = B = {T}", (params, wider, also, names)
    else:
        yield f"T = {T}", (params, longer, more, names)
        yield f"B = {B}", (params, wider, also, names)
