"""What a published page says about itself, and where its reader can go from it: the links that run
a chapter elsewhere, the preview that a shared link shows, the version, a form for a false sentence.

From the environment:

GTT_BASE_URL   where the site will stand, as https://someone.github.io/course/: canonical addresses,
               sitemap.xml, robots.txt and the picture of a preview need it, and come with it alone
GTT_COLAB      the branch that holds the notebooks for Colab (tools/colab.py); no link without it
"""

import datetime
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from . import page

ROOT = Path(__file__).parents[3]
FORM = "wrong_sentence.yml"  # in .github/ISSUE_TEMPLATE; its fields have the ids page and section
PREVIEW = "figure.png"


def launch_links(repo, ref, docname):
    """(what it opens in, address) of the places that run a chapter; none without a repository."""
    if not repo or not docname.startswith("chapters/"):
        return []
    file = f"{docname}.ipynb"
    one_part = quote(ref, safe="")  # to Binder a slash ends the name of a branch
    links = [("Binder", f"https://mybinder.org/v2/gh/{repo}/{one_part}?urlpath=lab/tree/{file}")]
    if colab := os.environ.get("GTT_COLAB"):
        place = f"{repo}/blob/{quote(colab)}/{file}"
        links.append(("Colab", f"https://colab.research.google.com/github/{place}"))
    return [*links, ("GitHub", f"https://github.com/{repo}/blob/{quote(ref)}/{file}")]


def report_link(repo, docname, title):
    """The form for a sentence that is wrong, with the page filled in; gtt.js adds the section."""
    if not repo:
        return None
    filled = {"template": FORM, "title": f"Wrong: {title}", "page": docname}
    return f"https://github.com/{repo}/issues/new?{urlencode(filled)}"


def version():
    """As in "0.2.0 (1a2b3c4)": of the package, and of the commit where it is known."""
    project = ROOT / "pyproject.toml"
    if not project.is_file():
        return ""
    number = re.search(r'^version = "(.+)"', project.read_text(encoding="utf-8"), re.M)[1]
    commit = os.environ.get("GITHUB_SHA", "")[:7] or short_commit()
    return f"{number} ({commit})" if commit else number


def short_commit():
    try:
        git = ["git", "-C", ROOT, "rev-parse", "--short=7", "HEAD"]
        return subprocess.run(git, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def set_base(app, config):
    base = os.environ.get("GTT_BASE_URL", "").strip()
    if base:
        config.html_baseurl = base.rstrip("/") + "/"


def add_context(app, pagename, templatename, context, doctree):
    base = app.config.html_baseurl
    title = re.sub(r"<[^>]+>", "", context.get("title") or "")
    context["base"] = base or "../" * pagename.count("/")
    context["launch"] = launch_links(app.gtt_repository, page.branch(), pagename)
    context["report"] = report_link(app.gtt_repository, pagename, title)
    context["edition"] = app.gtt_edition
    # the layout has its own, for pages that Sphinx writes no tags for
    metatags = context.get("metatags") or ""
    context["metatags"] = re.sub(r'<meta [^>]*name="viewport"[^>]*>', "", metatags)
    context["preview"] = f"{base}{PREVIEW}" if base else None


def start(app):
    app.gtt_edition = version()


def finish(app, error):
    """sitemap.xml, robots.txt and the preview's picture, where the site's address is known."""
    base = app.config.html_baseurl
    if error is not None or app.builder.format != "html" or not base:
        return
    out = Path(app.outdir)
    pages = sorted(f"{name}.html" for name in app.env.found_docs)
    today = datetime.date.today().isoformat()
    entries = "".join(
        f"<url><loc>{escape(base + quote(name))}</loc><lastmod>{today}</lastmod></url>\n"
        for name in pages
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    (out / "sitemap.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{space}">\n{entries}</urlset>\n',
        encoding="utf-8",
    )
    (out / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n", encoding="utf-8"
    )
    picture = ROOT / "book" / PREVIEW
    if picture.is_file():
        shutil.copyfile(picture, out / PREVIEW)


def setup(app):
    app.connect("config-inited", set_base)
    app.connect("builder-inited", start)
    app.connect("html-page-context", add_context, priority=600)
    app.connect("build-finished", finish, priority=950)
