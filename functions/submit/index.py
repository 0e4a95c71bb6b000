"""submit: a job file was written to the bucket (OSS trigger)."""

from __future__ import annotations

import logging
import os

from shared.events import OssEvent, UnknownEvent, read_event
from shared.service import connect

log = logging.getLogger(__name__)


def handler(event: bytes, context: object) -> str:
    """Take in every job file the event names; raise to have the event delivered again."""
    read = read_event(event)
    if not isinstance(read, OssEvent):
        raise UnknownEvent(f"submit takes OSS events only, not {type(read).__name__}.")
    service = connect(os.environ, context)
    for change in read.changes:
        if change.bucket != service.settings.oss_bucket:
            log.error("%s lies in bucket %s, which is not ours", change.key, change.bucket)
            continue
        service.dispatch.job_file(change.key)
    return "ok"
