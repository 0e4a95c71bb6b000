"""`wanx redrive`: dead events back into the system."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.access import Access
from cli.language import tell
from cli.output import clean, complain, counted, say
from cli.trouble import NOT_SO, Refused, Trouble
from shared.app import App
from shared.platform.fc.events import UnknownEvent
from shared.storage import layout
from shared.storage.objects import StoreError


def run(access: Access, keys: Sequence[str]) -> int:
    """Put back these dead events, or all; the exit code. Raises Trouble."""
    with access.app("redrive") as app:
        _require_key(access)
        wanted = keys or [entry.key for entry in app.store.list(layout.DEAD)]
        done = sum(_put_back(app, key) for key in wanted)
    if done or not wanted:
        say(f"{counted(done, 'dead event')} put back")
    return 0 if done == len(wanted) else NOT_SO


def _require_key(access: Access) -> None:
    """A job file that is put back may be submitted from here, with the key of these settings.

    With a wrong one the service would refuse, and the whole key would pause for all.
    """
    names = ("DASHSCOPE_API_KEY", "DASHSCOPE_API_KEY_SECRET")
    if not any(access.environ.get(name) for name in names):
        raise Trouble(
            f"redrive submits jobs, and {access.origin} has no key for it: set DASHSCOPE_API_KEY"
            " as the functions have it, or name a profile or a file of settings that has it."
        )


def _put_back(app: App, key: str) -> bool:
    """Whether it worked; a failure of one does not stop the others."""
    try:
        if not (key.startswith(layout.DEAD) and key.isprintable()):
            raise Refused(f"{clean(key)!r} is not the key of a dead event: dead/….json")
        for line in app.repair.redrive(key):
            click.echo(clean(f"{key}: {tell(line)}"))
    except (StoreError, UnknownEvent, Refused) as error:
        complain(clean(error))
        return False
    return True
