"""Runs the code blocks of a page as a reader would, in a folder with free pictures.

Python blocks of a page share one namespace; a block with ``>>>`` is read as doctest does; each line
of a shell block is given to bash, with the `mien` of this environment. What a page shows as output
is compared: ``...`` stands for anything, as in doctest. Pictures of a page that its own commands
write (``pictures/PAGE/FILE.jpg`` is FILE.png) are compared too, roughly: letters differ by machine.

Run: python -m tests.support.page_blocks docs/start.md     writes what the blocks of a page printed,
and its pictures, into the page, where it differs. Look at the difference before you commit it.
"""

import contextlib
import doctest
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs"))

import blocks

from tests.support.page_files import serving, write_page_files

PICTURES = ROOT / "docs" / "pictures"
SIDE = 1100  # pixels; larger pictures are made smaller for the page
QUALITY = 85  # of JPEG
NEAR = 8.0  # grey levels by which a picture may differ on average
LITTLE = 0.02  # by which numbers may differ
_DECIMALS = re.compile(r"\d+\.\d{2,}")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
_OURS = "127.0.0.1:8000"  # the address that pages show; tests serve at another one
_PARSERS = {"toml": tomllib.loads, "json": json.loads}
_CHECKER = doctest.OutputChecker()


class WrongBlockError(AssertionError):
    """A block that failed, or printed something else than the page says."""


class PageRun:
    """A page being run: its folder, its names, and what its blocks printed."""

    def __init__(self, folder, address=_OURS):
        self.folder = folder
        self._address = address
        self.forget()
        self.printed = {}  # by the line of a block: what the page shows, and what was printed
        self.varying = set()  # lines of blocks whose numbers differ between machines

    def forget(self):
        """Begin with no names, as a section does that is run alone."""
        self._names = {"__name__": "__main__"}

    def run(self, block):
        """Run one block; raise WrongBlockError where it fails, note what it printed."""
        text = block.text.replace(_OURS, self._address)
        if block.varies:
            self.varying.add(block.line)
        with contextlib.chdir(self.folder):
            if block.language == "python" and ">>>" in text:
                self._doctest(block, text)
            elif block.language == "python":
                self._script(block, text)
            elif block.language == "r":
                self._checked(block, ["Rscript", "-e", text])
            else:
                self._shell(block)

    def _doctest(self, block, text):
        example = doctest.DocTestParser().get_doctest(text, {}, block.page, block.page, block.line)
        example.globs = self._names
        report = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        if runner.run(example, out=report.write, clear_globs=False).failed:
            raise WrongBlockError(f"{block.page}:{block.line}\n{report.getvalue()}")

    def _script(self, block, text):
        printed = io.StringIO()
        lines = "\n" * (block.line - 1)  # a traceback then names the line of the page
        with contextlib.redirect_stdout(printed):
            exec(compile(lines + text, block.page, "exec"), self._names)
        if block.output is not None:
            self.printed[block.line] = [(block.output, printed.getvalue())]

    def _shell(self, block):
        """Run the lines of a block; in a console block those after a prompt."""
        self.printed[block.line] = []
        for command, shown in commands_of(block):
            got = self._checked(block, ["bash", "-c", command.replace(_OURS, self._address)])
            if block.language == "console":
                got = got.replace(self._address, _OURS)
                self.printed[block.line].append((shown, got))

    def _checked(self, block, words):
        own = Path(sys.executable).parent
        paths = {"PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            words,
            env=os.environ | paths | {"COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            what = f"{block.page}:{block.line}: {words[-1]}: exit code {done.returncode}"
            raise WrongBlockError(f"{what}\n{done.stdout}")
        return done.stdout


def commands_of(block):
    """Each command of a shell block, with what the page shows below it."""
    if block.language == "sh":
        joined = block.text.replace("\\\n", " ")
        return [(line, "") for line in joined.splitlines() if line.strip()]
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    if parts[0].strip():
        raise WrongBlockError(
            f"{block.page}:{block.line}: text before the first prompt: {parts[0]!r}"
        )
    found = [re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n?(.*)", part, re.DOTALL) for part in parts[1:]]
    return [(match[1], match[2]) for match in found]


def is_shown(shown, got, varies=False):
    """Tell whether a page shows what was printed.

    ``...`` stands for anything. Where there is none, numbers with two decimals and more may differ
    a little, as processors do; where numbers vary, any number stands for any other, and a line that
    is the same but for its numbers may come more or less often.
    """
    one, other = (_clean(text.strip()) for text in (shown, got))
    numbers = _NUMBERS if varies else _DECIMALS
    forms = [f"{numbers.sub('#', text)}\n" for text in (one, other)]
    if varies:
        forms = ["".join(dict.fromkeys(form.splitlines(keepends=True))) for form in forms]
    if not _CHECKER.check_output(*forms, doctest.ELLIPSIS):
        return False
    pairs = zip(numbers.findall(one), numbers.findall(other), strict=False)
    exempt = varies or "..." in one
    return exempt or all(abs(float(a) - float(b)) <= LITTLE for a, b in pairs)


def differences(run):
    """What the blocks of a page printed and the page shows otherwise: (line, shown, printed)."""
    return [
        (line, shown, got)
        for line, pairs in run.printed.items()
        for shown, got in pairs
        if not is_shown(shown, got, line in run.varying)
    ]


def for_page(path):
    """A picture as it is kept in docs/: not large."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    return picture


def made_picture(folder, name):
    """The file of a page's folder that a picture of docs/pictures/ shows."""
    return (folder / name.split("/", 1)[1]).with_suffix(".png")


def distance(kept, made):
    """Mean difference in grey levels of a picture in docs/ and the one just made."""
    with Image.open(kept) as opened:
        one = np.asarray(opened.convert("RGB"), dtype=np.float32)
    other = np.asarray(for_page(made), dtype=np.float32)
    if one.shape != other.shape:
        return float("inf")
    return float(np.abs(one - other).mean())


def run_page(page, folder, alone=False):
    """Run the blocks of a page in a folder with the pictures; return the run.

    With `alone` each section has its own names.
    """
    found = blocks.blocks_of(page)
    lines = enumerate(page.read_text("utf-8").splitlines(), 1)
    starts = [number for number, line in lines if alone and line.startswith("## ")]
    for block in found:
        if block.language in _PARSERS:
            _PARSERS[block.language](block.text)
    with serving(page.name) as address:
        run = PageRun(folder, address or _OURS)
        for block in found:
            while starts and starts[0] < block.line:
                starts.pop(0)
                run.forget()
            if block.is_run and not (block.language == "r" and shutil.which("Rscript") is None):
                run.run(block)
    return run


def rewrite(page, run):
    """Write what was printed into the page, and its pictures beside it."""
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for block in reversed(blocks.blocks_of(page)):
        pairs = run.printed.get(block.line, [])
        if all(is_shown(shown, got) for shown, got in pairs):
            continue
        first, length = block.line - 1, block.text.count("\n")
        if block.language == "console":
            commands = (command for command, _ in commands_of(block))
            parts = [f"$ {c}\n{_clean(got)}" for c, (_, got) in zip(commands, pairs, strict=True)]
            lines[first : first + length] = parts
        else:
            first += length + 3  # the end of the block, an empty line, the fence of the output
            lines[first : first + block.output.count("\n")] = [_clean(pairs[0][1])]
    page.write_text("".join(lines), encoding="utf-8")
    for name in blocks.pictures_of(page):
        kept, made = PICTURES / name, made_picture(run.folder, name)
        if not kept.exists() or distance(kept, made) > NEAR:
            kept.parent.mkdir(parents=True, exist_ok=True)
            for_page(made).save(kept, quality=QUALITY, optimize=True)
            sys.stdout.write(f"wrote {kept}: {kept.stat().st_size / 1e3:.0f} kB\n")


def _clean(printed):
    return re.sub(r"[ \t]+$", "", printed, flags=re.MULTILINE)


def main():
    for name in sys.argv[1:]:
        page = ROOT / name
        with tempfile.TemporaryDirectory() as folder:
            write_page_files(Path(folder))
            rewrite(page, run_page(page, Path(folder)))


if __name__ == "__main__":
    main()
