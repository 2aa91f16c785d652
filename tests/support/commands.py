"""Run a command of mien in this process, as a user would type it."""

from click.testing import CliRunner

from mien.cli import cli


def mien(*words):
    """Run ``mien WORDS``; return exit_code, stdout and stderr, also after an error of ours."""
    arguments = [str(word) for word in words]
    return CliRunner().invoke(cli, arguments, prog_name="mien", catch_exceptions=False)
