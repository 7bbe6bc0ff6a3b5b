"""Follow a path, in a browser: by keyboard and by tap, the bars add up, and the words say it."""

import re
from pathlib import Path

import axe_playwright_python
import pytest

from bptt_core import follow
from bptt_core.explorer import script
from bptt_core.follow import element

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
NUMBER = r"(−?[\d.]+(?:e-\d+)?)"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("follow")
    html = follow.paths()._html
    for theme in ("light", "dark"):
        text = (
            f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>Follow</title>'
            f"<style>{script.sheet()}{element.SHEET} body {{ margin: 1rem auto; max-width: 790px;"
            " background: var(--gtt-paper); color: var(--gtt-ink) }</style></head>"
            f"<body><main><h1>Follow</h1>{html}</main><script>{element.SCRIPT}</script></body></html>"
        )
        (folder / f"{theme}.html").write_text(text, encoding="utf-8")
    return lambda theme="light": (folder / f"{theme}.html").as_uri()


@pytest.fixture
def page(visit, address):
    opened = visit(address())
    yield opened.page
    assert opened.console == []


def summed(page):
    """(number of paths, their sum, the exact gradient) as the line below says."""
    said = page.locator(".gtt-sum").inner_text()
    found = re.search(
        rf"(\d+) of 24 paths add up to {NUMBER}\. The exact gradient is {NUMBER}\.", said
    )
    return int(found[1]), *(float(each.replace("−", "-")) for each in found.groups()[1:])


def set_to(page, w_g=None, w_o=None, roads=None):
    if roads:
        page.get_by_label("Gates that read h").select_option(label=element.ROADS[roads])
    for label, at, value in (
        ("Candidate's weight", element.W_G, w_g),
        ("Output gate's weight", element.W_O, w_o),
    ):
        if value is not None:
            page.get_by_label(label).fill(str(at.index(value)))


def test_a_path_is_followed_by_keyboard_and_its_product_read_out(page):
    ways = page.get_by_role("group", name="Ways on").get_by_role("button")
    assert ways.all_inner_texts() == ["c₃ × 0.5", "o₃ ← h₂ × 0"]
    ways.first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".gtt-sum").inner_text().startswith("c₃ × 0.5: 1 so far.")
    assert ways.all_inner_texts()[0] == "c₂ × 0.5" and len(ways.all()) == 4
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # via g₃
    page.keyboard.press("Enter")  # c₂
    page.keyboard.press("Enter")  # c₁
    said = page.locator(".gtt-sum").inner_text()
    assert said.startswith("c₁ × 0.5: 0.25 (through gates). 1 of 24 paths add up to 0.25.")
    factors = page.locator(".gtt-product").inner_text().replace("\n", " ")
    assert factors.startswith("2 L ← h₃ 0.5 h₃ ← c₃ 0.604 c₃ ← g₃") and "= 0.25" in factors
    assert page.evaluate("document.activeElement.parentElement.className") == "gtt-next"


def test_the_missing_road_can_be_taken_by_tap_and_is_said_to_be_missing(page):
    set_to(page, w_o=6)
    for node in ("c₃", "g₃", "o₂"):
        name = f"{node[0]}{'₁₂₃'.index(node[1]) + 1}"
        text = page.locator(".gtt-graph text", has_text=name)
        box = text.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = page.locator(".gtt-sum").inner_text()
    assert "o₂ ← h₁ ← c₁" in said and "missed by the four terms" in said
    number, total, exact = summed(page)
    assert number == 1 and 0 < total < exact
    assert page.locator(".gtt-graph .gtt-arrow.on").count() == 7


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"w_g": -5.6, "w_o": 8},
        {"w_g": -2},
        {"w_g": -6, "w_o": -8, "roads": "all"},
        {"w_g": 4, "w_o": 8},
    ],
    ids=str,
)
def test_all_paths_end_at_the_exact_gradient_and_no_bar_leaves_the_frame(page, setting):
    set_to(page, **setting)
    page.get_by_role("button", name="all 24").click()
    number, total, exact = summed(page)
    assert number == 24 and total == pytest.approx(exact, rel=1e-3, abs=1e-12)
    boxes = page.evaluate("""() => {
        const frame = document.querySelector('.gtt-frame').getBoundingClientRect();
        const line = document.querySelector('.gtt-frame > .gtt-at-exact').getBoundingClientRect();
        return {left: frame.left, right: frame.right, bottom: frame.bottom, exact: line.left + 1,
            bars: Array.from(document.querySelectorAll('.gtt-bars b'), (b) => {
                const {left, right, bottom} = b.getBoundingClientRect();
                return {left, right, bottom}; })}; }""")
    assert len(boxes["bars"]) == 24
    for bar in boxes["bars"]:
        assert boxes["left"] - 1 <= bar["left"] <= bar["right"] <= boxes["right"] + 1
        assert bar["bottom"] <= boxes["bottom"] + 1
    last = boxes["bars"][-1]
    assert min(abs(last["left"] - boxes["exact"]), abs(last["right"] - boxes["exact"])) < 4


def test_families_are_layers_that_come_and_go(page):
    set_to(page, w_g=1, w_o=4, roads="all")
    cell = page.get_by_role("button", name="cell only")
    cell.click()
    assert summed(page)[:2] == (1, 0.25) and cell.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="through gates").click()
    four = float(page.locator(".gtt-four").inner_text().replace("−", "-"))
    number, total, exact = summed(page)
    assert number == 16 and total == pytest.approx(four, rel=1e-3) and total != exact
    cell.click()
    assert summed(page)[0] == 15


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(visit, address, theme, width):
    page = visit(address(theme), width=width).page
    page.get_by_role("button", name="mixed").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document)")["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_graph_and_the_table_are_there(visit, address):
    page = visit(address(), javascript=False).page
    assert page.locator(".gtt-graph").is_visible() and page.locator(".gtt-readout").is_visible()
    assert page.locator(".gtt-layers").is_hidden() and page.locator(".gtt-controls").is_hidden()
    page.locator("summary").click()
    assert page.locator("tbody tr:visible").count() == 24


def test_a_link_sets_the_figure_and_leaves_what_it_does_not_name_as_it_opens(visit, address):
    page = visit(address() + "#lab=follow-a-path&w_g=-5.6&w_o=8&roads=all").page
    assert page.locator("output").all_inner_texts() == ["−5.6", "8"]
    assert page.locator("select").input_value() == "1"
    page.evaluate("location.hash = '#lab=follow-a-path&w_g=-2'")
    page.wait_for_function("document.querySelector('output').textContent === '−2'")
    assert page.locator("output").all_inner_texts() == ["−2", "0"]
    assert page.locator("select").input_value() == "0" and summed(page) == (0, 0, 0)
    page.evaluate("location.hash = '#lab=another&w_g=3'")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert page.locator("output").all_inner_texts() == ["−2", "0"]


def test_a_notebook_gets_the_same_figure_from_the_module(page):
    page.evaluate("document.querySelector('.gtt-follow').remove()")
    page.evaluate(
        """async ([code, html]) => {
            const address = URL.createObjectURL(new Blob([code], {type: 'text/javascript'}));
            const { default: { render } } = await import(address);
            const el = document.body.appendChild(document.createElement('div'));
            render({el, model: {get: () => html}}); }""",
        [follow.paths()._esm, follow.paths()._html],
    )
    page.get_by_role("button", name="all 24").click()
    assert summed(page) == (24, 1, 1)
