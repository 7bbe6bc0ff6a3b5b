"""Every test in order: units, chapters, the build, the built book in a browser, its feel. The last lines say what was
skipped, why, and how it ended; the exit code is 0 only if all of it passed."""

import os
import re
import subprocess
import sys
from pathlib import Path

from chromium import get_chromium

ROOT = Path(__file__).parents[1]
COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped|xfailed)\b")
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
BUILT = ["tests/test_book.py", "tests/browser"]
TIMED = "tests/browser/test_feel.py"  # alone, or other tests are measured with it
STEPS = [
    ("units", [*PYTEST, "-n", "2", "tests", *(f"--ignore={path}" for path in BUILT)]),
    (
        "chapters",
        [
            *PYTEST,
            "-n",
            "2",
            "--dist",
            "loadfile",
            "-W",
            "default",
            "--nbval-lax",
            "--nbval-current-env",
            "chapters",
        ],
    ),
    ("book", [sys.executable, "tools/book.py"]),
    ("pages", [*PYTEST, "-n", "2", *BUILT, f"--ignore={TIMED}"]),
    ("feel", [*PYTEST, TIMED]),
]


def run(command):
    """(exit code, the output's lines), shown as it comes."""
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
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


def main():
    path, missing = get_chromium()
    if missing:
        print(missing)
        return 1
    print(f"browser: {path}", flush=True)
    total, broken, skipped = dict.fromkeys(("passed", "failed", "skipped"), 0), [], []
    for name, command in STEPS:
        print(f"== {name}", flush=True)
        code, lines = run(command)
        if code and not (code == 5 and name == "chapters"):  # 5: pytest found no test
            broken.append(name)
        if command[:3] == PYTEST[:3]:
            for number, kind in COUNT.findall(lines[-1] if lines else ""):
                total["failed" if kind.startswith("error") else kind] = total.get(kind, 0) + int(
                    number
                )
            skipped += [
                line for line in lines if line.startswith("SKIPPED") or "tests skipped: " in line
            ]
    print("== summary")
    print("\n".join(dict.fromkeys(skipped)) or "nothing was skipped")
    print(f"failed: {', '.join(broken)}" if broken else "every step passed")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
