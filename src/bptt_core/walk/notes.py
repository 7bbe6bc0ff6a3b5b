"""What is said of a mistake: what it is, where it shows, and what training with it does."""

import numpy as np

from bptt_core.ask.text import number, rich

WIDE, HIGH, POINTS = 180, 56, 31  # of the picture of the losses


def notes(steps, wrong, good):
    """HTML of all mistakes' notes, of which the script shows one.

    good  the losses of training with the right gradient"""
    top = 1.05 * max(slip.losses.max() for slip in wrong)
    return "".join(_note(steps, slip, m, good, top) for m, slip in enumerate(wrong, 1))


def _note(steps, slip, m, good, top):
    said = f"{_capital(slip.mistake.explanation)}. "
    if slip.first is None:
        said += (
            f"*No number changes*: this is hidden while {slip.mistake.hidden}, and here it is. "
            "A check where it is not so would find it."
        )
        return f'<div data-m="{m}" hidden><p>{rich(said)}</p></div>'
    step = steps[slip.first]
    said += f"The numbers first differ at step {step.number + 1} ({step.label}). "
    start, end, right = (number(x, 2) for x in (good[0], slip.losses[-1], good[-1]))
    trained = (
        f"All in all the gradient points {slip.angle:.0f}° away from the right one. "
        f"{len(good) - 1} updates with it take the loss of this network from {start} to *{end}*; "
        f"with the right one to *{right}*."
    )
    if slip.losses[-1] < 2 * good[-1]:
        if slip.losses[-1] < good[-1]:
            trained += " Lower is not right: all that is less than 90° off leads downhill at first."
        trained += " The loss does not show the mistake."
    go = f'<button type="button" data-go="{step.number}">Go there</button>'
    label = f"loss while training: {end} at the end with the mistake, {right} without"
    picture = f"""<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}">\
<path class="gtt-walk-good" d="{_curve(good, top)}"/><path d="{_curve(slip.losses, top)}"/></svg>"""
    return f"""<div data-m="{m}" hidden><p>{rich(said)}{go}</p>\
<div class="gtt-walk-trained">{picture}<p>{rich(trained)}</p></div></div>"""


def _capital(text):
    """A sentence's first letter, unless its first word is a symbol."""
    return text if "_" in text.split()[0] else text[0].upper() + text[1:]


def _curve(losses, top):
    every = np.linspace(0, len(losses) - 1, POINTS).round().astype(int)
    x = np.linspace(2, WIDE - 2, POINTS)
    y = 2 + (1 - losses[every] / top) * (HIGH - 4)
    return "M" + "L".join(f"{a:.0f} {b:.1f}" for a, b in zip(x, y, strict=True))
