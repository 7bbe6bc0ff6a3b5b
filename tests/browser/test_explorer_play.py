"""Play moves a slider; a click on a picture sets sliders: without a kernel on the grid, with one
between two of its settings."""

import numpy as np
import pytest
from probe import READY, W, probe, write
from test_explorer_page import FAKE, RENDER, in_points


@pytest.fixture(scope="module")
def lab():
    return probe()


@pytest.fixture(scope="module")
def address(lab, tmp_path_factory):
    return write(tmp_path_factory.mktemp("probe"), lab.html)


@pytest.fixture
def opened(visit, address):
    def open_page(where="", **options):
        found = visit(address() + where, **options)
        found.page.wait_for_function(READY)
        return found

    return open_page


def field(page, name):
    return page.locator(f'[data-control="{name}"] input[type="range"]')


WATCH = """() => {
    const input = document.querySelector('[data-control="w"] input');
    const said = document.querySelector('.gtt-readout');
    window.places = [Number(input.value)];
    window.spoken = new Set();
    const status = document.querySelector('.gtt-status');
    new MutationObserver(() => places.push(Number(input.value))).observe(said, {childList: true});
    new MutationObserver(() => spoken.add(status.textContent)).observe(status, {childList: true});
}"""


def test_play_moves_its_slider_from_the_first_value_to_the_last_and_says_the_last(opened, lab):
    visited = opened()
    page = visited.page
    page.wait_for_timeout(200)
    assert field(page, "w").input_value() == str(list(W).index(0.5))  # nothing moves by itself
    page.evaluate(WATCH)
    button = page.locator(".gtt-play")
    button.click()
    assert button.text_content() == "Pause"
    page.wait_for_function("document.querySelector('.gtt-play').textContent === 'Play'")
    places = page.evaluate("places")[1:]
    assert places == sorted(places) and (places[0], places[-1]) == (0, len(W) - 1)
    assert len(places) >= 5  # a busy machine may leave out a frame
    assert page.locator(".gtt-readout").text_content() == lab.at(w=2.0).sentence.replace("*", "")
    last = page.locator(".gtt-readout").text_content()
    page.wait_for_function("last => [...spoken].at(-1) === last", arg=last)
    page.wait_for_function("location.hash.includes('w=2')")
    assert visited.console == []


def test_play_can_be_paused_by_keyboard_and_goes_on_from_there(opened):
    page = opened().page
    button = page.locator(".gtt-play")
    button.press("Enter")
    page.wait_for_function("Number(document.querySelector('[data-control=w] input').value) === 4")
    button.press("Space")
    assert button.text_content() == "Play"
    place = int(field(page, "w").input_value())
    assert 4 <= place < 8
    page.wait_for_timeout(800)
    assert int(field(page, "w").input_value()) == place
    page.evaluate(WATCH)
    button.press("Enter")
    page.wait_for_function("Number(document.querySelector('[data-control=w] input').value) === 8")
    assert min(page.evaluate("places")) >= place
    page.locator(".gtt-reset").click()
    page.evaluate(WATCH)
    button.click()
    page.wait_for_function("places.length > 1")
    assert page.evaluate("places")[1] == 0  # after Reset from the beginning


def test_who_moves_a_slider_while_it_plays_has_it(opened):
    page = opened().page
    page.locator(".gtt-play").click()
    page.wait_for_function("Number(document.querySelector('[data-control=w] input').value) === 2")
    field(page, "b").press("End")
    assert page.locator(".gtt-play").text_content() == "Play"
    place = field(page, "w").input_value()
    page.wait_for_timeout(800)
    assert (field(page, "w").input_value(), field(page, "b").input_value()) == (place, "30")


def test_with_reduced_motion_a_slider_plays_in_a_few_jumps(opened):
    page = opened(reduced_motion="reduce").page
    page.evaluate(WATCH)
    page.locator(".gtt-play").click()
    page.wait_for_function("document.querySelector('.gtt-play').textContent === 'Play'")
    places = page.evaluate("places")[1:]
    assert len(places) <= 7 and places[-1] == 8


def on_screen(page, lab, w, b):
    """Where on the screen a point of the plane is."""
    _, [(x, y)], _ = in_points(lab, "point", w, b)
    box = page.locator(".gtt-svg").first.bounding_box()
    scale = box["width"] / 252
    return box["x"] + x * scale, box["y"] + y * scale


@pytest.mark.parametrize(("way", "width"), [("click", 1280), ("tap", 390)])
def test_a_click_or_a_tap_sets_both_sliders_to_the_nearest_setting(opened, lab, way, width):
    visited = opened(width=width, has_touch=way == "tap")
    page = visited.page
    page.locator(".gtt-svg").first.scroll_into_view_if_needed()
    for w, b, nearest in ((-1.4, 2.43, (-1.5, 2.4)), (1.1, 0.27, (1, 0.3)), (1.9, 2.98, (2, 3))):
        getattr(page.mouse if way == "click" else page.touchscreen, way)(
            *on_screen(page, lab, w, b)
        )
        want = [lab.controls[key].write(value) for key, value in zip("wb", nearest, strict=True)]
        got = [page.locator(f'[data-control="{key}"] output').text_content() for key in "wb"]
        assert got == want
    settings = dict(zip("wb", nearest, strict=True))
    said = lab.at(**settings).sentence.replace("*", "")
    page.wait_for_function(
        "(said) => document.querySelector('.gtt-status').textContent === said", arg=said
    )
    assert visited.console == []


def test_with_a_kernel_a_click_sets_what_lies_under_it(browser, tmp_path, lab):
    (tmp_path / "fake.html").write_text(
        f"<!doctype html><meta charset=utf-8><script type=module>{RENDER}</script>", "utf-8"
    )
    page = browser.new_page()
    page.goto((tmp_path / "fake.html").as_uri())
    page.evaluate(FAKE, [lab.html, lab.reply(), lab.settings])
    page.mouse.click(*on_screen(page, lab, -1.4, 2.43))
    sent = page.evaluate("window.sent.at(-1)")
    assert np.abs(sent["w"] + 1.4) <= 0.03 and np.abs(sent["b"] - 2.43) <= 0.012
    assert sent["w"] not in W
    page.locator(".gtt-play").click()
    page.wait_for_function("document.querySelector('.gtt-play').textContent === 'Play'")
    assert page.evaluate("window.sent.at(-1)")["w"] == 2
    page.close()
