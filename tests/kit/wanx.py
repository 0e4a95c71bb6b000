"""`wanx` in this process, as a person types it."""

from __future__ import annotations

from click.testing import CliRunner

from cli.main import wanx


def run(*words: str, code: int = 0) -> str:
    """What the command prints, errors included; it must end in words and with this exit code."""
    done = CliRunner().invoke(wanx, list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert done.exit_code == code, done.output
    return done.output
