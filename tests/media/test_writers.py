"""Files are whole or absent, and say exactly what they were given."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from mien.errors import OutputError
from mien.media.atomic import refuses_every_file
from mien.media.writers import (
    CsvWriter,
    as_output_error,
    atomic,
    atomic_folder,
    write_bytes,
    write_picture,
    write_text,
)
from tests.support.full_disk import full_disk

RED = np.full((8, 8, 3), (250, 10, 20), dtype=np.uint8)


def table(path, values, error=None):
    """Write a one-column table, and stop with an error if one is given."""
    with CsvWriter(path, ("n",)) as sink:
        for value in values:
            sink.write([value])
        if error:
            raise error


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_csv_file_holds_header_and_rows_byte_for_byte(tmp_path):
    with CsvWriter(tmp_path / "a" / "b.csv", ("path", "p")) as sink:
        sink.write(["x, y.jpg", 0.5])
        sink.write(('say "hi"', None))
    expected = b'path,p\n"x, y.jpg",0.5\n"say ""hi""",\n'
    assert (tmp_path / "a" / "b.csv").read_bytes() == expected
    assert files(tmp_path / "a") == ["b.csv"]


def test_the_target_is_untouched_until_the_block_ends(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")
    with CsvWriter(target, ("n",)) as sink:
        for n in range(10_000):  # far more than a buffer
            sink.write([n])
        assert target.read_text() == "old"
    assert target.read_text().splitlines()[-1] == "9999"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("older", [None, "old"])
def test_an_interrupted_table_leaves_the_folder_as_it_was(tmp_path, error, older):
    target = tmp_path / "a.csv"
    if older:
        target.write_text(older)
    with pytest.raises(error):
        table(target, range(10_000), error)
    assert files(tmp_path) == (["a.csv"] if older else [])
    assert not older or target.read_text() == older


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_an_interrupted_picture_leaves_nothing(tmp_path, monkeypatch, name):
    def half(self, path, *_args, **_options):
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(KeyboardInterrupt):
        write_picture(RED, tmp_path / name)
    assert files(tmp_path) == []


def test_a_full_disk_is_explained_and_nothing_is_left(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    with full_disk(), pytest.raises(OutputError, match=r"try: .*free space"):
        write_picture(noise, tmp_path / "a.png")
    with full_disk(), pytest.raises(OutputError, match=r"try: .*free space"):
        write_text("x" * 5000, tmp_path / "a.txt")
    with full_disk(), pytest.raises(OutputError, match=r"try: .*free space"):  # while writing rows
        table(tmp_path / "a.csv", range(10_000))
    with full_disk(), pytest.raises(OutputError, match=r"try: .*free space"):  # 6000 bytes: closing
        table(tmp_path / "a.csv", ["123456789"] * 600)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "every"),
    [("ENOSPC", True), ("EDQUOT", True), ("EROFS", True), ("EIO", True), ("ENAMETOOLONG", False)],
)
def test_what_the_disk_would_say_of_every_file_is_told_from_what_is_wrong_with_one(name, every):
    number = getattr(errno, name)
    with pytest.raises(OutputError) as caught, as_output_error(Path("a.png")):
        raise OSError(number, os.strerror(number))
    assert refuses_every_file(caught.value) is every


def test_a_row_that_the_disk_refuses_says_so_and_is_not_forgotten(tmp_path):
    sink = CsvWriter(tmp_path / "a.csv", ("n",)).__enter__()
    with full_disk(), pytest.raises(OutputError, match=r"try: .*free space"):
        sink.write(["x" * 9000])  # more than a buffer
    with full_disk(), pytest.raises(OutputError):
        sink.__exit__(None, None, None)
    assert files(tmp_path) == []


def test_an_error_of_the_caller_is_not_taken_for_one_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError), CsvWriter(tmp_path / "a.csv", ("n",)):
        (tmp_path / "missing.jpg").open()
    assert files(tmp_path) == []


def test_a_folder_or_a_pipe_is_refused_as_target(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is a folder"):
        write_text("x", tmp_path)
    with pytest.raises(OutputError, match="not an ordinary file"):
        write_text("x", tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("older", [None, "old"])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path, older):
    (tmp_path / "disk").mkdir()
    if older:
        (tmp_path / "disk" / "a.csv").write_text(older)
    (tmp_path / "a.csv").symlink_to("disk/a.csv")
    (tmp_path / "again.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(KeyboardInterrupt), CsvWriter(tmp_path / "again.csv", ("n",)):
        raise KeyboardInterrupt
    assert files(tmp_path / "disk") == (["a.csv"] if older else [])
    assert older is None or (tmp_path / "a.csv").read_text() == older
    with CsvWriter(tmp_path / "again.csv", ("n",)) as table:
        assert files(tmp_path / "disk")[0].startswith(".a.csv.")
        table.write([1])
    assert files(tmp_path / "disk") == ["a.csv"]
    assert (tmp_path / "disk" / "a.csv").read_text() == "n\n1\n"
    assert (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "again.csv").is_symlink()


def test_what_a_process_has_open_is_not_replaced(tmp_path):
    """As /dev/stdout, where standard output is a file: a link of our own to a file of our own."""
    with (tmp_path / "open.csv").open("w") as file:
        file.write("kept")
        file.flush()
        (tmp_path / "out.csv").symlink_to(f"/dev/fd/{file.fileno()}")
        (tmp_path / "further.csv").symlink_to("out.csv")
        for name in ("out.csv", "further.csv"):
            for write in (
                lambda path: write_text("x", path),
                lambda path: CsvWriter(path, ("n",)).__enter__(),
            ):
                with pytest.raises(OutputError, match="not an ordinary") as caught:
                    write(tmp_path / name)
                assert caught.value.fix == "name an ordinary file, or - for standard output"
            with pytest.raises(OutputError, match="not an ordinary") as caught:
                write_bytes(b"x", tmp_path / name)
            assert caught.value.fix == "name an ordinary file"
    assert (tmp_path / "open.csv").read_text() == "kept"
    assert files(tmp_path) == ["further.csv", "open.csv", "out.csv"]


def test_a_link_to_an_empty_folder_stays_and_the_folder_is_filled(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to("disk")
    with atomic_folder(tmp_path / "out") as part:
        (part / "a.txt").write_text("x")
    assert files(tmp_path / "disk") == ["a.txt"]
    assert (tmp_path / "out").is_symlink()
    assert files(tmp_path) == ["disk", "out"]


def test_links_that_lead_to_each_other_are_left_alone(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match=r"cannot write .*\n  try: .* links there lead to each"):
        write_text("x", tmp_path / "a")
    assert (tmp_path / "a").is_symlink()


def test_a_file_in_the_place_of_a_folder_is_explained(tmp_path):
    (tmp_path / "a").write_text("in the way")
    with (
        pytest.raises(OutputError, match=r"cannot write .*b\.csv"),
        CsvWriter(tmp_path / "a/b.csv", "n"),
    ):
        pass


def test_a_row_of_the_wrong_length_is_a_fault(tmp_path):
    with (
        pytest.raises(ValueError, match="2 values, got 1"),
        CsvWriter(tmp_path / "a", "xy") as sink,
    ):
        sink.write([1])


def test_a_file_name_that_is_not_utf8_keeps_its_bytes(tmp_path):
    with CsvWriter(tmp_path / "a.csv", ("path",)) as sink:
        sink.write([os.fsdecode(b"caf\xe9.jpg")])
    write_text(os.fsdecode(b"caf\xe9 \xc3\xa9\r\n"), tmp_path / "a.txt")
    assert (tmp_path / "a.csv").read_bytes() == b"path\ncaf\xe9.jpg\n"
    assert (tmp_path / "a.txt").read_bytes() == b"caf\xe9 \xc3\xa9\r\n"


def test_the_longest_name_a_disk_takes_can_be_written(tmp_path):
    name = "é" * 125 + ".txt"  # 254 bytes, the limit is 255
    write_text("x", tmp_path / name)
    assert files(tmp_path) == [name]


@pytest.mark.parametrize(
    ("name", "kind", "off"),
    [("a.png", "PNG", 0), ("a.jpg", "JPEG", 3), ("a.JPEG", "JPEG", 3), ("a.webp", "WEBP", 6)],
)
def test_a_picture_comes_back_in_its_format_and_colours(tmp_path, name, kind, off):
    write_picture(RED, tmp_path / "new" / name)
    with Image.open(tmp_path / "new" / name) as image:
        assert image.format == kind
        assert np.abs(np.asarray(image).astype(int) - RED).max() <= off


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg"])
def test_jpeg_is_saved_at_quality_95_with_full_colour(tmp_path, name):
    write_picture(RED, tmp_path / name)
    Image.fromarray(RED).save(tmp_path / "b.jpg", quality=95)
    with Image.open(tmp_path / name) as ours, Image.open(tmp_path / "b.jpg") as pillow:
        assert JpegImagePlugin.get_sampling(ours) == 0
        assert ours.quantization == pillow.quantization


def test_a_suffix_or_size_that_cannot_be_written_names_one_that_can(tmp_path):
    with pytest.raises(OutputError, match=r"try: end the name in \.png"):
        write_picture(RED, tmp_path / "a.gif")
    with pytest.raises(OutputError, match=r"16383 pixels a side.*\n.*use \.png"):
        write_picture(np.zeros((1, 16384, 3), dtype=np.uint8), tmp_path / "a.webp")
    assert files(tmp_path) == []


def test_two_writers_of_one_target_do_not_share_a_part(tmp_path):
    with atomic(tmp_path / "a") as one, atomic(tmp_path / "a") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert files(tmp_path) == ["a"]
