"""The API key of Model Studio: from the environment, or from a secret in KMS.

A secret is read again every five minutes, and when the service refuses the key that was read: a
rotation takes effect by itself, in a poller run of ten minutes too. While KMS cannot be asked, the
key that is known stays in use.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from importlib import import_module
from threading import Lock
from typing import Any, Protocol

from shared.platform.clock import Clock
from shared.platform.logs import about, hide
from shared.platform.settings import OF_A_PLAN, PLAN_KEY, Credentials

FRESH = 300.0
"""Seconds for which a key is used without asking again."""
AGAIN = 15.0
"""Seconds to leave KMS alone, after a failure or after a refused key was read again."""
CONNECT_TIMEOUT, READ_TIMEOUT = 3.05, 5.0
FIELD = "DASHSCOPE_API_KEY"

log = logging.getLogger(__name__)


class KeyUnavailable(Exception):
    """The secret cannot be read, or holds no key; the text says what to do."""


class KeySource(Protocol):
    """Where the key comes from."""

    def value(self) -> str:
        """The key to use now. Raises KeyUnavailable."""

    def renewed(self, refused: str) -> bool:
        """Whether there is a key other than this one, which the service has refused."""


@dataclass(frozen=True)
class FixedKey:
    """The key as the environment holds it."""

    key: str = field(repr=False)

    def value(self) -> str:
        return self.key

    def renewed(self, refused: str) -> bool:
        return False


@dataclass
class SecretKey:
    """The key in the KMS secret `name`, read with the function's own credentials.

    `endpoint` is a URL. One per instance: it outlives the invocations, whose credentials change.
    """

    name: str
    endpoint: str
    region: str
    credentials: Credentials
    clock: Clock
    _key: str = field(default="", repr=False)
    _read_at: float = float("-inf")
    _failed_at: float = float("-inf")
    _trouble: str = ""
    _asking: Lock = field(default_factory=Lock, init=False, repr=False)

    def value(self) -> str:
        """The key, read again if it was read five minutes ago. Raises KeyUnavailable.

        One thread asks KMS; meanwhile the others use the key that is known, or wait for the first.
        """
        if self._is_due() and self._asking.acquire(blocking=not self._key):
            try:
                if self._is_due():
                    self._read()
            finally:
                self._asking.release()
        if not self._key:
            raise KeyUnavailable(self._trouble)
        return self._key

    def renewed(self, refused: str) -> bool:
        """Read the key again, unless that was just done; whether it is a different one now."""
        with self._asking:
            latest = min(self._age(self._read_at), self._age(self._failed_at))
            if self._key == refused and latest >= AGAIN:
                self._read()
        return self._key not in ("", refused)

    def _is_due(self) -> bool:
        return self._age(self._read_at) >= FRESH and self._age(self._failed_at) >= AGAIN

    def _age(self, at: float) -> float:
        """Seconds since `at`, by wall time because instances are frozen between invocations;
        infinite if the clock was set back."""
        age = self.clock.now() - at
        return age if age >= 0 else float("inf")

    def _read(self) -> None:
        try:
            found = key_in(self.name, read_secret(self))
        except KeyUnavailable as error:
            self._failed_at, self._trouble = self.clock.now(), str(error)
            level = logging.WARNING if self._key else logging.ERROR
            goes_on = " The key read before stays in use." if self._key else ""
            log.log(level, "%s%s", error, goes_on, extra=about("key.unavailable", secret=self.name))
            return
        hide(found)
        if found != self._key:
            log.info(
                "the API key was read from secret %s",
                self.name,
                extra=about("key.read", secret=self.name),
            )
        self._key, self._read_at = found, self.clock.now()


def key_in(name: str, value: str) -> str:
    """The key in a secret's value: the text itself, or JSON that holds it as DASHSCOPE_API_KEY.

    Raises KeyUnavailable.
    """
    text = value.strip()
    if text.startswith("{"):
        try:
            held = json.loads(text).get(FIELD)
        except ValueError:
            held = None
        text = held.strip() if isinstance(held, str) else ""
    if not text or " " in text or not text.isascii() or not text.isprintable():
        raise KeyUnavailable(
            f"Secret {name} holds no API key: its value must be the key as plain text, or JSON"
            f' {{"{FIELD}": "…"}}. Put a new version of the secret into KMS.'
        )
    if text.startswith(PLAN_KEY):
        raise KeyUnavailable(f"Secret {name} {OF_A_PLAN}")
    return text


def read_secret(secret: SecretKey) -> str:
    """The secret's current value (KMS GetSecretValue page), asked for once. Raises KeyUnavailable.

    The client is imported here: a function that needs no key must not pay for it.
    """
    exceptions = import_module("aliyunsdkcore.acs_exception.exceptions")
    operation = import_module("aliyunsdkkms.request.v20160120.GetSecretValueRequest")
    request = operation.GetSecretValueRequest()
    request.set_SecretName(secret.name)
    request.set_endpoint(secret.endpoint)
    try:
        answer = json.loads(_client(secret).do_action_with_exception(request))
    except exceptions.ServerException as error:
        raise KeyUnavailable(_refused(secret, error)) from None
    except exceptions.ClientException:
        raise KeyUnavailable(
            f"KMS cannot be reached at {secret.endpoint} for secret {secret.name}: check"
            " KMS_ENDPOINT and that the function may use the internet (or the VPC it names)."
        ) from None
    except (ValueError, LookupError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("SecretData"), str):
        raise KeyUnavailable(f"{secret.endpoint} did not answer as KMS does; check KMS_ENDPOINT.")
    if answer.get("SecretDataType") == "binary":
        raise KeyUnavailable(
            f"Secret {secret.name} holds binary data; put the API key into it as text."
        )
    return str(answer["SecretData"])


def _client(secret: SecretKey) -> Any:
    forms = import_module("aliyunsdkcore.auth.credentials")
    keys = secret.credentials
    credential = (
        forms.StsTokenCredential(keys.key_id, keys.key_secret, keys.token)
        if keys.token
        else forms.AccessKeyCredential(keys.key_id, keys.key_secret)
    )
    return import_module("aliyunsdkcore.client").AcsClient(
        region_id=secret.region,
        credential=credential,
        auto_retry=False,
        connect_timeout=CONNECT_TIMEOUT,
        timeout=READ_TIMEOUT,
    )


def _refused(secret: SecretKey, error: Any) -> str:
    """What KMS said, and what to do about it."""
    code, said = str(error.get_error_code()), f"{error.get_error_code()}: {error.get_error_msg()}"
    advice = "Try again later, or look at the secret in the KMS console."
    if "NotFound" in code:
        advice = f"Make the secret in region {secret.region}, or mend DASHSCOPE_API_KEY_SECRET."
    elif code.startswith(("Forbidden", "NoPermission", "InvalidAccessKeyId", "InvalidSecurity")):
        advice = (
            "Allow the function's role kms:GetSecretValue on it (and kms:Decrypt on its key, where"
            " the secret has a key of your own)."
        )
    return f"KMS refuses secret {secret.name} (HTTP {error.get_http_status()} {said}). {advice}"
