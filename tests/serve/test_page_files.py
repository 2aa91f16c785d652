import gzip
import hashlib
import html
import json
import pathlib
import re

import pytest

from mien import LABELS
from mien.faces import association, tracker
from mien.serve import page_files as module
from mien.serve.page_files import CARD_FILE, POLICY, page_as_one_file, page_files
from mien.show.style import COLOURS
from mien.words import LANGUAGES, called
from tests.support.onnx_files import channels_model

OURS = (".js", ".html", ".css", ".svg")
# The page's own words; what else it says is a label, which the card names, or a region's name.
KEYS = re.compile(r'(?:word|say)\("(\w+)"|data-(?:word|label)="(\w+)"')


@pytest.fixture(scope="module")
def files():
    return page_files()


@pytest.fixture(scope="module")
def texts(files):
    """The page's own files, and none of the vendor's."""
    return {
        name: data.decode()
        for name, data in files.items()
        if name.endswith(OURS) and not name.startswith("vendor/")
    }


@pytest.fixture(scope="module")
def one_file():
    return page_as_one_file().decode()


def words_in(texts):
    body = texts["vocabulary.js"].split("export const WORDS = ")[1].split("};\n")[0] + "}"
    return json.loads(body)


def test_the_page_has_all_that_it_names(files, texts):
    named = {f"{module}" for t in texts.values() for module in re.findall(r'from "\./(.+)"', t)}
    named |= {file["name"] for file in json.loads(files[CARD_FILE])["files"].values()}
    named |= set(re.findall(r'(?:src|href)="([^"#]+)"', texts["index.html"]))
    named.add("worker.js")
    assert named - files.keys() == set()
    assert {n for n in files if n.endswith(".js")} - named == set()  # nothing is there for nothing


def test_all_modules_of_the_page_are_asked_for_at_once(texts, one_file):
    def imported(name):
        for other in re.findall(r'^import .* from "\./(.+)";', texts[name], re.MULTILINE):
            yield from (other, *imported(other))

    preload = re.compile(r'<link rel="modulepreload" href="(.+)">')
    assert preload.findall(texts["index.html"]) == sorted(set(imported("app.js")))
    assert not preload.search(one_file)  # which has them inside


def test_the_page_is_small_enough_to_load(files):
    assert sum(len(gzip.compress(data)) for data in files.values()) < 10_000_000


def test_the_vendors_files_are_those_that_its_readme_names(files):
    readme = (module.__file__.removesuffix("page_files.py")) + "page/vendor/README.md"
    with pathlib.Path(readme).open(encoding="utf-8") as file:
        listed = re.findall(r"\| `?([\w.-]+)`? \| ([0-9a-f]{64}) \|", file.read())
    wasm = files["vendor/ort-wasm-simd-threaded.wasm.gz"]
    found = {
        name: hashlib.sha256(files.get(f"vendor/{name}", b"")).hexdigest() for name, _ in listed
    }
    found["unpacked"] = hashlib.sha256(gzip.decompress(wasm)).hexdigest()
    assert len(listed) == 3
    assert found == dict(listed)


def test_the_policy_lets_nothing_in_that_is_not_a_file_of_the_page(texts):
    [meta] = re.findall(r'Content-Security-Policy" content="([^"]+)"', texts["index.html"])
    assert html.unescape(meta) == POLICY
    assert "unsafe-inline" not in POLICY
    assert "'unsafe-eval'" not in POLICY
    for inline in (r"<script>", r"<style", r"\son\w+=", r"\sstyle=", r"javascript:"):
        assert not re.search(inline, texts["index.html"])


def test_nothing_is_fetched_from_elsewhere(texts):
    """The address of SVG's namespace is a name that nobody asks for."""
    for name, text in texts.items():
        addresses = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}\S*", text)
        assert [a for a in addresses if "www.w3.org/2000/svg" not in a] == [], name
        assert "@import" not in text


def test_every_word_is_there_in_all_languages_with_the_same_blanks(texts):
    table = words_in(texts)
    assert len(table) > 50
    for key, by_language in table.items():
        assert by_language.keys() == {*LANGUAGES}, key
        blanks = {tuple(sorted(re.findall(r"\{\d\}", text))) for text in by_language.values()}
        assert len(blanks) == 1, key
        assert all(text.strip() for text in by_language.values()), key


def test_the_page_offers_every_language_of_the_package(texts):
    [body] = re.findall(r"LANGUAGES = \{(.+?)\};", texts["words.js"], re.DOTALL)
    assert sorted(re.findall(r"(\w\w): ", body)) == sorted(LANGUAGES)


def test_the_table_has_every_word_that_the_page_says_and_no_other(files, texts):
    card = json.loads(files[CARD_FILE])
    names = {*card["regions"]["names"]}  # what expressions are called is in the card
    pages = [text for name, text in texts.items() if name != "words.js"]  # which explains them
    said = {a or b for text in pages for a, b in KEYS.findall(text)}
    assert words_in(texts).keys() == said | names


def test_the_page_calls_expressions_what_drawings_call_them(files, texts):
    card = json.loads(files[CARD_FILE])
    said = (*card["labels"], card["neutral"], card["uncertain"])
    assert card["words"].keys() == {*said}
    for language in LANGUAGES:
        found = [card["words"][label][language] for label in said]
        assert found == [called(label, language) for label in said], language
    assert words_in(texts).keys() & card["words"].keys() == set()


def test_the_card_says_what_the_model_file_says(tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(channels_model(name="own", uncertain={"below": 0.25}, licence="none"))
    files = page_files(path)
    card = json.loads(files[CARD_FILE])
    assert files["networks/model.onnx"] == path.read_bytes()
    assert (card["name"], card["licence"], card["temperature"]) == ("own", "none", 2.0)
    assert card["rule"] == {"neutral_above": 0.5, "certain_from": 0.25}
    assert card["labels"] == list(LABELS)
    assert card["input"]["side"] == 64
    assert card["colours"]["happiness"] == "#{:02x}{:02x}{:02x}".format(*COLOURS["happiness"])
    assert card["files"]["model"]["bytes"] == len(path.read_bytes())


def constants_in(text):
    """The numbers that a module names in capitals."""
    found = re.findall(r"^const ([A-Z_]+) = (\[?[-\d., ]+\]?);", text, re.MULTILINE)
    return {name: json.loads(value) for name, value in found}


@pytest.mark.parametrize(("name", "python"), [("follow.js", tracker), ("tracks.js", association)])
def test_tracking_has_the_numbers_of_the_package(texts, name, python):
    theirs = {
        key.removeprefix("_"): list(value) if isinstance(value, tuple) else value
        for key, value in vars(python).items()
        if re.fullmatch(r"_[A-Z_]+", key) and not callable(value)
    }
    ours = constants_in(texts[name])
    memory = ours.pop("MEMORY_S", None)  # an argument there
    assert memory in {None, 3.0}
    assert ours == theirs


def test_no_expression_size_or_threshold_is_written_into_the_page(texts):
    """The card brings them, so that another model needs no other page."""
    scripts = {n: t for n, t in texts.items() if n.endswith(".js") and n != "vocabulary.js"}
    for name, text in scripts.items():
        code = re.sub(r"/\*.*?\*/|//.*", "", text, flags=re.DOTALL)
        quoted = set(re.findall(r'"(\w+)"', code))
        assert quoted.isdisjoint(LABELS), name
        if name in {"recognize.js", "pixels.js", "align.js", "regions.js"}:
            assert "64" not in re.findall(r"\d+", code.replace("const BATCH = 64", "")), name


def test_one_file_has_no_reference_to_another(one_file):
    head = one_file[: one_file.index("<script type=")]
    assert re.findall(r'(?:src|href)="([^#"][^"]*)"', head) == [
        match for match in re.findall(r'href="(data:image/svg[^"]+)"', head)
    ]
    assert one_file.count('<script type="module">') == 1
    assert " src=" not in re.sub(
        r"<script type=\"text/plain\".*?</script>", "", one_file, flags=re.S
    )


def test_the_policy_of_one_file_names_its_own_script_and_style_and_no_network(one_file):
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', one_file)
    rules = {rule.split()[0]: rule.split()[1:] for rule in html.unescape(policy).split("; ")}
    assert rules["default-src"] == ["'none'"]
    assert "connect-src" not in rules
    for kind, pattern in (
        ("script", r'<script type="module">(.*?)</script>'),
        ("style", r"<style>(.*?)</style>"),
    ):
        [text] = re.findall(pattern, one_file, re.DOTALL)
        digest = hashlib.sha256(text.encode()).digest()
        assert f"'sha256-{module.base64.b64encode(digest).decode()}'" in rules[f"{kind}-src"]
