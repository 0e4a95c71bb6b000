"""`wanx repair`: the indexes again, from the records."""

from __future__ import annotations

import click

from cli.access import Access
from shared.jobs.repair import rebuild


def run(access: Access) -> None:
    """Rebuild, and print what was missing or left over. Raises Trouble."""
    with access.app("repair") as app:
        for name, count in vars(rebuild(app)).items():
            click.echo(f"{name.replace('_', ' ')}: {count}")
