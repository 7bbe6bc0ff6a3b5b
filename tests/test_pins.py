"""Every pin runs on the Python that the README asks for, and the lowest versions are those of pyproject.toml."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OLDEST = "3.11.0"
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([\w.]+)", re.M)
specifiers = pytest.importorskip("packaging.specifiers")


def pins(name):
    return PIN.findall((ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-test.txt"])
def test_every_pin_runs_on_the_oldest_python_that_is_promised(file):
    found = pins(file)
    assert len(found) > 5
    too_new = []
    for name, version in found:
        try:
            data = metadata(name)
        except PackageNotFoundError:
            continue  # for another system
        if data["Version"] != version:
            continue  # an environment that is not made from the pins
        wanted = data["Requires-Python"] or ">=3"
        if not specifiers.SpecifierSet(wanted).contains(OLDEST):
            too_new.append(f"{name}=={version} needs Python {wanted}")
    assert not too_new, too_new


def test_the_lowest_pins_are_the_floors_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lowest = {name.lower(): version for name, version in pins("requirements-lowest.txt")}
    for dependency in project["dependencies"]:
        name, floor = re.match(r"([\w-]+)>=([\d.]+)", dependency).groups()
        pinned = specifiers.SpecifierSet(f"~={floor}.0" if floor.count(".") == 1 else f"=={floor}")
        assert pinned.contains(lowest[name]), f"{name}: floor {floor}, pinned {lowest[name]}"


def test_the_licence_is_an_expression_and_the_backend_is_bounded():
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert whole["project"]["license"] == "MIT AND CC-BY-4.0"
    assert all("<" in need for need in whole["build-system"]["requires"])
