"""Bodies in the form of messages: what is refused at once, and what is passed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.api.dashscope import errors
from shared.catalogue.models import Model
from shared.jobfile import Document
from shared.jobfile.findings import Findings
from shared.jobfile.messages import check_messages

MESSAGES = "messages"
MOST_FOUND = 10
"""Violations that a refusal tells."""


def is_messages(given: Any) -> bool:
    """Whether an `input` holds messages."""
    return isinstance(given, Mapping) and MESSAGES in given


def tidied(given: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """`input` and `parameters` with messages, without what clients add and the service ignores.

    Raises DashScopeError for messages of which no request can be made for the model.
    """
    form, fields = model.messages, model.input_schema["properties"]
    if form is None:
        takes = ", ".join(fields)
        raise errors.field_invalid(MESSAGES, f"{model.name} takes no messages but input: {takes}")
    sent = {name: value for name, value in given["input"].items() if name in (MESSAGES, *fields)}
    found = Findings(Document(0, {"input": sent}), MOST_FOUND)
    if not check_messages({"input": sent}, model, form, found):
        detail = "; ".join(one.message for one in found.violations)
        raise errors.field_invalid(f"input.{MESSAGES}", detail)
    return {"input": sent, "parameters": given["parameters"]}
