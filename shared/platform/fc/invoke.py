"""InvokeFunction: a function calls itself later, and a person asks one and waits for its answer.

Facts: header x-fc-async-delay, 0 to 3600 s (asynchronous invocation page of Function Compute);
POST /2023-03-30/functions/{name}/invocations (InvokeFunction page); signature ACS3-HMAC-SHA256
(page "V3 request structure and signature").
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol
from urllib.parse import quote, urlsplit

from shared.platform.clock import Clock, nonce
from shared.platform.settings import Credentials
from shared.platform.slim_imports import requests

VERSION = "2023-03-30"
LONGEST_DELAY = 3600.0
"""Seconds that a call may be delayed at most."""
TIMEOUT = (3.05, 10.0)
ANSWER_SECONDS = 60.0
ACCEPTED, ANSWERED = 202, 200
ALGORITHM = "ACS3-HMAC-SHA256"


class CallRefused(Exception):
    """The call was not accepted, as far as is known; the text says why and what to do.

    `status`: of the answer, 0 where there was none.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class CallFailed(Exception):
    """The function was called and ended with an error."""


class DelayedCalls(Protocol):
    """Calls the function that runs now, later."""

    def call(self, delay: float, event: bytes) -> None:
        """Have the function called with this event in `delay` seconds. Raises CallRefused."""


@dataclass
class OwnFunction:
    """A function at the Function Compute endpoint (a URL) of its account; for poll, poll itself."""

    endpoint: str
    name: str
    credentials: Credentials
    http: requests.Session
    clock: Clock
    rng: random.Random

    def call(self, delay: float, event: bytes) -> None:
        """See DelayedCalls. The call is sent once: without an answer it may come all the same."""
        seconds = max(0, min(int(LONGEST_DELAY), round(delay)))
        how = {"x-fc-invocation-type": "Async", "x-fc-async-delay": str(seconds)}
        self._post(event, how, TIMEOUT, ACCEPTED)

    def ask(self, event: bytes) -> bytes:
        """Call the function now; what it returns, within `ANSWER_SECONDS`. Raises CallRefused, and
        CallFailed if the function ended with an error."""
        answer = self._post(event, {}, (TIMEOUT[0], ANSWER_SECONDS), ANSWERED)
        kind = answer.headers.get("X-Fc-Error-Type")
        if kind:
            raise CallFailed(f"{self.name} ended with {kind}; its log says why.")
        return bytes(answer.content)

    def _post(
        self, event: bytes, how: Mapping[str, str], timeout: tuple[float, float], expected: int
    ) -> requests.Response:
        path = f"/{VERSION}/functions/{quote(self.name, safe='')}/invocations"
        try:
            answer = self.http.post(
                f"{self.endpoint}{path}",
                data=event,
                headers={**self._signed(path, event), **how},
                timeout=timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise CallRefused(
                f"{self.endpoint} did not answer ({type(error).__name__}); check INVOKE_ENDPOINT"
                " and that the function may use the internet."
            ) from None
        if answer.status_code != expected:
            raise CallRefused(
                f"{self.endpoint} answered HTTP {answer.status_code} instead of {expected}"
                f" ({answer.headers.get('X-Fc-Error-Type') or 'no reason given'}); allow"
                f" the caller (of a function: its role) fc:InvokeFunction on {self.name}.",
                answer.status_code,
            )
        return answer

    def _signed(self, path: str, body: bytes) -> dict[str, str]:
        moment = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc)
        headers = {
            "host": urlsplit(self.endpoint).netloc,
            "content-type": "application/octet-stream",
            "x-acs-action": "InvokeFunction",
            "x-acs-version": VERSION,
            "x-acs-date": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": nonce(self.rng),
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        }
        if self.credentials.token:
            headers["x-acs-security-token"] = self.credentials.token
        signed = authorization("POST", path, "", headers, self.credentials)
        return headers | {"authorization": signed}


def authorization(
    method: str, path: str, query: str, headers: Mapping[str, str], keys: Credentials
) -> str:
    """The Authorization header that signs all `headers` (lower-case names, with the body's hash).

    `path` and `query` as they are sent, the query sorted.
    """
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    digest = headers["x-acs-content-sha256"]
    request = "\n".join((method, path, query, lines, names, digest))
    text = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(keys.key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={keys.key_id},SignedHeaders={names},Signature={signature}"
