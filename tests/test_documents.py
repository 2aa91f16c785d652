import json

import pytest

from mien.documents import is_number, parse_json, parse_toml, read_text


def test_documents_are_read_as_they_are():
    assert parse_json('{"a": [1, 2.5, "é", null, true]}') == {"a": [1, 2.5, "é", None, True]}
    assert parse_toml('a = [1, 2.5]\n[b]\nc = "é"\r\n') == {"a": [1, 2.5], "b": {"c": "é"}}
    assert parse_json(json.dumps(2**64)) == 2**64
    assert json.dumps(parse_json("[" * 16 + "]" * 16)) == "[" * 16 + "]" * 16


@pytest.mark.parametrize("deep", [17, 500, 100_000])
@pytest.mark.parametrize(
    ("parse", "make"),
    [
        (parse_json, lambda n: "[" * n + "]" * n),
        (parse_json, lambda n: '{"a":' * n + "1" + "}" * n),
        (parse_toml, lambda n: "a = " + "[" * n + "]" * n),
        (parse_toml, lambda n: ".".join("a" * n) + " = 1"),
    ],
    ids=["json lists", "json objects", "toml lists", "toml keys"],
)
def test_deep_documents_are_refused_and_never_end_the_process(parse, make, deep):
    if parse is parse_toml and deep > 5000:
        deep = 5000  # tomllib's time grows with the square
    with pytest.raises(ValueError, match="nested"):
        parse(make(deep))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(word):
    with pytest.raises(ValueError, match="which is no finite number"):
        parse_json(f'{{"a": {word}}}')


@pytest.mark.parametrize("text", [f"a = -{2**64 + 1}", "a = 0x" + "f" * 9000, "a = " + "9" * 9000])
def test_whole_numbers_beyond_the_format_are_refused(text):
    with pytest.raises(ValueError, match=r"64 bits|limit"):
        parse_toml(text)


@pytest.mark.parametrize("text", ["", "{", "a", "[1,]", "\0", '{"a": 1} {'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match="line 1"):
        parse_json(text)


def test_a_file_is_read_to_its_cap_and_no_further(tmp_path):
    (tmp_path / "a").write_text("é", encoding="utf-8")
    assert read_text(tmp_path / "a") == "é"
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfseed = 1")  # as Notepad saves it
    assert parse_toml(read_text(tmp_path / "a")) == {"seed": 1}
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(20 * 2**30)  # takes no room on the disk
    for endless in (tmp_path / "huge", "/dev/zero"):
        with pytest.raises(ValueError, match="more than 16,777,216 bytes"):
            read_text(endless)
    for name in ("\0", str(tmp_path / "a\0b")):
        with pytest.raises(ValueError, match="null"):
            read_text(name)


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_numbers_in_a_range(value):
    assert is_number(value, 0, 1)


@pytest.mark.parametrize(
    "value", [-1e-9, 1.1, float("nan"), float("inf"), True, "1", None, [], 2**99]
)
def test_what_is_no_number_in_the_range(value):
    assert not is_number(value, 0, 1)
