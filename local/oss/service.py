"""What all requests share, and what a handler is given of one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from aiohttp import web

from local.oss import keys
from local.oss.authentication import Authenticator, SignedCall
from local.oss.errors import OssError, invalid_argument
from local.oss.guard import Guard
from local.oss.listing import Lister
from local.oss.multipart import Uploads
from local.oss.notices import Cause
from local.oss.storage import Store

_DEFAULT_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Service:
    """The parts of one running server."""

    store: Store
    lister: Lister
    uploads: Uploads
    authenticator: Authenticator
    region: str
    guard: Guard


@dataclass(frozen=True)
class Target:
    """What a request line and Host header address; ``key`` is decoded once.

    ``by_host`` is True where the Host header names the bucket.
    """

    bucket: str
    key: str
    query: Mapping[str, str]
    by_host: bool = False


@dataclass(frozen=True)
class Call:
    """One request."""

    service: Service
    request: web.Request
    target: Target
    request_id: str
    role: str = ""
    """The role whose policy limits the request; empty where there is none."""

    @property
    def bucket(self) -> str:
        """The bucket's name, empty for the service itself."""
        return self.target.bucket

    @property
    def key(self) -> str:
        """The object's key, empty for the bucket itself."""
        return self.target.key

    @property
    def query(self) -> Mapping[str, str]:
        """The decoded query parameters."""
        return self.target.query

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method

    @property
    def encoding(self) -> str:
        """How the client wants names in the answer: ``url`` or as they are (empty).

        Raises OssError 400 for another encoding.
        """
        value = self.query.get("encoding-type", "")
        if value not in ("", "url"):
            raise invalid_argument(f"encoding-type must be 'url'; it is {value!r}.")
        return value

    @property
    def endpoint(self) -> str:
        """The host, without a bucket, at which the client reached this server."""
        host = self.request.host
        return host.partition(".")[2] if self.target.by_host else host

    def address(self, key: str) -> str:
        """Return the URL, unsigned, of an object of this bucket at this server."""
        path = key if self.target.by_host else f"{self.bucket}/{key}"
        return f"http://{self.request.host}/{quote(path)}"

    def header(self, name: str, default: str = "") -> str:
        """Return a header's value."""
        return self.request.headers.get(name, default)

    def cause(self, event: str) -> Cause:
        """Return this request as the cause of an event."""
        return Cause(event, self.request_id, self.request.remote or _DEFAULT_HOST)

    def signed(self) -> SignedCall:
        """Return what a signature of this request covers."""
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        return SignedCall(self.method, self.bucket, self.key, self.query, headers)


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def parse_target(raw: str, host: str, has_bucket: Callable[[str], bool]) -> Target:
    """Find bucket, key and query in a raw request target: path style or virtual-host style."""
    if raw.startswith(("http://", "https://")):  # sent so by a client that uses us as its proxy
        raw = "/" + raw.split("/", 3)[3] if raw.count("/") >= 3 else "/"
    path, _, query_text = raw.partition("?")
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    try:
        decoded = unquote(path.removeprefix("/"), errors="strict")
    except UnicodeDecodeError:
        raise OssError(400, "InvalidObjectName", "The path is not percent-encoded UTF-8.") from None
    bucket = virtual_bucket(host, has_bucket)
    if bucket:
        return Target(bucket, decoded, query, by_host=True)
    bucket, _, key = decoded.partition("/")
    return Target(bucket, key, query)


def virtual_bucket(host: str, has_bucket: Callable[[str], bool]) -> str:
    """Return the bucket a Host header names, empty where the bucket is in the path."""
    name = host.partition(":")[0].lower()
    first, _, rest = name.partition(".")
    if not rest or name.replace(".", "").isdigit() or not keys.is_bucket_name(first):
        return ""
    if has_bucket(first):
        return first
    is_service = first.startswith("oss-") or first in ("oss", "s3")
    known_suffix = rest == "localhost" or rest.endswith(".aliyuncs.com")
    return first if known_suffix and not is_service else ""
