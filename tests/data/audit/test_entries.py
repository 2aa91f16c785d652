from mien.data import manifest
from mien.data.audit.entries import copies_across, entries_in, is_framing
from tests.support.prepared_folder import row_of


def folder_with(path, *rows):
    path.mkdir()
    manifest.write(rows, path)
    return path


def made_of(archive, folder):
    (folder / "prepare.json").write_text(f'{{"archive": "{archive}"}}', encoding="utf-8")
    return folder


def test_altered_copies_go_with_their_picture_however_it_is_framed(tmp_path):
    plain = folder_with(tmp_path / "x", row_of("fear", "train", "1.png"))
    framed = folder_with(tmp_path / "f", row_of("fear", "train", "1.png", framing="framed"))
    altered = [row_of("fear", "train", f"{n}.png", framing="altered") for n in (1, 1, 2)]
    copies = folder_with(tmp_path / "c", *altered)
    both, alone = entries_in([copies, framed, plain])
    assert (both.folder, len(both.framings)) == (plain, 4)
    assert (alone.row.original, alone.row.framing) == ("2.png", "altered")


def test_pictures_of_one_name_in_two_databases_are_two(tmp_path):
    plain = folder_with(tmp_path / "x", row_of("fear", "train", "1.png", "rafdb"))
    framed = folder_with(tmp_path / "y", row_of("fear", "train", "1.png", "fer2013", "framed"))
    entries = entries_in([plain, framed])
    assert [entry.row.source for entry in entries] == ["rafdb", "fer2013"]
    assert not is_framing(*entries)


def test_pictures_of_two_own_folders_are_not_one_since_they_have_one_name(tmp_path):
    mine = folder_with(tmp_path / "a", row_of("fear", "train", "1.png", "folder"))
    framed = row_of("fear", "train", "1.png", "folder", framing="framed")
    same = folder_with(tmp_path / "b", framed)
    other = folder_with(tmp_path / "c", framed)
    for folder, archive in ((mine, "photos"), (same, "photos"), (other, "more")):
        made_of(archive, folder)
    assert [len(entry.framings) for entry in entries_in([mine, same])] == [2]
    first, second = entries_in([mine, other])
    assert [first.folder, second.folder] == [mine, other]
    assert not is_framing(first, second)
    third, fourth, _ = entries_in([mine, same, other])
    assert is_framing(third, fourth)


def test_a_copy_is_paired_with_its_picture_in_the_split_that_is_held_out_most(tmp_path):
    rows = [
        row_of("fear", "train", "1.png", framing="altered"),
        row_of("fear", "train", "2.png", framing="altered"),
        row_of("fear", "valid", "1.png"),
        row_of("anger", "test", "1.png"),  # another label: the same picture all the same
        row_of("fear", "test", "2.png", source="other"),  # another picture
    ]
    entries = entries_in([folder_with(tmp_path / "x", *rows)])
    assert list(copies_across(entries, range(5))) == [(0, 3)]
    assert list(copies_across(entries, [0, 2])) == [(0, 2)]
    assert list(copies_across(entries, [2, 3])) == []


def test_copies_of_own_pictures_are_not_paired_with_another_folders_picture_of_that_name(tmp_path):
    plain = row_of("fear", "train", "1.png", "folder")
    altered = row_of("fear", "train", "1.png", "folder", framing="altered")
    held = row_of("anger", "test", "1.png", "folder")
    mine = made_of("photos", folder_with(tmp_path / "a", plain))
    copies = folder_with(tmp_path / "a-copies", altered)
    other = made_of("more", folder_with(tmp_path / "b", held))
    again = made_of("photos", folder_with(tmp_path / "c", held))
    for folders, pairs in (
        ([mine, copies, other], []),
        ([mine, copies, again], [(0, 1)]),
        ([copies, other], [(0, 1)]),  # nobody says whose copies these are
    ):
        entries = entries_in(folders)
        assert list(copies_across(entries, range(len(entries)))) == pairs


def test_altered_copies_are_of_one_of_two_own_pictures_that_have_their_name(tmp_path):
    rows = [row_of("fear", "train", "1.png", "folder", framing) for framing in ("as-is", "altered")]
    folders = [
        folder_with(tmp_path / name, rows[name == "copies"]) for name in ("copies", "a", "b")
    ]
    first, second = entries_in(folders)
    assert [row.framing for _, row in first.framings] == ["as-is", "altered"]
    assert [row.framing for _, row in second.framings] == ["as-is"]
