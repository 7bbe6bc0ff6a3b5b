"""The code that chapters 3 to 5 ask for: what they begin with is wrong, the solution is right, and
each mistake that a check knows is told."""

import html
import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMPORTS = """import numpy as np
from bptt_core import ask, gradient_flow, jacobians, lstm, rnn
made = None
"""
G = "G = G + np.diag(g * i * (1 - i)) @ p.W_hi + np.diag(i * (1 - g**2)) @ p.W_hg\n    "
O_ROAD = "R = np.zeros_like(p.W_ho)  # the road via o"
R = "R = np.diag(s * o * (1 - o)) @ p.W_ho"
OWN = "{name: g * min(1, threshold / np.linalg.norm(g)) for name, g in gradients.items()}"
NORM = "np.sqrt(sum((g**2).sum() for g in gradients.values()))"
LOOP = "range(T, 0, -1)"
CANDIDATE = "[[0.0], [0.0], [1.0], [0.0]]"
Z = "da_z = 0 * h  # to be written", "da_z = dh_t * (h - n) * z * (1 - z)"
READ = "da_r = 0 * h  # to be written", "da_r = da_n * m * r * (1 - r)"
LATER = (
    "later = 0 * h  # to be written: what goes back to h",
    "later = dh_t * z + da_r @ W_hr + da_z @ W_hz + dm @ W_hn",
)


def everywhere(factor):
    return f"{{name: g * {factor} for name, g in gradients.items()}}"


CASES = {  # question: [(what is changed in the starter, right or not, what is said)]
    "b-ex-joint": [
        ((), False, "three terms"),
        (((O_ROAD, G + R),), True, "Right"),
        (((O_ROAD, G + O_ROAD),), False, "R is missing"),
        (((O_ROAD, R),), False, "h from h, c from h"),
        (((O_ROAD, G + R), ("R + np.diag(tau) @ G", "R")), False, "τ G is missing"),
        (((O_ROAD, G.replace("1 - g**2", "g * (1 - g)") + R),), False, "slope is 1 − g^2"),
        (((O_ROAD, G + R.replace("@ p.W_ho", "@ p.W_ho.T")),), False, "R + τ G"),
    ],
    "c-ex-clip": [
        ((), False, "by its own norm"),
        (((OWN, everywhere(f"min(1, threshold / {NORM})")),), True, "Right"),
        (((OWN, everywhere(f"threshold / {NORM}")),), False, "below the threshold"),
        (((OWN, everywhere(f"threshold / {NORM}**2")),), False, "root is missing"),
        (((OWN, everywhere(f"{NORM} / threshold")),), False, "not norm over threshold"),
        (((OWN, everywhere("1")),), False, "Nothing was clipped"),
        (
            ((OWN, "{name: np.clip(g, -threshold, threshold) for name, g in gradients.items()}"),),
            False,
            "every entry",
        ),
    ],
    "c-ex-truncate": [
        ((), False, "whole gradient"),
        (((LOOP, "range(T, T - window, -1)"),), True, "Right"),
        (((LOOP, "range(T, max(T - window - 1, 0), -1)"),), False, "one step too far"),
        (((LOOP, "range(T, T - window + 1, -1)"),), False, "one step too few"),
        (
            ((LOOP, "range(T, T - window, -1)"), ("da @ p.W_hh", "da @ p.W_hh.T")),
            False,
            "what is carried back",
        ),
        (((LOOP, "range(T, T - window, -1)"), ("run.h[t]**2", "run.h[t]")), False, "Not even"),
    ],
    "explode": [
        ((), False, "the norm is 6e-07"),
        (((CANDIDATE, "[[0.0], [0.0], [4.0], [0.0]]"),), True, "forget gate of 0.5 at most"),
        (((CANDIDATE, "[[0.0], [0.0], [3.0], [0.0]]"),), False, "the norm is"),
        ((("[0.0, 0.0, 0.0, 0.0]", "[0.0, 2.0, 0.0, 0.0]"),), False, "rises to 0.88"),
        (((CANDIDATE, "[0.0]"),), False, "Wanted the shapes"),
    ],
    "gru": [
        ((), False, "not known"),
        ((Z, READ, LATER), True, "right"),
        (
            (Z, READ, (LATER[0], LATER[1].replace("dh_t * z + ", ""))),
            False,
            "dh_t ∘ z_t is missing",
        ),
        (((Z[0], Z[1].replace("h - n", "n - h")), READ, LATER), False, "sign of da_z"),
        ((Z, (READ[0], READ[1].replace("m", "h")), LATER), False, "where m_t belongs"),
        ((Z, READ, (LATER[0], LATER[1].replace("W_hr", "W_hr.T"))), False, "its transpose"),
    ],
}


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """{name: the question}, each made by its chapter's cell, whose source the check is cut from."""
    folder, found = tmp_path_factory.mktemp("code"), {}
    for chapter in sorted((ROOT / "chapters").glob("0[345]*.ipynb")):
        for cell in json.loads(chapter.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            for name in re.findall(r'ask\.code\(\s*"([\w-]+)"', source):
                file = folder / f"{name}.py"
                file.write_text(
                    IMPORTS + source.replace("ask.code(", "made = ask.code(", 1), "utf-8"
                )
                spec = importlib.util.spec_from_file_location(name.replace("-", "_"), file)
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                found[name] = module.made
    return found


def starter(question):
    return html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", question._html, re.S)[1])


def test_every_code_question_of_these_chapters_is_tried(questions):
    assert set(questions) == set(CASES)


@pytest.mark.parametrize(
    ("name", "changes", "right", "words"),
    [(name, *case) for name, cases in CASES.items() for case in cases],
)
def test_a_check_tells_right_from_wrong_and_names_the_mistake(
    questions, name, changes, right, words
):
    code = starter(questions[name])
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    told = questions[name].judge(code)
    assert told["right"] is right, told
    assert words in " ".join(told["said"]), told
