"""A checked job as the job file it was written as: to read, to copy and to submit again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.jobfile.spec import JobSpec


def job_file_of(spec: JobSpec) -> dict[str, Any]:
    """The job file of a checked job, payloads of its `data:` URLs included."""
    request = {"model": spec.model, "input": spec.input, "parameters": spec.parameters}
    options = _options(spec)
    return {**request, "job": options} if options else request


def as_written(spec: JobSpec) -> dict[str, Any]:
    """The job file of a checked job for people to read: without payloads, `job` always there."""
    return {**without_payload(job_file_of(spec)), "job": _options(spec)}


def labels_of(written: Any) -> dict[str, str]:
    """The labels of a job file, which may be a rejected one; none where they are not in order."""
    job = written.get("job") if isinstance(written, Mapping) else None
    held = job.get("labels") if isinstance(job, Mapping) else None
    if not isinstance(held, Mapping):
        return {}
    return {str(name): value for name, value in held.items() if isinstance(value, str)}


def prompt_of(written: Any) -> str | None:
    """The prompt of a job file, which may be a rejected one."""
    given = written.get("input") if isinstance(written, Mapping) else None
    prompt = given.get("prompt") if isinstance(given, Mapping) else None
    return prompt if isinstance(prompt, str) else None


def without_payload(value: Any) -> Any:
    """The same JSON value with the payloads of `data:` URLs left out."""
    if isinstance(value, str) and value.startswith("data:"):
        head = value.split(",", 1)[0]
        return f"{head},… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {name: without_payload(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_payload(item) for item in value]
    return value


def _options(spec: JobSpec) -> dict[str, Any]:
    options = {
        "id": spec.id,
        "priority": spec.priority,
        "labels": spec.labels,
        "on_partial": spec.on_partial,
        "expires_after": _duration(spec.expires_after),
    }
    return {name: value for name, value in options.items() if value not in (None, {})}


def _duration(seconds: float | None) -> str | None:
    return f"{max(1, round(seconds / 60))}m" if seconds else None
