"""`wanx doctor`: looks at everything a working system needs, one line each.

A check that cannot be made because an earlier one failed is left out rather than failed too."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import click
from rich.cells import cell_len

from cli.access import Access
from cli.backends.bucket import quiet
from cli.bucket_checks import (
    Bad,
    Bucket,
    Check,
    checked,
    clock,
    endpoint,
    open_settings,
    public_link,
    reachable,
    versioning,
)
from cli.language import glue, tell
from cli.output import console, counted, say
from cli.service_checks import api_check, service_checks
from cli.trouble import NOT_SO, Trouble
from shared.ledger.ledger import Ledger
from shared.platform.clock import SystemClock, new_random
from shared.platform.settings import EVERY_MINUTE
from shared.poller.alarm import MOST_EARLY

CALL_LATE = 120.0
"""Seconds after which a delayed call counts as lost."""
SWEEP_SECONDS = 600.0
MOST_NAMED = 5


def run(access: Access, sweep: bool = False) -> int:
    """Look at everything; the exit code. `sweep`: take in job files whose event never came."""
    quiet()
    failed = 0
    click.echo(tell(f"Settings from {access.origin}."))
    for check in checks(access, sweep):
        failed += check.ok is False
        _print(check)
    say("All is well." if not failed else f"{counted(failed, 'check')} failed.")
    return NOT_SO if failed else 0


def _print(check: Check) -> None:
    words = {True: ("ok", "green"), False: ("failed", "red"), None: ("-", "dim")}
    word, style = ("warn", "yellow") if check.warns else words[check.ok]
    out = console()
    word = tell(word)
    out.print(word + " " * (7 - cell_len(word)), style=style, end="")
    what, text = tell(check.what), tell(check.text)
    head = f"{what}{glue(': ')}"
    click.echo(f"{head}{text}" if len(check.text) < 50 else head.rstrip())
    if len(check.text) >= 50:
        say(f"       {text}", indent="       ")


def checks(access: Access, sweep: bool = False) -> Iterator[Check]:
    """All checks, in the order in which one rests on another."""
    if not access.over_http:
        yield from _bucket_checks(access.environ)
        yield from service_checks(access.environ)
    yield api_check(access)
    if sweep:
        yield checked("job files", partial(_sweep, access))


def _bucket_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    made: list[Bucket] = []

    def opened() -> str:
        made.append(open_settings(environ))
        settings = made[0].settings
        return f"bucket {settings.oss_bucket}, {settings.oss_region}"

    first = checked("settings", opened)
    yield first
    if not first.ok:
        return
    bucket = made[0]
    for what, look in (("endpoint", endpoint), ("key and bucket", reachable)):
        check = checked(what, lambda look=look: look(bucket))  # type: ignore[misc]
        yield check
        if not check.ok:
            return
    yield checked("versioning", lambda: versioning(bucket))
    yield checked("clock", lambda: clock(bucket))
    yield checked("public endpoint", lambda: public_link(bucket))
    yield checked("delayed calls", lambda: _delayed_calls(bucket))


def _delayed_calls(bucket: Bucket) -> str:
    """Whether the calls by which poll wakes itself came in time (with the safety net)."""
    lease = Ledger(bucket.store, SystemClock(), new_random()).lease
    lease.poller_lives()
    armed, late = lease.seen.armed, time.time() - lease.seen.armed.at
    if armed.early >= MOST_EARLY:
        raise Bad(
            f"{armed.early} delayed calls in a row came too early, so poll stays awake while"
            f" something waits, which costs more: set POLL_TIMER to {EVERY_MINUTE} and deploy."
        )
    if armed.at and late > CALL_LATE:
        raise Bad(
            f"the call of poll that was due {late:.0f} s ago has not come; resume a model to"
            f" wake poll. If that happens again, set POLL_TIMER to {EVERY_MINUTE} and deploy."
        )
    return f"the next one is due in {-late:.0f} s" if armed.at else "none is under way"


def _sweep(access: Access) -> str:
    try:
        with access.app("doctor --sweep") as app:
            swept = app.sweep.run(SWEEP_SECONDS)
    except Trouble as error:
        raise Bad(error.message) from None
    taken = tell(f"{counted(len(swept.taken), 'file')} taken in whose event never came")
    seen = [f"{taken}: {_names(swept.taken)}" if swept.taken else taken]
    if swept.unread:
        seen.append(tell(f"no job files by their suffix: {_names(swept.unread)}"))
    if not swept.whole:
        seen.append(tell("there are more, so run it again"))
    if swept.failed:
        seen.append(tell(f"could not be taken in (wanx -v says why): {_names(swept.failed)}"))
        raise Bad(glue("; ").join(seen))
    return glue("; ").join(seen)


def _names(keys: Sequence[str]) -> str:
    return ", ".join(keys[:MOST_NAMED])
