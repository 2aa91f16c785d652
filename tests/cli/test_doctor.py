import hashlib
import json
import re
from importlib import metadata

import pytest

from mien.cli import doctor
from mien.faces.detect import ONET, YUNET, locate
from mien.recognize.results import Picture
from tests.support.commands import mien


def test_doctor_finds_what_works_and_says_which_versions_there_are():
    result = mien("doctor")
    assert result.exit_code == 0, result.stdout
    for package in ("numpy", "onnxruntime", "pillow", "opencv-python-headless"):
        assert f"  {package} {metadata.version(package)}\n" in result.stdout
    assert "the portrait: happiness 9" in result.stdout
    for network in (YUNET, ONET):
        assert str(locate(network)) in result.stdout
    assert "FAILS" not in result.stdout


def test_its_json_holds_the_same_for_a_report():
    report = json.loads(mien("doctor", "--json").stdout)
    assert report["packages"]["numpy"] == metadata.version("numpy")
    assert set(report["extras"]) >= {"train", "video", "plot"}
    assert "dev" not in report["extras"]
    assert [sorted(check) for check in report["checks"]] == [["found", "of"]] * 4


def test_what_is_missing_is_named_with_the_extra_that_brings_it(monkeypatch):
    lines = ["numpy>=1.26; python_version < '3.13'", "numpy>=2.1; python_version >= '3.13'",
             'nothing-such[a,b]<2,>=1; extra == "plot"', "numpy; extra == 'plot'",
             "mien[plot]; extra == 'train'", "absent==1.0"]  # fmt: skip
    monkeypatch.setattr(doctor.metadata, "requires", lambda _name: lines)
    monkeypatch.setattr(doctor, "_CHECKS", {})
    shown = mien("doctor").stdout
    assert 'missing nothing-such; pip install "mien[plot]"' in shown
    assert "  absent is missing" in shown
    assert len(re.findall(r"^  numpy ", shown, flags=re.MULTILINE)) == 1


@pytest.mark.parametrize(("network", "what"), [(YUNET, "YuNet"), (ONET, "ONet")])
def test_a_borrowed_network_that_is_another_file_fails_with_the_next_step(network, what, tmp_path):
    damaged = bytearray(locate(network).read_bytes())
    damaged[100] ^= 1
    (tmp_path / network[1]).write_bytes(damaged)
    result = mien("doctor", "--detector", tmp_path)
    assert result.exit_code == 1
    assert re.search(rf"{what}: FAILS: .*{hashlib.sha256(damaged).hexdigest()}", result.stdout)
    assert "    try: name " in result.stdout
    assert "the model: miennet" in result.stdout  # the other checks go on


def test_a_portrait_that_reads_as_something_else_fails(monkeypatch):
    def no_faces(*_):
        return Picture("a.jpg", 512, 512, ())

    monkeypatch.setattr("mien.recognize.recognizer.Recognizer.read", no_faces)
    result = mien("doctor")
    assert result.exit_code == 1
    assert "the portrait: FAILS: the portrait in the package reads as no face" in result.stdout
    assert "try: pip install --force-reinstall mien" in result.stdout


def test_a_package_that_cannot_be_loaded_is_a_failed_check_and_the_rest_is_told(monkeypatch):
    def load():
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "_CHECKS", {"the model": load, "the rest": lambda: "works"})
    result = mien("doctor")
    assert result.exit_code == 1
    assert (
        "  the model: FAILS: libGL.so.1: cannot open shared object file\n    try: " in result.stdout
    )
    assert "  the rest: works" in result.stdout
