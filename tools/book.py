"""Build the book: every chapter executed, every warning an error, and one clear line at the end.

python tools/book.py                    the whole book into _build/html
python tools/book.py --only 01          the same pages, only chapters 01… executed, in _build/page/
python tools/book.py --root DIR         the book in another folder (the tests use it)
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pyodide

ROOT = Path(__file__).parents[1]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
NOISE = (
    "reading sources",
    "writing output",
    "copying",
    "loading",
    "myst",
    "Using jupyter-cache",
    "[IPKernelApp]",
)


def reason(log, root):
    """What stopped the build, in one line: a failing cell, or the first warning and their
    number."""
    lines = [ANSI.sub("", line).strip() for line in log]
    for chapter in (
        line.rpartition("ExecutionError: ")[2]
        for line in lines
        if "execute.base.ExecutionError: " in line
    ):
        errors = [
            line
            for line in lines
            if re.match(r"[A-Z]\w*(Error|Exception|Warning|Interrupt|Exit)(:|$)", line)
        ]
        name = os.path.relpath(chapter, root) if os.path.isabs(chapter) else chapter
        where = [
            line.partition(" ")[2].lstrip("0123456789 ")
            for line in lines
            if line.startswith("---->")
        ]
        return f"{name}: a cell failed: {errors[0] if errors else 'see above'}" + (
            f" in: {where[0]}" if where else ""
        )
    warnings = [
        line.replace(f"{root}{os.sep}", "")
        for line in lines
        if re.search(r"\b(WARNING|ERROR|CRITICAL): ", line)
    ]
    if warnings:
        return warnings[0] + (f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else "")
    errors = [line for line in lines if re.match(r"(\w+\.)*[A-Z]\w*(Error|Exception): ", line)]
    return errors[0] if errors else "see above"


def build(root, *, only=None):
    """0, or 1 after saying why not."""
    target = root / "_build" / "page" if only else root
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        str(root),
    ]
    command += ["-n", "--all", "--path-output", str(target)]
    command += [] if only else ["-W", "--keep-going"]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(root / "src"), os.environ.get("PYTHONPATH")])
        )
    }
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"} | (
        {"GTT_ONLY": only} if only else {}
    )
    # a font cache of this environment's own, made before a cell could complain of an old or a
    # missing one
    env |= {"MPLCONFIGDIR": str(Path(sys.prefix, "matplotlib"))}
    subprocess.run(
        [sys.executable, "-c", "import matplotlib.font_manager"], env=env, capture_output=True
    )
    if root == ROOT:
        files, missing = pyodide.fetch()
        env |= {"GTT_PYTHON": str(files)} if files else {}
        print(f"  Python in the page: {missing or 'yes'}", flush=True)
    start, log = time.perf_counter(), []
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=env,
    )
    for line in process.stdout:
        log.append(line.rstrip())
        if "Executed notebook" in line:
            name, _, seconds = ANSI.sub("", line).partition(": Executed notebook in ")
            print(f"  {os.path.relpath(name, root)}: {seconds.split()[0]} s", flush=True)
    code = process.wait()
    folder = root / "_build"
    folder.mkdir(exist_ok=True)
    (folder / "build.log").write_text("\n".join(log), encoding="utf-8")
    if code:
        said = [ANSI.sub("", line) for line in log if line.strip() and "\x1b[2K" not in line]
        print("\n".join(line for line in said[-60:] if not line.startswith(NOISE)))
        print(f"The book was not built: {reason(log, root)}")
        return 1
    html = target / "_build" / "html"
    pages = sorted(html.glob("chapters/*.html")) if only else []
    page = next((p for p in pages if p.name.startswith(only or "")), html / "book" / "intro.html")
    print(f"The book is built ({time.perf_counter() - start:.0f} s). Open {page.as_uri()}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="the beginning of a chapter's name")
    parser.add_argument("--root", type=Path, default=ROOT)
    arguments = parser.parse_args()
    sys.exit(build(arguments.root.resolve(), only=arguments.only))
