"""What the templates need to know about a page, and the files that only some pages load."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from docutils import nodes
from pygments.formatters import HtmlFormatter
from sphinx.util import logging

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXPLORER = ROOT / "src" / "bptt_core" / "static"
STATIC = HERE.parents[1] / "_theme" / "static"
FONT = re.compile(r"url\((fonts/[\w-]+\.woff2)\)")
GITHUB = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
REPAIRS = (  # what axe-core rightly complains of
    (' aria-label="Toggle hidden content"', ""),
    (' role="doc-biblioentry"', ""),
    (' role="list"', ""),
    ('<th class="head"><p></p></th>', '<td class="head"></td>'),
)
LIGHT, DARK = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def repository():
    """owner/name of the repository on GitHub: from the build's environment, else from git's remote, else None."""
    if named := os.environ.get("GITHUB_REPOSITORY"):
        return named
    try:
        remote = subprocess.run(["git", "-C", ROOT, "remote", "get-url", "origin"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    found = GITHUB.search(remote.stdout.strip())
    return found[1] if found else None


def launch_links(repo, ref, docname):
    """(label, address) of the places which run a chapter; none without a repository."""
    if not repo or not docname.startswith("chapters/"):
        return []
    return [("Binder", f"https://mybinder.org/v2/gh/{repo}/{ref}?urlpath=lab/tree/{docname}.ipynb"),
            ("Colab", f"https://colab.research.google.com/github/{repo}/blob/{ref}/{docname}.ipynb"),
            ("GitHub", f"https://github.com/{repo}/blob/{ref}/{docname}.ipynb")]


def source_link(app, path):
    """The address of a file of the repository, or None where the repository is not known."""
    return app.gtt_repository and f"https://github.com/{app.gtt_repository}/blob/{branch()}/{path}"


def branch():
    return os.environ.get("GITHUB_REF_NAME", "main")


def first_words(doctree, limit=155):
    """The page's first paragraph as its description, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"
    return ""


def version_of(*files):
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def add_context(app, pagename, templatename, context, doctree):
    body = context.get("body") or ""
    for wrong, right in REPAIRS:
        body = body.replace(wrong, right)
    context["body"] = body
    context["has_math"] = "<mjx-container" in body
    context["has_ledger"] = "claim-filter" in body
    context["has_explorer"] = "gtt-explorer" in body
    context["launch"] = launch_links(app.gtt_repository, branch(), pagename)
    context["repository"] = app.gtt_repository
    context["version"] = app.gtt_version
    if 'name="description"' not in context.get("metatags", ""):
        context["description"] = first_words(doctree) if doctree is not None else ""
    if "display_toc" in context and context["toc"].count("<li>") < 3:
        context["display_toc"] = False


def start(app):
    app.gtt_repository = repository()
    app.gtt_version = version_of(*sorted(p for folder in (STATIC, EXPLORER) for p in folder.iterdir() if p.is_file()))


def inline_font(match):
    """A font as part of the sheet: text never changes its face, or its place, while the page loads."""
    data = base64.b64encode((STATIC / match[1]).read_bytes()).decode()
    return f"url(data:font/woff2;base64,{data})"


def finish(app, error):
    """One style sheet of three parts: the package's (palette and explorer), the theme's, the code colours of both modes.
    The explorer's script comes from the package too, under a name that only pages with an explorer load."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    code = "\n".join(HtmlFormatter(style=style, nobackground=True).get_style_defs(f"html[data-theme={mode}] .highlight")
                     for mode, style in (("light", LIGHT), ("dark", DARK)))
    sheets = [sheet.read_text(encoding="utf-8") for sheet in (EXPLORER / "explorer.css", STATIC / "gtt.css")]
    (static / "site.css").write_text(FONT.sub(inline_font, "\n".join([*sheets, code])), encoding="utf-8")
    shutil.copyfile(EXPLORER / "explorer.js", static / "explorer.js")
    shutil.rmtree(static / "fonts", ignore_errors=True)
    for unused in ("basic.css", "pygments.css", "file.png", "minus.png", "plus.png", "gtt.css",
                   *(p.name for p in static.glob("mystnb.*.css"))):
        (static / unused).unlink(missing_ok=True)


def setup(app):
    app.connect("builder-inited", start)
    app.connect("html-page-context", add_context)
    app.connect("build-finished", finish, priority=900)
