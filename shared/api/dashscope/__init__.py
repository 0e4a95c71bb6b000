"""The DashScope-compatible API: Model Studio's own wire in front of the queue.

A program that uses the official SDK points its base URL at `<our URL>/api/v1` and changes nothing
else: create, query, list, cancel and the SDK's file uploads answer as the service documents them.
"""

from __future__ import annotations

from shared.api.dashscope.errors import DashScopeError, token_refused
from shared.api.dashscope.routes import (
    RequestIds,
    add_dashscope_routes,
    answer_error,
    is_dashscope,
    is_open,
)

__all__ = [
    "DashScopeError",
    "RequestIds",
    "add_dashscope_routes",
    "answer_error",
    "is_dashscope",
    "is_open",
    "token_refused",
]
