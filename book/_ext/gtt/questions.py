"""The questions of the book's pages: their script and sheet, and what one page must know of the
others.

The chapters make their questions when they run (bptt_core.ask). When all pages are written,
`collect` finds them, and `fill` tells the page of progress of all of them, and the start of a
chapter where those of earlier chapters are: each page's are in a classic script, which a page
opened from disk can load too.
"""

import json
import os
import re
from html import escape
from pathlib import Path

from sphinx.util import logging

from bptt_core.ask import pages, question

logger = logging.getLogger(__name__)
HERE = question.HERE
ANSWERS_HERE = "<!-- answers -->"
PROGRESS = pages.PROGRESS
SHEET = question.SHEET
SCRIPTS = {"ask.js": question.SCRIPT, "ask-progress.js": question.script(progress=True)}
QUESTION = re.compile(r"<!--ask ([\w-]+) (\w+)-->(.*?)<!--/ask-->", re.S)
TEXT = re.compile(r'<legend class="gtt-ask-question">(.*?)</legend>', re.S)
TRUTH = re.compile(r'<script type="application/json">(.*?)</script>', re.S)
HEAD = ("Question", "You expected", "It was")  # as pages.js has it
AGAIN = ("choice", "number")  # small enough to be asked again on another page
TITLE = re.compile(r"<h1>(.*?)<a ", re.S)


def script_of(html):
    """The name of the script that a page needs for its questions, or None."""
    if re.search('data-ask="(progress|score)"', html):
        return "ask-progress.js"
    return "ask.js" if 'class="gtt-ask' in html else None


def collect(app):
    """{page: [question]} in the order of the book, with a warning for a name that stands twice."""
    found, seen = {}, {}
    for name in _in_order(app):
        page = Path(app.outdir, f"{name}.html")
        html = page.read_text(encoding="utf-8") if page.exists() else ""
        title = TITLE.search(html)
        for match in QUESTION.finditer(html):
            if match[1] in seen:
                logger.warning("question %r stands in %s and in %s", match[1], seen[match[1]], name)
            seen[match[1]] = name
            found.setdefault(f"{name}.html", []).append(
                {
                    "name": match[1],
                    "kind": match[2],
                    "html": match[3],
                    "question": TEXT.search(match[3])[1],
                    "was": json.loads(TRUTH.search(match[3])[1])["was"],
                    "title": title[1] if title else name,
                }
            )
    return found


def _in_order(app):
    """The names of the pages as the table of contents has them."""
    names, waiting = [], [app.config.root_doc]
    while waiting:
        name = waiting.pop(0)
        if name not in names:
            names.append(name)
            waiting = list(app.env.toctree_includes.get(name, [])) + waiting
    return names


def fill(html, page, written, static):
    """The page with what its `again` and `progress` need to know of other pages."""
    out = static.parent
    own = page.relative_to(out).as_posix()
    if 'data-ask="again"' in html:
        earlier = list(written)[: list(written).index(own)] if own in written else []
        banks = {name: _bank(name, written[name], static, page) for name in earlier}
        html = _tell(html, "again", "banks", {name: src for name, src in banks.items() if src})
    if 'data-ask="progress"' in html:
        every = [
            {
                "name": q["name"],
                "title": q["title"],
                "question": q["question"],
                "was": q["was"],
                "link": f"{os.path.relpath(out / name, page.parent)}#ask-{q['name']}".replace(
                    os.sep, "/"
                ),
            }
            for name, found in written.items()
            for q in found
        ]
        html = _tell(html, "progress", "all", every).replace(pages.OFF, _listing(every))
    return html


def _listing(every):
    """The questions as the script lists them before any is answered: the page does not move when
    it comes."""
    html = ""
    for title in dict.fromkeys(q["title"] for q in every):
        own = [q for q in every if q["title"] == title]
        rows = "".join(
            f'<tr><th scope="row"><a href="{q["link"]}"><span>{q["question"]}</span></a></th>'
            "<td>skipped</td><td></td></tr>"
            for q in own
        )
        tally = f"0 right at first, 0 not so, 0 shown, {len(own)} skipped."
        head = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
        html += f"""<section><h2><span>{title}</span></h2>
<p>{len(own)} question{"s" * (len(own) != 1)}: {tally}</p><div class="scroll"><table>
<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"""
    return html


def _tell(html, place, key, value):
    data = escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return html.replace(f'data-ask="{place}"', f'data-ask="{place}" data-{key}="{data}"')


def _bank(name, found, static, page):
    """The address of the script with the questions of one page; None if none can be asked again
    elsewhere."""
    asked = {q["name"]: q["html"] for q in found if q["kind"] in AGAIN}
    if not asked:
        return None
    folder = static / "questions"
    folder.mkdir(exist_ok=True)
    file = folder / name.replace("/", "-").replace(".html", ".js")
    data = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
    file.write_text(f"gttAsk.bank({data});", encoding="utf-8")
    return os.path.relpath(file, page.parent).replace(os.sep, "/")
