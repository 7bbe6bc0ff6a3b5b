"""Chapter 5 as a reader uses it: every question answered wrong and right in one visit, challenges
with their points, and figures whose tables come when the reader is near."""

import json
import re

import numpy as np
import pytest

PLAY = "chapters/05_play_with_the_gradient.html"
SPECS = """() => [...document.querySelectorAll('.gtt-ask')].map((root) => [
    root.id.slice(4), root.dataset.kind, root.querySelector('script').textContent])"""
TELL = """([name, at]) => document.dispatchEvent(new CustomEvent('gtt:setting',
    {detail: {name, at, touched: true, settings: {}, sentence: ''}}))"""


@pytest.fixture(scope="module")
def page(browser, site, folder):
    from conftest import open_in

    opened = open_in(browser, f"{site}/{PLAY}", patient=True, ready=".gtt-ask")
    yield opened
    opened.page.context.close()


def verdict(page, name):
    return page.locator(f"#ask-{name} .gtt-ask-said > div").get_attribute("data-verdict")


def score(page):
    return page.locator(".gtt-ask-score > div > p").text_content()


def of_all(page, points):
    return f"{points} of {3 * page.locator('.gtt-ask[data-points]').count()} points."


def pick(page, name, value):
    page.locator(f"#ask-{name} input[value='{value}']").check()
    page.locator(f"#ask-{name} [type=submit]").click()


def write(page, name, text):
    page.locator(f"#ask-{name} input[type=text]").fill(text)
    page.locator(f"#ask-{name} [type=submit]").click()


def setting(spec, sentence):
    """A setting, as places on the sliders, about which a question says this sentence."""
    place, at = spec["table"].index(str(sentence)), []
    for stride in spec["strides"]:
        at.append(place // stride)
        place %= stride
    return at


def the_table_of_a_figure_comes_when_the_reader_is_near(page):
    lab = page.page.locator("#balanced-cell")
    assert lab.get_attribute("data-ready") is None
    assert not any("tables/" in url and re.search(r"-\d+\.js", url) for url in page.requests)
    page.page.locator("#ask-p-root .gtt-ask-answer summary").click()  # opens what was folded
    lab.scroll_into_view_if_needed()
    page.page.wait_for_selector("#balanced-cell[data-ready]")


def a_figure_that_is_moved_there_solves_its_challenge(page):
    slider = page.page.locator("#balanced-cell input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")
    page.page.wait_for_selector("#ask-four-are-right [data-verdict=try]")
    for _ in range(7):
        slider.press("ArrowLeft")
    page.page.wait_for_selector("#ask-four-are-right [data-verdict=right]")
    assert (
        page.page.locator("#ask-four-are-right .gtt-ask-points").text_content() == "3 of 3 points"
    )
    assert score(page.page) == of_all(page.page, 3)


def test_figures_come_solve_challenges_and_every_question_tells_wrong_from_right(page):
    """One visit, in the order of a reader."""
    the_table_of_a_figure_comes_when_the_reader_is_near(page)
    a_figure_that_is_moved_there_solves_its_challenge(page)
    page, found = page.page, 3
    for name, kind, text in page.evaluate(SPECS):
        spec = json.loads(text)
        if kind == "choice":
            for value in range(len(spec["said"])):
                if value != spec["right"]:
                    pick(page, name, value)
                    assert verdict(page, name) == "slip", name
            pick(page, name, spec["right"])
        elif kind == "number":
            write(page, name, "8")
            assert verdict(page, name) == "slip"
            write(page, name, "4")
        elif kind == "state":
            if name != "four-are-right":
                found += int(page.locator(f"#ask-{name}").get_attribute("data-points") or 0)
            told = {at for at in set(spec["table"]) if spec["said"][int(at)]}
            for sentence in sorted(told - {str(spec["solved"])}):
                page.evaluate(TELL, [spec["lab"], setting(spec, sentence)])
                assert name == "four-are-right" or verdict(page, name) == "try", name
            page.evaluate(TELL, [spec["lab"], setting(spec, spec["solved"])])
        else:
            assert kind == "code"
            continue
        assert verdict(page, name) == "right", name
        assert page.locator(f"#ask-{name} .gtt-ask-said").text_content().startswith("Right.")
    assert found >= 30
    assert score(page) == of_all(page, found)
    assert page.locator(".gtt-folded").count() == 0, "what was folded is open"


def test_a_hint_takes_a_point_and_the_solution_all(visit, folder):
    opened = visit(PLAY, ready=".gtt-ask").page
    opened.locator("#ask-turn-for-ever .gtt-ask-hint summary").first.click()
    opened.locator("#ask-two-steps .gtt-ask-answer summary").click()
    specs = {
        name: json.loads(text)
        for name, kind, text in opened.evaluate(SPECS)
        if kind == "state" and opened.locator(f"#ask-{name}[data-points]").count()
    }
    for name in ("turn-for-ever", "two-steps"):
        spec = specs[name]
        opened.evaluate(TELL, [spec["lab"], setting(spec, spec["solved"])])
    assert opened.locator("#ask-turn-for-ever .gtt-ask-points").text_content() == "2 of 3 points"
    assert opened.locator("#ask-two-steps .gtt-ask-points").text_content() == "0 of 3 points"
    assert score(opened) == of_all(opened, 2)
    opened.reload()
    assert score(opened) == of_all(opened, 2)
    assert np.all(
        [f"#ask-{name}" in opened.locator(".gtt-ask-score ul").inner_html() for name in specs]
    )
