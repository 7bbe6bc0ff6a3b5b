"""Python in the page, on request: the files a reader's browser runs it from, and what each cell of
a chapter needs.

The folder GTT_PYTHON (tools/book.py names it) holds Pyodide's core and NumPy's wheel, checked by
tools/pyodide.py. Each becomes scripts that hold its bytes, so that a book opened from disk has them
too. Nothing is loaded before a click. Without the folder the pages are built without the feature.
"""

import ast
import base64
import gzip
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import nbformat
from sphinx.transforms.post_transforms import SphinxPostTransform

from .cells import is_cell

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "src" / "bptt_core"
CHUNK = 900_000  # characters of base64 in one script
SILENT = '''"""Stands in for a module that needs what the page does not load: it does nothing.

It says so once."""


class _Silent:
    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        if self._name in ("show", "LABS"):
            print("(The figure is on the page. Python in the page draws none.)")
        return self

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __repr__(self):
        return "(not available in the page)"


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Silent(name)
'''
NOTICE = """\
Python in these pages is Pyodide {version} (Mozilla Public License 2.0; its source: https://github.com/pyodide/pyodide,
tag {version}), which holds CPython (Python Software Foundation License, https://docs.python.org/3.12/license.html).
NumPy comes as {numpy}; its licence follows. bptt_core is the code of this course, under the MIT
licence.

{licence}
"""


def drawing():
    """The package's modules that need more than NumPy, themselves or through another of them."""
    reads = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        reads.setdefault(name, set()).update(imported(path.read_text(encoding="utf-8")))
    found = {name for name, others in reads.items() if others - reads.keys()}
    while more := {name for name, others in reads.items() if others & found} - found:
        found |= more
    return found


def imported(source):
    """What a module imports when it is loaded: names of the package's modules, and of others that
    neither Python nor NumPy brings."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = node.module == "bptt_core"
            modules = [f"bptt_core.{a.name}" for a in node.names] if inside else [node.module]
        else:
            continue
        for module in modules:
            first, _, rest = module.partition(".")
            if first == "bptt_core":
                yield rest.partition(".")[0]
            elif first not in sys.stdlib_module_names | {"numpy"}:
                yield first


def package_archive():
    """The numeric core as a zip archive; modules that draw are stand-ins."""
    data = io.BytesIO()
    stand_ins = drawing()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name, text):
            archive.writestr(zipfile.ZipInfo(f"bptt_core/{name}", (1980, 1, 1, 0, 0, 0)), text)

        for path in sorted(PACKAGE.rglob("*.py")):
            name = path.relative_to(PACKAGE)
            if name.parts[0].removesuffix(".py") not in stand_ins:
                add(name.as_posix(), path.read_text(encoding="utf-8"))
        for name in sorted(stand_ins):
            add(f"{name}.py", SILENT)
    return data.getvalue()


def files(folder):
    """{name in the page: bytes} of everything that Python in the page is made of."""
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    wheel = next(folder.glob("numpy-*.whl"))
    core = ("pyodide.asm.wasm", "python_stdlib.zip", "pyodide.asm.js", "pyodide.js")
    found = {name: (folder / name).read_bytes() for name in core}
    found["pyodide-lock.json"] = json.dumps({"info": lock["info"], "packages": {}}).encode()
    found["numpy.whl"] = lighter(wheel)
    return found, lock["info"]["version"], wheel


def lighter(wheel):
    """NumPy's wheel without what the course never imports: tests, Fortran, headers, type stubs."""
    data = io.BytesIO()
    unused = re.compile(
        r"/tests/|^numpy/f2py/|/include/|\.pyi$|^numpy/typing/|\.[ha]$|^numpy/distutils/"
    )
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as part:
        for item in whole.infolist():
            if not unused.search(item.filename):
                part.writestr(item, whole.read(item))
    return data.getvalue()


def write_scripts(folder, out):
    """Scripts of at most `CHUNK` characters in `out`; returns their names and sizes, and which file
    each is part of."""
    out.mkdir(parents=True, exist_ok=True)
    contents, version, wheel = files(folder)
    contents["bptt_core.zip"] = package_archive()
    scripts = []
    for name, data in contents.items():
        text = base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()
        for start in range(0, len(text), CHUNK):
            part = text[start : start + CHUNK]
            script = f"{name}.{start // CHUNK}.js"
            line = f"((self.gttPythonFiles ??= {{}})[{name!r}] ??= [])[{start // CHUNK}]={part!r};"
            (out / script).write_text(line, encoding="utf-8")
            scripts.append({"script": script, "file": name, "size": len(part) * 3 // 4})
    with zipfile.ZipFile(wheel) as packed:
        licence = next(n for n in packed.namelist() if n.endswith("dist-info/LICENSE.txt"))
        text = packed.read(licence).decode("utf-8", "replace")
    notice = NOTICE.format(version=version, numpy=wheel.name, licence=text)
    (out / "LICENSES.txt").write_text(notice, encoding="utf-8")
    return scripts


class _Names(ast.NodeVisitor):
    """Names that a cell reads from cells before it, and names that it makes or changes."""

    def __init__(self):
        self.reads, self.makes, self.changes = set(), set(), set()

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.reads.add(node.id)
        else:
            self.makes.add(node.id)

    def visit_FunctionDef(self, node):
        self.makes.add(node.name)
        self.generic_visit(node)

    visit_ClassDef = visit_FunctionDef

    def visit_alias(self, node):
        self.makes.add((node.asname or node.name).partition(".")[0])

    def _change(self, node):
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name):
            self.changes.add(node.id)

    def visit_Attribute(self, node):
        if isinstance(node.ctx, ast.Store):
            self._change(node)
        self.generic_visit(node)

    visit_Subscript = visit_Attribute

    def visit_AugAssign(self, node):
        self._change(node.target)
        if isinstance(node.target, ast.Name):
            self.reads.add(node.target.id)
        self.generic_visit(node)

    def visit_Call(self, node):
        methods = ("append", "extend", "update", "add", "pop", "setdefault", "insert", "shuffle")
        if isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            self._change(node.func.value)
        self.generic_visit(node)


def names(source):
    """What a cell reads, makes and changes."""
    found = _Names()
    found.visit(ast.parse(source))
    return found


def slices(sources):
    """For each code cell, the numbers of the cells before it that it needs, in order.

    A cell is needed if it makes a name that is read later, or changes one; whatever draws from a
    random generator changes it."""
    cells = [names(source) for source in sources]
    generators = set().union(*(made_by_a_generator(source) for source in sources))
    for cell in cells:
        cell.changes |= cell.reads & generators
    needs = []
    for number, cell in enumerate(cells):
        wanted = set(cell.reads)
        needed = []
        for earlier in range(number - 1, -1, -1):
            before = cells[earlier]
            if (before.makes | before.changes) & wanted:
                needed.append(earlier)
                wanted |= before.reads
        needs.append(needed[::-1])
    return needs


def made_by_a_generator(source):
    """Names to which a cell assigns a random generator, or a method of one."""
    made = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and "default_rng" in ast.unparse(node.value):
            made |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return made


class NumberCells(SphinxPostTransform):
    """Each code cell of a page carries its number, by which python.js finds its source."""

    default_priority = 205

    def run(self, **kwargs):
        for cell in self.document.findall(is_cell):
            cell["classes"].append(f"cell-{cell['cell_index']}")


def needed_of(cell):
    """The source that other cells may need. A question is there to be answered, a drawing to be
    seen: what they name is theirs."""
    return "" if "remove-input" in cell.metadata.get("tags", ()) else cell.source


def write_cells(app, static):
    """For each chapter a script with its cells' sources and what each needs, loaded at the first
    click."""
    for path in sorted(Path(app.srcdir, "chapters").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        code = [(i, cell.source) for i, cell in enumerate(cells) if cell.cell_type == "code"]
        needs = slices([needed_of(cells[i]) for i, _ in code])
        table = {
            index: {"source": source, "needs": [code[n][0] for n in needed]}
            for (index, source), needed in zip(code, needs, strict=True)
        }
        text = f"self.gttCells={json.dumps(table, ensure_ascii=False, separators=(',', ':'))};"
        (static / "python" / f"{path.stem}.js").write_text(text, encoding="utf-8")


def finish(app, error):
    if error is not None or app.builder.format != "html" or not app.gtt_python:
        return
    static = Path(app.outdir, "_static")
    scripts = write_scripts(app.gtt_python, static / "python")
    write_cells(app, static)
    host = (static / "python.js").read_text(encoding="utf-8")
    assert host.count("/* scripts */ []") == 1
    host = host.replace("/* scripts */ []", json.dumps(scripts, separators=(",", ":")))
    (static / "python.js").write_text(host, encoding="utf-8")


def add_context(app, pagename, templatename, context, doctree):
    context["has_python"] = bool(app.gtt_python) and pagename.startswith("chapters/")


def start(app):
    named = os.environ.get("GTT_PYTHON")
    app.gtt_python = Path(named) if named else None


def setup(app):
    app.connect("builder-inited", start)
    app.connect("html-page-context", add_context)
    app.add_post_transform(NumberCells)
    app.connect("build-finished", finish, priority=800)
