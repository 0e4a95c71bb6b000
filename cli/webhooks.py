"""`wanx webhooks` and its options; the work is in cli/commands/webhooks.py."""

from __future__ import annotations

import sys

import click

from cli.access import Access


@click.group(short_help="See, try and repeat what receivers are told.")
def webhooks() -> None:
    """See, try and repeat what receivers are told of jobs (docs/webhooks.md)."""


@webhooks.command("list")
@click.argument("job", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_webhooks(access: Access, job: str | None, as_json: bool) -> None:
    """Show the webhooks that have a name, or what became of the tries to tell of JOB.

    Over the API the former needs an admin token. Exit code 1 if there is no such job.
    """
    from cli.commands.webhooks import show

    sys.exit(show(access, job, as_json))


@webhooks.command()
@click.argument("job")
@click.pass_obj
def redeliver(access: Access, job: str) -> None:
    """Let the receiver of JOB hear of its last state once more, at once, under the same id.

    Over the API this needs an admin token.
    """
    from cli.commands.webhooks import redeliver as run

    run(access, job)


@webhooks.command()
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
    """Tell a receiver of jobs again that answered 410. Over the API this needs an admin token."""
    from cli.commands.webhooks import enable as run

    run(access, webhook)


@webhooks.command()
@click.argument("webhook", metavar="URL|NAME")
@click.pass_obj
def secret(access: Access, webhook: str) -> None:
    """Print the secret with which a receiver verifies, and that of the old key while there is one.

    For whoever runs the receiver, and nobody else. Over the API this needs an admin token.
    """
    from cli.commands.webhooks import secret as run

    run(access, webhook)
