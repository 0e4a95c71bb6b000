"""Signature version 1: HMAC-SHA1 over a canonical string ("Include signatures in the header")."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

# The query parameters that are part of the signed resource; all others are left out.
_NAMES = """
    accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo callback
    callback-var cname comp continuation-token cors delete encryption endTime group httpsConfig
    inventory inventoryId lifecycle link live location logging metaQuery objectInfo objectMeta
    partNumber policy position publicAccessBlock qos qosInfo qosRequester redundancyTransition
    referer regionList replication replicationLocation replicationProgress requestPayment
    requesterQosInfo resourceGroup resourcePool resourcePoolBuckets resourcePoolInfo
    response-cache-control response-content-disposition response-content-encoding
    response-content-language response-content-type response-expires restore security-token
    sequential startTime stat status style styleName symlink tagging transferAcceleration uploadId
    uploads versionId versioning versions vod website worm wormExtend wormId x-oss-ac-forward-allow
    x-oss-ac-source-ip x-oss-ac-subnet-mask x-oss-ac-vpc-id x-oss-access-point-name
    x-oss-async-process x-oss-process x-oss-redundancy-transition-taskid x-oss-request-payer
    x-oss-target-redundancy-type x-oss-traffic-limit x-oss-write-get-object-response
"""
SUBRESOURCES = frozenset(_NAMES.split())


def signed_resource(bucket: str, key: str, query: Mapping[str, str]) -> str:
    """Return ``/bucket/key`` and the sorted sub-resources, values not encoded."""
    resource = f"/{bucket}/{key}" if bucket else "/"
    pairs = sorted((name, value) for name, value in query.items() if name in SUBRESOURCES)
    joined = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    return f"{resource}?{joined}" if joined else resource


def string_to_sign(
    method: str,
    headers: Mapping[str, str],
    date: str,
    bucket: str,
    key: str,
    query: Mapping[str, str],
) -> str:
    """Return the canonical string; header names in ``headers`` are lower-case."""
    oss_headers = sorted((n, v) for n, v in headers.items() if n.startswith("x-oss-"))
    lines = [method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    lines += [f"{name}:{value}" for name, value in oss_headers]
    lines.append(signed_resource(bucket, key, query))
    return "\n".join(lines)


def sign(secret: str, text: str) -> str:
    """Return the base64 HMAC-SHA1 of ``text``."""
    message = text.encode("utf-8", "surrogateescape")
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha1).digest()).decode()
