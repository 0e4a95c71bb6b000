"""How every answer looks: JSON with a request id."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from typing import Any

import falcon

from shared.api.context import answer_json


def new_id(rng: random.Random) -> str:
    """A fresh UUID4."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def request_id(request: falcon.Request) -> str:
    """The id that the answer to this request carries."""
    return str(request.context.request_id)


def answer(
    request: falcon.Request, response: falcon.Response, body: Mapping[str, Any], status: int = 200
) -> None:
    """Answer with a JSON object, the request id added."""
    answer_json(response, {**body, "request_id": request_id(request)}, status)
