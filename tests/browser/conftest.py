"""Fixtures of the browser tests: the built book on loopback, a Chromium, and pages that write down
what went wrong.

site     base address of the served book (http://127.0.0.1:port)
pages    every page, as a path below `site` ("book/intro.html")
folder   the folder of the built book, for file:// addresses
visit    visit("book/intro.html", theme="dark", width=390): a `Visit`, with its Playwright page as
         `.page`, in a context of its own
view     the same, opened once for all tests of a page: they leave it as they found it

The suite shall pass on a busy machine: a test waits for what it needs, and not for a time, and
nothing here judges how fast anything was.
"""

import functools
import http.server
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from patience import PATIENCE, PATIENT

ROOT = Path(__file__).parents[2]
HTML = Path(os.environ.get("GTT_HTML", ROOT / "_build" / "html"))
NOT_BUILT = "the book is not built: `make book` builds it"
SIZES = {1280: 900, 390: 844}
ALONE = ("test_engines", "live")  # modules whose tests share one browser, or one JupyterLab

sys.path.insert(0, str(ROOT / "tools"))
from chromium import FLAGS, find_chromium  # noqa: E402


def built_pages():
    """Every page but index.html, which only forwards to the first one, and the host's 404.html."""
    found = (
        p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html") if "_static" not in p.parts
    )
    return sorted(set(found) - {"index.html", "404.html"})


def pytest_generate_tests(metafunc):
    """A test with the argument `path` runs on every page of the built book: all tests of one page
    together and in one process, so that they can share its views."""
    if "path" in metafunc.fixturenames:
        found = [pytest.param(p, marks=pytest.mark.xdist_group(p)) for p in built_pages()]
        absent = [pytest.param(None, marks=pytest.mark.skip(NOT_BUILT))]
        metafunc.parametrize("path", found or absent, scope="module")


def pytest_collection_modifyitems(items):
    """Tests that share what is dear to make run in one process."""
    for item in items:
        if any(word in item.path.stem for word in ALONE):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def folder():
    if not (HTML / "book" / "intro.html").exists():
        pytest.skip(NOT_BUILT)
    return HTML


@pytest.fixture(scope="session")
def site(folder):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def pages(folder):
    return built_pages()


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    path, missing = find_chromium()
    if missing:
        pytest.skip(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """An open page and what it did: requests to other hosts, lines in the console, errors."""

    page: object
    requests: list = field(default_factory=list)
    console: list = field(default_factory=list)

    def watch(self):
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", self.failed)
        self.page.on(
            "console", lambda message: self.console.append(f"{message.type}: {message.text}")
        )
        self.page.on("pageerror", lambda error: self.console.append(f"error: {error}"))

    def failed(self, request):
        if (
            request.failure != "net::ERR_ABORTED"
        ):  # the reader went on to the next page before it came
            self.console.append(f"failed: {request.url}")

    def elsewhere(self, base):
        return [url for url in self.requests if not url.startswith((base, "data:", "blob:"))]


@pytest.fixture
def visit(browser, request):
    """Open a page of the served book, or any address; contexts close with the test."""
    contexts = []

    def open_page(address, **options):
        if "://" not in address:
            address = f"{request.getfixturevalue('site')}/{address}"
        opened = open_in(browser, address, **options)
        contexts.append(opened.page.context)
        return opened

    yield open_page
    for context in contexts:
        context.close()


def open_in(
    browser,
    address,
    *,
    theme="light",
    width=1280,
    javascript=True,
    wait=True,
    patient=False,
    ready=None,
    **options,
):
    """`ready` selects elements of the page whose script has to have found them all."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES.get(width, 900)},
        color_scheme=theme,
        java_script_enabled=javascript,
        **options,
    )
    context.set_default_timeout(PATIENCE)
    if patient:
        context.add_init_script(PATIENT)
    opened = Visit(context.new_page())
    opened.watch()
    opened.page.goto(address, wait_until="load")
    if wait and javascript:
        opened.page.evaluate("document.fonts.ready")
    if ready and javascript:
        waiting = f"{ready}:not([data-ready])"
        opened.page.wait_for_function("(css) => !document.querySelector(css)", arg=waiting)
    return opened


@pytest.fixture(scope="module")
def view(browser, site, path):
    """view(theme="dark", width=390): the page `path` as every test of it sees it."""
    seen = {}

    def open_once(**options):
        key = tuple(sorted(options.items()))
        if key not in seen:
            seen[key] = open_in(browser, f"{site}/{path}", patient=True, **options)
        return seen[key]

    yield open_once
    for opened in seen.values():
        opened.page.context.close()
