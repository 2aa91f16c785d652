"""Inputs that failed once: each is read or refused now, in a process of its own.

tests/corpus/KIND/CASE__NAME: `NAME` is the file's name for the door of that kind in fuzz/doors.py.
"""

import sys
from pathlib import Path

import pytest

from fuzz.campaign import Child, Limits
from fuzz.kinds import KINDS

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
README = (CORPUS / "README.md").read_text(encoding="utf-8")
# What the refusal says; "" for what is read all the same.
EXPECTED = {
    "archives/damaged-lzma__folder--labels.zip": "damaged in the archive: anger/6.png",
    "archives/one-damaged-lzma__folder--labels.zip": "",
    "archives/unknown-version__fer2013--csv.zip": "is no whole .zip (zip file version 25.5)",
    "checkpoints/endless-epoch__history.csv": "history.csv is no history (row 1 is not that of",
    "manifests/nul-in-a-path__manifest.csv": "is no path of a picture under the manifest's folder",
    "manifests/record-of-other-types__prepare.json": "prepare.json is damaged",
    "manifests/record-without-parts__prepare.json": "prepare.json is damaged",
    "models/card-begins-elsewhere__m.onnx": "has a card that is no JSON",
    "models/card-is-no-json__m.onnx": "has a card that is no JSON",
    "models/invalid-node__m.onnx": "cannot be run by onnxruntime",
    "models/name-is-no-text__m.onnx": "cannot be run by onnxruntime",
    "models/no-graph__m.onnx": "cannot be run by onnxruntime",
    "models/no-protobuf__m.onnx": "cannot be run by onnxruntime",
    "models/no-temperature__m.onnx": "has a card without temperature",
    "models/numbers-that-are-none__m.onnx": "not finite float32",
    "models/shapes-that-clash__m.onnx": "cannot be run by onnxruntime",
    "pictures/spider-stack__face.spi": "not a picture",
    "videos/title-is-no-text-whole__flash.flv": "",
    "videos/title-is-no-text__flash.flv": "has pictures in a code that is not known",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture(scope="module")
def child_of(tmp_path_factory):
    """One process for each kind, started when it is first needed."""
    children = {}

    def child(kind):
        if kind == "checkpoints":
            pytest.importorskip("torch")
        if kind not in children:
            folder = tmp_path_factory.mktemp(kind)
            children[kind] = Child(kind, 0, folder, Limits())
        return children[kind]

    yield child
    for started in children.values():
        started.stop()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_input_that_failed_once_is_read_or_refused(path, child_of):
    answer = child_of(path.parent.name).file(path)
    message = EXPECTED[path.relative_to(CORPUS).as_posix()]
    outcome = "refused" if message else "clean"
    assert (answer["outcome"], answer["trace"]) == (outcome, "")
    assert message in answer["detail"]
    assert not message or "\n  try: " in answer["detail"]


def test_every_folder_is_a_kind_and_every_input_is_small_and_described():
    assert {path.parent.name for path in FILES} <= set(KINDS)
    for path in FILES:
        assert path.stat().st_size < 70_000
        assert f"`{path.relative_to(CORPUS).as_posix()}`" in README
