"""The package's pages: {api}`lstm` prints every public name of a module, its docstring letter by
letter.

The docstrings are laid out by hand, equation first and a line for each symbol, so they are shown as
they stand. Claim ids in backticks lead to the ledger, and each name to its source if the repository
is known.
"""

import importlib
import inspect
import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .claims import PAGE
from .page import source_link

ROOT = Path(__file__).parents[3]
CLAIM = re.compile(r"`([A-D](?:-(?:eq|x))?\d+[a-z]?)`")


class docstring(nodes.General, nodes.TextElement):
    """Text that keeps its lines and spaces, with links in it."""


def visit_docstring(self, node):
    self.body.append(self.starttag(node, "pre", "", CLASS="docstring"))


def depart_docstring(self, node):
    self.body.append("</pre>\n")


def public_names(module):
    """The names a module offers: `__all__`, else what it defines without an underscore."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    here = module.__name__
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == here
    ]


def described(module):
    """(name, value) of what gets an entry: functions and classes; a module or a constant does
    not."""
    for name in public_names(module):
        value = getattr(module, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            yield name, value


def fields(cls):
    """The lines of a named tuple that declare its fields, comments and all; none for another
    class."""
    if not hasattr(cls, "_fields"):
        return ""
    lines = inspect.getsource(cls).splitlines()
    declared = [
        line.strip() for line in lines if re.match(rf"    ({'|'.join(cls._fields)}): ", line)
    ]
    return "\n".join(declared)


def methods(cls):
    """(signature, docstring) of the public methods and properties that a class defines itself."""
    for name, value in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(value, property) and value.__doc__:
            yield name, value.__doc__
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(function) and function.__doc__:
            yield f"{name}{inspect.signature(function)}", function.__doc__


def signature(name, value):
    try:
        return f"{name}{inspect.signature(value)}".replace("<class 'float'>", "float")
    except (TypeError, ValueError):
        return name


def place(value):
    """(path below the root, line) of the definition."""
    value = inspect.unwrap(value)
    path = Path(inspect.getsourcefile(value)).resolve()
    return path.relative_to(ROOT).as_posix(), inspect.getsourcelines(value)[1]


class Api(SphinxDirective):
    """The entries of one module."""

    required_arguments = 1

    def run(self):
        module = importlib.import_module(f"bptt_core.{self.arguments[0]}")
        self.env.note_dependency(inspect.getsourcefile(module))
        found = self.text(module.__doc__)
        for name, value in described(module):
            found += self.entry(self.arguments[0], name, value)
        return found

    def entry(self, module, name, value):
        anchor = f"{module}.{name}"
        box = nodes.container(ids=[anchor], classes=["api"])
        head = nodes.paragraph(classes=["api-head"])
        words = signature(name, value)
        head += nodes.reference(
            "", "", nodes.literal(words, words), refuri=f"#{anchor}", internal=True
        )
        path, line = place(value)
        if link := source_link(self.env.app, path):
            head += nodes.Text(" ")
            head += nodes.reference("code", "code", refuri=f"{link}#L{line}", classes=["api-code"])
        box += head
        box += self.text(inspect.getdoc(value))
        if inspect.isclass(value):
            if declared := fields(value):
                box += nodes.literal_block(declared, declared, language="python")
            for words, doc in methods(value):
                title = nodes.paragraph("", "", nodes.literal(words, words), classes=["api-method"])
                box += nodes.container(
                    "", title, *self.text(inspect.cleandoc(doc)), classes=["api-part"]
                )
        return [box]

    def text(self, doc):
        """A docstring as it stands, its claim ids linked."""
        block = docstring()
        rest = doc.strip() if doc else ""
        start = 0
        to_ledger = self.env.app.builder.get_relative_uri(self.env.docname, PAGE)
        for match in CLAIM.finditer(rest):
            block += nodes.Text(rest[start : match.start()])
            known = match[1] in self.env.app.gtt_claims
            uri = f"{to_ledger}#{match[1]}"
            block += (
                nodes.reference(match[1], match[1], refuri=uri, internal=True, classes=["claim-id"])
                if known
                else nodes.Text(match[1])
            )
            start = match.end()
        block += nodes.Text(rest[start:])
        return [block]


def setup(app):
    app.add_node(docstring, html=(visit_docstring, depart_docstring))
    app.add_directive("api", Api)
