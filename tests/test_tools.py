"""What the verbs say when something is missing: one line, the last, that says what is so."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / "tools"
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

sys.path.insert(0, str(TOOLS))
import colab  # noqa: E402
import install  # noqa: E402
import lab  # noqa: E402
import lint  # noqa: E402


def said(command, **env):
    """The lines that a command ends with, which must fail."""
    done = subprocess.run(
        [str(part) for part in command],
        env=os.environ | {name: str(value) for name, value in env.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode != 0, done.stdout
    return done.stdout.splitlines()


def make(*arguments):
    """What `make book` says, without make's own last line."""
    lines = said(["make", "-s", *arguments, "book"])
    assert "Error" in lines[-1]
    return lines[:-1]


def program(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@needs_make
def test_an_old_python_is_refused_in_one_line(tmp_path):
    version = "import sys; sys.version_info = (3, 9, 1); sys.version = '3.9.1 (fake)'; "
    fake = program(
        tmp_path / "python3.9", f'exec {sys.executable} -c "{version}exec(sys.argv[1])" "$2"'
    )
    assert make(f"PYTHON={fake}", f"VENV={tmp_path}/venv") == [
        f"Python 3.11 or newer is needed; {fake} is 3.9.1. Name another: make PYTHON=python3.12 ..."
    ]


@needs_make
def test_without_the_venv_module_nothing_half_made_is_left(tmp_path):
    fake = program(
        tmp_path / "python",
        f'[ "$2" = venv ] && mkdir -p "$4/bin" && touch "$4/bin/python" && exit 1\n'
        f'exec {sys.executable} "$@"',
    )
    said = make(f"PYTHON={fake}", f"VENV={tmp_path}/venv")
    assert said == [
        "no venv: install Python's venv module (on Debian: apt-get install python3-venv)"
    ]
    assert not (tmp_path / "venv").exists()


@needs_make
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    assert make(f"VENV={tmp_path}/file/venv") == [
        f"cannot write to {tmp_path}/file/venv: is this folder read-only? "
        "Copy the course to one that you can write to"
    ]


def test_no_network_is_said_in_the_last_line(tmp_path):
    lines = said(
        [sys.executable, TOOLS / "install.py", sys.executable, "--target", tmp_path, "bptt-none"],
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES=1,
        PIP_EXTRA_INDEX_URL="",
        PIP_NO_INDEX="",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert lines[-1] == "nothing was installed: no network: the packages come from pypi.org"


@pytest.mark.parametrize(
    ("pip", "meaning"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("OSError: [Errno 30] Read-only file system: '.venv'", "this folder is read-only"),
        ("/x/.venv/bin/python: No module named pip", "half made"),
        ("ERROR: Could not find a version that satisfies the requirement x==9", "missing"),
        ("Temporary failure in name resolution ... Could not find a version", "no network"),
        ("something new", "pip's own reason is above"),
    ],
)
def test_what_pip_says_is_said_in_plain_words(pip, meaning):
    assert meaning in install.reason(pip)


def test_a_port_in_use_is_named_with_a_way_out(tmp_path):
    shutil.copytree(TOOLS, tmp_path / "tools")
    (tmp_path / "_build" / "html").mkdir(parents=True)
    (tmp_path / "_build" / "html" / "index.html").touch()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        lines = said([sys.executable, tmp_path / "tools" / "serve.py", port])
    assert len(lines) == 1
    assert lines[0].startswith(f"port {port} cannot be had (")
    assert lines[0].endswith(f"make serve PORT={port + 1}")


def test_a_book_that_is_not_built_is_not_served(tmp_path):
    shutil.copytree(TOOLS, tmp_path / "tools")
    lines = said([sys.executable, tmp_path / "tools" / "serve.py"])
    assert lines == ["the book is not built yet: make book"]


@pytest.mark.parametrize("command", [["chromium.py"], ["test.py", "pages"]])
def test_a_missing_browser_is_said_in_one_line(tmp_path, command):
    none = tmp_path / "none"
    lines = said([sys.executable, TOOLS / command[0], *command[1:]], CHROMIUM=none)
    assert lines == [f"CHROMIUM={none} is no file"]


def test_what_stopped_the_package_manager_is_in_the_last_line(tmp_path):
    """A held lock, as apt-get tells of it, and Playwright without a network."""
    program(
        tmp_path / "apt-get",
        'echo "Reading package lists..."; '
        'echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7"; '
        'echo "E: Unable to acquire the dpkg frontend lock, is another process using it?"; '
        "exit 100",
    )
    program(tmp_path / "sudo", 'shift; exec "$@"')
    # no browser is found: none on the path, none in the usual places, none of Playwright's
    script = tmp_path / "ask.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(TOOLS)!r})\n"
        "import chromium\n"
        "chromium.PLACES = ()\n"
        "path, missing = chromium.get_chromium()\n"
        "sys.exit(missing)\n"
    )
    lines = said(
        [sys.executable, script],
        PATH=f"{tmp_path}:{tmp_path}/nothing",
        CHROMIUM="",
        PLAYWRIGHT_BROWSERS_PATH=tmp_path / "browsers",
        PLAYWRIGHT_DOWNLOAD_HOST="http://127.0.0.1:9",
    )
    assert lines[-1].startswith("no browser: install Chromium or Chrome, or name one in CHROMIUM")
    assert "apt-get said: E: Could not get lock /var/lib/dpkg/lock-frontend" in lines[-1]
    assert "Playwright said: " in lines[-1]


def test_the_parts_of_the_tests_can_be_asked_for_and_a_wrong_one_is_named():
    lines = said([sys.executable, TOOLS / "test.py", "unit"])
    assert lines == ["unknown: unit; wanted some of units, lowest, modules, chapters, book, pages"]


def test_jupyterlab_opens_at_the_root_with_the_list_of_chapters():
    command = lab.command(["--no-browser"])
    assert f"--ServerApp.root_dir={ROOT}" in command
    assert "--LabApp.default_url=/lab/tree/chapters" in command
    assert command[-1] == "--no-browser"


def test_the_defaults_of_jupyterlab_are_added_to_those_that_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    place = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    place.parent.mkdir(parents=True)
    place.write_text('{"other": {"kept": true}}')
    lab.set_defaults()
    assert '"kept": true' in place.read_text() and '"fetchNews": "false"' in place.read_text()


def test_a_leftover_of_jupytext_is_refused():
    cell = v4.new_markdown_cell("Text.", metadata={"lines_to_next_cell": 0})
    assert any("lines_to_next_cell" in fault for fault in lint.failures_of_cell(cell))
    assert list(lint.failures_of_cell(v4.new_markdown_cell("Text."))) == []


def test_a_notebook_for_colab_installs_the_package_first_and_is_otherwise_the_chapter():
    path = next((ROOT / "chapters").glob("01*.ipynb"))
    book = nbformat.read(path, as_version=4)
    made = colab.variant(book, "someone/fork", "1a2b3c4")
    assert '%pip install --quiet "git+https://github.com/someone/fork@1a2b3c4"' in (
        made.cells[1].source
    )
    assert [made.cells[0], *made.cells[2:]] == book.cells
