"""Small inputs for every command that writes, and the commands; all from the portrait or drawn."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
PORTRAIT = ROOT / "src" / "mien" / "pictures" / "eileen_collins.jpg"

# Run in an empty folder; ../inputs holds what `make_inputs` made.
COMMANDS = {
    name: words.split()
    for name, words in {
        "predict": "predict ../inputs/photos --out out --crops --csv t.csv --threads 1",
        "scores": "scores ../inputs/crops --out t.csv --full --threads 1",
        "video": "video ../inputs/talk.mp4 --out o.mp4 --csv t.csv --json t.json --segments s.csv",
        "frames": "frames ../inputs/talk.mp4 --out out",
        "explain": "explain ../inputs/photos --method all --out out",
        "prepare": "prepare folder ../inputs/own --out out --test 0.2 --workers 1",
        "audit": "audit ../inputs/data --out t.csv --html p.html --json t.json",
        "evaluate": "evaluate shipped ../inputs/data --out out --pictures --report",
        "train": "train ../inputs/train.toml --out run --resume",
        "search": "search ../inputs/grid.toml --out found",
        "export": "export ../inputs/run --out m.onnx",
    }.items()
}
_CHILD = """
import sys
from mien.cli import main
sys.path.insert(0, {root!r})
sys.argv = ["mien", *{words!r}]
if sys.argv[1] in ("train", "search", "export"):
    from tests.support.tiny_network import tiny_in_zoo
    with tiny_in_zoo():
        main()
else:
    main()
"""


def starter(words):
    """The command line that runs ``mien WORDS`` with a network of 4,311 parameters to train."""
    return [sys.executable, "-c", _CHILD.format(root=str(ROOT), words=list(words))]


def make_inputs(folder):
    """Write pictures, a video, a data set, settings and a finished run into a new folder."""
    from mien.train import config, trainer
    from tests.support.pictures import encode, folder_of, own_files
    from tests.support.prepared_folder import write_crops
    from tests.support.tiny_network import settings_for, tiny_in_zoo
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
