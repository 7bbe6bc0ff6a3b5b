"""The chapters for Colab, each with a first cell that installs the package; and Colab, simulated.

python tools/colab.py --write DIR --repository OWNER/NAME [--ref REF]    the notebooks, into DIR
python tools/colab.py [01 …]     every chapter, or those named, run as in Colab: its versions, its
                                 modules, nothing that is there replaced; a few minutes

The publishing workflow writes the notebooks to the branch that GTT_COLAB names.
"""

import argparse
import copy
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
CHAPTERS = ROOT / "chapters"
VENV = ROOT / ".venv" / "colab"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What Colab has before a reader's first cell, as far as the package touches it.
COLAB = ("ipykernel==6.17.1", "ipython==7.34.0", "ipywidgets==7.7.1", "matplotlib==3.10.0",
         "numpy==2.0.2", "sympy==1.13.1", "traitlets==5.7.1", "jupyter_client==7.4.9")  # fmt: skip
INSTALL = """# Colab does not have the course's package: this installs it, and asks for no restart.
%pip install --quiet "git+https://github.com/{repository}@{ref}\""""
STUB = """def enable_custom_widget_manager():
    pass
"""


def variant(book, repository, ref):
    """A chapter whose second cell, after the title, installs the package."""
    book = copy.deepcopy(book)
    cell = nbformat.v4.new_code_cell(INSTALL.format(repository=repository, ref=ref), id="install")
    book.cells.insert(1, cell)
    nbformat.validate(book)
    return book


def write(folder, repository, ref):
    """The variants of all chapters, into `folder`/chapters: links between them stay right."""
    target = folder / "chapters"
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        nbformat.write(
            variant(nbformat.read(path, as_version=4), repository, ref), target / path.name
        )
        print(target / path.name)


def pip(*arguments):
    subprocess.run([PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments], check=True)


def installed():
    command = [PYTHON, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def environment():
    """Colab's versions and its module; then the package, which may replace nothing."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip("install", "--quiet", *COLAB, "nbclient")
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = subprocess.run([PYTHON, "-c", purelib], capture_output=True, text=True, check=True)
    module = Path(place.stdout.strip(), "google", "colab")
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("from . import output\n")
    (module / "output.py").write_text(STUB)
    before = installed()
    # from a copy, or the build would leave a folder of its own in the checkout
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder, "course")
        shutil.copytree(ROOT, here, ignore=shutil.ignore_patterns(".*", "_build", "build"))
        pip("install", "--quiet", str(here))
    return before - installed()


RUN = """import sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], as_version=4)
import_colab = nbformat.v4.new_code_cell("import google.colab")
import_colab.pop("id", None)
book.cells.insert(0, import_colab)
NotebookClient(book, timeout=600, kernel_name="python3").execute()
"""


def simulate(names):
    """0 if nothing of Colab was replaced and every chapter ran."""
    if replaced := environment():
        print(f"Colab would ask for a restart: the package replaces {', '.join(sorted(replaced))}")
        return 1
    failed = []
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        if names and not path.name.startswith(tuple(names)):
            continue
        done = subprocess.run(
            [PYTHON, "-c", RUN, str(path)], cwd=CHAPTERS, capture_output=True, text=True
        )
        print(f"{path.name}: {'runs' if done.returncode == 0 else 'fails'}", flush=True)
        if done.returncode:
            print(done.stderr[-3000:])
            failed.append(path.name)
    print(f"in Colab fail: {', '.join(failed)}" if failed else "in Colab every chapter runs")
    return int(bool(failed))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="the beginnings of chapters' names")
    parser.add_argument("--write", type=Path, metavar="DIR")
    parser.add_argument("--repository", default=os.environ.get("GITHUB_REPOSITORY"))
    parser.add_argument("--ref", default=os.environ.get("GITHUB_SHA", "main"))
    asked = parser.parse_args()
    if not asked.write:
        return simulate(asked.names)
    if not asked.repository:
        parser.error("name the repository: --repository OWNER/NAME")
    return write(asked.write, asked.repository, asked.ref)


if __name__ == "__main__":
    sys.exit(main())
