"""The book's prose as a test reads it, and the sentences that are tied to what computes them.

A sentence with numbers in it that no cell of its section writes or prints is declared here, as a
template; a function computes the numbers, and `tests/test_prose.py` sees that the sentence so made
stands in the book, word for word:

    @says("chapters/03", "it is {late:.1f} [at bias 5](#lab=forget-gate&forget_bias=5).")
    def bias_5():
        return {"late": lab("forget_gate", forget_bias=5).table["exact"][-1]}

So a word changed in the book, a number changed in the book and a change of what computes the number
are all noticed. A function may also assert, for what a sentence says without a number.
One module for each page, `landing`, `chapter_1` … `chapter_5`, `twelve`, and one for the film.
"""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from bptt_core import follow, labs

ROOT = Path(__file__).parents[2]
SAID = []  # every Sentence, in the order of its declaration


class Sentence(NamedTuple):
    """A sentence of a page, and what computes its numbers."""

    page: str  # "chapters/03", "book/intro.md": how the name of its file begins
    template: str
    numbers: object  # () → {name of a field: value}

    def made(self):
        return " ".join(self.template.format(**self.numbers()).split())

    def pattern(self):
        """A regular expression of what the template can become: any number in a field's place."""
        parts = re.split(r"(?<!\{)\{[^{}]*\}(?!\})", " ".join(self.template.split()))
        number = r"\d[\d.,]*(?: \\cdot 10\^\{-?\d+\})?"
        return number.join(re.escape(part.replace("{{", "{").replace("}}", "}")) for part in parts)


def says(page, template):
    def declare(function):
        SAID.append(Sentence(page, template, function))
        return function

    return declare


class Piece(NamedTuple):
    """A stretch of prose, and the code and kept outputs of its section."""

    text: str
    nearby: str


def _alternatives(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            yield node.value


def alternatives(source):
    """What a cell's pictures are for a reader who does not see them: its alt texts."""
    return [ast.literal_eval(node) for node in _alternatives(source)]


def without_alternatives(source):
    """The code of a cell without them: a number in an alt text does not prove itself."""
    for node in _alternatives(source):
        source = source.replace(ast.get_source_segment(source, node), "")
    return source


@cache
def pieces(path):
    """The prose of a file, cut where a section begins. A page without cells is one piece."""
    if path.suffix != ".ipynb":
        return [Piece(path.read_text(encoding="utf-8"), "")]
    sections = [([], [])]
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            first, *rest = re.split(r"^(?=##+ )", source, flags=re.M)
            sections[-1][0].append(first)
            sections += [([text], []) for text in rest]
        else:
            figure = cell["metadata"].get("mystnb", {}).get("figure", {})
            sections[-1][0].append(figure.get("caption", ""))
            kept = [line for output in cell["outputs"] for line in output.get("text", [])]
            shown = map(shown_by, re.findall(r"^labs\.(\w+)\(\)", source, re.M))
            alts = alternatives(source)
            sections[-1][0].extend(alts)
            sections[-1][1].append("\n".join([without_alternatives(source), *kept, *shown]))

    return [Piece("\n\n".join(texts), "\n".join(codes)) for texts, codes in sections]


def pages():
    """Every file of the book that has prose, as {how its name begins: path}."""
    chapters = {f"chapters/{p.name[:2]}": p for p in sorted((ROOT / "chapters").glob("*.ipynb"))}
    names = ["README.md", *(f"book/{p.name}" for p in sorted((ROOT / "book").glob("*.md")))]
    return chapters | {name: ROOT / name for name in names}


def whole(path):
    """All prose of a file, with single spaces."""
    return " ".join(" ".join(piece.text for piece in pieces(path)).split())


FIGURES = labs.LABS | {"follow_a_path": follow.paths}  # what a link #lab=… can set


@cache
def made(name):
    return FIGURES[name]()


def shown_by(name):
    """The numbers of a lab's sliders, and the words that stand on it."""
    grid = " ".join(
        f"{v:g}" for values in made(name).grid.values() for v in values if not isinstance(v, str)
    )
    return (
        grid
        + " "
        + re.sub(r"<svg.*?</svg>|<script.*?</script>|<[^>]*>", " ", made(name)._html, flags=re.S)
    )


def kept(page, name):
    """The kept output of a named cell."""
    for cell in json.loads(pages()[page].read_text(encoding="utf-8"))["cells"]:
        if cell["metadata"].get("name") == name:
            return "".join(line for output in cell["outputs"] for line in output["text"])
    raise KeyError(name)


def numbers(text):
    """The numbers in a text, as floats."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text)]


def lab(name, **settings):
    """The `State` that a lab shows at settings, the others as it opens."""
    return made(name).at(**settings)


def lab_of(link):
    """(name of the lab's function, its settings) of a link #lab=…&setting=…"""
    query = dict(parse_qsl(link.lstrip("#"), keep_blank_values=True))
    return query.pop("lab").replace("-", "_"), query


def power(value, digits=1):
    """1.8e-06 as TeX: 1.8 \\cdot 10^{-6}."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}"
