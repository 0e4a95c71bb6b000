"""api: programs and people over HTTP (HTTP trigger)."""

from __future__ import annotations

import logging
import os
from typing import Any

from shared.api.jobs_api import create_app
from shared.app import for_invocation
from shared.platform.fc.http import HttpEvent, call
from shared.platform.logs import logged

log = logging.getLogger(__name__)


@logged(log)
def handler(event: bytes, context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    app = for_invocation(os.environ, context)
    return call(create_app(app), HttpEvent.of(event))
