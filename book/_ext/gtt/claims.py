"""The ledger: `book/claims.yml` becomes a page ({claims-ledger}); {claim}`A32` links into it, and
{claims-of} lists the entries of a section in its margin."""

import re
from collections import Counter
from itertools import groupby
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from .ledger import SOURCES, VERDICTS, WEIGHTS, read_ledger
from .page import source_link

logger = logging.getLogger(__name__)

LEDGER = "book/claims.yml"
PAGE = "book/claims"
AUTHORS = {"A": "Arat", "B": "Arbel", "C": "The slides", "D": "Liu"}
# h_t, W_xh, dL_{t+1}: at most three letters, ∂ and a hat among them, and what stands below
INDEXED = re.compile(
    r"(?<![A-Za-z0-9_])((?:[^\W\d_]|[∂⁺′\u0300-\u036f]){1,3})_(?:\{([^{}]+)\}|([A-Za-zα-ω0-9]+))(?!_)"
)
# what stands under an entry's claim: the field, and what it is called
FIELDS = (
    ("condition", "Holds if. "),
    ("right", "What is right. "),
    ("shows", "What shows it. "),
)
PLACES = (("evidence", "Evidence. "), ("retold", "Made again with other numbers. "))


def plain(text):
    """A claim without its markup, for a tooltip."""
    text = re.sub(r"\{[\w-]+\}`([^`]*)`", r"\1", " ".join(text.split()))
    text = re.sub(r"_\{([^{}]{2,})\}", r"_(\1)", text)
    text = re.sub(r"[$`*\\{}]", "", text)
    return text if len(text) <= 160 else text[:159].rsplit(" ", 1)[0] + "…"


class ClaimRole(SphinxRole):
    """{claim}`A32`: a link to the entry, its verdict and wording as tooltip.

    An unknown id is a warning."""

    def run(self):
        return [link_to(self.env, self.text, self.get_location())], []


class ClaimsOf(SphinxDirective):
    """```{claims-of} A24 A25```: the entries that a section tells, as one quiet note: in the margin
    where there is one, below the heading elsewhere. Coloured are those that are not so."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        note = nodes.paragraph(classes=["claims-of"])
        for source, group in groupby(self.arguments[0].split(), key=lambda name: name[0]):
            note += nodes.inline("", AUTHORS[source], classes=["claims-author"])
            for name in group:
                note += nodes.Text(" ")
                note += link_to(self.env, name, self.get_location())
            note += nodes.Text(" ")
        return [note]


def link_to(env, name, location):
    """A link to an entry of the ledger; the bare id, where there is no such entry or no page."""
    entries = env.app.gtt_claims
    if entries and name not in entries:
        logger.warning("no claim %r in %s", name, LEDGER, location=location)
    if name not in entries or PAGE not in env.found_docs:
        return nodes.inline(name, name, classes=["claim-id"])
    entry = entries[name]
    env.note_dependency(str(Path(env.srcdir, LEDGER)))
    return nodes.reference(
        name,
        name,
        internal=True,
        classes=["claim-id", verdict_class(entry["verdict"])],
        reftitle=f"{entry['verdict']}: {plain(entry['claim'])}",
        refuri=f"{env.app.builder.get_relative_uri(env.docname, PAGE)}#{name}",
    )


class Ledger(SphinxDirective):
    """Every entry under its source, with counts and a filter that appears where JavaScript runs."""

    def run(self):
        self.env.note_dependency(str(Path(self.env.srcdir, LEDGER)))
        entries = list(self.env.app.gtt_claims.values())
        if not entries:
            return [nodes.paragraph("", "The ledger has no entries yet.")]
        found = [raw(filter_form(entries)), self.counts(entries), *self.unbacked(entries)]
        for source, group in groupby(
            sorted(entries, key=lambda e: e["source"]), key=lambda e: e["source"]
        ):
            section = nodes.section(ids=[f"source-{source.lower()}"], names=[], classes=["claims"])
            title = SOURCES.get(source, f"Source {source}")
            section += nodes.title(title, title)
            section.extend(self.entry(entry) for entry in group)
            found.append(section)
        return found

    def entry(self, entry):
        name, verdict = entry["id"], entry["verdict"]
        kinds = [f"source-is-{entry['source']}", verdict_class(verdict)]
        box = nodes.container(ids=[name], classes=["claim", *kinds])
        head = nodes.paragraph(classes=["claim-head"])
        head += nodes.reference(name, name, refuri=f"#{name}", internal=True, classes=["claim-id"])
        head += nodes.inline(verdict, verdict, classes=["verdict"])
        if "weight" in entry:
            words = WEIGHTS[entry["weight"]].partition(":")[0]
            head += nodes.inline(words, words, classes=["weight"])
        where = f"{entry['place']} ({entry['where']})"
        head += nodes.inline("", where, classes=["where"])
        box += head
        box.extend(self.prose(entry["claim"]))
        for field, label in FIELDS:
            if entry.get(field):
                parsed = self.prose(entry[field])
                if isinstance(parsed[0], nodes.paragraph):
                    parsed[0].insert(0, nodes.strong(label, label))
                box += nodes.container("", *parsed, classes=[f"claim-{field}"])
        for field, label in PLACES:
            if entry.get(field) or field == "evidence":
                line = nodes.paragraph("", "", nodes.strong("", label), classes=["evidence"])
                for number, place in enumerate(entry.get(field) or ()):
                    line += nodes.Text(", " if number else "")
                    line += self.evidence(place)
                if not entry.get(field):
                    line += nodes.Text("None: there is nothing to run.")
                box += line
        return box

    def prose(self, text):
        """Parsed Markdown in which h_t and W_{t+1} have their indices below."""
        parsed = self.parse_text_to_nodes(str(text))
        for part in [found for top in parsed for found in top.findall(nodes.Text)]:
            if not isinstance(part.parent, nodes.literal | nodes.math):
                part.parent.replace(part, list(indexed(part)))
        return parsed

    def evidence(self, place):
        file, _, anchor = place.partition("#")
        docname = file.removesuffix(".ipynb").removesuffix(".md")
        if docname in self.env.found_docs:
            uri = self.env.app.builder.get_relative_uri(self.env.docname, docname) + (
                f"#{anchor}" if anchor else ""
            )
            return nodes.reference("", "", nodes.literal(place, place), refuri=uri, internal=True)
        if link := source_link(self.env.app, file.partition("::")[0]):
            return nodes.reference("", "", nodes.literal(place, place), refuri=link)
        return nodes.literal(place, place)

    def unbacked(self, entries):
        """A sentence on what the entries have: numbers, evidence, neither."""
        bare = [entry for entry in entries if not entry["evidence"]]
        numbered = sum(bool(entry["shows"]) for entry in entries)
        sentence = (
            f"{len(entries) - len(bare)} of {len(entries)} entries have something that runs to back"
            f" them, and {numbered} give a number. {len(bare)} have nothing to run: they are about"
            " history, usage or a wording."
        )
        return self.prose(sentence)

    def counts(self, entries):
        present = [verdict for verdict in VERDICTS if any(e["verdict"] == verdict for e in entries)]
        number = Counter((e["source"], e["verdict"]) for e in entries)
        rows = [["source", *present, "all"]]
        for source in sorted({e["source"] for e in entries}):
            counts = [number[source, verdict] for verdict in present]
            rows.append([source, *counts, sum(counts)])
        if len(rows) > 2:
            rows.append(["all", *(sum(row[i] for row in rows[1:]) for i in range(1, len(rows[0])))])
        return table(rows)


def indexed(text):
    """The nodes of a text: h_{t+1} becomes h and a subscript."""
    start = 0
    for match in INDEXED.finditer(text):
        below = match[2] or match[3]
        yield from (nodes.Text(text[start : match.end(1)]), nodes.subscript(below, below))
        start = match.end()
    yield nodes.Text(text[start:])


def verdict_class(verdict):
    return "verdict-" + verdict.replace(" ", "-")


def raw(html):
    return nodes.raw("", html, format="html")


def filter_form(entries):
    def select(name, label, values):
        options = "".join(f'<option value="{value}">{text}</option>' for value, text in values)
        chosen = f'<select name="{name}"><option value="">all</option>{options}</select>'
        return f"<label>{label} {chosen}</label>"

    sources = sorted({e["source"] for e in entries})
    verdicts = [v for v in VERDICTS if any(e["verdict"] == v for e in entries)]
    return (
        '<form class="claim-filter">'
        + select("source", "Source", [(f"source-is-{s}", s) for s in sources])
        + select("verdict", "Verdict", [(verdict_class(v), v) for v in verdicts])
        + f'<output aria-live="polite">{len(entries)} of {len(entries)} entries</output></form>'
    )


def table(rows):
    width = len(rows[0])
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in range(width)), cols=width)
    parts = [
        nodes.row("", *(nodes.entry("", nodes.paragraph("", str(cell))) for cell in row))
        for row in rows
    ]
    group += nodes.thead("", parts[0])
    group += nodes.tbody("", *parts[1:])
    return nodes.table("", group, classes=["counts"])


def start(app):
    path = Path(app.srcdir, LEDGER)
    try:
        app.gtt_claims = read_ledger(path) if path.exists() else {}
    except (ValueError, yaml.YAMLError) as error:
        app.gtt_claims = {}
        logger.warning("%s: %s", LEDGER, error)


def setup(app):
    app.connect("builder-inited", start)
    app.add_role("claim", ClaimRole())
    app.add_directive("claims-ledger", Ledger)
    app.add_directive("claims-of", ClaimsOf)
