"""What Function Compute says of a function's triggers (page ListTriggers): names and forms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from local.runtime.declaration import Function, OssTrigger

Described = dict[str, Any]


def described_triggers(function: Function, url: str) -> list[Described]:
    """The triggers; `url` is where the http trigger answers."""
    return list(_triggers(function, url))


def _triggers(function: Function, url: str) -> Iterator[Described]:
    for oss in function.oss_triggers:
        source = f"acs:oss:{function.region}::{oss.bucket or '*'}"
        yield {**_trigger(oss.name, "oss", _oss(oss)), "sourceArn": source}
    for timer in function.timer_triggers:
        config = {"cronExpression": timer.schedule.expression, "payload": timer.payload}
        yield _trigger(timer.name, "timer", {**config, "enable": True})
    if function.http_trigger:
        methods = list(function.http_trigger.methods)
        made = _trigger(function.http_trigger.name, "http", {"methods": methods})
        yield {**made, "httpTrigger": {"urlInternet": url, "urlIntranet": url}}


def _trigger(name: str, kind: str, config: Mapping[str, Any]) -> Described:
    """`triggerConfig` is JSON in a text, as in the API."""
    return {"triggerName": name, "triggerType": kind, "triggerConfig": json.dumps(config)}


def _oss(trigger: OssTrigger) -> dict[str, Any]:
    key = {"prefix": trigger.prefix, "suffix": trigger.suffix}
    return {"events": list(trigger.events), "filter": {"key": key}}
