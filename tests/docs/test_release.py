"""What a release rests on: the README as PyPI shows it, the citation, the workflow, one version."""

import re
import tomllib
from email.message import Message
from pathlib import Path

import pytest

from fuzz.release import find_pythons, problems_of, pythons_named

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
SETTINGS = tomllib.loads(PYPROJECT)
ADDRESS = SETTINGS["project"]["urls"]["Homepage"]


def readme_on_pypi():
    """The README after the substitutions that the build makes."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    hook = SETTINGS["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for change in hook["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    return text.replace("$HFPR_VERSION", "1.2.3")


def test_every_link_and_picture_on_pypi_leads_to_a_file_of_the_repository_at_the_release():
    targets = re.findall(r"\]\(([^)\s#]+)", readme_on_pypi())
    ours = [target for target in targets if target.startswith(ADDRESS)]
    assert all(target.startswith("https://") for target in targets)
    assert len(ours) >= 15
    for target in ours:
        kind, tag, path = target.removeprefix(f"{ADDRESS}/").split("/", 2)
        assert (kind, tag) == ("raw" if path.endswith(".png") else "blob", "v1.2.3")
        assert (ROOT / path).is_file(), target


def metadata(body, licence="Apache-2.0 AND CC-BY-NC-4.0", missing=""):
    message = Message()
    message["License-Expression"] = licence
    for name in {"Homepage", "Documentation", "Changelog", "Issues"} - {missing}:
        message["Project-URL"] = f"{name}, https://example.org"
    message.set_payload(body)
    return message


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (metadata("[a](https://b.org) ![c](https://d.org/e.png) [f](#g)"), None),
        (metadata("[a](docs/data.md#x)"), "link to docs/data.md#x "),
        (metadata("![a](docs/demo.png)"), "link to docs/demo.png "),
        (metadata('<img src="demo.png">'), "link to demo.png "),
        (metadata("", licence="Apache-2.0"), "the licence is Apache-2.0, without"),
        (metadata("", missing="Issues"), "no address of the Issues"),
        (metadata("[a](https://b.org/v$HFPR_VERSION/c)"), "version was not put"),
    ],
)
def test_what_pypi_would_show_wrongly_is_named(seen, problem):
    problems = problems_of(seen)
    assert len(problems) == (problem is not None)
    assert problem is None or problem in problems[0]


def test_pythons_are_found_in_pyenv_by_their_version_and_named_where_there_is_none(tmp_path):
    for version in ("3.98.2", "3.971.0"):
        program = tmp_path / ".pyenv" / "versions" / version / "bin" / "python"
        program.parent.mkdir(parents=True)
        program.touch()
    found = find_pythons(["3.97", "3.98"], tmp_path)
    assert found == {"3.97": None, "3.98": str(tmp_path / ".pyenv/versions/3.98.2/bin/python")}


def test_the_workflow_tests_the_pythons_of_the_classifiers_and_publishes_without_a_token():
    text = (ROOT / ".github" / "workflows" / "project.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    named = pythons_named(SETTINGS["project"]["classifiers"])
    assert named == jobs["test"]["strategy"]["matrix"]["python"]
    assert sorted(jobs["build"]["steps"][1]["with"]["python-version"].split()) == named
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert (jobs["publish"]["needs"], jobs["build"]["needs"]) == ("build", "test")
    assert "secrets." not in text
    assert "NOT RUN YET" in text
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+) ?", "\n".join(re.findall(r"run: .*", text)))) <= targets


def test_the_citation_names_the_paper_that_is_followed_and_the_licences():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    papers = [paper["url"] for paper in citation["references"] if "url" in paper]
    assert "https://arxiv.org/abs/2402.15662" in papers
    assert " AND ".join(citation["license"]) == SETTINGS["project"]["license"]
    assert "version" not in citation  # it stands in one place


def test_the_version_and_the_address_stand_in_one_file_each():
    assert SETTINGS["project"]["dynamic"] == ["readme", "version"]
    assert "version" not in SETTINGS["project"]
    pages = [*ROOT.glob("*.*"), *ROOT.glob("docs/*.*"), *ROOT.glob("src/mien/**/*.py")]
    texts = (path for path in pages if path.suffix in {".md", ".toml", ".cff", ".py"})
    holders = {path.name for path in texts if ADDRESS in path.read_text(encoding="utf-8")}
    assert holders == {"pyproject.toml"}
    assert set(re.findall(r"https://github\.com/[\w-]+/[\w-]+", PYPROJECT)) == {ADDRESS}
