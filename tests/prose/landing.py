"""Sentences of the landing page and the README."""

import numpy as np
import yaml
from lab_claims import states

from prose import ROOT, lab, says


@says(
    "README.md",
    "stand in a ledger, {entries} entries, each with a verdict. Behind {run} of them "
    "something runs;",
)
@says(
    "book/intro.md",
    "stand in a [ledger](claims.md) of {entries} entries, each with a verdict. Behind "
    "{run} of them something runs;",
)
def ledger():
    entries = yaml.safe_load((ROOT / "book" / "claims.yml").read_text(encoding="utf-8"))
    assert all(entry["verdict"] for entry in entries)
    return {"entries": len(entries), "run": sum(bool(entry.get("evidence")) for entry in entries)}


@says("README.md", "The sources contain dozens of slips;")
def dozens():
    entries = yaml.safe_load((ROOT / "book" / "claims.yml").read_text(encoding="utf-8"))
    assert sum(entry["verdict"] in ("slip", "wrong") for entry in entries) >= 48
    return {}


@says(
    "book/intro.md",
    "[as the figure opens](#lab=eigenvalues-linear), both eigenvalues are inside, "
    "and the gradient first grows {peak:.1f}-fold by lag {at}.",
)
def grows_first():
    state = lab("eigenvalues_linear")
    assert np.hypot(*state.drawn["pair"]).max() < 1
    lags, norm = state.drawn["gradient"]
    assert norm[-1] < 1
    return {"peak": norm.max(), "at": int(lags[(norm > (1 - 1e-6) * norm.max()).argmax()])}


@says(
    "book/intro.md",
    "Open the angle between the eigenvectors [to 90°](#lab=eigenvalues-linear&between=90) "
    "and the growth is gone.",
)
def no_growth():
    assert (np.diff(lab("eigenvalues_linear", between=90).drawn["gradient"][1]) < 0).all()
    return {}


@says(
    "book/intro.md",
    "Outside the circle the gradient explodes. On it, the gradient neither dies nor explodes. "
    "Inside, it dies in the end.",
)
def circle():
    """In every state of the lab the norm lies between ρ^k and a multiple of ρ^k."""
    for state in states("eigenvalues_linear"):
        lags, norm = state.drawn["gradient"]
        swing = norm / state.settings["radius"] ** lags
        assert 1 - 1e-9 < swing.min()
        assert swing.max() < 1.001 / np.tan(np.deg2rad(state.settings["between"]) / 2) + 1
    return {}
