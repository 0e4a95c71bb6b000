"""`wanx resume`: an end to the pause of a model, or of the API key."""

from __future__ import annotations

import click

from cli.access import Access
from cli.output import clean
from cli.trouble import Refused
from shared.ledger.model_state import KEY


def run(access: Access, model: str | None, api_key: bool) -> None:
    """Close the breaker and wake a poller. Raises Trouble, Refused, click's usage error."""
    if bool(model) == api_key:
        context = click.get_current_context()
        raise click.UsageError("expected the name of a MODEL, or else --key.", context)
    name = model or KEY
    with access.app("resume") as app:
        known = app.catalogue.names()
        if name not in (KEY, *known):
            raise Refused(f"{clean(name)} is not a model; the models are {', '.join(known)}.")
        app.states.resume(name)
        app.heartbeat.wake_if_nobody()
    click.echo(f"{'the API key' if name == KEY else name}: resumed")
