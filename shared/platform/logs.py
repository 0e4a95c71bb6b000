"""The log: one JSON object a line on standard output, which Function Compute sends to SLS.

A line is at most 32 KB (limits page) and is stored as it was printed (logging page). It never
holds a secret: values the environment names as such, query strings of URLs and bearer tokens are
taken out of every line, other libraries' included; prompts appear only with LOG_PROMPTS=yes.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from shared.platform.clock import iso
from shared.platform.fc.context import function_name, request_id

Result = TypeVar("Result")
MOST_BYTES = 32 * 1024 - 1
"""Of a line, without its line feed."""
CUTS = (6000, 1500, 300, 60)
"""Characters to which long texts are cut, tried in turn until the line is short enough."""
SECRETS = (
    "DASHSCOPE_API_KEY",
    "WEBHOOK_KEY",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "OSS_ACCESS_KEY_ID",
    "OSS_ACCESS_KEY_SECRET",
    "OSS_SESSION_TOKEN",
)
"""Settings whose values never appear. Values shorter than `SHORTEST_SECRET` are not redacted: they
would match too much."""
SHORTEST_SECRET = 8
PASSING = 96
"""Values kept of credentials that change: three for each of the latest 32."""
HIDDEN = "[hidden]"


def _without_query(url: re.Match[str]) -> str:
    address, _, query = url[0].partition("?")
    return f"{address}?{HIDDEN}" if query else url[0]


REVEALING: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"https?://[^\s\"'<>]+"), _without_query),
    (
        re.compile(
            r"(?i)\b((?:x-oss-)?signature|x-oss-credential|(?:x-oss-)?security-?token"
            r"|(?:OSS)?AccessKeyId)=[^&\s\"']+"
        ),
        r"\1=[hidden]",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+"), r"\1[hidden]"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{6,}"), HIDDEN),
    (re.compile(r"(data:[\w/+.;=-]*,)[A-Za-z0-9+/=%]{32,}"), r"\1[hidden]"),
)
"""What looks like a secret, wherever it appears: presigned URLs, tokens, keys, inline images.

Each pattern reads a text once, however it is made: what it begins with cannot occur again in what
it then passes over, or it takes that in every case.
"""
CHATTY = {
    "oss2": logging.WARNING,
    "urllib3": logging.WARNING,
    "waitress": logging.WARNING,
    "waitress.queue": logging.ERROR,
    "aliyunsdkcore": logging.CRITICAL,
    "PIL": logging.CRITICAL,
}
"""Other libraries' loggers. aliyunsdkcore logs whole answers of KMS, whose errors we log; Pillow
what is odd about an image, which is a violation of a job and no line without one."""


class JobFacts(Protocol):
    """What every line about a job takes from its record."""

    @property
    def job(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def task_id(self) -> str | None: ...
    @property
    def create_request_id(self) -> str | None: ...


def about(event: str, record: JobFacts | None = None, **fields: Any) -> dict[str, Any]:
    """What a line is about, for `extra=`: the event's stable name, and what is known.

    A job's record gives job, model, attempt, task and the id of the create request. Fields that
    are None are left out.
    """
    known = _of_record(record) if record is not None else {}
    given = known | {"event": event} | fields
    return {"fields": {name: value for name, value in given.items() if value is not None}}


def _of_record(record: JobFacts) -> dict[str, Any]:
    return {
        "job": record.job,
        "model": record.model or None,
        "attempt": record.attempt or None,
        "task": record.task_id,
        "request_id": record.create_request_id,
    }


class JsonLines(logging.Formatter):
    """One record as one line. `standing` are the fields every line has; `prompts`: show them."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: dict[str, str] = {}
        self.prompts = False
        self._secrets: frozenset[str] = frozenset()
        self._passing: deque[str] = deque(maxlen=PASSING)
        self._adding = threading.Lock()

    def hide(self, *values: str | None) -> None:
        """Never show these values again."""
        with self._adding:
            self._secrets |= {one for one in values if one and len(one) >= SHORTEST_SECRET}

    def hide_for_now(self, *values: str | None) -> None:
        """Do not show these values, until many others came: a role's keys change for ever."""
        with self._adding:
            kept = self._passing.copy()
            kept.extend(
                one
                for one in values
                if one and len(one) >= SHORTEST_SECRET and one not in self._passing
            )
            self._passing = kept

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": iso(record.created),
            "level": record.levelname,
            "event": "log",
            "message": record.getMessage(),
            **self.standing,
            "fc_request_id": _request_id.get(),
            **getattr(record, "fields", {}),
        }
        if not self.prompts:
            line.pop("prompt", None)
        if record.exc_info and record.exc_info[1] is not None:
            line |= _exception(record.exc_info[1])
        return _fitting({name: self._clean(value) for name, value in line.items()})

    def _clean(self, value: Any) -> Any:
        """The value without secrets. What JSON does not know becomes text."""
        if isinstance(value, str):
            return self._clean_text(value)
        if isinstance(value, Mapping):
            return {str(name): self._clean(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self._clean_text(str(value))

    def _clean_text(self, text: str) -> str:
        for secret in (*self._secrets, *self._passing):
            text = text.replace(secret, HIDDEN)
        for pattern, replacement in REVEALING:
            text = pattern.sub(replacement, text)
        return text


def _exception(error: BaseException) -> dict[str, str]:
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"error_type": type(error).__name__, "error": str(error), "stack": stack}


def _fitting(line: dict[str, Any]) -> str:
    text = _encoded(line)
    for most in CUTS:
        if len(text.encode("utf-8", "replace")) <= MOST_BYTES:
            return text
        text = _encoded({name: _cut(value, most) for name, value in line.items()} | {"cut": True})
    if len(text.encode("utf-8", "replace")) <= MOST_BYTES:
        return text
    first = {name: line[name] for name in ("time", "level", "event", "message")}
    return _encoded({name: _cut(value, CUTS[-1]) for name, value in first.items()} | {"cut": True})


def _cut(value: Any, most: int) -> Any:
    text = value if isinstance(value, str) else _encoded(value)
    if len(text) <= most:
        return value
    return f"{text[:most]}… (cut, {len(text)} characters)"


def _encoded(value: Any) -> str:
    """JSON that the output can take: a lone surrogate has no UTF-8, an old locale no Chinese."""
    plain = "utf" not in (getattr(sys.stdout, "encoding", "") or "").lower()
    text = json.dumps(value, ensure_ascii=plain, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode()


class _StandardOutput(logging.Handler):
    """Writes to what is standard output now; a line is one write."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


_request_id: ContextVar[str] = ContextVar("fc_request_id", default="")
"""The invocation's id: of this thread, for a web function answers several requests at once."""
_lines = JsonLines()
_output = _StandardOutput()
_output.setFormatter(_lines)


def set_up(environ: Mapping[str, str], context: object) -> None:
    """Log the invocation that begins as JSON lines, in place of the runtime's own handler.

    Called for each invocation: its ids change, and so may the role's keys.
    """
    _lines.standing = {"function": function_name(environ, context)}
    _request_id.set(request_id(context))
    _lines.prompts = environ.get("LOG_PROMPTS") == "yes"
    _lines.hide(*(word for name in SECRETS for word in environ.get(name, "").split(",")))
    tokens = environ.get("API_TOKENS", "") + " " + environ.get("API_TOKEN_SHA256", "")
    _lines.hide(*re.findall(r"[0-9a-fA-F]{64}", tokens))
    held = getattr(context, "credentials", None)
    names = ("access_key_id", "access_key_secret", "security_token")
    _lines.hide_for_now(*(getattr(held, name, None) for name in names))
    root = logging.getLogger()
    if root.handlers != [_output]:
        root.handlers[:] = [_output]
        root.setLevel(logging.INFO)


def set_level(level: str) -> None:
    """LOG_LEVEL for our own lines; other libraries stay quiet."""
    for name, least in {"": logging.getLevelName(level), **CHATTY}.items():
        logger = logging.getLogger(name)
        if logger.level != least:  # setting it makes every logger forget what it is to write
            logger.setLevel(least)


def hide(value: str) -> None:
    """Never show this value in a line: a secret that did not come from the environment."""
    _lines.hide(value)


def logged(
    log: logging.Logger,
) -> Callable[[Callable[[bytes, object], Result]], Callable[[bytes, object], Result]]:
    """Decorates a handler: an exception that ends an invocation is one line with its stack."""

    def decorate(handler: Callable[[bytes, object], Result]) -> Callable[[bytes, object], Result]:
        @functools.wraps(handler)
        def run(event: bytes, context: object) -> Result:
            try:
                return handler(event, context)
            except Exception as error:
                log.exception("the invocation failed: %s", error, extra=about("function.failed"))
                raise

        return run

    return decorate
