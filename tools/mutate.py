"""A mutation run: change the core in one place at a time and see whether the tests notice.

    python tools/mutate.py                    every module, every mutant: most of a day
    python tools/mutate.py explicit lstm      a package and a module
    python tools/mutate.py lstm --part 1/2    every second mutant of one module; 2/2 are the others
    python tools/mutate.py --sample 40        40 of each module, drawn with a fixed seed
    python tools/mutate.py lstm --only 17,42  some mutants, with what the tests say

`mutants` says what is changed. The process forks for every mutant, so PyTorch and SymPy are loaded
once. Survivors are printed; tests/mutation_survivors.md says why each is allowed to live.
"""

import argparse
import ast
import importlib.abc
import importlib.util
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from mutants import mutants

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bptt_core"
PASSES = ["rnn", "lstm", "readout", "bad_input", "agreement", "explicit", "mistakes"]
FLOWS = ["jacobians", "gradient_flow", "gradcheck", "mistakes"]
CHECKS = ["containers", "bad_input", "lstm", "rnn", "readout", "jacobians", "gradcheck"]
LABS = ["labs/every_lab", "labs/words"]
TESTS = {  # which tests run for a module after those of its own name, the quickest first
    **dict.fromkeys(["jacobians", "gradient_flow", "gradcheck"], FLOWS),
    **dict.fromkeys(["_affine", "_arrays", "_checks", "_containers", "cells"], CHECKS + PASSES),
    **dict.fromkeys(["_style", "_svg", "diagrams", "plotting"], ["plotting", "follow"]),
    "gru": ["bad_input", "agreement", "explicit", "jacobians", "second_order", "mistakes"],
    "explicit": ["explicit", "walk", "mistakes"],
    "mistakes": ["mistakes", "explicit", "code_questions"],
    "derivations": ["derivations"],
    "tasks": ["tasks", "training", "studies"],
    "training": ["training", "studies"],
    "studies": ["studies", "labs/two_lanes", "labs/truncation"],
    "ask": ["ask", "ask_banks", "code_questions", "build_questions"],
    "explorer": ["explorer", "plotting", "labs/words"],
    "follow": ["follow"],
    "walk": ["walk"],
    "labs/families": ["labs/paths", *LABS],
    "labs/linear": ["labs/eigenvalues_linear", *LABS],
    "labs/saturation": ["labs/eigenvalues_tanh", *LABS],
    "labs/forgetting": ["labs/forget_gate", *LABS],
    "labs/cliff": ["labs/clipping", *LABS],
    "labs/windows": ["labs/truncation", *LABS],
    "labs/lanes": ["labs/two_lanes", *LABS],
    "labs/balance": ["labs/balanced_cell", *LABS],
    "labs": LABS,
}
LIMIT = 300  # seconds for one mutant; one that takes longer is listed as a time-out


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutated source to whoever imports the module."""

    def __init__(self, module, code):
        self.name = ".".join(["bptt_core", *module.removesuffix("__init__").split("/")]).rstrip(".")
        self.path, self.code = path_of(module), code

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        spec = importlib.util.spec_from_loader(name, self, is_package=self.path.stem == "__init__")
        if self.path.stem == "__init__":
            spec.submodule_search_locations.append(str(self.path.parent))
        return spec

    def exec_module(self, module):
        module.__file__ = str(self.path)
        exec(self.code, module.__dict__)


class FailFast:
    """Hypothesis without shrinking: the first failure is enough."""

    @staticmethod
    def pytest_collection():
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants", derandomize=True, database=None, deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
        )  # fmt: skip
        settings.load_profile("mutants")


def path_of(module):
    return SOURCE / f"{module}.py"


def modules_of(names):
    """The modules that are meant: `walk` is every module of the package, no name is all."""
    every = [path.relative_to(SOURCE).with_suffix("").as_posix() for path in SOURCE.rglob("*.py")]
    meant = [m for m in every if not names or m in names or m.rpartition("/")[0] in names]
    return sorted(meant, key=lambda module: (module.count("/"), module))


def tests_for(module):
    package = module.partition("/")[0]
    names = dict.fromkeys([module, *TESTS.get(module, TESTS.get(package, PASSES))])
    folders = [ROOT / "tests" / name for name in names]
    paths = [folder.with_name(f"test_{folder.name}.py") for folder in folders]
    return [str(path) for path in paths if path.exists()]


def noticed(module, code, show):
    """Whether the tests fail with the mutated module; in a child process, which takes the damage
    with it."""
    child = os.fork()
    if child == 0:
        import pytest

        sys.meta_path.insert(0, Mutated(module, code))
        if not show:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        os.chdir(ROOT)
        with tempfile.TemporaryDirectory() as folder:
            options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=line", f"--basetemp={folder}"]
            options += [
                "-W",
                "ignore::pytest.PytestAssertRewriteWarning",
            ]  # Hypothesis is loaded before the fork
            failed = any(
                pytest.main([*options, path], plugins=[FailFast]) for path in tests_for(module)
            )
        sys.stdout.flush()
        os._exit(int(failed))
    start = time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return bool(status)
        if time.monotonic() - start > LIMIT:
            os.kill(child, 9)
            os.waitpid(child, 0)
            print("  time-out:", end="")
            return False
        time.sleep(0.02)


def chosen(tree, only, part, parts, sample):
    """The mutants to try, each with its number."""
    every = list(enumerate(mutants(tree)))
    if sample and sample < len(every):
        every = sorted(random.Random(0).sample(every, sample), key=lambda mutant: mutant[0])
    every = [mutant for mutant in every if mutant[0] in only] if only else every
    return every[part - 1 :: parts]


def run(module, only, part, parts, sample):
    """Try mutants of one module; print survivors; return (tried, survivors)."""
    tree = ast.parse(path_of(module).read_text("utf-8"))
    tried, survivors = 0, []
    if noticed(module, compile(tree, f"{module}.py", "exec"), show=False):
        raise SystemExit(f"{module}: the tests fail without any mutant")
    for number, (line, what, change) in chosen(tree, only, part, parts, sample):
        change()
        code = compile(ast.unparse(ast.fix_missing_locations(tree)), f"{module}.py", "exec")
        change()
        tried += 1
        if not noticed(module, code, show=bool(only)):
            survivors.append((number, line, what))
            print(f"  survivor {module} {number}, line {line}: {what}", flush=True)
    return tried, survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*")
    parser.add_argument(
        "--part", default="1/1", help="1/2 and 2/2 share the work between two processes"
    )
    parser.add_argument(
        "--only", type=lambda text: {int(number) for number in text.split(",")}, default=set()
    )
    parser.add_argument("--sample", type=int, default=0, help="so many of each module")
    arguments = parser.parse_args()
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
    sys.dont_write_bytecode = True
    for heavy in ("numpy", "hypothesis", "pytest", "sympy", "torch"):
        if importlib.util.find_spec(heavy):
            __import__(heavy)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    part, parts = map(int, arguments.part.split("/"))
    for module in modules_of(arguments.modules):
        tried, survivors = run(module, arguments.only, part, parts, arguments.sample)
        print(
            f"{module}, part {arguments.part}: {tried} mutants, {len(survivors)} survived",
            flush=True,
        )


if __name__ == "__main__":
    main()
