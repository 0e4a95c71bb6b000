"""The OpenAI-compatible API: images made and edited by OpenAI's clients, in front of the queue.

A program sets its client's base URL to `<our URL>/v1`, and a token as its key.
"""

from __future__ import annotations

from shared.api.openai.errors import OpenAIError, token_refused
from shared.api.openai.routes import add_openai_routes, answer_error, is_openai

__all__ = [
    "OpenAIError",
    "add_openai_routes",
    "answer_error",
    "is_openai",
    "token_refused",
]
