"""What Python makes of a question: the table that the page looks up, and the errors that tell an
author."""

import gzip
import itertools
import json
import re

import numpy as np
import pytest

from bptt_core import ask
from bptt_core.ask import question, text


def spec(made):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', made._html)[1])


def options():
    return {"yes": "Tempting.", "no": "So it is."}


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [(0.2, 3, "0.200"), (-16.6355, 3, "−16.6"), (0, 3, "0"), (7, 3, "7"),
     (1234567, 3, "1.23 × 10^6"),
     (0.00002, 2, "2.0 × 10^−5"), (1024.5, 3, "1020"), (0.0996, 2, "0.10")],
)  # fmt: skip
def test_numbers_are_written_at_their_digits(value, digits, written):
    assert text.number(value, digits) == written


def test_a_text_has_stress_code_indices_and_powers():
    html = text.rich("*W_hh* is `a_b * c` < 2^10 and h_{t−1}^2")
    assert html == (
        "<strong>W<sub>hh</sub></strong> is <code>a_b * c</code> &lt; 2<sup>10</sup> and "
        "h<sub>t−1</sub><sup>2</sup>"
    )


def test_a_transpose_is_raised():
    assert text.rich("W_hh^⊤ δ_{t+1}") == "W<sub>hh</sub><sup>⊤</sup> δ<sub>t+1</sub>"
    assert text.rich("(a b)^⊤, ∂⁺L") == "(a b)<sup>⊤</sup>, ∂⁺L"


def test_a_challenge_says_what_it_brings_and_what_a_hint_takes():
    made = ask.choice("q-points", "?", options(), "no", hints=["a", "b"], label="One", points=3)
    assert 'id="ask-q-points" data-points="3">' in made._html
    assert '>One<span class="gtt-ask-points">3 points</span></p>' in made._html
    assert re.findall("<summary>(.*?)</summary>", made._html) == [*question.COSTS, "Show me"]
    plain = ask.choice("q-plain", "?", options(), "no", hints=["a", "b"])._html
    assert "points" not in plain
    assert re.findall("<summary>(.*?)</summary>", plain) == [*question.HINTS, "Show me"]


def test_nothing_in_a_question_ends_its_script():
    made = ask.choice("q-end", "Is </script> an end?", options() | {"</script>": "x<y"}, "no")
    assert made._html.count("</script>") == 1
    assert spec(made)["said"][2] == "x&lt;y"


def test_a_second_copy_has_an_address_of_its_own():
    first, second = (ask.choice("q-copy", "Twice?", options(), "no") for _ in range(2))
    ids = [re.search(r'id="(ask-[^"]+)"', made._html)[1] for made in (first, second)]
    assert ids == ["ask-q-copy", "ask-q-copy-2"]
    assert 'name="ask-q-copy-2"' in second._html


def test_the_same_question_is_the_same_bytes():
    made = [ask.choice("q-same", "Same?", options(), "no")._html for _ in range(2)]
    assert made[0] == made[1].replace("q-same-2", "q-same")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ask.choice("a b", "?", options(), "no"), "letters, digits, - and _"),
        (lambda: ask.choice("q", "?", {"no": "x"}, "no"), "two or more"),
        (lambda: ask.choice("q", "?", options(), "maybe"), "one of"),
        (lambda: ask.choice("q", "?", options() | {"c": " "}, "no"), "one for each"),
        (lambda: ask.choice("q", "?", options(), "no", hints=["a", "b", "c"]), "two at most"),
        (lambda: ask.wrong_line("q", "?", {"a": "x", "b": "y"}, "c"), "one of"),
        (lambda: ask.number("q", "?", 0.5, "so", slips=[(0.51, "near")]), "farther from 0.5"),
        (lambda: ask.curve("q", "?", [0, 0], [1, 1], "so", limits=(0.1, 1)), "increasing places"),
        (lambda: ask.curve("q", "?", [0, 1], [1, 0], "so", limits=(0.1, 1)), "2 positive values"),
        (lambda: ask.matrix("q", "?", uneven, seeds=(1, 2)), "outline of the first"),
        (lambda: ask.matrix("q", "?", ask.Task({}, [ask.Step("a", (2,), add=ask.Part([1]))])), "2"),
    ],
)
def test_an_author_is_told_what_is_wrong(make, words):
    with pytest.raises(ValueError, match="got .*, wanted ") as told:
        make()
    assert words in str(told.value)


def uneven(seed):
    return ask.Task({}, [ask.Step("a", (1,), add=ask.Part([1], [([2], "two")] * seed))])


def test_the_table_holds_what_the_steps_say():
    """The right answers, from the flat row that the script cuts up, equal those of the steps."""
    rng = np.random.default_rng(0)
    first = ask.Step(
        "a", (2,), (ask.Part(rng.random(2), [(rng.random(2), "x")]),), ask.Part(rng.random(2))
    )
    second = ask.Step("b", (2, 2), carry=ask.Part(rng.random((4, 2)), [(rng.random((4, 2)), "y")]))
    made = spec(ask.matrix("q-table", "?", ask.Task({"W": np.eye(2)}, [first, second])))
    row, before, found = iter(made["variants"][0]["numbers"]), np.zeros(0), []
    for step in made["steps"]:
        total, scale = 0, 1
        for kind, ids in step["slots"]:
            n = step["n"] * (len(before) if kind == "map" else 1)
            right, *_ = [list(itertools.islice(row, n)) for _ in range(1 + len(ids))]
            if kind == "scale":
                scale = scale * np.array(right)
            elif kind == "add":
                total = total + np.array(right)
            else:
                total = total + np.reshape(right, (-1, len(before))) @ before
        found.append(total * scale)
        before = np.concatenate([before, found[-1]])
    want = first.value(np.zeros(0))
    assert np.allclose(found[0], want, rtol=1e-5)
    assert np.allclose(found[1], second.value(want).ravel(), rtol=1e-5)
    assert next(row, None) is None


def lines(after=(0,), wrong="b = 2 * a + 1"):
    return [ask.Line("a = 3"), ask.Line("b = 2 * a", {wrong: "One too many."},
                                        tuple((i, "a comes first.") for i in after))]  # fmt: skip


def run(codes):
    names = {}
    try:
        exec("\n".join(codes), names)
    except NameError:
        return ask.Run({"b": np.inf})
    return ask.Run({"b": abs(names["b"] - 6) / 6})


def test_python_ran_every_program_that_can_be_made():
    made = spec(ask.order("q-order", "Order?", lines(), run, "Because."))
    assert len(made["runs"]) == 2
    wrong = str(1 - made["right"][1])
    assert (
        "b 0.17" in made["runs"][wrong]
        and "right to rounding" in made["runs"][str(made["right"][1])]
    )


def test_an_order_that_is_allowed_must_work():
    with pytest.raises(ValueError, match=r"the order \[1, 0\]"):
        ask.order("q-order", "Order?", lines(after=()), run, "Because.")


def test_a_wrong_line_must_change_something():
    with pytest.raises(ValueError, match="changes nothing"):
        ask.order("q-order", "Order?", lines(wrong="b = a + a"), run, "Because.")


def check(names):
    return names["f"](2) == 4, "Two becomes four."


def test_code_is_judged_where_python_runs():
    made = ask.code(
        "q-code", "Square?", "def f(x):\n    return x", "import math", check, answer="`x**2`"
    )
    assert made.judge("def f(x):\n    return x * x") == {
        "right": True,
        "said": ["Two becomes four."],
    }
    assert not made.judge("def f(x):\n    return x")["right"]
    assert made.judge("f = ")["said"][0].startswith("SyntaxError: ")
    assert made.judge("1 / 0")["said"] == ["ZeroDivisionError: division by zero"]


def test_a_page_with_python_gets_the_check_as_source(capsys):
    """Setup, code and check, run one after another as gttPython.run does, leave the verdict."""
    made = spec(ask.code("q-code", "Square?", "", "import math", check, answer="`x**2`"))
    names = {}
    for source in (made["setup"], "def f(x):\n    return x * x", made["check"]):
        exec(source, names)
    assert json.loads(names["checked"]) == {"right": True, "said": ["Two becomes four."]}
    assert capsys.readouterr().out == "Two becomes four.\n"


class Lab:
    """As much of an Explorer as a question reads."""

    address = "a-lab"
    grid = {"kind": ["x", "y"], "size": [0.0, 1.0, 2.0]}
    settings = {"kind": "x", "size": 0.0}

    @classmethod
    def settings_grid(cls):
        for kind, size in itertools.product(*cls.grid.values()):
            yield {"kind": kind, "size": size}


def test_a_lab_is_judged_over_its_whole_grid():
    made = spec(ask.state("q-state", "Go.", Lab, lambda kind, size: int(kind == "y" and size > 1),
                          ["", "There."], 1, answer="y, 2"))  # fmt: skip
    assert made["table"] == "000001" and made["strides"] == [3, 1]


@pytest.mark.parametrize(
    ("judge", "words"),
    [(lambda **s: 0, "one that a setting reaches"), (lambda **s: int(s["size"] < 1), "to be done"),
     (lambda **s: 3, "numbers of the 2 sentences")],
)  # fmt: skip
def test_a_lab_that_no_setting_solves_is_no_question(judge, words):
    with pytest.raises(ValueError, match="got .*, wanted ") as told:
        ask.state("q-state", "Go.", Lab, judge, ["", "There."], 1, answer="y, 2")
    assert words in str(told.value)


def test_every_part_of_the_script_is_in_it():
    parts = {file.stem for file in (question.HERE / "script").iterdir()}
    assert parts == {*question.PARTS, "progress"}
    assert "pages.progress" in question.script(progress=True)
    assert "pages.progress" not in question.SCRIPT


def test_the_script_of_all_kinds_weighs_8_kb_at_most():
    """As the built page has it: without comments, spaces and long names. As it stands it is 2 kB
    more."""
    minify = pytest.importorskip("minify")
    small = minify.string("application/javascript", question.SCRIPT)
    assert len(gzip.compress(small.encode())) <= 8000
    assert len(gzip.compress(question.SCRIPT.encode())) <= 10_500
