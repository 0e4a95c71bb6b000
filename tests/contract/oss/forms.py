"""Signed forms, as a page's script builds them to upload to a bucket (PostObject)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import requests

from tests.kit.oss_server import BUCKET, KEY_ID, REGION, SECRET, OssServer

CONDITIONS: list[object] = [
    {"bucket": BUCKET},
    ["starts-with", "$key", "inputs/"],
    ["content-length-range", 1, 10],
    ["in", "$content-type", ["image/png"]],
]


def policy(conditions: list[object] = CONDITIONS, minutes: int = 5) -> str:
    until = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    document = {"expiration": f"{until:%Y-%m-%dT%H:%M:%S}.000Z", "conditions": conditions}
    return base64.b64encode(json.dumps(document).encode()).decode()


def form_v1(encoded: str) -> dict[str, str]:
    mac = hmac.new(SECRET.encode(), encoded.encode(), hashlib.sha1).digest()
    signature = base64.b64encode(mac).decode()
    return {"OSSAccessKeyId": KEY_ID, "policy": encoded, "Signature": signature}


def form_v4(encoded: str) -> dict[str, str]:
    date = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    key = ("aliyun_v4" + SECRET).encode()
    for part in (date[:8], REGION, "oss", "aliyun_v4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return {
        "policy": encoded,
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": f"{KEY_ID}/{date[:8]}/{REGION}/oss/aliyun_v4_request",
        "x-oss-date": date,
        "x-oss-signature": hmac.new(key, encoded.encode(), hashlib.sha256).hexdigest(),
    }


def post(server: OssServer, form: dict[str, str], body: Any = b"pixels", **more: str) -> Any:
    fields = {"key": "inputs/${filename}", "Content-Type": "image/png", **form, **more}
    files = {"file": ("cat ä.png", body)}
    return requests.post(f"{server.url}/{BUCKET}", data=fields, files=files)
