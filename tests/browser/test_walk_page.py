"""Walks in a browser, without a kernel and from disk: keys, buttons, slider, a touched number, a
mistake.

The page is made here, so that these tests need no built book."""

from pathlib import Path

import axe_playwright_python
import pytest

from bptt_core import walk

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>Walks</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ margin: 0 auto; max-width: 760px; padding: 16px; background: var(--gtt-paper);
  color: var(--gtt-ink) }}</style></head>
<body><main><h1>Walks</h1>{body}</main></body></html>"""
STEPS = {"rnn": 22, "lstm": 31}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """address(theme): the file:// address of a page with both walks."""
    folder = tmp_path_factory.mktemp("walks")
    made = [getattr(walk, name)()._repr_mimebundle_()[0]["text/html"] for name in STEPS]
    for theme in ("light", "dark"):
        text = PAGE.format(theme=theme, body="".join(made))
        (folder / f"{theme}.html").write_text(text, encoding="utf-8")
    return lambda theme="light": (folder / f"{theme}.html").as_uri()


@pytest.fixture
def open_page(visit, address):
    def open_one(theme="light", **options):
        return visit(address(theme), ready=".gtt-walk", **options)

    return open_one


@pytest.fixture
def page(open_page):
    opened = open_page()
    yield opened.page
    assert opened.console == [], "nothing is thrown, whatever was touched"


class Seen:
    """What is seen of one walk."""

    def __init__(self, page, name="rnn"):
        self.page = page
        self.root = page.locator(f"#walk-{name}")

    @property
    def step(self):
        return self.root.locator("output").inner_text()

    @property
    def code(self):
        shown = self.root.locator(".gtt-walk-code li.on code:visible")
        return [" ".join(text.split()) for text in shown.all_inner_texts()]

    @property
    def edges(self):
        lit = self.root.locator(".gtt-walk-edge.on").all()
        return {edge.get_attribute("id").removeprefix("walk-rnn-") for edge in lit}

    @property
    def names(self):
        """The labels of the states in the graph."""
        return self.root.locator(".gtt-walk-name:visible").all_text_contents()

    @property
    def numbers(self):
        """What the step's first line makes."""
        cells = self.root.locator(".on .gtt-walk-equations > div:visible > :first-child button")
        return cells.all_inner_texts()

    @property
    def said(self):
        return self.root.locator(".gtt-walk-steps > .on > p").first.inner_text()

    @property
    def terms(self):
        return self.root.locator(".gtt-walk-terms").inner_text()

    @property
    def off(self):
        """Numbers that differ from the right ones, in the step and in the graph."""
        return self.root.locator(".gtt-walk-off:visible").count()

    def go(self, step):
        slider = self.root.locator("input[type=range]")
        slider.fill(str(step - 1))
        assert self.step.startswith(f"{step} of ")

    def err(self, mistake):
        self.root.locator("select").select_option(mistake)


def test_the_line_the_equation_the_edge_and_the_numbers_change_together(page):
    seen = Seen(page)
    assert seen.step == "1 of 22: forward, t = 1"
    assert seen.code == ["h[t] = np.tanh(x[t-1] @ W_xh.T + h[t-1] @ W_hh.T + b_h)"]
    assert seen.edges == {"squash-1", "state-1", "input-1"}
    assert seen.names == ["h0", "h1"] and seen.numbers == ["0.565", "−0.551"]
    for step, code, edges in (
        (5, "dh_t = dh[t-1] + carried", {"loss-3"}),
        (6, "da = dh_t * (1 - h[t]**2)", {"squash-3"}),
        (7, "carried = da @ W_hh", {"state-3"}),
        (8, "dW_xh += da.T @ x[t-1]", {"input-3"}),
        (9, "dW_hh += da.T @ h[t-1]", {"state-3"}),
        (10, "db_h += da.sum(0)", set()),
        (11, "dh_t = dh[t-1] + carried", {"loss-2", "state-3"}),
    ):
        seen.go(step)
        assert (seen.code, seen.edges) == ([code], edges)


def test_the_walk_tells_the_immediate_from_the_total_derivative(page):
    seen = Seen(page)
    seen.go(4)
    assert seen.names == ["h0", "∂⁺L/∂h1", "∂⁺L/∂h2", "∂⁺L/∂h3"] and "immediate" in seen.said
    seen.go(5)
    assert seen.names[-2:] == ["∂⁺L/∂h2", "∂L/∂h3"] and "Nothing comes after" in seen.said
    seen.go(11)
    assert sorted(seen.names) == sorted(["h0", "∂⁺L/∂h1", "∂L/∂h2", "∂L/∂h3", "δ3"])
    assert "total" in seen.said and "part" in seen.said
    seen.go(22)
    assert not [name for name in seen.names if "⁺" in name]


@pytest.mark.parametrize("name", STEPS)
def test_buttons_walk_to_both_ends_and_no_farther(page, name):
    seen = Seen(page, name)
    ahead = seen.root.get_by_role("button", name="Next step")
    back = seen.root.get_by_role("button", name="Step back")
    back.click(force=True)
    assert seen.step.startswith(f"1 of {STEPS[name]}")
    for step in range(2, STEPS[name] + 1):
        ahead.click()
        assert seen.step.startswith(f"{step} of {STEPS[name]}")
        assert seen.code and seen.numbers and seen.said
    ahead.click(force=True)
    assert seen.step == f"{STEPS[name]} of {STEPS[name]}: back, t = 1"
    back.click()
    assert seen.step.startswith(f"{STEPS[name] - 1} of")


def test_arrow_keys_walk_wherever_the_focus_is_inside(page):
    seen = Seen(page)
    seen.root.locator(".gtt-title").click()  # a click on the card is enough
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert seen.step.startswith("3 of")
    page.keyboard.press("ArrowLeft")
    assert seen.step.startswith("2 of")
    seen.root.get_by_role("button", name="Next step").focus()
    page.keyboard.press("ArrowRight")
    assert seen.step.startswith("3 of")
    seen.root.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")  # the slider's own
    assert seen.step.startswith("4 of")
    page.keyboard.press("Home")
    assert seen.step.startswith("1 of")
    assert Seen(page, "lstm").step.startswith("1 of"), "the other walk stays"


def test_keys_with_a_modifier_and_those_of_the_list_are_left_alone(page):
    seen = Seen(page)
    seen.root.locator(".gtt-title").click()
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Shift+Tab")
    seen.root.locator("select").focus()
    page.keyboard.press("ArrowRight")
    assert seen.step.startswith("1 of")


def test_a_touched_number_shows_the_products_that_it_is_the_sum_of(page):
    seen = Seen(page)
    seen.go(7)
    number = seen.root.locator(".on [data-of]:visible").first
    number.click()
    assert seen.terms == f"{number.inner_text()} = 0.290 × 0.8 + (−0.644) × 0.5"
    used = seen.root.locator(".on .gtt-walk-used:visible").all_inner_texts()
    assert sorted(used) == sorted(["0.290", "−0.644", "0.8", "0.5"])
    number.press("Tab")
    assert seen.terms.startswith(seen.numbers[1])
    page.keyboard.press("ArrowRight")  # the focus goes along, to the next step's first number
    assert seen.step.startswith("8 of") and seen.terms.startswith(seen.numbers[0])
    seen.root.locator(".on [data-of]:visible").nth(1).hover()
    assert seen.terms.startswith(seen.numbers[1])


def test_a_mistake_changes_the_line_and_marks_the_numbers_from_where_they_first_differ(page):
    seen = Seen(page)
    seen.go(7)
    right = seen.numbers
    seen.err("recurrence not transposed")
    assert seen.code == ["carried = da @ W_hh.T"]
    assert seen.root.locator("mark:visible").inner_text() == ".T"
    assert seen.numbers != right and seen.off == 2
    note = seen.root.locator(".gtt-walk-notes > div:visible")
    assert "first differ at step 7 (back, t = 3)" in note.inner_text()
    assert "100 updates with it take the loss" in note.inner_text()
    seen.root.locator(".on [data-of]:visible").first.click()
    assert seen.terms.endswith(f". Right: {right[0]}")
    seen.go(6)
    assert seen.off == 0
    note.get_by_role("button", name="Go there").click()
    assert seen.step.startswith("7 of") and seen.off == 2
    assert seen.root.locator(".gtt-walk-mark:visible").count() == 1
    seen.err("no mistake")
    assert seen.numbers == right and seen.off == 0
    for part in ("mark", ".gtt-walk-mark", ".gtt-walk-notes > div"):
        assert seen.root.locator(part).locator("visible=true").count() == 0


@pytest.mark.parametrize(("name", "mistake"), [("rnn", "h_0 taken"), ("lstm", "c_0 taken")])
def test_a_mistake_without_effect_says_why(page, name, mistake):
    seen = Seen(page, name)
    seen.err(f"{mistake} for zero")
    letter = mistake[0]
    said = seen.root.locator(".gtt-walk-notes > div:visible").inner_text()
    assert "No number changes" in said and f"hidden while {letter}0 = 0" in said
    for step in range(1, STEPS[name] + 1):
        seen.go(step)
        off = seen.root.locator("svg .gtt-walk-off, .on > div > div > :first-child .gtt-walk-off")
        assert off.locator("visible=true").count() == 0


def test_every_mistake_marks_something_at_its_first_step_and_nothing_before(page):
    for name in STEPS:
        seen = Seen(page, name)
        for option in seen.root.locator("option").all_inner_texts()[1:]:
            seen.err(option)
            go = seen.root.locator(".gtt-walk-notes button:visible")
            if not go.count():
                continue
            go.click()
            first = int(seen.step.split()[0])
            made = seen.root.locator(".on > div > div:visible > :first-child .gtt-walk-off")
            assert made.count(), option
            seen.go(first - 1)
            assert made.count() == 0, option


def test_a_step_is_spoken_with_its_line_and_what_happened(page):
    seen = Seen(page)
    status = seen.root.locator(".gtt-status")
    assert status.text_content() == ""
    seen.root.get_by_role("button", name="Next step").click()
    assert status.text_content().startswith("forward, t = 2: h[t] = np.tanh(")
    assert status.text_content().endswith("Step 2 reads x2 and h1, and makes h2.")
    slider = seen.root.get_by_role("slider", name="Step of the walk")
    assert slider.get_attribute("aria-valuetext") == "2 of 22: forward, t = 2"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(open_page, theme, width):
    page = open_page(theme, width=width).page
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    for name, step, mistake in (("rnn", 1, 0), ("rnn", 11, 1), ("lstm", 1, 0), ("lstm", 16, 3)):
        seen = Seen(page, name)
        seen.err(seen.root.locator("option").nth(mistake).inner_text())
        seen.go(step)
        seen.root.locator(".on [data-of]:visible").first.focus()
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert not [(v["id"], v["nodes"][0]["html"]) for v in found]


@pytest.mark.parametrize("name", STEPS)
def test_a_phone_shows_code_graph_and_numbers_and_does_not_scroll_sideways(open_page, name):
    page = open_page(width=390).page
    seen = Seen(page, name)
    for step in range(1, STEPS[name] + 1):
        seen.go(step)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        if name == "rnn" and step > 4:
            assert seen.root.bounding_box()["height"] <= 844


def test_text_is_large_enough_to_read(open_page):
    for width in (1280, 390):
        page = open_page(width=width).page
        for name in STEPS:
            sizes = page.evaluate(
                """(root) => [...root.querySelectorAll("svg.gtt-walk-graph text")].map((text) =>
                   parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)""",
                Seen(page, name).root.element_handle(),
            )
            assert min(sizes) >= 13
        code = page.locator(".gtt-walk-code code").first
        assert code.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)") >= 14


@pytest.mark.parametrize("name", STEPS)
def test_without_javascript_the_whole_walk_is_there_to_read(open_page, name):
    page = open_page(javascript=False).page
    steps = page.locator(f"#walk-{name} .gtt-walk-steps > li")
    assert steps.count() == STEPS[name]
    for step in steps.all():
        assert step.is_visible() and step.locator("code").first.is_visible()
        assert step.locator("[data-n]:visible").count()
    for part in ("input", "select", "button[aria-label]", ".gtt-walk-notes > div"):
        assert page.locator(f"#walk-{name} {part}").locator("visible=true").count() == 0


def test_print_keeps_the_step_that_is_shown(page):
    seen = Seen(page)
    seen.go(11)
    page.emulate_media(media="print")
    assert seen.root.locator(".gtt-walk-steps > li:visible").count() == 1
    assert seen.root.locator("input:visible").count() == 0


def test_nothing_moves_by_itself(page):
    seen = Seen(page)
    seen.go(11)
    assert page.evaluate("document.getAnimations().length") == 0
