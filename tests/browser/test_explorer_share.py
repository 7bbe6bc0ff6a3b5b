"""What a reader takes along, a figure alone, links that set a figure, and a phone."""

import csv
import io
import re
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest
from playwright.sync_api import expect
from probe import READY, probe, write
from test_explorer_page import AXE

from bptt_core import plotting
from bptt_core.labs import LABS

LINKS = """<p id="before">Set <a id="near" href="#lab=probe&amp;w=-1">w to −1</a> or
<a id="same" href="#lab=probe&amp;w=-1">once more</a>.</p>{lab}<div style="height:3000px"></div>
<p><a id="far" href="#lab=probe&amp;w=1.5&amp;b=2">from far away</a></p>
<div style="height:1500px"></div>"""
SETTING = "A line is where it is. Kind: straight, Slope w: −1, Height b: 2."


@pytest.fixture(scope="module")
def lab():
    return probe()


@pytest.fixture(scope="module")
def address(lab, tmp_path_factory):
    return write(tmp_path_factory.mktemp("share"), LINKS.format(lab=lab.html))


@pytest.fixture
def opened(visit, address):
    def open_page(where="", theme="light", **options):
        found = visit(address(theme) + where, theme=theme, **options)
        found.page.wait_for_function(READY)
        return found

    return open_page


@pytest.fixture(scope="module")
def made():
    return {name: make() for name, make in LABS.items()}


@pytest.fixture(scope="module")
def labs_address(made, tmp_path_factory):
    body = "".join(lab.html for lab in made.values())
    return write(tmp_path_factory.mktemp("all"), body)


@pytest.fixture
def open_labs(visit, labs_address):
    def open_page(where="", theme="light", **options):
        found = visit(labs_address(theme) + where, theme=theme, **options)
        found.page.wait_for_function(READY)
        return found

    return open_page


def saved(place, kind, folder):
    page = getattr(place, "page", place)
    button = place.locator(f'.gtt-share button[value="{kind}"]')
    with page.expect_download() as waiting:
        button.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


# --- taking along


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_saved_picture_is_on_white_paper_and_says_its_setting(opened, theme, tmp_path):
    visited = opened("#lab=probe&w=-1&b=2", theme)
    page = visited.page
    page.locator(".gtt-share summary").click()
    path = saved(page, "svg", tmp_path)
    assert path.name == "probe_kind=straight_w=-1_b=2.svg"
    text = path.read_text(encoding="utf-8")
    tree = ElementTree.fromstring(text)
    captions = tree.findall("{http://www.w3.org/2000/svg}text")
    written = " ".join("".join(node.itertext()) for node in captions)
    assert SETTING in re.sub(r"\s+", " ", written)
    assert "The straight line rises by -1 from 2.0." in re.sub(r"\s+", " ", written)
    assert "var(" not in text and "gtt-grip" not in text and plotting.PALETTE["forward"][0] in text
    drawn = page.locator('g[id$="-1-line"] > path').get_attribute("d")
    assert drawn in text  # as it stands, not as it began
    image = matplotlib.image.imread(saved(page, "png", tmp_path))
    assert image.shape[1] == 4 * (20 + 504) and np.allclose(image[0, 0], 1)
    dark = (image[..., :3].sum(-1) < 1.5).mean()
    assert 0.005 < dark < 0.1  # ink on paper, and not the other way round
    red = np.abs(image[..., :3] * 255 - [0xC9, 0x3C, 0x1D]).max(-1) < 3
    assert red.sum() > 100  # the marker, in the colour of paper
    assert visited.console == []


def test_every_lab_is_saved_without_what_only_its_page_knows(open_labs, made, tmp_path):
    page = open_labs().page
    for name, lab in made.items():
        root = page.locator(f'[data-name="{lab.address}"]')
        root.locator(".gtt-share summary").click()
        text = saved(root, "svg", tmp_path).read_text(encoding="utf-8")
        assert ElementTree.fromstring(text) is not None
        assert not re.search(r"var\(|translate\([^)]*px|--\w+:|NaN|undefined", text), name


def test_the_table_is_saved_with_its_setting_and_reads_as_csv(opened, tmp_path, lab):
    page = opened("#lab=probe&w=-1&b=2").page
    page.locator(".gtt-share summary").click()
    path = saved(page, "csv", tmp_path)
    assert path.name == "probe_kind=straight_w=-1_b=2.csv"
    first, *lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert first == f"# {SETTING}"
    rows = list(csv.reader(io.StringIO("\n".join(lines))))
    assert rows[0] == ["x", "height"]
    state = lab.at(w=-1, b=2)
    np.testing.assert_allclose(
        np.array(rows[1:], float).T, [state.table["x"], state.table["height"]], rtol=5e-3
    )


def test_a_link_that_was_copied_opens_the_figure_as_it_stood(opened):
    page = opened("?something#lab=probe&w=-1", permissions=["clipboard-read"]).page
    page.locator('[data-control="b"] input').press("End")
    expect(page.locator(".gtt-status")).to_contain_text("from 3.0", timeout=30_000)  # at rest
    assert page.locator('script[src*="share"]').count() == 0  # it comes when it is asked for
    page.locator(".gtt-share summary").click()
    button = page.locator('.gtt-share button[value="link"]')
    button.click()
    expect(button).to_have_text("Copied.")
    expect(page.locator(".gtt-status")).to_have_text("Copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("page-light.html#lab=probe&kind=straight&w=-1&b=3")
    page.locator('.gtt-share button[value="embed"]').click()
    page.wait_for_function("navigator.clipboard.readText().then((t) => t.startsWith('<iframe'))")
    code = page.evaluate("navigator.clipboard.readText()")
    assert link.replace("#", "?embed#").replace("&", "&amp;") in code
    expect(button).to_have_text("Copy link")
    page.goto(link)
    page.wait_for_function(READY)
    assert page.locator('[data-control="b"] output').text_content() == "3"


def test_where_the_clipboard_is_closed_the_link_is_copied_all_the_same(opened):
    page = opened().page
    page.evaluate("""() => {
        Object.defineProperty(navigator, 'clipboard', {value: undefined});
        document.execCommand = () => { window.copied = document.activeElement.value; return true; };
    }""")
    page.locator(".gtt-share summary").click()
    button = page.locator('.gtt-share button[value="link"]')
    button.press("Enter")
    expect(button).to_have_text("Copied.")
    assert page.evaluate("copied").endswith("#lab=probe&kind=straight&w=0.5&b=1")
    assert page.evaluate("document.activeElement.value") == "link"  # where the reader was


# --- alone

SHOWN = f"document.querySelector('.gtt-shown') && {READY}"
HIDDEN = """[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()
    && !e.closest('.gtt-shown') && e.textContent.trim()).map((e) => e.outerHTML.slice(0, 80))"""
SMALL = """() => {
    const root = document.querySelector('.gtt-shown'), seen = [];
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        const text = walk.currentNode.textContent.slice(0, 30);
        if (!text.trim() || !e.checkVisibility()) continue;
        if (e.closest('sub, svg, script, .gtt-status')) continue;
        seen.push([parseFloat(getComputedStyle(e).fontSize), text]);
    }
    for (const e of root.querySelectorAll('[data-first]'))
        seen.push([parseFloat(getComputedStyle(e, '::before').fontSize), 'end of a slider']);
    for (const svg of root.querySelectorAll('.gtt-svg'))
        seen.push([9 * svg.getScreenCTM().a, 'tick']);
    return seen.filter(([size]) => size < 24);
}"""


def test_present_fills_a_screen_with_letters_that_a_class_can_read(open_labs, made, labs_address):
    visited = open_labs("?present")
    page = visited.page
    page.set_viewport_size({"width": 1920, "height": 1080})
    for name, lab in made.items():
        page.goto("about:blank")
        page.goto(f"{labs_address()}?present#lab={lab.address}")
        page.wait_for_function(SHOWN)
        root = page.locator(".gtt-shown")
        assert root.get_attribute("data-name") == lab.address
        assert page.evaluate(HIDDEN) == [], name
        box = root.bounding_box()
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1920, 1080), name
        assert root.evaluate("(e) => e.scrollHeight") <= 1080, name
        assert page.evaluate(SMALL) == [], name
    assert visited.console == []


def test_the_controls_are_reached_by_number_and_escape_leaves(opened):
    visited = opened("?present#lab=probe&w=-1")
    page = visited.page
    page.wait_for_function(SHOWN)
    page.keyboard.press("2")
    page.keyboard.press("ArrowRight")
    assert page.locator('[data-control="w"] output').text_content() == "−0.5"
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    assert page.locator("input:checked").get_attribute("value") == "cubic"
    page.keyboard.press("4")
    assert page.evaluate("document.activeElement.textContent") == "Play"
    page.wait_for_function("location.hash.includes('w=-0.5')")
    page.keyboard.press("Escape")
    page.wait_for_function(f"!location.search && {READY}")
    assert page.locator("h1").is_visible()
    assert page.locator('[data-control="w"] output').text_content() == "−0.5"
    assert visited.console == []


def test_a_figure_can_stand_in_another_page_and_its_title_leads_to_its_own(
    visit, address, tmp_path
):
    source = f"{address()}?embed#lab=probe&w=-1"
    (tmp_path / "host.html").write_text(
        f'<!doctype html><title>Host</title><iframe src="{source}" title="A line" width="700" '
        'height="720"></iframe>',
        "utf-8",
    )
    visited = visit((tmp_path / "host.html").as_uri())
    frame = visited.page.frame_locator("iframe")
    expect(frame.locator(".gtt-shown[data-ready]")).to_be_visible()
    expect(frame.locator("h1")).to_be_hidden()
    assert frame.locator('[data-control="w"] output').text_content() == "−1"
    link = frame.locator(".gtt-title a")
    assert link.get_attribute("href") == source.replace("?embed", "")
    assert link.get_attribute("target") == "_top"
    inner = frame.locator("html")
    assert inner.evaluate("(e) => e.scrollWidth <= innerWidth")
    assert visited.console == []


@pytest.mark.parametrize("way", ["present", "embed"])
def test_axe_finds_nothing_in_a_figure_alone(opened, way):
    page = opened(f"?{way}#lab=probe").page
    page.wait_for_function(SHOWN)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert result["passes"]
    found = [f"{v['id']}: {n['html'][:120]}" for v in result["violations"] for n in v["nodes"]]
    # a fragment of a page has no landmarks
    assert [each for each in found if not each.startswith(("region", "landmark", "page-has"))] == []


# --- links in sentences


def test_a_link_sets_the_figure_in_view_and_leaves_page_focus_and_history(opened, lab):
    visited = opened()
    page = visited.page
    before = page.evaluate("[scrollY, history.length]")
    page.locator("#near").focus()
    page.keyboard.press("Enter")
    said = lab.at(w=-1).sentence.replace("*", "")
    expect(page.locator(".gtt-readout")).to_have_text(said)
    expect(page.locator(".gtt-status")).to_have_text(said)
    assert page.evaluate("document.activeElement.id") == "near"
    page.wait_for_function("location.hash.includes('w=-1')")
    assert page.evaluate("[scrollY, history.length]") == before
    # asked for what already holds, it is said again
    page.evaluate("""() => { window.spoken = 0; new MutationObserver(() => { window.spoken += 1; })
        .observe(document.querySelector('.gtt-status'), {childList: true}); }""")
    page.locator("#same").click()
    page.wait_for_function("window.spoken >= 2")
    expect(page.locator(".gtt-status")).to_have_text(said)
    assert visited.console == []


def test_a_link_from_far_away_leads_to_the_figure_and_back_leads_to_the_link(opened, lab):
    page = opened().page
    page.locator("#far").scroll_into_view_if_needed()
    there = page.evaluate("scrollY")
    assert there > 1000
    page.locator("#far").click()
    page.wait_for_function("scrollY < 600")
    output = page.locator('[data-control="w"] output')
    expect(output).to_have_text("1.5")
    page.locator('[data-control="b"] input').press("Home")
    page.wait_for_function("location.hash.includes('b=0')")
    page.go_back()
    page.wait_for_function(f"Math.abs(scrollY - {there}) < 40")
    page.wait_for_timeout(300)
    assert abs(page.evaluate("scrollY") - there) < 40
    page.go_forward()
    page.wait_for_timeout(300)
    assert page.locator('[data-control="b"] output').text_content() == "0"


# --- a phone


COVERED = """(root) => [...root.querySelectorAll('.gtt-svg')].flatMap((svg) => {
    scrollTo(0, scrollY + svg.getBoundingClientRect().top - 4);
    const { bottom } = svg.getBoundingClientRect();
    const boxes = [...root.querySelectorAll('[data-control]')].map((e) => [
        e.dataset.control, e.getBoundingClientRect()]);
    return boxes.filter(([, box]) => box.top < bottom - 1 || box.bottom > innerHeight)
        .map(([name]) => name);
})"""
ENDS = """(e) => ['::before', '::after']
    .map((end) => getComputedStyle(e, end).content.match(/"(.*?)"/)?.[1])
    .concat(getComputedStyle(e.querySelector('input')).getPropertyValue('--steps'))"""


def test_on_a_phone_each_picture_is_in_view_with_every_control_and_a_coarse_slider_has_ticks(
    open_labs, made
):
    page = open_labs(width=390, has_touch=True).page
    for name, lab in made.items():
        root = page.locator(f'[data-name="{lab.address}"]')
        assert root.evaluate(COVERED) == [], f"{name}: controls over the picture, or out of view"
        heights = root.locator("input[type=range]").evaluate_all(
            "(all) => all.map((e) => e.getBoundingClientRect().height)"
        )
        assert min(heights) >= 44
        for key, values in lab.grid.items():
            if isinstance(values[0], str):
                continue
            ends = root.locator(f'[data-control="{key}"]').evaluate(ENDS)
            write = lab.controls[key].write
            named = [write(values[0]), write(values[-1])] if len(values) <= 12 else [None, None]
            assert ends == [*named, str(len(values) - 1)], name
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
