"""Questions to Function Compute and ROS under a person's AccessKey; nothing is changed.

Facts: signature ACS3-HMAC-SHA256 (page "V3 request structure and signature"); ListTriggers of
Function Compute 2023-03-30; ListStacks and GetStack of ROS 2019-09-10.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from cli.bucket_checks import TIMEOUT, Bad, Cause
from shared.platform.clock import Clock, nonce
from shared.platform.fc.invoke import authorization
from shared.platform.settings import Credentials

NOTHING = hashlib.sha256(b"").hexdigest()


class Refused(Exception):
    """The API answered with an error; `code` is its name for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"HTTP {status} {code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Operation:
    """An operation of an API: its name and the API's version, at a path below the endpoint."""

    name: str
    version: str
    path: str = "/"


@dataclass
class OpenApi:
    """The APIs as one RAM user may ask them."""

    credentials: Credentials
    http: requests.Session
    clock: Clock
    rng: random.Random

    def get(
        self, endpoint: str, operation: Operation, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What the operation answers. Raises Refused, and Bad if nobody answers."""
        asked = _query(query or {})
        headers = self._signed(endpoint, operation, asked)
        url = f"{endpoint}{operation.path}" + (f"?{asked}" if asked else "")
        try:
            answer = self.http.get(url, headers=headers, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise Bad(
                f"{endpoint} cannot be reached ({type(error).__name__}); check the network.",
                Cause.UNREACHABLE,
            ) from None
        try:
            said = answer.json()
        except ValueError:
            said = None
        document: dict[str, Any] = said if isinstance(said, dict) else {}
        if answer.status_code != 200:
            code, message = (str(document.get(name, "")) for name in ("Code", "Message"))
            raise Refused(answer.status_code, code or "without a reason", message)
        return document

    def _signed(self, endpoint: str, operation: Operation, query: str) -> dict[str, str]:
        moment = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc)
        headers = {
            "host": urlsplit(endpoint).netloc,
            "x-acs-action": operation.name,
            "x-acs-version": operation.version,
            "x-acs-date": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": nonce(self.rng),
            "x-acs-content-sha256": NOTHING,
        }
        if self.credentials.token:
            headers["x-acs-security-token"] = self.credentials.token
        signed = authorization("GET", operation.path, query, headers, self.credentials)
        return headers | {"authorization": signed}


def _query(values: Mapping[str, str]) -> str:
    """Sorted by name, as it is signed and sent."""
    return "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(values.items()))
