"""Events and runs: none may be dropped for its age, and each run ends before it is ended."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from deploy.stack.declared import DeclaredFunction
from deploy.stack.findings import Finding
from shared.platform.settings import SettingsError, load_settings

POLL = Path(__file__).resolve().parents[2] / "functions/poll/index.py"


def event_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """Ages of events, and how long a function may run."""
    yield from _age(function)
    yield from _create_timeout(function)
    yield from _poll_timeout(function)


def _age(function: DeclaredFunction) -> Iterator[Finding]:
    """With one instance an event waits while another runs: it must not be too old by then."""
    if function.table("customRuntimeConfig"):
        return  # nobody waits for an old request, and each instance takes many
    age, timeout = function.policy.get("maxAsyncEventAgeInSeconds"), function.number("timeout")
    if isinstance(age, int) and timeout is not None and age <= timeout:
        yield Finding(
            "event-age",
            f"{function.where}.asyncInvokeConfig.maxAsyncEventAgeInSeconds",
            f"found {age}, and a run may take {timeout:g} s",
            f"more than {timeout:g}",
            "An event that waited for a run to end would be dropped: raise it.",
            'Function Compute "Retry policy" page',
        )


def _create_timeout(function: DeclaredFunction) -> Iterator[Finding]:
    """A submission must be answered, or its outcome recorded as unknown, within one run; for
    poll, within what it keeps back before its deadline."""
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


def _poll_timeout(function: DeclaredFunction) -> Iterator[Finding]:
    timeout, margin = function.number("timeout"), poll_margin()
    if _polls(function) and timeout is not None and timeout < 2 * margin:
        yield Finding(
            "poll-timeout",
            f"{function.where}.timeout",
            f"found {timeout:g}",
            f"at least {2 * margin:g}, twice the {margin:g} s that poll keeps for its last round",
            "Raise it: a shorter run is ended in the midst of a round.",
            "functions/poll/index.py",
        )


@functools.cache
def poll_margin() -> float:
    """Seconds that poll keeps back before its deadline, as its code says."""
    for node in ast.parse(POLL.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MARGIN":
            return float(ast.literal_eval(node.value))
    raise LookupError("functions/poll/index.py has no MARGIN any more: correct this check")
