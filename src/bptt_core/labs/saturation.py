"""Lab 2: the edge of chaos, where the gradient of a random tanh network starts to grow."""

from functools import cache

import numpy as np

from bptt_core import plotting
from bptt_core.explorer import Choice, Explorer, Frame, Slider
from bptt_core.studies import random_networks

RADII = np.array(random_networks.RADII)
TOP = 1.35  # the upper end of the axis of factors
GROWS, SHRINKS = 0.9, 0.1  # shares of the networks from which on a word is said
TICKS = {0.5: "halves", 0.75: "loses a\nquarter", 1: "keeps", 1.25: "gains a\nquarter"}


@cache
def stored(units, drive):
    """{name: values over the radius} of 200 networks at one size of the input."""
    rows = [
        row
        for row in random_networks.stored()["edge"]
        if row["units"] == int(units) and row["drive"] == drive
    ]
    factor = np.array([row["factor"] for row in rows])
    found = dict(zip(("low", "middle", "high"), factor.T, strict=True))
    return found | {key: np.array([row[key] for row in rows]) for key in ("passes", "grows")}


def nearest(values, asked):
    """Numbers of the values that are nearest to those asked for: only these were run."""
    return np.abs(np.asarray(values)[:, None] - asked).argmin(0)


def edge_flow(units, radius, drive):
    drives = [random_networks.DRIVES[i] for i in nearest(random_networks.DRIVES, drive)]
    rows = [stored(units, size) for size in drives]
    found = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    i = nearest(RADII, radius)
    at = {key: values[np.arange(len(i)), i] for key, values in found.items()}
    x = RADII[i][:, None]
    both = np.r_[RADII, RADII[::-1]]
    positions = {
        "band": (both, np.concatenate([found["low"], found["high"][:, ::-1]], -1)),
        "middle": (RADII, found["middle"]),
        "here": (x, at["middle"][:, None]),
        "passes": (RADII, found["passes"]),
        "needed": (RADII, 1 / RADII),
        "here-passes": (x, at["passes"][:, None]),
    }
    cases = zip(RADII[i], drives, *(at[key] for key in ("middle", "grows", "passes")), strict=True)
    return Frame(positions, [_say(units, *case) for case in cases])


def _say(units, radius, drive, middle, grows, passes):
    n = random_networks.NETWORKS
    word = "*it depends on the draw*"
    if grows >= GROWS * n:
        word = "*chaos, small changes grow*"
    elif grows <= SHRINKS * n:
        word = "*the gradient vanishes*"
    most = "more than" if passes * radius >= 1 else "less than"
    shares = [f"{100 * share:.1f}\u00a0%" for share in (passes, 1 / radius)]
    if shares[0] == shares[1]:
        most = "as much as"
    return (
        f"ρ\u00a0=\u00a0{radius:.1f} and input {drive:g}: of {n} networks with {units} units the "
        f"gradient grows in {grows}, {word}. In the middle one each step back multiplies it by "
        f"{middle:.2f}. tanh passes {shares[0]} of a change, {most} 1/ρ, {shares[1]}."
    )


def _figures():
    """The factor per step over the spectral radius, and what tanh passes."""
    growth, ax = plotting.figure(3.7, 2.9)
    ax.set(xlim=RADII[[0, -1]], ylim=(0.1, TOP), xlabel="spectral radius ρ of $W_{hh}$")
    ax.set_xticks([0.5, 1, 1.5, 2, 2.5])
    ax.set_title("What a step back does to the gradient")
    ax.set_yticks(list(TICKS), list(TICKS.values()))
    ax.axhline(1, color="gtt:rule", lw=0.8)
    ax.fill([0, 0], [0, 0], facecolor="gtt:gradient", alpha=0.2, lw=0, gid="band")
    ax.plot([], [], color="gtt:gradient", gid="middle")
    ax.plot([], [], "o", color="gtt:gradient", ms=9, gid="here", clip_on=False)
    slopes, side = plotting.figure(3.3, 2.9)
    side.set(xlim=RADII[[0, -1]], ylim=(0, 1.05), xlabel="spectral radius ρ of $W_{hh}$")
    side.set(title="How much of a change tanh passes", yticks=[0, 0.5, 1])
    side.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    side.plot([], [], "--", color="gtt:bound", gid="needed")
    side.plot([], [], color="gtt:forward", gid="passes")
    side.plot([], [], "o", color="gtt:forward", ms=7, gid="here-passes", clip_on=False)
    for gid, name, colour in (("needed", "1/ρ", "bound"), ("passes", "passes", "forward")):
        plotting.label(side, 1, 0.5, name, colour, gid=f"{gid}.name")
    return [growth, slopes]


@plotting.style()
def eigenvalues_tanh():
    """Lab 2: spectral radius against saturation in random tanh networks (`A48`, `A63`, `A65`)."""
    sizes = {str(units): f"{units} units" for units in random_networks.UNITS}
    return Explorer(
        edge_flow,
        _figures(),
        {
            "units": Choice("Network", sizes, "100"),
            "radius": Slider("Spectral radius ρ of W_hh", RADII, 1.5, symbol="ρ"),
            "drive": Slider("Size of the input", random_networks.DRIVES, 0),
        },
        name="eigenvalues-tanh",
        title=(
            "Eigenvalues above one are not enough: what a gradient does depends on what tanh passes"
        ),
        question=(
            "As the figure opens, ρ is 1.5 and there is no input. Does the gradient of a network "
            "with 100 units vanish or grow? And with an input of 2?"
        ),
        reading=(
            "The band holds 80 % of 200 random networks, the line is the middle one. Each step "
            "multiplies a gradient by W_hh and by the slopes of tanh; what tanh passes is their "
            "root mean square. With 100 units ρ times that is the factor of a step to within 9 %: "
            "hence the mark 1/ρ. Where tanh passes less than 1/ρ of a change, the middle network "
            "forgets. Where it passes a tenth more, most networks of 100 units are chaotic."
        ),
        alts=[
            "Over the spectral radius: the factor by which a step back multiplies the gradient, "
            "the middle of 200 random networks and a band that holds 80 % of them, with a line at "
            "1 and a dot at the chosen radius.",
            "Over the spectral radius: the share of a change that tanh passes, and 1/ρ, dashed.",
        ],
        drag={"here": ["radius", "drive"], "here-passes": ["radius"]},
        play="radius",
        columns=(
            "ρ",
            {"middle": "factor per step, middle network", "passes": "tanh passes", "needed": "1/ρ"},
        ),
    )
