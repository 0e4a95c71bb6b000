"""Messages between the runtime and an instance: a JSON head and a body of bytes, length-prefixed.

They travel on a socket of their own, so that whatever a function prints cannot disturb them.
"""

from __future__ import annotations

import json
import struct
from typing import Any

PREFIX = struct.Struct(">II")


def encode(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame: lengths of head and body, then both."""
    text = json.dumps(head).encode()
    return PREFIX.pack(len(text), len(body)) + text + body


def decode(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Head and body of one whole frame."""
    head, _ = PREFIX.unpack_from(frame)
    body = PREFIX.size + head
    return json.loads(frame[PREFIX.size : body]), frame[body:]
