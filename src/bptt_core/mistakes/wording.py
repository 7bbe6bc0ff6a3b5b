"""Pieces of the passes' code in words."""

import re

__all__ = ["SLOPE", "VALUE", "said", "target", "the_factor"]

VALUE = re.compile(r"(\w)\[t( - 1)?\]")  # i[t], c[t - 1]
SLOPE = re.compile(r"(\w+)\.df\((\w)\[t\]\)")  # sigma.df(i[t])


def said(text):
    """A term or a factor.

    >>> said("dh_next"), said("da_f @ W_hf"), said("dc_t * c[t - 1] * sigma.df(f[t])")
    ('what comes back to h_t', 'W_hfᵀ da_f', 'dc_t ∘ c_{t−1} ∘ (slope at f_t)')
    """
    if text == "dh[t]":
        return "the loss's own gradient of h_t"
    if match := re.fullmatch(r"d(\w)_next", text):
        return f"what comes back to {match[1]}_t"
    if match := re.fullmatch(r"d(\w)_t", text):
        return f"the total gradient of {match[1]}_t"
    if match := SLOPE.fullmatch(text):
        return f"the slope at {match[2]}_t"
    text = SLOPE.sub(r"(slope at \2_t)", text)
    text = re.sub(r"(\w+) @ (\w+)", r"\2ᵀ \1", text)
    text = text.replace("[t - 1]", "_{t−1}").replace("[t]", "_t")
    return text.replace(" * ", " ∘ ").replace(" - ", " − ")


def the_factor(text):
    """A factor with its article.

    >>> the_factor("g[t]"), the_factor("sigma.df(i[t])")
    ('the factor g_t', 'the slope at i_t')
    """
    return said(text) if SLOPE.fullmatch(text) else f"the factor {said(text)}"


def target(name):
    """What a line computes.

    >>> target("dh_next"), target("dh_t"), target("da_f")
    ('what is sent back to h_{t−1}', 'the total gradient of h_t', 'da_f')
    """
    match = re.fullmatch(r"d(\w)_next", name)
    return f"what is sent back to {match[1]}_{{t−1}}" if match else said(name)
