"""What the book says is so: the sentences of tests/prose, and every number beside a cell."""

import re

import prose
import pytest
from prose import (  # noqa: F401
    chapter_1,
    chapter_2,
    chapter_3,
    chapter_4,
    chapter_5,
    chapter_5_film,
    landing,
    twelve,
)

PAGES = prose.pages()
CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
# Not numbers of ours: places in a text, a year with its paper, a source's equation in brackets.
# Sections that other tests read, and stories: a scene needs no cell.
READ_ELSEWHERE = {"## Did a gradient travel?": "test_studies.test_chapter_2_prints_what_is_stored"}
STORIES = [
    "To learn, it must carry the blame back from step 20 to step 1.",
    "so we stop at lag 19.",
    "Type two significant digits, as 0.024.",
]
REFERENCES = [
    r"\b(?:[Cc]hapters?|[Ee]xercises?|[Ee]quations?|[Mm]odule|arXiv) "
    r"(?:\[)?\d+(?:\.\d+)?(?:\]\([^)]*\))?(?:(?:–| and | to )\d+)?",
    r"\[[Cc]hapter \d\]",
    r"\b(?:1991|1997|2013)\b",
    r"\([1-6]\)",
    r"### \d\. ",
    r"## Step \d: ",
]
MARKUP = [
    r"\$\$.*?\$\$(?: \([\w-]+\))?",  # displayed equations are proved by cells
    r"\{[\w:-]+\}`[^`]*`",
    r"`[^`]*`",
    r"\$[^$]*\$",
    r"\]\([^)]*\)",
    r"<[^>]*>",
]
NUMERAL = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def bare_numbers(page, text):
    """(number, what stands around it), for the numbers that no sentence of ours covers."""
    text = " ".join(text.split())
    for sentence in prose.SAID:
        if page == sentence.page:
            text = re.sub(sentence.pattern(), " ", text)
    text = text.replace("] (", "](")
    for story in STORIES:
        text = text.replace(story, " ")
    for pattern in [*REFERENCES[:2], *MARKUP, *REFERENCES[2:]]:
        text = re.sub(pattern, " ", text, flags=re.M | re.S)
    for found in NUMERAL.finditer(text):
        yield (
            found[0].replace(",", "").rstrip("."),
            text[max(0, found.start() - 50) : found.end() + 30],
        )


def written(code):
    """The numbers that code and kept outputs show, as they are written."""
    return set(re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", code.replace("_", "")))


def uncomputed(page, pieces):
    return [
        f"{number}: …{around}…"
        for piece in pieces
        if not piece.text.startswith(tuple(READ_ELSEWHERE))
        for number, around in bare_numbers(page, piece.text)
        if number not in written(piece.nearby) | {"0", "1", "2"}
    ]


@pytest.mark.parametrize("sentence", prose.SAID, ids=lambda s: f"{s.page}: {s.template[:40]}")
def test_a_sentence_says_what_is_so(sentence):
    assert sentence.made() in prose.whole(PAGES[sentence.page])


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_number_in_a_chapter_is_computed_near_it(page):
    assert uncomputed(page, prose.pieces(PAGES[page])) == []


def links_to_labs(text):
    """The links that a reader can follow: what stands in `code` is shown, not followed."""
    shown = re.sub(r"`[^`]*`", "", text)
    return re.findall(r"(?:\]\(|<a href=\"[\w./]+)(#lab=[^)\"]*)[)\"]", shown)


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_lab_leads_to_a_setting_that_it_has(page):
    for link in links_to_labs(prose.whole(PAGES[page])):
        name, settings = prose.lab_of(link)
        grid = prose.made(name).grid
        for key, value in settings.items():
            values = grid[key]
            asked = value if isinstance(values[0], str) else float(value)
            assert any(
                asked == v or (not isinstance(v, str) and abs(asked - v) < 1e-9) for v in values
            ), link


@pytest.mark.parametrize("page", PAGES)
def test_what_stands_around_a_link_to_a_lab_is_a_sentence_of_ours(page):
    text = prose.whole(PAGES[page])
    for sentence in prose.SAID:
        if sentence.page == page:
            text = re.sub(sentence.pattern(), " ", text)
    assert links_to_labs(text) == []


# the tests above can fail


def piece(text, nearby=""):
    return [prose.Piece(text, nearby)]


def test_a_number_that_no_cell_shows_is_noticed():
    found = uncomputed(
        "chapters/01", piece("The norm rises to 6.3 and the error is 15 %.", "print(6.1)")
    )
    assert [line.split(":")[0] for line in found] == ["6.3", "15"]


def test_numbers_of_cells_of_equations_and_of_references_pass():
    text = "It is 6.1, as [chapter 3](x.ipynb) says ({claim}`A32`); $x = 5$, `y[7]`, in 1997."
    assert uncomputed("chapters/01", piece(text, "print(6.1)")) == []


def test_a_sentence_of_ours_covers_its_numbers_and_no_others():
    covered = "Of 30 steps the RNN needs 10 [at a factor of 0.9](#lab=truncation), 3"
    full = next(s for s in prose.SAID if s.template.startswith("Of {steps} steps")).made()
    assert uncomputed("chapters/04", piece(full)) == []
    assert len(uncomputed("chapters/04", piece(covered))) == 4


def test_a_section_that_is_read_elsewhere_exists_and_so_does_the_test():
    text = "\n".join(prose.whole(PAGES[page]) for page in CHAPTERS)
    for heading, where in READ_ELSEWHERE.items():
        module, test = where.split(".")
        assert heading in text
        assert f"def {test}(" in (prose.ROOT / "tests" / f"{module}.py").read_text(encoding="utf-8")
    assert [story for story in STORIES if story not in text] == []
