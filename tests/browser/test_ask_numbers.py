"""A number typed with too few digits to tell it from a mistake is never right by rounding.

The questions of the chapters whose numbers stand in their call, and sixty made at random."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from by_hand import opened

from bptt_core import ask
from bptt_core.activations import sigmoid

ROOT = Path(__file__).parents[2]
KNOWN = {"np": np, "sigmoid": sigmoid}
RANDOM = 60
TYPE = """async (all) => {
    const { port1, port2 } = new MessageChannel();
    const turn = () => new Promise((done) => { port1.onmessage = done; port2.postMessage(0); });
    const found = [];
    for (const [name, texts] of all) {
        const root = document.getElementById(`ask-${name}`), row = [];
        for (const text of texts) {
            root.querySelector('input').value = text;
            root.querySelector('[type=submit]').click();
            await turn();
            row.push(root.querySelector('.gtt-ask-said > div').dataset.verdict);
        }
        found.push(row);
    }
    return found; }"""


def asked(path):
    """{name: (right, slips, digits)} of the number questions that need no cell before them."""
    found = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "ask.number(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ask.number":
                more = {k.arg: ast.unparse(k.value) for k in node.keywords}
                codes = ast.unparse(node.args[2]), more.get("slips", "()"), more.get("digits", "0")
                try:
                    right, slips, digits = (eval(code, KNOWN) for code in codes)
                except NameError:  # its numbers come from a cell before
                    continue
                digits = digits or (1 if float(right).is_integer() else 2)
                found[ast.literal_eval(node.args[0])] = right, slips, digits
    return found


def made_up(seed):
    """A right number and mistakes: far, near, and what it is rounded to a digit less, or to one."""
    rng = np.random.default_rng(seed)
    digits, right = int(rng.integers(2, 4)), float(rng.uniform(0.3, 12))
    unit = unit_of(right, digits)
    round_ones = [float(f"{right:.{each}g}") for each in range(1, digits)]
    slips = [0.3 * right, right + 1.6 * unit, *round_ones, np.round(right)]
    slips = dict.fromkeys(slip for slip in slips if abs(slip - right) >= 1.5 * unit)
    return right, [(slip, f"slip {k}") for k, slip in enumerate(slips)], digits


def unit_of(right, digits):
    return 10 ** (np.floor(np.log10(abs(right))) + 1 - digits)


CHAPTERS = {}
for notebook in sorted((ROOT / "chapters").glob("0*.ipynb")):
    CHAPTERS |= asked(notebook)
QUESTIONS = CHAPTERS | {f"made-{seed}": made_up(seed) for seed in range(RANDOM)}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    made = [ask.number(name, "How much?", right, "So.", slips=slips, digits=digits)
            for name, (right, slips, digits) in QUESTIONS.items()]  # fmt: skip
    with opened(browser, tmp_path_factory.mktemp("numbers"), made) as page:
        yield page


def verdicts(page, texts):
    """(name, text, verdict) of what is typed, {name: [text]}."""
    rows = page.evaluate(TYPE, list(texts.items()))
    for (name, each), row in zip(texts.items(), rows, strict=True):
        yield from zip([name] * len(each), each, row, strict=True)


def written(value, digits):
    return f"{value:#.{digits}g}"


def test_no_slip_is_right_however_few_of_its_digits_are_typed(page):
    texts = {
        name: [written(slip, d) for slip, _ in slips for d in range(1, digits + 1)]
        + [repr(float(slip)) for slip, _ in slips]
        for name, (_, slips, digits) in QUESTIONS.items()
    }
    assert len(CHAPTERS) >= 12 and {"c-best-gate", "late-peak"} <= set(CHAPTERS)
    wrong = [
        (name, text)
        for name, text, verdict in verdicts(page, texts)
        if verdict in ("right", "near")
        and abs(float(text) - QUESTIONS[name][0]) > unit_of(*QUESTIONS[name][::2])
    ]
    assert wrong == []


def test_the_right_number_is_right_at_its_digits(page):
    texts = {
        name: [repr(float(right)), *(written(right, d) for d in (digits, digits + 3) if digits > 1)]
        for name, (right, _, digits) in QUESTIONS.items()
    }
    assert [each for each in verdicts(page, texts) if each[2] != "right"] == []


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("1", "slip"), ("20/21", "slip"), ("0.952", "slip"), ("½", "slip"), ("0.5", "slip"),
     ("20/22", "slip"), ("0.95", "fault"), ("0.9", "fault"), ("21/22", "right"), ("0.955", "right"),
     ("0.9545", "right"), ("95.5 %", "right"), ("0.954", "near"), ("0.956", "off"),
     ("0.96", "fault"), ("1.0", "slip")],
)  # fmt: skip
def test_the_best_gate(page, text, verdict):
    assert [found for *_, found in verdicts(page, {"c-best-gate": [text]})] == [verdict]
