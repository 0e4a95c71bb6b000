"""The object store on Alibaba Cloud OSS: the only place that calls oss2.

oss2 2.19.1 itself never retries; with its CRC on, a repeated PUT hangs, because the body is not
rewound; and an instance that was frozen wakes to connections the server has closed. So CRC is
off, bodies carry Content-MD5, and every call is repeated from the top on network errors, 5xx
and 409 StaleFile, with jittered pauses.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import IO, Any, TypeVar
from urllib.parse import quote, urlsplit

from shared.platform.clock import Clock
from shared.platform.logs import about
from shared.platform.settings import BUCKET_NAME, Credentials, Settings, SettingsError
from shared.platform.slim_imports import oss2, requests
from shared.storage.objects import (
    Creation,
    Entry,
    ObjectForbidden,
    ObjectMissing,
    ObjectTooLarge,
    Slice,
    StoreError,
)

T = TypeVar("T")
TRIES = 4
PAUSE = 0.1
TIMEOUT = (3.05, 20)
CONNECTIONS = 64
"""Kept open: as many as requests at once. oss2 keeps ten and would open the others each time."""
EXISTS = "FileAlreadyExists"
AT = "%Y%m%dT%H%M%SZ"
"""How signatures write the time."""

log = logging.getLogger(__name__)


class VersionedBucket(StoreError):
    """The bucket has, or once had, versioning: create-if-absent does not hold there."""


@dataclass
class OssStore:
    """`shared.storage.objects.ObjectStore` on a bucket."""

    bucket: Any
    public: Any
    clock: Clock
    rng: random.Random

    def read(self, key: str, limit: int) -> Slice:
        """The whole object. Raises ObjectMissing, ObjectTooLarge, StoreError."""

        def get() -> Slice:
            answer = self.bucket.get_object(key)
            size = answer.content_length or 0
            if size > limit:
                answer.resp.response.close()
                raise ObjectTooLarge(f"{key} has {size} bytes; at most {limit} are read.")
            return Slice(answer.read(), size, answer.etag)

        return self._call(f"read {key}", get)

    def read_range(self, key: str, start: int, length: int) -> Slice:
        """Part of an object; past its end the body is empty. Raises ObjectMissing, StoreError.

        Without `x-oss-range-behavior: standard` OSS answers a range past the end with the whole
        object (GetObject page).
        """

        def get() -> Slice:
            answer = self.bucket.get_object(
                key,
                byte_range=(start, start + length - 1),
                headers={"x-oss-range-behavior": "standard"},
            )
            body = answer.read()
            whole = (answer.content_range or "").rpartition("/")[2]
            return Slice(body, int(whole) if whole.isdigit() else len(body), answer.etag)

        try:
            return self._call(f"read {key}", get)
        except _RangeError:
            head = self._call(f"head {key}", lambda: self.bucket.head_object(key))
            return Slice(b"", head.content_length or 0, head.etag)

    def create(self, key: str, body: bytes) -> Creation:
        """Put if absent. Raises StoreError when the outcome stays unknown.

        A repeated try can meet its own earlier success as a 409; then the stored body decides.
        """
        uncertain = False

        def put() -> Creation:
            nonlocal uncertain
            try:
                answer = self.bucket.put_object(key, body, headers=_put_headers(body, absent=True))
                return Creation(True, _date(answer.headers, self.clock))
            except oss2.exceptions.ServerError as error:
                if error.status == 409 and error.code == EXISTS:
                    return Creation(False, _date(error.headers, self.clock))
                uncertain = True
                raise
            except (oss2.exceptions.RequestError, requests.RequestException):
                uncertain = True
                raise

        outcome = self._call(f"create {key}", put)
        if not outcome.created and uncertain and self._holds(key, body):
            return Creation(True, outcome.at)
        return outcome

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        """Create or replace. Raises StoreError."""
        headers = _put_headers(body, content_type=content_type)
        self._call(f"write {key}", lambda: self.bucket.put_object(key, body, headers=headers))

    def put_file(self, key: str, file: IO[bytes], md5: bytes, content_type: str) -> None:
        """Create or replace with a file's content; OSS checks it by `md5`. Raises StoreError."""

        def put() -> object:
            file.seek(0)
            return self.bucket.put_object(key, file, headers=_headers(md5, content_type))

        self._call(f"write {key}", put)

    def list(self, prefix: str, after: str = "", limit: int | None = None) -> Iterator[Entry]:
        """Entries in byte order, at most `limit`. Raises StoreError."""
        token, left = "", limit
        while left is None or left > 0:
            page = self._page(prefix, after, token, 1000 if left is None else min(left, 1000))
            at = _date(page.headers, self.clock)
            for item in page.object_list:
                yield Entry(item.key, item.size, item.etag, float(item.last_modified), at)
            if not page.is_truncated:
                return
            token = page.next_continuation_token
            left = None if left is None else left - len(page.object_list)

    def delete(self, key: str) -> None:
        """Delete; a missing key is not an error. Raises StoreError."""
        self._call(f"delete {key}", lambda: self.bucket.delete_object(key))

    def presign(self, key: str, seconds: int, download_as: str = "") -> str:
        """A GET URL on the public endpoint, signed with V4."""
        if not download_as:
            return str(self.public.sign_url("GET", key, seconds, slash_safe=True))
        params = {"response-content-disposition": f'attachment; filename="{download_as}"'}
        return str(self.public.sign_url("GET", key, seconds, params=params, slash_safe=True))

    def presign_put(self, key: str, seconds: int, headers: Mapping[str, str]) -> str:
        """A PUT URL on the public endpoint, signed with V4: it works with these headers alone.

        V4 signs a Content-Type and every x-oss header.
        """
        signed = dict(headers)
        return str(self.public.sign_url("PUT", key, seconds, headers=signed, slash_safe=True))

    def versioning(self) -> str:
        """`Enabled`, `Suspended`, or empty where there never was any. Raises StoreError."""
        return self._call("ask for versioning", self.bucket.get_bucket_versioning).status or ""

    def owner(self) -> str:
        """The number of the bucket's account (GetBucketInfo page). Raises StoreError."""
        return str(self._call("ask whose the bucket is", self.bucket.get_bucket_info).owner.id)

    def refuse_versioned(self) -> None:
        """Raise VersionedBucket if versioning was ever on.

        `x-oss-forbid-overwrite` has no effect once versioning is Enabled or Suspended (PutObject
        page). The management call is throttled separately: ask once per instance, not per event.
        """
        try:
            status = self.versioning()
        except StoreError as error:
            if "AccessDenied" in str(error):
                raise
            log.warning(
                "Could not learn whether the bucket has versioning: %s",
                error,
                extra=about("bucket.unchecked"),
            )
            return
        if status:
            found = VersionedBucket(
                f"Bucket {self.bucket.bucket_name} has versioning {status}. With versioning OSS"
                " ignores x-oss-forbid-overwrite, and jobs could be paid twice. Use a bucket that"
                " never had versioning."
            )
            log.error("%s", found, extra=about("bucket.versioned"))
            raise found

    def _page(self, prefix: str, after: str, token: str, size: int) -> Any:
        return self._call(
            f"list {prefix}",
            lambda: self.bucket.list_objects_v2(
                prefix=prefix, start_after=after, continuation_token=token, max_keys=size
            ),
        )

    def _holds(self, key: str, body: bytes) -> bool:
        try:
            return self.read(key, len(body) + 1).body == body
        except (ObjectMissing, ObjectTooLarge):
            return False

    def _call(self, what: str, call: Callable[[], T]) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                return call()
            except (oss2.exceptions.OssError, requests.RequestException) as error:
                if attempt == TRIES or not _worth_repeating(error):
                    raise _translated(what, error) from None
                _log_retry(what, attempt, error)
            self.clock.sleep(PAUSE * 2**attempt * (0.5 + self.rng.random()))
        raise AssertionError("unreachable")


class _RangeError(StoreError):
    """The range lies past the object's end."""


class _Signatures(oss2.ProviderAuthV4):  # type: ignore[misc]  # oss2 has no types
    """Signatures of version 4 (OSS signature page). oss2 encodes texts character by character, and
    the role's token twice in each URL, which took most of the time of an answer with links."""

    def __init__(self, keys: Credentials, clock: Clock) -> None:
        own = (keys.key_id.strip(), keys.key_secret.strip(), keys.token)
        super().__init__(oss2.StaticCredentialsProvider(*own))
        self._clock = clock

    def _ProviderAuthV4__v4_uri_encode(self, text: Any, ignore_slashes: bool) -> str:
        return _encoded(oss2.to_bytes(text), "/" if ignore_slashes else "")

    def _sign_url(self, request: Any, bucket: str, key: str, expires: int) -> str:
        keys = self.credentials_provider.get_credentials()
        at = datetime.fromtimestamp(self._clock.now(), timezone.utc).strftime(AT)
        scope = f"{at[:8]}/{request.region}/{request.product}/aliyun_v4_request"
        params = request.params | {
            "x-oss-date": at,
            "x-oss-expires": str(expires),
            "x-oss-signature-version": "OSS4-HMAC-SHA256",
            "x-oss-credential": f"{keys.get_access_key_id()}/{scope}",
        }
        if keys.get_security_token():
            params["x-oss-security-token"] = keys.get_security_token()
        request.params = params
        signed = self._ProviderAuthV4__make_signature(request, bucket, key, [], keys, at)
        query = [f"{_encoded(name)}={_encoded(value)}" for name, value in params.items()]
        return f"{request.url}?{'&'.join(query)}&x-oss-signature={signed}"


@lru_cache(maxsize=256)
def _encoded(text: str | bytes, safe: str = "") -> str:
    """What stands for a text in a URL; the long ones, tokens, come again and again."""
    return quote(text, safe=safe)


def open_session(endpoint: str) -> Any:
    """Connections to OSS, with the proxies and certificates that the environment names.

    requests would look for them again with every request, which takes a tenth of its time, and
    would put what a .netrc file says in the place of our signature.
    """
    made = oss2.Session(CONNECTIONS)
    session = made.session
    found = session.merge_environment_settings(endpoint, {}, None, None, None)
    session.proxies, session.verify = found["proxies"], found["verify"]
    session.trust_env = False
    return made


def open_store(
    settings: Settings,
    credentials: Credentials,
    clock: Clock,
    rng: random.Random,
    session: Any = None,
) -> OssStore:
    """The bucket that the settings name. Nothing is sent yet.

    Raises SettingsError for a name or an endpoint that no bucket can have.
    """
    if not BUCKET_NAME.fullmatch(settings.oss_bucket):
        raise SettingsError(
            f"OSS_BUCKET is {settings.oss_bucket!r}; expected 3 to 63 lower-case letters, digits"
            " and hyphens, with a letter or digit at both ends. Use the name that the OSS console"
            " shows."
        )
    auth = _Signatures(credentials, clock)

    def bucket(variable: str, endpoint: str) -> Any:
        try:
            _require_address(endpoint)
            return oss2.Bucket(
                auth,
                endpoint,
                settings.oss_bucket,
                session=session,
                connect_timeout=TIMEOUT,
                enable_crc=False,
                region=settings.oss_region,
            )
        except (oss2.exceptions.ClientError, ValueError, TypeError):
            raise SettingsError(
                f"{variable} is {endpoint!r}; expected the address of OSS in the bucket's region:"
                " https://oss-cn-beijing.aliyuncs.com"
            ) from None

    return OssStore(
        bucket("OSS_ENDPOINT", settings.oss_endpoint),
        bucket("OSS_PUBLIC_ENDPOINT", settings.oss_public_endpoint),
        clock,
        rng,
    )


def _require_address(endpoint: str) -> None:
    """Raises ValueError for what cannot be the address of an HTTP server."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host.strip(".") or parts.port == 0:
        raise ValueError(endpoint)


def _headers(md5: bytes, content_type: str) -> dict[str, str]:
    return {"Content-MD5": base64.b64encode(md5).decode(), "Content-Type": content_type}


def _put_headers(
    body: bytes, *, absent: bool = False, content_type: str = "application/json"
) -> dict[str, str]:
    headers = _headers(hashlib.md5(body).digest(), content_type)
    if absent:
        headers["x-oss-forbid-overwrite"] = "true"
    return headers


def _date(headers: Any, clock: Clock) -> float:
    text = headers.get("Date") or headers.get("date")
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return float(int(clock.now()))


def _worth_repeating(error: Exception) -> bool:
    if _is_network(error):
        return True
    status, code = getattr(error, "status", 0), getattr(error, "code", "")
    return bool(status >= 500 and status != 501) or code == "StaleFile"


def _log_retry(what: str, attempt: int, error: Any) -> None:
    code = str(getattr(error, "code", "") or type(error).__name__)
    status = getattr(error, "status", None)
    log.info(
        "%s: try %d brought %s; once more",
        what,
        attempt,
        code,
        extra=about(
            "store.retry",
            step=what,
            code=code,
            http=status if isinstance(status, int) and status > 0 else None,
            request_id=getattr(error, "request_id", None) or None,
        ),
    )


def _is_network(error: Exception) -> bool:
    return isinstance(error, (oss2.exceptions.RequestError, requests.RequestException))


def _translated(what: str, error: Any) -> StoreError:
    if _is_network(error):
        return StoreError(f"Could not {what}: OSS could not be reached.")
    if error.status == 404 and error.code in ("NoSuchKey", ""):
        return ObjectMissing(f"Could not {what}: the object does not exist.")
    if error.status == 416:
        return _RangeError(f"Could not {what}: the range lies past the end.")
    kind = ObjectForbidden if error.code == "AccessDenied" else StoreError
    return kind(
        f"Could not {what}: OSS answered {error.status} {error.code}: {error.message}"
        f" (request {error.request_id})."
    )
