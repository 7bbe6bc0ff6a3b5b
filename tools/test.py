"""Every test in order: units, the same with the lowest versions, chapters, the build, the built
book in a browser.

python tools/test.py                  all of it
python tools/test.py units chapters   some of it

The last lines say what was skipped, why, and how it ended; the exit code is 0 only if all of it
passed. Nothing here asserts a time: `make bench` measures.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from chromium import get_chromium

ROOT = Path(__file__).parents[1]
COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped|xfailed)\b")
OPTIONS = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--durations=10"]
PYTEST = [sys.executable, *OPTIONS]
BUILT = ["tests/test_book.py", "tests/browser"]
# One file of tests per module of the package: what the versions of its dependencies can change.
MODULES = sorted(path.stem for path in (ROOT / "src" / "bptt_core").iterdir())
OF_MODULES = [name for m in MODULES if (ROOT / (name := f"tests/test_{m}.py")).is_file()]
LOWEST = ROOT / ".venv" / "lowest"
LOWEST_PYTHON = LOWEST / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def but(paths):
    return [f"--ignore={path}" for path in paths]


STEPS = {
    "units": [*PYTEST, "tests", *but(BUILT)],
    "lowest": [str(LOWEST_PYTHON), *OPTIONS, *OF_MODULES],
    "modules": [*PYTEST, *OF_MODULES],  # as lowest, with whatever versions are here
    "chapters": [*PYTEST, "--dist", "loadfile", "-W", "default", "--nbval-lax",
                 "--nbval-current-env", "chapters"],
    "book": [sys.executable, "tools/book.py"],
    "pages": [*PYTEST, "--dist", "loadgroup", *BUILT],
}  # fmt: skip


def run(command):
    """(exit code, the output's lines), shown as it comes."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line.rstrip())
    return process.wait(), lines


def absent(name):
    """Why a step cannot run here, or None."""
    if name == "lowest" and not LOWEST_PYTHON.is_file():
        return "lowest: skipped: no .venv/lowest, which `make` makes on Python 3.11 and 3.12"
    return None


def main(names):
    if "pages" in names:
        path, missing = get_chromium()
        if missing:
            print(missing)
            return 1
        print(f"browser: {path}", flush=True)
    total = dict.fromkeys(("passed", "failed", "skipped"), 0)
    broken, skipped, times = [], [], []
    for name in names:
        if reason := absent(name):
            skipped.append(reason)
            continue
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        code, lines = run(STEPS[name])
        times.append(f"{name} {time.perf_counter() - start:.0f} s")
        if code and not (code == 5 and name == "chapters"):  # 5: pytest found no test
            broken.append(name)
        if name != "book":
            for number, kind in COUNT.findall(lines[-1] if lines else ""):
                kind = "failed" if kind.startswith("error") else kind
                total[kind] = total.get(kind, 0) + int(number)
            reasons = (line for line in lines if re.match("SKIPPED|.*tests skipped: ", line))
            skipped += reasons
    print("== summary")
    print("\n".join(dict.fromkeys(skipped)) or "nothing was skipped")
    print("time:", ", ".join(times))
    print(f"failed: {', '.join(broken)}" if broken else "every step passed")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return int(bool(broken))


if __name__ == "__main__":
    asked = sys.argv[1:] or [name for name in STEPS if name != "modules"]
    if unknown := [name for name in asked if name not in STEPS]:
        sys.exit(f"unknown: {', '.join(unknown)}; wanted some of {', '.join(STEPS)}")
    sys.exit(main(asked))
