"""In a browser: what has one key lights up together, and a link shows what it leads to."""

import re
from pathlib import Path

import pytest

from bptt_core.explorer import script

STATIC = Path(__file__).parents[2] / "book" / "_theme" / "static"
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<title>Parts</title><style>{css}</style></head><body>
<button class="menu"></button><button class="mode"><span></span></button>
<main><article><h1>Parts</h1>
<p>The <span tabindex="0" class="part-via-o">road</span>, <b>not</b> the
<code tabindex="0" class="part-via-f literal">cache.f</code>; see
<a class="reference internal" href="#equation-one">(1)</a>, a
<a class="reference internal" href="#term-gate" title="A factor.">gate</a> and
<a href="#nowhere">nothing</a>.</p>
<div class="math" id="equation-one"><div class="formula"><i class="mjx-i part-via-o">R</i> = 1</div>
<a class="eqno" href="#equation-one">(1)</a></div>
<svg width="90" height="30" role="img" aria-label="two lines">
<g class="part-via-o"><path d="M0 9H90" stroke="red"/></g>
<g class="part-via-f"><path d="M0 20H90" stroke="red"/></g></svg>
</article></main></body></html>"""
LIT = "Array.from(document.querySelectorAll('.lit'), (part) => part.localName)"


@pytest.fixture
def page(visit, tmp_path):
    css = script.sheet() + (STATIC / "gtt.css").read_text("utf-8").split("/* Frame")[0]
    css = re.sub(r"@font-face \{.*?\}", "", css)  # the page has none of its files
    file = tmp_path / "parts.html"
    file.write_text(PAGE.replace("{css}", css), encoding="utf-8")
    opened = visit(file.as_uri())
    opened.page.add_script_tag(content=(STATIC / "gtt.js").read_text("utf-8"))
    yield opened.page
    assert opened.console == []


@pytest.mark.parametrize("way", ["hover", "focus", "tap"])
def test_words_formula_and_figure_of_one_key_light_up_together(page, way):
    road = page.get_by_text("road")
    {"hover": road.hover, "focus": road.focus, "tap": road.click}[way]()
    assert page.evaluate(LIT) == ["span", "i", "g"]
    faint = "getComputedStyle(document.querySelector('g.part-via-f')).opacity"
    assert float(page.evaluate(faint)) < 0.5
    page.get_by_text("not", exact=True).hover()
    assert page.evaluate(LIT) == []
    page.locator("g.part-via-f path").dispatch_event("pointerover", {"bubbles": True})
    assert page.evaluate(LIT) == ["code", "g"]


def test_a_gate_has_one_colour_in_words_and_formula(page):
    colour = "(name) => getComputedStyle(document.querySelector(name)).color"
    said, formula, code = (page.evaluate(colour, name) for name in ("span.part-via-o", "i", "code"))
    assert said == formula == "rgb(168, 18, 124)" and code == "rgb(107, 68, 8)"


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_a_link_to_an_equation_shows_it(page, way):
    peek, link = page.locator(".peek"), page.get_by_role("link", name="(1)").first
    assert peek.is_hidden()
    {"hover": link.hover, "focus": link.focus}[way]()
    assert peek.inner_text() == "R = 1" and peek.is_visible()
    below, seen = link.bounding_box(), peek.bounding_box()
    assert below["y"] + below["height"] < seen["y"] < below["y"] + 60
    peek.hover()
    assert peek.is_visible(), "it stays for a pointer that goes to it"
    page.keyboard.press("Escape")
    assert peek.is_hidden()


def test_a_title_shows_to_the_keyboard_too(page):
    peek, link = page.locator(".peek"), page.get_by_role("link", name="gate")
    link.focus()
    assert peek.inner_text() == "A factor."
    page.get_by_role("link", name="nothing").focus()
    assert peek.is_hidden()
    link.hover()
    assert peek.is_hidden(), "the browser shows a title to the mouse"
