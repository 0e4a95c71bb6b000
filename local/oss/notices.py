"""Event messages as Function Compute receives them ("Event parameters of the OSS trigger")."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone

from local.oss.records import Record

ACCOUNT_ID = "1000000000000001"
RULE_ID = "laptop"


@dataclass(frozen=True)
class Cause:
    """The request that changed an object: its event's name, its id and its sender's address."""

    event: str
    request_id: str
    source_ip: str = "127.0.0.1"


def new_request_id() -> str:
    """Return a request id as the service writes it: 24 upper-case hexadecimal digits."""
    return secrets.token_hex(12).upper()


def utc_milliseconds(now: datetime | None = None) -> str:
    """Return a time, now if none is given, as ``2022-08-13T06:45:43.000Z``."""
    moment = now or datetime.now(timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def message(cause: Cause, region: str, record: Record, delta: int) -> str:
    """Return the JSON of one event; the key in it is not URL-encoded.

    ``delta`` is the change of the object's size in bytes.
    """
    bucket = {
        "arn": f"acs:oss:{region}:{ACCOUNT_ID}:{record.bucket}",
        "name": record.bucket,
        "ownerIdentity": ACCOUNT_ID,
        "virtualBucket": "",
    }
    changed = {"deltaSize": delta, "eTag": record.etag, "key": record.key, "size": record.size}
    event = {
        "eventName": cause.event,
        "eventSource": "acs:oss",
        "eventTime": utc_milliseconds(),
        "eventVersion": "1.0",
        "oss": {"bucket": bucket, "object": changed, "ossSchemaVersion": "1.0", "ruleId": RULE_ID},
        "region": region,
        "requestParameters": {"sourceIPAddress": cause.source_ip},
        "responseElements": {"requestId": cause.request_id},
        "userIdentity": {"principalId": ACCOUNT_ID},
    }
    return json.dumps({"events": [event]}, ensure_ascii=False)
