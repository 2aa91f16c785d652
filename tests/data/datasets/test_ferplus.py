"""FER+: votes become labels, joined to FER2013."""

from collections import Counter

import numpy as np
import pytest

from mien.data.datasets import Archive, read_listing
from mien.errors import BadDataError
from tests.support.dataset_listings import fer2013_csv, items_in, listing_of, problems_in
from tests.support.pictures import folder_of, texture

VOTES = "image,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


@pytest.fixture
def ferplus(tmp_path):
    """List pictures a, b, ... of train/happy joined with lines of votes."""

    def run(*votes, **options):
        names = "abcdefgh"[: len(votes)]
        lines = [f"{name}.jpg,{line}" for name, line in zip(names, votes, strict=True)]
        (tmp_path / "votes.csv").write_text("\n".join([VOTES, *lines]))
        archive = folder_of(tmp_path / "fer", {f"train/happy/{n}.jpg": b"" for n in names})
        return listing_of("ferplus", archive, labels=str(tmp_path / "votes.csv"), **options)

    return run


@pytest.mark.parametrize(
    ("votes", "verdict"),
    [
        ("0,10,0,0,0,0,0,0,0,0", "happiness"),
        ("10,0,0,0,0,0,0,0,0,0", "neutral"),
        ("0,0,0,0,0,6,4,0,0,0", "disgust"),
        ("0,0,5,5,0,0,0,0,0,0", "no majority"),
        ("0,0,0,4,3,0,3,0,0,0", "no majority"),
        ("1,1,1,1,4,1,1,0,0,0", "anger"),  # 4 of the 4 that are left without single votes
        ("1,1,1,1,1,1,1,1,1,1", "no majority"),
        ("0,0,0,0,0,0,0,8,2,0", "contempt"),
        ("0,2,0,0,0,0,0,0,8,0", "unknown"),
        ("0,0,0,0,0,0,0,0,0,10", "no face"),
    ],
)
def test_the_majority_of_the_votes_is_the_label(ferplus, votes, verdict):
    listing = ferplus("0,0,0,0,0,0,10,0,0,0", votes)
    given = [item.label for item in listing.items][1:] + [p.reason for p in listing.problems]
    assert given == [verdict]


def test_the_thresholds_of_ferplus_are_options(ferplus):
    def labels(**options):
        return [item.label for item in ferplus(*votes, **options).items]

    votes = ["0,4,3,0,3,0,0,0,0,0", "0,0,7,0,3,0,0,0,0,0", "1,0,0,0,0,0,9,0,0,0"]
    assert labels() == ["surprise", "fear"]
    assert labels(agreement=0.39) == ["happiness", "surprise", "fear"]
    assert labels(agreement=0.7) == ["fear"]  # 7 of 10 is not more than 0.7
    assert labels(outliers=3) == ["happiness", "surprise", "fear"]
    assert labels(soft=True) == ["happiness", "surprise", "fear"]


def test_where_every_vote_is_an_outlier_there_is_no_majority_that_soft_could_do_without(ferplus):
    listing = ferplus("0,9,0,0,0,0,0,0,0,0", "1,1,1,1,1,1,1,1,1,1", soft=True)
    assert [problem.reason for problem in listing.problems] == ["no majority"]


def test_soft_labels_are_the_shares_of_the_six_and_neutral(ferplus):
    listing = ferplus("2,3,0,1,0,0,0,2,2,0", soft=True)
    # sadness's single vote is dropped, contempt and unknown are not ours: 2 + 3 are left
    assert listing.items[0].soft == (0.6, 0, 0, 0, 0, 0, 0.4)


def test_pictures_without_votes_and_votes_without_pictures_are_named(tmp_path):
    votes = f"{VOTES}\na.jpg,0,9,0,0,0,0,0,0,0,0\ngone.jpg,0,9,0,0,0,0,0,0,0,0\n"
    votes += "twice.jpg,0,9,0,0,0,0,0,0,0,0\n"
    names = ["train/sad/a.jpg", "test/sad/b.jpg", "train/sad/twice.jpg", "train/fear/twice.jpg"]
    files = {**dict.fromkeys(names, b""), "v.csv": votes.encode()}
    listing = listing_of("ferplus", folder_of(tmp_path, files))
    assert items_in(listing) == [("train/sad/a.jpg", "happiness", "train")]
    assert problems_in(listing) == [
        ("gone.jpg", "missing file"),
        ("test/sad/b.jpg", "not voted on"),
        ("twice.jpg", "ambiguous name"),
    ]


def test_the_official_votes_join_the_original_csv_by_row(tmp_path, faces):
    lines = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,"
             "contempt,unknown,NF"]  # fmt: skip
    lines += [f"Training,fer000000{i}.png,0,{i},0,10,0,0,0,0,0,0" for i in range(5)]
    lines += ["PublicTest,,0,0,0,0,0,0,10,0,0,0"]  # a nameless row is the sixth
    files = {"fer2013.csv": fer2013_csv(faces), "fer2013new.csv": "\n".join(lines).encode()}
    with Archive(folder_of(tmp_path, files)) as archive:
        listing = read_listing("ferplus", archive, {})
        assert [(i.original[-10:], i.label, i.split) for i in listing.items][-2:] == [
            ("fer0000004", "sadness", "test"),
            ("fer0000005", "fear", "test"),
        ]
        np.testing.assert_array_equal(listing.items[4].picture(), faces[4])
    assert problems_in(listing) == [("fer2013.csv/fer0000006", "not voted on")]


def test_the_pictures_that_ferplus_writes_itself_have_their_splits(tmp_path):
    names = ["FER2013Train/fer0.png", "FER2013Valid/fer1.png", "FER2013Test/fer2.png"]
    lines = [f"fer{i}.png,0,9,0,0,0,0,0,0,0,0" for i in range(3)]
    files = {**dict.fromkeys(names, b""), "v.csv": "\n".join([VOTES, *lines]).encode()}
    listing = listing_of("ferplus", folder_of(tmp_path, files))
    assert [item.split for item in listing.items] == ["test", "train", "test"]


def test_without_votes_the_option_is_named(tmp_path):
    path = folder_of(tmp_path, {"train/sad/a.jpg": b"", "x.csv": b"image,label\na.jpg,1\n"})
    with pytest.raises(BadDataError, match=r"no votes in .*\n  try: .* --labels"):
        listing_of("ferplus", path)


def test_a_broken_line_of_votes_is_shown(ferplus):
    with pytest.raises(BadDataError, match=r"line 2 of the votes is no line of votes: a\.jpg,many"):
        ferplus("many")


def test_a_line_of_votes_that_ends_before_the_name_is_shown(tmp_path):
    header = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF,image name"
    table = f"{header}\n{','.join('0' * 10)}\n"
    path = folder_of(tmp_path, {"train/sad/a.jpg": b"", "votes.csv": table.encode()})
    with pytest.raises(BadDataError, match=r"line 2 of the votes is no line of votes: 0,0"):
        listing_of("ferplus", path)


@pytest.fixture
def faces():
    return [texture(seed, 48)[..., 0] for seed in range(7)]


@pytest.mark.data
def test_the_real_votes_join_all_but_two_of_one_name(data_dir):
    votes = str(data_dir / "ferplus-votes.csv")
    listing = listing_of("ferplus", data_dir / "fer2013.zip", labels=votes)
    reasons = Counter(problem.reason for problem in listing.problems)
    undecided = sum(reasons[r] for r in ("no majority", "contempt", "unknown", "no face"))
    assert len(listing.items) + undecided + reasons["ambiguous name"] == 23_627
    assert (len(listing.items), reasons["ambiguous name"]) == (20_395, 2)
    assert np.allclose([sum(item.soft) for item in listing.items], 1)
