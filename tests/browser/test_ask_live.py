"""Questions and walks in JupyterLab with a kernel: the same elements, and code that the kernel
checks."""

import pytest
from jupyter import open_notebook

pytest.importorskip("jupyterlab")

CELLS = {
    "choice": """from bptt_core import ask
options = {"yes": "It is not.", "no": "So it is."}
pick = ask.choice("live-pick", "Is it so?", options, "no")
pick""",
    "heard": "print('heard', pick.answered)",
    "number": """from bptt_core import ask
slips = [(0.5, "A half.")]
ask.number("live-number", "How much?", 0.25, "A quarter.", slips=slips)""",
    "code": """from bptt_core import ask
def check(names):
    right = names["double"](3) == 6
    return right, "It doubles." if right else f"Three becomes {names['double'](3)}."
ask.code("live-code", "Double it.", "def double(x): ...", "", check, answer="`2 * x`")""",
    "summary": "from bptt_core import ask\nask.summary()",
    "walk": "from bptt_core import walk\nwalk.rnn()",
}
READY = ".gtt-ask[data-ready]"


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    with open_notebook(browser, tmp_path_factory.mktemp("live"), CELLS) as run:
        yield run


def test_python_hears_what_was_answered(notebook):
    cell = notebook("choice", READY)
    cell.locator("input[type=radio]").first.check()
    cell.locator("[type=submit]").click()
    cell.locator("[data-verdict=slip]", has_text="It is not.").wait_for()
    heard = notebook("heard", ".jp-OutputArea-output:has-text('heard')").inner_text()
    assert "'said': 'yes'" in heard and "'verdict': 'slip'" in heard


def test_a_number_is_typed_and_not_taken_by_the_notebook(notebook):
    """Digits and letters are commands of JupyterLab when a cell is selected."""
    cell = notebook("number", READY)
    box = cell.locator(".gtt-ask input")
    box.click()
    notebook.page.keyboard.type("0.50")
    notebook.page.keyboard.press("Enter")
    cell.locator("[data-verdict=slip]", has_text="A half.").wait_for()
    assert box.input_value() == "0.50"


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        ("def double(x):\n    return x", "slip", "Three becomes 3."),
        ("def double(x):\n    return 2 * x", "right", "It doubles."),
        ("def double(x) return x", "slip", "SyntaxError"),
        ("double = None", "slip", "TypeError"),
        ("raise SystemExit('<b>out</b>')", "slip", "SystemExit: <b>out</b>"),
    ],
)
def test_the_kernel_checks_code(notebook, code, verdict, words):
    cell = notebook("code", READY)
    cell.locator("textarea").fill(code)
    cell.locator("[type=submit]").click()
    cell.locator(f"[data-verdict={verdict}]", has_text=words).wait_for()


def test_a_summary_tells_of_the_answers_in_the_notebook(notebook):
    cell = notebook("choice", READY)
    cell.locator("input[type=radio]").nth(1).check()
    cell.locator("[type=submit]").click()
    summary = notebook("summary", ".gtt-ask-summary table")
    assert "Is it so?" in summary.inner_text()


def test_a_walk_is_walked_by_keys_that_the_notebook_does_not_take(notebook):
    cell = notebook("walk", ".gtt-walk[data-ready]")
    cell.locator(".gtt-title").click()
    notebook.page.keyboard.press("ArrowRight")
    cell.locator("output", has_text="2 of 22: forward, t = 2").wait_for()
    cell.locator("input[type=range]").press("ArrowRight")
    cell.locator("output", has_text="3 of 22").wait_for()
    cell.locator("select").select_option("slope missing")
    cell.get_by_role("button", name="Go there").click()
    cell.locator(".gtt-walk-code li.on del", has_text="(1 - h[t]**2)").wait_for()
