from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import OutputError
from mien.media import find_pictures
from mien.recognize.results import Picture
from mien.show.annotate import AnnotatedFolder
from tests.support.pictures import texture

RGB = texture(0, 400)  # large enough to be drawn at its own size


@pytest.fixture(scope="module")
def faces(recognizer, portrait):
    return recognizer.read(portrait).faces


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, so that paths in a test are short."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.png", "photos/sub/b.jpg", "photos/sub/c.gif", "other/a.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"original")
    return tmp_path


def write_all(out, given, files, **options):
    """Write a plain annotated picture for each file; return what is below `out` then."""
    files = [Path(file) for file in files]
    folder = AnnotatedFolder(Path(out), map(Path, given), files, **options)
    for file in files:
        folder.write(RGB, Picture(str(file), 400, 400))
    return written(out)


def test_names_of_files_may_be_texts_and_the_files_come_one_by_one(here):
    files = find_pictures("photos")  # gives each file once
    folder = AnnotatedFolder("out", "photos", files)
    folder.write(RGB, Picture("photos/a.png", 400, 400))
    assert written("out") == ["a.png"]
    with pytest.raises(ValueError, match="was not made for a picture called ''"):
        folder.write(RGB, Picture("", 400, 400))


def written(out):
    return sorted(p.relative_to(out).as_posix() for p in Path(out).rglob("*") if p.is_file())


@pytest.mark.parametrize("root", ["photos", "./photos", "other/../photos"])
def test_below_a_folder_its_tree_is_kept(here, root):
    files = [f"{root}/a.png", f"{root}/sub/b.jpg"]
    assert write_all("out", [root], files) == ["a.png", "sub/b.jpg"]


def test_the_current_folder_is_a_folder_like_any_other(here):
    assert write_all("out", ["."], ["photos/a.png", "other/a.png"]) == [
        "other/a.png", "photos/a.png"
    ]  # fmt: skip


def test_single_files_lie_side_by_side(here):
    files = ["photos/a.png", "photos/sub/b.jpg"]
    assert write_all("out", files, files) == ["a.png", "b.jpg"]


def test_files_of_one_name_are_numbered(here):
    files = ["photos/a.png", "other/a.png"]
    assert write_all("out", files, files) == ["a-2.png", "a.png"]


def test_a_format_that_cannot_be_written_becomes_png(here):
    assert write_all("out", ["photos"], ["photos/sub/c.gif"]) == ["sub/c.png"]
    with Image.open("out/sub/c.png") as image:
        assert image.format == "PNG"


def test_a_picture_named_twice_is_written_once(here):
    files = ["photos/a.png", "photos/a.png"]
    assert write_all("out", files, files) == ["a.png"]


@pytest.mark.parametrize("out", ["photos", "other/../photos"])
def test_a_picture_is_never_written_over_itself(here, out):
    with pytest.raises(OutputError, match=r"is the picture itself\n  try: choose another --out"):
        AnnotatedFolder(Path(out), [Path("photos")], [Path("photos/a.png")])
    assert Path("photos/a.png").read_bytes() == b"original"


def test_a_picture_is_never_written_over_another_that_is_read(here):
    files = ["photos/a.png", "other/a.png"]
    with pytest.raises(OutputError, match="itself"):
        write_all("other", files, files)
    Path("photos/sub/a.png").write_bytes(b"original")
    made = write_all("photos/sub", ["photos"], ["photos/a.png", "photos/sub/a.png"])
    assert made == ["a-2.png", "a.png", "b.jpg", "c.gif", "sub/a.png"]
    assert Path("photos/sub/a.png").read_bytes() == b"original"


def test_a_link_to_a_picture_is_not_written_through(here):
    Path("out").mkdir()
    Path("out/a.png").symlink_to(here / "photos/a.png")
    with pytest.raises(OutputError, match="itself"):
        write_all("out", ["photos/a.png"], ["photos/a.png"])
    assert Path("photos/a.png").read_bytes() == b"original"


def test_crops_are_named_after_their_picture_and_hold_its_pixels(here, portrait, faces):
    folder = AnnotatedFolder(Path("out"), [Path("photos")], [Path("photos/sub/b.jpg")], crops=True)
    folder.write(portrait, Picture("photos/sub/b.jpg", 512, 512, faces))
    assert written("out") == ["sub/b-face0.png", "sub/b.jpg"]
    with Image.open("out/sub/b-face0.png") as image:
        np.testing.assert_array_equal(np.asarray(image), faces[0].crop)


def test_a_crop_does_not_take_the_name_of_an_annotated_picture(here, portrait, faces):
    files = [Path("photos/a.png"), Path("photos/a-face0.png")]
    folder = AnnotatedFolder(Path("out"), [Path("photos")], files, crops=True)
    folder.write(RGB, Picture(str(files[1]), 400, 400))
    folder.write(portrait, Picture(str(files[0]), 512, 512, faces))
    assert written("out") == ["a-face0-2.png", "a-face0.png", "a.png"]
    with Image.open("out/a-face0.png") as image:
        np.testing.assert_array_equal(np.asarray(image), RGB)


def names_of(folder, file, crops=1):
    return [path.relative_to("out").as_posix() for path in folder.targets(file, crops)]


@pytest.mark.usefixtures("here")
def test_names_of_crops_depend_on_the_pictures_and_not_on_which_are_written():
    files = ["photos/a.jpg", "photos/a.png", "photos/a.jpg.png", "photos/b.jpg"]
    expected = {
        "photos/a.jpg": ["a.jpg", "a.jpg-face0.png"],
        "photos/a.png": ["a.png", "a.png-face0.png"],
        "photos/a.jpg.png": ["a.jpg.png", "a.jpg.png-face0.png"],
        "photos/b.jpg": ["b.jpg", "b-face0.png"],  # alone with its name
    }
    for order in (files, files[::-1], files[1:2]):
        folder = AnnotatedFolder(Path("out"), [Path("photos")], list(map(Path, files)), crops=True)
        assert {file: names_of(folder, file) for file in order} == {
            file: expected[file] for file in order
        }


@pytest.mark.usefixtures("here")
def test_a_picture_keeps_the_names_of_an_earlier_run_and_no_other_gets_them():
    asked = []
    earlier = {
        Path("other/a.png"): ["out/a.png", "out/a-face0.png"],
        Path("other/c.png"): ["out/c-2.png"],  # another c.png was there
        Path("photos/d.jpg"): ["out/d.jpg", "out/d-face0.png"],
    }

    def written(file):
        asked.append(str(file))
        return list(map(Path, earlier.get(file, ())))

    new = ["photos/a.png", "photos/a-face0.png", "photos/c.png", "photos/d.png", "photos/z.png"]
    files = [*map(Path, new), *earlier]
    folder = AnnotatedFolder(Path("out"), [Path("photos"), Path("other")], files, crops=True)
    folder.keep_names(written)
    assert {file: names_of(folder, file) for file in new} == {
        "photos/a.png": ["a-2.png", "a-2-face0.png"],
        "photos/a-face0.png": ["a-face0-2.png", "a-face0-2-face0.png"],
        "photos/c.png": ["c.png", "c-face0.png"],
        "photos/d.png": ["d.png", "d.png-face0.png"],
        "photos/z.png": ["z.png", "z-face0.png"],
    }
    assert names_of(folder, "other/c.png", 0) == ["c-2.png"]
    assert "photos/z.png" not in asked  # nobody else could want its name


@pytest.mark.parametrize("heatmap", [True, False])
def test_heat_maps_are_drawn_on_request(here, portrait, faces, heatmap):
    files = [Path("photos/a.png")]
    folder = AnnotatedFolder(Path("out"), files, files, heatmap=heatmap)
    folder.write(portrait, Picture("photos/a.png", 512, 512, faces))
    with Image.open("out/a.png") as image:
        changed = np.asarray(image) != portrait
    assert bool(changed[80:160, 195:250].any()) is heatmap  # well inside the frame
    assert changed.any()
