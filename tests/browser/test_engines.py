"""The built book in Firefox and in WebKit, Safari's engine: from a server and from disk, by key, by
mouse, in the dark.

Each is skipped with a line where it is not installed."""

import json

import pytest
from engines import ENGINES, drag, keys, middle, wait_for

LAB = "chapters/01_backpropagate_through_an_rnn.html"
CODE = LAB
WRONG_FORMULAS = """[
    ...[...document.querySelectorAll("msub, msup, mfrac, mover, munder, mroot")]
        .filter((e) => e.children.length !== 2),
    ...[...document.querySelectorAll("msubsup, munderover")].filter((e) => e.children.length !== 3),
].map((e) => e.outerHTML)"""
RIGHT_ARROW, ENTER = "\ue014", "\ue007"


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    kind = ENGINES[request.param]
    if missing := kind.missing():
        pytest.skip(f"{request.param}: {missing}")
    made = kind()
    yield made
    made.close()


@pytest.fixture(params=["http", "file"])
def base(request, site, folder):
    return site if request.param == "http" else folder.as_uri()


def test_every_page_opens_without_an_error_and_with_its_fonts(engine, base, pages):
    for path in pages:
        engine.goto(f"{base}/{path}")
        engine.js("document.fonts.ready.then(() => 1)")
        # WebKit calls a face that is late on a busy machine an error until it comes
        wait_for(engine, "![...document.fonts].some((face) => face.status === 'error')", 60)
        wide = engine.js("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
        assert engine.js(WRONG_FORMULAS) == [], path
        assert engine.errors() == [], path


def test_a_lab_moves_by_key_by_mouse_and_by_dragging(engine, base):
    engine.goto(f"{base}/{LAB}")
    engine.js("dispatchEvent(new Event('beforeprint'))")  # brings the tables of all labs
    ready = "[...document.querySelectorAll('.gtt-explorer')].every((lab) => 'ready' in lab.dataset)"
    wait_for(engine, ready)
    values = "[...document.querySelectorAll('.gtt-explorer')[0].querySelectorAll('output')]"
    values += ".map((o) => o.textContent)"
    first = engine.js(values)
    engine.js("document.querySelector('.gtt-explorer').scrollIntoView({block: 'center'})")
    engine.js("document.querySelector('.gtt-explorer input').focus()")
    keys(engine, 3 * RIGHT_ARROW)
    by_key = engine.js(values)
    assert by_key[0] != first[0] and by_key[1:] == first[1:]
    drag(engine, middle(engine, ".gtt-grip"), (-30, -25))
    dragged = engine.js(values)
    assert dragged[:2] != by_key[:2]
    assert engine.errors() == []


def test_the_page_turns_dark_and_stays_so(engine, base):
    engine.goto(f"{base}/{CODE}")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = engine.js(paper)
    engine.js("document.querySelector('.mode').click()")
    dark = engine.js(paper)
    assert dark != light
    engine.goto(f"{base}/{LAB}")
    assert engine.js(paper) == dark
    engine.js("document.querySelector('.mode').click()")


def run(engine, code):
    """Run `code` in the first open cell; what it said."""
    engine.js(f"document.querySelector('.run textarea').value = {json.dumps(code)}")
    engine.js("document.querySelector('.run-bar button').click()")
    wait_for(engine, "!document.querySelector('.run-bar button').disabled")
    return engine.js("document.querySelector('.run-out').textContent")


def test_python_runs_in_the_page_and_a_loop_without_an_end_can_be_stopped(engine, base, folder):
    if not (folder / "_static" / "python").is_dir():
        pytest.skip("the book was built without Python in its pages")
    engine.goto(f"{base}/{CODE}")
    engine.js("document.querySelector('#a30-backward .run-open').click()")
    wait_for(engine, "document.querySelector('.run textarea')")
    assert run(engine, "print(W_hh.shape); 6 * 7") == "(5, 5)\n\n42"
    said = run(engine, "for:\n    pass")
    assert "SyntaxError" in said and "^" in said
    engine.js("document.querySelector('.run textarea').value = 'while True: pass'")
    engine.js("document.querySelector('.run-bar button').click()")
    engine.js("new Promise((done) => setTimeout(done, 500))")
    engine.js("document.querySelectorAll('.run-bar button')[1].click()")
    wait_for(engine, "document.querySelector('.run-out').textContent === 'stopped'")
    assert run(engine, "6 * 7") == "42"
    assert engine.errors() == []
