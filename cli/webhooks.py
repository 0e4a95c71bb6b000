"""`wanx webhooks` and its options; the work is in cli/commands/webhooks.py."""

from __future__ import annotations

import sys

import click

from cli.access import Access
from cli.help import Group


@click.group(cls=Group, short_help="List, test and repeat webhook deliveries.")
def webhooks() -> None:
    """List, test and repeat the webhook deliveries of jobs (docs/webhooks.md)."""


@webhooks.command("list", short_help="Show named webhooks, or the deliveries of a job.")
@click.argument("job", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_webhooks(access: Access, job: str | None, as_json: bool) -> None:
    """Show the webhooks that have a name, or the deliveries of JOB and their outcome.

    Over the API the former needs an admin token. Exit code 1 if there is no such job.
    """
    from cli.commands.webhooks import show

    sys.exit(show(access, job, as_json))


@webhooks.command(short_help="Deliver the last event of a job once more.")
@click.argument("job")
@click.pass_obj
def redeliver(access: Access, job: str) -> None:
    """Deliver the last event of JOB once more, now, under the same id.

    Over the API this needs an admin token.
    """
    from cli.commands.webhooks import redeliver as run

    run(access, job)


@webhooks.command(short_help="Send a test message to a receiver.")
@click.argument("webhook", metavar="URL|NAME")
@click.pass_obj
def test(access: Access, webhook: str) -> None:
    """Send a signed message of type wanx.test to a receiver, now, and say what it answered.

    On the bucket it is sent from here, with the WEBHOOK_KEY of the settings; over the API from the
    deployment, which needs an admin token. Exit code 1 if it was not answered with 2xx.
    """
    from cli.commands.webhooks import test as run

    sys.exit(run(access, webhook))


@webhooks.command()
@click.argument("webhook", metavar="URL|NAME")
@click.pass_obj
def enable(access: Access, webhook: str) -> None:
    """Deliver again to a receiver that answered 410. Over the API this needs an admin token."""
    from cli.commands.webhooks import enable as run

    run(access, webhook)


@webhooks.command(short_help="Print the secret that a receiver verifies with.")
@click.argument("webhook", metavar="URL|NAME")
@click.pass_obj
def secret(access: Access, webhook: str) -> None:
    """Print the secret that a receiver verifies with, and that of the old key while there is one.

    For the owner of the receiver alone. Over the API this needs an admin token.
    """
    from cli.commands.webhooks import secret as run

    run(access, webhook)
