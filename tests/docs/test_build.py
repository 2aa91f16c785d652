"""The build of the pages stops at links that lead nowhere, and counts public names once."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="the proof extra writes docs/faithful.md")
pytest.importorskip("sphinx", reason="the site extra is not installed")

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import conf
import names

import mien

_AT = spec_from_file_location("docs_build", conf.ROOT / "docs" / "build.py")  # not PyPA's build
build = module_from_spec(_AT)
_AT.loader.exec_module(build)


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](other.md)", None),
        ("[a](other.md#two-words-here)", None),
        ("[a](#here)", None),
        ("[a](https://example.org/gone#x)", None),
        ("```text\n[a](gone.md)\n```", None),
        ("[a](gone.md)", "gone.md, which does not exist"),
        ('[a](gone.md "a title")', "gone.md, which does not exist"),
        ("[a](other.md#in-code)", "other.md#in-code, and there is no such heading"),
        ("[a](#two-words-here)", "#two-words-here, and there is no such heading"),
    ],
)
def test_a_link_to_no_page_and_to_no_heading_stops_the_build(link, problem, tmp_path):
    (tmp_path / "other.md").write_text("# Two words, `here`\n\n```sh\n# in code\n```\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n\n{link}\n")
    if problem is None:
        build._check_links(page.read_text(), page)
    else:
        with pytest.raises(SystemExit, match=problem):
            build._check_links(page.read_text(), page)


@pytest.mark.parametrize("mark", ["<!--orders-->", "<!-- orders-->", "< !-- orders -->"])
def test_a_part_whose_mark_is_misspelt_does_not_grow_old_unseen(mark, tmp_path):
    text = "<!-- orders -->\nold\n<!-- /orders -->\n"
    with pytest.raises(SystemExit, match="part orders must be opened and closed once, found 0"):
        build._fill_parts(text.replace("<!-- orders -->", mark), tmp_path / "page.md")
    assert "`rafdb`" in build._fill_parts(text, tmp_path / "page.md")


def test_public_names_are_those_that_the_package_exports_each_under_its_shortest_path():
    listed = [f"{path}.{name}" for path, name, _ in names.public_names()]
    assert len(set(listed)) == len(listed)
    exported = {f"mien.{name}" for name in mien.__all__} - {"mien.explain", "mien.__version__"}
    assert exported - set(listed) == {"mien.LABELS"}  # a value, and no class or function
    assert "mien.recognize.Recognizer" not in listed
    assert "mien.explain.explain_each" in listed


def test_the_index_becomes_the_table_of_contents_in_its_order():
    text = (
        "# mien\n\n## Start\n\n- [B](b.md): b\n- [A](a.md)\n\n[c](c.md)\n\n## End\n\n- [D](d.md)\n"
    )
    trees = conf.add_contents(text).removeprefix(text)
    assert trees.index(":caption: Start\n\nb\na\n```") < trees.index(":caption: End\n\nd\n```")
    assert "\nc\n" not in trees


def test_links_that_leave_docs_lead_to_the_repository_and_pictures_stay():
    text = "[a](../README.md#x) ![b](../results/b.png) [c](c.md) [d](../configs/d.toml)"
    address = f"{conf._REPOSITORY}README.md#x"
    assert conf.lead_outside(text) == text.replace("../README.md#x", address)
