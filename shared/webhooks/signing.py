"""Secrets and signatures of webhooks (Standard Webhooks 1.0, "Verifying webhook authenticity").

Each receiver has a secret of its own, which follows from the master key and its address: none is
stored anywhere, and one receiver cannot sign in another's name. The tests verify with the official
library, which signs with one secret alone; written here, the two of a rotation are one line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

SECRET, VERSION = "whsec_", "v1"


def secret_of(key: str, url: str) -> str:
    """The secret with which the receiver at an address verifies: `whsec_` and base64."""
    return SECRET + base64.b64encode(_secret(key, url)).decode()


def signed(keys: Sequence[str], url: str, message: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; `at` in seconds since 1970. With two keys there are two
    signatures, so that a receiver may verify with the secret of either."""
    content = f"{message}.{at}.".encode() + body
    macs = (hmac.new(_secret(key, url), content, hashlib.sha256).digest() for key in keys)
    signatures = " ".join(f"{VERSION},{base64.b64encode(mac).decode()}" for mac in macs)
    return {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": signatures}


def _secret(key: str, url: str) -> bytes:
    return hmac.new(key.encode(), f"webhook {url}".encode(), hashlib.sha256).digest()
