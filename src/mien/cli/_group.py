"""The group of all commands: help in groups, misspelt names, what every command's options share.

A command's module is imported when the command is asked for. The commands and the headings of the
help come from `mien.cli`.
"""

import errno
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from mien.cli._outputs import check_formats
from mien.cli._shared import echo_error, quiet_option
from mien.cli._usage import exit_code
from mien.errors import MienError, OutputError

__all__ = ["Commands"]

# What people type who have another program in mind: command.
_MEANT = {
    "analyse": "predict",
    "analyze": "predict",
    "camera": "video",
    "check": "doctor",
    "detect": "predict",
    "emotion": "predict",
    "film": "video",
    "heatmap": "explain",
    "info": "doctor",
    "picture": "predict",
    "recognise": "predict",
    "recognize": "predict",
    "test": "evaluate",
    "webcam": "video",
}
_REFUSED = {errno.ENAMETOOLONG, errno.EACCES, errno.EPERM}
_CHECK = "check the name, and who may open its folder"


class Commands(click.Group):
    """Imports a command's module when it is asked for, and turns our errors into exit codes.

    Attributes:
        modules: by command, the module of `mien.cli` that has it.
        groups: by heading of the help, its commands.
    """

    modules: Mapping[str, str]
    groups: Mapping[str, Sequence[str]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List every command."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.modules:
            return None
        module = import_module(f"mien.cli.{self.modules[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return _completed(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is typed, or name the one that was meant."""
        word = args[0]
        if word not in self.modules and not word.startswith("-") and not ctx.resilient_parsing:
            other = _MEANT.get(word.lower())
            near = [other] if other else get_close_matches(word, self.modules, n=2)
            meant = " or ".join(f"mien {name}" for name in near)
            step = meant or f"mien --help, which lists all {len(self.modules)}"
            raise click.UsageError(f"no command called {word!r}\n  try: {step}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, each with its whole summary."""
        grouped = {name for names in self.groups.values() for name in names}
        rest = [name for name in self.modules if name not in grouped]
        width = max(map(len, self.modules))
        for heading, names in (*self.groups.items(), ("More", rest)):
            rows = [
                (name.ljust(width), _summary(command))
                for name in names
                if (command := self.get_command(ctx, name))
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what no name of a file holds."""
        for word in args:
            if "\0" in word:  # a shell passes none; whoever calls us from Python might
                raise click.UsageError(
                    f"a NUL character in {word!r}, which no name of a file holds\n  try: remove it"
                )
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours is one message, and exit code 1 or 2."""
        try:
            return super().invoke(ctx)
        except MienError as error:
            echo_error(error)
            ctx.exit(exit_code(error))
        except OSError as error:  # pathlib passes on what the system will not look at
            if error.filename is None or error.errno not in _REFUSED:
                raise
            echo_error(OutputError(f"cannot use {error.filename}: {error.strerror}", _CHECK))
            ctx.exit(1)


def _summary(command: click.Command) -> str:
    """The first paragraph of a command's help; click would cut it off at 45 letters."""
    return " ".join((command.help or "").partition("\n\n")[0].split()).removesuffix(".")


def _completed(command: click.Command) -> click.Command:
    """Move the example below the options, and add what every command has; once for each command."""
    text, mark, example = (command.help or "").partition("Example:")
    if mark:
        command.help, command.epilog = text.rstrip(), mark + example
        command.params.append(quiet_option())
        check_formats(command)
    return command
