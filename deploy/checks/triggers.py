"""OSS triggers: of our bucket alone, and never for what the functions themselves write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deploy.stack.declared import DeclaredFunction, DeclaredTrigger
from deploy.stack.findings import Finding
from deploy.stack.rules import OSS_PAGE
from shared.storage import layout

SOURCE_ARN = re.compile(r"acs:oss:([a-z0-9-]+):([0-9]+):([a-z0-9][a-z0-9-]{1,61}[a-z0-9])")
WRITTEN = ("state/", layout.RESULTS, layout.DEAD, layout.UPLOADS)
"""Where the functions write: a trigger there calls them for what they did themselves."""
WAKE_FOLDER = layout.WAKE.rsplit("/", 1)[0] + "/"
"""The one exception: submit writes it to have poll called."""


def trigger_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """OSS triggers of another bucket, and those that fire for what the functions write."""
    yield from _buckets(function)
    for trigger in function.triggers:
        if trigger.type == "oss":
            yield from _loop(trigger)


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
            OSS_PAGE,
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
                f"{OSS_PAGE} and shared/storage/layout.py",
            )
            return
