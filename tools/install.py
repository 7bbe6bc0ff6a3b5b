"""pip install, with one last line that says what is so if it fails.

python tools/install.py PYTHON [pip's arguments]    PYTHON: the environment's own
"""

import subprocess
import sys

REASONS = (  # what pip says somewhere, and what it means
    ("No space left on device", "the disk is full"),
    ("Read-only file system", "this folder is read-only"),
    ("Permission denied", "a file cannot be written: look at who owns .venv"),
    ("No module named pip", "the environment is half made: make clean, then again"),
    ("Failed to establish a new connection", "no network: the packages come from pypi.org"),
    ("Could not connect", "no network: the packages come from pypi.org"),
    ("name resolution", "no network: the packages come from pypi.org"),
    ("Max retries exceeded", "no network: the packages come from pypi.org"),
    ("Read timed out", "the network is too slow: try again"),
    ("Could not find a version", "a package is missing from the index: see pip's line above"),
)


def reason(said):
    """What stopped pip, in a few words."""
    return next((words for sign, words in REASONS if sign in said), "pip's own reason is above")


def install(python, arguments):
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    process = subprocess.Popen(
        [*command, *arguments], stderr=subprocess.PIPE, text=True, errors="replace"
    )
    said = []
    for line in process.stderr:
        print(line, end="", file=sys.stderr, flush=True)
        said.append(line)
    code = process.wait()
    if code:
        print(f"nothing was installed: {reason(''.join(said))}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(install(sys.argv[1], sys.argv[2:]))
