"""Turn a request body into jobs: add the token's id prefix, reject others' objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import falcon

from shared.api.context import app_of, caller_of
from shared.api.jobs_api.problems import Problem, key_reused, wrong_parameter
from shared.api.ownership import foreign_objects
from shared.api.tokens import Caller
from shared.catalogue.plain import Capped
from shared.jobfile import (
    Document,
    ParseLimits,
    Unreadable,
    Violation,
    counted,
    parse,
    short_pointer,
)
from shared.jobfile.document import is_batch_line
from shared.jobs.idempotency import (
    ALLOWED_KEYS,
    IdempotencyKey,
    IdempotencyKeys,
    KeyReused,
)
from shared.jobs.intake import IntakeOutcome, Source
from shared.platform.clock import nonce

SUFFIX_OF = {
    "application/json": ".json",
    "application/yaml": ".yaml",
    "application/x-yaml": ".yaml",
    "text/yaml": ".yaml",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
}


@dataclass(frozen=True)
class RequestBody:
    """A job file as it was sent; `suffix` tells its format."""

    body: bytes
    suffix: str

    def documents(self, limit: int) -> list[Document]:
        """Raises Problem with all violations if the file cannot be read."""
        try:
            return parse(self.body, f"job{self.suffix}", ParseLimits(bytes=limit))
        except Unreadable as error:
            raise refused([("", one) for one in error.violations], 1) from None


def read_body(request: falcon.Request, limit: int) -> bytes:
    """The request's body. Raises Problem if it has more than `limit` bytes."""
    body: bytes = request.bounded_stream.read(limit + 1)
    if len(body) > limit:
        raise Problem(413, "Too large", f"A request body may have at most {limit} bytes.")
    return body


def read_request_body(request: falcon.Request, limit: int) -> RequestBody:
    """The job file in a request. Raises Problem."""
    media_type = (request.content_type or "application/json").split(";")[0].strip().lower()
    if media_type not in SUFFIX_OF:
        known = ", ".join(sorted(SUFFIX_OF))
        detail = f"Content-Type is {media_type[:80]}; send {known}."
        raise Problem(415, "Unknown media type", detail)
    return RequestBody(read_body(request, limit), SUFFIX_OF[media_type])


def owned(request: falcon.Request, documents: Sequence[Document]) -> list[Document]:
    """The documents in the caller's name: ids get its prefix. Raises Problem where one refers to
    what belongs to somebody else."""
    caller, bucket = caller_of(request), app_of(request).settings.oss_bucket
    if not caller.prefix:
        return list(documents)
    foreign = (one for document in documents for one in _foreign(document, caller, bucket))
    first = next(foreign, None)
    if first is not None:
        raise refused((("", one) for one in chain((first,), foreign)), len(documents))
    return [_named(document, caller) for document in documents]


def _named(document: Document, caller: Caller) -> Document:
    job = document.value.get("job") if isinstance(document.value, dict) else None
    wanted = job.get("id") if isinstance(job, dict) else None
    if not isinstance(wanted, str) or caller.sees(wanted):
        return document
    return with_id(document, caller.prefix + wanted)


def with_id(document: Document, job: str) -> Document:
    """The document with another id, if it is a mapping at all."""
    if not isinstance(document.value, dict):
        return document
    options = document.value.get("job")
    if options is not None and not isinstance(options, dict):
        return document
    return replace(document, value={**document.value, "job": {**(options or {}), "id": job}})


def _foreign(document: Document, caller: Caller, bucket: str) -> Iterator[Violation]:
    given = document.value if isinstance(document.value, dict) else {}
    value = given.get("body") if is_batch_line(given) else given.get("input")
    expected = f"an uploaded image, or a result of a job whose id begins with {caller.prefix}"
    for pointer, message in foreign_objects(value, caller, bucket):
        line, place = document.line(pointer), short_pointer(pointer)
        yield Violation(place, line, expected, "", message, "token")


def source_of(request: falcon.Request, sent: RequestBody) -> Source:
    """Where the jobs come from. With an Idempotency-Key the same request is the same source.

    Raises Problem if the key was used for another body.
    """
    app, caller = app_of(request), caller_of(request)
    key, mark = idempotency_key(request), nonce(app.rng)
    if key is not None:
        content = sent.suffix.encode() + b"\n" + sent.body
        try:
            mark = IdempotencyKeys(app.store).claim(key, content, key.mark)
        except KeyReused:
            raise key_reused() from None
    asked = f"http/job{sent.suffix}"
    return Source(asked, mark, prefix=caller.prefix, webhook=caller.webhook)


def idempotency_key(request: falcon.Request) -> IdempotencyKey | None:
    """The request's Idempotency-Key, the caller's own. Raises Problem if it is not in order."""
    given = request.get_header("Idempotency-Key")
    if given is None:
        return None
    key = IdempotencyKey(caller_of(request).mark, given)
    if not key.is_allowed:
        raise wrong_parameter("Idempotency-Key", ALLOWED_KEYS, given)
    return key


def refuse_violated(taken: Sequence[IntakeOutcome]) -> None:
    """Raise Problem with all violations if any of the jobs has some."""
    wrong = [one for one in taken if one.violations]
    if not wrong:
        return
    found = ((one.job, violation) for one in wrong for violation in one.violations)
    raise refused(found, len(taken), [one.job for one in taken if not one.violations])


def refused(
    found: Iterable[tuple[str, Violation]], jobs: int, accepted: Sequence[str] = ()
) -> Problem:
    """The violations of a request, each with the job it belongs to; the last one counts those
    that an answer has no room for."""
    detail = f"{jobs - len(accepted)} of {jobs} jobs cannot be submitted; see `violations`."
    if accepted:
        detail = f"{detail} The others were accepted; see `accepted`."
    held: Capped[tuple[str, Violation]] = Capped()
    held.extend(found)
    rest = [("", one) for one in counted((), held.more)]
    shown: list[Mapping[str, Any]] = [
        {**({"job": job} if job else {}), **violation.to_dict()}
        for job, violation in (*held.kept, *rest)
    ]
    extra = {"violations": shown, "accepted": list(accepted)}
    return Problem(422, "The job file is not in order", detail, extra)
