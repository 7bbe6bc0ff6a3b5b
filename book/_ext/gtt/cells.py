"""What notebook cells become: anchors, figures with alt text, and boxes that fold."""

import html
import os
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


class details(nodes.General, nodes.Element):
    """An admonition of class `dropdown`: closed until the reader opens it, with no script."""


def visit_details(self, node):
    opened = {"open": "open"} if "open" in node["classes"] else {}
    self.body.append(self.starttag(node, "details", "", **opened))


def depart_details(self, node):
    self.body.append("</details>\n")


class summary(nodes.General, nodes.TextElement):
    """The line of a `details` that is always seen."""


def visit_summary(self, node):
    self.body.append(self.starttag(node, "summary", "", CLASS="admonition-title"))


def depart_summary(self, node):
    self.body.append("</summary>\n")


def is_cell(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


class NameCells(SphinxTransform):
    """A code cell with the metadata `name` gets it as its id: `chapter.html#name`. The name is not
    slugged, so that the ledger can cite it letter by letter."""

    default_priority = 200

    def apply(self):
        seen = {}
        for cell in self.document.findall(is_cell):
            name = cell["cell_metadata"].get("name")
            if not name:
                continue
            if name in seen or not name.replace("-", "").replace("_", "").isalnum():
                logger.warning(
                    "cell name %r: %s",
                    name,
                    "used twice" if name in seen else "only letters, digits, - and _",
                    location=cell,
                )
                continue
            seen[name] = cell
            cell["ids"].append(name)


class LinkSettings(SphinxTransform):
    """`[at 1.2](#lab=NAME&setting=1.2)` sets a figure of its page: an address for the script, no
    place that Sphinx could look for."""

    default_priority = 201

    def apply(self):
        for link in self.document.findall(nodes.reference):
            if link.get("refuri", "").startswith("#lab=") and link.get("id_link"):
                del link["id_link"]  # by which MyST knows what to look up


class DescribeFigures(SphinxPostTransform):
    """The alt text of a cell (`mystnb: {image: {alt}}`) reaches an SVG that came as text/html."""

    default_priority = 210

    def run(self, **kwargs):
        for cell in self.document.findall(is_cell):
            alt = ((cell["cell_metadata"].get("mystnb") or {}).get("image") or {}).get("alt")
            for raw in cell.findall(nodes.raw):
                text = raw.astext()
                if (
                    alt
                    and "<svg" in text
                    and "gtt-explorer" not in text
                    and "aria-label" not in text
                ):
                    label = f'<svg role="img" aria-label="{html.escape(alt)}" '
                    raw.children[0] = nodes.Text(text.replace("<svg ", label, 1))
                    raw.rawsource = ""


class FoldAdmonitions(SphinxPostTransform):
    default_priority = 211

    def run(self, **kwargs):
        boxes = [
            box
            for box in self.document.findall(nodes.Admonition)
            if "dropdown" in box.get("classes", ())
        ]
        for box in boxes:
            if isinstance(box, addnodes.versionmodified):
                continue
            folded = details("", classes=["admonition", *box["classes"]], ids=box["ids"])
            title = box.next_node(nodes.title)
            text = title.children if title is not None else [nodes.Text(box.tagname.capitalize())]
            folded += summary("", "", *text)
            folded.extend(child for child in box.children if child is not title)
            box.replace_self(folded)


class fold_rest(nodes.Invisible, nodes.Element):
    """Where what a section holds begins to be folded."""


class FoldRest(SphinxDirective):
    """```{fold-rest} Open it```: the rest of the section, cells included, is folded under these
    words."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        return [fold_rest("", words=self.arguments[0])]


class FoldSections(SphinxPostTransform):
    default_priority = 213

    def run(self, **kwargs):
        for mark in list(self.document.findall(fold_rest)):
            section, place = mark.parent, mark.parent.index(mark)
            folded = details("", classes=["rest"])
            folded += summary("", "", nodes.Text(mark["words"]))
            folded.extend(section.children[place + 1 :])
            section[:] = [*section.children[:place], folded]


class WrapTables(SphinxPostTransform):
    """A table scrolls in a box of its own where the page is too narrow for it."""

    default_priority = 212

    def run(self, **kwargs):
        for table in list(self.document.findall(nodes.table)):
            box = nodes.container(classes=["scroll"])
            table.replace_self(box)
            box += table


def execute_only(app, config):
    """With GTT_ONLY=01 in the environment (`make page`) the other chapters keep the outputs they
    have: none."""
    only = os.environ.get("GTT_ONLY")
    if only:
        others = [
            p.name
            for p in Path(app.srcdir, "chapters").glob("*.ipynb")
            if not p.name.startswith(only)
        ]
        config.nb_execution_excludepatterns = [f"chapters/{name}" for name in others]


def setup(app):
    app.connect("config-inited", execute_only)
    app.add_node(details, html=(visit_details, depart_details))
    app.add_node(summary, html=(visit_summary, depart_summary))
    app.add_directive("fold-rest", FoldRest)
    app.add_transform(NameCells)
    app.add_transform(LinkSettings)
    app.add_post_transform(DescribeFigures)
    app.add_post_transform(FoldAdmonitions)
    app.add_post_transform(FoldSections)
    app.add_post_transform(WrapTables)
