"""Signature version 4: HMAC-SHA256 with a key derived from date, region and product."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

ALGORITHM = "OSS4-HMAC-SHA256"
TERMINATOR = "aliyun_v4_request"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_ALWAYS_SIGNED = ("content-type", "content-md5")


@dataclass(frozen=True)
class Scope:
    """What a signing key is good for: one day (yyyymmdd), one region, one product."""

    date: str
    region: str
    product: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.product}/{TERMINATOR}"


def canonical_query(query: Mapping[str, str]) -> str:
    """Return all parameters encoded and sorted; an empty value has no ``=``."""
    encoded = sorted(
        (quote(name, safe="~"), quote(value, safe="~")) for name, value in query.items()
    )
    return "&".join(f"{name}={value}" if value else name for name, value in encoded)


def canonical_headers(headers: Mapping[str, str], additional: Iterable[str]) -> str:
    """Return the signed headers, one ``name:value`` a line; names in ``headers`` are lower-case."""
    chosen = {*_ALWAYS_SIGNED, *additional}
    signed = sorted((n, v) for n, v in headers.items() if n.startswith("x-oss-") or n in chosen)
    return "".join(f"{name}:{value.strip()}\n" for name, value in signed)


def canonical_request(
    method: str,
    resource: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    additional: Iterable[str],
) -> str:
    """Return the canonical request; ``resource`` is ``/bucket/key`` in every addressing style."""
    names = sorted(additional)
    return "\n".join(
        [
            method,
            quote(resource, safe="/~"),
            canonical_query(query),
            canonical_headers(headers, names),
            ";".join(names),
            headers.get("x-oss-content-sha256", UNSIGNED_PAYLOAD),
        ]
    )


def signing_key(secret: str, scope: Scope) -> bytes:
    """Derive the key: secret, date, region, product, terminator."""
    key = f"aliyun_v4{secret}".encode()
    for part in (scope.date, scope.region, scope.product, TERMINATOR):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def sign_text(secret: str, scope: Scope, text: bytes) -> str:
    """Return the hexadecimal signature of ``text``."""
    return hmac.new(signing_key(secret, scope), text, hashlib.sha256).hexdigest()


def sign(secret: str, scope: Scope, date_time: str, canonical: str) -> str:
    """Return the signature of a canonical request made at ``date_time`` (yyyymmddThhmmssZ)."""
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return sign_text(secret, scope, "\n".join([ALGORITHM, date_time, str(scope), digest]).encode())
