import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.cli.predict import _table, predict_command
from mien.cli.scores import scores_command
from mien.labels import LABELS, Rule
from mien.media import images
from tests.support.commands import mien
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, folder_of, texture

HEADER = (
    "path,face,left,top,right,bottom,detection,label,confidence,neutral,"
    "happiness,surprise,sadness,anger,disgust,fear"
)
BLANK = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")


@pytest.fixture(scope="module")
def photos(portrait, tmp_path_factory):
    """A folder: one face, two faces in a folder below, and none."""
    both = np.concatenate([portrait[:256, 100:356], portrait[20:276, 100:356]], axis=1)
    names = {
        "one.png": encode(portrait, "PNG"),
        "sub/two.png": encode(both, "PNG"),
        "sub/zero.png": BLANK,
    }
    return folder_of(tmp_path_factory.mktemp("given") / "photos", names)


@pytest.fixture(scope="module")
def expected(photos, recognizer):
    """What the library reads in each of the folder's pictures."""
    return {name: recognizer.read(photos / name) for name in ("one.png", "sub/two.png")}


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def close(row, values, tolerance=2e-3):
    np.testing.assert_allclose([float(v) for v in row], values, atol=tolerance)


def test_json_has_the_documented_keys_in_their_order(photos):
    result = mien("predict", photos / "one.png", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    [line] = result.stdout.splitlines()
    picture = json.loads(line)
    assert list(picture) == ["path", "width", "height", "faces"]
    keys = "box,landmarks,detection,label,confidence,scores,neutral,regions,probabilities"
    [face] = picture["faces"]
    assert ",".join(face) == keys
    assert ",".join(face["scores"]) == "happiness,surprise,sadness,anger,disgust,fear"
    assert ",".join(face["probabilities"]) == ",".join(face["scores"]) + ",neutral"
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert ",".join(face["regions"]) == "brows,eyes,nose,mouth,cheeks,forehead,chin,outside"
    assert np.shape(face["box"]) == (4,)
    assert np.shape(face["landmarks"]) == (5, 2)
    assert sum(face["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert sum(face["regions"].values()) == pytest.approx(1, abs=1e-3)


def test_json_says_what_the_library_reads_a_line_a_picture_in_order(photos, expected):
    result = mien("predict", photos, "--json")
    one, two, zero = map(json.loads, result.stdout.splitlines())
    assert zero == {
        "path": str(photos / "sub/zero.png"), "width": 80, "height": 60, "faces": []
    }  # fmt: skip
    assert [len(one["faces"]), len(two["faces"])] == [1, 2]
    for name, read in (("one.png", one), ("sub/two.png", two)):
        assert read["path"] == str(photos / name)
        assert (read["width"], read["height"]) == (512, 512 if name == "one.png" else 256)
        for found, face in zip(read["faces"], expected[name].faces, strict=True):
            box = face.box
            close(found["box"], [box.left, box.top, box.right, box.bottom], 0.06)
            close(np.ravel(found["landmarks"]), face.landmarks.ravel(), 0.06)
            close(found["scores"].values(), face.values)
            close([found["neutral"], found["detection"]], [face.neutral, face.detection.confidence])
            assert found["label"] == face.label
            close([found["confidence"]], [face.confidence])


def test_csv_has_the_documented_header_and_a_row_a_face(photos, expected, tmp_path):
    result = mien("predict", photos, "--csv", tmp_path / "faces.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    text = (tmp_path / "faces.csv").read_text(encoding="utf-8")
    assert text.partition("\n")[0] == HEADER
    rows = list(csv.DictReader(text.splitlines()))
    one, two = str(photos / "one.png"), str(photos / "sub/two.png")
    assert [(row["path"], row["face"]) for row in rows] == [(one, "0"), (two, "0"), (two, "1")]
    faces = [*expected["one.png"].faces, *expected["sub/two.png"].faces]
    for row, face in zip(rows, faces, strict=True):
        box = [row[side] for side in ("left", "top", "right", "bottom")]
        close(box, [face.box.left, face.box.top, face.box.right, face.box.bottom], 0.06)
        close([row[label] for label in LABELS], face.values)
        close([row["detection"], row["neutral"]], [face.detection.confidence, face.neutral])
        assert row["label"] == face.label
        close([row["confidence"]], [face.confidence])


def test_the_table_has_a_line_a_picture_and_a_line_a_face(photos, expected):
    lines = mien("predict", photos).stdout.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == [
        f"{photos / 'one.png'}  512x512  1 face",
        f"{photos / 'sub/two.png'}  512x256  2 faces",
        f"{photos / 'sub/zero.png'}  80x60  0 faces",
    ]
    [face] = expected["one.png"].faces
    assert lines[1].startswith(f"  0  {face.label} {face.probability:.0%}")
    assert f"surprise {face.probabilities['surprise']:.2f}" in lines[1]
    assert lines[1].endswith(f"  neutral {face.neutral:.2f}")


def test_the_table_says_where_the_evidence_lies_unless_there_are_no_maps(photos, expected):
    [face] = expected["one.png"].faces
    lines = mien("predict", photos / "one.png").stdout.splitlines()
    assert lines[2] == f"     {face.sentence}"
    assert " % of the evidence " in lines[2]
    assert len(mien("predict", photos / "one.png", "--no-heatmap").stdout.splitlines()) == 2


def test_csv_has_all_classes_on_one_scale_if_asked_for(photos, expected, tmp_path):
    out = tmp_path / "faces.csv"
    words = ("--csv", out, "--probabilities", "--regions", "--resume")
    for _ in range(2):  # the second time from the journal
        assert mien("predict", photos, *words).exit_code == 0
        header, *rows = csv.reader(out.read_text(encoding="utf-8").splitlines())
        assert ",".join(header[:16]) == HEADER
        assert header[-7:] == [f"p_{name}" for name in (*LABELS, "neutral")]
        faces = [*expected["one.png"].faces, *expected["sub/two.png"].faces]
        for row, face in zip(rows, faces, strict=True):
            close(row[-7:], [*(face.values * (1 - face.neutral)), face.neutral])
    result = mien("predict", photos, "--probabilities")
    assert (result.exit_code, "--probabilities needs --csv" in result.stderr) == (2, True)


def test_csv_has_the_regions_if_asked_for(photos, expected, tmp_path):
    out = tmp_path / "faces.csv"
    assert mien("predict", photos / "one.png", "--csv", out, "--regions").exit_code == 0
    with out.open(newline="") as file:
        [row] = csv.DictReader(file)
    [face] = expected["one.png"].faces
    regions = {key.removeprefix("on_"): row[key] for key in row if key.startswith("on_")}
    assert list(regions) == list(face.regions)
    close(regions.values(), list(face.regions.values()))
    for words in (["--regions"], ["--csv", out, "--regions", "--no-heatmap"]):
        result = mien("predict", photos / "one.png", *words)
        assert (result.exit_code, "--regions needs" in result.stderr) == (2, True)


def test_annotated_pictures_keep_names_tree_and_size(photos, tmp_path):
    assert mien("predict", photos, "--out", tmp_path / "out").exit_code == 0
    made = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*.*"))
    assert made == ["one.png", "sub/two.png", "sub/zero.png"]
    plain, drawn = pixels_of(photos / "one.png"), pixels_of(tmp_path / "out" / "one.png")
    assert drawn.shape == plain.shape
    changed = (drawn != plain).any(axis=2)
    assert changed[80:160, 195:250].any()  # the heat map, on the face


def test_without_heat_maps_the_middle_of_the_face_stays_as_it_was(photos, tmp_path):
    words = ["predict", photos / "one.png", "--no-heatmap", "--json", "--out", tmp_path]
    [face] = json.loads(mien(*words).stdout)["faces"]
    assert face["regions"] == {}
    changed = pixels_of(photos / "one.png") != pixels_of(tmp_path / "one.png")
    assert not changed[100:150, 200:250].any()
    assert changed.any()  # the frame and the label


def test_crops_are_what_the_network_saw(photos, expected, tmp_path):
    words = ["predict", photos / "sub/two.png", "--out", tmp_path, "--crops"]
    assert mien(*words).exit_code == 0
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == ["two-face0.png", "two-face1.png", "two.png"]
    for number, face in enumerate(expected["sub/two.png"].faces):
        np.testing.assert_array_equal(pixels_of(tmp_path / f"two-face{number}.png"), face.crop)


def test_an_unreadable_file_is_named_and_the_rest_goes_on(photos, tmp_path):
    given = folder_of(tmp_path / "in", {"a.jpg": b"no picture", "b.png": BLANK})
    (given / "c.png").write_bytes((photos / "one.png").read_bytes())
    words = ["predict", given, "--json", "--csv", tmp_path / "f.csv", "--out", tmp_path / "out"]
    result = mien(*words)
    broken, blank, face = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 1
    assert broken == {"path": str(given / "a.jpg"), "error": f"not a picture: {given / 'a.jpg'}"}
    assert (blank["faces"], len(face["faces"])) == ([], 1)
    assert f"mien: not a picture: {given / 'a.jpg'}\n  try: give a JPEG" in result.stderr
    assert result.stderr.endswith("mien: 1 of 3 pictures could not be read\n")
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.png", "c.png"]


def test_lines_go_into_a_file_while_rows_are_printed(photos, tmp_path):
    lines, picture = tmp_path / "f.json", photos / "one.png"
    result = mien("predict", picture, "--json", "--out-file", lines, "--csv", "-")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == mien("predict", picture, "--csv", "-").stdout
    assert lines.read_text() == mien("predict", picture, "--json").stdout


def test_the_table_names_an_unreadable_file(tmp_path):
    result = mien("predict", tmp_path / "gone.jpg")
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path / 'gone.jpg'}  cannot be read\n"
    assert f"no such file: {tmp_path / 'gone.jpg'}\n  try: check the path" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--heatmaps"],
        ["--threads", "-1"],
        ["--max-pixels", "0"],
        ["--crops"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_two_before_anything_is_read(photos, words):
    result = mien("predict", photos / "one.png", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: mien predict" in result.stderr


def test_another_model_is_used(photos, tmp_path):
    (tmp_path / "channels.onnx").write_bytes(channels_model(temperature=1.0))
    words = ["predict", photos / "one.png", "--json", "--model", tmp_path / "channels.onnx"]
    result = mien(*words, "--out", tmp_path)
    [face] = json.loads(result.stdout)["faces"]
    # a network without maps and neutral, whose logits for 1, 2 and 4 are all 0
    assert result.exit_code == 0
    assert face["scores"]["surprise"] == face["scores"]["sadness"] == face["scores"]["disgust"]
    assert (face["neutral"], face["regions"]) == (0, {})


def test_larger_pictures_than_asked_for_are_refused(photos):
    result = mien("predict", photos / "one.png", "--max-pixels", 512 * 512 - 1)
    assert result.exit_code == 1
    assert "512x512 pixels, the cap is 262,143\n  try: shrink it" in result.stderr
    assert mien("predict", photos / "one.png", "--max-pixels", 512 * 512).exit_code == 0


def test_a_picture_given_by_a_name_without_suffix_is_read(tmp_path):
    (tmp_path / "scan").write_bytes(encode(texture(0), "PNG"))
    words = ["predict", tmp_path / "scan", "--json", "--out", tmp_path / "out"]
    assert json.loads(mien(*words).stdout)["width"] == 64
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scan.png"]


@pytest.mark.parametrize("command", [predict_command, scores_command], ids=["predict", "scores"])
def test_the_cap_is_the_librarys_and_can_be_raised_as_far_as_pillow_reads(command):
    [cap] = [param for param in command.params if param.name == "max_pixels"]
    assert (cap.default, cap.type.max) == (images.MAX_PIXELS, 2 * Image.MAX_IMAGE_PIXELS)


def test_the_table_says_what_the_number_of_an_uncertain_face_is_of(recognizer, portrait):
    picture = recognizer.read(portrait)
    [face] = picture.faces
    doubted = replace(picture, faces=(replace(face, rule=Rule(certain_from=1.0)),))
    assert f"0  uncertain: happiness {face.probability:.0%}  " in _table(doubted)
    assert f"0  happiness {face.probability:.0%}  " in _table(picture)
