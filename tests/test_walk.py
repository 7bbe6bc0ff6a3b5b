"""Every number of a walk is the real pass's, every mistake is shown where it first shows."""

import gzip
import html
import re
import sys

import numpy as np
import pytest

from bptt_core import lstm, rnn, walk
from bptt_core.ask.text import number
from bptt_core.mistakes import known_mistakes
from bptt_core.mistakes.listing import listing_of
from bptt_core.walk import gated, page, recurrent, slips, widget
from bptt_core.walk.scene import LOSS
from bptt_core.walk.written import value_of

SCENES = {"rnn": recurrent.SCENE, "lstm": gated.SCENE}
FAST = {"rnn": rnn, "lstm": lstm}
CASES = [(name, mistake) for name, scene in SCENES.items() for mistake in scene.mistakes]
INVISIBLE = {"h_0 taken for zero", "c_0 taken for zero", "bias averaged over the batch"}


@pytest.fixture(scope="module")
def right():
    """{walk: (steps, numbers, gradient)}"""
    return {name: slips.right(scene) for name, scene in SCENES.items()}


@pytest.fixture(scope="module")
def wrong(right):
    """{(walk, mistake): Slip}"""
    found = {}
    for name, scene in SCENES.items():
        for slip in slips.slips(scene, *right[name]):
            found[name, slip.mistake.name] = slip
    return found


@pytest.fixture(scope="module")
def pages():
    return {name: getattr(walk, name)()._html for name in SCENES}


def quick(name, scene):
    """The fast pass: (cache, gradients), with ∂⁺L/∂h_t = h_t − target_t."""
    cache = FAST[name].forward(scene.params, scene.x)
    gradients = FAST[name].backward(scene.params, cache, cache.h[1:] - scene.target, per_step=True)
    return cache, gradients


def made(steps):
    """{(line, t): value} of all lines of a walk."""
    return {(one.line, one.t): one.value for step in steps for one in step.made}


def same(found, wanted):
    np.testing.assert_allclose(np.squeeze(found), np.squeeze(wanted), rtol=0, atol=1e-13)


# --- the numbers


@pytest.mark.parametrize("name", SCENES)
def test_every_number_on_every_step_is_that_of_the_real_pass(name, right):
    scene, (steps, _, _) = SCENES[name], right[name]
    found = made(steps)
    cache, g = quick(name, scene)
    T = len(scene.x)
    checked = {key for key in found if key[0] in ("s[t]", "da")}  # tanh(c_t), and what is below
    for t in range(1, T + 1):
        own = {
            "h[t]": cache.h[t],
            "dh[t]": cache.h[t] - scene.target[t - 1],
            "dh_t": g.h[t],
            "dh_next": g.h[t - 1] - (cache.h[t - 1] - scene.target[t - 2] if t > 1 else 0),
        }
        own |= {
            f"d{field}": getattr(g.per_step, field)[t - 1 :].sum(axis=0)
            for field in scene.params._fields
        }
        if name == "rnn":
            own["da"] = g.a[t - 1]
        else:
            gates = {gate: getattr(cache, gate)[t - 1] for gate in "ifgo"}
            of_gates = zip("ifgo", np.split(g.a[t - 1], 4, axis=-1), strict=True)
            own |= {f"{gate}[t]": value for gate, value in gates.items()}
            own |= {f"da_{gate}": value for gate, value in of_gates}
            own |= {"c[t]": cache.c[t], "s[t]": np.tanh(cache.c[t]), "da": g.a[t - 1]}
            own |= {"dc_t": g.c[t], "dc_next": g.c[t] * gates["f"]}
        for line, value in own.items():
            same(found[line, t], value)
            checked.add((line, t))
    assert checked == set(found)


@pytest.mark.parametrize("name", SCENES)
def test_the_terms_of_a_number_add_to_it(name, right, wrong):
    walks = [(right[name][0], right[name][1].values)]
    walks += [(slip.steps, slip.numbers) for (own, _), slip in wrong.items() if own == name]
    count = 0
    for steps, numbers in walks:
        for one in (one for step in steps for one in step.made):
            assert np.shape(one.value) == np.shape(one.made)
            for value, text in zip(np.ravel(one.value), np.ravel(one.made), strict=True):
                assert value_of(str(text), numbers) == pytest.approx(value, rel=0, abs=1e-13)
                count += 1
    assert count > 400


@pytest.mark.parametrize("name", SCENES)
def test_the_page_prints_what_python_computed(name, right, pages):
    """The buttons of each step, in the order of its lines, without a mistake."""
    steps, scene = right[name][0], SCENES[name]
    for step, item in zip(steps, items(pages[name]), strict=True):
        item = re.sub(r'<div data-m="[^0][^"]*" hidden>.*?</div>', "", item)
        first = re.findall(r"<div[^>]*><span>.*?</table></span>", item)
        printed = [text for part in first for text in re.findall(r'data-of="[^"]*">([^<]*)<', part)]
        shown = [one for one in step.made if one.line not in scene.unseen and one.html]
        wanted = [page.written(value) for one in shown for value in np.ravel(one.value)]
        assert printed == wanted and printed


@pytest.mark.parametrize("name", SCENES)
def test_what_is_printed_adds_up_as_printed_but_for_the_last_digit(name, pages):
    cells = dict(re.findall(r'data-n="(\d+)"[^>]*>([^<]+)<', pages[name]))
    numbers = {int(n): float(text.replace("−", "-")) for n, text in cells.items()}
    rights = re.sub(r'<div data-m="[^0][^"]*" hidden>.*?</div>', "", pages[name])
    sums = re.findall(r'data-n="(\d+)" data-of="([^"]*)"', rights)
    assert len(sums) >= 60
    for n, text in sums:
        assert value_of(text, numbers) == pytest.approx(numbers[int(n)], rel=0, abs=0.0025)


def items(text):
    """The steps of a page."""
    inside = re.search(r'<ol class="gtt-walk-steps">(.*?)</ol>', text, re.S)[1]
    return inside.split("<li ")[1:]


# --- what is said


def test_three_gates_listen_to_the_cell_and_the_output_gate_alone_to_the_state(right):
    steps, numbers, _ = right["lstm"]
    places = {n: key for key, n in numbers.ids.items()}
    for step in steps:
        for one in step.made:
            if one.line not in ("da_i", "da_f", "da_g", "da_o", "dc_next"):
                continue
            read = {
                places[int(n)][0] for w in np.ravel(one.made) for n in re.findall(r"\d+", str(w))
            }
            assert ("dc_t" in read, "dh_t" in read) == (one.line != "da_o", one.line == "da_o")
            if one.line == "dc_next":
                assert read == {"dc_t", "f"}, "the forget gate, and nothing else"


@pytest.mark.parametrize("name", SCENES)
def test_the_total_derivative_is_the_immediate_one_at_the_last_step_alone(name, right):
    found = made(right[name][0])
    same(found["dh_t", 3], found["dh[t]", 3])
    for t in (1, 2):
        assert np.abs(found["dh_t", t] - found["dh[t]", t]).min() > 1e-3
    same(found["dW_hh", 1], found["dW_hh", 2])  # h_0 is zero


@pytest.mark.parametrize("name", SCENES)
def test_every_step_has_a_sentence_and_a_line_of_the_pass(name, right):
    scene, (steps, _, _) = SCENES[name], right[name]
    source = listing_of(scene.module)
    lines = {line.name for line in (*source.forward.lines[1:], *source.backward.lines[1:])}
    assert {line for step in steps for line in step.lines} == lines | set(LOSS)
    sentences = [scene.words(step.lines, step.t, 3) for step in steps]
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) > len(steps) / 2


# --- mistakes


@pytest.mark.parametrize(("name", "mistake"), CASES)
def test_a_walk_with_a_mistake_gives_the_gradient_of_the_mistake(name, mistake, wrong):
    scene, slip = SCENES[name], wrong[name, mistake]
    cache = FAST[name].forward(scene.params, scene.x)
    wanted = slip.mistake.apply(scene.params, cache, cache.h[1:] - scene.target)
    found = made(slip.steps)
    for field, value in wanted._asdict().items():
        same(found[f"d{field}", 1], value)


def watched(function, *arguments):
    """Every state of a function's variables: [(the line that has just run, variables)]."""
    states = []

    def local(frame, event, _):
        copies = {
            name: np.array(value, float)
            for name, value in frame.f_locals.items()
            if isinstance(value, np.ndarray | int | float)
        }
        states.append((frame.f_lineno, copies))
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: local if frame.f_code.co_name == function.__name__ else None)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return [(states[i][0], states[i + 1][1]) for i in range(len(states) - 1)]


@pytest.mark.parametrize(("name", "mistake"), CASES)
def test_the_numbers_first_differ_where_a_debugger_says(name, mistake, wrong, right):
    """Both passes run under a trace of Python's own, and their variables are compared after every
    line."""
    scene, slip = SCENES[name], wrong[name, mistake]
    cache = scene.module.forward(scene.params, scene.x)
    arguments = (scene.params, cache, cache.h[1:] - scene.target)
    # both are compiled from the same text, so that their lines have the same numbers
    nothing = slip.mistake._replace(edits=())
    plain = watched(nothing.passes(scene.module)[1], *arguments)
    other = watched(slip.mistake.passes(scene.module)[1], *arguments)
    differs = next(
        (
            (number, int(ours["t"]))
            for (number, ours), (_, theirs) in zip(plain, other, strict=True)
            if any(
                np.shape(ours[key]) != np.shape(theirs[key])
                or np.abs(ours[key] - theirs[key]).max() > 1e-12
                for key in ours.keys() & theirs.keys()
            )
        ),
        None,
    )
    if differs is None:
        assert slip.first is None and mistake in INVISIBLE
        return
    lines = {line.number + 1: line.name for line in listing_of(scene.module).backward.lines}
    step = right[name][0][slip.first]
    assert lines[differs[0]] in step.lines and step.t == differs[1]


@pytest.mark.parametrize(("name", "mistake"), CASES)
def test_a_mistake_said_to_be_invisible_changes_no_number_and_the_others_do(
    name, mistake, wrong, right, pages
):
    slip, steps = wrong[name, mistake], right[name][0]
    equal = all(
        np.array_equal(a.value, b.value)
        for x, y in zip(steps, slip.steps, strict=True)
        for a, b in zip(x.made, y.made, strict=True)
    )
    assert equal == (slip.first is None) == (mistake in INVISIBLE)
    m = SCENES[name].mistakes.index(mistake) + 1
    said = note(pages[name], m)
    if mistake in INVISIBLE:
        reason = {"h_0": "h_0 = 0", "c_0": "c_0 = 0"}.get(mistake[:3], "B = 1")
        assert slip.mistake.hidden == reason and "No number changes" in said
    else:
        assert f"at step {slip.first + 1} ({steps[slip.first].label})" in said


@pytest.mark.parametrize(("name", "mistake"), CASES)
def test_what_is_said_of_training_with_a_mistake_is_what_it_does(name, mistake, wrong, pages):
    """The same training with the fast pass, and the mistake applied to its cache."""
    scene, slip = SCENES[name], wrong[name, mistake]
    params, losses = scene.params, []
    for _ in range(scene.updates + 1):
        cache = FAST[name].forward(params, scene.x)
        losses.append(np.sum((cache.h[1:] - scene.target) ** 2) / 2)
        gradient = slip.mistake.apply(params, cache, cache.h[1:] - scene.target)
        steps = (w - scene.rate * d for w, d in zip(params, gradient, strict=True))
        params = type(params)(*steps)
    np.testing.assert_allclose(slip.losses, losses, rtol=1e-6)
    if slip.first is not None:
        good = slips.train(scene)
        said = note(pages[name], scene.mistakes.index(mistake) + 1)
        written = [number(x, 2) for x in (losses[0], losses[-1], good[-1])]
        ends = (
            r"updates with it take the loss of this network from (.+) to (.+); with .+ to (.+?)\."
        )
        assert list(re.search(ends + r"(?: The| Lower|$)", said).groups()) == written
        assert f"points {slip.angle:.0f}° away" in said
        assert ("does not show" in said) == (losses[-1] < 2 * good[-1])
        assert ("Lower is not right" in said) == (losses[-1] < good[-1])
        assert slip.angle < 90, "so it leads downhill at first"


CLOSED = [(name, m, *rule) for name, s in SCENES.items() for m, rule in s.closed.items()]


@pytest.mark.parametrize(("name", "mistake", "edge", "lines"), CLOSED)
def test_an_arrow_is_closed_where_the_mistake_sends_nothing_along_it(
    name, mistake, edge, lines, wrong, pages
):
    """Its steps are those of the lines, and what is sent along it goes into no number there."""
    scene, slip = SCENES[name], wrong[name, mistake]
    m = scene.mistakes.index(mistake) + 1
    steps = " ".join(str(s.number) for s in slip.steps if set(s.lines) & set(lines))
    found = rf'data-closed{m}="([\d ]+)" (?:data-closed\d="[\d ]+" )*id="walk-{name}-([\w-]+?)"'
    closed = re.findall(found, pages[name])
    assert closed and {at for at, _ in closed} == {steps}
    edges = re.findall(rf'<g [^>]*id="walk-{name}-({edge}-[\w-]+?)"', pages[name])
    assert sorted(own for _, own in closed) == sorted(edges)
    sent = {"state": "dh_next", "cell": "dc_next", "state-o": "da_o"}[edge]
    places = {str(n): key[0] for key, n in slips.right(scene)[1].ids.items()}
    changed = next(line for line in lines if line in slip.texts)
    for one in (one for step in slip.steps for one in step.made if one.line == changed):
        read = {places[n] for text in np.ravel(one.made) for n in re.findall(r"#(\d+)", str(text))}
        assert sent not in read


@pytest.mark.parametrize("name", SCENES)
def test_a_sentence_of_a_line_that_a_mistake_changes_says_that_it_is_not_about_the_mistake(
    name, wrong, pages
):
    scene = SCENES[name]
    for k, item in enumerate(items(pages[name])):
        found = re.search(r'<em data-m="([\d ]+)" hidden>Without the mistake:</em>', item)
        own = [
            str(m)
            for m, mistake in enumerate(scene.mistakes, 1)
            if set(wrong[name, mistake].steps[k].lines) & set(wrong[name, mistake].texts)
        ]
        assert (found[1].split() if found else []) == own


def note(text, m):
    """What is said of a mistake, without its marks."""
    inside = re.search(rf'<div data-m="{m}" hidden><p>.*?</p></div>', text, re.S)[0]
    return html.unescape(re.sub("<[^>]*>", "", inside))


def test_the_angle_between_two_gradients_is_the_one_between_their_directions(wrong, right):
    for (name, _), slip in wrong.items():
        ours = right[name][2]
        found = made(slip.steps)
        fields = SCENES[name].params._fields
        theirs = np.concatenate([np.ravel(found[f"d{field}", 1]) for field in fields])
        one, other = ours / np.linalg.norm(ours), theirs / np.linalg.norm(theirs)
        angle = 2 * np.degrees(np.arcsin(np.linalg.norm(one - other) / 2))
        assert slip.angle == pytest.approx(angle, abs=1e-4)


def program_of(page, m):
    """The program that a walk shows with mistake m, 0 for none, as it can be run."""
    shown = re.search(r'<div class="gtt-walk-code">(.*?)</div>', page, re.S)[1]
    lines = []
    for row in re.findall(r"<li[^>]*>(.*?)</li>", shown):
        codes = re.findall(r"<code([^>]*)>(.*?)</code>", row)
        code = next(
            c for own, c in codes if "data-m" not in own or f"{m}" in own.split('"')[1].split()
        )
        lines.append(html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<del>.*?</del>", "", code))))
    return "\n".join(lines)


@pytest.mark.parametrize("mistake", ["", *recurrent.SCENE.mistakes])
def test_the_program_that_the_walk_through_the_rnn_shows_makes_its_numbers(mistake, pages, right):
    """It has the names of the sweep in the chapter, and not those of the pass that runs."""
    scene = recurrent.SCENE
    program = program_of(pages["rnn"], scene.mistakes.index(mistake) + 1 if mistake else 0)
    assert not re.search(r"dh_next|phi|mT|axis|\by\b", program)
    cache, gradients = quick("rnn", scene)
    names = scene.params._asdict() | {"np": np, "x": scene.x, "target": scene.target}
    names |= {f"d{field}": np.zeros_like(w) for field, w in scene.params._asdict().items()}
    names |= {"h": np.zeros_like(cache.h), "carried": 0, "T": len(scene.x)}
    exec(program, names)
    wanted = gradients.params
    if mistake:
        known = {one.name: one for one in known_mistakes(scene.module)}[mistake]
        wanted = known.apply(scene.params, cache, cache.h[1:] - scene.target)
    for field, value in wanted._asdict().items():
        same(names[f"d{field}"], value)


def test_a_line_shows_what_is_written_otherwise_and_what_is_left_out(pages):
    for name, found in (
        ("rnn", ["<mark>.T</mark>", "<mark>0</mark>", "<del> * (1 - h[t]**2)</del>"]),
        ("lstm", ["<del>dc_next + </del>", "<del> + dh_next</del>"]),
    ):
        for part in found:
            assert part in pages[name]


def test_a_mistake_is_one_that_is_known():
    for name, scene in SCENES.items():
        assert set(scene.mistakes) <= {m.name for m in known_mistakes(scene.module)}, name


# --- the element


@pytest.mark.parametrize(("name", "most"), [("rnn", 9_000), ("lstm", 14_500)])
def test_a_walk_is_light(name, most, pages):
    def weight(text):
        return len(gzip.compress(text.encode()))

    steps = re.search(r'<ol class="gtt-walk-steps">.*?</ol>', pages[name], re.S)[0]
    data = re.search(r'<script type="application/json">.*?</script>', pages[name], re.S)[0]
    assert weight(steps) + weight(data) < 10_000
    assert weight(pages[name]) < most
    assert weight(widget.SCRIPT) < 1_700 and weight(widget.SHEET) < 3_500


@pytest.mark.parametrize("name", SCENES)
def test_a_walk_is_the_same_bytes_every_time_and_stands_alone(name, pages):
    again = getattr(walk, name)()
    assert again._html == pages[name]
    assert repr(again) == f"Walk walk-{name}: {SCENES[name].title}"
    alone = again._repr_mimebundle_()[0]["text/html"]
    assert alone.startswith(again._html) and widget.SCRIPT in alone and widget.SHEET in alone


def test_the_script_computes_nothing():
    """It looks up and counts steps: no number of a network goes through arithmetic."""
    assert not re.search(r"parseFloat|Number\(|Math\.(?!min|max)|\*\*|[^/]\s\*\s", widget.SCRIPT)


def test_nothing_moves_by_itself():
    assert not re.search(r"transition|animation|@keyframes", widget.SHEET)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.25, "−0.25"), (1, "1"), (-1e-5, "0"), (0.12345, "0.123"), (-0.0, "0")],
)
def test_numbers_are_printed_shortly_and_with_a_true_minus(value, text):
    assert page.written(value) == text
