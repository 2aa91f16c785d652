"""Run a command of mien in this process, as a user would type it."""

from click.testing import CliRunner

from mien.cli import cli


def mien(*words):
    """Run ``mien WORDS``: exit_code, stdout and stderr; an error of ours is no exception."""
    typed = [str(word) for word in words]
    return CliRunner().invoke(cli, typed, prog_name="mien", catch_exceptions=False)
