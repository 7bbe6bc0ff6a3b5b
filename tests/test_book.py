"""The built book as files: nothing from elsewhere, every link leads somewhere, every page describes itself."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

ROOT = Path(__file__).parents[1]
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
    assert READ[page].loaded, "the reader found nothing that a page loads"
    assert [url for url in READ[page].loaded if re.match(r"(https?:)?//", url)] == []


@every_page
def test_no_style_names_another_host(page):
    styles = "".join(re.findall(r"<style>.*?</style>", page.read_text(encoding="utf-8"), re.S))
    assert re.findall(r"(?:url\(|@import)[\s\"']*(?:https?:)?//", styles) == []
    assert "url(" in styles or page.name == "index.html"


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
        target = (page.parent / unquote(path)).resolve() if path else page
        if not target.is_file() or (
            anchor and target in READ and unquote(anchor) not in READ[target].ids
        ):
            dead.append(link)
    assert dead == []


def test_every_cell_the_ledger_cites_is_an_anchor_of_its_chapter():
    path = ROOT / "book" / "claims.yml"
    if not path.exists():
        pytest.skip("there is no ledger yet")
    missing = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        for place in entry.get("evidence") or ():
            file, _, anchor = place.partition("#")
            if (
                file.endswith(".ipynb")
                and anchor not in READ[HTML / file.replace(".ipynb", ".html")].ids
            ):
                missing.append(f"{entry['id']}: {place}")
    assert missing == []


def test_the_site_is_small():
    assert sum(p.stat().st_size for p in HTML.rglob("*") if p.is_file()) < 10_000_000


def test_a_script_is_loaded_only_where_it_has_work():
    for page, reader in READ.items():
        text = page.read_text(encoding="utf-8")
        loads = any("explorer.js" in url for url in reader.loaded)
        assert loads == ('class="gtt-explorer' in text), page
