"""How the process ends, whatever happens: in words, with an exit code, without a traceback."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import click

from cli.help import Group, wrong
from cli.language import tell
from cli.output import clean, complain
from cli.trouble import INTERRUPTED, PIPE_CLOSED, UNREACHABLE
from shared.catalogue.files import CatalogueError
from shared.catalogue.terminal import print_everything

WRONG_WORDS = 2


class PipeClosed(Exception):
    """The reader of the output has gone, as `head` does when it has seen enough."""


class Quiet(Group):
    """Click itself ends with exit code 1 where a pipe is closed; that means "no" here."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        print_everything()
        with noticing_closed_pipes():
            return super().make_context(*args, **more)

    def invoke(self, context: click.Context) -> Any:
        with noticing_closed_pipes():
            return super().invoke(context)


@contextlib.contextmanager
def noticing_closed_pipes() -> Iterator[None]:
    """Requests raise errors of their own, so a broken pipe is that of the output."""
    try:
        yield
    except BrokenPipeError:
        raise PipeClosed from None


def end(command: click.Group) -> NoReturn:
    """Run the command, and end the process."""
    try:
        code = _run(command)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, PipeClosed):
        code = PIPE_CLOSED
    except OSError as error:
        code = _not_written(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    _nothing_more_to_write()
    sys.exit(code)


def _run(command: click.Group) -> int:
    """The exit code; errors are told. Raises what concerns the output itself."""
    try:
        return int(command.main(prog_name="wanx", standalone_mode=False) or 0)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except click.UsageError as error:
        wrong(error)
        return error.exit_code
    except click.ClickException as error:
        complain(f"Error: {tell(error.format_message())}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("\nInterrupted. Nothing is left half done: the same command goes on.")
        return INTERRUPTED
    except (PipeClosed, OSError):
        raise
    except Exception as error:
        return _defect(error)


def _not_written(error: OSError) -> int:
    """A disk that is full, or a file that went away; errors of the network are told elsewhere."""
    if error.errno is None:
        return _defect(error)
    if error.filename is not None:
        return _told(f"{clean(error.filename)}: {error.strerror}.")
    return _told(f"the output could not be written: {error.strerror}.")


def _defect(error: Exception) -> int:
    logging.getLogger(__name__).info("where it happened", exc_info=True)
    if isinstance(error, CatalogueError):
        return _told(f"a file of schemas/ is broken: {error}")
    if isinstance(error, UnicodeEncodeError):
        said = "a name or text that was given is not UTF-8; rename the file, or write it again."
        return _told(said, WRONG_WORDS)
    if type(error).__module__.startswith(("urllib3.", "requests.")):
        return _told(
            f"an address of the settings cannot be used: {clean(error)}; `wanx doctor` looks at"
            " them."
        )
    what = f"{type(error).__name__}: {error}"
    return _told(f"this is a mistake in wanx itself ({what}); -v shows where.")


def _told(text: str, code: int = UNREACHABLE) -> int:
    with contextlib.suppress(OSError):
        complain(f"Error: {tell(text)}")
    return code


def _nothing_more_to_write() -> None:
    """Python writes what is left at its end, and would complain of a pipe or disk once more."""
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
