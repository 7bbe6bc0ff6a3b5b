"""Every page in a browser: it asks no other host for anything, says nothing in the console, passes
axe-core, fits a phone, and works from disk and without JavaScript.

A page is opened five times: light, dark, on a phone, from disk and without JavaScript. The tests of
a page share these views (`view`) and leave each as they found it."""

import gzip
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
VIEWS = [("light", 1280), ("dark", 1280), ("light", 390)]
AXE_OPTIONS = {"resultTypes": ["violations"], "selectors": False}
ABOUT_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
LIMIT = 300_000  # bytes that a page with mathematics and fonts sends as it opens, with gzip


def settled(page):
    """Wait until the page has drawn what it was just told to draw."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_nothing_moves_while_the_page_loads(view, path):
    """First, because scrolling moves things too."""
    shift = view().page.evaluate("""() => new Promise(done => {
        let sum = 0;
        new PerformanceObserver(list => list.getEntries().forEach(e => {
            if (!e.hadRecentInput) sum += e.value;
        })).observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done(sum), 300);
    })""")
    assert shift < 0.005


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_asks_no_other_host_and_leaves_the_console_empty(view, site, path, theme):
    opened = view(theme=theme) if theme == "dark" else view()
    opened.page.mouse.wheel(0, 20_000)
    opened.page.wait_for_timeout(150)
    assert opened.requests, "the listener heard nothing"
    assert opened.elsewhere(site) == []
    assert opened.console == []


def test_a_page_opened_from_disk_works_the_same(visit, folder, path):
    opened = visit((folder / path).as_uri())
    assert opened.elsewhere("file://") == []
    assert opened.console == []


def test_a_page_follows_the_readers_theme(view, path):
    for theme in ("light", "dark"):
        page = (view(theme=theme) if theme == "dark" else view()).page
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        rgb = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", rgb)[:3])) < 200) == (theme == "dark"), rgb


@pytest.mark.parametrize("width", [390, 320])
def test_no_page_overflows_sideways_on_a_phone(view, path, width):
    page = view(width=390).page
    page.set_viewport_size({"width": width, "height": 844})
    settled(page)
    overflow = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    assert overflow <= width


def test_lines_have_a_readable_length(view, path):
    """60 to 75 characters on a desktop, 38 to 45 on a phone, type of 17 px or more."""
    measure = """() => {
        const text = document.querySelector('article > section > p')
            || document.querySelector('article p');
        if (!text) return null;
        const probe = document.createElement('p');
        probe.textContent =
            'and so the gradient flows through time, from the loss to the first state; '.repeat(9);
        document.querySelector('article > section, article').append(probe);
        const range = document.createRange();
        range.selectNodeContents(probe);
        const lines = new Set(Array.from(range.getClientRects(), r => Math.round(r.top))).size;
        const size = parseFloat(getComputedStyle(probe).fontSize);
        const count = probe.textContent.length / lines;
        probe.remove();
        return {count, size};
    }"""
    for opened, low, high in ((view(), 60, 75), (view(width=390), 38, 45)):
        seen = opened.page.evaluate(measure)
        if seen:
            assert low <= seen["count"] <= high, seen
            assert seen["size"] >= 17


def test_the_heading_of_a_part_is_inside_its_section_which_clips_what_is_not(view, path):
    """Nothing is painted outside a section that content-visibility may skip."""
    measure = """async () => {
        const unseen = [];
        for (const rubric of document.querySelectorAll('article .rubric')) {
            rubric.scrollIntoView();
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            const own = rubric.getBoundingClientRect();
            const box = rubric.closest('section').getBoundingClientRect();
            if (own.height < 20 || own.top < box.top || own.bottom > box.bottom + 0.5)
                unseen.push(rubric.textContent);
        }
        scrollTo(0, 0);
        return unseen;
    }"""
    for opened in (view(), view(width=390)):
        assert opened.page.evaluate(measure) == []


def test_every_figure_has_a_text_for_those_who_do_not_see_it(view, path):
    page = view().page
    unnamed = page.evaluate("""() =>
        Array.from(document.querySelectorAll('article img, article svg'))
        .filter(f => !(f.getAttribute('alt') || f.getAttribute('aria-label')
                       || f.closest('[aria-hidden=true]')))
        .map(f => f.outerHTML.slice(0, 120))""")
    assert unnamed == []
    texts = page.evaluate("Array.from(document.querySelectorAll('article img'), f => f.alt)")
    assert [alt for alt in texts if re.search(r"[0-9a-f]{16}|\.(png|svg)$", alt)] == []


def test_with_javascript_off_the_page_is_complete(visit, folder, path):
    opened = visit(path, javascript=False, width=390)
    source = (folder / path).read_text(encoding="utf-8")
    assert opened.page.locator("#content").is_visible()
    assert opened.page.locator("#nav").is_visible()
    assert opened.page.locator(".menu").is_hidden()
    for number in range(min(3, source.count('<div class="formula">'))):
        assert opened.page.locator(".formula").nth(number).bounding_box()["height"] > 8
    assert opened.page.locator(".claim").count() == opened.page.locator(".claim:visible").count()


def test_a_page_weighs_no_more_than_its_budget(view, folder, path, site):
    opened = view()
    weights = {}
    for url in dict.fromkeys(opened.requests):
        if url.startswith(site):
            name = re.split("[?#]", url.removeprefix(site).lstrip("/"))[0]
            data = Path(folder, name).read_bytes()
            packed = url.endswith((".woff", ".woff2", ".png"))
            weights[name] = len(data) if packed else len(gzip.compress(data, 6))
    assert weights, "the page came from elsewhere"
    assert sum(weights.values()) <= LIMIT, sorted(weights.items(), key=lambda item: -item[1])[:5]


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_axe_finds_nothing_of_any_impact(view, path, theme, width):
    """Every rule at both widths; in the dark, where only colours differ, those about colours."""
    changed = {"theme": theme} if theme == "dark" else {"width": width} if width == 390 else {}
    page = view(**changed).page
    # axe judges what is drawn
    style = page.add_style_tag(content="* { content-visibility: visible !important }")
    opened = page.evaluate_handle("""() => {
        const boxes = [...document.querySelectorAll('details:not([open])')];
        boxes.forEach((box) => { box.open = true; });
        return boxes; }""")
    settled(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = AXE_OPTIONS | ({"runOnly": ABOUT_COLOUR} if theme == "dark" else {})
    result = page.evaluate("(options) => axe.run(document, options)", options)
    opened.evaluate("(boxes) => boxes.forEach((box) => { box.open = false; })")
    style.evaluate("(node) => node.remove()")
    found = [
        f"{v['id']} ({v['impact']}): {node['html'][:160]}"
        for v in result["violations"]
        for node in v["nodes"]
    ]
    assert result["passes"], "axe tested nothing"
    assert found == []


def test_the_root_forwards_to_the_first_page(visit, site):
    opened = visit("index.html", wait=False)
    opened.page.wait_for_url(f"{site}/book/intro.html")
    assert opened.console == []


def test_the_search_finds_a_page_from_disk(visit, folder):
    opened = visit((folder / "search.html").as_uri() + "?q=glossary")
    opened.page.wait_for_selector("#search-results li a")
    assert opened.page.locator("#search-results li a").count() >= 1
    assert opened.console == []


def test_a_link_to_a_figure_that_waits_opens_it_and_it_is_saved_in_its_letters(visit, folder):
    address = (folder / "chapters/03_add_instead_of_multiply.html").as_uri()
    opened = visit(f"{address}#lab=forget-gate&forget_bias=1")
    lab = opened.page.locator('[data-name="forget-gate"]')
    expect(lab.locator(".gtt-panels")).to_be_in_viewport()
    expect(lab.locator('[data-control="forget_bias"] output')).to_have_text("1")
    lab.locator(".gtt-share summary").click()
    with opened.page.expect_download() as waiting:
        lab.locator('.gtt-share button[value="svg"]').click()
    assert '@font-face { font-family: "GTT Sans"; src: url("data:' in Path(
        waiting.value.path()
    ).read_text(encoding="utf-8")
    assert opened.console == []


def test_the_contents_open_and_close_on_a_phone(visit):
    page = visit("book/intro.html", width=390).page
    assert page.locator("#nav").is_hidden()
    page.locator(".menu").click()
    assert page.locator("#nav").is_visible()
    assert page.locator(".menu").get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert page.locator("#nav").is_hidden()
    assert page.evaluate("document.activeElement.className") == "menu"


def test_the_theme_button_is_remembered_on_the_next_page(visit):
    page = visit("book/intro.html", theme="light").page
    page.locator(".mode").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(page.url.replace("intro", "notation"))
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("name", ["book/claims.html", "book/glossary.html"])
def test_an_address_that_cannot_be_read_leaves_the_page_quiet(visit, name):
    opened = visit(f"{name}#%")
    assert opened.page.locator("h1").is_visible() and opened.console == []


def test_the_ledger_filters_and_counts(visit, folder):
    if not (folder / "book" / "claims.html").exists():
        pytest.skip("the book has no ledger yet")
    page = visit("book/claims.html").page
    total = page.locator(".claim").count()
    page.locator("select[name=verdict]").select_option("holds")
    shown = page.locator(".claim:visible")
    assert 0 < shown.count() < total
    assert shown.count() == page.locator(".claim.verdict-holds").count()
    assert (
        page.locator(".claim-filter output").inner_text() == f"{shown.count()} of {total} entries"
    )
    assert page.url.endswith("#verdict=holds"), "the selection stands in the address"
    page.reload()
    assert page.locator(".claim:visible").count() == shown.count()
    hidden = page.locator(".claim:not(.verdict-holds)").first.get_attribute("id")
    page.goto(page.url.partition("#")[0] + f"#{hidden}")
    assert page.locator(f"[id='{hidden}']").is_visible(), (
        "a link to an entry shows it, whatever the filter"
    )


def test_the_ledger_is_searched_by_words_and_its_counts_lead_to_what_they_count(visit, folder):
    if not (folder / "book" / "claims.html").exists():
        pytest.skip("the book has no ledger yet")
    page = visit("book/claims.html").page
    output = page.locator(".claim-filter output")
    count = page.locator("table.counts a[href='#source=A&verdict=wrong']")
    count.click()
    assert output.inner_text().startswith(f"{count.inner_text()} of ")
    assert page.locator(".claim:visible:not(.verdict-wrong)").count() == 0
    page.goto(page.url.partition("#")[0] + "#source=D&matters=1")
    assert output.inner_text().startswith("10 of ")
    page.locator(".claim-filter [name=matters]").uncheck()
    page.locator(".claim-filter [name=q]").fill("tanh TWO orders")
    found = [e.get_attribute("id") for e in page.locator(".claim:visible").all()]
    assert found == ["D-x53", "D-x27"]
    page.locator(".claim-filter [name=q]").fill("no such words")
    assert output.inner_text().startswith("0 of ") and "q=no+such+words" in page.url
