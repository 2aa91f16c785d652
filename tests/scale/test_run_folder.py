"""The folder of a run: parts in order, gone on with, and refused where it is another run's."""

import json
import os

import pytest

pytest.importorskip("pyarrow")

from mien.errors import BadImageError, OutputError
from mien.media.data_frames import Column
from mien.media.folders import PictureFiles
from mien.media.parquet import read_parquet
from mien.scale import run_folder
from mien.scale.places import Place
from mien.scale.run_folder import Size, open_run

COLUMNS = {"path": Column("text", ""), "face": Column("integer", ""), "error": Column("text", "")}
NAMES = ["a.jpg", "b.jpg", os.fsdecode(b"\xff.jpg"), "d.jpg", "e.jpg"]


def begin(folder, names=NAMES, resume=False, **settings):
    listed = (names, PictureFiles())
    return open_run(Place(folder), settings, resume, listed, Size(least=2, most=2))


def row(name, face=0, error=None):
    return [name, face, error]


@pytest.mark.parametrize("group", [20_000, 2])
def test_the_table_has_the_rows_of_the_parts_in_order_whoever_came_first(
    tmp_path, monkeypatch, group
):
    monkeypatch.setattr(run_folder, "_GROUP", group)  # rows in memory, then written
    run = begin(tmp_path)
    assert (run.pictures, run.parts) == (5, 3)
    assert [run.names(part) for part in range(3)] == [NAMES[:2], NAMES[2:4], NAMES[4:]]
    for part in (2, 0, 1):
        rows = [row(f"{part}", face) for face in range(part)]
        run.write(part, COLUMNS, [*rows, row("x", None, "no such file")] if part else rows)
    assert run.merge(COLUMNS, "faces.parquet") == 2
    header, rows = read_parquet(tmp_path / "faces.parquet")
    assert header == ["path", "face", "error"]
    failed = ("x", None, "no such file")
    assert list(rows) == [("1", 0, None), failed, ("2", 0, None), ("2", 1, None), failed]


def test_a_run_goes_on_with_the_parts_it_lacks_and_the_list_it_began_with(tmp_path):
    run = begin(tmp_path, model="a")
    run.write(1, COLUMNS, [])
    again = begin(tmp_path, [*NAMES, "later.jpg"], resume=True, model="a")
    assert (again.pictures, again.parts) == (5, 3)
    assert again.missing() == [0, 2]


def test_a_run_of_other_settings_is_refused_and_so_is_one_that_was_not_expected(tmp_path):
    begin(tmp_path, six=False, caps=(1, 2))
    with pytest.raises(OutputError, match=r"holds a run already\n  try: add --resume"):
        begin(tmp_path, six=False, caps=(1, 2))
    with pytest.raises(OutputError, match="of a run with other settings: six false, now true"):
        begin(tmp_path, resume=True, six=True, caps=(1, 2))
    (tmp_path / "run.json").write_text(json.dumps({"settings": {}}))
    with pytest.raises(OutputError, match=r"run\.json is damaged: KeyError\('pictures'\)"):
        begin(tmp_path, resume=True)


def test_a_list_that_was_not_finished_is_made_again_but_parts_without_one_are_refused(tmp_path):
    begin(tmp_path)
    (tmp_path / "run.json").unlink()
    assert begin(tmp_path, NAMES[:2]).parts == 1
    (tmp_path / "run.json").unlink()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "000000.parquet").write_bytes(b"")
    with pytest.raises(OutputError, match=r"holds parts, but no run\.json"):
        begin(tmp_path)


def test_folders_that_were_not_entered_are_counted_and_a_resumed_run_still_knows(tmp_path):
    left_out = PictureFiles()

    def walk():
        yield from NAMES
        left_out.leave_out(tmp_path / "closed", "cannot be opened (Permission denied)")
        left_out.leave_out(tmp_path / ".hidden", "hidden")

    listed = (walk(), left_out)
    assert open_run(Place(tmp_path / "run"), {}, False, listed, Size(2, 2)).faults == 1
    assert begin(tmp_path / "run", resume=True).faults == 1


def test_a_part_that_only_another_machine_sees_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"part 1 was written, but is not in .* on this machine"):
        begin(tmp_path).refuse_unseen(1)


def test_no_pictures_are_no_run(tmp_path):
    with pytest.raises(BadImageError, match="no pictures were found"):
        begin(tmp_path, [])
    assert not (tmp_path / "run.json").exists()
