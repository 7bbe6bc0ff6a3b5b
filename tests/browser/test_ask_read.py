"""What people type, read by the page: never an exception, never another number than was meant."""

import math
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt_core.ask import question

MEANT = {  # what is typed: (value, half a unit of the last digit, significant digits)
    "0.21": (0.21, 0.005, 2), "0,21": (0.21, 0.005, 2), ".5": (0.5, 0.05, 1), ",5": (0.5, 0.05, 1),
    "5.": (5, 0.5, 1), "+7": (7, 0.5, 1), " 0.21\n": (0.21, 0.005, 2), "−0.5": (-0.5, 0.05, 1),
    "- 0.5": (-0.5, 0.05, 1), "–3": (-3, 0.5, 1), "007": (7, 0.5, 1), "= 0.3": (0.3, 0.05, 1),
    "≈ 0.3": (0.3, 0.05, 1), "1e-3": (1e-3, 5e-4, 1), "1E+02": (100, 50, 1),
    "2.1e−3": (2.1e-3, 5e-5, 2),
    "2.1×10^-3": (2.1e-3, 5e-5, 2), "2.1 x 10⁻³": (2.1e-3, 5e-5, 2),
    "2,1 · 10^(−3)": (2.1e-3, 5e-5, 2),
    "2.1*10**-3": (2.1e-3, 5e-5, 2), "21 %": (0.21, 0.005, 2), "12,5%": (0.125, 5e-4, 3),
    "3/8": (0.375, 0, math.inf), "−3 / 8": (-0.375, 0, math.inf), "3/-8": (-0.375, 0, math.inf),
    "-3/-8": (0.375, 0, math.inf), "½": (0.5, 0, math.inf), "3⁄8": (0.375, 0, math.inf),
    "0.30/2": (0.15, 0, math.inf), "10^-3": (1e-3, 0, math.inf), "10⁻³": (1e-3, 0, math.inf),
    "2^10": (1024, 0, math.inf), "-2^2": (-4, 0, math.inf), "０．２１": (0.21, 0.005, 2),
    "0": (0, 0, math.inf), "-0": (0, 0, math.inf), "0.00": (0, 0.005, 0), "1000": (1000, 0.5, 4),
    "0." + "3" * 1000: (1 / 3, 0, 1000), "\u200b0.5\u200b": (0.5, 0.05, 1),
    "0,123": (0.123, 5e-4, 3),
}  # fmt: skip
ASKED = {
    "Type a number": ["", " ", "\t\n", "="],
    "two ways": ["1,000", "1 000", "1'000", "1,234,567", "1.234.567", "1.234,5", "1 1/2",
                 "1½", "0,2, 0,3",
                 "-12,345", "1,234e-3", "1,234/2", "2/1,234", "3 4", "0.21."],
    "cannot read": ["abc", "0x10", "1e", "e5", ".", "-", "--5", "1/2/3", "1e5.5", "π",
                    "NaN", "Infinity", "٣",
                    "1_000", "ln 4", "sqrt(2)", "<script>alert(1)</script>",
                    "2^0.5", "5^2%", "1e99999x",
                    "(3)", "3/", "/8", "%", "٪", "constructor", "__proto__"],
    "divides by zero": ["1/0", "0/0", "1/0.0"],
    "too large or too small": ["1e999", "1e-999", "9" * 1000, "10^400", "0.1^9999", "1e3089"],
}  # fmt: skip


@pytest.fixture(scope="module")
def page(browser):
    """A page with the script and nothing else."""
    context = browser.new_context()
    page = context.new_page()
    page.goto("about:blank")
    page.add_script_tag(content=question.SCRIPT)
    yield page
    context.close()


READ = """(texts) => texts.map((text) => {
    const r = gttAsk.read(text);
    const digits = r.digits === Infinity ? 'exact' : r.digits;
    return r.fault !== undefined ? r.fault : [r.value, r.half, digits]; })"""


def read(page, *texts):
    return page.evaluate(READ, list(texts))


def test_each_way_of_writing_is_read(page):
    for (text, (value, half, digits)), found in zip(MEANT.items(), read(page, *MEANT), strict=True):
        assert isinstance(found, list), (text, found)
        assert math.isclose(found[0], value, rel_tol=1e-12), (text[:30], found)
        assert math.isclose(found[1], half, rel_tol=1e-9, abs_tol=1e-300), (text[:30], found)
        assert found[2] == ("exact" if digits == math.inf else digits), (text[:30], found)


@pytest.mark.parametrize("words", ASKED)
def test_what_cannot_be_read_is_asked_for_again(page, words):
    for text, found in zip(ASKED[words], read(page, *ASKED[words]), strict=True):
        assert isinstance(found, str) and words in found, (text[:30], found)


POINTS = st.sampled_from([".", ","])
MINUS = st.sampled_from(["-", "−", "–", "‑", "- ", "－"])
SPACE = st.sampled_from(["", " ", "\u00a0", "\u2009", "\t"])
EXPONENT = st.sampled_from(["e{}", "E{}", "×10^{}", " × 10^{}", "*10^{}", " · 10^({})", "x10**{}"])


@st.composite
def written(draw):
    """(what is typed, what is meant) of a decimal in one of the usual spellings."""
    whole, decimals = draw(st.integers(0, 999)), draw(st.text("0123456789", max_size=12))
    point = draw(POINTS)
    if point == "," and len(decimals) == 3 and whole:
        decimals += "0"  # with three it could be a thousand
    text, meant = str(whole), str(whole)
    if decimals:
        text, meant = f"{whole}{point}{decimals}", f"{whole}.{decimals}"
    value = Decimal(meant)
    if draw(st.booleans()):
        power = draw(st.integers(-30, 30))
        sign = draw(st.sampled_from(["-", "−"])) if power < 0 else draw(st.sampled_from(["", "+"]))
        text += draw(EXPONENT).format(f"{sign}{abs(power)}")
        value = value.scaleb(power)
    if draw(st.booleans()):
        text, value = draw(MINUS) + text, -value
    return draw(SPACE) + text + draw(SPACE), value


@given(st.lists(written(), min_size=20, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_decimal_is_read_as_it_was_meant(page, cases):
    for (text, value), found in zip(cases, read(page, *(text for text, _ in cases)), strict=True):
        assert isinstance(found, list), (text, found)
        assert math.isclose(found[0], float(value), rel_tol=1e-12), (text, found)


@given(st.lists(st.tuples(st.integers(-999, 999), st.integers(1, 999)), min_size=20, max_size=20))
@settings(max_examples=25, deadline=None)
def test_a_fraction_is_read_as_it_was_meant(page, cases):
    for (a, b), found in zip(cases, read(page, *(f"{a}/{b}" for a, b in cases)), strict=True):
        assert math.isclose(found[0], float(Fraction(a, b)), rel_tol=1e-12), (a, b, found)


TYPED = st.one_of(st.text(), st.text("0123456789.,eE+-−×x*^/%()' ⁻¹²³½ "), st.text("<>/script0"))


@given(st.lists(TYPED, min_size=50, max_size=50))
@settings(max_examples=60, deadline=None)
def test_nothing_that_is_typed_is_an_exception_or_a_strange_number(page, texts):
    """What is read has a digit in it, and is finite; Python's own reading of it, where it has one,
    agrees."""
    texts = [text for text in texts if not any(0xD800 <= ord(c) < 0xE000 for c in text)]
    for text, found in zip(texts, read(page, *texts), strict=True):
        if isinstance(found, str):
            continue
        assert math.isfinite(found[0]) and found[1] >= 0, (text, found)
        assert re.search(r"\d|[¼-¾⅐-⅞]", text), (text, found)
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
            assert math.isclose(found[0], float(text), rel_tol=1e-12), (text, found)
