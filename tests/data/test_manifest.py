import hashlib
from dataclasses import replace

import numpy as np
import pytest

from mien.data import manifest, splits, stats
from mien.data.audit.findings import audit
from mien.data.manifest import Row
from mien.data.prepare.leaks import held_out_of
from mien.errors import BadDataError
from tests.support.pictures import texture

ROW = Row("train/5_fear/a.jpg", "fear", "rafdb", "train", "", "0f" * 32, "train/2/a.jpg", "as-is")
HEADER = "path,label,source,split,subject,sha256,original,framing\n"


def rows_of(count, **changes):
    return [replace(ROW, original=f"{i}.jpg", **changes) for i in range(count)]


def test_a_manifest_is_read_back_as_written(tmp_path):
    odd = replace(ROW, path='tést, "1".jpg', label="neutral", split="valid", subject="S005\nx")
    assert manifest.write([ROW, odd], tmp_path) == tmp_path / "manifest.csv"
    assert manifest.read(tmp_path) == [ROW, odd]


def test_a_manifest_that_excel_has_saved_is_read(tmp_path):
    line = ",".join(manifest.cells(ROW))
    text = f"{HEADER}{line}\n".replace("\n", "\r\n")
    (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert manifest.read(tmp_path) == [ROW]


def test_blank_lines_of_a_manifest_are_no_rows(tmp_path):
    line = ",".join(manifest.cells(ROW))
    (tmp_path / "manifest.csv").write_text(f"{HEADER}\n{line}\n\n")
    assert manifest.read(tmp_path) == [ROW]


def test_the_pictures_of_a_split_are_those_that_are_scored(tmp_path):
    neutral = replace(ROW, label="neutral", original="n.jpg")
    manifest.write([neutral, ROW, replace(ROW, split="test")], tmp_path)
    assert manifest.rows_of_split(tmp_path, "train") == [ROW]
    manifest.write([neutral], tmp_path)
    with pytest.raises(BadDataError, match=r"has no train pictures\n  try: choose another --split"):
        manifest.rows_of_split(tmp_path, "train")


def test_a_file_name_that_is_no_text_survives(tmp_path):
    odd = replace(ROW, original=b"a\xff.jpg".decode(errors="surrogateescape"))
    manifest.write([odd], tmp_path)
    assert manifest.read(tmp_path) == [odd]


def test_a_manifest_is_a_plain_csv_file(tmp_path):
    path = manifest.write([ROW], tmp_path)
    line = f"train/5_fear/a.jpg,fear,rafdb,train,,{'0f' * 32},train/2/a.jpg,as-is\n"
    assert path.read_bytes().decode() == HEADER + line


def test_a_manifest_that_fails_half_way_leaves_the_old_one(tmp_path):
    def failing():
        yield ROW
        raise KeyboardInterrupt

    manifest.write([ROW, ROW], tmp_path)
    with pytest.raises(KeyboardInterrupt):
        manifest.write(failing(), tmp_path)
    assert manifest.read(tmp_path) == [ROW, ROW]
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "expected the columns path,label,.* got None"),
        (b"image,label\n1.jpg,4\n", "got .*'image', 'label'"),
        (HEADER.encode() + b"a.jpg,joy,rafdb,train,,0,a.jpg,as-is\n", "a.jpg has label 'joy'"),
        (HEADER.encode() + b"a.jpg,fear,rafdb,val,,0,a.jpg,as-is\n", "split 'val'"),
        (HEADER.encode() + b"a.jpg,fear,rafdb,train\n", "line 2 has not 8 cells"),
        (HEADER.encode() + b"a.jpg,fear,rafdb,train,,0,a,as-is,more\n", "line 2 has not 8 cells"),
        (b"\xff\xd8\xff\xe0", r"expected the columns path,.* got .*udcff"),
        (b'path,"label' + b"x" * 200_000, "manifest.csv is no table"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused_with_the_place(tmp_path, text, message):
    (tmp_path / "manifest.csv").write_bytes(text)
    with pytest.raises(BadDataError, match=message) as caught:
        manifest.read(tmp_path)
    assert "mien prepare" in caught.value.fix


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../a.jpg", "train/../../a.jpg", "..", "", ".", "train/a\0.jpg", "//a"],
)
def test_a_manifest_that_leads_out_of_its_folder_is_refused_wherever_it_is_read(tmp_path, name):
    manifest.write([ROW, replace(ROW, path=name)], tmp_path)
    readers = [
        manifest.read,
        lambda folder: manifest.rows_of_split(folder, "train"),
        lambda folder: stats.count([folder]),
        lambda folder: audit([folder]),
        lambda folder: list(held_out_of(folder)),
    ]
    for read in readers:
        with pytest.raises(BadDataError, match="is no path of a picture under the manifest's"):
            read(tmp_path)


def test_dots_inside_a_name_lead_nowhere(tmp_path):
    odd = replace(ROW, path="train/5_fear/a..b...jpg")
    manifest.write([odd], tmp_path)
    assert manifest.read(tmp_path) == [odd]


def test_a_manifest_that_cannot_be_read_is_one_error(tmp_path):
    (tmp_path / "manifest.csv").mkdir()
    with pytest.raises(BadDataError, match=r"cannot read .*Is a directory"):
        manifest.read(tmp_path)
    for folder in ("nul\0", "x" * 300):
        with pytest.raises(BadDataError, match="cannot read"):
            manifest.read(folder)


def test_a_folder_without_manifest_is_named(tmp_path):
    with pytest.raises(BadDataError, match=r"no manifest.csv in .*nothing"):
        manifest.read(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(BadDataError, match=r"no manifest.csv in .*file"):
        manifest.read(tmp_path / "file")


def test_the_hash_covers_shape_and_pixels_and_nothing_else():
    pixels = texture(1)
    expected = hashlib.sha256(b"(64, 64, 3)" + pixels.tobytes()).hexdigest()
    assert manifest.hash_pixels(pixels) == expected
    assert manifest.hash_pixels(np.asfortranarray(pixels)) == expected
    assert manifest.hash_pixels(pixels.reshape(32, 128, 3)) != expected


def test_about_the_share_asked_for_is_held_out():
    chosen = splits.draw_held_out(rows_of(4000), 0.1, seed=0)
    assert abs(chosen.mean() - 0.1) < 0.015  # three standard deviations
    assert not splits.draw_held_out(rows_of(100), 0, seed=0).any()
    assert splits.draw_held_out(rows_of(100), 1, seed=0).all()


def test_the_same_pictures_are_held_out_whatever_their_order_place_and_framing():
    rows = rows_of(300)
    chosen = splits.draw_held_out(rows, 0.3, seed=1)
    moved = [replace(row, path="elsewhere.jpg", framing="framed", sha256="") for row in rows]
    np.testing.assert_array_equal(splits.draw_held_out(moved[::-1], 0.3, seed=1)[::-1], chosen)


def test_a_larger_share_holds_out_the_same_and_more():
    rows = rows_of(300)
    small, large = (splits.draw_held_out(rows, share, seed=1) for share in (0.1, 0.4))
    assert large[small].all()
    assert large.sum() > small.sum() > 0


def test_another_seed_and_another_database_are_another_draw():
    chosen = splits.draw_held_out(rows_of(300), 0.5, seed=1)
    assert 100 < (chosen != splits.draw_held_out(rows_of(300), 0.5, seed=2)).sum() < 200
    assert 100 < (chosen != splits.draw_held_out(rows_of(300, source="x"), 0.5, seed=1)).sum() < 200


def test_all_pictures_of_one_person_fall_on_one_side():
    for person in range(20):
        assert len(set(splits.draw_held_out(rows_of(30, subject=f"S{person}"), 0.5, seed=0))) == 1


def test_the_draw_is_the_same_today_as_when_it_was_first_made():
    chosen = splits.draw_held_out(rows_of(20), 0.25, seed=0)
    draws = [hashlib.sha256(f"0:rafdb:{i}.jpg".encode()).hexdigest()[:2] for i in range(20)]
    assert chosen.tolist() == [draw < "40" for draw in draws]  # 0x40 is a quarter of 0x100
