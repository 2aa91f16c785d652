"""Folders of one's own: what each is taken for, by its word, its number or the code in a name."""

import pytest

from mien.data import manifest
from mien.data.datasets.class_folders import code_in
from mien.data.label_file import labels_of
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadSettingError
from mien.labels import LabelSet
from tests.support.commands import mien
from tests.support.dataset_listings import items_in, listing_of, problems_in
from tests.support.pictures import encode, folder_of, own_files, texture


def made(path, *names):
    return folder_of(path, dict.fromkeys(names, b""))


def test_words_of_any_language_with_numbers_and_brackets_are_taken_and_counted(tmp_path):
    names = [
        "01-neutral/a.jpg",
        "[Wut]/a.jpg",
        "[Wut]/b.jpg",
        "スマホ/a.jpg",
        "驚き/a.jpg",
        "x.jpg",
    ]
    listing = listing_of("folder", made(tmp_path, *names))
    assert items_in(listing) == [
        ("01-neutral/a.jpg", "neutral", "train"),
        ("[Wut]/a.jpg", "anger", "train"),
        ("[Wut]/b.jpg", "anger", "train"),
        ("驚き/a.jpg", "surprise", "train"),
    ]
    assert dict(listing.taken) == {
        ("01-neutral", "neutral"): 1,
        ("[Wut]", "anger"): 2,
        ("スマホ", ""): 1,
        ("驚き", "surprise"): 1,
        ("", ""): 1,
    }
    assert problems_in(listing) == [("x.jpg", "unknown label"), ("スマホ/a.jpg", "unknown label")]


def test_folders_that_are_numbers_are_refused_until_somebody_says_whose_they_are(tmp_path):
    path = made(tmp_path, "train/1/a.jpg", "train/07/b.jpg", "Test/[3]/c.jpg")
    with pytest.raises(
        BadDataError, match=r"folders number expressions 1, 3, 7.*\n.*rafdb \(1 sur"
    ):
        listing_of("folder", path)
    for whose in ({"labels": "rafdb"}, {"numbering": "rafdb"}):
        assert items_in(listing_of("folder", path, **whose)) == [
            ("Test/[3]/c.jpg", "disgust", "test"),
            ("train/07/b.jpg", "neutral", "train"),
            ("train/1/a.jpg", "surprise", "train"),
        ]
    with pytest.raises(BadDataError, match="1, 3, 7: not the order of fer2013"):
        listing_of("folder", path, labels="fer2013")
    with pytest.raises(BadSettingError, match="--labels rafdb and --numbering mien"):
        listing_of("folder", path, labels="rafdb", numbering="mien")


def test_a_list_of_names_says_what_numbers_mean(tmp_path):
    path = made(tmp_path, "0/a.jpg", "1/a.jpg", "2/a.jpg")
    listing = listing_of("folder", path, labels="joy,fear,contempt")
    assert items_in(listing) == [("0/a.jpg", "happiness", "train"), ("1/a.jpg", "fear", "train")]
    assert [(p.original, p.detail) for p in listing.problems] == [("2/a.jpg", "contempt")]
    with pytest.raises(BadSettingError, match=r"names cat, dog: .*\n.*--classes cat,dog,joy"):
        listing_of("folder", path, labels="cat,dog,joy")
    listing = listing_of("folder", path, labels="cat,dog,joy", classes="dog,cat")
    assert [item.label for item in listing.items] == ["cat", "dog"]
    assert listing.labels == LabelSet(("dog", "cat"))


def test_beside_words_a_number_is_a_folder_like_any_other(tmp_path):
    listing = listing_of("folder", made(tmp_path, "happy/2020/a.jpg", "2020/b.jpg"))
    assert items_in(listing) == [("happy/2020/a.jpg", "happiness", "train")]
    assert [(p.original, p.detail) for p in listing.problems] == [("2020/b.jpg", "2020")]


CODES = {  # the authors' own names, by hand
    "KDEF/AF01/AF01ANS.JPG": ("anger", "F01"),
    "BM35AFHL.JPG": ("fear", "M35"),
    "am07dihr.jpg": ("disgust", "M07"),
    "AF20HAFL.JPG": ("happiness", "F20"),
    "AF20NES.JPG": ("neutral", "F20"),
    "AF20SAS.JPG": ("sadness", "F20"),
    "AF20SUFR.JPG": ("surprise", "F20"),
    "AF01ANS/1.jpg": ("anger", "F01"),
    "Rafd090_01_Caucasian_female_angry_frontal.jpg": ("anger", "01"),
    "Rafd045_63_Moroccan_male_disgusted_left.jpg": ("disgust", "63"),
    "Rafd090_39_Kid_female_fearful_right.jpg": ("fear", "39"),
}
NO_CODES = [
    "AN/1.jpg",
    "AF01AN.jpg",
    "AF01ANS-copy.jpg",
    "CF01ANS.jpg",
    "angry_frontal.jpg",
    "Rafd090_01_Caucasian_female_angry.jpg",
]


@pytest.mark.parametrize("name", CODES)
def test_a_whole_code_of_kdef_or_rafd_names_expression_and_person(tmp_path, name):
    [item] = listing_of("folder", made(tmp_path, name)).items
    assert (item.label, item.subject) == CODES[name]


@pytest.mark.parametrize("name", NO_CODES)
def test_a_part_of_a_code_is_none(name):
    assert code_in(name) is None


def test_a_code_does_not_undo_a_folder_that_says_what_is_no_class(tmp_path):
    listing = listing_of("folder", made(tmp_path, "contempt/AF01ANS.jpg", "x/AF01ANS.jpg"))
    assert items_in(listing) == [("x/AF01ANS.jpg", "anger", "train")]
    assert [(p.reason, p.detail) for p in listing.problems] == [("unknown label", "contempt")]


def test_a_code_that_contradicts_its_folder_is_left_out_and_contempt_is_no_class(tmp_path):
    names = ["joy/AF01HAS.jpg", "joy/AF01ANS.jpg"]
    names += ["Rafd090_01_Caucasian_female_contemptuous_left.jpg"]
    listing = listing_of("folder", made(tmp_path, *names))
    assert items_in(listing) == [("joy/AF01HAS.jpg", "happiness", "train")]
    assert [(p.reason, p.detail) for p in listing.problems] == [
        ("unknown label", "contemptuous (RaFD)"),
        ("contradictory labels", "happiness by the folder, anger by AN (KDEF)"),
    ]


@pytest.mark.parametrize("above", ["", "download/photos/"])
@pytest.mark.parametrize("below", ["", "images/v1/"])
@pytest.mark.parametrize("held", ["Test", "train"])
def test_own_names_are_those_of_the_first_folders_that_differ(tmp_path, above, held, below):
    train, other = f"{above}train/{below}", f"{above}{held}/{below}"
    names = [f"{train}cat/a.jpg", f"{train}cat/2020/b.jpg", f"{other}dog/c.jpg"]
    names.append(f"{other}bird/d.jpg")
    listing = listing_of("folder", made(tmp_path, *names), classes="own")
    assert sorted(items_in(listing)) == sorted([
        (names[3], "bird", held.lower()),
        (names[2], "dog", held.lower()),
        (names[1], "cat", "train"),
        (names[0], "cat", "train"),
    ])
    assert listing.labels == LabelSet(("bird", "cat", "dog"))


def test_own_names_leave_out_what_is_in_no_folder_and_refuse_one_class(tmp_path):
    listing = listing_of(
        "folder", made(tmp_path / "x", "cat/a.jpg", "dog/b.jpg", "c.jpg"), classes="own"
    )
    assert problems_in(listing) == [("c.jpg", "unknown label")]
    with pytest.raises(BadDataError, match="one class alone: cat"):
        listing_of("folder", made(tmp_path / "y", "my/cat/a.jpg", "my/cat/b.jpg"), classes="own")


def test_own_classes_take_their_words_and_leave_every_other_expression_out(tmp_path):
    path = made(tmp_path, "Joy/a.jpg", "bored/b.jpg", "bored/fear/c.jpg", "sad/d.jpg", "x/e.jpg")
    listing = listing_of("folder", path, classes="bored,happy")
    assert items_in(listing) == [("Joy/a.jpg", "happy", "train"), ("bored/b.jpg", "bored", "train")]
    assert [(p.original, p.detail) for p in listing.problems] == [
        ("bored/fear/c.jpg", "fear"), ("sad/d.jpg", "sad"), ("x/e.jpg", "x"),
    ]  # fmt: skip


def three(path):
    labels = ("pain", "boredom", "Neutral")
    return folder_of(path, own_files(4, labels=labels) | {"fear/x.png": encode(texture(99), "PNG")})


def test_the_command_writes_the_classes_asked_for_in_their_order(tmp_path):
    out = tmp_path / "out"
    words = ["prepare", "folder", three(tmp_path / "x"), "--out", out, "--test", 0.25]
    result = mien(*words, "--classes", "pain,boredom,neutral")
    assert result.exit_code == 0
    assert labels_of(out) == LabelSet(("pain", "boredom", "neutral"), "neutral")
    lines = (out / "labels.csv").read_text().splitlines()[1:]
    assert {(*line.split("/")[1].split("_"), line[-1]) for line in lines} == {
        ("0", "pain", "0"), ("1", "boredom", "1"), ("2", "neutral", "2"),
    }  # fmt: skip
    assert result.stderr.splitlines() == [
        "Neutral  -> neutral           4",
        "boredom  -> boredom           4",
        "pain     -> pain              4",
        "fear     left out             1",
        f"wrote {out}/manifest.csv",
    ]
    assert result.stdout.splitlines() == [
        "test   boredom         1",
        "test   neutral         1",
        "test   pain            1",
        "train  boredom         3",
        "train  neutral         3",
        "train  pain            3",
        "left out, unknown label: 1: fear/x.png",
    ]
    again = mien(*words, "--classes", "pain,boredom,neutral")
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert mien(*words, "--classes", "boredom,pain,neutral").exit_code == 1


def test_own_classes_are_read_back_from_the_manifest(tmp_path):
    words = ["prepare", "folder", three(tmp_path / "x"), "--out", tmp_path / "out"]
    assert mien(*words, "--classes", "own").exit_code == 0
    assert labels_of(tmp_path / "out").names == ("boredom", "fear", "Neutral", "pain")
    rows = manifest.read(tmp_path / "out")
    assert {row.label for row in rows} == {"boredom", "fear", "Neutral", "pain"}


def test_a_class_that_no_folder_of_windows_can_be_called_has_one_with_its_number(tmp_path):
    out = tmp_path / "out"
    files = own_files(1, labels=("why?", "a:b."))
    words = ["prepare", "folder", folder_of(tmp_path / "x", files), "--out", out]
    assert mien(*words, "--classes", "why?,a:b.").exit_code == 0
    assert sorted(path.name for path in (out / "train").iterdir()) == ["0_why_", "1_a_b_"]
    assert {row.label for row in manifest.read(out)} == {"why?", "a:b."}


@pytest.mark.parametrize("classes", ["pain,boredom,neutral", "own"])
def test_what_was_written_with_own_classes_is_read_back_by_its_numbers_and_words(tmp_path, classes):
    once, again = tmp_path / "once", tmp_path / "again"
    source = three(tmp_path / "x")
    assert mien("prepare", "folder", source, "--out", once, "--classes", classes).exit_code == 0
    assert mien("prepare", "folder", once, "--out", again, "--classes", classes).exit_code == 0
    assert labels_of(again).targets == tuple(labels_of(once).targets)
    kept = {(row.path.split("/")[-1], row.label) for row in manifest.read(once)}
    assert {(row.path.split("/")[-1], row.label) for row in manifest.read(again)} == kept


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["--classes", "pain,Pain"], "a class is there twice: pain", 2),
        (["--classes", "pain"], "one class alone", 2),
        (["--classes", "pain,joy"], "no picture of joy", 1),
        (["--classes", ""], "an empty --classes", 2),
        (["--labels", "rafbd"], "no order of numbers called 'rafbd'", 2),
        (["--labels", "x" * 5000], "no order of numbers", 2),
        (["--labels", "gone.csv"], "no such file: gone.csv", 1),
        (["--columns", "path=IMG"], "no csv in", 1),
        (["--columns", "way=IMG"], "no column called 'way'", 2),
        (["--classes", "pain,boredom,neutral", "--no-neutral"], "--no-neutral", 2),
    ],
)
def test_bad_input_is_one_error_with_the_next_step_and_nothing_is_written(
    tmp_path, words, message, code
):
    out = tmp_path / "out"
    result = mien("prepare", "folder", three(tmp_path / "x"), "--out", out, *words)
    assert result.exit_code == code
    [first, fix] = result.stderr.splitlines()[-2:]
    assert message in first
    assert fix.startswith("  try: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x"]


def test_what_an_audit_took_out_stays_out_of_what_is_made_of_the_folder(tmp_path):
    files = own_files(1) | dict.fromkeys(["sadness/x.png", "anger/x.png"], encode(texture(500)))
    source = folder_of(tmp_path / "in", files)
    out = prepare(Settings("folder", str(source)), tmp_path / "data" / "out").folder
    assert len(listing_of("folder", out).items) == 8
    assert mien("audit", out, "--fix").exit_code == 0
    left = sorted(row.path for row in manifest.read(out))
    assert len(left) == 6
    for place in (out, tmp_path / "data"):  # itself, and in a folder
        listing = listing_of("folder", place)
        assert sorted(item.original.removeprefix("out/") for item in listing.items) == left
        assert [problem.reason for problem in listing.problems[:2]] == ["no label"] * 2
        assert listing.taken.total() == 6
    (out / "prepare.json").unlink()  # a folder of somebody else, whose tables are all read
    (out / "mine.csv").write_text("image,label\n" + "".join(f"{name},sad\n" for name in left))
    assert "contradictory labels" in {
        reason for _, reason in problems_in(listing_of("folder", out))
    }
