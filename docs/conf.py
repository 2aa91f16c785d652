"""Settings of the documentation site: Sphinx with Furo and MyST. Builds without a network.

Run: make docs, or sphinx-build -W -b html docs build/site after docs/build.py.
The pages are plain Markdown, which GitHub shows too. So three things are added here alone:
`index.md`'s lists of links become the table of contents; the table of public names in `api.md`
becomes the reference, from the docstrings; links to files outside docs/ lead to the repository.
"""

import re
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "docs")]

import names

import mien

_URLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
_REPOSITORY = f"{_URLS['Homepage']}/blob/main/"

project = "mien"
author = "mien contributors"
copyright = "mien contributors, Apache-2.0"
release = version = mien.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["pictures"]
nitpicky = True
# Names of other packages, whose indexes would have to be fetched; and type variables of our own.
nitpick_ignore_regex = [(r"py:.*", r"(?!mien(\.|$)).*")]
nitpick_ignore = [("py:class", "mien.media.inputs.ArrayLike")]  # whatever numpy makes an array of
default_role = "code"  # single backticks in docstrings
highlight_language = "text"
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Source"]
napoleon_use_ivar = True  # attributes as a list, in place of an entry each beside the field's own
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"mien {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_favicon = str(ROOT / "src/mien/serve/page/icon.svg")


def add_contents(text: str) -> str:
    """Add a hidden table of contents to the index: its headings, and the pages linked below each.

    Args:
        text: of index.md.

    Returns:
        The text with a toctree for each heading that has a list of links.
    """
    trees = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, rest = part.partition("\n")
        pages = re.findall(r"^- \[[^\]]+\]\(([\w-]+)\.md\)", rest, flags=re.MULTILINE)
        if pages:
            listed = "\n".join(pages)
            trees.append(f"```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{listed}\n```\n")
    return f"{text}\n{''.join(trees)}"


def lead_outside(text: str) -> str:
    """Let links to files outside docs/ lead to the repository; notebooks and TOML are downloads.

    Args:
        text: of a page, with links relative to docs/.

    Returns:
        The text; pictures stay as they are.
    """
    pattern = r"(?<!!)(\[[^\]]*\])\(\.\./([^)\s]+?)\)"
    downloads = (".ipynb", ".toml", ".csv")
    return re.sub(
        pattern,
        lambda m: m[0] if m[2].endswith(downloads) else f"{m[1]}({_REPOSITORY}{m[2]})",
        text,
    )


def _change_source(_app: Sphinx, page: str, source: list[str]) -> None:
    text = source[0]
    if page == "index":
        text = add_contents(text)
    if page == "api":
        text = names.with_reference(text)
    source[0] = lead_outside(text)


def _write_outside_links(app: Sphinx, failed: Exception | None) -> None:
    """List the links to other places, which are not followed: one a line, with its pages."""
    if failed or app.builder.name != "html":
        return
    found: dict[str, set[str]] = {}
    for page in sorted(app.env.found_docs):
        for node in app.env.get_doctree(page).findall(nodes.reference):
            address = node.get("refuri", "")
            if address.startswith(("http://", "https://")):
                found.setdefault(address, set()).add(page)
    lines = [f"{address}  {' '.join(sorted(on))}\n" for address, on in sorted(found.items())]
    (Path(app.outdir) / "outside-links.txt").write_text("".join(lines), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the changes above; called by Sphinx."""
    app.connect("source-read", _change_source)
    app.connect("build-finished", _write_outside_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
