"""The Explorer without a browser: traits, the table it packs, what it refuses, what it offers a
notebook."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import traitlets
from figures import Page, spec_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from bptt_core import explorer, plotting
from bptt_core.explorer import Choice, Explorer, Frame, Slider, axes, model, script, table, widget
from bptt_core.explorer.picture import GAP, SHADES

CALLS = []


def waves(phase, size, shape):
    """A curve that leaves the axes, one with a gap, a marker, a filled area and a name: one of each
    kind."""
    CALLS.append((phase, size, shape))
    x, size = np.linspace(0, 6, 13), size[:, None]
    y = size * (np.sin(x + phase[:, None]) if shape == "sine" else np.cos(x * phase[:, None]))
    positions = {
        "curve": (x, y),
        "holed": (x, np.where(np.arange(13) == 4, np.nan, 0.5 * y)),
        "late": (x, x * size / 9),
        "area": (np.r_[x, x[::-1]], np.hstack([y, 0 * y])),
        "dot": (phase[:, None], size / 2),
        "curve.name": (np.full_like(size, 6), y[:, -1:]),
        "still": (x, x),
    }
    said = [f"{shape} of size {s:.3g}: *{'large' if s > 1 else 'small'}*" for s in size[:, 0]]
    return Frame(positions, said)


TEXTS = {"title": "A <title>", "question": "q?", "reading": "r"}


@plotting.style()
def wave_lab(function=waves, name="waves", **changes):
    fig, ax = plotting.figure(3, 2)
    ax.set(xlim=(0, 6), ylim=(-1, 1))
    for gid in ("curve", "holed", "late", "still"):
        ax.plot([], [], gid=gid)
    ax.plot([], [], "o", gid="dot")
    ax.fill([0, 0], [0, 0], gid="area")
    plotting.label(ax, 0, 0, "curve", "gradient", gid="curve.name")
    controls = {
        "phase": Slider("Phase", np.linspace(0, 3, 7), 0.5),
        "size": Slider("Size", [0.25, 1, 5], 1, lambda v: f"{v:g} units"),
        "shape": Choice("Shape", {"sine": "sine", "other": "the other"}, "sine"),
    }
    return Explorer(function, [fig], controls, name=name, alts=["waves"], **TEXTS | changes)


def lanes(length, bias):
    """What changes besides places: shades of four boxes, a line's strength, a word, an axis."""
    n = len(length)
    k = np.arange(9)
    fall = np.exp(bias[:, None] * k)
    level = np.stack([bias, -bias, 0 * bias, 0 * bias + 1], 1)
    positions = {"fall": (np.where(k <= length[:, None], k, np.nan), fall)}
    return Frame(
        positions,
        ["one sentence"] * n,
        shades={"boxes": level, "fall": np.abs(bias)},
        texts={
            "word": [f"{b:.2f} or so" for b in bias],
            "moved": ["a" if b < 0 else "b c" for b in bias],
        },
        limits={"lag.x": (0 * length, length), "lag.y": (np.exp(-length), 1 + 0 * length)},
    )


@plotting.style()
def lane_lab(function=lanes, **changes):
    fig, ax = plotting.figure(3, 2)
    ax.set(xlim=(0, 8), ylim=(1e-4, 1), yscale="log", gid="lag")
    ax.plot([], [], gid="fall")
    plotting.label(ax, 0, 1, "fall", "gradient", gid="fall.name")
    ax.text(2, 0.1, "first", gid="word", ha="center", va="center")
    plotting.label(ax, 4, 0.01, "first", "muted", gid="moved")
    boxes = [Rectangle((i, 1e-3), 0.8, 1e-2) for i in range(4)]
    ax.add_collection(PatchCollection(boxes, facecolor="gtt:gradient", gid="boxes", lw=0))
    controls = {
        "length": Slider("Length", [2, 4, 8], 8),
        "bias": Slider("Bias", [-1, -0.5, 0.5], -0.5),
    }
    return Explorer(function, [fig], controls, name="lanes", alts=["lanes"], **TEXTS | changes)


@pytest.fixture
def lab():
    return wave_lab()


@pytest.mark.parametrize("make", [wave_lab, lane_lab])
def test_the_table_holds_the_exact_frame_of_every_setting(make):
    lab = make()
    page = Page(lab)
    settings = list(lab.settings_grid())
    assert len(settings) == np.prod(page.grid)
    for setting in settings:
        reply, held = lab.reply(**setting), page.at(setting)
        assert (held["words"], held["cells"]) == (reply["words"], reply["cells"])
        for kept, told in zip(held["items"], reply["items"], strict=True):
            assert kept == {part: value for part, value in told.items() if value is not None}
        assert list(setting.values()) == reply["at"]


def test_what_never_changes_is_stored_once(lab):
    items = {item["gid"]: item for item in spec_of(lab)["items"]}
    assert [series["varies"] for series in items["still"]["series"].values()] == [[], []]
    assert [series["varies"] for series in items["dot"]["series"].values()] == [[1], [2]]


def test_points_not_drawn_and_points_far_outside_are_gaps(lab):
    held = Page(lab).items
    assert (held["holed"]["y"][..., 4] == GAP).all()
    large = held["curve"]["y"][0, 1, 2]  # sine of size 5
    assert (large == GAP).any() and (large != GAP).sum() > 4


def test_the_function_sees_the_grid_in_chunks_and_every_setting_once():
    CALLS.clear()
    wave_lab()
    sizes = [len(phase) for phase, _, _ in CALLS]
    # the two: the first picture and the first frame
    assert max(sizes) <= model.CHUNK and sum(sizes) == 7 * 3 * 2 + 2


# --- the wire format


DECLARED = [table.Series, table.Control, table.Item, table.Column, table.Words, table.Spec]
DECLARED += [table.Change, table.Reply]


@pytest.mark.parametrize("form", DECLARED)
def test_python_and_the_script_declare_the_same_keys(form):
    source = (script.HERE / "js" / "wire.js").read_text(encoding="utf-8")
    block = re.search(rf"@typedef {{object}} {form.__name__}\n(.*?)\*/", source, re.S)[1]
    assert re.findall(r"@property {[^}]*} (\w+)", block) == list(form.__annotations__)


def test_the_script_knows_no_other_form():
    source = "".join((script.HERE / "js" / f"{name}.js").read_text() for name in script.FILES)
    assert re.findall(r"@typedef {object} (\w+)", source) == [form.__name__ for form in DECLARED]
    for name, value in (("GAP", GAP), ("SHADES", SHADES)):
        assert f"export const {name} = {value};" in source


@pytest.mark.parametrize("make", [wave_lab, lane_lab])
def test_what_is_sent_has_the_keys_that_are_declared_and_no_other(make):
    lab = make(columns=("x", {"curve": "y"} if make is wave_lab else {"fall": "y"}))
    spec = spec_of(lab)
    assert set(spec) == set(table.Spec.__annotations__)
    for form, parts in (
        (table.Control, spec["controls"]),
        (table.Item, spec["items"]),
        (table.Column, spec["columns"]),
        (table.Words, [spec["words"]]),
        (table.Series, [each for item in spec["items"] for each in item["series"].values()]),
        (table.Series, spec["words"]["places"] + [c["series"] for c in spec["columns"]]),
        (table.Change, lab.reply()["items"]),
    ):
        assert parts
        for part in parts:
            assert set(part) == set(form.__annotations__), form.__name__
    for item in spec["items"]:
        assert item["set"] is None or set(item["set"]) == set(
            re.search(r"{(.*?)}, in points", _comment(table.Item, "set"))[1].split(", ")
        )
    assert set(lab.reply()) | {"error"} == set(table.Reply.__annotations__)


def _comment(form, key):
    """The comment beside a key of the wire format."""
    source = Path(table.__file__).read_text(encoding="utf-8")
    block = source[source.index(f"class {form.__name__}(") :]
    return re.search(rf"^    {key}: .*$", block, re.M)[0]


def test_too_many_words_are_refused():
    with pytest.raises(ValueError, match="40,001 different words, wanted 32,767 at most"):
        table.encode(["", ""], {"a": [str(i) for i in range(40_000)]})


# --- what may change besides places


def test_a_name_goes_where_its_curve_leaves_the_axes_and_nobody_says_where():
    lab = lane_lab()
    x, y = (axis.item() for axis in lab.at(length=8, bias=-1).drawn["fall.name"])
    assert (x, y) == (pytest.approx(8), pytest.approx(np.exp(-8 * (1 - 0.063)), rel=1e-6))
    assert lab.at(bias=0.5).drawn["fall.name"][0] < 1  # it leaves at the top, at once


def test_an_axis_that_differs_per_setting_has_its_own_numbers_and_curves_fill_it():
    lab = lane_lab()
    for length in (2.0, 4.0, 8.0):
        state = lab.at(length=length)
        shown = {
            float(state.texts[f"lag.x.{i}"]): state.drawn[f"lag.x.{i}"][0].item()
            for i in range(axes.TICKS)
            if np.isfinite(state.drawn[f"lag.x.{i}"][0])
        }
        assert all(text == value for text, value in shown.items())
        assert min(shown) == 0 and max(shown) == length
    held = Page(lab).items
    last = [held["fall"]["x"][i, 0, length] for i, length in enumerate((2, 4, 8))]
    assert np.ptp(last) <= 1  # wherever the axis ends, the curve's last point lies at its end
    assert "10⁻²" in lab.at(length=8).texts.values()


def test_an_axis_with_too_many_numbers_and_limits_of_no_axes_are_refused():
    def crowded(length, bias):
        return lanes(length, bias)._replace(limits={"lag.x": (0 * bias, 1e4 * bias**2 + 0.1)})

    def nowhere(length, bias):
        return lanes(length, bias)._replace(limits={"flag.x": (0 * bias, length)})

    with plotting.style():
        fig, ax = plotting.figure(3, 2)
        ax.set(gid="lag", xticks=np.arange(20))
        ax.plot([], [], gid="fall")
    only = {"shades": {}, "texts": {}}
    controls = {"length": Slider("L", [2, 4], 2), "bias": Slider("b", [0.5, 1], 1)}
    crowd = lambda **at: crowded(**at)._replace(**only)  # noqa: E731
    with pytest.raises(ValueError, match="20 numbers from 0"):
        Explorer(crowd, [fig], controls, name="crowd", alts=["a"], **TEXTS)
    with pytest.raises(ValueError, match="limits of 'flag.x'"):
        lane_lab(nowhere)


def test_shades_and_words_are_what_the_function_says_and_the_first_ones_are_drawn():
    lab = lane_lab(below={"boxes": "forward"})
    state = lab.at(bias=-1)
    assert state.shades["boxes"].tolist() == [-1, 1, 0, 1] and state.shades["fall"].tolist() == [1]
    assert state.texts["word"] == "-1.00 or so"
    assert lab.reply(bias=-1)["items"][list(lab.at().drawn).index("fall")]["shade"] == [SHADES]
    item = next(item for item in spec_of(lab)["items"] if item["gid"] == "boxes")
    assert item["kind"] == "boxes" and item["series"]["shade"]["n"] == 4
    assert item["below"] == "var(--gtt-forward, #135fb5)"
    boxes = re.search(r'<g id="lanes[^"]*-boxes">(.*?)</g>', lab.html, re.S)[1]
    # the last is whole; none is nothing at all, or it would have no colour to come back in
    assert re.findall(r"opacity: ([\d.]+)", boxes) == ["0.5", "0.5", "0.0025"]
    assert boxes.count("fill: var(--gtt-gradient, #c93c1d)") == 4


def test_a_text_that_changes_is_set_where_matplotlib_drew_it():
    items = {item["gid"]: item for item in spec_of(lane_lab())["items"]}
    word, moved = items["word"]["set"], items["moved"]["set"]
    assert (word["anchor"], word["size"], word["halo"]) == ("middle", 10, False)
    assert word["offset"] == [0, pytest.approx(3.4)]
    assert (moved["anchor"], moved["halo"]) == ("start", True)
    assert moved["fill"] == "var(--gtt-muted, #58616f)" and moved["offset"][0] == 5
    assert set(items["word"]["series"]) == {"word"} and len(items["word"]["at"]) == 2


# --- what a figure can be asked


def test_a_figure_says_what_it_shows_without_moving(lab):
    before = lab.settings, lab._frame
    state = lab.at(phase=0.25, shape="other")
    assert state.settings == {"shape": "other", "phase": 0.25, "size": 1.0}
    want = waves(np.array([0.25]), np.array([1.0]), "other")
    np.testing.assert_array_equal(state.drawn["curve"][1], want.positions["curve"][1][0])
    assert state.sentence == want.sentences[0] and state.table == {}
    assert (lab.settings, lab._frame) == before


def test_the_table_of_a_state_has_full_precision_and_nothing_outside_the_axes():
    lab = wave_lab(columns=("x", {"curve": "height", "holed": "holed"}))
    state = lab.at(size=5.0)
    assert list(state.table) == ["x", "height", "holed"]
    x, y = state.drawn["curve"]
    inside = np.abs(y) <= 1
    np.testing.assert_allclose(state.table["height"][inside], y[inside], rtol=1e-12)
    assert np.isnan(state.table["height"][~inside]).all()
    rows = wave_lab(lambda **at: waves(**at)._replace(rows=[0, 3]), columns=("x", {"late": "l"}))
    assert rows.at(size=1.0).table["l"].tolist() == [0, pytest.approx(3 / 9)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"phase": 3.5}, "phase: got 3.5, wanted a number from 0 to 3"),
     ({"shape": "square"}, "shape: got 'square', wanted one of"),
     ({"colour": 1}, r"settings: got \['colour'\], wanted some of"),
     ({"phase": np.nan}, "phase: got nan"), ({"phase": "much"}, "phase: got 'much'")],
)  # fmt: skip
def test_a_setting_that_no_control_has_is_refused(lab, wrong, said):
    for ask in (lab.at, lab.reply):
        with pytest.raises(ValueError, match=said):
            ask(**wrong)


def test_the_grid_is_every_setting_once(lab):
    assert list(lab.grid) == ["shape", "phase", "size"] == list(lab.controls)
    settings = list(lab.settings_grid())
    assert len(settings) == 2 * 7 * 3 == len({tuple(s.values()) for s in settings})
    assert settings[1] == {"shape": "sine", "phase": 0.0, "size": 1.0}
    assert lab.address == "waves" and lab.html.startswith('<div class="gtt-explorer"')


def test_a_function_that_returns_no_frame_is_refused():
    with pytest.raises(ValueError, match="function: got tuple, wanted a Frame"):
        wave_lab(lambda **at: tuple(waves(**at)))


@pytest.mark.parametrize(
    ("moves", "said"),
    [({"play": "shape"}, r"play: got 'shape', wanted one of the sliders \['phase', 'size'\]"),
     ({"click": {"dot": ["phase", "colour"]}}, r"click\['dot'\]: got 'colour', wanted one of the"),
     ({"drag": {"dots": ["phase"]}}, r"drag: got \['dots'\], wanted some of .*, which move")],
)  # fmt: skip
def test_what_moves_by_hand_must_be_a_slider_and_what_it_moves_must_be_there(moves, said):
    with pytest.raises(ValueError, match=said):
        wave_lab(**moves)


@pytest.mark.parametrize("module", [widget])
def test_the_examples_of_the_docstrings_run(module):
    done = doctest.testmod(module)
    assert done.attempted > 5 and done.failed == 0


def test_every_room_of_the_package_is_named_in_its_first_lines():
    named = set(re.findall(r"^(\w+) +", explorer.__doc__, re.M)) - {"A"}
    assert named == {path.stem for path in script.HERE.glob("*.py")} - {"__init__"}


# --- traits


def test_a_trait_moves_the_figure_and_can_be_observed(lab):
    heard = []
    lab.observe(lambda change: heard.append((change.name, change.new)), ["phase", "shape"])
    lab.phase = 1.2345
    lab.shape = "other"
    assert heard == [("phase", 1.2345), ("shape", "other")]
    assert lab._frame == lab.reply(shape="other", phase=1.2345, size=1.0)
    assert lab.settings == {"shape": "other", "phase": 1.2345, "size": 1.0}


def test_two_changes_at_once_make_one_evaluation(lab):
    CALLS.clear()
    with lab.hold_trait_notifications():
        lab.phase, lab.size = 2.5, 0.3
    assert len(CALLS) == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -0.1, 3.01, "two", None])
def test_a_value_off_the_slider_is_refused_and_nothing_moves(lab, wrong):
    before = lab._frame
    with pytest.raises(traitlets.TraitError):
        lab.phase = wrong
    assert lab._frame is before and lab.phase == 0.5


def test_a_choice_that_does_not_exist_is_refused(lab):
    with pytest.raises(traitlets.TraitError, match="shape"):
        lab.shape = "square"


LAB = wave_lab(name="one-for-hypothesis")


@given(phase=st.floats(0, 3), size=st.floats(0.25, 5), shape=st.sampled_from(["sine", "other"]))
def test_any_setting_inside_the_sliders_gives_a_whole_frame(phase, size, shape):
    LAB.set_trait("shape", shape)
    LAB.phase, LAB.size = phase, size
    assert LAB._frame["at"] == [shape, phase, size]
    assert [len(item["x"]) for item in LAB._frame["items"]] == [13, 13, 13, 26, 1, 1, 13]


def broken(when):
    def function(phase, size, shape):
        if when(phase):
            raise RuntimeError("no such phase")
        return waves(phase, size, shape)

    return function


def test_a_function_that_raises_fails_the_cell():
    with pytest.raises(RuntimeError, match="no such phase"):
        wave_lab(broken(lambda phase: (phase == 2).any()))


def test_a_function_that_raises_later_fails_that_cell_and_tells_the_page():
    lab = wave_lab(broken(lambda phase: 0.1 < phase[0] < 0.2))
    with pytest.raises(RuntimeError):
        lab.phase = 0.15
    assert lab._frame == {"at": ["sine", 0.15, 1.0], "error": "RuntimeError: no such phase"}
    lab.phase = 0.3
    assert "error" not in lab._frame


def test_too_large_a_grid_is_refused_with_its_size_and_the_limit(monkeypatch):
    monkeypatch.setattr(model, "LIMIT", 5_000)
    with pytest.raises(
        ValueError, match=r"2 × 7 × 3 settings of 160 numbers, 6,720, wanted 5,000 at most"
    ):
        wave_lab()


def test_a_gid_that_no_figure_draws_is_refused():
    def function(phase, size, shape):
        frame = waves(phase, size, shape)
        return frame._replace(positions=frame.positions | {"ghost": (phase, size)})

    with pytest.raises(ValueError, match="ghost"):
        wave_lab(function)


def test_a_start_off_the_grid_a_name_of_the_widget_and_a_square_are_refused():
    fig, ax = plotting.figure(3, 2)
    ax.plot([], [], gid="a")
    texts = {"title": "t", "question": "q", "reading": "r", "alts": ["a"], "name": "refused"}

    def function(**settings):
        return Frame({"a": ([0], [0])}, ["x"])

    with pytest.raises(ValueError, match="height.start"):
        Explorer(function, [fig], {"height": Slider("Height", [1, 2], 1.5)}, **texts)
    square, ax = plotting.figure(3, 2)
    ax.plot([], [], "s", gid="a")
    with pytest.raises(ValueError, match="marker 's' of a"):
        Explorer(function, [square], {"height": Slider("Height", [1], 1)}, **texts)
    with pytest.raises(ValueError, match="layout"):
        Explorer(function, [fig], {"layout": Slider("Height", [1, 2], 1)}, **texts)


def test_a_notebook_is_offered_the_widget_the_page_and_a_picture(lab, monkeypatch):
    data, _ = lab._repr_mimebundle_()
    assert set(data) == {
        "text/plain",
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "image/png",
    }
    assert (
        data["text/html"].startswith('<div class="gtt-explorer"')
        and data["image/png"][:4] == b"\x89PNG"
    )
    assert script.classic() in data["text/html"]
    monkeypatch.setenv("BPTT_CORE_STATIC", "linked")
    assert "<style>" not in lab._repr_mimebundle_()[0]["text/html"]
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert (
        "text/html" not in lab._repr_mimebundle_()[0]
        and "image/png" not in lab._repr_mimebundle_()[0]
    )


def test_the_page_is_the_same_bytes_in_another_process_and_carries_no_address(lab):
    code = "from bptt_core import labs; import sys; lab = labs.truncation()"
    code += "; sys.stdout.write(repr(lab) + lab.html)"
    once, twice = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in "ab"
    )
    assert once == twice
    assert (
        not re.search(rb" at 0x|\b0x[0-9a-f]{6,}", once)
        and repr(lab) == "Explorer waves: shape=sine, phase=0.5, size=1.0"
    )


def test_two_of_a_name_share_no_id():
    one, two = wave_lab(name="twice"), wave_lab(name="twice")
    ids = [set(re.findall(r' id="([^"]+)"', lab.html)) for lab in (one, two)]
    assert ids[0] and not ids[0] & ids[1]


def test_texts_are_escaped_and_values_formatted(lab):
    assert "A &lt;title&gt;" in lab.html and "<title>" not in lab.html
    assert (
        '<output style="min-width:10ch">1 units</output>' in lab.html
        and 'aria-valuetext="1 units"' in lab.html
    )
    assert "<strong>small</strong>" in lab.html


def test_containers_of_ipywidgets_hold_a_lab(lab):
    assert ipywidgets.VBox([lab, ipywidgets.Label("below")]).children[0] is lab
    other = wave_lab(name="linked")
    ipywidgets.link((lab, "phase"), (other, "phase"))
    lab.phase = 2.5
    assert other.phase == 2.5 and other._frame["at"] == ["sine", 2.5, 1.0]


def test_the_script_is_one_source_for_both_mounts():
    shared = script._joined(script.FIGURE)
    assert shared in script.classic() and LAB._esm.startswith(shared)
    assert "export" not in script.classic() and LAB._esm.count("export") == 1
    assert not re.search(
        r"\bimport\b|https?://", re.sub(r"//.*|http://www.w3.org/2000/svg", "", script.classic())
    )


def test_the_example_of_the_appendix_runs_and_does_what_it_says(capsys):
    page = (Path(__file__).parents[1] / "book" / "appendix_explorer.md").read_text(encoding="utf-8")
    first, second, third = re.findall(r"```python\n(.*?)```", page, re.S)
    space = {}
    exec(first, space)
    assert space["figure"].html.count("<svg") == 1
    exec(second, space)
    assert space["figure"]._frame["words"] == "After 10 seconds *0.03* of the wave is left."
    asked, said = re.match(r"(.*?)  # (.*)", third).groups()
    assert eval(asked, space) == said
    exec(third, space)
    space["figure"].damping = 0.5
    assert capsys.readouterr().out == "the reader chose 0.5\n"
