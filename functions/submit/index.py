"""submit: a job file was written to the bucket (OSS trigger)."""

from __future__ import annotations

import logging
import os

from shared.app import for_invocation
from shared.platform.fc.events import OssEvent, UnknownEvent, read_event
from shared.platform.logs import about, logged

log = logging.getLogger(__name__)


@logged(log)
def handler(event: bytes, context: object) -> str:
    """Take in every job file the event names; raise to have the event delivered again."""
    app = for_invocation(os.environ, context)
    app.say_code()
    read = read_event(event)
    if not isinstance(read, OssEvent):
        raise UnknownEvent(f"submit takes OSS events only, not {type(read).__name__}.")
    for change in read.changes:
        if change.bucket != app.settings.oss_bucket:
            facts = about("jobfile.foreign", source=change.key)
            log.error("%s lies in bucket %s, not in ours", change.key, change.bucket, extra=facts)
            continue
        app.acceptance.job_file(change.key)
    return "ok"
