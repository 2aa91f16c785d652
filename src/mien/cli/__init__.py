"""The commands. Each parses, makes one call and prints; what it needs is imported when it runs.

`mien --help` therefore loads neither a model nor OpenCV. A module is named after its first command.

predict    predict, demo
models     models
scores     scores
video      video
frames     frames
explain    explain
prepare    prepare
audit      audit, stats
augment    augment
train      train, export, show-augmentation
search     search
evaluate   evaluate, regions
faithful   faithful
reproduce  reproduce
serve      serve
page       page
recipes    recipes
doctor     doctor
_group     the group of all commands: help, misspelt names, what every command's options share
_usage     which failures are wrong usage, with exit code 2
_outputs   which names an option takes that is named after a format
_language  the language of what is drawn, and its font
_pictures  what predict and scores share: options, the count of files, the journal
_on_ray    what --ray does in predict and scores: a cluster reads, a folder is written
_films     the tables of one film or several
_measuring  what commands that measure share: the split, a bar, figures as JSON
_numbers   the type of options that take a number
_shared    messages, a progress bar, types of options, what was left out, checks
_process   what the standard streams refuse; signals
"""

import click

from mien import __version__
from mien.cli._group import Commands
from mien.cli._process import command_process
from mien.cli._shared import echo

__all__ = ["cli", "main"]

# Command: its module, which is named after the first of its commands.
_COMMANDS = {
    "predict": "predict",
    "scores": "scores",
    "video": "video",
    "explain": "explain",
    "page": "page",
    "demo": "predict",
    "models": "models",
    "prepare": "prepare",
    "frames": "frames",
    "audit": "audit",
    "stats": "audit",
    "augment": "augment",
    "show-augmentation": "train",
    "train": "train",
    "search": "search",
    "reproduce": "reproduce",
    "evaluate": "evaluate",
    "export": "train",
    "regions": "evaluate",
    "faithful": "faithful",
    "serve": "serve",
    "recipes": "recipes",
    "doctor": "doctor",
}
_GROUPS = {
    "Recognise": ("predict", "scores", "video", "frames", "demo", "serve", "page"),
    "Explain": ("explain", "regions", "faithful"),
    "Data": ("prepare", "audit", "stats"),
    "Train": (
        "recipes", "train", "search", "augment", "show-augmentation", "evaluate", "export",
        "reproduce",
    ),
    "About": ("models", "doctor"),
}  # fmt: skip

_FIRST = """\
Try first:
  mien demo                               the portrait in the package, annotated
  mien predict photo.jpg --out annotated  your own pictures, or a folder of them
  mien video talk.mp4 --out drawn.mp4     a video, a camera, standard input
  mien explain photo.jpg                  where in the face its expression was seen
  mien doctor                             what is installed here, and what is missing

All commands: mien --help. The options of one: mien predict --help.
"""

_SCHEME = """\
Outputs: --out is the main result of a command. --csv, --parquet, --json, --html, --markdown and
--plot name a file of that format; - prints CSV or JSON. Only predict --json takes no name, and
prints.

Example: mien predict photo.jpg --out annotated"""


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_SCHEME,
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="mien")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Read the expression on every face in a picture, and show what was looked at."""
    if ctx.invoked_subcommand is None:
        echo(f"{cli.help}\n\n{_FIRST}".rstrip())


cli.modules = _COMMANDS
cli.groups = _GROUPS


def main() -> None:
    """Run the command line."""
    with command_process():
        cli()
