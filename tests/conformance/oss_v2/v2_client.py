"""Starts the OSS server with the project's own Python and builds clients of the second SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.oss_server import BUCKET, KEY_ID, REGION, REPOSITORY, SECRET

# Any: the SDK is installed in this folder's own environment only (requirements-oss-v2.txt).
sdk: Any = pytest.importorskip("alibabacloud_oss_v2")
SERVER_PYTHON = str(REPOSITORY / ".venv/bin/python")


def client(
    url: str,
    version: str = "v4",
    key: tuple[str, str] = (KEY_ID, SECRET),
    token: str | None = None,
    **settings: Any,
) -> Any:
    """Return a client that signs with V1 or V4 and does not repeat refused requests."""
    config = sdk.config.load_default()
    config.credentials_provider = sdk.credentials.StaticCredentialsProvider(*key, token)
    config.region, config.endpoint = REGION, url
    config.signature_version, config.retry_max_attempts = version, 1
    for name, value in settings.items():
        setattr(config, name, value)
    return sdk.Client(config)


class Requests:
    """Builds requests: ``Requests("key")("PutObject", body=b"x")``."""

    def __init__(self, key: str = "") -> None:
        self._named = {"bucket": BUCKET, **({"key": key} if key else {})}

    def __call__(self, operation: str, **fields: Any) -> Any:
        return getattr(sdk, f"{operation}Request")(**{**self._named, **fields})


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    """Return status and code of the error the server answers."""
    with pytest.raises(sdk.exceptions.OperationError) as refused:
        call()
    error = refused.value.unwrap()
    assert error.request_id, "every refusal names its request"
    return error.status_code, error.code
