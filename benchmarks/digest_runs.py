"""The commands that `digests.py` runs, as somebody would type them.

A line is `NAME: COMMAND`; lines without a name go on in the same folder. Each name has a folder of
its own, in which its commands run; `../given/` holds the input and `../OTHER/` what another wrote.
`replace FILE OLD NEW` changes a file in between, here to make a finished run one that was stopped.
Left out, because each takes minutes: `mien reproduce --table 4` to its end (24 runs of the paper's
cnn15; `search` goes through the same code) and whole tables 1 and later (one small row stands for
them). Left out, because not everybody has them: cameras, Ray, several devices.
Left out, because it ends in a traceback with line numbers: an .mp4 whose index is at its end, by
standard input.
"""

__all__ = ["COMMANDS", "NETWORKS", "RUNS", "needed"]

COMMANDS = (
    "predict", "scores", "video", "explain", "demo", "models", "prepare", "frames", "audit",
    "stats", "show-augmentation", "train", "search", "reproduce", "evaluate", "export", "regions",
    "faithful",
)  # fmt: skip

NETWORKS = (
    "cnn13", "cnn15", "cnn15-dropout", "cnn16-se", "cnn17", "resnet18", "resnet34", "vgg16-bn",
    "res25-se",
)  # fmt: skip
# The runs whose files settings in `../given/` name.
_BY_SETTINGS = {
    "train.toml": ("prepare-many",),
    "deep.toml": ("prepare-many",),
    "shuffled.toml": ("prepare-many",),
    "grid.toml": ("prepare-many",),
    "pupil.toml": ("prepare-many", "train"),
    "votes.toml": ("prepare-fer2013", "prepare-ferplus"),
    **{f"{name}.toml": ("prepare-fer2013",) for name in NETWORKS},
}

_TEXT = """
version: --version
models: models
demo: demo
    demo --out named/other.jpg

predict-table: predict ../given/portrait.jpg ../given/photos --threads 1
predict-json: predict ../given/portrait.jpg ../given/photos --json --threads 1
predict-files: predict ../given/photos --out out --csv faces.csv --regions --crops --threads 1
predict-six: predict ../given/photos --six --threads 1 --csv faces.csv
predict-flip: predict ../given/photos --flip --json --threads 1
predict-plain: predict ../given/photos --no-heatmap --out out --json --threads 1
predict-unreadable: predict ../given/mixed --out out --csv faces.csv --json --threads 1
    predict ../given/mixed --threads 1
predict-limit: predict ../given/mixed --max-pixels 100000 --threads 1
predict-model: predict ../given/portrait.jpg --model miennet --threads 1
    predict ../given/portrait.jpg --model ../train/run/run.onnx --threads 1 --json

scores: scores ../given/many/test --threads 1
    scores ../given/many/test --threads 1 --out a/full.csv --full
    scores ../given/many/test --threads 1 --out flip.csv --flip --full
    scores ../given/own --threads 1 --out own.csv
    scores ../given/many/test --threads 1 --out ours.csv --full --model ../train/run/run.onnx

video-table: video ../given/talk.mp4
video-all: video ../given/talk.mp4 --csv a.csv --json a.jsonl --segments s.csv --plot a.png --out a.mp4
video-plain: video ../given/talk.mp4 --no-heatmap --out a.mp4 --landmarks --json a.jsonl
video-every: video ../given/two.avi --every 3 --csv a.csv --out a.mp4 --segments s.csv --json a.jsonl
video-six: video ../given/two.avi --six --smooth 0 --seconds 0.7 --csv a.csv --plot a.png
video-pictures: video ../given/frames/%03d.jpg --rate 5 --csv a.csv --out a.mp4
video-stdin: video - --csv a.csv < ../given/two.avi
video-cut: video ../given/cut.avi --csv a.csv --out a.mp4
video-model: video ../given/two.avi --model ../train/run/run.onnx --csv a.csv --seconds 0.3

frames: frames ../given/talk.mp4 --out all
    frames ../given/two.avi --out some --every 4 --size 48 --quality 80
    frames ../given/talk.mp4 --out rate --per-second 3

explain-cam: explain ../given/portrait.jpg --method cam --out a.png
explain-grad-cam: explain ../given/portrait.jpg --out a.png
explain-grad-cam++: explain ../given/portrait.jpg --method grad-cam++ --out a.png
explain-hirescam: explain ../given/portrait.jpg --method hirescam --out a.png
explain-layercam: explain ../given/portrait.jpg --method layercam --out a.png
explain-score-cam: explain ../given/portrait.jpg --method score-cam --out a.png
explain-eigen-cam: explain ../given/portrait.jpg --method eigen-cam --out a.png
explain-occlusion: explain ../given/portrait.jpg --method occlusion --out a.png
explain-all: explain ../given/portrait.jpg --method all --out a.png
    explain ../given/portrait.jpg --method all --class all --out b.png
explain-class: explain ../given/portrait.jpg --class all --out a.svg
    explain ../given/portrait.jpg --class fear --out a.pdf
    explain ../given/portrait.jpg --class disgust --method cam --out a.jpg
    explain ../given/portrait.jpg --class sadness --out a.webp
explain-activations: explain ../given/portrait.jpg --activations --out a.png
explain-folder: explain ../given/photos --class surprise
explain-unreadable: explain ../given/mixed ../given/photos/empty.png --out out
explain-crop: explain ../given/own/test --crop --out out
explain-run: explain ../given/portrait.jpg --model ../train/run --method all --out a.png
    explain ../given/portrait.jpg --model ../train/run --layer features.4 --method layercam --out b.png
    explain ../given/portrait.jpg --model ../train/run --layer features.0 --activations --out c.png
    explain ../given/portrait.jpg --model ../train/run --method integrated-gradients --out d.png
explain-export: explain ../given/portrait.jpg --model ../train/run/run.onnx --method all --out a.png

prepare-own: prepare folder ../given/own --out data --workers 1 --valid 0.2
    prepare folder ../given/own --out data --workers 1 --valid 0.2
    prepare folder ../given/own --out data --workers 1 --valid 0.1
prepare-leaks: prepare folder ../given/own --out data --workers 1 --keep-leaks
prepare-many: prepare folder ../given/many --out data --workers 1
prepare-shared: prepare folder ../given/own --out data --workers 2 --no-neutral --gray --size 48
prepare-named: prepare folder ../given/named --out data --workers 1 --frame --keep-leaks --quality 90
    prepare folder ../given/named --out as-is --workers 1 --as-is --color --quality 80 --size 80
    prepare folder ../given/named/people --labels ../given/named/labels.csv --out beside --workers 1
prepare-rafdb: prepare rafdb ../given/databases/rafdb.zip --workers 1
    prepare rafdb ../given/databases/rafdb-official --workers 1 --frame
prepare-fer2013: prepare fer2013 ../given/databases/fer2013.zip --out data --workers 1
    prepare fer2013 ../given/databases/fer2013-table --out table --workers 1 --valid 0.3
prepare-ferplus: prepare ferplus ../given/databases/fer2013-table --labels ../given/databases/ferplus-votes.csv --out data --workers 1
    prepare ferplus ../given/databases/fer2013-table --labels ../given/databases/ferplus-votes.csv --out soft --soft --outliers 2 --agreement 0.6 --workers 1
prepare-ckplus: prepare ckplus ../given/databases/ckplus.zip --out data --workers 1 --test 0.25
    prepare ckplus ../given/databases/ckplus-official --out official --workers 1
prepare-tfeid: prepare tfeid ../given/databases/tfeid.zip --out data --workers 1 --valid 0.25
prepare-affectnet: prepare affectnet ../given/databases/affectnet-subset.zip --out data --workers 1
    prepare affectnet ../given/databases/affectnet-official --out official --workers 1 --frame
prepare-gimefive: prepare gimefive ../given/databases/gimefive-valid.zip --out data --workers 1
prepare-disfa: prepare disfa ../given/databases/disfa --out data --workers 1 --every 2
    prepare disfa ../given/databases/disfa --out strong --workers 1 --every 4 --intensity 4 --frame
prepare-against: prepare folder ../given/own --out data --workers 1 --against ../prepare-named/as-is --against ../prepare-many/data
    prepare folder ../given/own --out framed --workers 1 --against ../prepare-named/data
    prepare folder ../given/own/train --out train --workers 1 --against ../prepare-own/data

audit: audit ../prepare-leaks/data ../prepare-own/data --out a.csv --html a.html --json a.json
    audit ../prepare-ckplus/data ../prepare-tfeid/data ../prepare-many/data --json b.json
audit-fix: prepare folder ../given/own --out data --workers 1 --keep-leaks
    audit data --fix --out a.csv --json a.json
    audit data --fix
stats: stats ../prepare-own/data ../prepare-rafdb/data/rafdb ../prepare-fer2013/data --csv a.csv --markdown a.md --plot a.png
    stats ../prepare-many/data
show-augmentation: show-augmentation ../given/train.toml --draws 3
    show-augmentation ../given/train.toml --all --seed 4 --out all.png
    show-augmentation ../given/elsewhere.toml --draws 2 --out portrait.png

train: train ../given/train.toml --out run
    export run
train-again: train ../given/train.toml --epochs 1 --seed 5
    train ../given/train.toml --epochs 1 --seed 5
    train ../given/train.toml --epochs 1 --seed 5 --resume
    train ../given/train.toml --epochs 2 --seed 5 --resume
    replace runs/train/config.toml "epochs = 1" "epochs = 2"
    train ../given/train.toml --epochs 2 --seed 5 --resume
train-more: train ../given/pupil.toml --out pupil
    train ../given/votes.toml --out votes
    train ../given/shuffled.toml --out shuffled
train-deep: train ../given/deep.toml --out deep
    export deep --out deep.onnx
    predict ../given/portrait.jpg --model deep.onnx --threads 1
    explain ../given/portrait.jpg --model deep.onnx --method all --out b.png
    explain ../given/portrait.jpg --model deep --layer features.2 --out c.png
search: search ../given/grid.toml --prune
    search ../given/grid.toml
    search ../given/other-grid.toml --out searches/grid
reproduce-1: reproduce --table 1 --only rafdb-cnn10 --limit 30 --epochs 1 --data ../given/databases
reproduce-2: reproduce --table 2 --data ../given/databases
reproduce-3: reproduce --table 3 --data ../given/databases
reproduce-4: reproduce --table 4 --data ../given/nothing

evaluate: evaluate shipped ../prepare-many/data --out out --pictures --report
    evaluate shipped ../prepare-own/data --split valid
evaluate-flip: evaluate ../train/run/run.onnx ../prepare-many/data --flip --against shipped --out out
    export ../train/run --out with.onnx --metrics out/data-test-flip.json
regions: regions shipped ../prepare-own/data ../prepare-many/data --out a.json
    regions ../train/run/run.onnx ../prepare-own/data --split train
faithful: faithful shipped ../prepare-own/data --pictures 4 --sanity 3 --threads 1 --out a.json --csv a.csv --plot a.png
faithful-run: faithful ../train/run/run.onnx ../prepare-own/data --pictures 3 --sanity 2 --threads 1 --run ../train/run --shuffled ../train-more/shuffled --method cam --method occlusion --out a.json

wrong-command: predcit ../given/portrait.jpg
wrong-option: predict ../given/portrait.jpg --jsno
wrong-nothing: predict
wrong-file: predict ../given/gone.jpg
    explain ../given/gone.jpg
    video ../given/gone.mp4
    frames ../given/gone.mp4 --out out
    scores ../given/gone
    prepare rafdb ../given/gone.zip --out out
    audit ../given/gone
    stats ../given/gone
    train ../given/gone.toml
    search ../given/gone.toml
    evaluate gone.onnx ../prepare-many/data
    evaluate shipped ../given/gone
    export ../given/gone
wrong-empty: predict ../given/nothing
    scores ../given/nothing
    prepare folder ../given/nothing --out out
    stats ../given/nothing
wrong-kind: predict ../given/train.toml
    video ../given/portrait.jpg
    video ../given/broken.jpg --csv a.csv
    frames ../given/train.toml --out out
    prepare rafdb ../given/many --out out
    prepare disfa ../given/many --out out
    predict ../given/portrait.jpg --model ../given/broken.jpg
    explain ../given/portrait.jpg --model ../given/nothing --out a.png
    evaluate ../given/talk.mp4 ../prepare-many/data
wrong-model: predict ../given/portrait.jpg --model miennett
    train ../given/no-model.toml --out run
wrong-method: explain ../given/portrait.jpg --method gradcam
    explain ../given/portrait.jpg --method integrated-gradients --out a.png
    faithful shipped ../prepare-own/data --method gradcam
wrong-class: explain ../given/portrait.jpg --class happy
wrong-layer: explain ../given/portrait.jpg --layer features.9 --out a.png
    explain ../given/portrait.jpg --model ../train/run --layer features.99 --out a.png
wrong-target: explain ../given/portrait.jpg --out a.bmp
    explain ../given/photos --out a.png
    video ../given/talk.mp4 --out a.avi
    predict ../given/portrait.jpg --csv ../given/portrait.jpg
    demo --out a.xyz
wrong-name: prepare rafbd ../given/databases/rafdb.zip --out out
    reproduce --only rafdb-cnn99
wrong-split: evaluate shipped ../prepare-many/data --split valid
    regions shipped ../prepare-many/data --split holdout
wrong-setting: train ../given/misspelt.toml
    train ../given/outside.toml
    train ../given/broken.toml
    train ../given/elsewhere.toml
wrong-value: predict ../given/portrait.jpg --threads -1
    video ../given/talk.mp4 --every 0
    reproduce --table 5
wrong-clash: predict ../given/portrait.jpg --crops
    predict ../given/portrait.jpg --csv a.csv --regions --no-heatmap
    frames ../given/talk.mp4 --out out --every 2 --per-second 3
    audit ../prepare-own/data --out a.csv --json a.csv
    evaluate shipped ../prepare-many/data --report
    faithful shipped ../prepare-own/data --shuffled ../train/run
    reproduce --table 3 --only rafdb
    video ../given/talk.mp4 --rate 5
    video ../given/talk.mp4 --csv a.csv --json a.csv
    export ../train/run --metrics ../given/train.toml
"""  # noqa: E501


def _read() -> dict[str, list[str]]:
    runs = {"help": ["--help", "-h", *(f"{name} --help" for name in COMMANDS)]}
    for line in filter(None, _TEXT.splitlines()):
        if line.startswith(" "):
            runs[list(runs)[-1]].append(line.strip())
        else:
            name, _, command = line.partition(": ")
            runs[name] = [command]
    runs["networks"] = [f"train ../given/{name}.toml --out {name}" for name in NETWORKS]
    return runs


RUNS = _read()


def needed(prefix: str) -> list[str]:
    """List what a part of the runs takes.

    Args:
        prefix: of the names wanted; "" for all.

    Returns:
        Their names and those of the runs whose files they use, these first.
    """
    found: list[str] = []

    def add(name: str) -> None:
        for word in " ".join(RUNS[name]).split():
            _, _, place = word.rpartition("../")
            other = place.partition("/")[0]
            used = _BY_SETTINGS.get(place.removeprefix("given/"), (other,))
            for one in used:
                if word.startswith("../") and one in RUNS and one not in found:
                    add(one)
        if name not in found:
            found.append(name)

    for name in RUNS:
        if name.startswith(prefix):
            add(name)
    return found
