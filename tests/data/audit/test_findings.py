import numpy as np
import pytest

from mien.data.audit.clean import to_drop
from mien.data.audit.findings import audit
from tests.support.faulty_folder import add, changed, pairs_of
from tests.support.pictures import texture


def test_in_a_clean_folder_nothing_is_found(clean_folder):
    found = audit([clean_folder])
    assert (found.findings, found.shortcuts, found.shared_subjects) == ([], [], {})
    assert len(found.entries) == 56


def test_every_planted_fault_is_found_and_nothing_else(dirty):
    found = audit([dirty])
    assert pairs_of(found) == {
        ("exact copy", "leak.png", "t1.png"),
        ("near-copy", "near-leak.png", "t1.png"),
        ("near-copy", "leak.png", "near-leak.png"),
        ("exact copy", "angry.png", "sad.png"),
        ("near-copy", "a.png", "b.png"),
        ("exact copy", "c.png", "d.png"),
        ("blank", "blank.png"),
        ("blank", "blank-too.png"),
    }


def test_a_pair_is_told_from_the_side_that_learns(dirty):
    found = audit([dirty])
    leaks = [found.both(f) for f in found.findings if found.is_leak(f)]
    assert [(a.row.split, b.row.split) for a, b in leaks] == [("train", "test")] * 2


def test_contradictions_and_mirrored_copies_are_marked(dirty):
    found = audit([dirty])
    by_names = {
        tuple(e.row.original for e in found.both(f)): (
            found.is_contradiction(f),
            f.mirrored,
            f.similarity,
        )
        for f in found.findings
        if f.that is not None
    }
    assert by_names["leak.png", "t1.png"] == (False, False, 1.0)
    assert by_names["near-leak.png", "t1.png"][:2] == (True, True)
    assert by_names["angry.png", "sad.png"] == (True, False, 1.0)
    assert by_names["d.png", "c.png"] == (False, False, 1.0)
    assert by_names["b.png", "a.png"][:2] == (True, False)
    assert 0.85 <= by_names["b.png", "a.png"][2] < 1


def test_of_many_equal_pictures_each_is_named_with_the_most_telling_partner(tmp_path):
    one = texture(1)
    kinds = [("happiness", "train"), ("happiness", "train"), ("fear", "train"), ("fear", "valid")]
    rows = [(one, label, split, f"{i}.png") for i, (label, split) in enumerate(kinds)]
    found = audit([add(tmp_path / "data", *rows)])
    # each of train with the held-out one, and the held-out one with one of another label
    assert pairs_of(found) == {("exact copy", f"{i}.png", "3.png") for i in range(3)}


def test_a_pair_is_told_from_the_side_that_learns_whichever_comes_first(tmp_path):
    one, two = texture(1), texture(2)
    rows = [
        (one, "fear", "train", "1.png"),
        (one, "fear", "test", "2.png"),
        (two, "fear", "valid", "3.png"),
        (changed(two), "fear", "train", "4.png"),
    ]
    found = audit([add(tmp_path / "data", *rows)])
    pairs = [[entry.row.original for entry in found.both(finding)] for finding in found.findings]
    assert pairs == [["1.png", "2.png"], ["4.png", "3.png"]]


def test_a_folder_named_in_two_ways_counts_once(tmp_path, monkeypatch):
    folder = add(tmp_path / "data", (texture(1), "fear", "train", "1.png"))
    monkeypatch.chdir(tmp_path)
    found = audit([folder, "data", "data/../data"])
    assert (len(found.entries), found.findings) == (1, [])


@pytest.mark.parametrize("by", [-9, -8, 8, 9])
@pytest.mark.parametrize("channel", range(3))
def test_a_picture_is_grey_if_its_channels_hardly_differ(tmp_path, channel, by):
    picture = np.repeat(texture(1)[..., :1], 3, axis=2)
    picture[31, 31] = 200
    picture[31, 31, channel] = 200 + by
    found = audit([add(tmp_path / "data", (picture, "fear", "train", "1.png"))])
    assert found.thumbnails.gray.tolist() == [abs(by) == 8]


def test_two_framings_of_one_picture_are_one_picture(tmp_path):
    crops = [texture(seed) for seed in range(5)]
    plain = add(tmp_path / "x", *((c, "fear", "train", f"{i}.png") for i, c in enumerate(crops)))
    framed = add(
        tmp_path / "x-framed",
        *((changed(c), "fear", "train", f"{i}.png", "made", "", "framed")
          for i, c in enumerate(crops)),
    )  # fmt: skip
    found = audit([framed, plain, plain])
    assert found.findings == []
    assert len(found.entries) == 5
    assert {entry.folder for entry in found.entries} == {plain}  # they show more than a frame does


def test_of_equal_pictures_in_one_split_each_is_named_with_one_of_another_label(tmp_path):
    one = texture(1)
    labels = ("happiness", "happiness", "fear")
    rows = [(one, label, "train", f"{i}.png") for i, label in enumerate(labels)]
    found = audit([add(tmp_path / "data", *rows)])
    assert pairs_of(found) == {("exact copy", f"{i}.png", "2.png") for i in range(2)}
    assert to_drop(found) == dict.fromkeys(range(3), "same picture with another label")


def test_a_framed_picture_is_no_copy_of_its_own_whole_one_where_names_are_not_unique(tmp_path):
    one, two = texture(1), texture(2)
    framed = (changed(one), "fear", "train", "1.png", "folder", "", "framed")
    folders = [
        add(tmp_path / "a", (one, "fear", "train", "1.png", "folder")),
        add(tmp_path / "b", (two, "fear", "train", "1.png", "folder")),
        add(tmp_path / "a-framed", framed),
    ]
    assert audit(folders).findings == []


def test_pictures_of_one_name_in_two_folders_of_ones_own_are_two_pictures(tmp_path):
    one = texture(1)
    folders = [
        add(tmp_path / name, (picture, "fear", "train", "1.png", "folder"))
        for name, picture in (("a", one), ("b", changed(one)), ("c", texture(2)))
    ]
    found = audit(folders)
    assert len(found.entries) == 3
    assert [f.kind for f in found.findings] == ["near-copy"]


def test_pictures_of_one_person_are_no_copies_unless_nearly_identical(tmp_path):
    face = texture(1)
    later = (face * 0.75 + texture(2) * 0.25).astype(np.uint8)
    other = texture(3)
    rows = [
        (face, "fear", "train", "1.png", "ck", "S1"),
        (later, "anger", "test", "2.png", "ck", "S1"),
        (other, "fear", "train", "3.png", "ck", "S2"),
        (np.clip(other.astype(int) + 1, 0, 255).astype(np.uint8), "fear", "test", "4", "ck", "S2"),
    ]
    found = audit([add(tmp_path / "data", *rows)])
    assert pairs_of(found) == {("same subject", "1.png", "2.png"), ("near-copy", "3.png", "4")}
    assert [found.is_leak(f) for f in found.findings] == [True, False]
    assert not any(found.is_contradiction(f) for f in found.findings)
    assert found.shared_subjects == {"ck": 2}


def test_a_person_in_one_split_is_shared_by_none(tmp_path):
    rows = [(texture(i), "fear", "train", f"{i}.png", "ck", "S1") for i in range(2)]
    assert audit([add(tmp_path / "data", *rows)]).shared_subjects == {}


def test_an_altered_copy_whose_pixels_tell_is_found_by_them(tmp_path):
    held = (texture(1), "fear", "test", "1.png")
    copies = [changed(texture(1)), texture(9)]  # the second is altered beyond recognition
    for number, copy in enumerate(copies):
        altered = (copy, "fear", "train", "1.png", "made", "", "altered")
        [found] = audit([add(tmp_path / f"{number}", held, altered)]).findings
        assert (found.kind, found.this, found.that) == ("near-copy", 1, 0)
        assert (found.similarity is None, found.detail) == (number == 1, "altered copy" * number)


def test_persons_of_one_name_in_two_folders_of_ones_own_are_two_persons(tmp_path):
    folders = [
        add(tmp_path / split, (texture(seed), "fear", split, "1.png", "folder", "P1"))
        for seed, split in enumerate(("train", "test"))
    ]
    assert audit(folders).shared_subjects == {"folder": 1}  # nobody says that they are two
    for folder in folders:
        (folder / "prepare.json").write_text(f'{{"archive": "of {folder.name}"}}')
    assert audit(folders).shared_subjects == {}


def test_two_people_of_one_studio_are_no_copies_and_those_of_two_databases_are(tmp_path):
    face = texture(1)
    alike = (face * 0.75 + texture(2) * 0.25).astype(np.uint8)
    rows = [
        (face, "fear", "train", "1.png", "ck", "S1"),
        (alike, "anger", "test", "2.png", "ck", "S2"),
        (alike, "anger", "test", "3.png", "other", "S2"),
    ]
    assert pairs_of(audit([add(tmp_path / "data", *rows)])) == {
        ("exact copy", "2.png", "3.png"),
        ("near-copy", "1.png", "3.png"),
    }


@pytest.mark.parametrize(
    ("picture", "blank"),
    [
        (np.zeros((64, 64, 3), np.uint8), True),
        (np.random.default_rng(0).integers(120, 125, (64, 64, 3), dtype=np.uint8), True),
        (np.pad(texture(1, 8), ((28, 28), (28, 28), (0, 0))), True),  # a speck on black
        ((texture(1) * 0.1 + 100).astype(np.uint8), False),  # faint
        ((texture(1) * 0.2).astype(np.uint8), False),  # dark
    ],
    ids=["black", "noise", "speck", "faint", "dark"],
)
def test_a_blank_picture_is_told_from_a_faint_one(tmp_path, picture, blank):
    found = audit([add(tmp_path / "data", (picture, "fear", "train", "1.png"))])
    assert [f.kind for f in found.findings] == ["blank"] * blank
