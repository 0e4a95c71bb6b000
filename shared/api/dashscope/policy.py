"""Stateless signed permission to upload into one folder.

Field names as the temporary file URL page and the official SDK have them. The signing key follows
from the deployment's own secrets, so any instance can check what another one signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import random
import secrets
from collections.abc import Mapping
from typing import Any

from shared.api.dashscope import errors
from shared.api.dashscope.answers import new_id
from shared.catalogue.models import Model
from shared.platform.settings import Settings
from shared.storage import layout

POLICY_SECONDS = 300
MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 20
"""Of an upload for any model: it passes through the function's memory."""
MARGIN = 64 * 1024
"""Bytes above what a model takes: a file just above it gets an error from the check."""
MOST_BYTES = MOST_MEGABYTES * MEGABYTE + MARGIN
LONGEST_NAME = 255
NOBODYS = secrets.token_hex(32)
"""Signing key of a deployment without secrets: no other instance accepts its signatures."""


def megabytes_for(model: Model) -> int:
    """The largest file that an upload for a model may have: what the model takes itself."""
    largest = max((rule.max_bytes for rule in model.images), default=MEGABYTE)
    return min(MOST_MEGABYTES, -(-largest // MEGABYTE))


def make_policy(
    settings: Settings, rng: random.Random, now: float, host: str, megabytes: int
) -> dict[str, Any]:
    """The `data` of a policy answer. `host` is the URL to post the form to."""
    folder, most = f"{layout.UPLOADS}{new_id(rng)}", megabytes * MEGABYTE + MARGIN
    terms = {"dir": folder, "until": now + POLICY_SECONDS, "max_bytes": most}
    policy = base64.b64encode(json.dumps(terms).encode()).decode()
    return {
        "policy": policy,
        "signature": _signature(settings, policy),
        "upload_dir": folder,
        "upload_host": host,
        "expire_in_seconds": POLICY_SECONDS,
        "max_file_size_mb": megabytes,
        "capacity_limit_mb": 999999999,
        "oss_access_key_id": "upload",
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }


def allowed_key(settings: Settings, form: Mapping[str, str], size: int, now: float) -> str:
    """The key a posted file may be stored under.

    Raises DashScopeError for a policy that is forged or expired, for a file that is too large,
    and for a key that is not `<the policy's folder>/<plain name>`.
    """
    policy = form.get("policy", "")
    expected = _signature(settings, policy)
    if not hmac.compare_digest(expected.encode(), form.get("Signature", "").encode()):
        raise errors.policy_refused("the signature does not match; ask for a policy and retry.")
    try:
        terms = json.loads(base64.b64decode(policy, validate=True))
    except (ValueError, binascii.Error):
        raise errors.policy_refused("the policy cannot be read.") from None
    if now >= terms["until"]:
        raise errors.policy_expired()
    if size > terms["max_bytes"]:
        raise errors.too_large(terms["max_bytes"])
    return _inside(str(terms["dir"]), form.get("key", ""))


def _inside(folder: str, key: str) -> str:
    name = key[len(folder) + 1 :]
    plain = name.isprintable() and not set(name) & set("/\\") and name not in ("", ".", "..")
    if not key.startswith(f"{folder}/") or not plain or len(name.encode()) > LONGEST_NAME:
        expected = f"{folder}/<file name>"
        raise errors.policy_refused(
            f"the key must be {expected}, the name of at most {LONGEST_NAME} bytes without slashes."
        )
    return key


def _signature(settings: Settings, policy: str) -> str:
    tokens = (token.sha256 for token in settings.tokens)
    own = "\n".join((settings.api_key, *settings.token_hashes, *tokens)).strip() or NOBODYS
    key = hmac.new(b"wanx upload policy", own.encode(), hashlib.sha256).digest()
    return hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()
