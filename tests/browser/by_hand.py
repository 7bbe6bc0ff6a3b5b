"""Tasks by hand in a page: every answer of a case is typed, and what the page says is read."""

import contextlib

import numpy as np
from questions import outcome, slips_of

from bptt_core.ask import question
from bptt_core.ask.text import rich

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tasks</title>
<script defer src="ask.js"></script></head><body>{body}</body></html>"""


@contextlib.contextmanager
def opened(browser, folder, questions):
    """A page from disk that holds some questions."""
    body = "".join(each._html for each in questions)
    (folder / "ask.js").write_text(question.SCRIPT, encoding="utf-8")
    (folder / "page.html").write_text(PAGE.format(body=body), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto((folder / "page.html").as_uri())
    page.wait_for_selector(f"#ask-{questions[-1]._name}[data-ready]")
    yield page
    context.close()


# What stands in the first steps from the case before is left standing. The turn that a verdict
# needs is a message: a browser makes every timer in a row wait 4 ms.
ANSWER = """async ([name, variant, all]) => {
    const { port1, port2 } = new MessageChannel();
    const turn = () => new Promise((done) => { port1.onmessage = done; port2.postMessage(0); });
    const root = document.getElementById(`ask-task-${name}`);
    const fields = [...root.querySelectorAll('.gtt-ask-step')];
    if (variant) root.querySelector('.gtt-ask-another').click();
    const found = [];
    let before = [];
    for (const answers of all) {
        const changed = answers.findIndex((answer, k) => String(answer) !== String(before[k]));
        const said = (found.at(-1) ?? []).slice(0, Math.max(changed, 0));
        before = answers;
        for (const [k, answer] of answers.entries()) {
            if (k < said.length) continue;
            const inputs = fields[k].querySelectorAll('input');
            answer.forEach((text, i) => { inputs[i].value = text; });
            fields[k].querySelector('button').click();
            await turn();
            const box = fields[k].querySelector('.gtt-ask-said > div');
            said.push([box.dataset.verdict, box.innerHTML]);
        }
        found.push(said);
    }
    return found; }"""


def typed(values, digits=2):
    return [f"{value:#.{digits}g}" for value in np.ravel(values)]


def answers(page, name, cases, digits=2):
    """What the page says at each step: for each variant, for each of its cases [values of each
    step]."""
    page.evaluate("localStorage.clear()")
    page.reload()
    return [
        page.evaluate(ANSWER, [name, v, [[typed(values, digits) for values in c] for c in variant]])
        for v, variant in enumerate(cases)
    ]


def right(task):
    before, found = np.zeros(0), []
    for step in task.steps:
        found.append(step.value(before).ravel())
        before = np.concatenate([before, found[-1]])
    return found


def singles_and_pairs(variants, k):
    """(variant, slips, what they give) for every slip and every pair of slips at step k."""
    for variant, task in enumerate(variants):
        step, before = task.steps[k], np.concatenate([np.zeros(0), *right(task)[:k]])
        single, pairs = slips_of(step)
        for slips in [*single, *pairs]:
            yield variant, slips, outcome(step, before, slips)


def named_slips(page, name, variants):
    """{1: [whether named], 2: [...]} of the single slips and the pairs at every step; a single one
    is never right, and never given another's name alone."""
    counts = {1: [], 2: []}
    for k in range(len(variants[0].steps)):
        cases = list(singles_and_pairs(variants, k))
        rows = [
            [[*right(task)[:k], values] for v, _, values in cases if v == variant]
            for variant, task in enumerate(variants)
        ]
        said = iter([case[k] for row in answers(page, name, rows) for case in row])
        for variant, slips, values in cases:
            verdict, html = next(said)
            parts = [part for _, part, _ in variants[variant].steps[k].slots(0)]
            mine = [rich(parts[slot].slips[i][1]) for slot, i in slips]
            hit = all(sentence in html for sentence in mine)
            if len(slips) == 1:
                assert verdict != "right", (k, variant, mine, values)
                assert hit or verdict == "off", (k, variant, mine, html)
            counts[len(slips)].append(hit)
    return counts
