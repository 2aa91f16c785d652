"""The command models: what ships with mien, and every network that it can build."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._shared import FILE, echo, echo_note, echo_written, needs
from mien.media.escapes import escaped

if TYPE_CHECKING:
    from mien.models.architecture import Architecture

__all__ = ["models_command"]

_FIGURES = ("accuracy", "mean_recall", "pictures")


@click.command(name="models")
@click.argument("name", required=False)
@click.option("--plot", type=FILE, help="Draw the architecture of NAME: .svg, .png, .pdf.")
def models_command(name: str | None, plot: Path | None) -> None:
    """List the models that come with mien and the networks it can build, or show one, NAME.

    The models: size, cost, classes, accuracy and licence; of a file of your own, too, if NAME ends
    in .onnx. The networks, which mien train makes models of (they need torch): parameters,
    multiply-adds for a crop, layers and source; of one that is named, its layers.

    Example: mien models cnn15 --plot cnn15.svg
    """
    if plot and (name is None or name.endswith(".onnx")):
        raise click.UsageError("--plot needs the name of a network, such as cnn15")
    if name is None:
        _list_shipped()
        _list_networks()
    elif name.endswith(".onnx"):
        _show_model(Path(name))
    else:
        _show_network(name, plot)


def _list_shipped() -> None:
    from mien.recognize.model import shipped_models

    for path in shipped_models():
        _show_model(path)


def _show_model(path: Path) -> None:
    """Say what a model file's card says; of one from elsewhere some of it may be missing."""
    from mien.recognize.card import labels_on
    from mien.recognize.model import read_card

    card = read_card(path)
    size = path.stat().st_size / 1e6
    echo(
        f"{card.get('name', path.stem)}  {card.get('parameters', 0):,} parameters, "
        f"{card.get('multiply_adds', 0):,} multiply-adds a crop, {size:.1f} MB"
    )
    echo(f"  classes: {labels_on(card)}")
    for name, figures in card.get("metrics", {}).items():
        if all(isinstance(figures.get(key), int | float) for key in _FIGURES):
            echo(
                f"  {escaped(name)}: accuracy {figures['accuracy']:.1%}, "
                f"mean recall {figures['mean_recall']:.1%} on {figures['pictures']:,} pictures"
            )
    if start := card.get("data", {}).get("start"):
        source = escaped(str(start.get("source", "source not said")))
        echo(f"  begins with {start['name']}: {source}; {start['licence']}")
    for member in card.get("members", ()):
        echo(f"  answers together with {member['name']}")
    echo(f"  {card.get('licence', 'licence not said')}\n  {escaped(path)}")


def _list_networks() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        echo_note('the networks that mien can build need torch: pip install "mien[train]"')
        return
    from mien.models.trace import architecture
    from mien.models.zoo import MODELS, SOURCES
    from mien.show.tables import as_text

    rows: list[list[str | int]] = []
    for name in MODELS:
        found = architecture(name)
        side = f"{found.side}x{found.side}"
        costs = (found.parameters, found.multiply_adds, found.depth)
        rows.append([name, *costs, side, SOURCES[name]])
    header = ["network", "parameters", "multiply-adds", "layers", "crop", "source"]
    text = "\n".join(f"    {line}" for line in as_text(header, rows).splitlines())
    echo(f"  networks that mien train can build, with six outputs:\n{text}")


def _show_network(name: str, plot: Path | None) -> None:
    needs("mien models NAME", "train", "torch")
    from mien.models.trace import architecture

    if plot:
        needs("mien models --plot", "plot", "matplotlib")
    found = architecture(name)
    echo(_table(found))
    if plot:
        from mien.show.architecture_plot import plot_architecture

        plot_architecture(found, plot)
        echo_written(plot)


def _table(found: "Architecture") -> str:
    from mien.models.zoo import SOURCES
    from mien.show.tables import as_text

    rows: list[list[str | int]] = [
        [layer.name, ", ".join(layer.words), layer.size, layer.parameters, layer.multiply_adds]
        for layer in found.layers
    ]
    header = ["layer", "what it does", "output", "parameters", "multiply-adds"]
    return (
        f"{found.name}: {found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds for "
        f"a crop of {found.side}x{found.side}, {found.depth} layers\n"
        f"{SOURCES[found.name]}\n\n{as_text(header, rows)}"
    )
