"""`wanx convert`: a job file for a model that is going becomes one for its successor."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.access import Access
from cli.backends.http import HttpBackend
from cli.commands.check import Bucket, Checker, Folder, Offline, images_of, own_hosts
from cli.findings import Report
from cli.language import tell
from cli.output import clean, complain, counted, print_or_write
from cli.prices import rules_of
from cli.trouble import NOT_SO, Trouble
from shared.catalogue.model_file import load_catalogue
from shared.jobfile import Document, Place, Unreadable, parse
from shared.jobfile.convert import Converted, conversions, convert_all
from shared.storage.objects import StoreError


def run(
    access: Access, file: Path, to: str | None, out: Path | None, inputs: Path | None, force: bool
) -> int:
    """Write the converted file, and what was changed or lost to stderr; the exit code.

    All of the file or nothing: 1 if a job cannot be converted, and 1 too if what was written has
    violations. Raises Trouble, Refused.
    """
    named = access.environ.get("OSS_BUCKET", "")
    images = Folder(inputs, named) if inputs else images_of(access)
    rules = rules_of(access.environ)
    checker = Checker(rules.catalogue, images, images.bucket, own_hosts(access), rules)
    try:
        body = _read(file)
        there = access.over_http and inputs is None
        done = _over_http(access, body, file.name, to) if there else None
        done = done or _converted(checker, body, file.name, to)
        found = _checked(checker, out or file, done)
    except StoreError as error:
        raise Trouble(str(error)) from None
    except Unreadable as error:
        return _refused(file, error, images)
    _tell(done)
    written = text_of([one.value for one in done], (out or file).suffix.lower())
    print_or_write(written, out, force)
    return _finish(out, found)


def _converted(checker: Checker, body: bytes, name: str, to: str | None) -> list[Converted]:
    documents = parse(body, name)
    place = Place(checker.images, checker.bucket, checker.own_hosts, time.time())
    return convert_all(documents, to, checker.catalogue, place)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error}.") from None


def _over_http(access: Access, body: bytes, name: str, to: str | None) -> list[Converted]:
    """What the API makes of it, which can read the bucket's images. Raises Refused."""
    known = conversions(load_catalogue())
    models = (one.value.get("model") for one in parse(body, name) if isinstance(one.value, dict))
    wanted = {to} if to else {known[one] for one in models if isinstance(one, str) and one in known}
    if len(wanted) != 1:
        return []  # nothing that the API could be asked for at once
    backend = HttpBackend(access.url, access.checked_token())
    made = backend.convert(body, name, wanted.pop())
    return [Converted(dict(one["job_file"]), list(one["notes"])) for one in made]


def _checked(checker: Checker, name: Path, done: Sequence[Converted]) -> Report:
    """The findings of what comes out."""
    documents = [Document(index, one.value) for index, one in enumerate(done)]
    return checker.documents(name, documents)


def _refused(file: Path, error: Unreadable, images: Offline | Folder | Bucket) -> int:
    for one in error.violations:
        place = f"{file}:{one.line or 1}"
        complain(f"{place}: error: {clean(one.message)}")
    if isinstance(images, Offline) and any("cannot be read" in v.message for v in error.violations):
        complain("Without a bucket, --inputs DIR names a folder that stands for it.")
    complain("Nothing was written.")
    return NOT_SO


def _tell(done: Sequence[Converted]) -> None:
    """What was changed or lost, once for all jobs that it concerns."""
    jobs: dict[str, list[int]] = {}
    for number, one in enumerate(done, 1):
        for note in one.notes:
            jobs.setdefault(note, []).append(number)
    for note, numbers in jobs.items():
        if len(done) > 1:
            jobs_of_it = counted(len(numbers), "job")
            complain(f"note: {jobs_of_it}, first {numbers[0]}: {clean(note)}")
        else:
            complain(f"note: {clean(note)}")


def text_of(values: Sequence[Any], suffix: str) -> str:
    """The jobs as a job file of this format. Raises click's error for another suffix."""
    if suffix in (".yaml", ".yml"):
        from shared.jobfile.yaml_text import as_yaml

        return "---\n".join(as_yaml(value) for value in values)
    if suffix == ".jsonl":
        return "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)
    if suffix == ".json":
        whole = values[0] if len(values) == 1 else list(values)
        return f"{json.dumps(whole, ensure_ascii=False, indent=2)}\n"
    raise click.BadParameter(
        f"{suffix or tell('no suffix')}; use .yaml, .yml, .json or .jsonl.", param_hint="--out"
    )


def _finish(out: Path | None, found: Report) -> int:
    for one in found.violations:
        what = clean(one.violation.message)
        many = found.documents > 1
        complain(f"error: job {one.document}, {what}" if many else f"error: {what}")
    if found.violations:
        complain("The jobs were written as they are; mend this before you submit them.")
    if out is not None:
        complain(
            f"{out} is written: {counted(found.documents, 'job')}. Look at it: wanx check {out}"
        )
    return NOT_SO if found.violations else 0
