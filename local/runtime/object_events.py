"""Object events: which triggers an event fires, and their way into the queue."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from local.runtime.declaration import Function, OssTrigger
from local.runtime.delivery import Delivery
from local.runtime.rights import Rights


class ObjectEvents:
    """Hands each object event to the functions whose triggers it matches."""

    def __init__(
        self,
        functions: Iterable[Function],
        delivery: Delivery,
        duplicate_every: int,
        rights: Rights | None = None,
    ) -> None:
        self._triggers = [(f, trigger) for f in functions for trigger in f.oss_triggers]
        self._delivery = delivery
        self._duplicate_every = duplicate_every
        self._rights = rights or Rights()
        self._delivered = 0

    async def accept(self, events: object) -> int:
        """How many invocations the events caused; they are durable on return.

        Raises ValueError for events that are not in the form of the "OSS trigger" page.
        """
        fired = [pair for event in _checked(events) for pair in self._matching(event)]
        calls = [
            self._delivery.enqueue(function, payload, "oss")
            for function, payload in fired
            for _ in range(self._copies())
        ]
        await asyncio.gather(*calls)
        return len(calls)

    def _matching(self, event: dict[str, Any]) -> list[tuple[str, bytes]]:
        payload = json.dumps({"events": [event]}, ensure_ascii=False).encode()
        return [
            (function.name, payload)
            for function, trigger in self._triggers
            if fires(trigger, event) and self._rights.may_call(trigger.role, function)
        ]

    def _copies(self) -> int:
        self._delivered += 1
        every = self._duplicate_every
        return 2 if every and self._delivered % every == 0 else 1


def fires(trigger: OssTrigger, event: dict[str, Any]) -> bool:
    """Whether this event is one the trigger waits for."""
    oss = event["oss"]
    return trigger.matches(event["eventName"], oss["bucket"]["name"], oss["object"]["key"])


def put_event(
    bucket: str, region: str, account: str, key: str, etag: str, size: int
) -> dict[str, Any]:
    """A PutObject event for an object that was seen in a bucket's listing."""
    return {
        "eventName": "ObjectCreated:PutObject",
        "eventSource": "acs:oss",
        "eventTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "eventVersion": "1.0",
        "oss": {
            "bucket": {
                "arn": f"acs:oss:{region}:{account}:{bucket}",
                "name": bucket,
                "ownerIdentity": account,
                "virtualBucket": "",
            },
            "object": {"deltaSize": size, "eTag": etag, "key": key, "size": size},
            "ossSchemaVersion": "1.0",
            "ruleId": "watch-bucket",
        },
        "region": region,
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"requestId": uuid.uuid4().hex[:24].upper()},
        "userIdentity": {"principalId": account},
    }


def _checked(events: object) -> list[dict[str, Any]]:
    if not isinstance(events, list) or not all(_is_event(event) for event in events):
        raise ValueError("each event needs eventName, oss.bucket.name and oss.object.key")
    return events


def _is_event(event: dict[str, Any]) -> bool:
    try:
        oss = event["oss"]
        texts = (event["eventName"], oss["bucket"]["name"], oss["object"]["key"])
    except (TypeError, KeyError):
        return False
    return all(isinstance(text, str) for text in texts)
