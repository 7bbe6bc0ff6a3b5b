"""ruff on code and notebooks, Biome on scripts and style sheets, then what neither can know about a
chapter.

One line per failure. Biome (biome.json) comes with requirements-test.txt where it has a wheel;
elsewhere one that is installed is used (`npm install --global @biomejs/biome`), and without one its
part is left out, which a line says.

A chapter's cells carry no tag but those of TAGS, and an output where they are tagged keep-output
and nowhere else (tools/outputs.py puts it there); at most 20 lines are seen at a time; a figure has
a name and a caption.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
TAGS = {"hide-input", "hide-cell", "remove-cell", "remove-input", "keep-output"}
SEEN_AT_MOST = 20
NAME = re.compile(r"[A-Za-z0-9][\w-]*")


def failures_of_cell(cell):
    """What is wrong with a cell, each in a few words."""
    tags = set(cell.metadata.get("tags", []))
    for tag in sorted(tags - TAGS):
        yield f"unknown tag {tag!r}, wanted one of {', '.join(sorted(TAGS))}"
    if "lines_to_next_cell" in cell.metadata:
        yield "carries lines_to_next_cell, which only jupytext reads: delete it"
    if cell.cell_type != "code":
        return
    keeps = "keep-output" in tags
    if cell.outputs and not keeps:
        yield "has an output: clear it, or tag the cell keep-output"
    if cell.execution_count is not None:
        yield "has an execution count: clear it"
    if keeps and not cell.outputs:
        yield "is tagged keep-output and has no output: python tools/outputs.py stores it"
    if any(output.output_type == "error" for output in cell.outputs):
        yield "keeps an error as its output"
    lines = [line for line in cell.source.splitlines() if line.strip()]
    if len(lines) > SEEN_AT_MOST and not tags & TAGS - {"keep-output"}:
        yield f"shows {len(lines)} lines, wanted {SEEN_AT_MOST} at most"
    name = cell.metadata.get("name")
    if name is not None and not NAME.fullmatch(name):
        yield f"name {name!r}: only letters, digits, - and _"
    settings = cell.metadata.get("mystnb", {})
    for field in {"caption", "name"} - set(settings.get("figure", {"caption": "", "name": ""})):
        yield f"its figure has no {field}"


def failures_of_chapter(path):
    """`path: cell 7: what is wrong`, for every failure."""
    label = path.name
    try:
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
    except (OSError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        return [f"{label}: is no notebook: {str(error).splitlines()[0]}"]
    found = [
        f"{label}: cell {n}: {said}"
        for n, cell in enumerate(book.cells, start=1)
        for said in failures_of_cell(cell)
    ]
    names = [cell.metadata["name"] for cell in book.cells if cell.metadata.get("name")]
    found += [
        f"{label}: cell name {name!r} stands twice"
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if "widgets" in book.metadata:
        found.append(f"{label}: keeps the state of its widgets: python tools/outputs.py clears it")
    if not book.cells or not book.cells[0].source.startswith("# "):
        found.append(f"{label}: the first cell is not the title (# …)")
    return found


def biome():
    """Exit code of Biome on the scripts and style sheets: 0 if there is none."""
    path = shutil.which("biome", path=sysconfig.get_path("scripts")) or shutil.which("biome")
    if not path:
        print("lint: no Biome here: the scripts and style sheets are not looked at")
        return 0
    return subprocess.run([path, "check", "--error-on-warnings"], cwd=ROOT).returncode


def ruff(*arguments):
    """ruff's exit code on the whole repository."""
    command = [sys.executable, "-m", "ruff", *arguments, str(ROOT)]
    return subprocess.run(command, cwd=ROOT).returncode


def main():
    checked = ruff("check", "--output-format", "concise")
    formatted = ruff("format", "--check")
    scripts = biome()
    found = [
        said
        for path in sorted((ROOT / "chapters").glob("*.ipynb"))
        for said in failures_of_chapter(path)
    ]
    print(
        "\n".join(
            found
            + [
                f"lint: {len(found)} failures in the chapters"
                if found
                else "lint: the chapters are clean"
            ]
        )
    )
    return int(bool(checked or formatted or scripts or found))


if __name__ == "__main__":
    sys.exit(main())
