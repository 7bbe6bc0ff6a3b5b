"""Short texts as HTML, and numbers as a reader writes them."""

import math
import re
from html import escape

import numpy as np

INDEX = re.compile(r"_\{([^}]*)\}|_(\w+)", re.ASCII)
POWER = re.compile(r"\^\{([^}]*)\}|\^([−-]?\w+|[⊤⁺])")


def rich(text):
    """HTML of a text: *stressed*, `code`, indices as in W_hh or h_{t−1}, powers as in 2^10."""
    parts = [_code(part) if i % 2 else _words(part) for i, part in enumerate(text.split("`"))]
    return "".join(parts)


def paragraphs(text):
    """As `rich`; an empty line begins a new paragraph."""
    return "".join(f"<p>{rich(' '.join(part.split()))}</p>" for part in text.split("\n\n"))


def plain(text):
    """The text without its marks, for a place that takes no HTML."""
    return re.sub(r"[*`{}]", "", text)


def number(value, digits=3):
    """A number at so many significant digits, with a true minus; a power of ten where it is far
    from one."""
    value = float(value)
    if value.is_integer() and abs(value) < 1e6:
        written = f"{value:.0f}"
    elif 1e-4 <= abs(value) < 1e6:
        decimals = digits - 1 - math.floor(math.log10(float(f"{abs(value):.{digits - 1}e}")))
        written = f"{round(value, decimals):.{max(decimals, 0)}f}"
    else:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        written = f"{mantissa} × 10^{int(power)}"
    return written.replace("-", "−")


def grid(array, digits=None, attributes=""):
    """A matrix, or a vector as a column, between brackets: at so many digits, or as many decimals
    as it needs."""
    array = np.atleast_2d(np.asarray(array, float).T).T
    decimals = next(
        (d for d in range(4) if np.allclose(array, array.round(d), rtol=0, atol=1e-9)), 4
    )

    def written(value):
        return rich(number(value, digits)) if digits else f"{value:.{decimals}f}".replace("-", "−")

    rows = "".join(
        "<tr>" + "".join(f"<td>{written(value)}</td>" for value in row) + "</tr>" for row in array
    )
    return f'<table class="gtt-grid"{attributes}><tbody>{rows}</tbody></table>'


def _code(text):
    return f"<code>{escape(text)}</code>"


def _words(text):
    words = escape(text, quote=False)
    words = INDEX.sub(lambda m: f"<sub>{m[1] or m[2]}</sub>", words)
    words = POWER.sub(lambda m: f"<sup>{m[1] or m[2]}</sup>", words)
    return re.sub(r"\*([^*]+)\*", r"<strong>\1</strong>", words)
