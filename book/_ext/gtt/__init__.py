"""The course's own Sphinx extension. One module per concern:

math    TeX is typeset when the book is built, so a page needs no script to show an equation
cells   named cells become anchors, figures get their alt text, `dropdown` folds without a script
claims  the ledger's page, and the role {claim}`A32` which links into it
parts   what says the same in text, formula and figure lights up; links show what they lead to
python  Python in the page, on request: the files it runs from, and what each cell needs
api     the package's page: docstrings as they stand, claim ids linked
page    what the templates need: the page's description, its style, the explorer's files
site    what a published page says about itself, and the links that lead from it
"""

from pathlib import Path

from . import api, cells, claims, math, page, parts, python, site

THEME = Path(__file__).parents[2] / "_theme"


def setup(app):
    app.add_config_value(
        "comments_config", {}, "env"
    )  # Jupyter Book sets it for an extension which is not loaded
    app.add_html_theme("gtt", str(THEME))
    for module in (math, cells, claims, parts, api, page, python, site):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
