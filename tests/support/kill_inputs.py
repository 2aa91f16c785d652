"""Small inputs for every command that writes, and the commands; all from the portrait or drawn."""

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image

from mien.cli import main
from tests.support.tiny_network import settings_for, tiny_in_zoo

ROOT = Path(__file__).parents[2]
PORTRAIT = ROOT / "src" / "mien" / "pictures" / "eileen_collins.jpg"

# Run in an empty folder; ../inputs holds what `make_inputs` made.
COMMANDS = {
    name: words.split()
    for name, words in {
        "predict": "predict ../inputs/photos --out out --crops --csv t.csv --threads 1",
        "predict in threads": "predict ../inputs/photos --out out --crops --csv t.csv --workers 2",
        "predict on": "predict ../inputs/photos --csv t.csv --parquet t.parquet --resume",
        "scores on": "scores ../inputs/crops --out t.csv --full --resume",
        "scores": "scores ../inputs/crops --out t.csv --full --threads 1",
        "video": "video ../inputs/talk.mp4 --out o.mp4 --csv t.csv --json t.json --segments s.csv",
        "films": "video ../inputs --films --csv t.csv --parquet t.parquet --summary s.csv",
        "frames": "frames ../inputs/talk.mp4 --out out",
        "explain": "explain ../inputs/photos --out out",
        "prepare": "prepare folder ../inputs/own --out out --test 0.2 --workers 1",
        "audit": "audit ../inputs/few --out t.csv --html p.html --json t.json",
        "evaluate": "evaluate shipped ../inputs/data --out out --pictures --report",
        "train": "train ../inputs/train.toml --out run --resume",
        "search": "search ../inputs/grid.toml --out found",
        "export": "export ../inputs/run --out m.onnx",
    }.items()
}
# All but onnxruntime and pyarrow, which start a thread: a process with threads is not copied.
# scikit-learn imports pandas where it is installed, and that pyarrow.
_IMPORTED = ("av", "cv2", "kornia.augmentation", "matplotlib.backends.backend_agg", "onnx",
             "sqlite3", "torch", "torch.onnx")  # fmt: skip


def import_all():
    """Import what the commands need, so that a forked one begins to work at once."""
    for name in _IMPORTED:
        import_module(name)


def start(words, folder):
    """Start ``mien WORDS`` in a folder, in a copy of this process; return its number.

    What it prints goes to ``said.txt`` beside the folder. ``tiny``, of 4,311 parameters, can be
    trained.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("a process with threads cannot be copied")
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        said = os.open(folder.parent / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.setsid()
        os.chdir(folder)
        sys.argv = ["mien", *words]
        with tiny_in_zoo():
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code or 0)


def make_inputs(folder):
    """Write pictures, a video, a data set, settings and a finished run into a new folder."""
    from mien.train import config, trainer
    from tests.support.pictures import encode, folder_of, own_files
    from tests.support.prepared_folder import write_crops
    from tests.support.video_files import clip

    with Image.open(PORTRAIT) as image:
        face = np.asarray(image.convert("RGB").resize((256, 256)))
    shifted = [np.roll(face, 2 * number, axis=1) for number in range(12)]
    photos = {f"photos/{number}.png": encode(rgb, "PNG") for number, rgb in enumerate(shifted[:6])}
    crops = {f"crops/{number:02}.jpg": encode(face[20:220, 30:230]) for number in range(80)}
    own = {f"own/{name}": data for name, data in own_files(12).items()}
    folder_of(folder, photos | crops | own)
    clip(folder / "talk.mp4", shifted * 2)
    data = write_crops(folder / "data", train=88, test=8)
    few = write_crops(folder / "few", train=8)
    settings = settings_for(few, epochs=4)
    (folder / "train.toml").write_text(config.to_toml(settings))
    lines = config.to_toml(settings_for(few, epochs=2)).splitlines()
    lines = [line for line in lines if not line.startswith("rate ")]
    (folder / "grid.toml").write_text("\n".join([*lines, "rate = [0.01, 0.1, 0.2]"]) + "\n")
    with tiny_in_zoo():  # half of 616 crops are held out: export wants 256
        trainer.train(settings_for(data, epochs=1, hold_out=0.5), folder / "run")
    return folder
