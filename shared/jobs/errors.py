"""The service's errors in the words of the error table, for records and for the log."""

from __future__ import annotations

from typing import Any

from shared.catalogue.errors import ErrorRule, ErrorTable, JobError
from shared.modelstudio.client import ServiceError


def classified(errors: ErrorTable, error: ServiceError) -> ErrorRule:
    """The rule that explains an error of the service."""
    return errors.classify(error.code, error.message, error.http)


def explained(error: ServiceError, rule: ErrorRule) -> JobError:
    """An error of the service as record and manifest show it."""
    return rule.error(error.code, error.message, error.request_id)


def log_fields(error: ServiceError, rule: ErrorRule) -> dict[str, Any]:
    """An error of the service as fields of a log line."""
    return {
        "code": error.code,
        "class": rule.kind,
        "http": error.http,
        "request_id": error.request_id or None,
    }
