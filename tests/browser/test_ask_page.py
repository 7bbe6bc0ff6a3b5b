"""Questions in a browser, without a kernel: each kind answered right and wrong, by keyboard and
pointer, kept and told.

One page with a question of each kind is made here (questions.py), so that these tests need no
built book."""

import itertools
import json
import re
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest
import questions as made

from bptt_core import ask
from bptt_core.ask import question
from bptt_core.ask.text import number, rich
from bptt_core.explorer import script as explorer_script

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>Questions</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="ask.css"><style>
body {{ margin: 0 auto; max-width: 700px; padding: 16px; background: var(--gtt-paper);
  color: var(--gtt-ink) }}</style>
<script defer src="explorer.js"></script><script defer src="ask.js"></script></head>
<body><main><h1>Questions</h1>{body}</main></body></html>"""
GUARDED = """<div class="cell" id="guarded"><pre>code</pre>
<div class="cell_output"><pre>sesame</pre></div></div><p id="guarded-too">So it was sesame.</p>"""


@pytest.fixture(scope="module")
def lab():
    return made.lab()


@pytest.fixture(scope="module")
def bring(lab):
    return made.state(lab)


@pytest.fixture(scope="module")
def address(lab, tmp_path_factory):
    """A folder with the pages, light and dark: address(theme) is the file:// address of one."""
    folder = tmp_path_factory.mktemp("questions")
    (folder / "ask.js").write_text(question.script(progress=True), encoding="utf-8")
    (folder / "ask.css").write_text(question.PALETTE + question.SHEET, encoding="utf-8")
    (folder / "explorer.js").write_text(explorer_script.classic(), encoding="utf-8")
    every = made.every(lab)
    bank = {q._name: re.search(r"-->(.*)<!--", q._html, re.S)[1] for q in every[:3]}
    (folder / "bank.js").write_text(f"gttAsk.bank({json.dumps(bank)});", encoding="utf-8")
    banks = json.dumps({f"{folder.name}/light.html": "bank.js"}).replace('"', "&quot;")
    again = ask.again()._html.replace('data-ask="again"', f'data-ask="again" data-banks="{banks}"')
    known = [{"name": q._name, "title": "1. A chapter", "question": q._question, "was": "so",
              "link": f"light.html#ask-{q._name}"} for q in every]  # fmt: skip
    data = json.dumps(known).replace('"', "&quot;")
    progress = ask.progress()._html.replace('"progress"', f'"progress" data-all="{data}"')
    questions = "".join(q._html for q in every) + GUARDED + lab._html
    pages = {"": questions + ask.summary()._html, "next-": again, "answers-": progress}
    for (start, body), theme in itertools.product(pages.items(), ("light", "dark")):
        file = folder / f"{start}{theme}.html"
        file.write_text(PAGE.format(theme=theme, body=body), encoding="utf-8")
    return lambda name="light": (folder / f"{name}.html").as_uri()


@pytest.fixture
def open_page(visit, address):
    def open_one(name="light", where="", **options):
        return visit(address(name) + where, ready=".gtt-ask", **options)

    return open_one


@pytest.fixture
def page(open_page):
    opened = open_page()
    yield opened.page
    assert opened.console == [], "nothing is thrown, whatever was answered"


def root(page, name):
    return page.locator(f"#ask-{name}")


def said(page, name):
    """(verdict, words) of what a question says."""
    box = root(page, name).locator(".gtt-ask-said > div").last
    return box.get_attribute("data-verdict"), box.inner_text()


def typed(page, name, answer):
    box = root(page, name).locator("input").first
    box.fill(answer)
    box.press("Enter")
    return said(page, name)


# --- a choice


def test_each_pick_has_its_sentence(page):
    expected = (
        ("slip", "Not so. It bounds. It does not decide."),
        ("right", "Right. It is a bound."),
        ("slip", "Not so. It bounds."),
    )
    for pick, (verdict, words) in enumerate(expected):
        root(page, "pick").locator("input").nth(pick).check()
        root(page, "pick").locator("[type=submit]").click()
        assert said(page, "pick") == (verdict, words)


def test_no_pick_is_no_answer(page):
    root(page, "pick").locator("[type=submit]").click()
    assert said(page, "pick") == ("fault", "Pick one first.")
    assert page.evaluate("localStorage.getItem('gtt-answers')") is None


def test_a_choice_is_made_by_keyboard(page):
    root(page, "pick").locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert said(page, "pick")[0] == "right"


def test_the_wrong_line_is_found(page):
    root(page, "hunt").locator("input").nth(1).check()
    root(page, "hunt").locator("[type=submit]").press("Enter")
    assert said(page, "hunt") == ("right", "Right. ht−1 belongs here.")


# --- a number: right is 0.57294…


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        ("0.57", "right", "1 − h2."), ("0,573", "right", "1 − h2."), ("57.3 %", "right", "1 − h2."),
        ("5.73e-1", "right", "1 − h2."), ("0.5729378", "right", "1 − h2."),
        ("573/1000", "near", "last digit"),
        ("0.58", "near", "To three digits: 0.573."), ("0.572", "near", "To three digits: 0.573."),
        ("0.35", "slip", "1 − h was taken."), ("0.23", "slip", "That is logistic."),
        ("-0.57", "slip", "The sign is the other way round."), ("1.15", "slip", "twice"),
        ("0.286", "slip", "half"), ("3.44", "slip", "T = 6 times too large"),
        ("0.0955", "slip", "T = 6 times too small"), ("1.72", "slip", "B = 3 times too large"),
        ("-0.35", "slip", "1 − h was taken."),
        ("-0.35", "slip", "The sign is the other way round."),
        ("0.75", "off", "1.31 times the right number"), ("0.6", "fault", "at least 2 digits"),
        ("0.3", "fault", "at least 2 digits"), ("x", "fault", "cannot read"),
        ("", "fault", "Type a number"),
        ("0", "off", "No mistake I know gives that."), ("570", "off", "995 times the right number"),
        ("5.7e9", "off", "about 10^9 times"), ("-0.75", "off", "−1.31 times"),
    ],
)  # fmt: skip
def test_a_number_is_known_at_the_digits_that_were_typed(page, text, verdict, words):
    found = typed(page, "slope", text)
    assert found[0] == verdict and words in found[1], found


def test_two_mistakes_that_the_digits_cannot_tell_apart_are_both_named(page):
    verdict, words = typed(page, "twins", "2.3")
    assert verdict == "slip" and "Either: First." in words and "Or: Second." in words
    assert "Or:" not in typed(page, "twins", "2.31")[1]
    assert typed(page, "twins", "2.33")[1].endswith("Second.")


def test_what_rounded_givens_make_is_right_as_well(page):
    for text in ("5.17", "4.9", "4.90"):
        assert typed(page, "twins", text) == ("right", "Right. Like this.")
    assert typed(page, "twins", "3.9")[0] == "off"


def test_a_whole_number_needs_no_second_digit(page):
    assert typed(page, "count", "4")[0] == typed(page, "count", "4.0")[0] == "right"
    assert typed(page, "count", "5") == ("slip", "Not so. One too many.")


def test_a_wrong_count_is_told_its_side_and_not_its_ratio(page):
    for text, side in (("3", "larger"), ("2", "larger"), ("8", "smaller"), ("1000", "smaller")):
        assert typed(page, "count", text) == ("off", f"Not so. The right number is {side}.")


# --- steps

EXPLAIN = """([name, k, all]) => {
    const spec = JSON.parse(document.querySelector(`#ask-${name} script`).textContent);
    return all.map(([variant, typed, before]) => {
        let at = 0, n = 0;
        const numbers = spec.variants[variant].numbers, row = spec.steps.map((s) => {
            const size = {scale: s.n, add: s.n, map: s.n * n};
            n += s.n;
            return {...s, slots: s.slots.map(([kind, ids]) => ({kind, ids,
                values: [0, ...ids].map(() => numbers.slice(at, (at += size[kind])))}))}; });
        const read = typed.map((text) => gttAsk.read(text));
        const found = gttAsk.explain(read, row[k], [before]);
        const said = found.found.map(({ids}) => ids.map((id) => spec.sentences[id]));
        return [found.level, said]; }); }"""


def written(values, digits=2):
    return [f"{value:#.{digits}g}" for value in np.ravel(values)]


def cases(k):
    """(variant, slips, what a reader types who makes them, the right answers before) of step k,
    over all variants."""
    for variant in range(5):
        steps = made.task(variant).steps
        before = np.zeros(0)
        for step in steps[:k]:
            before = np.concatenate([before, step.value(before).ravel()])
        single, pairs = made.slips_of(steps[k])
        for slips in [(), *single, *pairs]:
            yield variant, slips, written(made.outcome(steps[k], before, slips)), before.tolist()


@pytest.mark.parametrize("k", [0, 1, 2])
def test_every_slip_and_every_pair_is_named_in_every_variant(page, k):
    """Right answers as right; a slip by its sentence, perhaps beside another; a pair by both, or
    by one slip that gives the same numbers at two digits."""
    all_cases = list(cases(k))
    found = page.evaluate(EXPLAIN, ["steps", k, [[v, t, b] for v, _, t, b in all_cases]])
    named = {0: [], 1: [], 2: []}
    for (variant, slips, numbers, _), (level, sentences) in zip(all_cases, found, strict=True):
        parts = [part for _, part, _ in made.task(variant).steps[k].slots(0)]
        mine = [rich(parts[slot].slips[i][1]) for slot, i in slips]
        assert level <= len(slips), (variant, slips, numbers)
        named[len(slips)].append(any(sorted(ids) == sorted(mine) for ids in sentences))
    assert all(named[0]) and np.mean(named[1]) >= 0.98
    assert not named[2] or np.mean(named[2]) >= 0.8


def fill(page, k, values):
    step = root(page, "steps").locator(".gtt-ask-step").nth(k)
    for i, text in enumerate(values):
        step.locator("input").nth(i).fill(text)
    step.locator("input").last.press("Enter")
    box = step.locator(".gtt-ask-said > div")
    return box.get_attribute("data-verdict"), box.inner_text()


def test_a_slip_is_named_once_and_what_follows_is_judged_from_it(page):
    """δ_2 without its slope; then everything right, from that δ_2."""
    first, second, third = made.task(0).steps
    slipped = made.outcome(first, np.zeros(0), [(0, 0)])
    assert fill(page, 0, written(slipped)) == ("slip", "Not so. The slope is missing.")
    then = second.value(slipped).ravel()
    assert fill(page, 1, written(then))[0] == "carried"
    verdict, words = fill(page, 2, written(third.value(np.r_[slipped, then])))
    assert verdict == "carried" and "1 of 3 steps went wrong" in words


def test_a_slip_that_is_made_again_is_not_named_again(page):
    first, second, _ = made.task(0).steps
    slipped = made.outcome(first, np.zeros(0), [(0, 0)])
    fill(page, 0, written(slipped))
    verdict, words = fill(page, 1, written(made.outcome(second, slipped, [(0, 0)])))
    assert (verdict, words) == ("again", "Once more. The same slip as before, and nothing new.")


def test_a_step_made_right_after_a_wrong_one_is_right(page):
    first, second, _ = made.task(0).steps
    fill(page, 0, ["0.11", "0.13"])
    assert fill(page, 1, written(second.value(first.value(np.zeros(0)))))[0] == "right"


def test_all_steps_right_is_said_and_kept(page):
    before = np.zeros(0)
    for k, step in enumerate(made.task(0).steps):
        value = step.value(before).ravel()
        verdict, words = fill(page, k, written(value, 3))
        assert verdict == "right"
        before = np.concatenate([before, value])
    assert "All steps are right." in words
    assert kept(page)["steps"]["first"] == "right"


def test_a_transposed_matrix_and_one_wrong_sign_are_seen(page):
    before = np.zeros(0)
    *first, last = made.task(0).steps
    for k, step in enumerate(first):
        value = step.value(before).ravel()
        fill(page, k, written(value, 3))
        before = np.concatenate([before, value])
    value = last.value(before)
    verdict, words = fill(page, 2, written(value.T, 3))
    assert verdict == "slip" and "transpose" in words
    flipped = value * [[1, 1], [-1, 1]]
    verdict, words = fill(page, 2, written(flipped, 3))
    assert verdict == "off" and "Right, but for the sign of the marked entries." in words
    marks = root(page, "steps").locator(".gtt-ask-step").nth(2).locator("input")
    assert [marks.nth(i).get_attribute("aria-invalid") for i in range(4)] == [
        None,
        None,
        "true",
        None,
    ]


def test_later_steps_wait_for_earlier_ones(page):
    steps = root(page, "steps").locator(".gtt-ask-step")
    assert [step.evaluate("(e) => e.disabled") for step in steps.all()] == [False, True, True]
    fill(page, 0, ["0.11", "0.13"])
    assert [step.evaluate("(e) => e.disabled") for step in steps.all()] == [False, False, True]


def test_another_variant_brings_its_numbers_and_is_kept(page):
    shown = root(page, "steps").locator("[data-given='0']")
    before = shown.inner_text()
    root(page, "steps").locator(".gtt-ask-another").click()
    W = made.task(1).given["W_hh"]
    assert shown.inner_text() != before
    assert f"{W[0, 0]:.2f}".replace("-", "−") in shown.inner_text()
    assert fill(page, 0, written(made.task(1).steps[0].value(np.zeros(0))))[0] == "right"
    page.reload()
    assert f"{W[0, 0]:.2f}".replace("-", "−") in shown.inner_text()
    first = root(page, "steps").locator(".gtt-ask-step").first
    assert first.locator("input").first.input_value() != ""
    root(page, "steps").locator("summary", has_text="Show me").click()
    cell = root(page, "steps").locator("[data-right='0']").inner_text().replace("−", "-")
    assert np.isclose(float(cell), made.task(1).steps[0].value(np.zeros(0))[0], rtol=0.01)


# --- a curve


def draw(page, values):
    """Set the points as the arrow keys would: decades."""
    sliders = root(page, "draw").locator("input")
    for i, value in enumerate(values):
        sliders.nth(i).fill(f"{value:g}")
    root(page, "draw").locator("[type=submit]").click()
    return said(page, "draw")


TRUTH = [round(float(np.log10(v)), 1) for v in made.CURVE]


@pytest.mark.parametrize(
    ("values", "verdict", "words"),
    [
        (TRUTH, "right", "Nowhere more than half a decade off."),
        ([v + 0.4 for v in TRUTH], "right", "One decade for five lags"),
        ([*TRUTH[:4], TRUTH[4] - 2, TRUTH[5]], "off", "Furthest off at lag 20: 2 decades low."),
        ([v + 1 for v in TRUTH], "off", "Too high everywhere, most at lag"),
        ([0] * 6, "slip", "Flat: nothing vanishes."),
    ],
)
def test_a_drawn_curve_is_told_how_far_off_and_where(page, values, verdict, words):
    found = draw(page, values)
    assert found[0] == verdict and words in found[1], found


def test_the_truth_is_hidden_until_a_curve_is_drawn(page):
    truth = root(page, "draw").locator(".gtt-truth")
    assert truth.evaluate("(e) => getComputedStyle(e).visibility") == "hidden"
    root(page, "draw").locator("[type=submit]").click()
    assert said(page, "draw")[1].startswith("Draw first")
    draw(page, TRUTH)
    assert truth.evaluate("(e) => getComputedStyle(e).visibility") == "visible"


def test_the_reader_s_curve_lies_on_the_truth_if_it_is_the_truth(page):
    draw(page, TRUTH)
    ends = """(e) => [...e.getAttribute('d').matchAll(/(-?[\\d.]+) (-?[\\d.]+)/g)]
        .map((m) => m.slice(1).map(Number))"""
    mine, true = (
        np.array(root(page, "draw").locator(c).evaluate(ends)) for c in (".gtt-guess", ".gtt-truth")
    )
    assert np.abs(mine - true).max() < 0.1


def test_a_curve_is_drawn_by_keyboard(page):
    slider = root(page, "draw").locator("input").nth(2)
    slider.focus()
    before = float(slider.input_value())
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    assert np.isclose(float(slider.input_value()), before + 0.3)
    assert root(page, "draw").locator("circle").nth(2).get_attribute("class") == "gtt-held"
    assert re.fullmatch(r"0\.0\d+", slider.get_attribute("aria-valuetext"))
    assert slider.get_attribute("aria-label") == "size at lag 10"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_curve_is_drawn_with_one_stroke(open_page, width):
    page = open_page(width=width).page
    root(page, "draw").scroll_into_view_if_needed()
    boxes = [c.bounding_box() for c in root(page, "draw").locator("circle").all()]
    centres = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    page.mouse.move(*centres[0])
    page.mouse.down()
    for i, (x, y) in enumerate(centres):
        page.mouse.move(x, y + 8 * i, steps=6)
    page.mouse.up()
    values = [float(s.input_value()) for s in root(page, "draw").locator("input").all()]
    assert all(a > b for a, b in itertools.pairwise(values[1:])), values
    page.mouse.move(*centres[5])
    assert [float(s.input_value()) for s in root(page, "draw").locator("input").all()] == values


# --- an order


def arrange(page, order, picks):
    """Bring the lines into an order with their buttons, and choose: 0 is the right twin."""
    lines = root(page, "lines").locator("li")
    for place, line in enumerate(order):
        while (
            at := [li.get_attribute("data-line") for li in lines.all()].index(str(line))
        ) > place:
            lines.nth(at).locator("[data-by='-1']").press("Enter")
    for line, pick in picks.items():
        code = [made.BODY[line][0], *made.BODY[line][1]][pick]
        root(page, "lines").locator(f"li[data-line='{line}'] label").filter(
            has=page.locator(f"code:text-is('{code}')")
        ).click()
    root(page, "lines").locator("[type=submit]").click()
    return said(page, "lines")


def test_the_right_program_is_right(page):
    verdict, words = arrange(page, [0, 1, 2], {0: 0, 1: 0})
    assert verdict == "right" and "Slope, collect, carry." in words and "right to rounding" in words
    assert root(page, "lines").locator(".gtt-wrong").count() == 0


def test_an_order_that_does_as_well_is_right(page):
    assert arrange(page, [0, 2, 1], {0: 0, 1: 0})[0] == "right"


@pytest.mark.parametrize(
    ("order", "picks", "line", "words"),
    [
        ([0, 1, 2], {0: 1, 1: 0}, 1, "The slope is missing."),
        ([0, 1, 2], {0: 0, 1: 1}, 2, "ht was taken for ht−1."),
        ([0, 1, 2], {0: 1, 1: 1}, 1, "The slope is missing."),
        ([1, 0, 2], {0: 0, 1: 0}, 1, "da comes first."),
        ([0, 2, 1], {0: 0, 1: 1}, 3, "ht was taken for ht−1."),
    ],
)
def test_the_first_wrong_line_is_pointed_at(page, order, picks, line, words):
    verdict, found = arrange(page, order, picks)
    assert (
        verdict == "slip"
        and f"Line {line} is the first that goes wrong." in found
        and words in found
    )
    wrong = root(page, "lines").locator("li").nth(line - 1)
    assert "gtt-wrong" in wrong.get_attribute("class")
    if order[0] == 0:
        error = made.run(
            [[c, *w][picks.get(i, 0)] for i, (c, w, _) in enumerate(made.BODY)]
        ).errors["dW_hh"]
        assert f"dW_hh {rich(number(error, 2))}".replace("_hh", "hh") in found
        assert root(page, "lines").locator(".gtt-losses path").count() == 2


def test_a_line_is_dragged(page):
    lines = root(page, "lines").locator("li")
    root(page, "lines").scroll_into_view_if_needed()
    before = [li.get_attribute("data-line") for li in lines.all()]
    grip, last = lines.nth(0).locator(".gtt-ask-grip").bounding_box(), lines.nth(2).bounding_box()
    page.mouse.move(grip["x"] + 4, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 4, last["y"] + last["height"] - 4, steps=12)
    page.mouse.up()
    assert [li.get_attribute("data-line") for li in lines.all()] == [*before[1:], before[0]]


def test_a_moved_line_keeps_the_focus_and_says_where_it_is(page):
    button = root(page, "lines").locator("li").nth(1).locator("[data-by='1']")
    button.press("Enter")
    assert page.evaluate("document.activeElement.dataset.by") == "1"
    assert "Now line 3 of 3." in root(page, "lines").locator("[role=status]").inner_text()


def test_a_line_with_a_twin_must_be_chosen(page):
    root(page, "lines").locator("[type=submit]").click()
    assert said(page, "lines")[0] == "fault"


# --- a lab


def test_a_lab_brought_there_solves_its_question(page, lab, bring):
    _, key, goal = bring
    assert "bring" not in (kept(page) or {})
    page.locator(f"[data-control='{key}'] input").first.fill(str(goal))
    page.wait_for_function("document.querySelector('#ask-bring [data-verdict=right]')")
    assert said(page, "bring") == ("right", "Right. There it is.")
    assert kept(page)["bring"]["first"] == "right"


def test_a_lab_that_the_reader_has_not_touched_solves_nothing(page, lab, bring):
    """A lab also tells where it starts, and where an address has put it."""
    _, key, goal = bring
    at = [goal if k == key else v.index(lab.settings[k]) for k, v in lab.grid.items()]
    tell = """([name, at, touched]) => document.dispatchEvent(new CustomEvent('gtt:setting',
        {detail: {name, at, touched, settings: {}, sentence: ''}}))"""
    for name, touched, solved in (
        (lab.address, False, 0),
        ("other", True, 0),
        (lab.address, True, 1),
    ):
        page.evaluate(tell, [name, at, touched])
        assert root(page, "bring").locator("[data-verdict=right]").count() == solved


def test_a_lab_says_where_it_is_and_in_which_words(page, lab, bring):
    _, key, goal = bring
    page.evaluate("""document.addEventListener('gtt:setting', ({detail}) => {
        if (detail.touched) window.heard = detail; })""")
    page.locator(f"[data-control='{key}'] input").first.fill(str(goal))
    page.wait_for_function("window.heard")
    heard = page.evaluate("window.heard")
    assert heard["name"] == lab.address and heard["touched"]
    assert heard["settings"][key] == lab.grid[key][goal]
    assert heard["at"] == [lab.grid[k].index(v) for k, v in heard["settings"].items()]
    assert (
        heard["sentence"].replace("*", "").replace("_", "")
        == page.locator(".gtt-readout").inner_text()
    )


# --- code


def test_without_python_the_reader_is_told_where_there_is_one(page):
    root(page, "write").locator("[type=submit]").click()
    assert "Copy the code to a notebook" in said(page, "write")[1]
    assert "write" not in (kept(page) or {})


def test_a_python_in_the_page_gets_setup_code_and_check(page):
    page.evaluate("""() => { window.gttPython = {run: async (task, tell) => {
        window.asked = [task.code, task.setup, task.check];
        tell('Loading Python: 1 of 9 MB', 0.1);
        const said = ['Three becomes <b>3</b><script>window.bad = 1</script>.'];
        return {checked: JSON.stringify({right: false, said})}; }}; }""")
    root(page, "write").locator("textarea").fill("def double(x):\n    return x + 0\n")
    root(page, "write").locator("[type=submit]").click()
    page.wait_for_function("document.querySelector('#ask-write [data-verdict=slip]')")
    code, setup, check = page.evaluate("window.asked")
    assert setup == "import numpy as np" and "x + 0" in code and "def check(names):" in check
    assert "<b>3</b><script>" in said(page, "write")[1], (
        "what the reader's code says is text, not markup"
    )
    assert page.evaluate("window.bad") is None


def test_code_can_be_begun_again_and_is_kept(page):
    area = root(page, "write").locator("textarea")
    page.evaluate("""() => { const checked = JSON.stringify({right: true, said: ['So.']});
        window.gttPython = {run: async () => ({checked})}; }""")
    area.fill("def double(x):\n    return 2 * x\n")
    root(page, "write").locator("[type=submit]").click()
    page.wait_for_function("document.querySelector('#ask-write [data-verdict=right]')")
    page.reload()
    assert "2 * x" in area.input_value()
    root(page, "write").locator(".gtt-ask-reset").click()
    assert "2 * x" not in area.input_value()


# --- predict, then see


def folded(page):
    return page.evaluate(
        "[document.querySelector('#guarded .cell_output'), document.getElementById('guarded-too')]"
        ".map((e) => e.getAttribute('hidden'))"
    )


UNTIL = ["until-found"] * 2


def test_outputs_stay_folded_until_there_is_an_answer(page):
    assert folded(page) == UNTIL
    assert page.locator(".gtt-folded").count() == 1
    root(page, "pick").locator("[type=submit]").click()
    assert folded(page) == UNTIL, "no pick, no answer"
    root(page, "pick").locator("input").first.check()
    root(page, "pick").locator("[type=submit]").click()
    assert folded(page) == [None, None] and page.locator(".gtt-folded").count() == 0
    page.reload()
    assert folded(page) == [None, None], "answered once, it stays open"


@pytest.mark.parametrize("how", ["show it", "Show me", "found"])
def test_outputs_open_when_the_reader_asks(page, how):
    if how == "show it":
        page.locator(".gtt-folded button").press("Enter")
        assert page.evaluate("document.activeElement.className") == "cell_output"
    elif how == "Show me":
        root(page, "pick").locator("summary", has_text="Show me").click()
    else:
        page.evaluate("""document.querySelector('#guarded .cell_output')
            .dispatchEvent(new Event('beforematch', {bubbles: true}))""")
    page.wait_for_function("!document.querySelector('[hidden=until-found]')")


def test_a_solution_shown_first_counts_as_shown(page):
    root(page, "pick").locator("summary", has_text="Show me").click()
    page.wait_for_function("localStorage.getItem('gtt-answers')")
    root(page, "pick").locator("input").nth(1).check()
    root(page, "pick").locator("[type=submit]").click()
    assert kept(page)["pick"]["first"] == "shown" and kept(page)["pick"]["last"] == "right"


def test_hints_come_before_the_solution(page):
    summaries = root(page, "pick").locator("summary")
    assert summaries.all_inner_texts() == ["A hint", "One more hint", "Show me"]
    summaries.nth(0).press("Enter")
    assert root(page, "pick").get_by_text("Think of a bound.").is_visible()
    assert folded(page) == UNTIL


# --- kept


def kept(page):
    text = page.evaluate("localStorage.getItem('gtt-answers')")
    return text and json.loads(text)["q"]


def test_what_was_answered_is_there_after_a_reload(page):
    root(page, "pick").locator("input").nth(0).check()
    root(page, "pick").locator("[type=submit]").click()
    typed(page, "slope", "0.35")
    draw(page, [0] * 6)
    arrange(page, [0, 1, 2], {0: 1, 1: 0})
    before = {name: said(page, name) for name in ("pick", "slope", "draw", "lines")}
    page.reload()
    assert {name: said(page, name) for name in before} == before
    assert root(page, "pick").locator("input").nth(0).is_checked()
    assert root(page, "slope").locator("input").input_value() == "0.35"


BLOCKED = """Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('no', 'SecurityError'); }})"""
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
OLDER = "if (!sessionStorage.x) { sessionStorage.x = 1; localStorage.setItem('gtt-answers', %r); }"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (BLOCKED, "keeps nothing for this page"),
        (FULL, "storage is full"),
        (OLDER % '{"v":0,"q":{}}', "another edition"),
        (OLDER % "not json", "another edition"),
        (OLDER % '{"v":1,"q":{"pick":{"first":7}}}', "another edition"),
        (OLDER % '{"v":1}', "another edition"),
        (OLDER % "null", "another edition"),
    ],
)
def test_a_browser_that_keeps_nothing_is_told_of_once_and_the_page_works(
    browser, address, script, words
):
    context = browser.new_context()
    context.add_init_script(script)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address())
    page.wait_for_selector("#ask-write[data-ready]")
    verdict, found = typed(page, "slope", "0.35")
    assert verdict == "slip" and words in found
    assert words not in typed(page, "count", "4")[1], "once is enough"
    assert "0.35 (not so)" in page.locator(".gtt-ask-summary").inner_text(), (
        "kept until the page is left"
    )
    assert errors == []
    if "older" in script or "another" in words:
        assert kept(page)["slope"]["first"] == "slip"
    context.close()


@pytest.mark.parametrize(
    "state",
    ["null", '"x"', "[9,[[]]]", "[[9,9]]", "{}", "-1", '[0,["<img src=x onerror=window.bad=1>"]]'],
)
def test_a_state_that_another_page_kept_does_no_harm(browser, address, state):
    entry = {
        "first": "slip",
        "said": "<img src=x onerror=window.bad=1>",
        "page": "p",
        "last": "slip",
    }
    names = ["pick", "hunt", "slope", "twins", "count", "steps", "draw", "lines", "bring", "write"]
    stored = json.dumps({"v": 1, "q": {n: entry | {"state": json.loads(state)} for n in names}})
    context = browser.new_context()
    context.add_init_script(f"localStorage.setItem('gtt-answers', {json.dumps(stored)})")
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address())
    page.wait_for_selector("#ask-write[data-ready]")
    page.wait_for_timeout(50)
    assert errors == [] and page.evaluate("window.bad") is None
    assert typed(page, "slope", "0.57")[0] == "right"
    context.close()


# --- what a page, and the course, tell of the answers


def test_the_end_of_a_page_says_what_was_expected_and_what_was_so(page):
    summary = page.locator(".gtt-ask-summary")
    assert "10 questions: 0 right at first, 0 not so, 0 shown, 10 skipped." in summary.inner_text()
    root(page, "pick").locator("input").nth(0).check()
    root(page, "pick").locator("[type=submit]").click()
    typed(page, "slope", "0.573")
    root(page, "count").locator("summary", has_text="Show me").click()
    page.wait_for_function(
        "document.querySelector('.gtt-ask-summary').innerText.includes('1 shown')"
    )
    assert "1 right at first, 1 not so, 1 shown, 7 skipped" in summary.inner_text()
    row = summary.locator("tr", has_text="Does the norm").locator("td")
    assert row.all_inner_texts() == ["yes (not so)", "no"]
    assert summary.locator("tr", has_text="Carry it back").locator("td").all_inner_texts() == [
        "skipped",
        "",
    ]


def test_the_next_page_asks_again_what_went_wrong(open_page, address):
    page = open_page().page
    typed(page, "slope", "0.35")
    page.goto(address("next-light"))
    again = page.locator(".gtt-ask-again")
    again.locator(".gtt-ask[data-ready]").wait_for()
    assert again.locator(".gtt-ask").count() == 1 and again.is_visible()
    typed(page, "slope", "0.23")
    page.reload()
    again.locator(".gtt-ask[data-ready]").wait_for()
    assert typed(page, "slope", "0.573")[0] == "right"
    assert kept(page)["slope"]["first"] == "slip" and kept(page)["slope"]["again"]
    page.reload()
    page.wait_for_timeout(200)
    assert again.is_hidden()


def test_a_page_asks_nothing_again_if_nothing_went_wrong(open_page):
    opened = open_page("next-light")
    assert opened.page.locator(".gtt-ask-again").is_hidden() and opened.console == []


def test_the_course_s_answers_go_out_as_a_file_and_come_in_again(open_page, address, tmp_path):
    page = open_page().page
    typed(page, "slope", "0.35")
    page.goto(address("answers-light"))
    progress = page.locator(".gtt-ask-progress")
    assert "10 questions: 0 right at first, 1 not so, 0 shown, 9 skipped." in progress.inner_text()
    with page.expect_download() as download:
        progress.locator(".gtt-ask-export").click()
    file = tmp_path / "answers.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["q"]["slope"]["said"] == "0.35"
    page.once("dialog", lambda dialog: dialog.dismiss())
    progress.locator(".gtt-ask-reset").click()
    assert "1 not so" in progress.inner_text(), "asked first"
    page.once("dialog", lambda dialog: dialog.accept())
    progress.locator(".gtt-ask-reset").click()
    assert "0 not so" in progress.inner_text() and kept(page) == {}
    progress.locator("input[type=file]").set_input_files(file)
    page.wait_for_function(
        "document.querySelector('.gtt-ask-progress').innerText.includes('1 not so')"
    )
    assert "1 answer read" in progress.locator("[role=status]").inner_text()
    page.goto(address())
    assert root(page, "slope").locator("input").input_value() == "0.35"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"v":2,"q":{}}', '{"v":1,"q":{"x":{"first":1}}}', "<p>"]
)
def test_a_file_that_holds_no_answers_changes_nothing(open_page, tmp_path, text):
    page = open_page("answers-light").page
    file = tmp_path / "answers.json"
    file.write_text(text)
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.includes('Nothing was changed')"
    )


# --- for everybody


@pytest.mark.parametrize("name", ["light", "dark", "answers-light", "answers-dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("answered", [False, True])
def test_axe_finds_nothing_of_any_impact(open_page, name, width, answered):
    page = open_page(name, theme=name.split("-")[-1], width=width).page
    if answered and "answers" not in name:
        root(page, "pick").locator("input").nth(0).check()
        root(page, "pick").locator("[type=submit]").click()
        typed(page, "slope", "0.35")
        typed(page, "count", "4")
        fill(page, 0, ["0.11", "0.13"])
        draw(page, [0] * 6)
        arrange(page, [0, 1, 2], {0: 1, 1: 0})
        root(page, "write").locator("[type=submit]").click()
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [
        f"{v['id']}: {node['html'][:140]}" for v in result["violations"] for node in v["nodes"]
    ]
    assert result["passes"] and found == []


def test_every_control_has_a_name_and_is_reached_by_keyboard(page):
    """Tab from the top: each control that can be used comes, once for each group of radios."""
    names = page.evaluate("""() =>
        [...document.querySelectorAll('.gtt-ask :is(button, input, textarea, summary)')].map((e) =>
            (e.ariaLabel || e.closest('label')?.innerText || e.labels?.[0]?.innerText
            || e.innerText).trim())""")
    assert all(names), names
    reached = set()
    page.locator("h1").click()
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate("""() => {
            const e = document.activeElement, root = e.closest('.gtt-ask');
            return root && [root.id, e.name || e.ariaLabel || e.innerText]; }""")
        if at:
            reached.add(tuple(at))
    ids = {name for name, _ in reached}
    assert ids == {
        f"ask-{n}"
        for n in (
            "pick",
            "hunt",
            "slope",
            "twins",
            "count",
            "steps",
            "draw",
            "lines",
            "bring",
            "write",
        )
    }
    assert sum(name == "ask-draw" for name, _ in reached) == 6 + 2, "six sliders, a button, show me"


def test_a_screen_reader_hears_the_question_with_its_controls_and_then_the_verdict(page):
    tree = root(page, "pick").aria_snapshot()
    assert re.search(r'group "Does the norm of W ?hh decide\?"', tree), tree
    assert 'radio "yes"' in tree and "status" in tree
    root(page, "pick").locator("input").nth(0).check()
    root(page, "pick").locator("[type=submit]").click()
    tree = root(page, "pick").aria_snapshot()
    assert re.search(
        r"- status:\s+- paragraph:\s+- strong: Not so\.\s+- text: It bounds\.", tree
    ), tree


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("name", ["light", "answers-light"])
def test_nothing_overflows_sideways_on_a_phone(open_page, width, name):
    page = open_page(name, width=width).page
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_there_is_the_question_and_a_closed_answer(open_page):
    page = open_page(javascript=False, width=390).page
    for name in ("pick", "hunt", "slope", "steps", "draw", "lines", "bring", "write"):
        assert root(page, name).locator(".gtt-ask-question").is_visible()
        answer = root(page, name).locator(".gtt-ask-answer")
        assert answer.locator("> div").is_hidden()
        answer.locator("summary").click()
        assert answer.locator("> div").is_visible()
        assert root(page, name).locator("button:visible, input:visible").count() == 0
    assert page.get_by_text("So it was sesame.").is_visible()
    assert page.locator("#guarded .cell_output").is_visible()


def test_print_shows_the_questions_and_what_was_folded_and_no_solutions(open_page):
    page = open_page().page
    page.emulate_media(media="print")
    assert root(page, "pick").locator(".gtt-ask-question").is_visible()
    assert root(page, "pick").locator(".gtt-ask-answer").is_hidden()
    assert root(page, "pick").locator("button:visible").count() == 0
    assert (
        page.locator("#guarded .cell_output").evaluate(
            "(e) => getComputedStyle(e).contentVisibility"
        )
        == "visible"
    )


def test_print_with_solutions_shows_them(open_page):
    page = open_page(where="?solutions").page
    page.emulate_media(media="print")
    assert root(page, "pick").get_by_text("no. It is a bound.").is_visible()


def test_forced_colours_keep_what_was_picked_visible(open_page):
    page = open_page(forced_colors="active").page
    label = root(page, "pick").locator("label").first
    root(page, "pick").locator("input").first.check()
    assert label.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    assert (
        root(page, "draw").locator("svg").evaluate("(e) => getComputedStyle(e).forcedColorAdjust")
        == "none"
    )


def test_nothing_moves_by_itself(page):
    typed(page, "slope", "0.35")
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize(
    "text",
    [
        "<script>window.bad=1</script>",
        "<img src=x onerror=window.bad=1>",
        "9" * 1000,
        "\u202e0.5",
        "'\"&",
    ],
)
def test_what_is_typed_is_never_markup(page, text):
    typed(page, "slope", text)
    fill(page, 0, [text, text])
    page.wait_for_timeout(50)
    assert page.evaluate("window.bad") is None
    assert said(page, "slope")[0] == "fault"


def test_a_page_asks_no_host_for_anything(open_page):
    opened = open_page()
    typed(opened.page, "slope", "0.35")
    assert opened.elsewhere("file://") == [] and opened.console == []


# --- in the built book


def test_python_in_the_page_checks_code(visit, site, folder):
    """The real `gttPython`, in a chapter that has it, runs setup, code and check of a question."""
    if not (folder / "_static" / "python.js").exists():
        pytest.skip("the book was built without Python in the page")
    page = visit("chapters/01_backpropagate_through_an_rnn.html").page
    add = "(html) => document.querySelector('article').insertAdjacentHTML('beforeend', html)"
    page.evaluate(add, made.code()._html)
    page.add_script_tag(content=question.SCRIPT)
    write = page.locator(".gtt-ask[data-kind=code]").last  # the chapter has one of its own
    assert "loads Python" in write.locator("[type=submit]").get_attribute("title")
    for code, words in (
        ("def double(x):\n    return x", "Three becomes <b>3</b>."),
        ("def double(x):\n    return np.add(x, x)", "It doubles."),
        ("def double(x) return x", "SyntaxError"),
    ):
        write.locator("textarea").fill(code)
        write.locator("[type=submit]").click()
        write.locator("[data-verdict]", has_text=words).wait_for(timeout=120_000)
