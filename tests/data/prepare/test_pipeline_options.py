"""What prepare does beyond the plain case: shares held out, channels, tables, bad places."""

import json

import numpy as np
import pytest
from PIL import Image

from mien.data import manifest
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings, load_report
from mien.errors import BadDataError, BadSettingError
from mien.labels import LABELS
from tests.support.pictures import encode, folder_of, own_files, texture
from tests.support.tables import rows_of


@pytest.fixture
def make(tmp_path):
    """Prepare {name: bytes} as tmp_path/OUT."""

    def run(files, out="out", source="folder", **settings):
        archive = folder_of(tmp_path / f"{out} source", files)
        return prepare(Settings(source, str(archive), **settings), tmp_path / out)

    return run


def originals(folder, split):
    return {row.original for row in manifest.read(folder) if row.split == split}


def test_shares_are_held_out_of_every_expression(make):
    report = make(own_files(), test=0.2, valid=0.25)
    counts = {split: [report.kept[split, label] for label in LABELS] for split in ("test", "valid")}
    assert counts == {"test": [2] * 6, "valid": [2] * 6}  # a quarter of the eight that are left
    assert sum(count for (split, _), count in report.kept.items() if split == "train") == 36
    paths = {row.path.split("/")[0]: row.split for row in manifest.read(report.folder)}
    assert paths == {"train": "train", "valid": "valid", "test": "test"}


def test_framings_of_one_database_are_held_out_alike(make):
    as_is = make(own_files(4), out="a", valid=0.5, seed=7).folder
    framed = make(own_files(4), out="b", valid=0.5, seed=7, frame=True).folder
    other = make(own_files(4), out="c", valid=0.5, seed=8).folder
    assert originals(as_is, "valid") == originals(framed, "valid") != originals(other, "valid")


def test_a_share_cannot_be_carved_where_the_database_has_the_split(make):
    with pytest.raises(BadSettingError, match="test pictures of its own"):
        make({f"{s}/sad/{s}.png": b"" for s in ("train", "test")}, test=0.5)


def test_copies_between_train_and_carved_validation_leave_train(make):
    files = own_files(6)
    copies = {name.replace(".png", "-copy.png"): data for name, data in files.items()}
    report = make(files | copies, valid=0.3)
    held, kept = originals(report.folder, "valid"), originals(report.folder, "train")

    def pictures(names):
        return {name.replace("-copy", "") for name in names}

    assert held
    assert not pictures(held) & pictures(kept)
    assert report.near_valid > 0
    listed = [r for r in rows_of(report.folder / "excluded.csv") if r["reason"] == "copy of valid"]
    assert len(listed) == report.near_valid
    assert {row["split"] for row in listed} == {"train"}


def test_carved_validation_holds_no_copies_of_test_either(make):
    files = {f"train/{name}": data for name, data in own_files(4).items()}
    tests = {f"test/{name}": data for name, data in own_files(4).items()}
    files |= {f"train/new/{name}": data for name, data in own_files(2, start=100).items()}
    report = make(files | tests, valid=0.5)
    assert report.leaked == {"folder": 24}
    left = originals(report.folder, "valid") | originals(report.folder, "train")
    assert all(name.startswith("train/new/") for name in left)


def test_validation_pictures_of_the_database_itself_stay(make):
    data = encode(texture(1))
    other = make({"test/sad/a.jpg": data, "train/sad/b.jpg": encode(texture(2))}, out="other")
    report = make({"valid/sad/a.jpg": data}, against=(str(other.folder),))
    assert report.kept == {("valid", "sadness"): 1}
    assert not report.leaked


def test_pictures_held_out_elsewhere_are_left_out_of_train_whatever_their_split(make):
    held = encode(texture(1))
    other = make({"valid/sad/a.jpg": held}, out="other").folder
    files = {"sad/copy.jpg": held, "sad/new.jpg": encode(texture(2))}
    report = make(files, against=(str(other),))
    assert report.near_valid == 1
    assert originals(report.folder, "train") == {"sad/new.jpg"}


@pytest.mark.parametrize(
    ("gray", "shapes"),
    [
        (None, {(64, 64), (64, 64, 3)}),
        (True, {(64, 64)}),
        (False, {(64, 64, 3)}),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_crops_have_the_channels_asked_for(make, gray, shapes, kind):
    rgb = texture(1)
    luma = np.asarray(Image.fromarray(rgb).convert("L"))
    files = {"sad/rgb.x.jpg": encode(rgb, kind), "sad/gray.x.jpg": encode(luma, kind)}
    folder = make(files, gray=gray, quality=98).folder
    written = {path.name: np.asarray(Image.open(path)) for path in folder.rglob("*.jpg")}
    assert {picture.shape for picture in written.values()} == shapes
    expected = np.repeat(luma[..., None], 3, axis=2) if gray is False else luma
    assert np.abs(written["gray.x.jpg"].astype(int) - expected).mean() < 2
    hashes = {row.path.rpartition("/")[2]: row.sha256 for row in manifest.read(folder)}
    assert hashes == {name: manifest.hash_pixels(picture) for name, picture in written.items()}


def test_neutral_faces_can_be_left_out(make):
    files = own_files(2, labels=["sad", "neutral"])
    assert make(files, out="with").kept == {("train", "sadness"): 2, ("train", "neutral"): 2}
    assert make(files, out="without", neutral=False).kept == {("train", "sadness"): 2}


def test_the_table_of_labels_numbers_the_classes(make):
    folder = make(own_files(1, labels=[*LABELS, "neutral"])).folder
    rows = rows_of(folder / "labels.csv")
    assert {row["image"]: row["label"] for row in rows} == {
        "train/0_happiness/happiness0.jpg": "0",
        "train/1_surprise/surprise0.jpg": "1",
        "train/2_sadness/sadness0.jpg": "2",
        "train/3_anger/anger0.jpg": "3",
        "train/4_disgust/disgust0.jpg": "4",
        "train/5_fear/fear0.jpg": "5",
        "train/neutral/neutral0.jpg": "6",
    }
    assert not (folder / "soft.csv").exists()


def test_own_classes_have_folders_of_their_names_that_every_system_takes(make):
    files = own_files(1, labels=["is it: joy?", "etc.", "neutral"])
    report = make(files, options={"classes": "own"})
    rows = manifest.read(report.folder)
    assert {row.label: row.path.split("/")[:2] for row in rows} == {
        "etc.": ["train", "0_etc_"],
        "is it: joy?": ["train", "1_is it_ joy_"],
        "neutral": ["train", "2_neutral"],
    }
    numbers = {row["image"]: row["label"] for row in rows_of(report.folder / "labels.csv")}
    assert [numbers[row.path] for row in rows] == [row.path[6] for row in rows]


def test_a_prepared_folder_can_be_prepared_again(make, tmp_path):
    files = {f"f0{n}_dfh_{c}x.jpg": encode(texture(n * 9 + i)) for n in range(5)
             for i, c in enumerate("adfhps")}  # fmt: skip
    first = make(files, out="first", source="tfeid", test=0.4).folder
    second = prepare(Settings("folder", str(first)), tmp_path / "second")
    kept = [{(row.path, row.label, row.split, row.subject) for row in manifest.read(folder)}
            for folder in (first, second.folder)]  # fmt: skip
    assert kept[0] == kept[1]
    assert len(kept[0]) == 30
    assert not second.skipped


def test_soft_labels_lie_beside_the_manifest(make):
    header = "image,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    votes = f"{header}\na.png,2,6,0,0,0,0,0,2,0,0\nb.png,0,0,0,0,0,0,9,0,0,1\n"
    files = {
        "train/happy/a.png": encode(texture(1), "PNG"),
        "train/happy/b.png": encode(texture(2), "PNG"),
        "votes.csv": votes.encode(),
    }
    folder = make(files, source="ferplus").folder
    assert (folder / "soft.csv").read_text() == (
        "path,happiness,surprise,sadness,anger,disgust,fear,neutral\n"
        "train/0_happiness/a.jpg,0.7500,0.0000,0.0000,0.0000,0.0000,0.0000,0.2500\n"
        "train/5_fear/b.jpg,0.0000,0.0000,0.0000,0.0000,0.0000,1.0000,0.0000\n"
    )


def test_the_rows_of_the_fer2013_csv_become_crops(make):
    faces = [texture(seed, 48)[..., 0] for seed in range(3)]
    rows = [f"{3 + n},{' '.join(map(str, f.ravel()))},Training" for n, f in enumerate(faces)]
    rows.append("3,1 2 3,Training")
    text = "\n".join(["emotion,pixels,Usage", *rows])
    report = make({"fer2013.csv": text.encode()}, source="fer2013", side=48)
    rows = manifest.read(report.folder)
    assert [row.path for row in rows] == [
        "train/0_happiness/fer0000000.jpg",
        "train/2_sadness/fer0000001.jpg",
        "train/1_surprise/fer0000002.jpg",
    ]
    for row, face in zip(rows, faces, strict=True):
        with Image.open(report.folder / row.path) as image:
            assert image.mode == "L"
            assert np.abs(np.asarray(image).astype(int) - face).mean() < 2
    assert list(report.unreadable) == ["fer2013.csv/fer0000003"]


def test_what_the_reader_left_out_is_counted_and_listed(make, tmp_path):
    files = own_files(1) | {f"bored/{i}.png": b"" for i in range(5)}
    report = make(files)
    assert report.skipped == {"unknown label": 5}
    assert report.examples == {"unknown label": ["bored/0.png", "bored/1.png", "bored/2.png"]}
    listed = rows_of(report.folder / "excluded.csv")
    assert [(row["original"], row["reason"], row["detail"]) for row in listed][-1] == (
        "bored/4.png", "unknown label", "bored",
    )  # fmt: skip
    again = make(files)
    assert (again.skipped, again.examples) == (report.skipped, report.examples)


def test_a_folder_prepared_before_an_option_existed_is_still_known(make):
    folder = make(own_files(1)).folder
    record = json.loads((folder / "prepare.json").read_text())
    for name in ("gray", "neutral", "valid", "test", "seed", "options"):
        del record[name]
    for name in ("near_valid", "skipped", "examples"):
        del record["report"][name]
    (folder / "prepare.json").write_text(json.dumps(record))
    assert not make(own_files(1)).fresh
    with pytest.raises(BadDataError, match="not made with these settings"):
        make(own_files(1), valid=0.5)


def test_a_folder_prepared_before_one_option_existed_is_still_known(make):
    folder = make(own_files(1)).folder
    record = json.loads((folder / "prepare.json").read_text())
    del record["options"]["numbering"], record["report"]["examples"]
    (folder / "prepare.json").write_text(json.dumps(record))
    assert not make(own_files(1)).fresh
    with pytest.raises(BadDataError, match="not made with these settings"):
        make(own_files(1), options={"numbering": "fer2013"})


def test_a_list_of_names_is_recorded_whole_though_it_looks_like_a_path(make):
    files = {"a.png": encode(texture(1), "PNG"), "l.csv": b"a/x,c/x,b\na.png,a.png,sad\n"}
    assert make(files, options={"columns": "path=a/x,label=b"}).fresh
    with pytest.raises(BadDataError, match="not made with these settings"):
        make(files, options={"columns": "path=c/x,label=b"})


DAMAGES = {
    "a count without its label": lambda r: r["kept"].__setitem__(0, ["test", 20]),
    "a label that is none": lambda r: r["kept"].__setitem__(0, ["train", "joy", 20]),
    "a split that is none": lambda r: r["kept"].__setitem__(0, ["party", "fear", 20]),
    "a list for a label": lambda r: r["kept"].__setitem__(0, ["train", ["fear"], 20]),
    "a count that is text": lambda r: r["kept"].__setitem__(0, ["train", "fear", "20"]),
    "a count below zero": lambda r: r.update(unframed=-1),
    "a count that is no whole number": lambda r: r.update(unframed=1.5),
    "no counts": lambda r: r.pop("kept"),
    "counts that are none": lambda r: r.update(kept=None),
    "leaks in a list": lambda r: r.update(leaked=[1]),
    "leaks that are texts": lambda r: r.update(leaked={"rafdb": "many"}),
    "reasons that are numbers": lambda r: r.update(unreadable={"a.jpg": 1}),
    "examples that are numbers": lambda r: r.update(examples={"unknown label": [1]}),
    "examples in a list": lambda r: r.update(examples=[1]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_record_is_one_error(make, damage):
    folder = make(own_files(1)).folder
    record = json.loads((folder / "prepare.json").read_text())
    damage(record["report"])
    (folder / "prepare.json").write_text(json.dumps(record))
    with pytest.raises(BadDataError, match=r"prepare\.json is damaged.*\n.*remove that folder"):
        make(own_files(1))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", "1" * 5000, '{"report": NaN}'])
def test_a_record_that_is_none_is_one_error(make, text):
    folder = make(own_files(1)).folder
    (folder / "prepare.json").write_text(text)
    with pytest.raises(BadDataError, match="not made with these settings"):
        make(own_files(1))
    with pytest.raises(BadDataError, match=r"prepare\.json is damaged"):
        load_report(folder)


def test_settings_name_files_and_not_where_they_lie(make, tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\nx.png,sad\n")
    options = {"labels": str(tmp_path / "labels.csv")}
    folder = make({"x.png": encode(texture(1), "PNG")}, options=options).folder
    assert str(tmp_path) not in (folder / "prepare.json").read_text()


@pytest.mark.parametrize(
    ("source", "out"),
    [("photos", "photos/out"), ("out/photos", "out"), (".out.mien-0.part", "out")],
)
def test_the_source_is_never_written_to(tmp_path, source, out):
    folder_of(tmp_path / source, own_files(1))
    with pytest.raises(BadDataError, match=r"lie in each other.*\n.*another --out"):
        prepare(Settings("folder", str(tmp_path / source)), tmp_path / out)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 6


def test_a_very_long_name_becomes_a_hash_and_stays_in_the_manifest(make):
    name = "sad/" + "é" * 120 + ".png"  # 244 bytes, to which -2.jpg could not be added
    folder = make({name: encode(texture(1), "PNG")}).folder
    [row] = manifest.read(folder)
    assert row.original == name
    assert len(row.path) == len("train/2_sadness/") + 64 + len(".jpg")


def test_a_name_that_is_no_text_is_prepared(make, tmp_path):
    name = b"a\xff.png".decode(errors="surrogateescape")
    folder = make({f"sad/{name}": encode(texture(1), "PNG"), "sad/\udcfe.png": b""}).folder
    [row] = manifest.read(folder)
    assert row.original == f"sad/{name}"
    assert (folder / row.path).is_file()


@pytest.mark.data
def test_the_real_ckplus_is_split_by_person(data_dir, tmp_path):
    settings = Settings("ckplus", str(data_dir / "ckplus.zip"), test=0.2, valid=0.1)
    report = prepare(settings, tmp_path / "out")
    rows = manifest.read(tmp_path / "out")
    people = {s: {r.subject for r in rows if r.split == s} for s in ("train", "valid", "test")}
    assert not people["train"] & people["test"]
    assert not people["train"] & people["valid"]
    tested = [report.kept["test", label] for label in LABELS]
    for count, whole in zip(tested, [69, 83, 28, 45, 59, 25], strict=True):
        assert abs(count / whole - 0.2) < 0.03
    left_out = report.leaked.total() + report.near_valid
    assert len(rows) + left_out == 309
