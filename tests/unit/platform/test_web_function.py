"""A web function: what reaches the application, and what many requests at once share."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.app import for_invocation
from shared.instance import Instance
from shared.platform.concurrency import in_threads
from shared.platform.web_function import RequestContext, WsgiApp, web_function
from tests.kit.log_lines import Lines

ENDPOINT, BUCKET = "http://oss.invalid", "bucket"
SETTINGS = {
    "OSS_ENDPOINT": ENDPOINT,
    "OSS_BUCKET": BUCKET,
    "DASHSCOPE_API_KEY": "sk-of-the-tests",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "key-of-the-start",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret-of-the-start",
}
SECRETS = ("secret-of-request-7", "token-of-request-7")


def request(number: int = 7, **more: str) -> dict[str, Any]:
    """A request as Function Compute hands it over (`Context and log format` page)."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "wsgi.input": io.BytesIO(),
        "HTTP_HOST": "fn.example.com",
        "HTTP_X_FC_REQUEST_ID": f"request-{number}",
        "HTTP_X_FC_ACCESS_KEY_ID": f"key-of-request-{number}",
        "HTTP_X_FC_ACCESS_KEY_SECRET": f"secret-of-request-{number}",
        "HTTP_X_FC_SECURITY_TOKEN": f"token-of-request-{number}",
        "HTTP_X_FC_ACCOUNT_ID": "1000000000000000",
        **more,
    }


def ask(application: WsgiApp, environ: dict[str, Any]) -> tuple[str, bytes]:
    """Status line and body."""
    seen: list[str] = []
    chunks = application(environ, lambda line, _fields: seen.append(line))
    return seen[0], b"".join(chunks)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [json.dumps(sorted(name for name in environ if name.startswith("HTTP_"))).encode()]


def test_the_application_sees_none_of_the_platforms_headers() -> None:
    seen: list[RequestContext] = []

    def answering(context: RequestContext) -> WsgiApp:
        seen.append(context)
        return echo

    status, body = ask(web_function(answering), request())
    assert (status, json.loads(body)) == ("200 OK", ["HTTP_HOST"])
    (context,) = seen
    assert context.credentials is not None
    assert context.request_id == "request-7"
    assert context.credentials.access_key_id == "key-of-request-7"
    assert not any(secret in repr(context) for secret in SECRETS)


def test_a_function_without_a_role_has_no_keys() -> None:
    seen: list[RequestContext] = []

    def answering(context: RequestContext) -> WsgiApp:
        seen.append(context)
        return echo

    ask(web_function(answering), {"HTTP_X_FC_REQUEST_ID": "one"})
    assert seen == [RequestContext("one", None, ("request-id",))]


def test_what_keeps_the_function_from_answering_is_in_the_log_alone(printed: Lines) -> None:
    def answering(context: RequestContext) -> WsgiApp:
        for_invocation({**SETTINGS, "OSS_BUCKET": ""}, context, Instance())
        return echo

    status, body = ask(web_function(answering), request())
    assert status == "500 Internal Server Error"
    assert b"OSS_BUCKET" not in body
    assert b"request-7" in body
    line = printed.one()
    assert (line["event"], line["fc_request_id"]) == ("function.failed", "request-7")
    assert "OSS_BUCKET" in line["error"]
    assert not any(secret in json.dumps(line) for secret in SECRETS)


def test_requests_at_once_keep_their_keys_and_ids_apart(printed: Lines) -> None:
    instance = Instance(checked_buckets={(ENDPOINT, BUCKET): None})
    together = threading.Barrier(60, timeout=30)

    def answering(context: RequestContext) -> WsgiApp:
        app = for_invocation(SETTINGS, context, instance)
        together.wait()
        assert context.request_id
        in_threads(lambda n: logging.getLogger("test").info("%s.%d", context.request_id, n), [1, 2])
        url = app.store.presign("inputs/a", 60)

        def answer(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("200 OK", [])
            return [url.encode()]

        return answer

    application = web_function(answering)
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda number: ask(application, request(number)), range(60)))
    for number, (_, url) in enumerate(answers):
        assert f"key-of-request-{number}%2F".encode() in url
        assert f"token-of-request-{number}&".encode() in url + b"&"
    lines = printed.all()
    assert len(lines) == 120
    assert all(line["message"].startswith(f"{line['fc_request_id']}.") for line in lines)


@pytest.mark.parametrize("latest", [5, 500])
def test_the_keys_of_the_latest_requests_are_in_no_log_line(printed: Lines, latest: int) -> None:
    instance = Instance(checked_buckets={(ENDPOINT, BUCKET): None})

    def answering(context: RequestContext) -> WsgiApp:
        for_invocation(SETTINGS, context, instance)
        return echo

    for number in range(latest + 1):
        ask(web_function(answering), request(number))
    logging.getLogger("test").info("secret-of-request-%d sk-of-the-tests", latest)
    assert printed.one()["message"] == "[hidden] [hidden]"
