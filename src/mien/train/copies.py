"""Altered copies of training crops on disk, as the paper's report enlarges its dataset.

Pipeline: training rows of a prepared folder -> parts -> each changed by `mien.train.augment` with a
seed of its own -> files -> manifest, labels and origins. Every crop is written whole, so the same
call goes on after a stop; the manifest is written last, when all crops are there. The result
depends on the settings and the folder alone, not on the number of processes.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien.data import manifest
from mien.data.label_file import labels_of, write_labels
from mien.data.manifest import ALTERED, Row
from mien.data.prepare.crops import as_jpeg
from mien.documents import parse_json, read_text
from mien.errors import BadDataError, BadImageError, BadSettingError
from mien.labels import PAPER, LabelSet
from mien.media import images
from mien.media.parallel import share
from mien.media.parts import remove_leftovers
from mien.media.writers import open_table, write_bytes, write_text
from mien.pixels import U8
from mien.train.augment import OFF, Augment, Strength

__all__ = ["Copies", "CopySettings", "write_copies"]

_RECORD = "augment.json"
_PART = 64  # crops changed at once, with one seed
_MIXING = ("mixup", "cutmix")
_ORIGINS = ("path", "of", "original", "copy")
_Task = tuple[int, int, Sequence[Row]]  # number of the copy, number of the part, its rows
_Made = tuple[Row, Row] | tuple[str, str]  # a crop and its copy; or a path and why it has none


@dataclass(frozen=True, slots=True)
class CopySettings:
    """What copies to write.

    Attributes:
        strength: of the changes, see `mien.train.augment`; mixtures of two crops have no label and
            are refused.
        copies: of each training crop.
        seed: of the draws.
        quality: of the JPEG files, 1 to 100.
    """

    strength: Strength
    copies: int = 1
    seed: int = 0
    quality: int = 95

    def __post_init__(self) -> None:
        """Refuse what makes no copies, or copies without a label."""
        for name in _MIXING:
            if getattr(self.strength, name):
                raise BadSettingError(
                    f"{name} is {getattr(self.strength, name)}: a mixture of crops has no label",
                    fix=f"set {name} = 0; mien train mixes crops as it goes",
                )
        if self.strength == OFF:
            raise BadSettingError("every change is at 0", fix="give a strength, like rotate = 15")
        if self.copies < 1:
            raise BadSettingError(f"copies is {self.copies}", fix="give a number from 1")


@dataclass(frozen=True, slots=True)
class Copies:
    """What was written.

    Attributes:
        folder: where the copies are.
        originals: training crops that have copies.
        written: copies.
        unreadable: crops that could not be read, each with the reason; they have no copies.
        fresh: False when all was there before and nothing was done.
    """

    folder: Path
    originals: int
    written: int
    unreadable: dict[str, str]
    fresh: bool = True


def write_copies(
    folder: Path,
    out: Path,
    settings: CopySettings,
    progress: Callable[[Sequence[_Task]], Iterable[_Task]] = lambda tasks: tasks,
    workers: int = 1,
) -> Copies:
    """Write altered copies of a prepared folder's training crops, with their tables.

    Args:
        folder: what ``mien prepare`` wrote; it is only read.
        out: receives the copies, grey as every network sees them, of the crops' own side;
            ``manifest.csv``, whose `original` is the picture that a copy was made of;
            ``labels.csv``; ``copies.csv``, the crop that each copy was made of; ``augment.json``.
        settings: of the copies.
        progress: wraps the parts, to show how many are done.
        workers: processes that share the work.

    Returns:
        What was written.

    Raises:
        BadDataError: if `folder` has no training crops or holds copies itself, or if `out` holds
            something else.
        OutputError: if `out` cannot be written.
    """
    rows, classes = _training_rows(folder, out), labels_of(folder)
    record = _record(folder, rows, settings)
    if _is_begun(out, record) and (out / manifest.NAME).exists():
        return replace(_read_report(out), fresh=False)
    write_text(json.dumps(record, indent=1) + "\n", out / _RECORD)
    parts = [rows[start : start + _PART] for start in range(0, len(rows), _PART)]
    tasks = [(k, n, part) for k in range(1, settings.copies + 1) for n, part in enumerate(parts)]
    made: list[_Made] = []
    copier = partial(_Copier, folder, out, settings)
    with closing(share(copier, progress(tasks), workers)) as results:
        for done in results:
            made += done
    return _finish(out, made, record, classes)


def _training_rows(folder: Path, out: Path) -> list[Row]:
    """The rows to copy, in an order that does not depend on the manifest's."""
    source, target = folder.resolve(), out.resolve()
    if source.is_relative_to(target) or target.is_relative_to(source):
        raise BadDataError(f"{out} and {folder} lie in each other", fix="choose another --out")
    rows = [row for row in manifest.read(folder) if row.split == "train"]
    if not rows:
        raise BadDataError(f"no training crops in {folder}", fix="name a folder that has some")
    if any(row.framing == ALTERED for row in rows):
        raise BadDataError(f"{folder} holds altered copies", fix="name the folder they are made of")
    return sorted(rows, key=lambda row: row.path)


def _record(folder: Path, rows: Sequence[Row], settings: CopySettings) -> dict[str, Any]:
    """What the copies depend on: a name instead of a path, so that data may be moved."""
    listed = "\n".join(",".join(manifest.cells(row)) for row in rows)
    digest = hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest()
    return {"of": folder.resolve().name, "rows_sha256": digest, **asdict(settings)}


def _is_begun(out: Path, record: dict[str, Any]) -> bool:
    """Tell whether a folder was begun with these settings; one of other settings is refused."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    found = _read(out)
    found.pop("report", None)
    if found != record:
        raise BadDataError(
            f"{out} exists and was not made with these settings of these crops",
            fix="choose another --out, or remove that folder",
        )
    return True


def _read(out: Path) -> dict[str, Any]:
    """Read the record; a file that is none of ours counts as empty."""
    try:
        record = parse_json(read_text(out / _RECORD))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _read_report(out: Path) -> Copies:
    try:
        report = _read(out)["report"]
        return Copies(out, report["originals"], report["written"], dict(report["unreadable"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadDataError(
            f"{out / _RECORD} is damaged: it does not say what was written ({error!r})",
            fix="choose another --out, or remove that folder and write it again",
        ) from error


class _Copier:
    """Makes the copies of one part; one in each process."""

    def __init__(self, folder: Path, out: Path, settings: CopySettings) -> None:
        self._folder, self._out, self._settings = folder, out, settings

    def __call__(self, task: _Task) -> list[_Made]:
        """Write what is not there yet; what is there is whole."""
        copy, _, rows = task
        paths = [_path(row, copy) for row in rows]
        there = [(self._out / path).exists() for path in paths]
        made: list[_Made] = []
        crops: list[U8 | str] = [] if all(there) else self._changed(task)
        for number, (row, path) in enumerate(zip(rows, paths, strict=True)):
            if not there[number]:
                crop = crops[number]
                if isinstance(crop, str):
                    made.append((row.path, crop))
                    continue
                write_bytes(as_jpeg(crop, self._settings.quality), self._out / path)
            image, _ = images.load_stored((self._out / path).read_bytes(), path)
            digest = manifest.hash_pixels(np.asarray(image))
            made.append((row, replace(row, path=path, sha256=digest, framing=ALTERED)))
        return made

    def _changed(self, task: _Task) -> list[U8 | str]:
        """The changed crops of a part, each of its own side; or why one cannot be read."""
        copy, part, rows = task
        found: list[U8 | str] = []
        for row in rows:
            try:
                found.append(images.read_rgb(self._folder / row.path))
            except BadImageError as error:
                found.append(error.message)
        for shape in sorted({crop.shape for crop in found if not isinstance(crop, str)}):
            same = [n for n, c in enumerate(found) if not isinstance(c, str) and c.shape == shape]
            batch = np.stack([found[number] for number in same])
            key = f"{self._settings.seed}:{copy}:{part}:{shape[0]}x{shape[1]}"
            for number, crop in zip(
                same, _changed(batch, self._settings.strength, key), strict=True
            ):
                found[number] = crop
        return found


def _changed(crops: U8, strength: Strength, key: str) -> U8:
    """Change crops of one shape (N, side, side, 3) to (N, side, side), drawn by the key."""
    threads = torch.get_num_threads()  # one here: sums would depend on how many there are
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1)
            batch = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
            gray = Augment(strength, side=crops.shape[1])(batch)
            changed: U8 = (gray[:, 0] * 255).round().clamp(0, 255).to(torch.uint8).numpy()
            return changed
    finally:
        torch.set_num_threads(threads)


def _path(row: Row, copy: int) -> str:
    return f"{row.path.removesuffix('.jpg')}-copy{copy}.jpg"


def _finish(out: Path, made: Sequence[_Made], record: dict[str, Any], classes: LabelSet) -> Copies:
    """Write the tables, the manifest last: without it the folder is not used."""
    unreadable = {path: str(reason) for path, reason in made if isinstance(path, str)}
    pairs = [(of, copy) for of, copy in made if isinstance(of, Row) and isinstance(copy, Row)]
    originals = {of.path for of, _ in pairs}
    if not pairs:
        path, reason = next(iter(unreadable.items()))
        raise BadDataError(f"no crop can be read; {path}: {reason}", fix="prepare the folder again")
    with open_table(out / "labels.csv", ("image", "label")) as table:
        table.writerows((copy.path, classes.index(copy.label)) for _, copy in pairs)
    with open_table(out / "copies.csv", _ORIGINS) as table:
        table.writerows(_origins(pairs))
    report = {"originals": len(originals), "written": len(pairs), "unreadable": unreadable}
    write_text(json.dumps({**record, "report": report}, indent=1) + "\n", out / _RECORD)
    if classes != PAPER:
        write_labels(out, classes)
    for place in {out, *((out / copy.path).parent for _, copy in pairs)}:
        remove_leftovers(place)
    manifest.write((copy for _, copy in pairs), out)
    return Copies(out, len(originals), len(pairs), unreadable)


def _origins(pairs: Sequence[tuple[Row, Row]]) -> Iterator[tuple[object, ...]]:
    for of, copy in pairs:
        number = copy.path.removesuffix(".jpg").rpartition("-copy")[2]
        yield copy.path, of.path, of.original, number
