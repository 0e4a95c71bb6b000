"""What a check is, and those that several commands make: settings, endpoint, bucket, clock.

Facts: what OSS answers to a wrong key, bucket or clock (OSS error responses page); with versioning
x-oss-forbid-overwrite has no effect (PutObject page).
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from urllib.parse import urlsplit

import requests

from cli.backends.bucket import with_any_key
from shared.platform.clock import SystemClock, new_random
from shared.platform.settings import (
    Credentials,
    MissingSettings,
    NoCredentials,
    Settings,
    SettingsError,
    load_credentials,
    load_settings,
)
from shared.storage import layout
from shared.storage.objects import StoreError
from shared.storage.oss import OssStore, VersionedBucket, open_store
from shared.storage.two_buckets import TwoBuckets, open_two

SKEW_SECONDS = 60.0
"""OSS refuses at 15 minutes; long before that, times in records mislead."""
TIMEOUT = (3.05, 10)
FOLDER = "state/doctor/"
RESULTS_FOLDER = f"{layout.RESULTS}~doctor/"
RESULTS_BUCKET = "RESULTS_BUCKET"
LINK_SECONDS = 60


WHAT_TO_DO = {
    "InvalidAccessKeyId": "OSS does not know OSS_ACCESS_KEY_ID; take the key of a RAM user who may"
    " use the bucket (for the laptop cloud: .local/env of its last start).",
    "SignatureDoesNotMatch": "OSS_ACCESS_KEY_SECRET does not belong to OSS_ACCESS_KEY_ID, or"
    " OSS_REGION is not the bucket's; copy both again.",
    "NoSuchBucket": "there is no such bucket at this endpoint; correct OSS_BUCKET or OSS_ENDPOINT,"
    " or create the bucket.",
    "AccessDenied": "the key may not do this; give its RAM user the policy of docs/permissions.md"
    " (operator), and use the endpoint of the bucket's region.",
    "RequestTimeTooSkewed": "this computer's clock is wrong by more than 15 minutes; set it.",
    "could not be reached": "nobody answers at OSS_ENDPOINT; check the address and the network"
    " (an -internal endpoint is reachable inside Alibaba Cloud alone).",
}


class Cause(str, Enum):
    """Why a check failed, where that decides what to do; OTHER: what is looked at is not done."""

    OTHER = ""
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    WRONG = "wrong"
    CLOCK = "clock"
    BUSY = "busy"
    FAILING = "failing"


CAUSES = {
    "InvalidAccessKeyId": Cause.OTHER,
    "SignatureDoesNotMatch": Cause.OTHER,
    "NoSuchBucket": Cause.OTHER,
    "AccessDenied": Cause.REFUSED,
    "RequestTimeTooSkewed": Cause.CLOCK,
    "could not be reached": Cause.UNREACHABLE,
}
"""By the same signs in what OSS said; BUSY without any."""


class Bad(Exception):
    """A check that failed; the text says what to do."""

    def __init__(self, text: str, cause: Cause = Cause.OTHER) -> None:
        super().__init__(text)
        self.cause = cause


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, whether it is as it must be, and what was seen or to do.

    `ok` None: the check was left out, which is not a failure. `warns`: all works, and something
    had better be changed.
    """

    what: str
    ok: bool | None
    text: str
    warns: bool = False
    cause: Cause = Cause.OTHER


@dataclass
class Bucket:
    """The bucket under examination, and the keys it is asked with."""

    settings: Settings
    store: OssStore
    credentials: Credentials | None = None

    @property
    def of_results(self) -> Bucket | None:
        """The bucket of the results, if it is another one."""
        if not isinstance(self.store, TwoBuckets):
            return None
        return Bucket(self.settings, self.store.results, self.credentials)


def open_settings(environ: Mapping[str, str]) -> Bucket:
    """The bucket that the settings name; nothing is asked yet. Raises Bad."""
    try:
        settings = load_settings(with_any_key(environ))
        credentials = load_credentials(environ)
    except (MissingSettings, NoCredentials) as error:
        missing = "no keys for OSS" if isinstance(error, NoCredentials) else error.lacks
        raise Bad(
            f"{missing}; set OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET,"
            " name a file of them with --env, or start the laptop cloud: wanx up"
        ) from None
    except SettingsError as error:
        raise Bad(str(error), Cause.WRONG) from None
    try:
        opened = open_two if settings.results_bucket else open_store
        store = opened(settings, credentials, SystemClock(), new_random())
    except SettingsError as error:
        raise Bad(str(error), Cause.WRONG) from None
    return Bucket(settings, store, credentials)


def versioning(bucket: Bucket) -> str:
    """That versioning is off. Raises Bad, StoreError."""
    try:
        bucket.store.refuse_versioned()
    except VersionedBucket as error:
        raise Bad(str(error), Cause.WRONG) from None
    except StoreError as error:
        if RESULTS_BUCKET in str(error):
            raise Bad(str(error), Cause.WRONG) from None
        raise
    return "off"


def clock(bucket: Bucket) -> str:
    """How far this computer's clock is from the store's. Raises Bad."""
    try:
        answer = requests.head(bucket.settings.oss_endpoint, timeout=TIMEOUT)
        theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (requests.RequestException, KeyError, ValueError, TypeError):
        raise Bad("the store's answer has no Date; try again in a minute.") from None
    skew = time.time() - theirs
    if abs(skew) > SKEW_SECONDS:
        cure = "set its clock (OSS refuses requests that are 15 minutes off)."
        if skew > 0:
            raise Bad(f"this computer is {skew:.0f} s ahead of the store; {cure}")
        raise Bad(f"this computer is {-skew:.0f} s behind the store; {cure}")
    return f"within {max(1.0, abs(skew)):.0f} s of the store's"


def checked(what: str, look: Callable[[], str | None]) -> Check:
    """A check that returns what it saw, None if it was left out, and raises otherwise."""
    try:
        seen = look()
    except Bad as error:
        return Check(what, False, str(error), cause=error.cause)
    except StoreError as error:
        return Check(what, False, _advice(str(error)), cause=_cause(str(error)))
    return Check(what, None if seen is None else True, seen or "not set; left out")


def _advice(text: str) -> str:
    """What OSS said, and what to do about it."""
    for sign, advice in WHAT_TO_DO.items():
        if sign in text:
            return f"{text} What to do: {advice}"
    return f"{text} Try again in a minute."


def _cause(text: str) -> Cause:
    return next((cause for sign, cause in CAUSES.items() if sign in text), Cause.BUSY)


def endpoint(bucket: Bucket) -> str:
    """Connect first: the store's own retries would take half a minute to say the same."""
    url = bucket.settings.oss_endpoint
    parts = urlsplit(url)
    try:
        port = parts.port or (80 if parts.scheme == "http" else 443)
        with socket.create_connection((parts.hostname or "", port), TIMEOUT[0]):
            return url
    except (OSError, ValueError) as error:
        advice = WHAT_TO_DO["could not be reached"]
        raise Bad(
            f"{url} cannot be reached ({error}). What to do: {advice}", Cause.UNREACHABLE
        ) from None


def reachable(bucket: Bucket) -> str:
    """Read, create if absent, and delete: all that the functions do."""
    for _ in bucket.store.list(FOLDER, limit=1):
        pass
    key = f"{FOLDER}{secrets.token_hex(8)}"
    try:
        if not bucket.store.create(key, b"first").created:
            raise Bad(f"{key} could not be created though it is new; look at the bucket's rules.")
        if bucket.store.create(key, b"second").created:
            raise Bad(
                "the store creates an object that exists already: it ignores"
                " x-oss-forbid-overwrite, and jobs could be paid twice. Use OSS itself, and a"
                " bucket that never had versioning."
            )
    finally:
        bucket.store.delete(key)
    return "lists, creates, deletes"


def public_link(bucket: Bucket, folder: str = FOLDER) -> str:
    """A presigned GET as the model service makes it: without our keys, at the public endpoint."""
    key, body = f"{folder}{secrets.token_hex(8)}", secrets.token_bytes(16)
    public = bucket.settings.oss_public_endpoint
    bucket.store.put(key, body, "application/octet-stream")
    try:
        answer = requests.get(bucket.store.presign(key, LINK_SECONDS), timeout=TIMEOUT)
        if answer.status_code == 200 and answer.content == body:
            return f"{public} serves presigned links"
        seen = f"HTTP {answer.status_code}"
    except requests.RequestException as error:
        seen = type(error).__name__
    finally:
        bucket.store.delete(key)
    raise Bad(
        f"a presigned link to {public} does not work from here ({seen}), so the model service"
        " could not fetch images of the bucket. Bind a domain of your own to the bucket and set"
        " OSS_PUBLIC_ENDPOINT, or set INPUT_DELIVERY=inline for models that take inline data."
    )
