"""Events: what happens to those that fail, and whether a handler ends before it is ended."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.checks.fc_limits import rule
from deploy.stack.declared import DeclaredFunction, DeclaredStack
from deploy.stack.findings import Finding
from shared.platform.settings import SettingsError, load_settings

FUNCTION_ARN = re.compile(r"acs:fc:([^:]*):([^:]*):functions/(.+)")
POLL = Path(__file__).resolve().parents[2] / "functions/poll/index.py"
ASYNCHRONOUS = ("oss", "timer", "eventbridge")
"""Types of triggers whose events are queued and retried."""


def async_findings(stack: DeclaredStack) -> Iterator[Finding]:
    """Destinations, ages, the poller's one instance, and timeouts of all functions."""
    names = {function.name for function in stack.functions}
    for function in stack.functions:
        yield from _failure(function)
        yield from _destinations(function, names)
        yield from _age(function)
        yield from _create_timeout(function)
        if _polls(function):
            yield from _poller(function)


def _failure(function: DeclaredFunction) -> Iterator[Finding]:
    queued = any(trigger.type in ASYNCHRONOUS for trigger in function.triggers)
    given = function.policy.get("destinationConfig")
    if queued and not (isinstance(given, dict) and given.get("onFailure")):
        yield Finding(
            "event-lost",
            f"{function.where}.asyncInvokeConfig",
            "no destinationConfig.onFailure",
            "the function that repairs what an event left behind",
            "Without it an event that fails every retry is dropped.",
            rule("asynchronous").source,
        )


def _destinations(function: DeclaredFunction, names: set[str]) -> Iterator[Finding]:
    given = function.policy.get("destinationConfig")
    for kind, target in (given if isinstance(given, dict) else {}).items():
        arn = target.get("destination") if isinstance(target, dict) else None
        named = FUNCTION_ARN.fullmatch(arn) if isinstance(arn, str) else None
        if named is None:
            continue
        where = f"{function.where}.asyncInvokeConfig.destinationConfig.{kind}.destination"
        if named[3] == function.name:
            yield _destination(where, arn, "another function than its own", names)
        elif named[3] not in names:
            yield _destination(where, arn, "a function of this stack", names)
        elif named[1] != function.region:
            yield _destination(where, arn, f"a function in {function.region}", names)


def _destination(where: str, arn: object, expected: str, names: set[str]) -> Finding:
    return Finding(
        "destination",
        where,
        f"found {arn!r}",
        expected,
        f"Known here: {', '.join(sorted(names))}.",
        rule("asynchronous").source,
    )


def _age(function: DeclaredFunction) -> Iterator[Finding]:
    """With one instance an event waits while another runs: it must not be too old by then."""
    age, timeout = function.policy.get("maxAsyncEventAgeInSeconds"), function.number("timeout")
    if isinstance(age, int) and timeout is not None and age <= timeout:
        yield Finding(
            "event-age",
            f"{function.where}.asyncInvokeConfig.maxAsyncEventAgeInSeconds",
            f"found {age}, and a run may take {timeout:g} s",
            f"more than {timeout:g}",
            "An event that waited for a run to end would be dropped: raise it.",
            rule("asynchronous").source,
        )


def _create_timeout(function: DeclaredFunction) -> Iterator[Finding]:
    """A submission must be answered, or told to be of unknown outcome, within one run; for poll,
    within what it keeps back before its deadline."""
    timeout, polls = function.number("timeout"), _polls(function)
    try:
        waits = load_settings(function.environment).create_timeout
    except SettingsError:
        return
    left = poll_margin() if polls else timeout
    if left is not None and waits >= left:
        yield Finding(
            "create-timeout",
            f"{function.where}.environmentVariables.CREATE_TIMEOUT",
            f"found {waits:g}",
            f"less than {left:g}, " + ("which poll keeps back" if polls else "the timeout"),
            "Lower it: a run that is ended while it waits does not know its outcome.",
            "shared/platform/settings.py",
        )


def _polls(function: DeclaredFunction) -> bool:
    return any(trigger.type == "timer" for trigger in function.triggers)


def _poller(function: DeclaredFunction) -> Iterator[Finding]:
    if function.table("concurrencyConfig").get("reservedConcurrency") != 1:
        yield Finding(
            "poll-singleton",
            f"{function.where}.concurrencyConfig",
            "not reservedConcurrency: 1",
            "reservedConcurrency: 1",
            "Set it: pollers beside each other ask for the same tasks and cost twice.",
            rule("poll").source,
        )
    timeout = function.number("timeout")
    margin = poll_margin()
    if timeout is not None and timeout < 2 * margin:
        yield Finding(
            "poll-timeout",
            f"{function.where}.timeout",
            f"found {timeout:g}",
            f"at least {2 * margin:g}, twice the {margin:g} s that poll keeps for its last round",
            "Raise it: a shorter run is ended in the midst of a round.",
            rule("poll").source,
        )


@functools.cache
def poll_margin() -> float:
    """Seconds that poll keeps back before its deadline, as its code says."""
    for node in ast.parse(POLL.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MARGIN":
            return float(ast.literal_eval(node.value))
    raise LookupError("functions/poll/index.py has no MARGIN any more: mend this check")
