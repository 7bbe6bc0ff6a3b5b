"""A Matplotlib figure as one inline <svg>: the same bytes every time, in colours that follow the
page.

Matplotlib's writer has no such form, so its text is rewritten here. Every rule must find what it
rewrites (`rewritten`): where Matplotlib writes something else one day, the figure fails, and does
not go out half done.
"""

import hashlib
import io
import re
from html import escape

import matplotlib
import numpy as np

from bptt_core._style import PALETTE, STYLE, style

LIGHT = {light: name for name, (light, _, _) in PALETTE.items()}
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
REMARKS, SHEET = r"<!--.*?-->", r"<defs>\s*<style.*?</style>\s*</defs>"
IDS = r'( id="|href="#|url\(#)'
GLYPH = r' d="([^"]*)" transform="scale\(0\.015625\)"'
PATHS, PLACES = r' d="[^"]*"', r' (?:x|y)="[^"]*"'


def freeze(fig):
    """Lay the figure out, once: a second pass would move everything by a hair."""
    if fig.get_layout_engine():
        with style():
            fig.draw_without_rendering()
        fig.set_layout_engine("none")


def svg(fig, alt, *, uid=None):
    """`fig` as the text of one inline <svg>: the same bytes every time, ids of its own, colours
    that follow the page.

    fig  a Matplotlib figure; what is drawn in a colour of `PALETTE` becomes var(--gtt-name, light
         value)
    alt  what the figure shows, for those who do not see it
    uid  prefix of every id; taken from the content if not given

    ValueError: an empty `alt`. RuntimeError: Matplotlib wrote something that the rules here do not
    know."""
    if not alt.strip():
        raise ValueError("alt: got an empty text, wanted a description of the figure")
    freeze(fig)
    text = _written(fig)
    letters = int('<g id="text_' in text)
    text = rewritten(text, REMARKS, "", at_least=letters)
    text = rewritten(text, SHEET, "")
    text = rewritten(text, r'<g id="[\w.]+_\d+"', "<g")  # only an author's gid is worth its bytes
    uid = uid or "g" + hashlib.sha256((text + alt).encode()).hexdigest()[:8]
    text = text[text.index("<svg ") :].replace("xlink:href", "href")
    text = rewritten(text, IDS, rf"\g<1>{uid}-", at_least=letters)
    text = rewritten(text, PATHS, lambda match: _rounded(match[0], 1))  # finer than a screen shows
    text = rewritten(text, PLACES, lambda match: _rounded(match[0], 2), at_least=letters)
    text = rewritten(text, GLYPH, _glyph, at_least=letters)
    text = re.sub(r"\n\s*", "\n", text)
    text = re.sub(r"#[0-9a-f]{6}\b", lambda match: variable(match[0]), text)
    width, height = fig.get_size_inches() * 72
    head = (
        f'<svg class="gtt-svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(alt)}" style="max-width:{width:g}pt;stroke-linejoin:round"'
    )
    return _definitions_first(rewritten(text, r"^<svg [^>]*", head).strip())


def _definitions_first(text):
    """All definitions at the head: a letter that one text defines and others use outlives it."""
    found = re.findall(r"<defs>\n?(.*?)</defs>\n?", text, re.DOTALL)
    text = re.sub(r"<defs>.*?</defs>\n?", "", text, flags=re.DOTALL)
    end = text.index(">") + 1
    return f"{text[:end]}\n<defs>\n{''.join(found)}</defs>{text[end:]}"


def png(*figures):
    """The figures side by side on white paper as the bytes of a PNG, at twice the resolution of an
    ordinary screen."""
    images = [_pixels(fig) for fig in figures]
    tallest = max(len(image) for image in images)
    pad = [
        np.pad(im, ((0, tallest - len(im)), (0, 0), (0, 0)), constant_values=255) for im in images
    ]
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, np.hstack(pad), format="png", dpi=STYLE["savefig.dpi"])
    return buffer.getvalue()


def rewritten(text, pattern, by, *, at_least=1):
    """`text` with every match of `pattern` replaced. RuntimeError: it matches less often than it
    must."""
    text, found = re.subn(pattern, by, text, flags=re.DOTALL)
    if found < at_least:
        raise RuntimeError(
            f"{pattern!r}: got {found} matches in what Matplotlib {matplotlib.__version__} wrote, "
            f"wanted {at_least} at least"
        )
    return text


def _written(fig):
    buffer = io.StringIO()
    with style():
        fig.savefig(buffer, format="svg", metadata=NO_METADATA)
    return buffer.getvalue()


def _pixels(fig):
    """The figure as an image (height, width, 4)."""
    buffer = io.BytesIO()
    with style():
        fig.savefig(buffer, format="rgba", facecolor="white")
    width, height = (fig.get_size_inches() * fig.dpi + 1e-9).astype(int)
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)


def _glyph(match):
    """A letter's outline on a grid 16 times coarser: 1/400 of its height."""
    outline = re.sub(r" ?([MLQCz]) ?", r"\1", match[1])
    outline = re.sub(r"-?\d+", lambda number: str(round(int(number[0]) / 16)), outline)
    return f' d="{outline}" transform="scale(0.25)"'


def _rounded(text, digits):
    def short(number):
        return f"{float(number[0]):.{digits}f}".rstrip("0").rstrip(".")

    return re.sub(r"-?\d+\.\d+", short, text.replace("\n", ""))


def variable(colour):
    """A colour as the page knows it: #c93c1d is var(--gtt-gradient, #c93c1d)."""
    name = LIGHT.get(colour)
    return f"var(--gtt-{name}, {colour})" if name else colour
