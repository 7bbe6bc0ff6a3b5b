"""The ledger holds together: entries, evidence, numbers, citations, displayed equations, places
in the sources."""

import ast
import hashlib
import json
import os
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from evidence import ledger
from ledger_schema import ROOT, schema

TEXTS = {
    "A": "A_arat_bptt_rnn.txt",
    "B": "B_arbel_lstm_vanishing.txt",
    "C": "C_slides_module_15_3.txt",
    "D": "D_liu_bptt_rnn_lstm.txt",
}
INDEX = ROOT / "tests" / "claims" / "displayed_equations"
REFERENCE = re.compile(r"(tests/claims/\w+\.py::test_\w+|chapters/\w+\.ipynb#[\w-]+)")
UNDONE = (ast.If, ast.Try, ast.While, ast.Lambda, ast.FunctionDef)


def entries():
    return list(ledger().values())


@cache
def functions(file):
    """The test functions of a file by name."""
    found = ast.parse((ROOT / file).read_text("utf-8")).body
    return {f.name: f for f in found if isinstance(f, ast.FunctionDef)}


@cache
def cells(file):
    """(source, stored output) of the named cells of a notebook."""
    found = {}
    for cell in json.loads((ROOT / file).read_text("utf-8"))["cells"]:
        name = cell["metadata"].get("name")
        texts = [output.get("text", "") for output in cell.get("outputs", ())]
        found[name] = "".join(cell["source"]), "".join("".join(text) for text in texts)
    return found


def exists(reference):
    file, name = re.split("::|#", reference)
    if not (ROOT / file).exists():
        return False
    return name in (functions(file) if file.endswith(".py") else cells(file))


def of_kind(entry, kind, field="evidence"):
    """The tests or the cells among the evidence: lists of (file, name)."""
    mark = {"tests": "::", "cells": "#"}[kind]
    return [place.split(mark) for place in entry.get(field, ()) if mark in place]


@cache
def said(file, name):
    """(claim, field, number) for every number that a test says with `shown` and `within`."""
    found = set()
    for node in ast.walk(functions(file)[name]):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("shown", "within"):
            claims, _, *texts = node.args
            field = next((k.value.value for k in node.keywords if k.arg == "where"), "shows")
            for claim in claims.value.split():
                found |= {(claim, field, text.value.lower()) for text in texts}
    return found


# Form


def test_every_entry_follows_the_schema_and_every_source_has_entries():
    assert {entry["source"] for entry in entries()} == set(schema.SOURCES)
    for entry in entries():
        for span in schema.spans(entry):
            assert len(span) == 2 and span[0] <= span[1], entry["id"]


def test_a_fault_in_the_form_of_an_entry_is_named():
    good = ledger()["A12"]
    assert schema.faults(good) == []
    for change, words in (
        ({"verdict": "meh"}, "verdict 'meh'"),
        ({"condition": ""}, "`condition`"),
        ({"weight": 2}, "`weight`"),
        ({"place": ""}, "`place` is missing"),
        ({"colour": "red"}, "no field `colour`"),
        ({"lines": [1, 2]}, "`lines`"),
        ({"source": "B"}, "source's letter"),
        ({"shows": 3}, "`shows` is no text"),
        ({"exact": [3]}, "`exact` is a list"),
    ):
        assert words in "; ".join(schema.faults(good | change)), change


def test_what_counts_as_a_number():
    found = schema.numbers(
        "Six steps from h_0 leave −0.5, half of l.64 and A12, 1/4, to 1e-12; never."
    )
    assert found == ["six", "-0.5", "half", "1/4", "1e-12", "never"]
    assert schema.printed("off by 1.282 at lag 20, 1.05e+06, 45%") == ["1.282", "1.05e06", "45%"]
    assert schema.agree("1.282", "128%") and schema.agree("1.05e06", "1.05e6")
    assert not schema.agree("1.282", "127%") and not schema.agree("-0.5", "0.5")
    assert schema.agree("0.1", "10%") and not schema.agree("0.1", "0.076")
    assert schema.value_of("12%") == (0.12, 0.01) and schema.value_of("twice") == (2.0, 0.0)


# Evidence


def test_every_entry_has_evidence_unless_it_is_about_history_or_wording():
    for entry in entries():
        assert entry["evidence"] or entry["kind"] in ("history", "text"), entry["id"]


def test_every_piece_of_evidence_exists_and_is_a_test_or_a_named_cell():
    for entry in entries():
        for place in (*entry["evidence"], *entry.get("retold", ())):
            assert REFERENCE.fullmatch(place), f"{entry['id']}: {place}"
            assert exists(place), f"{entry['id']}: there is no {place}"


def test_a_number_is_said_in_literals_and_in_every_run():
    """`shown` and `within` with variables, or in a branch, would escape the test below."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        if file.name == Path(__file__).name:
            continue
        for test in functions(str(file.relative_to(ROOT))).values():
            check_calls(test, test, f"{file.name}::{test.name}")


def check_calls(test, node, place):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and getattr(child.func, "id", "") in ("shown", "within"):
            claims, _, *texts = child.args
            literal = [claims, *texts, *(k.value for k in child.keywords)]
            assert all(isinstance(arg, ast.Constant) for arg in literal), f"{place}: {child.lineno}"
            assert not isinstance(node, UNDONE) or node is test, f"{place}: {child.lineno}"
        inside = isinstance(child, UNDONE)
        if inside:
            for deeper in ast.walk(child):
                called = isinstance(deeper, ast.Call) and getattr(deeper.func, "id", "")
                assert called not in ("shown", "within"), f"{place}: {deeper.lineno} in a branch"
        else:
            check_calls(test, child, place)


def test_every_number_of_an_entry_is_said_by_its_evidence():
    loose = {}
    for name, entry in ledger().items():
        backed = {
            (field, number)
            for file, test in of_kind(entry, "tests")
            for claim, field, number in said(file, test)
            if claim == name
        }
        outputs = [cells(file)[cell][1] for file, cell in of_kind(entry, "cells")]
        if missing := schema.unbacked(entry, backed, outputs):
            loose[name] = missing
    assert not loose, loose


def test_what_a_test_says_of_an_entry_is_among_its_evidence():
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        path = str(file.relative_to(ROOT))
        for name in functions(path):
            if name.startswith("test_") and file.name != Path(__file__).name:
                for claim in sorted({claim for claim, _, _ in said(path, name)}):
                    assert f"{path}::{name}" in ledger()[claim]["evidence"], f"{claim}: {name}"


def test_a_cited_cell_prints_a_number_of_the_entry_or_is_listed_as_retold():
    for entry in entries():
        for file, cell in of_kind(entry, "cells"):
            output = cells(file)[cell][1]
            assert not schema.contradicts(entry, output), f"{entry['id']}: {file}#{cell}: {output}"


# Citations


def citations():
    """(place, id) of every claim cited in the book, the chapters and the package."""
    for file in sorted([*(ROOT / "book").glob("*.md"), *(ROOT / "chapters").glob("*.ipynb")]):
        text = file.read_text("utf-8")
        groups = re.findall(r"\{claims-of\}((?: [\w-]+)+)", text)
        for name in [*re.findall(r"\{claim\}`([^`]+)`", text), *" ".join(groups).split()]:
            yield file.name, name
    for file in sorted((ROOT / "src").rglob("*.py")):
        for name in re.findall(rf"`({schema.ID})`", file.read_text("utf-8")):
            yield file.name, name


def test_every_claim_cited_in_the_book_or_a_docstring_is_in_the_ledger():
    found = list(citations())
    assert found
    assert [pair for pair in found if pair[1] not in ledger()] == []


def test_every_entry_that_an_entry_refers_to_exists():
    for entry in entries():
        for field in ("condition", "right", "shows"):
            for name in re.findall(rf"\b{schema.ID}\b", entry.get(field, "")):
                assert name in ledger(), f"{entry['id']}: {name}"


# The sources


def index(source):
    """The displayed equations of a source: lines, a hash of them, and our label."""
    return yaml.safe_load((INDEX / f"{source}.yml").read_text("utf-8"))


@pytest.mark.parametrize("source", TEXTS)
def test_no_displayed_equation_is_without_an_entry(source):
    ours = [entry for entry in entries() if entry["source"] == source]
    covered = {n for e in ours for a, b in schema.spans(e) for n in range(a, b + 1)}
    shown = [set(range(e["lines"][0], e["lines"][1] + 1)) for e in index(source)]
    assert shown and all(lines <= covered for lines in shown)
    for entry in ours:
        for first, last in schema.spans(entry):
            here = set(range(first, last + 1))
            assert any(here & lines for lines in shown), f"{entry['id']}: no equation at l.{first}"


def source_lines(source):
    """The lines of a source, where GTT_SOURCES says where they are."""
    folder = os.environ.get("GTT_SOURCES")
    if not folder:
        pytest.skip("GTT_SOURCES is not set: the sources are not part of the repository")
    return (Path(folder) / TEXTS[source]).read_text("utf-8").splitlines()


def displayed_lines(lines):
    """Numbers of the lines that hold something between double dollars, other than a bare \\begin
    or \\end."""
    inside = False
    for number, line in enumerate(lines, 1):
        for position, part in enumerate(line.split("$$")):
            inside = inside != (position > 0)
            bare = re.fullmatch(r"\s*\\(begin|end)\{\w+\}\s*(\\tag\{\w+\})?\s*", part)
            if inside and part.strip() and not bare:
                yield number


@pytest.mark.parametrize("source", TEXTS)
def test_the_index_of_displayed_equations_is_that_of_the_source(source):
    lines = source_lines(source)
    indexed = set()
    for equation in index(source):
        first, last = equation["lines"]
        shown = "".join("".join(lines[first - 1 : last]).split())
        assert hashlib.sha256(shown.encode()).hexdigest()[:8] == equation["sha"], equation["label"]
        indexed |= set(range(first, last + 1))
    assert set(displayed_lines(lines)) <= indexed


@pytest.mark.parametrize("source", TEXTS)
def test_what_a_place_quotes_stands_at_its_lines_or_a_little_before(source):
    lines = source_lines(source)
    for entry in (entry for entry in entries() if entry["source"] == source):
        numbers = [int(n) for n in re.findall(r"\d+", entry["where"])]
        assert all(n <= len(lines) for n in numbers), entry["id"]
        for words in re.findall("“([^”]+)”", entry["place"]):
            near = " ".join(lines[max(0, numbers[0] - 40) : numbers[-1]])
            assert squeezed(words) in squeezed(near), f"{entry['id']}: {words}"


def squeezed(text):
    return re.sub(r"[\W_]+", "", text).lower()
