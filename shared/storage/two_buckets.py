"""Results in a bucket of their own: the same keys, each in the bucket that it belongs to.

Only a deployment with RESULTS_BUCKET imports this. Nothing below results/ decides anything, so it
needs no create-if-absent across both buckets; state/, jobs/ and inputs/ stay together in the first.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Any

from shared.platform.clock import Clock
from shared.platform.logs import about
from shared.platform.settings import Credentials, Settings
from shared.storage import layout
from shared.storage.objects import Creation, Entry, Slice, StoreError
from shared.storage.oss import OssStore, VersionedBucket, open_store

log = logging.getLogger(__name__)


class TwoBuckets(OssStore):
    """The first bucket, and `results`, which has everything below results/."""

    def __init__(self, first: OssStore, results: OssStore) -> None:
        super().__init__(first.bucket, first.public, first.clock, first.rng)
        self.results = results

    def read(self, key: str, limit: int) -> Slice:
        return self.results.read(key, limit) if _there(key) else super().read(key, limit)

    def read_range(self, key: str, start: int, length: int) -> Slice:
        if _there(key):
            return self.results.read_range(key, start, length)
        return super().read_range(key, start, length)

    def create(self, key: str, body: bytes) -> Creation:
        return self.results.create(key, body) if _there(key) else super().create(key, body)

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        if _there(key):
            return self.results.put(key, body, content_type)
        return super().put(key, body, content_type)

    def put_file(self, key: str, file: IO[bytes], md5: bytes, content_type: str) -> None:
        if _there(key):
            return self.results.put_file(key, file, md5, content_type)
        return super().put_file(key, file, md5, content_type)

    def list(self, prefix: str, after: str = "", limit: int | None = None) -> Iterator[Entry]:
        if _there(prefix):
            return self.results.list(prefix, after, limit)
        return super().list(prefix, after, limit)

    def delete(self, key: str) -> None:
        return self.results.delete(key) if _there(key) else super().delete(key)

    def presign(self, key: str, seconds: int, download_as: str = "") -> str:
        if _there(key):
            return self.results.presign(key, seconds, download_as)
        return super().presign(key, seconds, download_as)

    def presign_put(self, key: str, seconds: int, headers: Mapping[str, str]) -> str:
        if _there(key):
            return self.results.presign_put(key, seconds, headers)
        return super().presign_put(key, seconds, headers)

    def refuse_versioned(self) -> None:
        """Raise VersionedBucket if versioning was ever on in either, and StoreError if the second
        cannot be used: another region's, another account's, or none."""
        super().refuse_versioned()
        name = self.results.bucket.bucket_name
        try:
            status = self.results.versioning()
        except StoreError as error:
            if "OSS answered 4" not in str(error):
                return  # it could not be asked now; the first request that needs it will tell
            raise _refused(
                StoreError,
                f"RESULTS_BUCKET is {name}, which cannot be used. {error}"
                " It must be a bucket of the same account and region as OSS_BUCKET, which the roles"
                " of the functions may use (docs/permissions.md).",
            ) from None
        if status:
            raise _refused(
                VersionedBucket,
                f"RESULTS_BUCKET is {name}, which has versioning"
                f" {status}: pictures that are erased would stay there as older versions. Use a"
                " bucket that never had versioning.",
            )


def open_two(
    settings: Settings,
    credentials: Credentials,
    clock: Clock,
    rng: random.Random,
    session: Any = None,
) -> OssStore:
    """Both buckets that the settings name. Nothing is sent yet. Raises SettingsError."""
    first = open_store(settings, credentials, clock, rng, session)
    second = replace(settings, oss_bucket=settings.results_bucket)
    results = open_store(second, credentials, clock, rng, session)
    return TwoBuckets(first, results)


def _there(key: str) -> bool:
    return key.startswith(layout.RESULTS)


def _refused(kind: type[StoreError], message: str) -> StoreError:
    log.error("%s", message, extra=about("bucket.results"))
    return kind(message)
