"""The movable figures in JupyterLab with a kernel: exact curves, copies, containers, errors, the
kernel's death."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from patience import PATIENCE, PATIENT_LAB
from playwright.sync_api import TimeoutError

from bptt_core.labs import linear

pytest.importorskip("jupyterlab")

CELLS = {
    "one": "from bptt_core import labs\nlab = labs.eigenvalues_linear()\nlab",
    "heard": "heard = []\nlab.observe(lambda change: heard.append(change.new), 'radius')",
    "two": "other = labs.eigenvalues_linear()\nother",
    "set": "lab.radius = 1.0371",
    "print": "print('now', lab.radius, len(heard) > 0)",
    "wrong": "lab.radius = 7",
    "box": "import ipywidgets\nipywidgets.VBox([ipywidgets.Label('in a box'), labs.truncation()])",
    "interact": "ipywidgets.interact(lambda cell: labs.truncation(), cell=['rnn', 'lstm']);",
    "broken": """import numpy as np
from bptt_core import plotting
from bptt_core.explorer import Explorer, Frame, Slider
fig, ax = plotting.figure(3, 2)
ax.plot([], [], gid='line')
def line(height):
    if 1.02 < height[0] < 1.5:
        raise RuntimeError('this height is broken')
    return Frame({'line': (np.arange(3), np.ones(3) * height[:, None])}, ['fine'] * len(height))
broken = Explorer(line, [fig], {'height': Slider('Height', [1, 2], 1)}, name='broken', title='t',
                  question='q', reading='r', alts=['a'])
broken""",
    "die": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    """An open notebook whose cells are CELLS; run(name) executes one and returns it."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [
        {
            "cell_type": "code",
            "id": name,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": source,
        }
        for name, source in CELLS.items()
    ]
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": cells,
    }
    (folder / "labs.ipynb").write_text(json.dumps(content), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        f"JUPYTER_{name}_DIR": str(folder / f".{name}") for name in ("CONFIG", "DATA", "RUNTIME")
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
         "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
        env=os.environ | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.add_init_script(PATIENT_LAB)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        page.goto(f"http://127.0.0.1:{port}/lab/tree/labs.ipynb")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=PATIENCE)
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=PATIENCE)

        def run(name, wait=None):
            cell = page.locator(".jp-Notebook .jp-CodeCell").nth(list(CELLS).index(name))
            prompt = cell.locator(".jp-InputPrompt")
            before = prompt.text_content()
            cell.locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            if wait:  # for this execution's output, not the one before it
                page.wait_for_function(
                    "([e, before]) => /\\d/.test(e.textContent) && e.textContent !== before",
                    arg=[prompt.element_handle(), before],
                    timeout=PATIENCE,
                )
                cell.locator(wait).first.wait_for(timeout=PATIENCE)
            return cell

        run.page = page
        yield run
    finally:
        page.close()
        server.terminate()
        server.wait(timeout=20)


READY = ".gtt-explorer[data-ready]"
RADII = [0.8, 0.9, 0.95, 1, 1.05]  # the stops of the slider
PATH = '[id$="-2-gradient"] > path'
MOVE = """async ([cell, index]) => {
    const input = cell.querySelector('[data-control="radius"] input');
    const path = cell.querySelector('[id$="-2-gradient"] > path');
    input.value = index;
    input.dispatchEvent(new Event('input', {bubbles: true}));
    const table = path.getAttribute('d');
    if (Number.isInteger(index)) return true;  // on the grid the table's curve is the exact one
    return new Promise((done) => {
        const watch = new MutationObserver(() => {
            if (path.getAttribute('d') !== table) { watch.disconnect(); done(true); } });
        watch.observe(path, {attributes: true});
        setTimeout(() => { watch.disconnect(); done(false); }, 120_000); }); }"""


def heights(path):
    return np.array(re.findall(r"-?[\d.]+", path), float).reshape(-1, 2)[:, 1]


def drawn_at(cell, radius):
    """The drawn curve is, or soon becomes, the exact one at `radius`, up to rounding: heights
    linear in the log."""
    at = {"radius": radius, "angle": 30.0, "between": 16.0, "k": 3.0}
    frame = linear.linear_flow(**{key: np.array([value]) for key, value in at.items()})
    values = np.log(frame.positions["gradient"][1][0])
    for _ in range(600):
        y = heights(cell.locator(PATH).get_attribute("d"))
        slope, start = np.polyfit(values, y, 1)
        error = np.abs(start + slope * values - y).max()
        if slope < 0 and error < 0.6 / 16:  # of a point: half a unit, and what the fit adds
            return
        time.sleep(0.1)
    pytest.fail(f"the curve is not the one at {radius}: off by {error:.3g}")


def test_a_slider_brings_the_exact_curve(notebook):
    cell = notebook("one", READY)
    notebook("heard")
    handle = cell.element_handle()
    for i in range(24):
        index = (0.3 + 0.7 * i) % 4
        came = notebook.page.evaluate(MOVE, [handle, round(index, 1)])
        if abs(index - round(index)) > 0.05:
            assert came, "no exact curve came"
            drawn_at(cell, float(f"{np.interp(round(index, 1), range(len(RADII)), RADII):.6g}"))


def test_python_sets_a_trait_and_hears_the_reader(notebook):
    cell = notebook("one", READY)
    notebook("heard")
    notebook.page.evaluate(MOVE, [cell.element_handle(), 2.4])
    notebook("set")
    cell.locator("output", has_text="1.037").wait_for()
    assert (
        "now 1.0371 True"
        in notebook("print", ".jp-OutputArea-output:has-text('now')").text_content()
    )
    drawn_at(cell, 1.0371)
    assert (
        "TraitError"
        in notebook("wrong", ".jp-OutputArea-output:has-text('TraitError')").text_content()
    )


def test_two_copies_do_not_disturb_one_another(notebook):
    one, two = notebook("one", READY), notebook("two", READY)
    before = one.locator(PATH).get_attribute("d")
    notebook.page.evaluate(MOVE, [two.element_handle(), 2.5])
    assert one.locator(PATH).get_attribute("d") == before != two.locator(PATH).get_attribute("d")


def test_ipywidgets_can_contain_a_lab(notebook):
    box = notebook("box", READY)
    assert box.locator(".widget-label", has_text="in a box").is_visible()
    assert notebook("interact", READY).locator(READY).count() == 1


def test_an_error_of_the_function_is_shown_in_the_figure(notebook):
    cell = notebook("broken", READY)
    cell.locator("input[type=range]").evaluate(
        "(e) => { e.value = 0.3; e.dispatchEvent(new Event('input')) }"
    )
    alert = cell.locator('[role="alert"]')
    notebook.page.wait_for_function(
        "(e) => e.textContent.includes('this height is broken')", arg=alert.element_handle()
    )
    cell.locator("input[type=range]").evaluate(
        "(e) => { e.value = 0.9; e.dispatchEvent(new Event('input')) }"
    )
    notebook.page.wait_for_function("(e) => e.textContent === ''", arg=alert.element_handle())


def test_arrow_keys_move_the_slider_and_not_the_notebook(notebook):
    cell = notebook("one", READY)
    slider = cell.locator('[data-control="radius"] input')
    slider.focus()
    was = slider.input_value()
    for _ in range(3):
        notebook.page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) > float(was)
    assert slider.evaluate("(e) => e === document.activeElement")


def test_when_the_kernel_dies_the_table_takes_over(notebook):
    """Last: nothing works after it."""
    cell = notebook("one", READY)
    notebook("die")
    notebook.page.evaluate("window.patient = 0")
    slider = cell.locator('[data-control="radius"] input')
    move = "(e, to) => { e.value = to; e.dispatchEvent(new Event('input', {bubbles: true})) }"
    for _ in range(30):  # until the kernel is dead and answers no more
        slider.evaluate(move, 3.4)
        with contextlib.suppress(TimeoutError):
            cell.locator(".gtt-offline").wait_for(timeout=4_000)
            break
        slider.evaluate(move, 1)
    assert cell.locator(".gtt-offline").count() == 1
    assert slider.input_value() == "3" and slider.get_attribute("step") == "1"
    drawn_at(cell, RADII[3])
