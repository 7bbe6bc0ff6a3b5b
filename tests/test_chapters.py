"""The chapters as files: all of them are in the book, and the linter sees what it should."""

import ast
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import v4

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import lint  # noqa: E402

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


def test_the_contents_list_exactly_the_chapters_there_are():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    listed = [entry["file"] for part in parts for entry in part["chapters"]]
    assert [name for name in listed if name.startswith("chapters/")] == [
        f"chapters/{p.stem}" for p in CHAPTERS
    ]
    assert all((ROOT / f"{name}.md").exists() for name in listed if name.startswith("book/"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_passes_the_linter(chapter):
    assert lint.failures_of_chapter(chapter) == []


KINDS = "choice wrong_line number matrix curve order state code".split()


def hints_of(chapter):
    """How many hints each question of a chapter has before its solution: [(question, number)]."""
    cells = nbformat.read(chapter, as_version=4).cells
    nodes = (node for c in cells if c.cell_type == "code" for node in ast.walk(ast.parse(c.source)))
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"ask.{k}" for k in KINDS}:
            given = {word.arg: word.value for word in node.keywords}
            yield (
                ast.literal_eval(node.args[0]),
                len(given["hints"].elts if "hints" in given else ()),
            )


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_question_of_a_chapter_has_two_hints_before_its_solution(chapter):
    found = dict(hints_of(chapter))
    assert found and {name: n for name, n in found.items() if n != 2} == {}


def test_a_question_with_one_hint_is_noticed(tmp_path):
    cell = code('ask.choice("one", "?", {}, hints=["a"])\nask.number("none", "?")')
    assert list(hints_of(notebook(tmp_path, cell))) == [("one", 1), ("none", 0)]


def notebook(tmp_path, *cells):
    path = tmp_path / "01_try.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_markdown_cell("# Try"), *cells]), path)
    return path


def code(source="1 + 1", **metadata):
    return v4.new_code_cell(source, metadata=metadata)


def with_output(cell):
    cell.outputs = [v4.new_output("stream", name="stdout", text="2\n")]
    return cell


BAD = {
    "unknown tag 'hide_input'": code(tags=["hide_input"]),
    "has an output": with_output(code()),
    "is tagged keep-output and has no output": code(tags=["keep-output"]),
    "has an execution count": v4.new_code_cell("1", execution_count=3),
    "shows 21 lines": code("x = 1\n\n" * 21),
    "only letters, digits": code(name="a32 norm"),
    "its figure has no caption": code(mystnb={"figure": {"name": "fig-a"}}),
}


@pytest.mark.parametrize("said", BAD)
def test_the_linter_names_the_cell_and_what_is_wrong_with_it(tmp_path, said):
    found = lint.failures_of_chapter(notebook(tmp_path, BAD[said]))
    assert len(found) == 1
    assert found[0].startswith("01_try.ipynb: cell 2: ")
    assert said.strip() in found[0]


def test_the_linter_finds_no_fault_with_a_good_chapter(tmp_path):
    hidden = code("x = 1\n" * 30, tags=["hide-input"])
    kept = with_output(code("print(2)", tags=["keep-output"], name="a32-norm"))
    assert lint.failures_of_chapter(notebook(tmp_path, code(), hidden, kept)) == []


def test_the_linter_sees_a_name_used_twice(tmp_path):
    found = lint.failures_of_chapter(notebook(tmp_path, code(name="a32"), code(name="a32")))
    assert found == ["01_try.ipynb: cell name 'a32' stands twice"]


def test_the_linter_sees_saved_widget_state(tmp_path):
    path = notebook(tmp_path, code())
    book = nbformat.read(path, as_version=4)
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    nbformat.write(book, path)
    assert lint.failures_of_chapter(path) == [
        "01_try.ipynb: keeps the state of its widgets: python tools/outputs.py clears it"
    ]


def test_the_linter_reports_a_broken_file_in_one_line(tmp_path):
    path = tmp_path / "01_try.ipynb"
    path.write_text("{", encoding="utf-8")
    assert len(lint.failures_of_chapter(path)) == 1
