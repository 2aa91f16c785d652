"""Run a command of mien in this process, as a user would type it."""

from inspect import signature

from click.testing import CliRunner

from mien.cli import cli

# Before 8.2, click mixed the two streams unless told not to.
_APART = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}


def mien(*words):
    """Run ``mien WORDS``; return exit_code, stdout and stderr, also after an error of ours."""
    arguments = [str(word) for word in words]
    return CliRunner(**_APART).invoke(cli, arguments, prog_name="mien", catch_exceptions=False)
