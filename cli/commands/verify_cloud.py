"""`wanx verify-cloud`: tries each fact that only a real account shows, and says what to change."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import click
from rich.cells import cell_len

from cli.access import Access
from cli.backends.bucket import quiet
from cli.bucket_checks import Bad, open_settings
from cli.language import tell
from cli.output import WIDTH, clean, console, counted, print_json, say, wrapped
from cli.trouble import NOT_SO, Trouble, of_store
from cli.verify.cleanup import Removed, clean_up
from cli.verify.facts import HOLDS, OTHERWISE, UNTRIED, Fact, Outcome, PaidJob, load_facts
from cli.verify.paid import bound
from cli.verify.run import DELAYED, outcomes
from cli.verify.trial import Trial
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.retry_policy import load_retry_policy
from shared.platform.clock import SystemClock, new_random
from shared.storage.objects import StoreError

NOT_TRIED = 4
"""Exit code: nothing is otherwise, but a fact could not be tried."""
INDENT = " " * 11
STYLES = {HOLDS: "green", OTHERWISE: "red", UNTRIED: "yellow"}


@dataclass(frozen=True)
class Options:
    """What was asked for. `only`: ids of facts, none for all; `delay` in seconds; `sure`: do not
    ask before something is paid."""

    only: tuple[str, ...]
    stack: str
    delay: int
    skip_paid: bool
    sure: bool
    as_json: bool


def run(access: Access, options: Options) -> int:
    """Try the facts; the exit code. What was left in the bucket is removed, however this ends.

    Raises Trouble, click's errors.
    """
    quiet()
    facts, job = load_facts()
    chosen = [fact for fact in facts if not options.only or fact.id in options.only]
    trial = _trial(access, options, chosen, job)
    if not agreed(trial, options, chosen):
        return NOT_TRIED
    try:
        _clean(trial, "earlier runs", options.as_json)
        done = _tried(trial, options, chosen)
    finally:
        left = _clean(trial, "this run", options.as_json)
    if options.as_json:
        print_json(_document(trial, done, left))
    else:
        _summary(done)
    return _code(done)


def _trial(access: Access, options: Options, chosen: Collection[Fact], job: PaidJob) -> Trial:
    access.require_bucket("verify-cloud")
    try:
        bucket = open_settings(access.environ)
    except Bad as error:
        raise Trouble(str(error)) from None
    delay = options.delay if any(fact.id == DELAYED for fact in chosen) else 0
    return Trial(access, bucket, SystemClock(), new_random(), job, options.stack, delay)


def agreed(trial: Trial, options: Options, chosen: Collection[Fact]) -> bool:
    """Say what it costs at most, and ask where an image is paid for. Raises click.UsageError."""
    most, settings = bound(trial, load_catalogue(), load_retry_policy()), trial.bucket.settings
    pays = not options.skip_paid and any(fact.paid for fact in chosen)
    cost = f"at most {most:.2f} CNY for one image" if pays else "less than 0.01 CNY"
    _say(f"Tries {counted(len(chosen), 'fact')} on bucket {settings.oss_bucket}. Cost: {cost}.")
    if not pays or options.sure:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("an image would be paid for: add --yes, or --skip-paid.")
    return click.confirm(tell("Go on?"), err=True)


def _tried(trial: Trial, options: Options, chosen: Collection[Fact]) -> list[Outcome]:
    done = []
    for outcome in outcomes(trial, chosen, options.skip_paid):
        done.append(outcome)
        if not options.as_json:
            _show(outcome)
    return done


def _clean(trial: Trial, whose: str, as_json: bool) -> Removed:
    """Remove what lies in the bucket, and say so. Raises Trouble."""
    try:
        removed = clean_up(trial)
    except StoreError as error:
        raise of_store(error) from None
    if removed.objects:
        _say(f"Removed from {whose}: {counted(removed.objects, 'object')}.")
    for job in removed.unfinished:
        _say(f"Job {job} is not over yet and stays; run this again later to remove it.")
    return removed


def _show(outcome: Outcome) -> None:
    fact, verdict = outcome.fact, outcome.verdict
    word = tell(verdict)
    console().print(word + " " * (len(INDENT) - cell_len(word)), style=STYLES[verdict], end="")
    click.echo(fact.id)
    seen = f"Could not be tried: {outcome.seen}" if verdict == UNTRIED else f"Seen: {outcome.seen}"
    lines = [fact.what, f"Tried: {fact.tried}", seen]
    if verdict == OTHERWISE:
        lines.append(f"Do: {fact.otherwise}")
    for name, value in outcome.settings.items():
        lines.append(f"Set {name} to {value}")
    for line in lines:
        for part in wrapped(f"{INDENT}{tell(clean(line))}", WIDTH, INDENT):
            click.echo(part)


def _summary(done: Collection[Outcome]) -> None:
    counts = Counter(one.verdict for one in done)
    say(
        f"\nHolds: {counts[HOLDS]}. Otherwise: {counts[OTHERWISE]}."
        f" Could not be tried: {counts[UNTRIED]}."
    )


def _document(trial: Trial, done: Collection[Outcome], left: Removed) -> dict[str, object]:
    return {
        "bucket": trial.bucket.settings.oss_bucket,
        "stack": trial.stack,
        "facts": [one.to_dict() for one in done],
        "unfinished_jobs": left.unfinished,
    }


def _code(done: Collection[Outcome]) -> int:
    if any(one.verdict == OTHERWISE for one in done):
        return NOT_SO
    return NOT_TRIED if any(one.verdict == UNTRIED and not one.chosen for one in done) else 0


def _say(text: str) -> None:
    """To stderr, so that --json stays JSON."""
    for line in wrapped(tell(text), WIDTH):
        click.echo(line, err=True)
