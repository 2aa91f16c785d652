"""The code blocks of the pages: what each one is, and why one is not run. Runs nothing itself.

`tests/docs/test_blocks.py` runs every block of a language in `RUN`, unless a comment directly
above it says ``<!-- not run: REASON -->``; the page then shows the reader the same reason that the
table in CONTRIBUTING.md counts. A block ``output`` is what the block above it prints; in a
``console`` block the lines after a command are. Generated parts, between ``<!-- NAME -->`` and
``<!-- /NAME -->``, are the business of `build.py` and have no blocks here.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from records import ROOT

from mien.show.tables import as_markdown

__all__ = ["PARTS", "RUN", "SHOWN", "Block", "blocks_of", "pages", "pictures_of", "without_code"]

RUN = ("python", "sh", "console", "r")
SHOWN = ("text", "output", "toml", "json")  # nothing to run; TOML and JSON are parsed

_GENERATED = re.compile(r"<!-- ([a-z0-9-]+) -->\n.*?<!-- /\1 -->", re.DOTALL)
_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>]+) -->\n)?"
    r"(?P<varies>^<!-- numbers vary: [^>]+ -->\n)?"
    r"^```(?P<language>[^\n`]*)\n(?P<text>.*?)^```$"
    r"(?:\n\n^```output\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
_PICTURE = re.compile(r"!\[[^\]]*\]\(pictures/([^)]+)\)")


@dataclass(frozen=True)
class Block:
    """One code block.

    Attributes:
        page: its name, as in ``docs/start.md``.
        line: of its first line, from 1.
        language: the word after the fence.
        text: what is between the fences.
        reason: why it is not run, or "".
        output: what it prints, if the page says so in a block of its own.
        varies: whether its numbers differ between machines, as a comment above it says:
            ``<!-- numbers vary: REASON -->``.
    """

    page: str
    line: int
    language: str
    text: str
    reason: str = ""
    output: str | None = None
    varies: bool = False

    @property
    def is_run(self) -> bool:
        """Whether the test runs it."""
        return self.language in RUN and not self.reason


def pages() -> list[Path]:
    """Return every page for people: README, CONTRIBUTING, SECURITY, and those of docs/."""
    top = (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))
    return [*top, *sorted((ROOT / "docs").glob("*.md"))]


def blocks_of(page: Path) -> list[Block]:
    """Read the code blocks of a page.

    Args:
        page: a Markdown file of this repository.

    Returns:
        The blocks in their order, without generated ones.
    """
    name = page.relative_to(ROOT).as_posix()
    text = _GENERATED.sub(lambda m: "\n" * m[0].count("\n"), page.read_text(encoding="utf-8"))
    return [
        Block(
            name,
            text.count("\n", 0, found.start("text")) + 1,
            found["language"],
            found["text"],
            found["reason"] or "",
            found["output"],
            found["varies"] is not None,
        )
        for found in _FENCE.finditer(text)
    ]


def without_code(text: str) -> str:
    """Return Markdown without its fenced blocks, in which no link and no heading counts."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def pictures_of(page: Path) -> list[str]:
    """Return the pictures of a page that its own blocks make, as paths under ``pictures/``."""
    own = f"{page.stem}/"
    found = _PICTURE.findall(page.read_text(encoding="utf-8"))
    return [path for path in dict.fromkeys(found) if path.startswith(own)]


def counted() -> str:
    """How many blocks of each page are run, and why the others are not."""
    rows: list[list[str | int]] = []
    everything: list[Block] = []
    for page in pages():
        found = [block for block in blocks_of(page) if block.language not in SHOWN]
        everything += found
        if found:
            reasons = Counter(block.reason for block in found if block.reason)
            why = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
            rows.append([found[0].page, *_run_and_not(found), why])
    rows.append(["**all**", *_run_and_not(everything), ""])
    r_blocks = sum(block.language == "r" for block in everything)
    return as_markdown(["page", "run", "not run", "why not"], rows) + (
        f"\n{r_blocks} of those that are run are R, and are run where `Rscript` is installed.\n"
    )


def _run_and_not(found: list[Block]) -> tuple[int, int]:
    run = sum(block.is_run for block in found)
    return run, len(found) - run


PARTS = {"blocks": counted}
