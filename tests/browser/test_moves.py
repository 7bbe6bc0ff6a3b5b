"""What one move of a slider costs, in numbers that do not depend on the machine: what is written to
the page, whether it is laid out once, and how much there is to lay out. `make bench` has the time.
"""

import pytest

MOVES = 12
WRITES, ELEMENTS = 30, 1_000  # of one move, of one lab; the largest of the labs has 29 and 689
READY = "document.querySelectorAll('.gtt-explorer:not([data-ready])').length === 0"
MOVE = """async ([id, moves]) => {
    const lab = document.getElementById(id), input = lab.querySelector('input[type=range]');
    const records = [], watch = new MutationObserver((list) => records.push(...list));
    const inside = {subtree: true, childList: true, attributes: true, characterData: true};
    watch.observe(document.documentElement, inside);
    const frame = () => new Promise(requestAnimationFrame);
    for (let i = 0; i < moves; i++) {
        input.value = (Number(input.value) + 1 + (i % 3)) % (Number(input.max) + 1);
        input.dispatchEvent(new Event('input', {bubbles: true}));
        await frame(); await frame();
    }
    records.push(...watch.takeRecords());
    watch.disconnect();
    return {writes: records.length / moves, elements: lab.querySelectorAll('*').length};
}"""


# what a question keeps folded is opened, and folded again for the other tests of the page
UNFOLD = """() => document.querySelectorAll('[hidden=until-found]').forEach((box) => {
    box.hidden = false; box.dataset.folded = ''; })"""
FOLD = """() => document.querySelectorAll('[data-folded]').forEach((box) => {
    box.hidden = 'until-found'; delete box.dataset.folded; })"""


def layouts(session):
    """How often the page was laid out so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "LayoutCount")


def test_a_move_writes_little_and_lays_out_once(view, folder, path):
    if 'class="gtt-explorer' not in (folder / path).read_text("utf-8"):
        pytest.skip("the page has no lab")
    page = view().page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # brings the tables of all labs
    page.wait_for_function(READY)
    page.evaluate(UNFOLD)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    labs = page.eval_on_selector_all(
        ".gtt-explorer",
        "(all) => all.filter((e) => e.querySelector('input[type=range]')).map((e) => e.id)",
    )
    for lab in labs:
        page.locator(f'[id="{lab}"]').scroll_into_view_if_needed()
        before = layouts(session)
        seen = page.evaluate(MOVE, [lab, MOVES])
        # one a move; scrolling to the lab may add some
        assert layouts(session) - before <= MOVES + 4, lab
        assert 1 <= seen["writes"] <= WRITES, (lab, seen)
        assert seen["elements"] <= ELEMENTS, (lab, seen)
        page.locator(f'[id="{lab}"] .gtt-reset').click()
    page.evaluate(FOLD)
