"""Temporary uploads: a policy is handed out, a file posted under it, `oss://…` names it.

Fields and answers as the temporary file URL page and the official SDK have them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.modelstudio.clock import ServerClock, beijing_date
from local.modelstudio.errors import service_error
from local.modelstudio.outcome import Json
from local.modelstudio.settings import Settings
from local.modelstudio.wire import new_request_id

_POLICY_SECONDS = 300
MAX_MEGABYTES = 100
SCHEME = "oss://"


@dataclass(frozen=True)
class _Upload:
    data: bytes
    model: str
    expires: float


class UploadStore:
    """Files by key, each bound to the model its policy was asked for."""

    def __init__(self, clock: ServerClock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self._uploads: dict[str, _Upload] = {}

    def policy(self, model: str, upload_host: str) -> Json:
        """A policy for files of one model, valid for five minutes."""
        now = self._clock.now()
        folder = (
            f"dashscope-instant/{secrets.token_hex(8)}/{beijing_date(now)}/{secrets.token_hex(8)}"
        )
        text = json.dumps({"folder": folder, "model": model, "until": now + _POLICY_SECONDS})
        policy = base64.b64encode(text.encode()).decode()
        data = {
            "policy": policy,
            "signature": self._signature(policy),
            "upload_dir": folder,
            "upload_host": upload_host,
            "expire_in_seconds": _POLICY_SECONDS,
            "max_file_size_mb": MAX_MEGABYTES,
            "capacity_limit_mb": 999999999,
            "oss_access_key_id": "temporary-upload",
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }
        return {"request_id": new_request_id(), "data": data}

    def _signature(self, policy: str) -> str:
        return hmac.new(self._secret, policy.encode(), hashlib.sha256).hexdigest()

    def put(self, form: Mapping[str, str], data: bytes) -> None:
        """Keep a posted file. Raises ServiceError for a policy forged, expired or of others."""
        policy, key = form.get("policy", ""), form.get("key", "")
        if not hmac.compare_digest(
            self._signature(policy).encode(), form.get("Signature", "").encode()
        ):
            raise service_error("access_denied")
        terms: dict[str, Any] = json.loads(base64.b64decode(policy))
        if self._clock.now() >= terms["until"]:
            raise service_error("policy_expired")
        if not key.startswith(terms["folder"] + "/"):
            raise service_error("access_denied")
        if key in self._uploads:
            raise service_error("upload_exists")
        self._drop_expired()
        expires = self._clock.now() + self._settings.seconds("upload_retention_seconds")
        self._uploads[key] = _Upload(data, terms["model"], expires)

    def _drop_expired(self) -> None:
        now = self._clock.now()
        self._uploads = {key: kept for key, kept in self._uploads.items() if kept.expires > now}

    def get(self, address: str, model: str) -> bytes | None:
        """The file behind `oss://key`, or None if there is none for this model any more."""
        kept = self._uploads.get(address[len(SCHEME) :])
        if kept is None or kept.model != model or kept.expires <= self._clock.now():
            return None
        return kept.data
