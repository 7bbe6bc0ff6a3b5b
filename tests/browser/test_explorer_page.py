"""The movable figures in a browser, without a kernel: what is drawn is what the functions in
bptt_core say.

One page with all labs is made here, so that these tests need no built book."""

import gzip
import io
import itertools
import re
from pathlib import Path

import axe_playwright_python
import matplotlib.image
import numpy as np
import pytest
from figures import artist_of
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import PATIENCE, PATIENT

from bptt_core import plotting
from bptt_core.explorer import Choice, script
from bptt_core.labs import LABS

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RANDOM = 200
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>Labs</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="explorer.css"><style>body {{ margin: 0 auto; max-width: 700px;
padding: 16px; background: var(--gtt-paper); color: var(--gtt-ink) }}</style>
<script defer src="explorer.js"></script></head>
<body><main><h1>Labs</h1>{labs}</main></body></html>"""

DRIVE = """([id, settings]) => {
    const root = document.getElementById(id), svgs = [...root.querySelectorAll('.gtt-svg')];
    const say = root.querySelector('.gtt-readout');
    return settings.map((setting) => {
        for (const [name, value] of Object.entries(setting)) {
            const inputs = root.querySelectorAll(`[data-control="${name}"] input`);
            if (typeof value === 'string') {
                const input = [...inputs].find((i) => i.value === value);
                if (!input.checked) {
                    input.checked = true;
                    input.dispatchEvent(new Event('input', {bubbles: true}));
                }
            } else if (Number(inputs[0].value) !== value) {
                inputs[0].value = value;
                inputs[0].dispatchEvent(new Event('input', {bubbles: true}));
            }
        }
        const drawn = {};
        for (const svg of svgs) for (const g of svg.querySelectorAll('g[id]')) {
            const path = g.querySelector(':scope > path'), dots = g.querySelector('.gtt-dots');
            const circle = /M(\\S+) (\\S+?)m(\\S+) 0a/g;
            const circles = dots ? dots.getAttribute('d').matchAll(circle) : [];
            drawn[g.id] = {d: path && path.getAttribute('d'), move: g.getAttribute('transform'),
                           dots: dots && [...circles].map((m) => m.slice(1).map(Number))};
        }
        return {drawn, words: say.textContent};
    });
}"""


# the live region tells the reader what the readout says, when the slider has come to rest
SAID = """(id) => {
    const text = (part) => document.getElementById(id).querySelector(part).textContent;
    return text('[role="status"]') === text('.gtt-readout'); }"""


@pytest.fixture(scope="module")
def made():
    """Every lab, made once."""
    return {name: make() for name, make in LABS.items()}


@pytest.fixture(scope="module")
def address(made, tmp_path_factory):
    """A folder with the page of all labs, light and dark: address(theme) is its file:// address."""
    folder = tmp_path_factory.mktemp("labs")
    (folder / "explorer.js").write_text(script.classic(), encoding="utf-8")
    (folder / "share.js").write_text(script.aside(), encoding="utf-8")
    (folder / "explorer.css").write_text(script.sheet(), encoding="utf-8")
    body = "".join(lab.html for lab in made.values())
    for theme in ("light", "dark"):
        (folder / f"{theme}.html").write_text(PAGE.format(theme=theme, labs=body), encoding="utf-8")
    return lambda theme="light": (folder / f"{theme}.html").as_uri()


@pytest.fixture
def open_labs(visit, address):
    def open_page(theme="light", where="", **options):
        opened = visit(address(theme) + where, **options)
        if options.get("javascript", True):
            opened.page.wait_for_function(
                "[...document.querySelectorAll('.gtt-explorer')].every((e) => 'ready' in e.dataset)"
            )
        return opened

    return open_page


def as_read(words):
    """A sentence as the page shows it."""
    return words.replace("*", "").replace("_", "")


def uid(lab):
    return re.search(r'class="gtt-explorer" id="([^"]+)"', lab.html)[1]


def cases(lab):
    """Every corner of the controls, and random settings."""
    rng, grids = np.random.default_rng(0), lab.grid
    ends = [
        values if isinstance(lab.controls[key], Choice) else [values[0], values[-1]]
        for key, values in grids.items()
    ]
    points = [dict(zip(grids, corner, strict=True)) for corner in itertools.product(*ends)]
    return points + [
        {key: values[rng.integers(len(values))] for key, values in grids.items()}
        for _ in range(RANDOM)
    ]


def as_input(lab, setting):
    """A setting as the page's fields hold it: the place on a slider's grid, an option's name."""
    return {
        key: value if isinstance(value, str) else lab.grid[key].index(value)
        for key, value in setting.items()
    }


def in_points(lab, gid, x, y):
    """Where Matplotlib puts data of one artist in its SVG, in points from the upper left corner."""
    panel, artist = artist_of(lab, gid)
    fig = lab.figures[panel]
    transform = artist.axes.transData if hasattr(artist, "get_text") else artist.get_transform()
    x, y = (np.atleast_1d(np.asarray(v, float)) for v in (x, y))
    xy = transform.transform(np.stack(np.broadcast_arrays(x, y), -1)) * 72 / fig.dpi
    height = fig.get_figheight() * 72
    return panel, np.stack([xy[:, 0], height - xy[:, 1]], -1), height


def on_its_axes(lab, gid, x, y, limits):
    """Data on axes that differ per setting, as data of the axes that Matplotlib drew."""
    ax, found = artist_of(lab, gid)[1].axes, []
    for axis, values in (("x", x), ("y", y)):
        if ends := limits.get(f"{ax.get_gid()}.{axis}"):
            log = getattr(ax, f"get_{axis}scale")() == "log"
            there, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
            own = there(getattr(ax, f"get_{axis}lim")())
            low, high = (there(np.asarray(end, float).ravel()[0]) for end in ends)
            with np.errstate(divide="ignore", over="ignore"):
                share = (there(values) - low) / (high - low)
                values = back(own[0] + share * (own[1] - own[0]))
        found.append(values)
    return found


@pytest.mark.parametrize("name", LABS)
def test_every_drawn_point_is_where_the_function_puts_it(open_labs, made, name):
    lab, opened = made[name], open_labs()
    points = cases(lab)
    seen = opened.page.evaluate(DRIVE, [uid(lab), [as_input(lab, s) for s in points]])
    compared = 0
    for setting, shown in zip(points, seen, strict=True):
        state, limits = lab.at(**setting), lab._model.frame(setting).limits
        assert shown["words"] == as_read(state.sentence), setting
        for gid, xy in state.drawn.items():
            artist = artist_of(lab, gid)[1]
            if hasattr(artist, "get_text"):
                continue  # texts may sit a little off: the tests below
            panel, want, height = in_points(lab, gid, *on_its_axes(lab, gid, *xy, limits))
            got = shown["drawn"][f"{uid(lab)}-{panel}-{gid}"]
            inside = np.isfinite(want).all(-1) & (want[:, 1] >= 0) & (want[:, 1] <= height)
            if got["d"] is not None:
                drawn = np.array(re.findall(r"-?[\d.]+", got["d"]), float).reshape(-1, 2)
                far = np.abs(drawn[:, None] - want[inside][None]).max(-1).min(0, initial=np.inf)
                assert (far <= 0.51 / 16).all(), (setting, gid, far.max())
                compared += inside.sum()
            if got["dots"] is not None:
                radius = artist.get_markersize() / 2
                dots = np.array(got["dots"]).reshape(-1, 3)
                dots = dots[(dots[:, 1] >= 0) & (dots[:, 1] <= height)]
                circles = np.c_[want, 0 * want[:, :1] - radius][inside]
                assert np.abs(dots - circles).max(initial=0) <= 0.51 / 16
                compared += len(dots)
    assert compared > 20 * len(points)
    assert opened.console == []


@pytest.mark.parametrize("name", LABS)
def test_names_stand_beside_their_curves_and_apart(open_labs, made, name):
    opened = open_labs()
    lab = made[name]
    boxes = """(id) => {
        const names = [...document.getElementById(id).querySelectorAll('g[id$=".name"]')];
        return names.map((g) => {
            const r = g.getBoundingClientRect(), s = g.ownerSVGElement.getBoundingClientRect();
            const frame = [s.left - 2, s.right + 2, s.top - 2, s.bottom + 2];
            return [r.top, r.bottom, r.left, r.right, ...frame];
        });
    }"""
    for setting in cases(lab)[:60]:
        opened.page.evaluate(DRIVE, [uid(lab), [as_input(lab, setting)]])
        found = opened.page.evaluate(boxes, uid(lab))
        for top, bottom, left, right, low, high, first, last in found:
            assert low <= left and right <= high and first <= top and bottom <= last, (
                setting,
                "leaves the figure",
            )
        for a, b in itertools.combinations(found, 2):
            overlap = min(a[1], b[1]) - max(a[0], b[0])
            assert overlap <= 6 or min(a[3], b[3]) <= max(a[2], b[2]), (setting, "names overlap")


def test_the_numbers_of_the_lag_axis_are_those_of_the_limits_shown(open_labs, made):
    lab, page = made["forget_gate"], open_labs().page
    read = """([id, start]) => [...document.querySelectorAll(`g[id^="${start}"] text`)]
        .filter((text) => getComputedStyle(text).visibility === 'visible')
        .map((text) => {
            const box = text.getBBox();
            const place = new DOMPoint(box.x + box.width / 2, box.y);
            const frame = text.ownerSVGElement.getScreenCTM().inverse();
            return [text.textContent, place.matrixTransform(frame.multiply(text.getScreenCTM())).x];
        })"""
    for bias, end in ((0.0, 60), (3.0, 200)):
        page.evaluate(DRIVE, [uid(lab), [as_input(lab, lab.settings | {"forget_bias": bias})]])
        shown = dict(page.evaluate(read, [uid(lab), f"{uid(lab)}-1-flow.x."]))
        assert len(shown) >= 3 and max(map(int, shown)) <= end
        ticks = np.array(list(shown), float) * 200 / end
        _, want, _ = in_points(lab, "exact", ticks, np.ones(len(ticks)))
        assert np.abs(np.array(list(shown.values())) - want[:, 0]).max() < 1.5


# --- how it is operated


def first_input(page, lab, control):
    return page.locator(f'[id="{uid(lab)}"] [data-control="{control}"] input').first


def path_of(page, lab, panel, gid):
    return page.locator(f'[id="{uid(lab)}-{panel}-{gid}"] > path').get_attribute("d")


def test_dragging_an_eigenvalue_with_the_mouse_follows_it_to_the_nearest_setting(open_labs, made):
    page, lab = open_labs().page, made["eigenvalues_linear"]
    grip = page.locator(f'[id="{uid(lab)}"] .gtt-grip').first
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    assert min(box["width"], box["height"]) >= 24
    ax = artist_of(lab, "pair")[1].axes
    per_unit = (
        (ax.transData.transform((1, 0)) - ax.transData.transform((0, 0)))[0] * 72 / ax.figure.dpi
    )
    svg = page.locator(f'[id="{uid(lab)}"] .gtt-svg').first.bounding_box()
    scale = per_unit * svg["width"] / (ax.figure.get_figwidth() * 72)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    conjugate = np.sign(lab.at(radius=0.95, angle=30, between=16).drawn["pair"][1][0])
    page.mouse.move(x, y)
    page.mouse.down()
    for radius, angle in ((0.9, 6.0), (1.05, 90.0), (0.8, 30.0)):
        turn = np.deg2rad(angle) * conjugate
        start = 0.95 * np.exp(1j * np.deg2rad(30) * conjugate)
        shift = radius * np.exp(1j * turn) - start
        page.mouse.move(x + shift.real * scale, y - shift.imag * scale, steps=4)
        values = [
            page.locator(f'[id="{uid(lab)}"] [data-control="{c}"] output').text_content()
            for c in ("radius", "angle")
        ]
        assert values == [f"{radius:.3g}", f"±{angle:.0f}°"]
    page.mouse.up()


def test_the_keyboard_alone_reaches_and_moves_every_control(open_labs, made):
    opened = open_labs()
    page = opened.page
    reached = {}
    page.keyboard.press("Tab")
    for _ in range(80):
        tag = page.evaluate(
            "(() => { const e = document.activeElement, c = e.closest('[data-control]');"
            "const r = e.closest('.gtt-explorer');"
            "return [r && r.id, c ? c.dataset.control : e.className || e.tagName] })()"
        )
        reached[tuple(tag)] = True
        page.keyboard.press("Tab")
    for lab in made.values():
        before = page.locator(f'[id="{uid(lab)}"] .gtt-readout').text_content()
        for control, values in lab.grid.items():
            assert (uid(lab), control) in reached
            field = first_input(page, lab, control)
            if isinstance(values[0], str):
                page.locator(f'[id="{uid(lab)}"] [data-control="{control}"] input:checked').focus()
            else:
                field.focus()
            shape = "(id) => [...document.getElementById(id).querySelectorAll('.gtt-svg path')]"
            shape += ".map((e) => e.getAttribute('d')).join()"
            was = page.evaluate(shape, uid(lab))
            page.keyboard.press(
                "ArrowLeft" if lab.controls[control].start == values[-1] else "ArrowRight"
            )
            assert page.evaluate(shape, uid(lab)) != was, (uid(lab), control)
        assert (uid(lab), "gtt-reset") in reached and (uid(lab), "SUMMARY") in reached
        page.locator(f'[id="{uid(lab)}"] .gtt-reset').press("Enter")
        assert page.locator(f'[id="{uid(lab)}"] .gtt-readout').text_content() == before
    assert opened.console == []


def test_every_control_has_a_name_a_value_and_a_target_of_24_pixels(open_labs, made):
    page = open_labs(width=390).page
    small = page.evaluate(
        """[...document.querySelectorAll('.gtt-explorer :is(input, button, summary, .gtt-grip)')]
            .map((e) => {
                const r = (e.type === 'radio' ? e.parentElement : e).getBoundingClientRect();
                const name = e.className.baseVal || e.className || e.outerHTML.slice(0, 80);
                return [name, r.width, r.height];
            })
            .filter(([, w, h]) => w < 24 || h < 24)"""
    )
    assert small == []
    for lab in made.values():
        for control, values in lab.grid.items():
            item = lab.controls[control]
            if isinstance(values[0], str):
                group = page.locator(f'[id="{uid(lab)}"]').get_by_role(
                    "group", name=as_read(item.label), exact=True
                )
                assert group.get_by_role("radio").count() == len(values)
            else:
                field = page.locator(f'[id="{uid(lab)}"]').get_by_role(
                    "slider", name=as_read(item.label), exact=True
                )
                assert field.get_attribute("aria-valuetext") == item.write(item.start)
                assert field.get_attribute("data-lm-suppress-shortcuts") == "true"


def test_names_and_live_text_alone_carry_each_claim(open_labs, made):
    """What a screen reader has: the names of the controls, their values, and the polite live region
    after a change."""
    page = open_labs().page
    claims = {
        "eigenvalues_linear": [
            ({"radius": 0.95, "between": 16.0}, "largest at lag 3.*vanishing"),
            ({"radius": 1.05}, "exploding"),
            ({"radius": 1.0, "between": 90.0}, "neither vanishing nor exploding"),
            ({"radius": 0.95, "between": 90.0}, "^After.*vanishing"),
        ],
        "eigenvalues_tanh": [({"radius": 2.0, "drive": 3.0}, "the gradient vanishes"),
                             ({"radius": 2.0, "drive": 0.0}, "chaos")],
        "forget_gate": [({"forget_bias": -2.0}, "vanishing"),
                        ({"forget_bias": 6.0}, r"moves hT by 0\.1"),
                        ({"forget_bias": 3.0, "layers": "forget"},
                         "halves every 20 .*product of f says")],
        "paths": [({"forget_bias": 1.0, "scale": 2.0}, "Paths cancel")],
        "clipping": [({"threshold": 0.2}, "lower"),
                     ({"b": -2.9, "threshold": 20.0, "rate": 0.05}, "never reached")],
        "truncation": [({"window": 5.0}, "too short"), ({"window": 15.0}, "enough")],
    }  # fmt: skip
    for name, steps in claims.items():
        lab = made[name]
        page.evaluate(
            DRIVE, [uid(lab), [as_input(lab, cases(lab)[0]), as_input(lab, lab.settings)]]
        )
        for setting, claim in steps:
            page.evaluate(
                DRIVE,
                [uid(lab), [as_input(lab, {k: v for k, v in lab.settings.items()} | setting)]],
            )
            page.wait_for_function(SAID, arg=uid(lab))
            live = page.locator(f'[id="{uid(lab)}"] [role="status"]').text_content()
            assert live == page.locator(f'[id="{uid(lab)}"] .gtt-readout').text_content()
            assert re.search(claim, live), (name, setting, live)


# --- the address


@pytest.mark.parametrize("key", ["radius", "%CF%81", "ρ"])
def test_a_setting_in_the_address_is_restored_and_the_address_follows(open_labs, made, key):
    lab = made["eigenvalues_linear"]
    page = open_labs(where=f"#lab=eigenvalues-linear&{key}=1&angle=90").page
    output = page.locator(f'[id="{uid(lab)}"] [data-control="radius"] output')
    assert output.text_content() == "1"
    first_input(page, lab, "radius").press("ArrowRight")
    page.wait_for_function("location.hash.includes('radius=1.05')")
    assert "lab=eigenvalues-linear" in page.url and "angle=90" in page.url
    shared = page.url
    page.locator(f'[id="{uid(lab)}"] .gtt-reset').click()
    page.wait_for_function("location.hash === ''")
    page.goto("about:blank")
    page.goto(shared)
    page.wait_for_function("document.querySelector('.gtt-explorer[data-ready]')")
    assert output.text_content() == "1.05"


TEXTS = (
    st.sampled_from(
        ["NaN", "Infinity", "-1e9", "", "%", "1.0333", "1e-320", "0x10", "1,1", "__proto__"]
    )
    | st.text()
)
KEYS = st.sampled_from(["radius", "units", "drive", "lab", "ρ", "nothing", "__proto__"])


def test_any_text_in_the_address_leaves_a_whole_and_true_figure(open_labs, made):
    lab, opened = made["eigenvalues_tanh"], open_labs()
    page, ranges = opened.page, ("radius", "drive")
    indices = """(id) => [...document.querySelectorAll(`[id='${id}'] input`)]
        .map((i) => i.type === 'range' ? Number(i.value) : i.checked && i.value)
        .filter((v) => v !== false)"""

    @given(st.lists(st.tuples(KEYS, TEXTS), min_size=1, max_size=3))
    @settings(max_examples=150)
    def whatever(pairs):
        page.evaluate(
            "(h) => { location.hash = h }", "&".join(f"{key}={text}" for key, text in pairs)
        )
        page.evaluate("() => new Promise(requestAnimationFrame)")
        units, *at = page.evaluate(indices, uid(lab))
        shown = {k: lab.grid[k][int(i)] for k, i in zip(ranges, at, strict=True)}
        words = lab.at(units=units, **shown).sentence
        assert page.locator(f'[id="{uid(lab)}"] .gtt-readout').text_content() == as_read(words)

    whatever()
    assert opened.console == []


def test_an_off_grid_value_from_the_address_snaps_to_a_computed_setting(open_labs, made):
    page = open_labs(where="#lab=eigenvalues-tanh&radius=1.2777").page
    lab = made["eigenvalues_tanh"]
    assert page.locator(f'[id="{uid(lab)}"] [data-control="radius"] output').text_content() == "1.3"


# --- play, reset, numbers


def test_play_lets_the_curve_grow_once_and_only_when_asked(open_labs, made):
    page, lab = open_labs().page, made["paths"]
    whole = path_of(page, lab, 1, "total")
    page.wait_for_timeout(300)
    assert path_of(page, lab, 1, "total") == whole  # nothing moves by itself
    button = page.locator(f'[id="{uid(lab)}"] .gtt-play')
    button.click()
    some = """([ids, whole]) => {
        const d = ids.map((id) => document.querySelector(`[id="${id}"] > path`).getAttribute('d'));
        const points = d[0].split('L').length;
        return points > 4 && points < whole.split('L').length && d; }"""
    ids = [f"{uid(lab)}-1-{gid}" for gid in ("total", "gates")]
    part, rate = page.wait_for_function(some, arg=[ids, whole]).json_value()
    assert whole.startswith(part.rpartition("L")[0]) and 1 < part.count("L") < whole.count("L")
    reached = [float(path.rpartition("L")[2].split()[0]) for path in (part, rate)]
    assert reached[0] == pytest.approx(reached[1])  # all curves of a picture grow together
    button.click()
    assert path_of(page, lab, 1, "total") == whole and button.text_content() == "Play"
    button.click()
    page.wait_for_timeout(300)
    first_input(page, lab, "forget_bias").press(
        "ArrowRight"
    )  # moving on shows the whole curve at once
    assert (
        path_of(page, lab, 1, "total").count("L") == whole.count("L")
        and button.text_content() == "Play"
    )


def test_with_reduced_motion_play_moves_in_a_few_jumps(open_labs, made):
    page, lab = open_labs(reduced_motion="reduce").page, made["paths"]
    page.evaluate(
        """(id) => {
            window.seen = new Set();
            window.begun = performance.now();
            const p = document.getElementById(id).querySelector('path');
            const watch = new MutationObserver(() => window.seen.add(p.getAttribute('d')));
            watch.observe(p, {attributes: true});
        }""",
        f"{uid(lab)}-1-total",
    )
    page.locator(f'[id="{uid(lab)}"] .gtt-play').click()
    page.wait_for_function("window.seen.size >= 2")
    jumps, seconds = page.evaluate("[window.seen.size, (performance.now() - window.begun) / 1000]")
    assert jumps <= seconds + 2  # one a second, where frames would be sixty


@pytest.mark.parametrize("name", LABS)
def test_the_table_of_numbers_holds_the_curve_shown_and_can_be_copied(
    open_labs, made, name, tmp_path
):
    lab, opened = made[name], open_labs(permissions=["clipboard-read", "clipboard-write"])
    page = opened.page
    details = page.locator(f'[id="{uid(lab)}"] .gtt-numbers')
    details.locator("summary").click()
    details.locator("tr").nth(1).wait_for()
    details.locator(".gtt-copy").click()
    page.wait_for_function(
        "(id) => document.getElementById(id).querySelector('.gtt-copy').textContent !== 'Copy'",
        arg=uid(lab),
    )
    copied = page.evaluate("navigator.clipboard.readText()")
    rows = [line.split("\t") for line in copied.split("\n")]
    shown = details.locator("tr").all_inner_texts()
    assert [row.split("\t") for row in shown] == rows
    state, compared = lab.at(), 0
    assert rows[0] == list(state.table)
    for column, gid in enumerate(lab.columns, 1):
        x, y = (np.broadcast_to(v, state.drawn[gid][0].shape) for v in state.drawn[gid])
        for row in rows[1:]:
            assert row[0] == f"{float(row[0]):g}"
            at = np.flatnonzero(x == float(row[0]))
            if row[column] and len(at):
                last_digit = 10.0 ** (np.floor(np.log10(max(abs(y[at[0]]), 1e-18))) - 2)
                close = abs(float(row[column]) - y[at[0]]) <= 0.5001 * last_digit
                assert close or abs(y[at[0]]) < 1e-4 > float(row[column]), row
                compared += 1
    assert compared >= 10


# --- feel, weight, robustness of the page


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_shifts_and_nothing_overflows_when_sliders_move(open_labs, made, width):
    page = open_labs(width=width).page
    heights = "[...document.querySelectorAll('.gtt-explorer')].map((e) => e.offsetHeight)"
    first = page.evaluate(heights)
    for lab in made.values():
        page.evaluate(DRIVE, [uid(lab), [as_input(lab, s) for s in cases(lab)[:12]]])
    assert page.evaluate(heights) == first
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem[:2])
def test_the_labs_of_a_page_add_less_than_150_kb_and_the_script_less_than_12(chapter):
    """As the page opens: a table comes when the reader is near (test_play_page)."""
    names = re.findall(r"labs\.(\w+)\(\)", chapter.read_text("utf-8"))
    page = "".join(LABS[name]().html for name in names)
    page = re.sub(r'(<script type="application/json">).*?</script>', r"\1</script>", page)
    code, sheet = (len(gzip.compress(part.encode())) for part in (script.classic(), script.sheet()))
    assert code < 12_000
    assert len(gzip.compress(page.encode())) + code + sheet < 150_000


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
)
def test_axe_finds_nothing_in_a_lab(open_labs, theme, width):
    page = open_labs(theme, width=width).page
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    page.wait_for_timeout(100)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert result["passes"]
    assert [f"{v['id']}: {n['html'][:120]}" for v in result["violations"] for n in v["nodes"]] == []


def test_without_javascript_the_pictures_show_and_no_dead_control_does(open_labs):
    page = open_labs(javascript=False).page
    assert page.locator(".gtt-svg").first.bounding_box()["width"] > 150
    assert page.locator(".gtt-readout").first.is_visible()
    for dead in (".gtt-controls", ".gtt-numbers"):
        assert not page.locator(dead).first.is_visible()


def test_print_shows_the_figure_its_sentence_and_the_values_but_nothing_to_operate(open_labs, made):
    page = open_labs().page
    for lab in made.values():
        page.evaluate(DRIVE, [uid(lab), [as_input(lab, cases(lab)[0])]])
    page.emulate_media(media="print")
    for name in (".gtt-svg", ".gtt-readout", ".gtt-slider output"):
        assert page.locator(name).first.is_visible()
    for name in ("input[type=range]", ".gtt-grip", "button", "summary", ".gtt-question"):
        assert not page.locator(f".gtt-explorer {name}").first.is_visible()
    for lab in made.values():
        setting = cases(lab)[0]
        said = page.locator(f'[id="{uid(lab)}"] .gtt-controls').inner_text().replace("\n", " ")
        for key, value in setting.items():
            control = lab.controls[key]
            assert as_read(control.label) in said and control.write(value) in said
            if isinstance(control, Choice):  # of the options the one that is shown
                others = [text for each, text in control.options.items() if each != value]
                assert not set(others) & set(said.split())


def test_two_copies_of_a_lab_on_one_page_do_not_disturb_one_another(browser, tmp_path):
    copies = [LABS["truncation"](), LABS["truncation"]()]
    (tmp_path / "two.html").write_text(
        "<!doctype html><meta charset=utf-8>"
        + "".join(c.html for c in copies)
        + f"<script>{script.classic()}</script>",
        "utf-8",
    )
    page = browser.new_page()
    page.goto((tmp_path / "two.html").as_uri())
    page.wait_for_function("document.querySelectorAll('.gtt-explorer[data-ready]').length === 2")
    readouts = page.locator(".gtt-readout")
    before = readouts.nth(1).text_content()
    first_input(page, copies[0], "window").press("End")
    page.locator(f'[id="{uid(copies[0])}"] [data-control="cell"] input').nth(1).check()
    assert readouts.nth(0).text_content() != before and readouts.nth(1).text_content() == before
    other = page.locator(f'[id="{uid(copies[1])}"] [data-control="cell"] input:checked')
    assert other.get_attribute("value") == "rnn"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    page.close()


# --- the protocol with a kernel, against a model made of plain JavaScript (test_explorer_live.py
# has the real one)

FAKE = """([html, frame, values]) => {
    const state = {_html: html, _frame: frame, ...values}, heard = {};
    window.sent = [];
    window.model = {
        get: (name) => state[name],
        set: (name, value) => {
            state[name] = value;
            (heard[`change:${name}`] || []).forEach((f) => f());
        },
        save_changes: () => window.sent.push({...state, _html: null, _frame: null}),
        on: (name, f) => (heard[name] ||= []).push(f),
        off: (name, f) => { heard[name] = heard[name].filter((g) => g !== f); },
        count: () => Object.values(heard).flat().length,
    };
    const el = document.body.appendChild(document.createElement('div'));
    return bpttExplorer.render({model: window.model, el}).then((end) => { window.end = end; });
}"""


RENDER = script.module().replace("export default", "globalThis.bpttExplorer =")


@pytest.fixture
def fake(browser, tmp_path):
    """A lab mounted on a model that answers when the test says so: (lab, page)."""
    lab = LABS["truncation"]()
    (tmp_path / "fake.html").write_text(
        f"<!doctype html><meta charset=utf-8><script type=module>{RENDER}</script>", "utf-8"
    )
    page = browser.new_page()
    page.add_init_script(PATIENT)  # or the time that Python needs for an answer would be too long
    page.goto((tmp_path / "fake.html").as_uri())
    page.evaluate(FAKE, [lab.html, lab.reply(), lab.settings])
    yield lab, page
    page.close()


def answer(page, lab, **changes):
    """The kernel's reply for a setting, as Python makes it."""
    frame = lab.reply(**changes)
    page.evaluate("(frame) => window.model.set('_frame', frame)", frame)
    return frame


def test_a_late_answer_for_a_setting_already_left_is_not_drawn(fake):
    lab, page = fake
    slider = first_input(page, lab, "memory")
    for index in (2.4, 6.5):
        slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", index)
    first, last = (setting["memory"] for setting in page.evaluate("window.sent"))
    assert (first, last) == (0.62, 0.825)
    table = path_of(page, lab, 0, "angle")
    answer(page, lab, memory=first)
    assert path_of(page, lab, 0, "angle") == table
    frame = answer(page, lab, memory=last)
    assert path_of(page, lab, 0, "angle") != table
    assert page.locator(f'[id="{uid(lab)}"] .gtt-readout').text_content() == as_read(frame["words"])
    assert (
        page.locator(f'[id="{uid(lab)}"] [data-control="memory"] output').text_content()
        == frame["texts"][3]
    )


def test_a_setting_made_in_python_moves_the_slider_and_is_not_sent_back(fake):
    lab, page = fake
    page.evaluate("window.model.set('window', 12.5)")
    assert first_input(page, lab, "window").input_value() == "8.2"
    assert page.evaluate("window.sent") == []


def test_several_settings_of_one_change_reach_the_model_whole(fake):
    lab, page = fake
    page.evaluate("window.model.set('window', 12)")
    page.evaluate("window.model.set('cell', 'lstm')")
    page.locator(".gtt-reset").click()
    assert page.evaluate("window.sent") == [{**lab.settings, "_html": None, "_frame": None}]


def test_without_an_answer_the_figure_snaps_to_its_table_and_recovers(fake):
    lab, page = fake
    page.evaluate("window.patient = 0")
    slider = first_input(page, lab, "memory")
    slider.evaluate("(e) => { e.value = 2.4; e.dispatchEvent(new Event('input')) }")
    page.locator(".gtt-offline").wait_for(timeout=PATIENCE)
    page.evaluate("window.patient = 1")
    assert (slider.input_value(), slider.get_attribute("step")) == ("2", "1")
    slider.evaluate("(e) => { e.value = 3; e.dispatchEvent(new Event('input')) }")
    answer(page, lab, memory=lab.grid["memory"][3])
    assert page.locator(".gtt-offline").count() == 0 and slider.get_attribute("step") == "0.1"


def test_a_removed_view_listens_no_more(fake):
    _, page = fake
    assert page.evaluate("window.model.count()") == 6
    page.evaluate("window.end()")
    assert page.evaluate("window.model.count()") == 0


def test_a_dark_page_is_printed_in_the_colours_of_paper(open_labs):
    page = open_labs("dark").page
    ink = "getComputedStyle(document.documentElement).getPropertyValue('--gtt-ink').trim()"
    assert page.evaluate(ink) == plotting.PALETTE["ink"][1]
    page.emulate_media(media="print")
    assert page.evaluate(ink) == plotting.PALETTE["ink"][0]


def test_with_forced_colours_the_option_chosen_still_stands_out(open_labs, made):
    page = open_labs(forced_colors="active").page
    spans = page.locator(f'[id="{uid(made["forget_gate"])}"] .gtt-choice span').all()
    pictures = [matplotlib.image.imread(io.BytesIO(span.screenshot())) for span in spans]
    left_of_text = [picture[picture.shape[0] // 2, 8, :3] for picture in pictures]
    chosen, *others = left_of_text
    assert others and all(np.abs(chosen - other).max() > 0.3 for other in others)


def test_a_link_leads_to_its_lab_and_shows_one_picture_but_a_reload_keeps_the_place(
    open_labs, made
):
    lab = made["truncation"]
    page = open_labs(where=f"#lab={lab.address}&window=10").page
    assert page.evaluate("scrollY") > 0
    first_input(page, lab, "memory").press("ArrowLeft")
    page.evaluate(f"location.hash = 'lab={lab.address}&window=8'")
    page.wait_for_function(
        "(e) => e.value === '6'", arg=first_input(page, lab, "window").element_handle()
    )
    begin = str(lab.grid["memory"].index(lab.controls["memory"].start))
    assert first_input(page, lab, "memory").input_value() == begin
    page.evaluate("scrollTo(0, 0)")
    page.reload()
    page.wait_for_function(
        "[...document.querySelectorAll('.gtt-explorer')].every((e) => 'ready' in e.dataset)"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") == 0 and first_input(page, lab, "window").input_value() == "6"
