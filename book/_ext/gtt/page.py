"""What the templates need to know about a page, and the files that only some pages load."""

import base64
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.util import logging

from bptt_core.explorer import script
from bptt_core.follow import element as follow
from bptt_core.walk import widget as walk

from . import questions

try:
    import minify
except ImportError:
    minify = None

LOGGER = logging.getLogger(__name__)
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STATIC = HERE.parents[1] / "_theme" / "static"
OWN = ("gtt.js", "claims.js")  # the theme's, minified like the package's
FONT = re.compile(r"url\((fonts/[\w-]+\.woff2)\)")
TABLE = re.compile(r'(<script type="application/json"[^>]*)>([^<]{2000,})(</script>)')
HOLDER = re.compile(r'class="gtt-(explorer|ask|walk|follow)\b')  # what a table belongs to
STYLE_HERE = "<!-- style -->"
FIGURES = {"walk": walk, "follow": follow}  # each with a script and a sheet of its own
GITHUB = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
REPAIRS = (  # what axe-core rightly complains of
    (' aria-label="Toggle hidden content"', ""),
    (' role="doc-biblioentry"', ""),
    (' role="list"', ""),
    ("<pre>", '<pre tabindex="0">'),  # until gtt.js finds that it does not scroll
    ('<div class="formula">', '<div class="formula" tabindex="0">'),
    ('<div class="scroll ', '<div tabindex="0" class="scroll '),
    ('<div class="cell_output ', '<div tabindex="0" class="cell_output '),
    ('<th class="head"><p></p></th>', '<td class="head"></td>'),
)
WHOLE = 8  # pages of a book that has something for each of them to mend
GLYPH = re.compile(r'(<path id="g[0-9a-f]{8}-[^"]*" d=")([^"]*)"')
TOKEN = re.compile(r'<span class="(\w*)">([^<]*)</span>|<span></span>')
# the classes of tokens that gtt.css colours
COLOURED = set(
    "k kc kd kn kp kr ow s s1 s2 sa sb sd se sh si sr m mb mf mh mi mo il nf nc fm nd "
    "c c1 cm gr".split()
)


def repository():
    """owner/name of the repository on GitHub: from the build's environment, else from git's
    remote, else None."""
    if named := os.environ.get("GITHUB_REPOSITORY"):
        return named
    try:
        remote = subprocess.run(
            ["git", "-C", ROOT, "remote", "get-url", "origin"], capture_output=True, text=True
        )
    except FileNotFoundError:
        return None
    found = GITHUB.search(remote.stdout.strip())
    return found[1] if found else None


def source_link(app, path):
    """The address of a file of the repository, or None where the repository is not known."""
    place = f"{app.gtt_repository}/blob/{quote(branch())}/{path}"
    return app.gtt_repository and f"https://github.com/{place}"


def branch():
    return os.environ.get("GITHUB_REF_NAME", "main")


def first_words(doctree, limit=155):
    """The page's first paragraph as its description, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"
    return ""


def version_of(*contents):
    """What an address carries so that a browser's old copy of these bytes is not taken for them."""
    return hashlib.sha256(b"".join(contents)).hexdigest()[:8]


def add_context(app, pagename, templatename, context, doctree):
    body = (context.get("body") or "").replace(questions.ANSWERS_HERE, questions.PROGRESS)
    for wrong, right in REPAIRS:
        app.gtt_repaired[wrong] += body.count(wrong)
        body = body.replace(wrong, right)
    body = re.sub(r"<pre .*?</pre>", plain_code, body, flags=re.S)
    context["body"] = GLYPH.sub(short_outline, body)
    context["has_math"] = "<mjx-container" in body
    context["has_ledger"] = "claim-filter" in body
    context["has_explorer"] = "gtt-explorer" in body
    context["figures"] = figures_of(body)
    context["ask"] = questions.script_of(body)
    context["repository"] = app.gtt_repository
    context["version"] = app.gtt_version
    if 'name="description"' not in context.get("metatags", ""):
        context["description"] = first_words(doctree) if doctree is not None else ""
    if "display_toc" in context and context["toc"].count("<li>") < 3:
        context["display_toc"] = False


def figures_of(html):
    """The names of the `FIGURES` that stand on a page."""
    return [name for name in FIGURES if f'class="gtt-{name}' in html]


def start(app):
    app.gtt_repository = repository()
    app.gtt_repaired = Counter()
    files = sorted(path for path in STATIC.iterdir() if path.is_file())
    own = [
        script.classic(),
        script.aside(),
        script.sheet(),
        questions.SHEET,
        *questions.SCRIPTS.values(),
    ]
    own += [text for figure in FIGURES.values() for text in (figure.SCRIPT, figure.SHEET)]
    parts = [*(text.encode() for text in own), *(path.read_bytes() for path in files)]
    app.gtt_version = version_of(*parts)


def inline_font(match):
    return (
        f"url(data:font/woff2;base64,{base64.b64encode((STATIC / match[1]).read_bytes()).decode()})"
    )


def squeezed(css):
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.S))


def minified(code):
    """A script with short names and no spaces; as it is where there is no minifier
    (requirements.txt says where)."""
    return minify.string("application/javascript", code) if minify else code


def short_outline(match):
    """The outline of a letter in a figure, written in steps from point to point: 3 kB less on a
    page of figures."""
    if not minify:
        return match[0]
    small = minify.string("image/svg+xml", f'<svg><path d="{match[2]}"/></svg>')
    return match[1] + re.search(r'd="([^"]*)"', small)[1] + '"'


def plain_code(match):
    """Code without the spans that change nothing: names and brackets are most of a cell and have
    no colour."""
    return TOKEN.sub(lambda token: token[0] if token[1] in COLOURED else token[2] or "", match[0])


def style(static):
    """The style of every page, the package's sheet (palette and explorer) and then the theme's;
    and that of mathematics.

    It goes into the page itself, with the fonts of the text: the first thing seen waits for no
    second request, and nothing moves when a font arrives."""
    theme = (STATIC / "gtt.css").read_text(encoding="utf-8")
    plain = FONT.sub(inline_font, squeezed(f"{script.sheet()}\n{theme}"))
    return plain, squeezed((static / "math.css").read_text(encoding="utf-8"))


def move_tables(html, name, static, to_static):
    """The page with its tables in scripts of their own, so that the text need not wait for them,
    and the address of the script that it loads, or None.

    That one runs before the others and puts each table back where it stood, so that nothing else
    has to know. But the table of an explorer, which is large, is fetched by gtt.js when the reader
    comes near."""
    (static / "tables").mkdir(exist_ok=True)
    count, lines = itertools.count(), []

    def write(file, code):
        (static / "tables" / file).write_text(code, encoding="utf-8")
        return f"{to_static}/tables/{file}?v={version_of(code.encode())}"

    def move(match):
        number, value = next(count), json.dumps(match[2])
        if HOLDER.findall(html, 0, match.start())[-1] == "explorer":
            code = f"document.currentScript.into.textContent = {value};"
            place = write(f"{name}-{number}.js", code)
        else:
            place = number
            lines.append(
                f"document.querySelector('[data-table=\"{number}\"]').textContent = {value};"
            )
        return f'{match[1]} data-table="{place}">{match[3]}'

    html = TABLE.sub(move, html)
    return html, lines and write(f"{name}.js", "\n".join(lines))


def warn_of_idle_repairs(app):
    """Sphinx may write something else one day: then a repair finds nothing, and what it mended is
    wrong again. A part of the book, or a test's, may lack what a repair is there for."""
    if len(app.env.found_docs) < WHOLE:
        return
    for wrong, _ in REPAIRS:
        if not app.gtt_repaired[wrong]:
            LOGGER.warning("gtt/page.py: no page has %r, which a repair is there for", wrong)


def finish(app, error):
    """Last touches to the written pages: their style, and the tables of their explorers."""
    if error is not None or app.builder.format != "html":
        return
    warn_of_idle_repairs(app)
    static = Path(app.outdir, "_static")
    scripts = {"explorer.js": script.classic(), "share.js": script.aside()}
    scripts |= {f"{name}.js": figure.SCRIPT for name, figure in FIGURES.items()}
    scripts |= {name: (STATIC / name).read_text(encoding="utf-8") for name in OWN}
    for name, code in (scripts | questions.SCRIPTS).items():
        (static / name).write_text(minified(code), encoding="utf-8")
    plain, of_math = style(static)
    of_questions = squeezed(questions.SHEET)
    of_figures = {name: squeezed(figure.SHEET) for name, figure in FIGURES.items()}
    written = questions.collect(app)
    for page in Path(app.outdir).rglob("*.html"):
        html = questions.fill(page.read_text(encoding="utf-8"), page, written, static)
        to_static = Path(os.path.relpath(static, page.parent)).as_posix()
        css = plain
        if "<mjx-container" in html:
            css += of_math.replace("mathjax/", f"{to_static}/mathjax/")
        if questions.script_of(html):
            css += of_questions
        css += "".join(of_figures[figure] for figure in figures_of(html))
        name = page.relative_to(app.outdir).as_posix().replace("/", "-").removesuffix(".html")
        html, tables = move_tables(html, name, static, to_static)
        head = f"<style>{css}</style>"
        if tables:
            head += f'<script defer src="{tables}"></script>'
        page.write_text(html.replace(STYLE_HERE, head), encoding="utf-8")
    shutil.rmtree(static / "fonts", ignore_errors=True)
    for unused in (
        *static.glob("*.css"),
        *static.glob("*.png"),
    ):  # what Sphinx brings for its own themes
        unused.unlink()


def setup(app):
    os.environ.setdefault(
        "BPTT_CORE_STATIC", "linked"
    )  # explorers in cells leave script and style to the page
    app.connect("builder-inited", start)
    app.connect("html-page-context", add_context)
    app.connect("build-finished", finish, priority=900)
