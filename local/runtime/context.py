"""The context object a handler receives, per runtime (help page on the Python context)."""

from __future__ import annotations

import logging
import os
from types import SimpleNamespace
from typing import Any


def make_context(settings: dict[str, Any], request_id: str) -> SimpleNamespace:
    """The context of one event.

    Runtimes up to python3.10 carry `credentials` and `service`; python3.12 has neither, but a
    `logger`. Credentials are those of the environment, as the function's role gave them.
    """
    function = SimpleNamespace(
        name=settings["name"],
        handler=settings["handler"],
        memory=settings["memory"],
        timeout=settings["timeout"],
    )
    context = SimpleNamespace(
        request_id=request_id,
        account_id=settings["account"],
        region=settings["region"],
        function=function,
    )
    if settings["runtime"] == "python3.12":
        return _modern(context, settings)
    return _classic(context, settings)


def _modern(context: SimpleNamespace, settings: dict[str, Any]) -> SimpleNamespace:
    context.function.version_id = ""
    context.function.qualifier = "LATEST"
    context.logger = logging.getLogger()
    context.log_project = settings["log_project"]
    context.log_store = settings["log_store"]
    return context


def _classic(context: SimpleNamespace, settings: dict[str, Any]) -> SimpleNamespace:
    context.credentials = SimpleNamespace(
        access_key_id=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        access_key_secret=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        security_token=os.environ.get("ALIBABA_CLOUD_SECURITY_TOKEN"),
    )
    context.service = SimpleNamespace(
        log_project=settings["log_project"],
        log_store=settings["log_store"],
        qualifier="LATEST",
        version_id="",
    )
    context.tracing = SimpleNamespace(span_context=None, jaeger_endpoint=None, span_baggages={})
    return context
