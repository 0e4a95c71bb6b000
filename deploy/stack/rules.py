"""What the cloud refuses in s.yaml's functions. The laptop and the checks both ask here.

What one property may be is in function.schema.yaml; here is what several must be together. What
this project demands beyond the cloud is in deploy/checks.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.stack.declared import DeclaredFunction, DeclaredStack, DeclaredTrigger
from deploy.stack.findings import Finding, listed
from deploy.stack.schema import read_schema, schema_findings, validator

SCHEMA = Path(__file__).with_name("function.schema.yaml")
FUNCTION_ARN = re.compile(r"acs:fc:([^:]*):([^:]*):functions/(.+)")
LOWEST, HIGHEST = 0.25, 1
"""vCPU for each GB of memory (CreateFunctionInput, cpu)."""
ENVIRONMENT_BYTES = 4096
"""Names and values together (Function Compute "Environment variables" page)."""
TRIGGERS_PER_BUCKET = 10
OSS_PAGE = 'Function Compute "OSS triggers" page'


def stack_findings(stack: DeclaredStack) -> list[Finding]:
    """Everything the cloud would refuse in the functions of a rendered s.yaml."""
    found: list[Finding] = []
    for function in stack.functions:
        found += schema_findings(_schema(), function.props, function.where)
        found += [*_ratio(function), *_environment(function), *_repeated(function)]
    found += [*_names(stack), *_regions(stack), *_destinations(stack)]
    triggers = [trigger for trigger in stack.triggers if trigger.type == "oss"]
    return list(dict.fromkeys([*found, *_overlaps(triggers), *_number(triggers)]))


@functools.cache
def _schema() -> Any:
    return validator(read_schema(SCHEMA))


def _ratio(function: DeclaredFunction) -> Iterator[Finding]:
    cpu, memory = function.number("cpu"), function.number("memorySize")
    if cpu is None or not memory:
        return
    gigabytes = memory / 1024
    if not LOWEST <= cpu / gigabytes <= HIGHEST:
        low, high = gigabytes * LOWEST, gigabytes * HIGHEST
        yield Finding(
            "cpu-memory-ratio",
            f"{function.where}.cpu",
            f"{cpu} vCPU with {memory:g} MB",
            f"cpu : memory in GB between 1:4 and 1:1, so {low:g} to {high:g} vCPU",
            "Change cpu or memorySize.",
            "CreateFunctionInput, cpu",
        )


def _environment(function: DeclaredFunction) -> Iterator[Finding]:
    size = sum(len(f"{key}{value}".encode()) for key, value in function.environment.items())
    if size > ENVIRONMENT_BYTES:
        yield Finding(
            "environment-size",
            f"{function.where}.environmentVariables",
            f"{size} bytes of names and values",
            f"at most {ENVIRONMENT_BYTES}",
            "Shorten it: an API token may be given as its hash, a key as the name of a secret.",
            'Function Compute "Environment variables" page',
        )


def _repeated(function: DeclaredFunction) -> Iterator[Finding]:
    """Tags and triggers of one name: the second would replace the first."""
    tags = [(f"{function.where}.tags", str(one)) for one in function.tag_keys]
    triggers = [(f"{one.where}.triggerName", one.name) for one in function.triggers]
    yield from _twice("duplicate-tag", tags, "the function")
    yield from _twice("duplicate-trigger", triggers, "the function")


def _names(stack: DeclaredStack) -> Iterator[Finding]:
    named = [(f"{one.where}.functionName", one.name) for one in stack.functions]
    yield from _twice("duplicate-function", named, "the region")


def _twice(id: str, named: list[tuple[str, str]], within: str) -> Iterator[Finding]:
    """Names that stood before, each with its place."""
    seen: set[str] = set()
    for where, name in named:
        if name in seen:
            yield Finding(
                id,
                where,
                f"{name!r} a second time",
                f"names that are unique within {within}",
                "Rename one: the second would replace the first.",
                "CreateFunctionInput, functionName, tags; CreateTriggerInput, triggerName",
            )
        seen.add(name)


def _regions(stack: DeclaredStack) -> Iterator[Finding]:
    for function in stack.functions:
        if function.region != stack.functions[0].region:
            yield Finding(
                "region",
                f"{function.where}.region",
                f"found {function.region!r}",
                f"{stack.functions[0].region!r}, as for the first function",
                "Functions, bucket and log project lie in one region.",
                OSS_PAGE,
            )


def _destinations(stack: DeclaredStack) -> Iterator[Finding]:
    names = {function.name for function in stack.functions}
    for function in stack.functions:
        for kind, arn in function.destinations.items():
            named = FUNCTION_ARN.fullmatch(arn)
            expected = ""
            if named and named[3] == function.name:
                expected = "another function than its own"
            elif named and named[3] not in names:
                expected = "a function of this stack"
            elif named and named[1] != function.region:
                expected = f"a function in {function.region}"
            if expected:
                yield Finding(
                    "destination",
                    f"{function.where}.asyncInvokeConfig.destinationConfig.{kind}.destination",
                    f"found {arn!r}",
                    expected,
                    f"Known here: {listed(names)}.",
                    'Function Compute "Retry policy" page',
                )


def overlap(one: DeclaredTrigger, other: DeclaredTrigger) -> bool:
    """Whether OSS refuses the second: same bucket, and events, prefixes and suffixes all overlap
    (Function Compute "OSS triggers" page). An empty prefix or suffix covers everything."""
    return (
        one.source_arn == other.source_arn
        and bool(set(one.events) & set(other.events))
        and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
        and (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix))
    )


def _overlaps(triggers: list[DeclaredTrigger]) -> Iterator[Finding]:
    for one, other in itertools.combinations(triggers, 2):
        if overlap(one, other):
            yield Finding(
                "oss-overlap",
                other.where,
                f"{other.name} of {other.function} takes keys and events that {one.name} of "
                f"{one.function} takes too",
                "triggers of a bucket that share no event, or no prefix, or no suffix",
                "OSS refuses the second one: change a prefix, a suffix or the events.",
                OSS_PAGE,
            )


def _number(triggers: list[DeclaredTrigger]) -> Iterator[Finding]:
    for bucket, count in Counter(trigger.source_arn for trigger in triggers).items():
        if count > TRIGGERS_PER_BUCKET:
            yield Finding(
                "too-many-oss-triggers",
                "resources",
                f"{count} OSS triggers on {bucket or 'a bucket'}",
                f"at most {TRIGGERS_PER_BUCKET} for each bucket",
                "Merge some, or use EventBridge triggers.",
                OSS_PAGE,
            )
