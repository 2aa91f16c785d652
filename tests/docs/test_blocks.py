"""Every code block of README, CONTRIBUTING and docs/ runs and prints what the page shows."""

import shutil
import sys
from collections import Counter
from dataclasses import replace

import pytest

pytest.importorskip("av", reason="the video extra writes the film of the pages")

from tests.support import page_blocks
from tests.support.page_blocks import (
    PageRun,
    WrongBlockError,
    blocks,
    differences,
    is_shown,
    run_page,
)
from tests.support.page_files import write_page_files

PAGES = [page for page in blocks.pages() if any(block.is_run for block in blocks.blocks_of(page))]
LOOKED_UP = {"python.md", "explain.md"}  # each section of these runs alone
NEEDS = {  # libraries of extras
    "faithful.md": "scipy",
    "for-data-engineers.md": "pyarrow",
    "for-engineers.md": "fastapi",
    "for-researchers.md": "av",
    "for-students.md": "torch",
    "many.md": "pandas",
    "serve.md": "fastapi",
    "tracking.md": "av",
    "training.md": "torch",
}


@pytest.fixture(scope="module")
def page_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    write_page_files(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_runs_and_prints_what_the_page_shows(page, page_files, tmp_path):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    folder = shutil.copytree(page_files, tmp_path / "page")
    run = run_page(page, folder, alone=page.name in LOOKED_UP)
    assert differences(run) == []
    for name in blocks.pictures_of(page):
        made = page_blocks.made_picture(folder, name)
        assert page_blocks.distance(page_blocks.PICTURES / name, made) < page_blocks.NEAR, name


def block(language, text, output=None):
    return blocks.Block("page.md", 3, language, text, output=output)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (block("console", "$ echo one; echo two\none\n...\n"), "$ echo one; echo two\none\n"),
        (block("python", "print(6 * 7)\n", "42\n"), "print(6 * 8)\n"),
        (block("console", "$ echo fear 0.2512\nfear 0.2509\n"), "$ echo fear 0.28\nfear 0.25\n"),
    ],
)
def test_what_a_page_shows_otherwise_than_it_was_printed_is_found(right, wrong, tmp_path):
    run = PageRun(tmp_path)
    run.run(right)
    assert differences(run) == []
    run.run(replace(right, text=wrong))
    assert len(differences(run)) == 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sh", "echo fine\nls nothing-of-this-name\n"),
        ("console", "$ mien predict gone.jpg\n"),
        ("python", ">>> 6 * 7\n43\n"),
    ],
)
def test_a_block_that_fails_names_its_page_and_line(language, text, tmp_path):
    with pytest.raises(WrongBlockError, match=r"page\.md:3"):
        PageRun(tmp_path).run(block(language, text))


def test_numbers_that_vary_may_be_others_and_words_may_not():
    assert is_shown("epoch 2: 98.2%\n", "epoch 1: 97%\n", varies=True)
    assert not is_shown("epoch 2: 98.2%\n", "epoch 1: 97%\n")
    assert not is_shown("epoch 2: 98.2%\n", "epochs 2: 98.2%\n", varies=True)
    segments = "0,fear,2.4\n0,anger,2.6\n"
    assert is_shown(segments, f"{segments}0,fear,3.9\n", varies=True)
    assert not is_shown(segments, f"{segments}0,disgust,3.9\n", varies=True)
    assert not is_shown(segments, "0,anger,2.6\n", varies=True)


def test_the_blocks_of_a_page_share_their_names(tmp_path):
    run = PageRun(tmp_path)
    run.run(block("python", "side = 6\n"))
    run.run(block("python", ">>> side * 7\n42\n"))


def test_a_section_that_is_to_run_alone_has_no_name_of_the_one_before(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    parts = ["## One\n", "```python\nside = 6\n```\n", "## Two\n", "```python\nside * 7\n```\n"]
    page.write_text("\n".join(parts), encoding="utf-8")
    assert {page.name for page in PAGES} >= LOOKED_UP
    run_page(page, tmp_path)
    with pytest.raises(NameError, match="side"):
        run_page(page, tmp_path, alone=True)


def test_every_block_is_of_a_kind_that_is_run_or_says_why_it_is_not():
    found = [block for page in blocks.pages() for block in blocks.blocks_of(page)]
    unclear = [
        f"{block.page}:{block.line}: {block.language or 'no language'}"
        for block in found
        if block.language not in (*blocks.RUN, *blocks.SHOWN) and not block.reason
    ]
    assert unclear == []
    idle = [b for b in found if b.language in blocks.SHOWN and b.reason]
    assert idle == []  # a reason is for what could be run
    run = sum(block.is_run for block in found)
    reasons = Counter(block.reason for block in found if block.reason)
    sys.stdout.write(f"{run} blocks run; not run: {dict(reasons)}\n")  # pytest -rP shows it
    assert run >= 64  # so many when this was written


def test_generated_parts_and_reasons_are_read_as_the_pages_write_them(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- help -->\n```text\nx\n```\n<!-- /help -->\n\n"
        "<!-- not run: a server -->\n```sh\nserve\n```\n\n"
        "<!-- numbers vary: chance -->\n```python\nprint(1)\n```\n\n```output\n1\n```\n",
        encoding="utf-8",
    )
    server, script = blocks.blocks_of(page)
    assert (server.reason, server.is_run, server.line) == ("a server", False, 9)
    assert (script.output, script.is_run, script.line) == ("1\n", True, 14)
    assert (server.varies, script.varies) == (False, True)
