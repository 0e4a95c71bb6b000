"""Native OSS triggers: of one bucket, of all functions together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from deploy.checks.fc_limits import rule
from deploy.stack.declared import DeclaredFunction, DeclaredStack, DeclaredTrigger
from deploy.stack.findings import Finding
from shared.storage import layout

SOURCE_ARN = re.compile(r"acs:oss:([a-z0-9-]+):([0-9]+):([a-z0-9][a-z0-9-]{1,61}[a-z0-9])")
MULTIPART = "oss:ObjectCreated:CompleteMultipartUpload"
WRITTEN = ("state/", layout.RESULTS, layout.DEAD, layout.UPLOADS)
"""Where the functions write: a trigger there calls them for what they did themselves."""
WAKE_FOLDER = layout.WAKE.rsplit("/", 1)[0] + "/"
"""The one exception: submit writes it to have poll called."""


def oss_trigger_findings(stack: DeclaredStack) -> Iterator[Finding]:
    """Roles, buckets, loops, overlaps and number of the stack's OSS triggers."""
    triggers = [trigger for trigger in stack.triggers if trigger.type == "oss"]
    for trigger in triggers:
        yield from _role(trigger)
        yield from _loop(trigger)
        yield from _multipart(trigger)
    for function in stack.functions:
        yield from _buckets(function)
    yield from _overlaps(triggers)
    yield from _number(triggers)


def overlap(one: DeclaredTrigger, other: DeclaredTrigger) -> bool:
    """Whether OSS refuses the second: same bucket, and events, prefixes and suffixes all overlap
    (Function Compute "OSS triggers" page). An empty prefix or suffix covers everything."""
    return (
        one.source_arn == other.source_arn
        and any(_same_event(a, b) for a in one.events for b in other.events)
        and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
        and (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix))
    )


def _same_event(one: str, other: str) -> bool:
    wide, narrow = (one, other) if one.endswith("*") else (other, one)
    return one == other or (wide.endswith("*") and narrow.startswith(wide[:-1]))


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
                rule("oss_overlap").source,
            )


def _role(trigger: DeclaredTrigger) -> Iterator[Finding]:
    if not trigger.role:
        yield Finding(
            "oss-role",
            trigger.where,
            "no invocationRole",
            "the ARN of the role under which OSS may call the function",
            "Without it the component looks for a default role and stops when RAM is slow.",
            rule("oss_role").source,
        )


def _buckets(function: DeclaredFunction) -> Iterator[Finding]:
    """sourceArn names our bucket, in the function's region and the account of its role."""
    account = (re.findall(r"acs:ram::([0-9]+):", str(function.props.get("role"))) or [""])[0]
    bucket = function.environment.get("OSS_BUCKET", "")
    expected = f"acs:oss:{function.region}:{account}:{bucket}"
    for trigger in function.triggers:
        if trigger.type != "oss" or trigger.source_arn == expected:
            continue
        well_formed = SOURCE_ARN.fullmatch(trigger.source_arn)
        yield Finding(
            "oss-bucket" if well_formed else "oss-source-arn",
            f"{trigger.where}.sourceArn",
            f"found {trigger.source_arn!r}" if trigger.source_arn else "no sourceArn",
            f"{expected} (the function's region, its account and OSS_BUCKET)",
            "A trigger's bucket lies in the function's region; submit ignores other buckets.",
            rule("oss_overlap").source,
        )


def _loop(trigger: DeclaredTrigger) -> Iterator[Finding]:
    if trigger.prefix == WAKE_FOLDER:
        return
    for folder in WRITTEN:
        if folder.startswith(trigger.prefix) or trigger.prefix.startswith(folder):
            yield Finding(
                "oss-loop",
                f"{trigger.where}.triggerConfig.filter.key.prefix",
                f"found {trigger.prefix!r}, which covers what the functions write to {folder}",
                f"a prefix outside {', '.join(WRITTEN)} (except {WAKE_FOLDER})",
                "A function called for its own writing never stops: narrow the prefix.",
                rule("oss_loop").source,
            )
            return


def _multipart(trigger: DeclaredTrigger) -> Iterator[Finding]:
    """Large files, and all that ossutil sends in parts, arrive with this event alone."""
    if trigger.prefix.startswith(layout.JOB_FILES) and MULTIPART not in trigger.events:
        yield Finding(
            "oss-multipart",
            f"{trigger.where}.triggerConfig.events",
            f"no {MULTIPART}",
            f"{MULTIPART} among the events of {layout.JOB_FILES}",
            "Add it: a job file uploaded in parts would be lost.",
            rule("oss_multipart").source,
        )


def _number(triggers: list[DeclaredTrigger]) -> Iterator[Finding]:
    limit = rule("native_triggers_per_bucket")
    for bucket in sorted({trigger.source_arn for trigger in triggers}):
        count = sum(trigger.source_arn == bucket for trigger in triggers)
        if count > limit["max"]:
            yield Finding(
                "too-many-oss-triggers",
                "resources",
                f"{count} OSS triggers on {bucket or 'a bucket'}",
                f"at most {limit['max']} for each bucket",
                "Merge some, or use EventBridge triggers.",
                limit.source,
            )
