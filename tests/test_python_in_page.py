"""Python in the page, on this side of it: files are accepted for their hash alone, and a cell knows
what it needs."""

import base64
import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]
import pyodide  # noqa: E402
from gtt import python  # noqa: E402

every_chapter = pytest.mark.parametrize(
    "chapter", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda p: p.stem
)


def run_with_numpy_alone(folder, code):
    """Run code as the page does: with the package in `folder`, and no other than NumPy."""
    start = f"import sys; sys.path[:0] = [{str(folder)!r}]\n"
    start += "sys.modules.update(matplotlib=None, sympy=None, anywidget=None)\n"
    site = str(Path(__import__("numpy").__file__).parents[1])
    command = [sys.executable, "-S", "-c", start + code]
    done = subprocess.run(command, env={"PYTHONPATH": site}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-300:]


def test_a_file_is_accepted_for_its_hash_and_for_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(pyodide, "FOLDER", tmp_path / "kept")
    given = tmp_path / "pyodide.js"
    given.write_bytes(b"what it should be")
    right = pyodide.digest(given)
    assert not pyodide.accept(given, "pyodide.js", "0" * 64)
    assert not (tmp_path / "kept").exists()
    assert pyodide.accept(given, "pyodide.js", right) and pyodide.have("pyodide.js", right)
    (tmp_path / "kept" / "pyodide.js").write_bytes(b"something else")
    assert not pyodide.have("pyodide.js", right)


def test_without_the_files_the_reason_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(pyodide, "FOLDER", tmp_path)
    monkeypatch.delenv("GTT_PYODIDE", raising=False)
    monkeypatch.setattr(pyodide.shutil, "which", lambda name: None)
    found, why_not = pyodide.fetch()
    assert found is None and "GTT_PYODIDE" in why_not and "\n" not in why_not


def test_scripts_hold_every_byte_of_a_file_and_none_is_longer_than_it_may_be(tmp_path, monkeypatch):
    data = {"a.bin": bytes(range(256)) * 40, "b.json": b"{}"}
    wheel = tmp_path / "numpy-2.0.2.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("numpy-2.0.2.dist-info/LICENSE.txt", "the licence")
    monkeypatch.setattr(python, "files", lambda folder: (dict(data), "0.27.7", wheel))
    monkeypatch.setattr(python, "CHUNK", 64)
    scripts = python.write_scripts(tmp_path, tmp_path / "out")
    for name, wanted in data.items():
        parts = [s["script"] for s in scripts if s["file"] == name]
        texts = [(tmp_path / "out" / part).read_text() for part in parts]
        inside = [text.split("]='")[1].removesuffix("';") for text in texts]
        assert all(len(part) <= 64 for part in inside)
        assert gzip.decompress(base64.b64decode("".join(inside))) == wanted
    assert "the licence" in (tmp_path / "out" / "LICENSES.txt").read_text()


def test_the_archive_of_the_package_is_the_package_and_imports_numpy_alone(tmp_path):
    with zipfile.ZipFile(io.BytesIO(python.package_archive())) as archive:
        archive.extractall(tmp_path)
        core = [
            n
            for n in archive.namelist()
            if n.removeprefix("bptt_core/").split("/")[0] in ("lstm.py", "rnn.py")
        ]
    for name in core:
        assert (tmp_path / name).read_text("utf-8") == (ROOT / "src" / name).read_text("utf-8")
    run_with_numpy_alone(
        tmp_path,
        "from bptt_core import gradcheck, labs, lstm, mistakes, plotting, rnn, tasks, training\n"
        "fig, ax = plotting.figure(); ax.set(title='x'); plotting.show(fig)\n"
        "import bptt_core; assert bptt_core.__file__.startswith(sys.path[0])",
    )


@every_chapter
def test_what_a_chapter_imports_is_in_the_archive(chapter, tmp_path):
    """In the page nothing of a chapter runs without its imports."""
    with zipfile.ZipFile(io.BytesIO(python.package_archive())) as archive:
        archive.extractall(tmp_path)
    cells = nbformat.read(chapter, as_version=4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    assert "import numpy as np" in first
    run_with_numpy_alone(tmp_path, first)


SOURCES = [
    "import numpy as np\nrng = np.random.default_rng(0)",
    "a = rng.random(3)",
    "b = 1",
    "c = a + b",
    "unused = 7",
    "a[0] = 9",
    "print(c, a)",
    "d = rng.random()",
]


def test_a_cell_needs_the_cells_that_make_or_change_what_it_reads():
    needs = python.slices(SOURCES)
    assert needs[3] == [0, 1, 2]
    assert needs[6] == [0, 1, 2, 3, 5]
    assert 4 not in needs[6]


def test_what_draws_from_a_generator_changes_it():
    assert 1 in python.slices(SOURCES)[7]


def test_no_cell_needs_a_question():
    cell = nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["remove-input"]})
    assert python.needed_of(cell) == ""
    assert python.slices([python.needed_of(cell), "a = 2", "a"])[2] == [1]


@every_chapter
def test_no_cell_of_a_chapter_reads_a_name_that_its_slice_does_not_make(chapter):
    cells = nbformat.read(chapter, as_version=4).cells
    sources = [python.needed_of(cell) for cell in cells if cell.cell_type == "code"]
    made_by = [python.names(source) for source in sources]
    for number, needed in enumerate(python.slices(sources)):
        made = set().union(*(made_by[n].makes for n in needed), made_by[number].makes)
        every = set().union(*(m.makes for m in made_by[:number]))
        missing = (made_by[number].reads & every) - made
        assert not missing, f"cell {number}: {missing}"
