"""The built book as files: nothing from elsewhere, every link leads somewhere, every page
describes itself."""

import html
import re
from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
import yaml
from ledger_schema import ROOT, schema

HTML = ROOT / "_build" / "html"
PAGES = sorted(p for p in HTML.rglob("*.html") if "_static" not in p.parts)
LOADING = {
    "script": ["src"],
    "img": ["src", "srcset"],
    "iframe": ["src"],
    "source": ["src"],
    "video": ["src"],
    "use": ["href"],
}

pytestmark = pytest.mark.skipif(not PAGES, reason="the book is not built: `make book` builds it")
every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda path: path.relative_to(HTML).as_posix()
)


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.loaded, self.links, self.ids, self.meta, self.title, self._in_title = (
            [],
            [],
            [],
            {},
            "",
            False,
        )
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "link" and found.get("rel") != "canonical":
            self.loaded.append(found["href"])
        self.loaded += [found[name] for name in LOADING.get(tag, ()) if found.get(name)]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "meta":
            self.meta[found.get("name")] = found.get("content")
        self._in_title = tag == "title" or (self._in_title and tag != "body")
        self._in_title = tag == "title"

    def handle_data(self, data):
        if self._in_title:
            self.title += data


READ = {page: Reader(page) for page in PAGES}


@every_page
def test_a_page_loads_nothing_from_another_host(page):
    # the host shows 404.html under any address, so it loads nothing
    assert READ[page].loaded or page.name == "404.html", "the reader found nothing"
    assert [url for url in READ[page].loaded if re.match(r"(https?:)?//", url)] == []


@every_page
def test_no_style_names_another_host(page):
    styles = "".join(re.findall(r"<style>.*?</style>", page.read_text(encoding="utf-8"), re.S))
    assert re.findall(r"(?:url\(|@import)[\s\"']*(?:https?:)?//", styles) == []
    assert "url(" in styles or page.name in ("index.html", "404.html")


@every_page
def test_a_page_has_a_title_and_a_description(page):
    assert READ[page].title.strip()
    assert 40 <= len(READ[page].meta.get("description") or "") <= 320


def test_no_two_pages_describe_themselves_alike():
    described = [reader.meta["description"] for page, reader in READ.items()]
    assert len(described) == len(set(described))


@every_page
def test_no_id_stands_twice_on_a_page(page):
    ids = READ[page].ids
    assert sorted({name for name in ids if ids.count(name) > 1}) == []


@every_page
def test_every_link_inside_the_book_leads_to_a_place_that_exists(page):
    dead = []
    for link in READ[page].links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        if anchor.startswith("lab="):  # it sets a figure: tests/test_prose.py knows its settings
            anchor = re.match(r"lab=([\w-]+)", anchor)[1]
        if re.match("(source|verdict)=", anchor):  # a selection of the ledger: claims.js reads it
            anchor = ""
        target = (page.parent / unquote(path)).resolve() if path else page
        if not target.is_file() or (
            anchor and target in READ and unquote(anchor) not in READ[target].ids
        ):
            dead.append(link)
    assert dead == []


@every_page
def test_no_sign_stands_for_brackets_or_dashes_that_were_typed(page):
    """Typographic replacements make © of (c), ® of (r), ™ of (tm): nothing in this book means
    these."""
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.S)
    assert sorted(set("©®™") & set(html.unescape(text))) == []


def cited_cells(field):
    """(entry, file, anchor) of every cell of a chapter that the ledger cites."""
    for entry in yaml.safe_load((ROOT / "book" / "claims.yml").read_text(encoding="utf-8")):
        for place in entry.get(field) or ():
            file, _, anchor = place.partition("#")
            if file.endswith(".ipynb"):
                yield entry, HTML / file.replace(".ipynb", ".html"), anchor


@pytest.mark.parametrize("field", ["evidence", "retold"])
def test_every_cell_the_ledger_cites_is_an_anchor_of_its_chapter(field):
    cited = list(cited_cells(field))
    assert cited
    assert [e["id"] for e, page, anchor in cited if anchor not in READ[page].ids] == []


def test_a_cell_that_the_ledger_cites_prints_a_number_of_the_entry():
    """What a reader finds who follows the link: the cell's own output, or none with a number in
    it."""
    others = {}
    for entry, page, anchor in cited_cells("evidence"):
        output = printed_by(page, anchor)
        if schema.contradicts(entry, output):
            others[entry["id"], anchor] = schema.printed(output)
    assert others == {}


@cache
def printed_by(page, anchor):
    """The text that a named cell prints on the built page."""
    rest = page.read_text(encoding="utf-8").split(f'id="{anchor}"', 1)[1]
    cell = re.split(r'<div class="cell (?:[\w-]+ )*docutils', rest, maxsplit=1)[0]
    output = cell.partition("cell_output")[2]
    texts = re.findall(r"<pre[^>]*>(.*?)</pre>", output, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", "", "\n".join(texts)))


def test_the_site_is_small():
    files = [p for p in HTML.rglob("*") if p.is_file()]
    python = [p for p in files if p.parent.name == "python"]  # loaded at a click alone
    assert sum(p.stat().st_size for p in files if p not in python) < 10_000_000
    assert sum(p.stat().st_size for p in python) < 13_000_000


def test_a_script_is_loaded_only_where_it_has_work():
    for page, reader in READ.items():
        text = page.read_text(encoding="utf-8")
        loads = any("explorer.js" in url for url in reader.loaded)
        assert loads == ('class="gtt-explorer' in text), page
