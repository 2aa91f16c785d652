"""The commands. Each parses, makes one call and prints; what it needs is imported when it runs.

`mien --help` therefore loads neither a model nor OpenCV. A module is named after its first command.

predict    predict, demo, models
scores     scores
video      video
frames     frames
explain    explain
prepare    prepare
audit      audit, stats
train      train, export, show-augmentation
search     search
evaluate   evaluate, regions, faithful
reproduce  reproduce
_pictures  what predict and scores share: options, the count of files, the journal
_films     the tables of one film or several
_shared    messages, a progress bar, types of options, what was left out, checks
_process   what the standard streams refuse; signals
"""

from importlib import import_module
from typing import Any

import click

from mien import __version__
from mien.cli._process import command_process
from mien.cli._shared import echo_error
from mien.errors import MienError

__all__ = ["cli", "main"]

# Command: its module, which is named after the first of its commands.
_COMMANDS = {
    "predict": "predict",
    "scores": "scores",
    "video": "video",
    "explain": "explain",
    "demo": "predict",
    "models": "predict",
    "prepare": "prepare",
    "frames": "frames",
    "audit": "audit",
    "stats": "audit",
    "show-augmentation": "train",
    "train": "train",
    "search": "search",
    "reproduce": "reproduce",
    "evaluate": "evaluate",
    "export": "train",
    "regions": "evaluate",
    "faithful": "evaluate",
}


class _Commands(click.Group):
    """Imports a command's module when it is asked for, and turns our errors into exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"mien.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return _example_last(command)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for word in args:
            if "\0" in word:  # a shell passes none; whoever calls us from Python might
                raise click.UsageError(
                    f"a NUL character in {word!r}, which no name of a file holds\n  try: remove it"
                )
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MienError as error:
            echo_error(error)
            ctx.exit(1)


def _example_last(command: click.Command) -> click.Command:
    """Move the example that ends a command's docstring below the options."""
    text, mark, example = (command.help or "").partition("Example:")
    if mark:
        command.help, command.epilog = text.rstrip(), mark + example
    return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: mien predict photo.jpg --out annotated",
)
@click.version_option(__version__, prog_name="mien")
def cli() -> None:
    """Read the expression on every face in a picture, and show what was looked at."""


def main() -> None:
    """Run the command line."""
    with command_process():
        cli()
