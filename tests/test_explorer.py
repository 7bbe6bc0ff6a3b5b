"""The Explorer without a browser: traits, the table it packs, what it refuses, what it offers a notebook."""

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from bptt_core import plotting
from bptt_core.explorer import Choice, Explorer, Slider, widget
from bptt_core.explorer.picture import GAP

CALLS = []


def waves(phase, size, shape):
    """A curve that leaves the axes, one with a gap, a marker, a filled area and a name: one of each kind."""
    CALLS.append((phase, size, shape))
    x, size = np.linspace(0, 6, 13), size[:, None]
    y = size * (np.sin(x + phase[:, None]) if shape == "sine" else np.cos(x * phase[:, None]))
    holed = np.where(np.arange(13) == 4, np.nan, 0.5 * y)
    positions = {
        "curve": (x, y),
        "holed": (x, holed),
        "late": (x, x * size / 9),
        "area": (np.r_[x, x[::-1]], np.hstack([y, 0 * y])),
    }
    positions |= {
        "dot": (phase[:, None], size / 2),
        "curve.name": (np.full_like(size, 6), y[:, -1:]),
        "still": (x, x),
    }
    return positions, [
        f"{shape} of size {s:.3g}: *{'large' if s > 1 else 'small'}*" for s in size[:, 0]
    ]


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
    texts = {"title": "A <title>", "question": "q?", "reading": "r", "alts": ["waves"]}
    return Explorer(function, [fig], controls, name=name, **texts, **changes)


@pytest.fixture
def lab():
    return wave_lab()


def spec_of(lab):
    return json.loads(
        re.search(r'<script type="application/json">(.*)</script>', lab._html, re.S)[1]
    )


def unpacked(lab):
    """The table, undone with NumPy alone, apart from the script: {gid: (x, y)} over the grid, and the sentences."""
    spec = spec_of(lab)
    planes = np.frombuffer(zlib.decompress(base64.b64decode(spec["table"])), np.uint8).astype(
        np.uint16
    )
    low, high = planes.reshape(2, -1)
    numbers = (low + 256 * high).astype(np.uint16).view(np.int16)
    grid = [len(c["values"]) for c in spec["controls"]]
    at, table = 0, {}
    for item in spec["items"]:
        series = []
        for varies, along in zip(item["varies"], item["along"], strict=True):
            shape = [n if v else 1 for n, v in zip(grid, varies, strict=True)] + [item["n"]]
            part = numbers[at : at + np.prod(shape)].reshape(shape)
            at += part.size
            if along >= 0:
                part = np.cumsum(part, along, dtype=np.int16)
            series.append(np.broadcast_to(np.cumsum(part, -1, dtype=np.int16), (*grid, item["n"])))
        table[item["gid"]] = series
    columns = []
    for varies in spec["words"]["varies"]:
        shape = [n if v else 1 for n, v in zip(grid, varies, strict=True)]
        columns.append(np.broadcast_to(numbers[at : at + np.prod(shape)].reshape(shape), grid))
        at += int(np.prod(shape))
    assert at == numbers.size
    words = np.array(spec["words"]["list"], object)
    return spec, table, lambda index: " ".join(words[column[index]] for column in columns).strip()


def test_the_table_holds_the_exact_frame_of_every_setting(lab):
    spec, table, say = unpacked(lab)
    for index in np.ndindex(*[len(c["values"]) for c in spec["controls"]]):
        setting = {c["name"]: c["values"][i] for c, i in zip(spec["controls"], index, strict=True)}
        frame = lab._evaluate(setting)
        for item, row in zip(spec["items"], frame["rows"], strict=True):
            assert [list(axis[index]) for axis in table[item["gid"]]] == row
        assert say(index) == frame["words"]


def test_what_never_changes_is_stored_once(lab):
    spec = spec_of(lab)
    items = {item["gid"]: item for item in spec["items"]}
    assert items["still"]["varies"] == [[False] * 3] * 2
    assert items["dot"]["varies"] == [[False, True, False], [False, False, True]]


def test_points_not_drawn_and_points_far_outside_are_gaps(lab):
    _, table, _ = unpacked(lab)
    assert (table["holed"][1][..., 4] == GAP).all()
    large = table["curve"][1][0, 1, 2]  # sine of size 5
    assert (large == GAP).any() and (large != GAP).sum() > 4


def test_the_function_sees_the_grid_in_chunks_and_every_setting_once():
    CALLS.clear()
    wave_lab()
    sizes = [len(phase) for phase, _, _ in CALLS]
    assert (
        max(sizes) <= widget.CHUNK and sum(sizes) == 7 * 3 * 2 + 2
    )  # the two: the first picture and the first frame


def test_a_trait_moves_the_figure_and_can_be_observed(lab):
    heard = []
    lab.observe(lambda change: heard.append((change.name, change.new)), ["phase", "shape"])
    lab.phase = 1.2345
    lab.shape = "other"
    assert heard == [("phase", 1.2345), ("shape", "other")]
    assert lab._frame == lab._evaluate({"shape": "other", "phase": 1.2345, "size": 1.0})
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
    assert [len(x) for x, _ in LAB._frame["rows"]] == [13, 13, 13, 26, 1, 1, 13]


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
    monkeypatch.setattr(widget, "LIMIT", 5_000)
    with pytest.raises(
        ValueError, match=r"2 × 7 × 3 settings of 160 numbers, 6,720; wanted 5,000 at most"
    ):
        wave_lab()


def test_a_gid_that_no_figure_draws_is_refused():
    def function(phase, size, shape):
        positions, sentences = waves(phase, size, shape)
        return positions | {"ghost": (phase, size)}, sentences

    with pytest.raises(ValueError, match="ghost"):
        wave_lab(function)


def test_a_start_off_the_grid_a_name_of_the_widget_and_a_square_are_refused():
    fig, ax = plotting.figure(3, 2)
    ax.plot([], [], gid="a")
    texts = {"title": "t", "question": "q", "reading": "r", "alts": ["a"], "name": "refused"}

    def function(**settings):
        return {"a": ([0], [0])}, ["x"]

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
    assert widget.SCRIPT in data["text/html"]
    monkeypatch.setenv("BPTT_CORE_STATIC", "linked")
    assert "<style>" not in lab._repr_mimebundle_()[0]["text/html"]
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert (
        "text/html" not in lab._repr_mimebundle_()[0]
        and "image/png" not in lab._repr_mimebundle_()[0]
    )


def test_the_page_is_the_same_bytes_in_another_process_and_carries_no_address(lab):
    code = "from bptt_core import labs; import sys; lab = labs.truncation(); sys.stdout.write(repr(lab) + lab._html)"
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
    ids = [set(re.findall(r' id="([^"]+)"', lab._html)) for lab in (one, two)]
    assert ids[0] and not ids[0] & ids[1]


def test_texts_are_escaped_and_values_formatted(lab):
    assert "A &lt;title&gt;" in lab._html and "<title>" not in lab._html
    assert "<output>1 units</output>" in lab._html and 'aria-valuetext="1 units"' in lab._html
    assert "<strong>small</strong>" in lab._html


def test_containers_of_ipywidgets_hold_a_lab(lab):
    assert ipywidgets.VBox([lab, ipywidgets.Label("below")]).children[0] is lab
    other = wave_lab(name="linked")
    ipywidgets.link((lab, "phase"), (other, "phase"))
    lab.phase = 2.5
    assert other.phase == 2.5 and other._frame["at"] == ["sine", 2.5, 1.0]


def test_the_script_is_one_source_for_both_mounts():
    assert LAB._esm.startswith(widget.SCRIPT) and "export default" not in widget.SCRIPT
    assert not re.search(r"\bimport\b|https?://", re.sub(r"//.*", "", widget.SCRIPT))


def test_the_example_of_the_appendix_runs_and_does_what_it_says(capsys):
    page = (Path(__file__).parents[1] / "book" / "appendix_explorer.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```python\n(.*?)```", page, re.S)
    space = {}
    exec(first, space)
    assert space["figure"]._html.count("<svg") == 1
    exec(second, space)
    assert space["figure"]._frame["words"] == "After 10 seconds *0.03* of the wave is left."
    space["figure"].damping = 0.5
    assert capsys.readouterr().out == "the reader chose 0.5\n"
