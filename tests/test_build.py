"""A small book, built for the test: what becomes of cells, figures, claims and formulas, and how a
build fails."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from nbformat import v4

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from gtt import page, parts  # noqa: E402

LEDGER = """
- {id: A33, source: A, where: l.3, place: section 2, kind: equation, lines: [3, 3],
   claim: "The state is $h_t = \\\\tanh(a_t)$.", verdict: holds, right: "", shows: "0.3 at most",
   evidence: ["chapters/01_try.ipynb#a33-norm"]}
- {id: A16, source: A, where: l.5, place: equation (3), kind: claim, claim: "The loss is a sum.",
   verdict: holds if, condition: "Over steps.", right: "If L_{t+1} and dL/dW_xhᵀ add up, `h_t`
   too.", shows: "", evidence: ["tests/claims/test_a.py::test_a16"]}
- {id: B05, source: B, where: l.6, place: the end, kind: history, claim: "It does not vanish. (c)
   Not -- ever...",
   verdict: wrong, weight: 2, right: "It can.", shows: "", evidence: []}
- {id: D-eq8, source: D, where: l.8, place: equation (8), kind: history, claim: "A mean over
   steps.",
   verdict: slip, weight: 1, right: "A sum.", shows: "", evidence: []}
"""
TOC = """
format: jb-book
root: book/intro
parts:
  - caption: Chapters
    numbered: true
    chapters: [{file: chapters/01_try}]
  - caption: Reference
    chapters: [{file: book/claims}, {file: book/glossary}]
"""
GLOSSARY = """# Glossary

```{glossary}
gate
    A factor $o_t$ between 0 and 1. It is *learned*.

road
    See {term}`gate`.
```
"""
PARTS = r"""
The {part}`road via o <via-o>` is the second of $f_t + \class{part-via-o}{o_t}$, in code
{partcode}`cache.o <via-o>`, behind a {term}`gate`.
"""
TABLE = f'<div class="gtt-explorer"><script type="application/json">"{"9" * 3000}"</script></div>'
SVG = "<svg viewBox='0 0 9 9' xmlns='http://www.w3.org/2000/svg'><path d='M0 0L9 9'/></svg>"
CELLS = [
    v4.new_markdown_cell(
        "# Try a chapter\n\n"
        "The first paragraph of a page is its description: this one is long. {claim}`A33`\n\n"
        "```{claims-of} A16 B05 D-eq8\n```\n\n"
        "$$\n\\pd{L}{h} = 1\n$$ (eq-one)\n\nSee {eq}`eq-one` and {numref}`fig-line`.\n\n"
        ":::{admonition} Fine print\n:class: dropdown\nFolded.\n:::\n" + PARTS
    ),
    v4.new_code_cell("assert 1 + 1 == 2", metadata={"name": "a33-norm"}),
    v4.new_code_cell(
        f"from IPython.display import HTML\n\nHTML({SVG!r})",
        metadata={
            "mystnb": {
                "figure": {"name": "fig-line", "caption": "A line."},
                "image": {"alt": "a rising line"},
            }
        },
    ),
    v4.new_code_cell(
        "from bptt_core import plotting\n\nfig, ax = plotting.figure(2, 1)\n"
        "ax.plot([0, 1], [0, 1], gid='part-via-o')\n"
        "ax.plot([0, 1], [1, 0], gid='fall+part-via-o')\n"
        "plotting.show(fig, alt='two lines')"
    ),
    v4.new_code_cell(f"HTML({TABLE!r})"),
    v4.new_code_cell("from bptt_core import follow\n\nfollow.paths()"),
    v4.new_markdown_cell("## Beside it\n\nSeen.\n\n```{fold-rest} Open it\n```\n\nFolded away."),
    v4.new_code_cell("assert True", metadata={"name": "a33-folded"}),
]


def small_book(folder, *, cells=CELLS, ledger=LEDGER, intro="# Try\n\nThe first page.\n"):
    """A book of three pages with this repository's configuration, extension and theme."""
    (folder / "book").mkdir()
    (folder / "chapters").mkdir()
    shutil.copy(ROOT / "_config.yml", folder)
    for part in ("_ext", "_theme"):
        shutil.copytree(ROOT / "book" / part, folder / "book" / part)
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    (folder / "book" / "references.bib").write_text("", encoding="utf-8")
    (folder / "book" / "intro.md").write_text(intro, encoding="utf-8")
    (folder / "book" / "claims.md").write_text(
        "# Ledger\n\n```{claims-ledger}\n```\n", encoding="utf-8"
    )
    (folder / "book" / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
    if ledger:
        (folder / "book" / "claims.yml").write_text(ledger, encoding="utf-8")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(
        v4.new_notebook(cells=list(cells), metadata=kernel), folder / "chapters" / "01_try.ipynb"
    )
    return folder


def build(folder, repository="", **published):
    env = os.environ | {
        "GITHUB_REPOSITORY": repository,
        "GITHUB_REF_NAME": "a/b",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GTT_BASE_URL": "",
        "GTT_COLAB": "",
        **published,
    }
    env.pop("PYTHONWARNINGS", None)
    command = [sys.executable, str(ROOT / "tools" / "book.py"), "--root", str(folder)]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    return done.returncode, done.stdout.splitlines()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = small_book(tmp_path_factory.mktemp("book"))
    code, lines = build(
        folder,
        repository="someone/fork",
        GTT_BASE_URL="https://someone.example/book",
        GTT_COLAB="colab",
    )
    assert code == 0, "\n".join(lines[-15:])
    assert re.fullmatch(r"The book is built \(\d+ s\)\. Open file://.*/book/intro\.html", lines[-1])
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def chapter(built):
    return (built / "chapters" / "01_try.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ledger(built):
    return (built / "book" / "claims.html").read_text(encoding="utf-8")


def test_a_named_cell_is_an_anchor(chapter):
    assert re.search(r'<div class="cell[^"]*" id="a33-norm">', chapter)


def test_a_figure_from_html_has_number_caption_and_alt_text(chapter):
    figure = re.search(r'<figure[^>]* id="fig-line">.*?</figure>', chapter, re.S)[0]
    assert '<svg role="img" aria-label="a rising line"' in figure
    assert "Figure 1.1" in figure
    assert "A line." in figure
    assert 'href="#fig-line"' in chapter


def test_formulas_are_typeset_without_a_script(built, chapter):
    assert chapter.count("<mjx-container") == 2
    assert '<mjx-assistive-mml display="block"><math' in chapter, "screen readers get MathML"
    assert 'href="#equation-eq-one"' in chapter
    assert "MathJax" not in "".join(re.findall(r"<script.*?</script>", chapter, re.S))
    fonts = re.findall(r"url\(\"(\.\./_static/mathjax/[^\"]+)\"\)", chapter)
    assert fonts and all((built / "chapters" / font).resolve().exists() for font in fonts)


def test_a_page_brings_its_style_and_the_fonts_of_its_text(built, chapter):
    assert chapter.count("url(data:font/woff2;base64,") == 5
    assert "--gtt-gradient:" in chapter, "the package's palette"
    assert list(built.rglob("*.css")) == []


def test_the_table_of_an_explorer_is_fetched_by_the_page_and_goes_back_in_place(built, chapter):
    place = r'<script type="application/json" data-table="../_static/([^"?]+)\?v=\w{8}"></script>'
    table = re.search(place, chapter)
    assert table, "the page keeps an empty place for the table"
    script = (built / "_static" / table[1]).read_text(encoding="utf-8")
    assert script.startswith("document.currentScript.into.textContent = ")
    assert "9" * 3000 in script
    assert table[1] not in chapter.replace(table[0], ""), "nothing loads it with the page"


def test_the_table_of_a_question_is_loaded_with_the_page(tmp_path):
    html = TABLE.replace("gtt-explorer", "gtt-ask")
    moved, address = page.move_tables(html, "x", tmp_path, "../_static")
    assert 'data-table="0"></script>' in moved
    assert re.fullmatch(r"\.\./_static/tables/x\.js\?v=\w{8}", address)
    assert "9" * 3000 in (tmp_path / "tables" / "x.js").read_text(encoding="utf-8")


def test_code_keeps_only_the_spans_that_have_a_colour(chapter):
    assert '<span class="k">assert</span> ' in chapter
    assert '<span class="n">' not in chapter and '<span class="p">' not in chapter


def test_a_key_that_is_alone_leads_nowhere_unless_a_lab_brings_it():
    figure, named = '<g class="part-norm">', '<g id="g1a-fall+part-norm" class="part-norm">'
    word, lab = (
        '<span tabindex="0" class="part-norm">',
        '<g id="powers-2-gradient" class="part-norm">',
    )
    for alone in (figure, named, word):
        assert parts.lonely(alone) == ["norm"]
        assert parts.lonely(alone + lab) == []
    assert parts.lonely(lab) == []


def test_a_part_has_its_key_in_words_code_formula_and_figure(chapter):
    assert '<span tabindex="0" class="part-via-o">road via o</span>' in chapter
    assert re.search(r'<code tabindex="0" class="part-via-o[^>]*>.*cache.o', chapter)
    assert len(re.findall(r'<mjx-[^>]* class="[^"]*part-via-o"', chapter)) == 1
    assert not re.search(r'<m[a-z]+ class="part', chapter), "it is seen once, and not spoken"
    assert chapter.count('<g class="part-via-o">') == 1
    assert re.search(r'<g id="g[0-9a-f]+-fall\+part-via-o" class="part-via-o">', chapter)


def test_the_page_that_follows_a_path_loads_its_script_and_style_and_no_other_page_does(
    built, chapter, ledger
):
    assert chapter.count('class="gtt-follow"') == 1 and "gttFollow" not in chapter
    assert re.search(r'<script defer src="../_static/follow.js\?v=', chapter)
    assert "gttFollow" in (built / "_static" / "follow.js").read_text(encoding="utf-8")
    assert (
        ".gtt-graph" in chapter and ".gtt-graph circle" not in ledger and "follow.js" not in ledger
    )


def test_a_link_to_a_term_says_what_it_is(built, chapter):
    link = re.search(r'<a [^>]*href="../book/glossary.html#term-gate"[^>]*>', chapter)[0]
    assert 'title="A factor o_t between 0 and 1."' in link
    glossary = (built / "book" / "glossary.html").read_text(encoding="utf-8")
    assert re.search(r'href="#term-gate" title="A factor o_t between 0 and 1."', glossary)


def test_a_dropdown_box_folds_without_a_script(chapter):
    assert re.search(
        r'<details class="admonition dropdown[^>]*>\s*'
        r'<summary class="admonition-title">Fine print</summary>',
        chapter,
    )


def test_the_rest_of_a_section_folds_with_its_cells(chapter):
    before, folded = chapter.split('<details class="rest">')
    folded = folded.split("</article>")[0]
    assert "Seen." in before and "Open it</summary>" in folded
    assert "Folded away." in folded and 'id="a33-folded"' in folded


def test_a_claim_links_to_its_entry_with_the_verdict(chapter):
    link = re.search(r'<a class="claim-id[^>]*>A33</a>', chapter)[0]
    assert 'href="../book/claims.html#A33"' in link
    assert 'title="holds: The state is' in link


def test_the_claims_of_a_section_are_one_note_under_their_authors(chapter):
    note = re.search(r'<p class="claims-of">.*?</p>', chapter, re.S)[0]
    shown = re.findall(r">([\w-]+)</(?:a|span)>", note)
    assert " ".join(shown) == "Arat A16 Arbel B05 Liu D-eq8"
    assert 'class="claim-id verdict-wrong' in note and "claims.html#D-eq8" in note


def test_the_ledger_shows_every_entry_with_its_evidence(ledger):
    assert re.findall(
        r'<div class="claim source-is-(\w) verdict-([\w-]+)[^"]*" id="([\w-]+)">', ledger
    ) == [
        ("A", "holds", "A33"),
        ("A", "holds-if", "A16"),
        ("B", "wrong", "B05"),
        ("D", "slip", "D-eq8"),
    ]
    assert 'href="../chapters/01_try.html#a33-norm"' in ledger
    assert 'href="https://github.com/someone/fork/blob/a/b/tests/claims/test_a.py"' in ledger
    assert "4 of 4 entries" in ledger
    assert (
        "If L<sub>t+1</sub> and dL/dW<sub>xh</sub>ᵀ add up, <code" in ledger and ">h_t<" in ledger
    )
    assert "<strong>Holds if. </strong>Over steps." in ledger
    assert '<span class="weight">misleads</span>' in ledger
    assert "section 2 (l.3)" in ledger
    assert "2 of 4 entries have something that runs to back them, and 1 give a number." in ledger
    assert ledger.count("None: there is nothing to run.") == 2


def test_brackets_dashes_and_dots_stay_as_they_are_written(ledger):
    assert "It does not vanish. (c) Not -- ever..." in ledger


def test_the_launch_links_point_at_the_repository_of_the_build(chapter):
    """Above the text and below it; a branch with a slash is one part of the address."""
    binder = "https://mybinder.org/v2/gh/someone/fork/a%2Fb?urlpath=lab/tree/chapters/01_try.ipynb"
    colab = "https://colab.research.google.com/github/someone/fork/blob/colab/chapters/01_try.ipynb"
    for link in (binder, colab, "https://github.com/someone/fork/blob/a/b/chapters/01_try.ipynb"):
        assert chapter.count(f'href="{link}"') == 2
    assert chapter.index(binder) < chapter.index("<h1")


def test_a_page_offers_a_form_for_what_is_wrong_on_it(chapter, ledger):
    link = re.search(r'class="report" href="([^"]+)"', chapter)[1]
    assert link.startswith("https://github.com/someone/fork/issues/new?template=wrong_sentence.yml")
    assert "page=chapters%2F01_try" in link
    assert "page=book%2Fclaims" in ledger
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/wrong_sentence.yml").read_text("utf-8"))
    assert {"page", "section"} <= {part.get("id") for part in form["body"]}


def test_a_page_has_one_address_and_a_preview(built, chapter):
    assert (
        '<link rel="canonical" href="https://someone.example/book/chapters/01_try.html">' in chapter
    )
    seen = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', chapter))
    assert seen["url"] == "https://someone.example/book/chapters/01_try.html"
    assert "Try a chapter" in seen["title"]
    assert seen["description"].startswith("The first paragraph of a page")
    assert seen["image"] == "https://someone.example/book/figure.png"
    assert chapter.count('name="viewport"') == 1


def test_the_site_has_a_map_and_a_page_for_addresses_that_lead_nowhere(built):
    listed = re.findall("<loc>(.*?)</loc>", (built / "sitemap.xml").read_text("utf-8"))
    assert sorted(listed) == [
        f"https://someone.example/book/{name}.html"
        for name in ("book/claims", "book/glossary", "book/intro", "chapters/01_try")
    ]
    assert f"Sitemap: {listed[0].partition('book/claims')[0]}sitemap.xml" in (
        built / "robots.txt"
    ).read_text("utf-8")
    lost = (built / "404.html").read_text("utf-8")
    assert 'href="https://someone.example/book/book/intro.html"' in lost, "works under any address"


def test_a_page_describes_itself(chapter):
    assert 'name="description" content="The first paragraph of a page is its description' in chapter
    assert "<title>1. Try a chapter" in chapter or "<title>Try a chapter" in chapter


def broken(tmp_path, **changes):
    """The last line of a build that fails; it fails with exit code 1."""
    code, lines = build(small_book(tmp_path, **changes))
    assert code == 1
    assert lines[-1].startswith("The book was not built: ")
    return lines[-1].removeprefix("The book was not built: ")


def test_a_failing_assert_ends_the_build_with_one_line_that_names_it(tmp_path):
    cells = [*CELLS, v4.new_code_cell("assert 2 + 2 == 5, 'not even close'")]
    where = os.path.join("chapters", "01_try.ipynb")
    assert (
        broken(tmp_path, cells=cells) == f"{where}: a cell failed: AssertionError: not even close "
        "in: assert 2 + 2 == 5, 'not even close'"
    )


FAULTS = {  # what is wrong with a book, and what is said of it
    "an unknown claim": "intro.md:3: WARNING: no claim 'Z99' in book/claims.yml",
    "a formula that is no TeX": "TeX: Undefined control sequence \\nosuchmacro",
    "a part with a bad key": "intro.md:7: WARNING: part 'Via_o': wanted small letters",
    "a part alone on its page": "part 'lonely' occurs once on the page",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """(last line, all lines) of the build of a book with all FAULTS at once."""
    intro = "# Try\n\nSee {claim}`Z99`.\n\nSee $\\nosuchmacro$.\n\n"
    intro += "A {part}`gate <Via_o>`, a {part}`road <lonely>`.\n"
    folder = small_book(tmp_path_factory.mktemp("faulty"), intro=intro, cells=CELLS[:-1])
    code, lines = build(folder)
    assert code == 1
    return lines[-1], (folder / "_build" / "build.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_page_ends_the_build_and_is_named(faulty, fault):
    assert FAULTS[fault] in faulty[1]


def test_the_last_line_names_the_first_fault_and_counts_the_others(faulty):
    said = r"The book was not built: .*WARNING: .* \(and 4 more\)"
    assert re.fullmatch(said, faulty[0]), faulty[0]


def test_a_ledger_entry_with_an_odd_verdict_ends_the_build(tmp_path):
    said = broken(tmp_path, ledger=LEDGER.replace("verdict: slip", "verdict: meh"))
    assert "entry D-eq8: verdict 'meh'" in said


@pytest.mark.parametrize(("pages", "warned"), [(page.WHOLE, True), (page.WHOLE - 1, False)])
def test_a_repair_that_mends_nothing_any_more_is_a_warning_of_the_whole_book(
    monkeypatch, pages, warned
):
    said = []
    monkeypatch.setattr(page, "LOGGER", SimpleNamespace(warning=lambda *args: said.append(args)))
    repaired = Counter({wrong: 1 for wrong, _ in page.REPAIRS[1:]})
    env = SimpleNamespace(found_docs=range(pages))
    page.warn_of_idle_repairs(SimpleNamespace(env=env, gtt_repaired=repaired))
    assert [wrong for _, wrong in said] == [page.REPAIRS[0][0]] * warned


def test_without_a_ledger_or_a_repository_there_are_no_dead_links(tmp_path):
    folder = small_book(tmp_path, ledger=None)
    code, lines = build(folder)
    page = (folder / "_build" / "html" / "chapters" / "01_try.html").read_text(encoding="utf-8")
    assert code == 0, "\n".join(lines[-15:])
    assert '<span class="claim-id">A33</span>' in page
    assert "mybinder" not in page and "github.com" not in page
    assert "canonical" not in page and not list(folder.rglob("sitemap.xml"))
