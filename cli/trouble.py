"""How a command ends when it cannot do what it was asked for."""

from __future__ import annotations

import click

from shared.storage.objects import ObjectDamaged

NOT_SO = 1
"""Exit code: the outcome is bad: violations, a failed job, a check that did not pass."""
UNREACHABLE = 3
"""Exit code: bucket or API cannot be used, or settings are missing."""
PIPE_CLOSED = 141
"""Exit code where the reader of the output has gone (128 + SIGPIPE, as shells count)."""
INTERRUPTED = 130
"""Exit code after Ctrl-C (128 + SIGINT, as shells count)."""


class Trouble(click.ClickException):
    """The bucket or the API cannot be used; the text says what to do."""

    exit_code = UNREACHABLE


class WrongPlace(Trouble):
    """What answers at the address is not the API, so that nothing was done there."""


def of_store(error: Exception) -> Trouble:
    """What a person reads when the bucket cannot be used, or a record in it."""
    if isinstance(error, ObjectDamaged):
        return Trouble(str(error))
    return Trouble(f"{error} Nothing is left half done; try again, or ask `wanx doctor`.")


class Refused(click.ClickException):
    """The request is valid and cannot be done, for example because the job is over."""

    exit_code = NOT_SO
