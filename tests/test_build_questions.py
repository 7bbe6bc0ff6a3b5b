"""Questions in a built book: their script is loaded where they are, and each page knows what it
must of the others."""

import html
import json
import re

import nbformat
import pytest
from nbformat import v4
from test_build import TOC, build, small_book

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
HIDDEN = {"tags": ["remove-input"]}


def choice(name):
    return f"""from bptt_core import ask
options = {{"yes": "No: it is < that.", "no": "So it is."}}
ask.choice({name!r}, "Is it *so*, said {name}?", options, "no", reveals=["seen", "said"])"""


FIRST = [
    v4.new_markdown_cell(
        "# Ask\n\nThe first paragraph of a page is its description: this is long."
    ),
    v4.new_code_cell(choice("first"), metadata=HIDDEN),
    v4.new_code_cell("print('sesame')", metadata={"name": "seen"}),
    v4.new_markdown_cell("(said)=\nSo it was sesame."),
    v4.new_markdown_cell("$$\nx = 1\n$$"),
    v4.new_code_cell("print('folded')", metadata={"tags": ["hide-input"]}),
    v4.new_code_cell("ask.summary()", metadata=HIDDEN),
]
SECOND = [
    v4.new_markdown_cell("# Ask again\n\nThe first paragraph of a page is its description: long."),
    v4.new_code_cell("from bptt_core import ask\nask.again()", metadata=HIDDEN),
    v4.new_code_cell(choice("second"), metadata=HIDDEN),
]


def book(folder, second):
    small_book(folder, cells=FIRST)
    nbformat.write(
        v4.new_notebook(cells=second, metadata=KERNEL), folder / "chapters" / "02_again.ipynb"
    )
    (folder / "book" / "answers.md").write_text("# Answers\n\n<!-- answers -->\n", encoding="utf-8")
    toc = TOC.replace(
        "[{file: chapters/01_try}]", "[{file: chapters/01_try}, {file: chapters/02_again}]"
    )
    toc = toc.replace("{file: book/claims}", "{file: book/claims}, {file: book/answers}")
    (folder / "_toc.yml").write_text(toc, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = book(tmp_path_factory.mktemp("questions"), SECOND)
    code, lines = build(folder)
    assert code == 0, "\n".join(lines[-15:])
    return folder / "_build" / "html"


def page(built, name):
    return (built / f"{name}.html").read_text(encoding="utf-8")


def told(text, key):
    return json.loads(html.unescape(re.search(rf'data-{key}="([^"]*)"', text)[1]))


def test_a_page_with_questions_loads_their_script_and_sheet_and_no_other_does(built):
    for name, script in (
        ("chapters/01_try", "ask.js"),
        ("book/answers", "ask-progress.js"),
        ("book/claims", None),
    ):
        text = page(built, name)
        assert [s for s in ("ask.js", "ask-progress.js") if f"_static/{s}?" in text] == [
            script
        ] * bool(script)
        assert (".gtt-ask-picks" in text) == bool(script)
    assert (built / "_static" / "ask.js").read_text(encoding="utf-8").startswith("(()=>")


def test_the_code_of_a_question_is_not_shown(built):
    assert "ask.choice" not in page(built, "chapters/01_try")


def test_what_a_question_reveals_has_its_id(built):
    text = page(built, "chapters/01_try")
    assert re.search(r'<div class="cell[^"]*" id="seen">', text) and '<p id="said">' in text


def test_a_later_chapter_knows_where_the_questions_of_earlier_ones_are(built):
    assert told(page(built, "chapters/02_again"), "banks") == {
        "chapters/01_try.html": "../_static/questions/chapters-01_try.js"
    }
    bank = (built / "_static" / "questions" / "chapters-01_try.js").read_text(encoding="utf-8")
    found = json.loads(re.fullmatch(r"gttAsk\.bank\((.*)\);", bank, re.S)[1])
    assert list(found) == ["first"] and found["first"].startswith('<div class="gtt-ask"')


def test_the_page_of_answers_lists_every_question_in_the_order_of_the_book(built):
    known = told(page(built, "book/answers"), "all")
    assert [(q["name"], q["link"]) for q in known] == [
        ("first", "../chapters/01_try.html#ask-first"),
        ("second", "../chapters/02_again.html#ask-second"),
    ]
    assert known[0]["title"].endswith("Ask") and known[0]["was"] == "no"
    assert "<strong>so</strong>" in known[0]["question"]


def test_a_name_that_stands_twice_ends_the_build(tmp_path):
    code, lines = build(book(tmp_path, [SECOND[0], v4.new_code_cell(choice("first"))]))
    assert code == 1
    assert "question 'first' stands in chapters/01_try and in chapters/02_again" in "\n".join(lines)
