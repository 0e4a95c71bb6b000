"""`wanx resume`: end the pause of a model, or of the API key."""

from __future__ import annotations

import click

from cli.access import Access
from cli.language import glue, tell
from cli.output import clean, say
from cli.trouble import Refused
from shared.jobs.repair import UnknownModel
from shared.ledger.breaker import KEY


def run(access: Access, model: str | None, api_key: bool) -> None:
    """Close the breaker and wake a poller. Raises Trouble, Refused, click's usage error."""
    if bool(model) == api_key:
        context = click.get_current_context()
        raise click.UsageError("expected the name of a MODEL, or else --key.", context)
    name = model or KEY
    with access.app("resume") as app:
        try:
            resumed = app.repair.resume(name)
        except UnknownModel as error:
            known = ", ".join(error.known)
            raise Refused(f"{clean(name)} is not a model; the models are {known}.") from None
    shown = tell("the API key") if name == KEY else name
    say(f"{shown}{glue(': ')}{tell('resumed' if resumed else 'was not paused')}")
