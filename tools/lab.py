"""JupyterLab on the course: at the repository's root, so that links to the ledger and the notation
lead there, with the list of chapters open and no question about news.

python tools/lab.py [JupyterLab's own arguments]
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEFAULTS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    }
}


def set_defaults():
    """The course's defaults, in this environment alone; what a reader sets stays theirs."""
    place = Path(sys.prefix, "share", "jupyter", "lab", "settings", "overrides.json")
    present = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    if DEFAULTS.items() <= present.items():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(DEFAULTS | present, indent=1), encoding="utf-8")


def command(arguments):
    return [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url=/lab/tree/chapters", *arguments,
    ]  # fmt: skip


if __name__ == "__main__":
    set_defaults()
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    try:
        sys.exit(subprocess.call(command(sys.argv[1:]), env=env))
    except KeyboardInterrupt:
        pass
