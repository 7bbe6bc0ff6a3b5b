"""The ledger's schema, loaded by its path: the extension around it needs Sphinx, the tests do
not."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _load():
    path = ROOT / "book" / "_ext" / "gtt" / "ledger.py"
    spec = importlib.util.spec_from_file_location("gtt_ledger", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


schema = _load()
