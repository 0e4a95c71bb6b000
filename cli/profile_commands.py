"""The commands login, logout and profiles, with their options."""

from __future__ import annotations

import sys

import click

from cli.access import Access
from cli.profiles import DEFAULT


@click.command(short_help="Remember a deployment, or a bucket.")
@click.argument("name", default=DEFAULT)
@click.option("--bucket", is_flag=True, help="Ask for a bucket's settings instead of an API's.")
@click.pass_obj
def login(access: Access, name: str, bucket: bool) -> None:
    """Ask for an API's address and token, try them, and keep them as the profile NAME.

    The profile `default` is used wherever nothing else is named. With --bucket, the settings of a
    bucket are asked for: some commands need it (repair, redrive, resume). Token and keys are never
    shown. They are kept in $XDG_CONFIG_HOME/wanx/config (~/.config/wanx/config), which only you can
    read. In a script, the answers are the lines of standard input.
    """
    from cli.commands.login import log_in

    if bucket and access.api:
        raise click.UsageError("--api names an API, --bucket asks for a bucket: give one of them.")
    log_in(name, bucket, access.api)


@click.command(short_help="Forget a deployment, or a bucket.")
@click.argument("name", default=DEFAULT)
def logout(name: str) -> None:
    """Forget the profile NAME. Exit code 1 if there is none."""
    from cli.commands.login import log_out

    sys.exit(log_out(name))


@click.command(short_help="Show the places that `login` remembers.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def profiles(access: Access, as_json: bool) -> None:
    """Show the places that `wanx login` remembers, and the one in use now."""
    from cli.commands.login import show

    show(access, as_json)


COMMANDS = (login, logout, profiles)
