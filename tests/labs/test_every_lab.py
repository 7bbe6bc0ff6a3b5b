"""What holds for every lab: each sentence has a check, each shape stays in its picture, the page
holds what the function says, and its table of numbers agrees with what is drawn."""

import gzip
import importlib
import re
from html import unescape

import numpy as np
import pytest
from figures import Page, artist_of, numbers
from lab_claims import CLAIMS, READOUT, made, sentences, states
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.text import Text

from bptt_core.explorer import axes, script
from bptt_core.explorer.picture import GAP
from bptt_core.explorer.table import digits
from bptt_core.labs import LABS

for name in LABS:
    try:
        importlib.import_module(f"test_{name}")
    except ModuleNotFoundError:
        pass  # a lab without claims: the tests below say so
ALL = [(name, text) for name, said in CLAIMS.items() for text in said]


def text_of(lab, part):
    """The words of one part of a lab's page."""
    found = re.search(rf'class="gtt-{part}"[^>]*>(.*?)</p>', lab.html, re.S)[1]
    found = re.sub(r"<sub>(\w+)</sub>", r"_\1", found)
    return unescape(re.sub(r"<[^>]*>", "", found))


@pytest.mark.parametrize("name", LABS)
def test_every_sentence_of_a_lab_has_a_check(name):
    lab = made(name)
    parts = [text_of(lab, "title"), text_of(lab, "question"), READOUT]
    wanted = {*parts, *sentences(text_of(lab, "reading"))}
    assert wanted == set(CLAIMS.get(name, {}))


@pytest.mark.parametrize(("name", "text"), ALL, ids=lambda part: part[:40])
def test_what_a_lab_says_is_so_in_every_state(name, text):
    CLAIMS[name][text](states(name))


def outlines(lab, state):
    """{gid: (x, y) as shares of the axes} of what a lab fills."""
    picture = lab._model.picture
    for gid, xy in state.drawn.items():
        if isinstance(picture.artists[gid][1], Polygon):
            yield (
                gid,
                [_share(picture, gid, axis, v, state) for axis, v in zip("xy", xy, strict=True)],
            )


def _share(picture, gid, axis, values, state):
    ax = picture.artists[gid][1].axes
    ends = state.limits.get(f"{ax.get_gid()}.{axis}")
    return axes.shares(getattr(ax, f"{axis}axis"), values, ends).ravel()


@pytest.mark.parametrize("name", LABS)
def test_no_shape_leaves_its_axes_in_any_state(name):
    """A point that leaves the picture is dropped, and a filled shape without it is another one."""
    lab = made(name)
    for state in states(name):
        for gid, shares in outlines(lab, state):
            for share in shares:
                assert np.isfinite(share).all(), (gid, state.settings)
                assert share.min() > -1e-9 and share.max() < 1 + 1e-9, (gid, state.settings)


@pytest.mark.parametrize("name", LABS)
def test_no_panel_is_empty_in_any_state(name):
    """In every picture something that moves lies within the axes."""
    lab = made(name)
    picture = lab._model.picture
    drawn_by = {}
    for gid, (panel, _) in picture.artists.items():
        drawn_by.setdefault(panel, []).append(gid)
    marks = marks_of(lab)
    for state in states(name):
        for panel, gids in drawn_by.items():
            if any(isinstance(picture.artists[gid][1], Collection) for gid in gids):
                continue  # boxes stand where they were drawn, whatever their shade
            moving = (gid for gid in gids if gid in state.drawn and gid in marks)
            assert any(is_inside(picture, gid, state) for gid in moving), (panel, state.settings)


def is_inside(picture, gid, state):
    """Whether a point of an artist lies within its axes."""
    across, up = shares_of(picture, gid, state)
    with np.errstate(invalid="ignore"):
        return ((across > -1e-9) & (across < 1 + 1e-9) & (up > -1e-9) & (up < 1 + 1e-9)).any()


def marks_of(lab):
    """Gids of lines and areas, the marks of axes left out."""
    picture = lab._model.picture
    found = set()
    for gid, (_, artist) in picture.artists.items():
        if gid not in picture.moving and isinstance(artist, (Line2D, Polygon)):
            found.add(gid)
    return found


def shares_of(picture, gid, state):
    return [
        _share(picture, gid, axis, v, state) for axis, v in zip("xy", state.drawn[gid], strict=True)
    ]


@pytest.mark.parametrize("name", LABS)
def test_names_beside_curves_do_not_cover_one_another_in_any_state(name):
    lab = made(name)
    picture = lab._model.picture
    for state in states(name):
        places = {}
        for gid, xy in state.drawn.items():
            if gid.endswith(".name") and np.isfinite(xy[1]).all():
                ax = picture.artists[gid][1].axes
                across, up = (np.ravel(s)[0] for s in shares_of(picture, gid, state))
                places.setdefault(ax, []).append((across, up, gid))
        for found in places.values():
            for i, (x, y, gid) in enumerate(found):
                for other_x, other_y, other in found[:i]:
                    apart = abs(x - other_x) > 0.25 or abs(y - other_y) > 0.06
                    assert apart, (gid, other, state.settings)


@pytest.mark.parametrize("name", LABS)
def test_names_beside_curves_stay_in_their_picture_in_every_state(name):
    lab = made(name)
    for gid, parts in Page(lab).items.items():
        if not gid.endswith(".name"):
            continue
        _, artist = artist_of(lab, gid)
        fig = artist.get_figure()
        renderer = RendererAgg(1000, 1000, fig.dpi)
        words = {artist.get_text(), *({s.texts.get(gid, " ") for s in states(name)})}
        before = artist.get_text()
        wide = []
        for text in words:
            artist.set_text(text)
            wide.append(Text.get_window_extent(artist, renderer).width)
        artist.set_text(before)
        shown = parts["y"] != GAP
        ends = parts["x"][shown] / 16 + artist.get_position()[0] + max(wide) * 72 / fig.dpi
        assert ends.max(initial=0) < 72 * fig.get_figwidth() + 1, gid


@pytest.mark.parametrize("name", LABS)
def test_a_grid_of_settings_and_one_setting_agree(name):
    """What a page holds was computed many settings at a time; a kernel computes one."""
    lab, rng = made(name), np.random.default_rng(0)
    page = Page(lab)
    for _ in range(5):
        setting = {key: values[rng.integers(len(values))] for key, values in lab.grid.items()}
        one = lab.reply(**setting)
        held = page.at(setting)
        assert one["words"] == held["words"] and one["cells"] == held["cells"]
        for exact, kept in zip(one["items"], held["items"], strict=True):
            for axis in kept.keys() & {"x", "y", "shade"}:
                assert np.abs(np.subtract(exact[axis], kept[axis])).max() <= 1  # 1/16 of a point


@pytest.mark.parametrize("name", LABS)
def test_every_part_of_a_lab_is_said(name):
    html = made(name).html
    for part in ("gtt-title", "gtt-question", "gtt-readout", "gtt-reading"):
        assert len(re.search(rf'class="{part}"[^>]*>(.*?)</p>', html, re.S)[1]) > 20
    assert html.count('role="img" aria-label="') == html.count("<svg") == len(made(name).figures)


@pytest.mark.parametrize("name", LABS)
def test_a_lab_is_as_light_as_the_appendix_says(name):
    settings = np.prod([len(values) for values in made(name).grid.values()])
    weight = len(gzip.compress(made(name).html.encode()))
    assert 50 <= settings <= 4000 and 15_000 <= weight <= 50_000


def test_the_script_is_as_light_as_the_appendix_says():
    assert 6_500 <= len(gzip.compress(script.classic().encode())) <= 8_500
    assert len(gzip.compress(script.aside().encode())) <= 3_000


# --- the table of numbers


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (0, 0),
        (1, 16201),
        (-1, -16201),
        (0.0995, 15296),
        (0.09996, 15301),
        (999.6, 18901),
        (1e-19, 0),
        (1e18, GAP),
    ],
)
def test_a_number_of_the_table_is_three_digits_and_a_power(given, want):
    assert digits(np.array([given, np.nan], float)).tolist() == [want, GAP]


@pytest.mark.parametrize("name", LABS)
def test_the_table_holds_what_is_drawn_to_three_digits_and_nothing_outside_the_axes(name):
    lab, rng, listed = made(name), np.random.default_rng(5), 0
    seen = states(name)
    for i in rng.integers(len(seen), size=12):
        state = seen[i]
        rows = numbers(lab.reply(**state.settings)["cells"]).T
        kept = rows[np.isfinite(rows[:, 0]), 0]
        assert (np.diff(kept) > 0).all()
        for gid, column in zip(lab.columns, rows[:, 1:].T, strict=True):
            ax = artist_of(lab, gid)[1].axes
            log = ax.get_yscale() == "log"
            low, high = state.limits.get(f"{ax.get_gid()}.y", ax.get_ylim())
            x, y = state.drawn[gid]
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = (
                    np.interp(rows[:, 0], x, np.log(y), left=np.nan, right=np.nan) if log else None
                )
                want = (
                    np.exp(logs) if log else np.interp(rows[:, 0], x, y, left=np.nan, right=np.nan)
                )
            inside = (want >= low) & (want <= high)
            assert (np.isfinite(column) == (inside | (want == 0))).all(), (gid, state.settings)
            unit = 10.0 ** (np.floor(np.log10(np.maximum(want[inside], 1e-6 * high))) - 2)
            slack = 0.5000001 * unit + 1e-6 * high * (not log)
            assert (np.abs(column - want)[inside] <= slack).all(), (gid, state.settings)
            listed += inside.sum()
    assert listed > 100
