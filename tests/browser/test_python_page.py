"""Python in the page, in Chromium: nothing before the click, a run, an error with its caret, Stop,
from disk too."""

import pytest

PAGE = "chapters/01_backpropagate_through_an_rnn.html"
CELL = "#a30-backward"


@pytest.fixture
def with_python(folder):
    if not (folder / "_static" / "python").is_dir():
        pytest.skip("the book was built without Python in its pages")
    return folder


def cell_of(opened):
    """The cell, whose code is folded until a reader has put it in order."""
    cell = opened.page.locator(CELL)
    cell.locator("details.hide").evaluate("box => { box.open = true; }")
    return cell


def run(cell, code):
    """What the open cell says of `code`."""
    cell.locator("textarea").fill(code)
    cell.locator(".run-bar button").first.click()
    cell.locator(".run-bar button:enabled", has_text="Run").wait_for(timeout=120_000)
    return cell.locator(".run-out").inner_text()


@pytest.mark.parametrize("how", ["http", "file"])
def test_a_cell_runs_where_it_stands_with_what_it_needs_run_before(visit, with_python, site, how):
    address = PAGE if how == "http" else (with_python / PAGE).as_uri()
    opened = visit(address)
    assert not [url for url in opened.requests if "/python/" in url], "loaded before the click"
    cell = cell_of(opened)
    cell.locator(".run-open").focus()
    opened.page.keyboard.press("Enter")
    cell.locator("textarea").wait_for()
    assert "earlier cell" in cell.locator(".run-status").inner_text()
    check = "assert backward(params, x, h, dy @ out.W_hy)[0].W_hh.shape == (H, H)\n'shapes agree'"
    whole = cell.locator("textarea").input_value()
    assert run(cell, f"{whole}\n{check}") == "'shapes agree'"
    assert "ZeroDivisionError" in run(cell, "x = 1\n1 / 0") and "line 2" in run(
        cell, "x = 1\n1 / 0"
    )
    assert opened.elsewhere(site if how == "http" else "file://") == []
    assert opened.console == []


def test_reset_and_close_bring_the_cell_back(visit, with_python):
    opened = visit(PAGE)
    cell = cell_of(opened)
    cell.locator(".run-open").evaluate("button => button.click()")
    before = cell.locator("textarea").input_value()
    cell.locator("textarea").fill("nonsense")
    cell.get_by_role("button", name="Reset").click()
    assert cell.locator("textarea").input_value() == before
    cell.get_by_role("button", name="Close").click()
    assert cell.locator(".cell_input pre").is_visible()


def test_a_figure_in_a_cell_is_no_error(visit, with_python):
    opened = visit(PAGE)
    cell = cell_of(opened)
    cell.locator(".run-open").evaluate("button => button.click()")
    said = run(
        cell,
        "from bptt_core import plotting\n"
        "fig, ax = plotting.figure()\n"
        "ax.plot([1])\n"
        "plotting.show(fig)",
    )
    assert "figure is on the page" in said
