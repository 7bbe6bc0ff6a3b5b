"""The ledger holds together: entries, evidence, citations, displayed equations."""

import ast
import hashlib
import json
import re
from functools import cache

import pytest
import yaml
from setups import ROOT, entries, ledger

SOURCES = {
    "A": "A_arat_bptt_rnn.txt",
    "B": "B_arbel_lstm_vanishing.txt",
    "C": "C_slides_module_15_3.txt",
    "D": "D_liu_bptt_rnn_lstm.txt",
}
KINDS = {"equation", "claim", "history", "text"}  # text: a slip of wording, with nothing to run
VERDICTS = {"holds", "holds if", "slip", "wrong", "approximation", "open"}
TEXTS = {"id", "source", "where", "kind", "claim", "verdict", "right", "shows"}
ID = r"[A-D](?:-(?:eq|x))?\d+[a-z]?"
NUMBER = r"(?<![\w.^])-?\d+(?:\.\d+)?(?:e-?\d+)?%?"
INDEX = ROOT / "tests" / "claims" / "displayed_equations"
TEXT_FOLDER = ROOT.parent / "shared" / "sources"  # other people's texts, not part of the repository


def spans(entry):
    """The source lines of the displayed equations an entry is about, as a list of [first, last]."""
    lines = entry.get("lines", [])
    return lines if not lines or isinstance(lines[0], list) else [lines]


@cache
def parts(file):
    """The tests of a Python file with their decorators, or the named cells of a notebook: text by name."""
    text = file.read_text("utf-8")
    if file.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if "name" in cell["metadata"]]
        return {cell["metadata"]["name"]: "".join(cell["source"]) for cell in cells}
    tests = [
        n
        for n in ast.parse(text).body
        if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")
    ]
    starts = [
        min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
        for test in tests
    ]
    return {
        t.name: "\n".join(text.splitlines()[a - 1 : t.end_lineno])
        for a, t in zip(starts, tests, strict=True)
    }


def evidence_source(reference):
    """The text of `tests/….py::test_…` or of `chapters/….ipynb#cell`; None if there is no such thing."""
    path, name = (
        re.split("::|#", reference)
        if re.fullmatch(r"[^#:]+(\.py::|\.ipynb#)[\w-]+", reference)
        else ("", "")
    )
    file = ROOT / path
    return parts(file).get(name) if path and file.exists() else None


def index(source):
    """The displayed equations of a source: lines, a hash of them, and our label."""
    return yaml.safe_load((INDEX / f"{source}.yml").read_text("utf-8"))


def test_every_entry_has_its_own_id_and_the_source_of_that_letter():
    ids = [entry["id"] for entry in entries()]
    assert len(ids) == len(set(ids)), sorted({i for i in ids if ids.count(i) > 1})
    for entry in entries():
        assert re.fullmatch(ID, entry["id"]) and entry["id"][0] == entry["source"], entry["id"]
    assert {entry["source"] for entry in entries()} == set(SOURCES)


def test_every_entry_follows_the_schema():
    for entry in entries():
        keys, name = set(entry), entry.get("id")
        assert TEXTS | {"evidence"} <= keys <= TEXTS | {"evidence", "lines"}, (name, keys)
        assert all(isinstance(entry[key], str) for key in TEXTS), name
        assert all(entry[key].strip() for key in TEXTS - {"right", "shows"}), name
        assert entry["kind"] in KINDS and entry["verdict"] in VERDICTS, name
        assert entry["right"] or entry["verdict"] == "holds", f"{name}: what is right is not said"
        assert ("lines" in entry) == (entry["kind"] == "equation"), (
            f"{name}: `lines` belong to displayed equations"
        )
        assert all(isinstance(n, int) for span in spans(entry) for n in span), name
        assert all(len(span) == 2 and span[0] <= span[1] for span in spans(entry)), name
        assert isinstance(entry["evidence"], list), name


def test_every_entry_has_evidence_unless_it_is_about_history_or_wording():
    for entry in entries():
        assert entry["evidence"] or entry["kind"] in ("history", "text"), (
            f"{entry['id']} has no evidence"
        )


def test_every_piece_of_evidence_exists():
    missing = [(e["id"], r) for e in entries() for r in e["evidence"] if evidence_source(r) is None]
    assert not missing, missing


def test_every_decimal_an_entry_shows_is_asserted_in_its_evidence():
    loose = []
    for entry in entries():
        source = "\n".join(filter(None, map(evidence_source, entry["evidence"])))
        for number in re.findall(NUMBER, entry["shows"]):
            if re.search(r"[.e%]", number) and not re.search(
                rf"(?<![\d.]){re.escape(number)}(?![\d.])", source
            ):
                loose.append((entry["id"], number))
    assert not loose, loose


def citations():
    """(place, id) of every claim cited in the book, the chapters and the package."""
    for file in sorted([*(ROOT / "book").glob("*.md"), *(ROOT / "chapters").glob("*.ipynb")]):
        for role in re.findall(r"\{claim\}`([^`]+)`", file.read_text("utf-8")):
            yield file.name, role
    for file in sorted((ROOT / "src").rglob("*.py")):
        for name in re.findall(rf"`({ID})`", file.read_text("utf-8")):
            yield file.name, name


def test_every_claim_cited_in_the_book_or_a_docstring_is_in_the_ledger():
    found = list(citations())
    assert found
    unknown = sorted({pair for pair in found if pair[1] not in ledger()})
    assert not unknown, unknown


@pytest.mark.parametrize("source", SOURCES)
def test_no_displayed_equation_is_without_an_entry(source):
    covered = {
        n for e in entries() if e["source"] == source for a, b in spans(e) for n in range(a, b + 1)
    }
    equations = index(source)
    assert equations
    bare = [
        e["label"] for e in equations if not set(range(e["lines"][0], e["lines"][1] + 1)) <= covered
    ]
    assert not bare, bare
    shown = [range(e["lines"][0], e["lines"][1] + 1) for e in equations]
    for entry in (e for e in entries() if e["source"] == source):
        for first, last in spans(entry):
            assert any(first <= n <= last for line in shown for n in line), (
                f"{entry['id']}: no equation at l.{first}"
            )


def displayed_lines(text):
    """Numbers of the lines that hold something between double dollars, other than a bare \\begin or \\end."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        for position, part in enumerate(line.split("$$")):
            inside = inside != (position > 0)
            if (
                inside
                and part.strip()
                and not re.fullmatch(r"\s*\\(begin|end)\{\w+\}\s*(\\tag\{\w+\})?\s*", part)
            ):
                yield number


@pytest.mark.parametrize("source", SOURCES)
def test_the_index_of_displayed_equations_is_that_of_the_source(source):
    file = TEXT_FOLDER / SOURCES[source]
    if not file.exists():
        pytest.skip("the sources are other people's texts and not part of the repository")
    text = file.read_text("utf-8")
    indexed = set()
    for equation in index(source):
        first, last = equation["lines"]
        shown = "".join("".join(text.splitlines()[first - 1 : last]).split())
        assert hashlib.sha256(shown.encode()).hexdigest()[:8] == equation["sha"], equation["label"]
        indexed |= set(range(first, last + 1))
    assert set(displayed_lines(text)) <= indexed, sorted(set(displayed_lines(text)) - indexed)
