"""The command that writes the page which reads faces in the browser: page."""

from pathlib import Path

import click

from mien.cli._outputs import refuse_clashes
from mien.cli._shared import DETECTOR, FILE, NamedPath, echo_note, echo_written

__all__ = ["page_command"]


@click.command(name="page")
@click.argument("folder", metavar="[DIR]", type=FILE, required=False)
@click.option("--out", type=FILE, help="Write the page as one HTML file, to be opened from a disk.")
@click.option(
    "--model",
    type=NamedPath(path_type=str),
    default="miennet",
    show_default=True,
    help="An .onnx file, or a name of mien models.",
)
@DETECTOR
def page_command(folder: Path | None, out: Path | None, model: str) -> None:
    """Write the page that reads faces in the browser, with the model in it.

    DIR is a new folder for any web server of static files; the camera needs https or localhost.
    The page sends nothing anywhere: pictures, films and the camera stay in the browser.

    Example: mien page --out mien.html
    """
    if folder is None and out is None:
        raise click.UsageError("name a new folder, or a file with --out mien.html, or both")
    from mien.media.atomic import refuse_filled
    from mien.media.writers import write_bytes
    from mien.serve.page_files import page_as_one_file, page_files

    refuse_clashes([out], folder)
    if folder is not None:
        refuse_filled(folder)
        _write_folder(folder, page_files(model))
    if out is not None:
        write_bytes(page_as_one_file(model), out)
    echo_written(folder, out)


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    from mien.media.writers import add_file, atomic_folder

    with atomic_folder(folder) as part:
        for name, data in files.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            add_file(data, part / name)
    size = sum(map(len, files.values()))
    echo_note(f"{len(files)} files, {size / 1e6:.1f} MB: put them on any web server")
