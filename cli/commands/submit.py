"""`wanx submit`: check all, submit all, follow if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cli.access import Access
from cli.backends.protocol import Backend, Submitted
from cli.commands.check import Offline, check_files, images_of, own_hosts, print_text
from cli.following import follow
from cli.language import said, tell
from cli.output import clean, complain, counted, print_table, say, state_text, table
from cli.trouble import INTERRUPTED, NOT_SO, Trouble, WrongPlace


@dataclass(frozen=True)
class Sent:
    """One document of a file and what became of it."""

    file: Path
    outcome: Submitted


def run(access: Access, files: Sequence[Path], wait: bool) -> int:
    """Submit; the exit code. Raises Trouble."""
    backend = access.backend()
    if not _in_order(access, files):
        return NOT_SO
    sent = _send(access, backend, list(dict.fromkeys(files)), wait)
    _print(sent)
    jobs = list(dict.fromkeys(one.outcome.job for one in sent if not one.outcome.violations))
    refused = len(sent) != sum(not one.outcome.violations for one in sent)
    if not wait or not jobs:
        _say_how_to_go_on(access, jobs)
        return NOT_SO if refused else 0
    return follow(access, backend, jobs, made=True) or (NOT_SO if refused else 0)


def _in_order(access: Access, files: Sequence[Path]) -> bool:
    """A mistake is cheapest before anything is sent, and one file's keeps the others back."""
    images = Offline() if access.over_http else images_of(access)
    reports, _ = check_files(files, images, own_hosts(access))
    if not any(report.violations for report in reports):
        for report in reports:
            for one in report.notices:
                text = clean(said(one.violation.to_dict()))
                complain(f"{report.file}:{one.violation.line or 1}: note: {text}")
        return True
    print_text(reports)
    say("Nothing was submitted.")
    return False


def _send(access: Access, backend: Backend, files: Sequence[Path], wait: bool) -> list[Sent]:
    sent: list[Sent] = []
    for place, file in enumerate(files):
        try:
            taken = backend.submit(file.read_bytes(), file.name)
        except WrongPlace:
            raise
        except (Trouble, KeyboardInterrupt) as error:
            _print(sent)
            waiting = ["--wait"] if wait else []
            rest = access.command("submit", *waiting, *map(str, files[place:]))
            complain(
                f"\n{file} may or may not be submitted. Nothing is ever submitted twice, so go on"
                f" with:\n  {rest}"
            )
            if isinstance(error, KeyboardInterrupt):
                raise click.exceptions.Exit(INTERRUPTED) from None
            raise
        sent += [Sent(file, outcome) for outcome in taken]
    return sent


def _print(sent: Sequence[Sent]) -> None:
    if not sent:
        return
    shown = table("job", "state", "file")
    for one in sent:
        state = state_text(one.outcome.state)
        if one.outcome.new is False and not one.outcome.violations:
            state.append(f" ({tell('known')})")
        shown.add_row(one.outcome.job, state, _short(str(one.file)))
    print_table(shown)
    for one in sent:
        for violation in one.outcome.violations:
            say(f"{one.file}: error: {clean(said(violation))}", indent="    ")


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"…{name[-29:]}"


def _say_how_to_go_on(access: Access, jobs: Sequence[str]) -> None:
    if jobs:
        words = jobs if len(jobs) <= 5 else (*jobs[:1], "…")
        say(f"\n{counted(len(jobs), 'job')}. To wait for the images:")
        click.echo(f"  {access.command('status', '--wait', *words)}")
