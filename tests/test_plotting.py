"""The palette means something and can be seen, and a figure is the same bytes every time."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from bptt_core import _svg, plotting
from bptt_core.explorer import script

PAPER = {"light": ("#ffffff", "#f6f7f9"), "dark": ("#14181e", "#1d232c")}
LINES = [name for name in plotting.PALETTE if name not in ("paper", "ink", "muted", "rule")]
DRAW = """
from bptt_core import plotting
with plotting.style():
    fig, ax = plotting.figure()
    ax.semilogy([0, 1, 2], [1, 0.1, 0.01], color="gtt:gradient", gid="curve")
    ax.plot([0, 1], [1, 1], "o--", color="gtt:bound")
    plotting.label(ax, 2, 0.01, "$ρ^k$", "gradient")
shown = plotting.show(fig, alt="a curve")
"""


def light(colour):
    channel = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted([light(a), light(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def shown():
    space = {}
    exec(DRAW, space)
    return space["shown"]


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize(
    "name", [name for name in plotting.PALETTE if name not in ("paper", "rule")]
)
def test_every_colour_can_be_read_as_text_on_its_paper(name, theme):
    for paper in PAPER[("light", "dark")[theme]]:
        assert contrast(plotting.PALETTE[name][theme], paper) >= 4.5


def test_the_style_sheet_holds_the_same_palette():
    sheet = script.sheet()
    blocks = dict(
        zip(("light", "dark"), re.findall(r"\{([^}]*--gtt-ink:[^}]*)\}", sheet), strict=True)
    )
    for theme, block in blocks.items():
        values = dict(re.findall(r"--gtt-([\w-]+): (#[0-9a-f]{6})", block))
        assert {values["paper"], values.pop("wash")} == set(PAPER[theme])
        assert values == {
            name: colours[theme == "dark"] for name, colours in plotting.PALETTE.items()
        }


@pytest.mark.parametrize("theme", [0, 1])
def test_no_two_line_colours_are_alike(theme):
    colours = [plotting.PALETTE[name][theme] for name in LINES]
    for a, b in itertools.combinations(colours, 2):
        difference = [int(a[i : i + 2], 16) - int(b[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.linalg.norm(difference) > 40, (a, b)


def test_colours_follow_the_page_and_fall_back_to_their_light_value(shown):
    assert "var(--gtt-gradient, #c93c1d)" in shown.svg
    assert set(re.findall(r"#[0-9a-f]{6}", re.sub(r"var\([^)]*\)", "", shown.svg))) == set()


def test_a_figure_has_its_alt_text_and_refuses_to_go_without(shown):
    assert 'role="img" aria-label="a curve"' in shown.svg and repr(shown) == "Figure: a curve"
    fig, _ = plotting.figure()
    with pytest.raises(ValueError, match="alt"):
        plotting.show(fig, alt="  ")


SETTINGS = """
import matplotlib
before = dict(matplotlib.rcParams)
{done}
print([name for name in before if before[name] != matplotlib.rcParams[name]])
"""


@pytest.mark.parametrize(
    "done",
    [
        "from bptt_core import diagrams, explorer, labs, plotting",
        "from bptt_core import diagrams, plotting\n"
        "plotting.show(diagrams.lstm_cell(), alt='a')._repr_mimebundle_()",
        "from bptt_core import labs\nlabs.truncation().memory = 0.5",
        "from bptt_core import plotting\nplotting.png(plotting.figure()[0])",
    ],
)
def test_no_setting_of_matplotlib_is_other_than_before(done):
    code = SETTINGS.format(done=done)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_chapter_that_draws_asks_for_the_style():
    for path in sorted((Path(__file__).parents[1] / "chapters").glob("*.ipynb")):
        cells = pytest.importorskip("nbformat").read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        first = re.search(r"\bfigure\(", code)
        assert not first or "use_style()" in code[: first.start()], path.name


def test_a_figure_is_drawn_alike_in_any_session(shown):
    other = {}
    with matplotlib.rc_context():
        plotting.use_style()
        assert matplotlib.rcParams["lines.linewidth"] == plotting.STYLE["lines.linewidth"]
        exec(DRAW, other)
    assert other["shown"].svg == shown.svg


OTHER_WRITERS = {  # what a change of Matplotlib's writer could look like
    "the sheet": lambda text: re.sub("<style.*</style>", "", text, flags=re.S),
    "the names of groups": lambda text: re.sub(r'<g id="([\w.]+)_(\d+)"', r'<g id="\1-\2"', text),
    "the paths": lambda text: re.sub(' d="([^"]*)"', r" d='\1'", text),
    "the places": lambda text: re.sub(' (x|y)="([^"]*)"', r" \1='\2'", text),
    "the size of letters": lambda text: text.replace("scale(0.015625)", "scale(0.0156)"),
}


@pytest.mark.parametrize("change", OTHER_WRITERS)
def test_what_matplotlib_writes_otherwise_fails_and_does_not_go_out_half_done(monkeypatch, change):
    written, other = _svg._written, OTHER_WRITERS[change]
    monkeypatch.setattr(_svg, "_written", lambda fig: other(written(fig)))
    fig, _ = plotting.figure()
    with pytest.raises(RuntimeError, match="matches in what Matplotlib"):
        plotting.svg(fig, "a")


def test_a_figure_without_a_letter_is_a_figure_too():
    fig, ax = plotting.figure()
    ax.axis("off")
    assert plotting.svg(fig, "nothing").startswith('<svg class="gtt-svg"')


def test_alt_text_is_escaped():
    fig, _ = plotting.figure()
    assert 'aria-label="a &quot;&lt;b&gt;&quot;"' in plotting.svg(fig, 'a "<b>"')


def test_the_same_figure_is_the_same_bytes_in_another_process(shown):
    code = f"{DRAW}\nimport sys; sys.stdout.buffer.write(shown.svg.encode())"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True
    ).stdout.decode()
    assert other == shown.svg == plotting.show(shown.fig, alt="a curve").svg
    assert not re.search(r"20\d\d-\d\d-\d\d|0x[0-9a-f]{6}", shown.svg)


def test_ids_are_unique_in_a_figure_and_differ_between_figures(shown):
    fig, ax = plotting.figure()
    ax.plot([0, 1], [0, 2], gid="curve")
    other = plotting.show(fig, alt="another")
    ids = [re.findall(r' id="([^"]+)"', s.svg) for s in (shown, other)]
    assert all(len(each) == len(set(each)) > 3 for each in ids)
    assert not set(ids[0]) & set(ids[1])
    for svg, each in zip((shown.svg, other.svg), ids, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) <= set(each)


def test_rounding_moves_nothing_by_more_than_a_twentieth_of_a_point(shown):
    drawn = re.search(r'-curve">\s*<path d="([^"]+)"', shown.svg)[1]
    ax = shown.fig.axes[0]
    want = ax.transData.transform([[0, 1], [1, 0.1], [2, 0.01]]) * 72 / shown.fig.dpi
    got = np.array(re.findall(r"-?[\d.]+", drawn), float).reshape(-1, 2)
    assert (
        np.abs(got - np.stack([want[:, 0], shown.fig.get_figheight() * 72 - want[:, 1]], -1)).max()
        <= 0.051
    )


def test_a_figure_once_frozen_moves_no_more():
    fig, ax = plotting.figure()
    plotting.freeze(fig)
    before = ax.get_position().bounds
    ax.set_ylabel("three\nlines\nmore")
    plotting.svg(fig, "later")
    assert ax.get_position().bounds == before


def test_a_shown_figure_offers_svg_and_a_sharp_png(shown):
    bundle = shown._repr_mimebundle_()
    assert bundle["text/html"].count("<svg") == 1 and bundle["text/plain"] == "Figure: a curve"
    assert bundle["image/png"].startswith(b"\x89PNG")
    width = int.from_bytes(bundle["image/png"][16:20], "big")
    assert width == int(5.2 * 144)


def test_a_shown_pyplot_figure_is_closed_so_that_it_appears_once():
    code = "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as plt\n"
    code += "from bptt_core import plotting\n"
    code += "fig, ax = plt.subplots(); plotting.show(fig, alt='x'); print(len(plt.get_fignums()))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "0\n"
    )


def test_the_font_has_every_letter_that_figures_of_the_package_use():
    from fontTools.ttLib import TTFont

    known = set(map(chr, TTFont(plotting.FONT).getBestCmap()))
    folder = Path(plotting.__file__).parent
    for path in (folder / "plotting.py", folder / "diagrams.py", *folder.glob("labs/*.py")):
        text = path.read_text(encoding="utf-8")
        drawn = re.findall(
            r'(?:title=|xlabel=|text\([^"\n]*|label\([^"\n]*|\("\$?)"?([^"\n]+)"', text
        )
        assert set("".join(drawn)) <= known, set("".join(drawn)) - known
