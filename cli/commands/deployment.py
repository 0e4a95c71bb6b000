"""`wanx doctor --deployment`: which steps of a deployment are done, and which is next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import click
from rich.cells import cell_len

from cli.access import Access
from cli.backends.bucket import quiet
from cli.bucket_checks import checked
from cli.deployment.checks import CHECKS
from cli.deployment.site import Site
from cli.deployment.steps import DONE, LATER, LEFT_OUT, TO_DO, Cure, NotHere, Seen, Step, load_plan
from cli.language import tell
from cli.output import clean, console, counted, say, wrapped
from cli.trouble import NOT_SO, Trouble

INDENT = " " * 6
PAGE = "docs/deploy.md"
NEXT = "next"
STYLES = {DONE: "green", NEXT: "yellow", TO_DO: "yellow", LATER: "dim", LEFT_OUT: "dim"}


def run(access: Access, stack: str) -> int:
    """Look at every step; the exit code. Raises Trouble over the HTTP API."""
    quiet()
    access.require_bucket("doctor --deployment")
    say(f"Deployment {stack}, settings from {access.origin}.")
    still_open: list[Seen] = []
    for seen in look(Site(access, load_plan(), stack)):
        is_next = seen.is_open and not still_open
        still_open += [seen] if seen.is_open else []
        _show(seen, NEXT if is_next else seen.state, _cure(seen, access, stack))
    say("All is done." if not still_open else f"{counted(len(still_open), 'step')} left.")
    return NOT_SO if still_open else 0


def look(site: Site) -> Iterator[Seen]:
    """The steps in their order, each looked at if those it needs are done."""
    done: set[str] = set()
    for step in site.plan.steps:
        waits = [name for name in step.needs if name not in done]
        if waits:
            yield Seen(step, LATER, f"after {', '.join(waits)}")
            continue
        seen = _looked_at(step, site)
        if seen.state in (DONE, LEFT_OUT):
            done.add(step.id)
        yield seen


def _looked_at(step: Step, site: Site) -> Seen:
    try:
        check = checked(step.id, lambda: CHECKS[step.id](site))
    except NotHere as error:
        return Seen(step, LEFT_OUT, str(error))
    except Trouble as error:
        return Seen(step, TO_DO, error.message)
    return Seen(step, DONE if check.ok else TO_DO, check.text, check.cause)


def _cure(seen: Seen, access: Access, stack: str) -> Cure:
    env = "".join(f"{word} " for word in access.again)
    cure = seen.step.cure(seen.cause)
    return replace(cure, do=cure.do.format(stack=stack, env=env))


def _show(seen: Seen, word: str, cure: Cure) -> None:
    out = console()
    mark = tell(_mark(word))
    out.print(mark + " " * (len(INDENT) - cell_len(mark)), style=STYLES[word], end="")
    lines = wrapped(f"{seen.step.id}: {tell(clean(seen.text))}", out.width - len(INDENT))
    if seen.state == TO_DO:
        what = f"If you want it: {cure.do}" if seen.step.optional else f"Do: {cure.do}"
        lines += wrapped(tell(what), out.width - len(INDENT))
        lines += [tell(f"See {PAGE}#{cure.page}")] if cure.page else []
    for number, line in enumerate(lines):
        click.echo(f"{INDENT if number else ''}{line}")


def _mark(word: str) -> str:
    """A tick where the terminal has one."""
    if word == DONE:
        return "✓" if (sys.stdout.encoding or "").lower().startswith("utf") else "ok"
    return "-" if word == LEFT_OUT else word
