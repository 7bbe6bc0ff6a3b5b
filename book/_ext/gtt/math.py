"""TeX to HTML when the book is built.

MathJax, from the sphinx-mathjax-offline wheel, runs in an embedded V8 (mini-racer). A reader's
browser gets finished markup, a style sheet of the characters the book uses, and fonts: no script,
no flicker, and the same page with JavaScript off. Each formula carries MathML for screen readers. A
TeX error is a build warning at its place.
"""

import base64
import json
import re
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

PARTS = (
    "startup",
    "core",
    "adaptors/liteDOM",
    "input/tex-full",
    "output/chtml",
    "output/chtml/fonts/tex",
    "a11y/assistive-mml",
)
PACKAGES = [
    "base",
    "ams",
    "newcommand",
    "configmacros",
    "textmacros",
    "cancel",
    "color",
    "boldsymbol",
    "mathtools",
    "html",  # \\class, by which a part of a formula has a key: see parts.py
]
SLIM = re.compile(
    r' (?:class="MathJax"|style="position: relative;"|xmlns="[^"]*"|data-mjx-texclass="\w*"'
    r'|unselectable="on")'
)
KEYED = re.compile(r' class="part-[\w-]+"')  # what is heard does not light up
PRELUDE = """
var window = undefined, global = globalThis, console = {log() {}, warn() {}, error() {}, info() {}};
var setTimeout = (f) => f();
var MathJax = {loader: {load: [], ready() {}}, startup: {typeset: false, ready() {}}};
"""
ENGINE = """
var M = MathJax._, adaptor = M.adaptors.liteAdaptor.liteAdaptor();
M.mathjax.mathjax.handlers.register(
    M.a11y['assistive-mml'].AssistiveMmlHandler(
        new M.handlers.html.HTMLHandler.HTMLHandler(adaptor)));
var font = new M.output.chtml.fonts.tex_ts.TeXFont({fontURL: 'mathjax'});
var chtml = new M.output.chtml_ts.CHTML({font: font, adaptiveCSS: true, mtextInheritFont: true});
var tex = new M.input.tex_ts.TeX({packages: PACKAGES, macros: MACROS,
    formatError(jax, e) { throw Error(e.message) }});
var doc = M.mathjax.mathjax.document('', {InputJax: tex, OutputJax: chtml});
function typeset(source, display) {
    try {
        const sizes = {display: display, em: 18, ex: 8, containerWidth: 1e6};
        return adaptor.outerHTML(doc.convert(source, sizes));
    } catch (e) { return 'error: ' + e.message }
}
function styles() { return adaptor.textContent(chtml.styleSheet(doc)) }
0
"""


class Typesetter:
    """One V8 with MathJax loaded; `macros` as in MathJax's configuration."""

    def __init__(self, macros):
        from py_mini_racer import MiniRacer

        folder = find_spec("sphinx-mathjax-offline").submodule_search_locations[0]
        self.root = Path(folder, "static", "mathjax")
        self.engine = MiniRacer()
        self.engine.eval(PRELUDE)
        for part in PARTS:
            self.engine.eval((self.root / f"{part}.js").read_text(encoding="utf-8") + ";0")
        self.engine.eval(
            f"var PACKAGES = {json.dumps(PACKAGES)}, MACROS = {json.dumps(macros)};" + ENGINE
        )
        self.known = {}

    def __call__(self, source, display):
        """HTML of the formula; ValueError with MathJax's message if it is no TeX."""
        if (source, display) not in self.known:
            self.known[source, display] = self.engine.call("typeset", source, display)
        html = self.known[source, display]
        if html.startswith("error: "):
            raise ValueError(html.removeprefix("error: "))
        seen, mark, spoken = SLIM.sub("", html).partition("<mjx-assistive-mml")
        return seen + mark + KEYED.sub("", spoken)

    def write_assets(self, static):
        """The style sheet of the characters used so far, and the fonts it names with those
        characters and no others."""
        css = self.engine.call("styles").replace(
            'format("woff");', 'format("woff"); font-display: swap;'
        )
        fonts = static / "mathjax"
        fonts.mkdir(parents=True, exist_ok=True)
        used = {
            chr(int(code, 16)) if code else char
            for char, code in re.findall(r'content: "(?:([^"\\])|\\([0-9A-F]+))', css)
        }
        for source in (self.root / "output" / "chtml" / "fonts" / "woff-v2").glob("*.woff"):
            if (
                source.name == "MathJax_Zero.woff"
            ):  # it sets the heights, so it must not come late: into the sheet itself
                data = base64.b64encode(source.read_bytes()).decode()
                css = css.replace(f"mathjax/{source.name}", f"data:font/woff;base64,{data}")
            elif source.name in css:
                font = TTFont(source)
                options = Options(hinting=False, notdef_outline=True)
                options.drop_tables += ["FFTM"]  # a time stamp of the font's editor
                subsetter = Subsetter(options)
                subsetter.populate(text="".join(used | {" "}))
                subsetter.subset(font)
                font.save(fonts / source.name)
        (static / "math.css").write_text(css, encoding="utf-8")


def typeset(translator, node, source, display):
    builder = translator.builder
    try:
        return builder.gtt_typesetter(source, display)
    except ValueError as error:
        logger.warning("TeX: %s in %r", error, source, location=node)
        return translator.encode(source)


def visit_math(self, node):
    self.body.append(typeset(self, node, node.astext(), False))
    raise nodes.SkipNode


def visit_math_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(
        '<div class="formula">' + typeset(self, node, display_source(node), True) + "</div>"
    )
    if node["number"]:
        number = get_node_equation_number(self, node)
        anchor = node["ids"][0] if node["ids"] else ""
        self.body.append(
            f'<a class="eqno" href="#{anchor}" aria-label="equation {number}">({number})</a>'
        )
    self.body.append("</div>\n")
    raise nodes.SkipNode


def display_source(node):
    """Several paragraphs, or lines broken by a double backslash, become one aligned display."""
    if node["nowrap"]:
        return node.astext()
    parts = [part for part in node.astext().split("\n\n") if part.strip()]
    parts = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    return (
        parts[0] if len(parts) == 1 else r"\begin{aligned}" + r"\\".join(parts) + r"\end{aligned}"
    )


def start(app):
    if app.builder.format == "html":
        macros = (app.config.mathjax3_config or {}).get("tex", {}).get("macros", {})
        app.builder.gtt_typesetter = Typesetter(macros)


def finish(app, error):
    if error is None and app.builder.format == "html":
        app.builder.gtt_typesetter.write_assets(Path(app.outdir, "_static"))


def setup(app):
    app.add_html_math_renderer("gtt", (visit_math, None), (visit_math_block, None))
    app.connect("builder-inited", start)
    app.connect("build-finished", finish)
