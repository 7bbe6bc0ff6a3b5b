"""A curve that the reader draws before seeing it: `curve`."""

import numpy as np

from bptt_core._checks import wanted
from bptt_core.ask.question import Question
from bptt_core.ask.text import number, paragraphs, rich

WIDTH, HEIGHT = 560, 350  # of the picture, and of its frame
LEFT, TOP, RIGHT, BOTTOM = 58, 14, 544, 292
STEP = 0.1  # of a decade, for one press of an arrow key
HANDLES = 12  # at most


def curve(
    name,
    question,
    at,
    truth,
    why,
    *,
    limits,
    xlabel="lag",
    ylabel="",
    slips=(),
    full=None,
    within=0.5,
    lab=None,
    answer=None,
    was=None,
    **more,
):
    """A question whose answer is a curve on a log axis, drawn by moving a point at a few lags.

    at      where the points stand on the horizontal axis, increasing, 2 to 12 of them
    truth   the right values there, positive
    why     said with the comparison
    limits  (lowest, highest) value of the vertical axis, powers of ten; a value outside is drawn
            at its edge
    slips   [(values at these places, sentence)]: curves that are often expected
    full    (x, y) of the whole true curve, drawn over the reader's; by default the points' truth
    within  how many decades off is still right
    lab     (name, {setting: value}) of a lab that shows the curve: a link
    **more  hints, reveals, label, solved: see `Question`

    Raises ValueError for values that are not positive, and for places that do not increase."""
    at, low, high = np.asarray(at, float), *np.log10(limits)
    if not 2 <= len(at) <= HANDLES or (np.diff(at) <= 0).any():
        raise wanted("at", at.tolist(), f"2 to {HANDLES} increasing places")
    curves = [np.asarray(values, float) for values in (truth, *(values for values, _ in slips))]
    for values in curves:
        if values.shape != at.shape or not (values > 0).all():
            raise wanted("truth", values.tolist(), f"{len(at)} positive values")
    true, *wrong = [np.log10(values).clip(low, high).round(3).tolist() for values in curves]
    x = (LEFT + (at - at[0]) / (at[-1] - at[0]) * (RIGHT - LEFT)).round(1).tolist()
    path = _path(*(full or (at, truth)), at, low, high)
    start = round((low + high) / 2, 1)
    spec = {
        "at": [f"{value:g}" for value in at],
        "axis": rich(xlabel),
        "x": x,
        "top": TOP,
        "height": BOTTOM - TOP,
        "low": low,
        "high": high,
        "truth": true,
        "slips": [[v, rich(said)] for v, (_, said) in zip(wrong, slips, strict=True)],
        "within": within,
        "why": rich(why),
    }
    link = ""
    if lab:
        address = "&".join(
            [f"#lab={lab[0]}", *(f"{key}={value:g}" for key, value in lab[1].items())]
        )
        link = f'<p><a href="{address}">Move it in the figure</a></p>'
    shown = number(curves[0][-1], 2)
    return Question(
        "curve",
        name,
        question,
        _picture(x, at, low, high, start, path, xlabel, ylabel),
        spec,
        button="Compare",
        answer=paragraphs(answer or why) + link,
        was=was or f"{shown} at {xlabel} {at[-1]:g}",
        **more,
    )


def _height(values, low, high):
    return TOP + (high - np.clip(values, low, high)) / (high - low) * (BOTTOM - TOP)


def _path(x, y, at, low, high):
    """The true curve as path data, cut where it leaves the axes sideways."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    kept = (x >= at[0]) & (x <= at[-1]) & (y > 0)
    across = LEFT + (x[kept] - at[0]) / (at[-1] - at[0]) * (RIGHT - LEFT)
    down = _height(np.log10(y[kept]), low, high)
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across, down, strict=True))


def _picture(x, at, low, high, start, path, xlabel, ylabel):
    """The axes, the reader's points, and over them one slider each for the keyboard."""
    every = max(1, round((high - low) / 6))
    decades = range(round(low), round(high) + 1, every)
    lines = "".join(
        f'<path class="gtt-tick" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">'
        + (
            "1"
            if k == 0
            else f'10<tspan dy="-.4em" font-size="75%">{str(k).replace("-", "−")}</tspan>'
        )
        + "</text>"
        for k in decades
        for y in [float(_height(k, low, high))]
    )
    lines += "".join(
        f'<text x="{a}" y="{BOTTOM + 22}" text-anchor="middle">{value:g}</text>'
        for a, value in zip(x, at, strict=True)
    )
    lines += f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{xlabel}</text>'
    y = float(_height(start, low, high))
    dots = "".join(f'<circle cx="{a}" cy="{y:.1f}" r="9"/>' for a in x)
    sliders = "".join(
        f'<input type="range" min="{low:g}" max="{high:g}" step="{STEP}" value="{start}" '
        f'aria-label="{ylabel or "value"} at {xlabel} {value:g}" style="--x:{a / WIDTH:.4f}" '
        f'data-lm-suppress-shortcuts="true">'
        for a, value in zip(x, at, strict=True)
    )
    return f"""<div class="gtt-ask-curve"><svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">
{lines}<path class="gtt-frame" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>
<path class="gtt-truth" d="{path}"/><path class="gtt-guess"/>{dots}</svg>{sliders}
<p class="gtt-ask-key"><span class="gtt-yours">yours</span>
<span class="gtt-true">the truth</span></p></div>"""
