"""`wanx repair`: rebuild the indexes from the records."""

from __future__ import annotations

import click

from cli.access import Access


def run(access: Access) -> None:
    """Rebuild, and print what was missing or left over. Raises Trouble."""
    with access.app("repair") as app:
        for name, count in vars(app.repair.rebuild()).items():
            click.echo(f"{name.replace('_', ' ')}: {count}")
