"""What is typed arrives where the work is done, and what is not typed is the library's default."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mien.errors import OutputError
from tests.support.commands import mien


@pytest.fixture
def given_to(monkeypatch, tmp_path):
    """Notes what a function is given, and ends the command there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.cli._shared.cores", lambda: 4)

    def run(target, *words):
        calls = []

        def note(*given, **named):
            calls.append((given, named))
            raise OutputError("enough was seen", fix="none")

        monkeypatch.setattr(target, note)
        assert "enough was seen" in mien(*words).stderr
        [(given, _)] = calls
        return given

    return run


def test_options_of_serve(given_to):
    for module in ("fastapi", "fastapi_swagger", "uvicorn", "websockets", "prometheus_client"):
        pytest.importorskip(module)
    from mien.serve.settings import Settings

    words = ("--host", "0.0.0.0", "--port", 9, "--workers", 2, "--threads", 3, "--token", "t" * 40)
    words += ("--allow-origin", "https://a.org", "--allow-origin", "https://b.org")
    words += ("--model", "m.onnx", "--queue", 4, "--max-bytes", 5, "--max-pixels", 6)
    words += ("--max-memory", 7, "--max-pictures", 8, "--max-faces", 9, "--timeout", 10)
    words += ("--max-videos", 11, "--max-video-bytes", 12, "--max-video-time", 13, "--max-live", 14)
    settings, *where, _ = given_to("mien.serve.server.run_server", "serve", *words)
    origins = ("https://a.org", "https://b.org")
    chosen = Settings("m.onnx", 3, "t" * 40, origins, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
    assert (settings, where) == (chosen, ["0.0.0.0", 9, 2])


def test_defaults_of_serve_share_the_cores_out(given_to, monkeypatch):
    pytest.importorskip("fastapi")
    pytest.importorskip("fastapi_swagger")
    from mien.serve.settings import Settings

    monkeypatch.setattr("mien.cli.serve.cores", lambda: 4)
    settings, *where, _ = given_to("mien.serve.server.run_server", "serve", "--workers", 2)
    assert (settings, where) == (Settings(threads=2), ["127.0.0.1", 8000, 2])


def test_options_of_prepare(given_to):
    from mien.data.prepare.record import Settings

    prepare = "mien.data.prepare.pipeline.prepare"
    words = ("--frame", "--size", 48, "--quality", 90, "--gray", "--no-neutral", "--valid", 0.1)
    words += ("--test", 0.2, "--seed", 3, "--against", "a", "--against", "b", "--keep-leaks")
    settings, folder, _, workers = given_to(
        prepare, "prepare", "rafdb", "r.zip", *words, "--workers", 2
    )
    chosen = Settings("rafdb", "r.zip", True, 48, 90, ("a", "b"), True, False, 0.1, 0.2, 3)
    assert settings.keep_leaks
    for name in ("source", "archive", "frame", "side", "quality", "against", "gray", "neutral"):
        assert getattr(settings, name) == getattr(chosen, name), name
    assert (settings.valid, settings.test, settings.seed) == (0.1, 0.2, 3)
    assert (folder, workers) == (Path("data/rafdb-framed"), 2)


@pytest.mark.parametrize(("word", "gray"), [(None, None), ("--gray", True), ("--color", False)])
def test_pictures_stay_as_they_are_unless_gray_or_color_is_typed(given_to, word, gray):
    words = ("prepare", "rafdb", "r.zip", *filter(None, (word,)))
    settings, folder, *_ = given_to("mien.data.prepare.pipeline.prepare", *words)
    found = (settings.gray, settings.frame, settings.neutral, settings.keep_leaks, settings.seed)
    assert found == (gray, False, True, False, 0)
    assert (settings.valid, settings.test, folder) == (0, 0, Path("data/rafdb"))


def test_options_of_frames(given_to):
    pytest.importorskip("av")
    from mien.data.video_crops import CropOptions

    words = ("--per-second", 2.5, "--size", 48, "--quality", 90, "--workers", 3)
    cut = "mien.data.video_crops.cut_faces"
    video, out, options, *_, workers = given_to(cut, "frames", "a.mp4", "--out", "o", *words)
    assert (video, out, workers) == (Path("a.mp4"), Path("o"), 3)
    assert options == CropOptions(1, 2.5, 48, 90, None)
    _, _, options, *_ = given_to(cut, "frames", "a.mp4", "--out", "o", "--every", 7)
    assert options == CropOptions(every=7)


def test_options_of_augment(given_to, tmp_path):
    pytest.importorskip("kornia")
    (tmp_path / "c.toml").write_text("rotate = 9.0\n")
    words = ("--copies", 3, "--seed", 4, "--quality", 90, "--workers", 2, "--out", "o")
    write = "mien.train.copies.write_copies"
    folder, target, chosen, _, workers = given_to(write, "augment", "in", "c.toml", *words)
    assert (folder, target, workers) == (Path("in"), Path("o"), 2)
    assert (chosen.copies, chosen.seed, chosen.quality) == (3, 4, 90)
    assert chosen.strength.rotate == 9
    _, _, chosen, *_ = given_to(write, "augment", "in", "c.toml")
    assert (chosen.copies, chosen.seed, chosen.quality) == (1, 0, 95)


@pytest.mark.parametrize("words", [(), ("--seed", 0, "--epochs", 3, "--resume", "--out", "o")])
@pytest.mark.parametrize("folds", [0, 3])
def test_options_of_train(given_to, tmp_path, words, folds):
    for module in ("torch", "kornia", "matplotlib", "safetensors"):
        pytest.importorskip(module)
    held = f"folds = {folds}\nhold_out = 0.0\n" if folds else ""
    (tmp_path / "c.toml").write_text(f'data = ["in"]\nseed = 7\nepochs = 9\n{held}')
    if folds:
        by_folds = "mien.train.cross_validate.train_by_folds"
        settings, run, resume, *_ = given_to(by_folds, "train", "c.toml", *words)
    else:
        first = "mien.train.run.refuse_other_run"
        run, settings, resume = given_to(first, "train", "c.toml", *words)
    found = (settings.seed, settings.epochs, run, resume)
    assert found == ((0, 3, Path("o"), True) if words else (7, 9, Path("runs/c"), False))


def test_options_of_export(given_to):
    for module in ("torch", "kornia", "onnx", "safetensors"):
        pytest.importorskip(module)
    words = ("--with", "miennet", "--name", "both", "--out", "b.onnx")
    run, target, metrics, others, name, *_ = given_to(
        "mien.train.export.export", "export", "runs/a", *words
    )
    assert (run, target, metrics, name) == (Path("runs/a"), Path("b.onnx"), {}, "both")
    assert others == ("miennet",)
    _, target, *_ = given_to("mien.train.export.export", "export", "runs/a")
    assert target == Path("runs/a/a.onnx")


def test_options_of_search(given_to, tmp_path):
    for module in ("torch", "kornia", "matplotlib", "safetensors", "sklearn"):
        pytest.importorskip(module)
    (tmp_path / "g.toml").write_text('data = ["in"]\nseed = [0, 1]\n')
    search = "mien.train.search.search"
    words = ("--prune", "--limit", 12, "--out", "o")
    points, folder, prune, *_ = given_to(search, "search", "g.toml", *words)
    assert (folder, prune, {point.limit for point in points.points}) == (Path("o"), True, {12})
    points, folder, prune, *_ = given_to(search, "search", "g.toml")
    assert (folder, prune) == (Path("searches/g"), False)
    assert {point.limit for point in points.points} == {0}


def test_options_of_reproduce(given_to):
    for module in ("torch", "kornia", "matplotlib", "safetensors"):
        pytest.importorskip(module)
    words = ("--only", "cnn15", "--protocol", "paper", "--seeds", 3, "--table", "later")
    rows = "mien.train.paper.table_runs"
    assert given_to(rows, "reproduce", *words) == ("later", "cnn15", "paper", 3)
    assert given_to(rows, "reproduce") == ("1", None, "both", 1)


def test_options_of_video_open_the_film(given_to):
    pytest.importorskip("av")
    pytest.importorskip("lap")
    opened = "mien.media.sources.open_video"
    words = ("--rate", 5, "--allow-network", "--out", "o.mp4")
    assert given_to(opened, "video", "rtsp://a/b", *words) == ("rtsp://a/b", 5, True, True)
    assert given_to(opened, "video", "a.mp4", "--csv", "t.csv") == ("a.mp4", 0, False, False)


@pytest.fixture
def any_film(monkeypatch):
    pytest.importorskip("av")
    pytest.importorskip("lap")
    monkeypatch.setattr("mien.cli.video._open", lambda *_: SimpleNamespace(files=()))


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (("--json", "t.json"), (1, 0.3, True)),
        (("--out", "o.mp4", "--every", 3, "--smooth", 0), (3, 0, True)),
        (("--csv", "t.csv"), (1, 0.3, False)),  # where no map is shown, none is computed
        (("--json", "t.json", "--no-heatmap"), (1, 0.3, False)),
    ],
)
def test_options_of_video_say_what_is_read_in_frames(given_to, any_film, words, chosen):
    from mien.recognize.video import Choice

    target = "mien.recognize.video.VideoRecognizer"
    _, choice = given_to(target, "video", "a.mp4", *words)
    assert choice == Choice(*chosen)


def test_options_of_video_choose_the_network(given_to, any_film):
    words = ("--csv", "t.csv", "--model", "m.onnx", "--threads", 3, "--six")
    target = "mien.recognize.recognizer.Recognizer"
    assert given_to(target, "video", "a.mp4", *words) == (Path("m.onnx"), 3, True)
    assert given_to(target, "video", "a.mp4", "--csv", "t.csv") == (None, 1, False)


@pytest.mark.parametrize("name", ["per_second", "all_frames", "measured", "probabilities"])
def test_options_of_video_choose_rows(given_to, any_film, name):
    option = f"--{name.replace('_', '-')}"
    words = ("--csv", "t.csv", "--summary", "s.csv", option)
    rows, tables, summary = given_to("mien.cli.video.FilmTables", "video", "a.mp4", *words)
    switches = ("film", "per_second", "all_frames", "measured", "probabilities")
    assert [switch for switch in switches if getattr(rows, switch)] == [name]
    assert (tables["csv"], summary) == (Path("t.csv"), Path("s.csv"))


@pytest.mark.parametrize("word", ["--landmarks", "--no-heatmap"])
def test_options_of_video_choose_what_is_drawn(given_to, any_film, word):
    drawn = given_to("mien.show.annotate.Overlay", "video", "a.mp4", "--out", "o.mp4", word)
    assert drawn[:2] == (word != "--no-heatmap", word == "--landmarks")
