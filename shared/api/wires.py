"""The wires of others that are spoken here, each below a path of its own: which one a request uses,
and how it is refused there."""

from __future__ import annotations

import falcon

from shared.api import dashscope, openai


def is_of_others(path: str) -> bool:
    """Whether a path is answered in the manner of somebody else's API."""
    return dashscope.is_dashscope(path) or openai.is_openai(path)


def token_refused(request: falcon.Request) -> Exception | None:
    """The refusal of a request without a known token; None on our own paths."""
    given = (request.auth or "").partition(" ")[2].strip()
    if dashscope.is_dashscope(request.path):
        return dashscope.token_refused(given)
    return openai.token_refused(given) if openai.is_openai(request.path) else None


def refusal(path: str, status: int, message: str, code: str) -> Exception | None:
    """A refusal in the form of the path's wire, `code` as DashScope calls it; None on our own
    paths."""
    if dashscope.is_dashscope(path):
        return dashscope.DashScopeError(status, code, message)
    return openai.OpenAIError(status, message) if openai.is_openai(path) else None


def answer_error(
    request: falcon.Request, response: falcon.Response, status: int, message: str
) -> bool:
    """Answer with an error in the form of the path's wire; whether it has one."""
    if dashscope.is_dashscope(request.path):
        dashscope.answer_error(request, response, status, message)
    elif openai.is_openai(request.path):
        openai.answer_error(request, response, status, message)
    return is_of_others(request.path)
