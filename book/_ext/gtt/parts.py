"""What a sentence, a formula and a figure say of the same part lights up together, and a link shows
what it leads to.

A part has a key, such as via-o, and the class part-via-o wherever it occurs:

in a sentence  {part}`the road via o <via-o>`, or {partcode}`cache.o <via-o>` for a word of code
in a formula   \\class{part-via-o}{R_t}, which MathJax knows, in a notebook too
in a figure    gid="part-via-o" of an artist; gid="name+part-via-o" if the artist has a name
in a lab       parts={gid: "via-o"} of `Explorer`

`gtt.js` lights up all of one page at once, `gtt.css` gives a key its colour. A key that stands on
a page only once leads nowhere: that ends the build. A lab has its keys on every page.
"""

import re
from collections import Counter
from fnmatch import fnmatch

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole

from .claims import plain

logger = logging.getLogger(__name__)
GLOSSARY = "book/glossary"
KEY = re.compile(r'<[^>]* class="(?:[^"]* )?part-([\w-]+)')
OF_LAB = re.compile(r'<g id="[\w.-]+" class="part-([\w-]+)"')


class PartRole(ReferenceRole):
    """{part}`text <key>`: words that light up with all else of that key, by touch or keyboard."""

    node = nodes.inline

    def run(self):
        if not re.fullmatch(r"[a-z][a-z-]*", self.target):
            logger.warning(
                "part %r: wanted small letters", self.target, location=self.get_location()
            )
        return [self.node(self.title, self.title, classes=[f"part-{self.target}"])], []


class PartCodeRole(PartRole):
    """The same for a word of code."""

    node = nodes.literal


def focusable(app, pagename, templatename, context, doctree):
    """Words with a key can be reached by keyboard; a key that is alone on its page is a warning."""
    body = context.get("body") or ""
    context["body"] = re.sub(
        r'<(span|code) class="(?=part-|[^"]* part-)', r'<\1 tabindex="0" class="', body
    )
    if any(fnmatch(f"{pagename}.ipynb", each) for each in app.config.nb_execution_excludepatterns):
        return  # its figures were not made
    for key in lonely(body):
        logger.warning(
            "part %r occurs once on the page: nothing lights up with it", key, location=pagename
        )


def lonely(body):
    """The keys that lead nowhere on a page."""
    found = Counter(KEY.findall(body))
    return sorted(key for key, n in found.items() if n == 1 and key not in OF_LAB.findall(body))


class DescribeTerms(SphinxPostTransform):
    """A link to a term of the glossary has its first sentence as its title."""

    default_priority = 213

    def run(self, **kwargs):
        for link in self.document.findall(nodes.reference):
            uri = link.get("refuri") or f"#{link.get('refid', '')}"
            _, _, name = uri.partition("#term-")
            if name and GLOSSARY in self.env.found_docs:
                self.env.note_dependency(self.env.doc2path(GLOSSARY))
                link["reftitle"] = self.sentences().get(f"term-{name}", "")

    def sentences(self):
        """{id of a term: the first sentence of its definition}, read once."""
        if not hasattr(self.env.app, "gtt_terms"):
            glossary = self.env.get_doctree(GLOSSARY)
            self.env.app.gtt_terms = {
                name: plain(re.split(r"(?<=\.)\s", item.next_node(nodes.paragraph).astext())[0])
                for item in glossary.findall(nodes.definition_list_item)
                for term in item.findall(nodes.term)
                for name in term["ids"]
            }
        return self.env.app.gtt_terms


def setup(app):
    app.add_role("part", PartRole())
    app.add_role("partcode", PartCodeRole())
    app.add_post_transform(DescribeTerms)
    app.connect("html-page-context", focusable)
