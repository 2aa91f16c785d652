"""Nothing is left out of a folder without its name and number."""

import errno
import os
import socket
from pathlib import Path

import pytest

from mien.data.datasets.archive import is_picture
from mien.errors import BadImageError
from mien.media import files, find_pictures
from mien.media.folders import (
    SUFFIXES,
    PictureFiles,
    find_films,
    search_pictures,
    walk_pictures,
)
from tests.support.pictures import folder_of


def test_folders_are_walked_in_order_without_hidden_files_and_other_kinds(tmp_path):
    names = ["b.JPG", "a.png", "notes.txt", ".hidden.png", ".thumbs/c.png", "sub/d.webp"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in find_pictures([tmp_path])]
    assert found == ["a.png", "b.JPG", "sub/d.webp"]


def test_a_folder_whose_own_path_is_hidden_is_walked(tmp_path):
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "a.png").touch()
    assert list(find_pictures([tmp_path / ".cache"])) == [tmp_path / ".cache" / "a.png"]


def test_files_given_by_name_come_as_given_whatever_their_suffix(tmp_path):
    (tmp_path / "scan.dat").touch()
    (tmp_path / "a.png").touch()
    given = [tmp_path / "scan.dat", tmp_path / "a.png"]
    assert list(find_pictures(map(str, given))) == given


def test_an_unknown_path_is_named(tmp_path):
    with pytest.raises(BadImageError, match=r"no such file or folder: .*gone"):
        list(find_pictures([tmp_path / "gone"]))


def test_pictures_are_listed_in_the_order_of_their_paths_as_text(tmp_path):
    for name in ("a/x.jpg", "a-b/x.jpg", "a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_pictures([tmp_path])]
    assert found == ["a-b/x.jpg", "a.jpg", "a/x.jpg"]  # - . / stand in this order in ASCII


@pytest.mark.parametrize("suffix", ["jpe", "jfif", "mpo", "heic", "avif", "gif", "pgm", "jp2"])
def test_every_kind_of_picture_is_listed_in_folders_and_in_datasets(tmp_path, suffix):
    folder_of(tmp_path, {f"a.{suffix.upper()}": b""})
    assert [path.name for path in find_pictures([tmp_path])] == [f"a.{suffix.upper()}"]
    assert is_picture(f"happy/a.{suffix}")


def test_datasets_and_folders_share_one_list_of_suffixes():
    assert {suffix for suffix in SUFFIXES if not is_picture(f"a{suffix}")} == set()
    assert not is_picture("a.txt")


def test_what_is_left_out_of_a_folder_is_counted_and_named(tmp_path):
    root = folder_of(tmp_path / "in", {"a.png": b"", ".b.png": b"", "c.txt": b"", "d/e.jpg": b""})
    (root / "d/again").symlink_to(root)
    (root / "circle.png").symlink_to(root / "circle.png")
    (root / "gone.jpg").symlink_to(root / "nowhere.jpg")
    (root / "good.jpg").symlink_to(root / "a.png")
    os.mkfifo(root / "pipe.png")
    found = search_pictures([root])
    assert [path.relative_to(root).as_posix() for path in found.files] == [
        "a.png",
        "d/e.jpg",
        "good.jpg",
    ]
    assert {reason: [p.name for p in paths] for reason, paths in found.left_out.items()} == {
        "hidden": [".b.png"],
        "no picture by its suffix": ["c.txt"],
        "linked folder": ["again"],
        "link that leads nowhere": ["circle.png", "gone.jpg"],
        "no ordinary file": ["pipe.png"],
    }
    assert found.faults == 3
    assert f"left out, hidden: 1: {root / '.b.png'}" in found.summary()


def test_many_files_of_other_kinds_are_counted_and_ten_of_them_named(tmp_path):
    folder_of(tmp_path, {"a.png": b""} | {f"{number:02}.txt": b"" for number in range(13)})
    [line] = search_pictures([tmp_path]).summary()
    assert line.startswith("left out, no picture by its suffix: 13: ")
    assert line.endswith("09.txt, and 3 more")


def test_a_socket_is_no_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"a.png": b""})
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.png")
        found = search_pictures([tmp_path])
    assert found.left_out == {"no ordinary file": [tmp_path / "s.png"]}


def test_a_folder_that_cannot_be_opened_is_named_and_the_rest_goes_on(tmp_path, monkeypatch):
    folder_of(tmp_path, {"a.png": b"", "locked/b.png": b"", "open/c.png": b""})
    real = os.scandir

    def scandir(folder):
        if folder == tmp_path / "locked":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr("os.scandir", scandir)
    found = search_pictures([tmp_path])
    assert [path.name for path in found.files] == ["a.png", "c.png"]
    assert found.left_out == {"cannot be opened (Permission denied)": [tmp_path / "locked"]}
    assert found.faults == 1


@pytest.mark.parametrize(("failures", "names"), [(1, ["a.png", "b.png"]), (2, ["a.png"])])
def test_a_folder_whose_disk_fails_once_is_opened_again(tmp_path, monkeypatch, failures, names):
    folder_of(tmp_path, {"a.png": b"", "far/b.png": b"", "far/notes.txt": b""})
    real, asked = os.scandir, []

    class Failing:
        """The entries of a folder; the disk fails when some of them are listed."""

        def __init__(self, folder):
            self.entries = real(folder)

        def __enter__(self):
            yield from self.entries.__enter__()
            raise OSError(errno.EIO, "Input/output error")

        def __exit__(self, *error):
            self.entries.close()

    def scandir(folder):
        if folder == tmp_path / "far":
            asked.append(folder)
            if len(asked) <= failures:
                return Failing(folder)
        return real(folder)

    monkeypatch.setattr("os.scandir", scandir)
    monkeypatch.setattr(files, "_WAIT_S", 0)
    found = search_pictures([tmp_path])
    assert [path.name for path in found.files] == names
    other = [tmp_path / "far/notes.txt"]
    left_out = {"no picture by its suffix": other} if failures == 1 else {
        "cannot be opened (Input/output error)": [tmp_path / "far"]
    }  # fmt: skip
    assert (found.left_out, found.counts.total()) == (left_out, 1)  # and nothing twice


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "a\0b.png", "circle.png"])
def test_a_path_that_cannot_be_looked_at_stays_to_fail_by_name(tmp_path, name):
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    assert search_pictures([tmp_path / name]).files == [tmp_path / name]


def test_the_folder_that_is_written_to_is_left_out_unless_it_is_named(tmp_path):
    out = folder_of(tmp_path, {"a.png": b"", "out/a.png": b"", "out/sub/b.png": b""}) / "out"
    found = search_pictures([tmp_path], out)
    assert (found.files, found.left_out) == ([tmp_path / "a.png"], {"written by --out": [out]})
    assert found.faults == 0
    assert len(search_pictures([out], out).files) == 2


def test_an_empty_path_is_refused_and_does_not_mean_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(folder_of(tmp_path, {"a.png": b""}))
    with pytest.raises(BadImageError, match="an empty path was given\n  try: give the path"):
        search_pictures([""])
    for paths in ("", [""]):
        with pytest.raises(BadImageError, match="an empty path was given\n  try: give the path"):
            list(find_pictures(paths))


def test_one_path_is_that_path_and_not_its_letters(tmp_path, monkeypatch):
    monkeypatch.chdir(folder_of(tmp_path, {"in/a.png": b"", "i": b"", "n": b"", "b.png": b""}))
    for path in ("in", Path("in")):
        assert list(find_pictures(path)) == [Path("in/a.png")]
        assert search_pictures(path).files == [Path("in/a.png")]


def test_a_folder_with_nothing_but_what_is_left_out_says_so(tmp_path):
    folder_of(tmp_path, {"a.txt": b"", ".b.png": b""})
    with pytest.raises(BadImageError, match=r"hidden: 1: .*\.b\.png; left out, no picture by"):
        search_pictures([tmp_path])


def test_a_walk_gives_the_order_of_a_sorted_list_without_seeing_all_first(tmp_path, monkeypatch):
    names = ["a.png", "a-b/x.png", "a/x.png", "a/y/z.png", "a0.png", "b/c.png", "b.png", "ab/1.png"]
    folder_of(tmp_path, dict.fromkeys(names, b""))
    seen = []
    real = os.scandir
    monkeypatch.setattr("os.scandir", lambda folder: seen.append(folder.name) or real(folder))
    walk = walk_pictures([tmp_path], PictureFiles())
    first = next(walk)
    assert (first.relative_to(tmp_path).as_posix(), seen[1:]) == ("a-b/x.png", ["a-b"])
    found = [path.relative_to(tmp_path).as_posix() for path in (first, *walk)]
    assert found == sorted(names)


def test_a_folder_that_goes_while_it_is_walked_hides_no_other(tmp_path):
    folder_of(tmp_path, {"a.png": b"", "b/c.png": b"", "d.png": b""})
    found = PictureFiles()
    walk = walk_pictures([tmp_path], found)
    assert next(walk).name == "a.png"
    (tmp_path / "b/c.png").unlink()
    (tmp_path / "b").rmdir()
    assert [path.name for path in walk] == ["d.png"]
    assert found.left_out == {"cannot be opened (No such file or directory)": [tmp_path / "b"]}


def test_of_a_second_walk_only_new_faults_are_told():
    first, again = PictureFiles(), PictureFiles()
    for found in (first, again):
        found.leave_out(Path("a.png"), "link that leads nowhere")
        found.leave_out(Path(".b.png"), "hidden")
    again.leave_out(Path("c"), "cannot be opened (Permission denied)")
    again.leave_out(Path(".d.png"), "hidden")
    since = again.faults_since(first)
    assert since.left_out == {"cannot be opened (Permission denied)": [Path("c")]}
    assert since.faults == 1


def test_films_are_found_by_their_suffix_below_a_folder(tmp_path):
    names = ["b.MP4", "a/c.mkv", "VTS_01_1.VOB", "d.asf", "x.jpg", ".h.mp4", ".t/d.mov"]
    folder_of(tmp_path, dict.fromkeys(names, b""))
    found = find_films(tmp_path)
    listed = [path.relative_to(tmp_path).as_posix() for path in found.files]
    assert listed == ["VTS_01_1.VOB", "a/c.mkv", "b.MP4", "d.asf"]
    assert found.faults == 0
    with pytest.raises(BadImageError, match="no films in"):
        find_films(tmp_path / "gone")


def test_what_is_left_out_of_a_folder_of_films_is_counted_and_named(tmp_path):
    names = ["a.mp4", "d/e.mkv", "d/c.srt", "f.txt", "g.jpg", ".h.mp4"]
    root = folder_of(tmp_path / "in", dict.fromkeys(names, b""))
    (root / "again").symlink_to(root)
    (root / "gone.mp4").symlink_to(root / "nowhere.mp4")
    (root / "good.mov").symlink_to(root / "a.mp4")
    os.mkfifo(root / "pipe.webm")
    found = find_films(root)
    listed = [path.relative_to(root).as_posix() for path in found.files]
    assert listed == ["a.mp4", "d/e.mkv", "good.mov"]
    assert {reason: [p.name for p in paths] for reason, paths in found.left_out.items()} == {
        "hidden": [".h.mp4"],
        "no film by its suffix": ["c.srt", "f.txt", "g.jpg"],
        "linked folder": ["again"],
        "link that leads nowhere": ["gone.mp4"],
        "no ordinary file": ["pipe.webm"],
    }
    assert found.faults == 2


def test_a_folder_without_films_says_what_is_in_it(tmp_path):
    folder_of(tmp_path, {"a.srt": b""})
    with pytest.raises(BadImageError, match=r"\(left out, no film by its suffix: 1: .*a\.srt\)"):
        find_films(tmp_path)
