"""Run chapters and store the outputs of their keep-output cells, and only those.

python tools/outputs.py [01 …]    the chapters whose names begin so; all if none is named
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]


def refresh(path):
    """The chapter with new outputs where it keeps them. An error in a cell is raised."""
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = cell.outputs if "keep-output" in cell.metadata.get("tags", []) else []
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.execution_count = None
    for written in ("language_info", "widgets"):
        book.metadata.pop(written, None)
    nbformat.write(book, path)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")])
    )
    for chapter in sorted((ROOT / "chapters").glob("*.ipynb")):
        if not sys.argv[1:] or chapter.name.startswith(tuple(sys.argv[1:])):
            refresh(chapter)
            print(chapter.name)
