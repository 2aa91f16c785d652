"""What prepare made holds no leak that an audit finds: both have one definition of a copy."""

import numpy as np
import pytest
from PIL import Image

from mien.data import manifest
from mien.data.audit.findings import audit
from mien.data.dedup import duplicates
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from tests.support.pictures import encode, texture, zip_of


def nearly(seed):
    """A picture and one that is more or less its copy: about as many as not are similar by 0.85."""
    rng = np.random.default_rng(seed)
    one, other = texture(2 * seed, 100), texture(2 * seed + 1, 100)
    share = rng.uniform(0.1, 0.6)
    mixed = (one * (1 - share) + other * share).astype(np.uint8)
    cut = rng.integers(0, 6, 4)
    mixed = mixed[cut[0] : 100 - cut[1], cut[2] : 100 - cut[3]]
    if seed % 2:
        mixed = mixed[:, ::-1]
    small = Image.fromarray(mixed).resize((48 + seed % 50, 48 + seed % 50))
    return encode(one), encode(small, quality=int(rng.integers(30, 95)))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A hundred and fifty held-out pictures and as many that are more or less copies of them."""
    files = {}
    for seed in range(150):
        held = "valid" if seed % 3 == 0 else "test"
        one, other = nearly(seed)
        files[f"{held}/sad/{seed}.jpg"] = one
        files[f"train/sad/{seed}.jpg"] = other
    return zip_of(tmp_path_factory.mktemp("x") / "x.zip", files)


def leaks_in(*folders):
    found = audit(folders)
    return [found.both(finding) for finding in found.findings if found.is_leak(finding)]


@pytest.mark.parametrize(
    "settings", [{}, {"side": 48}, {"gray": True}, {"quality": 50}], ids=lambda s: "".join(s)
)
def test_an_audit_finds_no_leak_in_what_prepare_made(tmp_path, database, settings):
    raw = prepare(Settings("folder", str(database), keep_leaks=True, **settings), tmp_path / "raw")
    made = prepare(Settings("folder", str(database), **settings), tmp_path / "made")
    leaks = {
        (entry.row.original, entry.row.split) for pair in leaks_in(raw.folder) for entry in pair
    }
    left_out = {(r.original, r.split) for r in manifest.read(raw.folder)} - {
        (r.original, r.split) for r in manifest.read(made.folder)
    }
    assert 40 < len(left_out) < 110  # copies and no copies are both there
    assert {pair for pair in leaks if pair[1] == "train"} == left_out
    assert leaks_in(made.folder) == []


def test_pictures_that_are_equal_leak_even_where_nothing_can_be_compared(tmp_path):
    framed = np.zeros((64, 64), dtype=np.uint8)  # plain in the middle: no contrast to compare
    framed[4:-4, 4:-4] = 128
    gray, rgb = encode(framed, "PNG"), encode(np.repeat(framed[..., None], 3, axis=2), "PNG")
    files = {"train/sad/a.png": gray, "train/sad/b.png": rgb, "test/sad/c.png": rgb}
    path = zip_of(tmp_path / "x.zip", files | {"train/sad/d.png": encode(texture(1), "PNG")})
    raw = prepare(Settings("folder", str(path), keep_leaks=True), tmp_path / "raw")
    assert len(leaks_in(raw.folder)) == 2
    made = prepare(Settings("folder", str(path)), tmp_path / "made")
    assert (made.leaked, leaks_in(made.folder)) == ({"folder": 2}, [])
    other = zip_of(tmp_path / "y.zip", {n: d for n, d in files.items() if n.startswith("train")} | {
        "train/sad/d.png": encode(texture(1), "PNG")})  # fmt: skip
    settings = Settings("folder", str(other), against=(str(made.folder),))
    assert prepare(settings, tmp_path / "other").leaked == {"folder": 2}


def test_a_blank_picture_is_a_copy_of_no_other(tmp_path):
    files = {f"{split}/sad/a.png": encode(np.full((64, 64, 3), 7, np.uint8), "PNG")
             for split in ("train", "test")}  # fmt: skip
    made = prepare(Settings("folder", str(zip_of(tmp_path / "x.zip", files))), tmp_path / "made")
    assert made.kept.total() == 2
    assert [finding.kind for finding in audit([made.folder]).findings] == ["blank", "blank"]


def test_equal_pictures_hide_no_copy(tmp_path, monkeypatch):
    """Of a picture's two nearest neighbours both would be strangers that look alike from afar."""
    monkeypatch.setattr(duplicates, "_NEIGHBOURS", 2)
    monkeypatch.setattr(duplicates, "_CROWD", 2)
    rng = np.random.default_rng(0)
    coarse = texture(1).astype(np.float64)
    own, others = (np.kron(rng.normal(0, 40, (32, 32, 1)), np.ones((2, 2, 1))) for _ in range(2))
    face, stranger = (
        encode((coarse + d).clip(0, 255).astype(np.uint8), "PNG") for d in (own, others)
    )
    copy = (coarse + own).clip(0, 255).astype(np.uint8)[3:-3, 3:-3].copy()
    files = {
        "train/sad/a.png": face,
        "train/sad/b.png": encode(texture(2), "PNG"),
        "test/sad/1.png": stranger,
        "test/sad/2.png": stranger,
        "test/sad/3.png": encode(copy, "PNG"),
    }
    path = zip_of(tmp_path / "x.zip", files)
    made = prepare(Settings("folder", str(path)), tmp_path / "made")
    assert made.leaked == {"folder": 1}
    assert leaks_in(made.folder) == []


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("name", ["rafdb"])
def test_an_audit_finds_no_leak_in_the_real_databases(data_dir, tmp_path, name):
    made = prepare(Settings(name, str(data_dir / f"{name}.zip")), tmp_path / "made", workers=2)
    assert made.leaked[name] > 100
    assert leaks_in(made.folder) == []
