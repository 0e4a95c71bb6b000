"""`wanx repair`: rebuild the indexes from the records."""

from __future__ import annotations

import click

from cli.access import Access
from cli.output import clean, complain
from cli.trouble import NOT_SO


def run(access: Access) -> int:
    """Rebuild, and print what was missing or left over; the exit code. Raises Trouble."""
    with access.app("repair") as app:
        done = app.rebuild.run()
    for name, count in vars(done).items():
        click.echo(f"{name.replace('_', ' ')}: {len(count) if name == 'damaged' else count}")
    for why in done.damaged.values():
        complain(clean(why))
    return NOT_SO if done.damaged else 0
