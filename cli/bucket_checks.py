"""What `doctor` and `verify-cloud` both look at: settings, bucket, clock.

Facts: what OSS answers to a wrong key, bucket or clock (OSS error responses page); with versioning
x-oss-forbid-overwrite has no effect (PutObject page).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

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
from shared.storage.oss import OssStore, VersionedBucket, open_store

SKEW_SECONDS = 60.0
"""OSS refuses at 15 minutes; long before that, times in records mislead."""
TIMEOUT = (3.05, 10)


class Bad(Exception):
    """A check that failed; the text says what to do."""


@dataclass
class Bucket:
    """The bucket under examination, and the keys it is asked with."""

    settings: Settings
    store: OssStore
    credentials: Credentials | None = None


def open_settings(environ: Mapping[str, str]) -> Bucket:
    """The bucket that the settings name; nothing is asked yet. Raises Bad."""
    try:
        settings = load_settings(with_any_key(environ))
        credentials = load_credentials(environ)
    except (MissingSettings, NoCredentials) as error:
        missing = "no keys for OSS" if isinstance(error, NoCredentials) else error.lacks
        advice = "set OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, name"
        raise Bad(
            f"{missing}; {advice} a file of them with --env, or start the laptop cloud: wanx up"
        ) from None
    except SettingsError as error:
        raise Bad(str(error)) from None
    try:
        store = open_store(settings, credentials, SystemClock(), new_random())
    except SettingsError as error:
        raise Bad(str(error)) from None
    return Bucket(settings, store, credentials)


def versioning(bucket: Bucket) -> str:
    """That versioning is off. Raises Bad, StoreError."""
    try:
        bucket.store.refuse_versioned()
    except VersionedBucket as error:
        raise Bad(str(error)) from None
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
        raise Bad(
            f"this computer is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the store;"
            " set its clock (OSS refuses requests that are 15 minutes off)."
        )
    return f"within {max(1.0, abs(skew)):.0f} s of the store's"
