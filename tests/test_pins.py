"""Every pin runs on the Python that the README asks for, and the lowest versions are those of
pyproject.toml."""

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


def test_binder_asks_for_the_same_versions_and_for_no_jupyterlab_of_its_own():
    """repo2docker installs this file from the repository's root, into an image with a JupyterLab;
    a line that names a folder makes it copy the repository first."""
    ours = dict(pins("requirements.txt"))
    binders = dict(pins(".binder/requirements.txt"))
    assert {name: ours.get(name) for name in binders} == binders
    assert not {"jupyterlab", "notebook", "jupyter-book"} & set(binders)
    lines = (ROOT / ".binder" / "requirements.txt").read_text("utf-8").splitlines()
    local = [line.split()[1] for line in lines if line.startswith("-")]
    assert local == ["."] and (ROOT / local[0] / "pyproject.toml").is_file()
    runtime = (ROOT / ".binder" / "runtime.txt").read_text("utf-8").strip()
    assert re.fullmatch(r"python-3\.1[1-4]", runtime)


def test_the_package_needs_nothing_that_binder_does_not_install():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", dependency)[0] for dependency in project["dependencies"]}
    # traitlets comes with ipywidgets, in the version that the image has
    assert needed - {"traitlets"} <= {name for name, _ in pins(".binder/requirements.txt")}


def test_an_action_is_pinned_by_its_commit():
    used = []
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        used += re.findall(r"uses: *(\S+@.*)", workflow.read_text("utf-8"))
    assert len(used) >= 5
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", use)] == []


def test_what_is_published_is_what_was_tested():
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    publish = workflow.partition("  publish:\n")[2]
    assert publish.startswith("    needs: [all, units]\n")
    deploying = [f for f in (ROOT / ".github").rglob("*.yml") if "deploy-pages@" in f.read_text()]
    assert [f.name for f in deploying] == ["test.yml"]


def test_package_citation_and_changelog_name_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == version
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## (\S+)", changes, re.M)[1] == version
