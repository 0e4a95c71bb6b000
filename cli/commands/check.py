"""`wanx check`: every violation of every file, and what its jobs cost at most."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cli.access import Access
from cli.findings import Finding, Report
from cli.language import said, tell
from cli.output import counted, print_json, say
from cli.prices import JobPrice, in_all, price_of, rules_of, say_prices
from cli.sarif import sarif
from cli.trouble import NOT_SO, Trouble
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue
from shared.catalogue.rules import Rules
from shared.jobfile import (
    SUFFIXES,
    Document,
    JobSpec,
    Notice,
    Place,
    Unreadable,
    check,
    most_each,
    parse,
)
from shared.jobfile.addresses import hosts_of
from shared.jobfile.document import is_batch_line
from shared.jobfile.image_probe import NotAtHand
from shared.jobfile.openai_batch import read_line
from shared.storage.objects import ObjectMissing, ObjectReader, Slice, StoreError

UNSEEN = "\N{NULL}not looked at"
"""Ends the message of an image that could not be looked at; no other message can hold it."""
KNOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Offline:
    """No bucket at hand: images are taken as they are named."""

    bucket: str = ""

    def read_range(self, key: str, start: int, length: int) -> Slice:
        raise NotAtHand(UNSEEN)


@dataclass(frozen=True)
class Folder:
    """A folder in the bucket's place."""

    folder: Path
    bucket: str = ""

    def read_range(self, key: str, start: int, length: int) -> Slice:
        path = self.folder / key
        try:
            with path.open("rb") as file:
                file.seek(start)
                return Slice(file.read(length), path.stat().st_size, "")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectMissing(f"{path} does not exist.") from None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error}.") from None


@dataclass
class Checker:
    """Checks files against the catalogue and the images of one place; with `rules` prices are
    said as well."""

    catalogue: Catalogue
    images: ObjectReader
    bucket: str
    own_hosts: Collection[str] | None = ()
    rules: Rules | None = None

    def file(self, path: Path) -> Report:
        """Everything that is wrong with one file. Raises StoreError."""
        try:
            body = path.read_bytes()
        except OSError as error:
            raise Trouble(f"{path} cannot be read: {error}.") from None
        report = self.body(path, body)
        return replace(report, findings=(*_about_name(path), *report.findings))

    def body(self, path: Path, body: bytes) -> Report:
        """Everything that is wrong with what a file of this name holds. Raises StoreError."""
        try:
            documents = parse(body, path.name)
        except Unreadable as error:
            return Report(path, 0, tuple(Finding(1, one) for one in error.violations))
        return self.documents(path, documents)

    def documents(self, path: Path, documents: Sequence[Document]) -> Report:
        """Everything that is wrong with jobs that were read. Raises StoreError."""
        most = most_each(len(documents))
        region = self.rules.region if self.rules else ""
        place = Place(self.images, self.bucket, self.own_hosts, time.time(), region)
        findings, prices = list[Finding](), list[JobPrice]()
        for document in documents:
            number, wrong = document.index + 1, None
            if is_batch_line(document.value):
                document, wrong = read_line(document, path.stem, self.catalogue, place)
            if wrong is not None:
                findings.append(Finding(number, wrong))
                continue
            checked = check(document, self.catalogue, place, most)
            found = (*checked.violations, *checked.notices)
            findings += [Finding(number, one) for one in found]
            prices += self._price(number, checked.spec)
        seen = [one for one in findings if not one.violation.message.endswith(UNSEEN)]
        unseen = len(findings) - len(seen)
        return Report(path, len(documents), tuple(seen), unseen, tuple(prices))

    def _price(self, number: int, spec: JobSpec | None) -> list[JobPrice]:
        if self.rules is None or spec is None:
            return []
        price = price_of(self.rules, number, spec)
        return [] if price is None else [price]


def _about_name(path: Path) -> list[Finding]:
    """The triggers tell capital letters from small ones, so not every name that is read here is."""
    if path.name.endswith(SUFFIXES):
        return []
    right = f"{path.stem}{path.suffix.lower()}"
    message = f"no trigger reads a file named so: suffixes are in small letters; name it {right}"
    expected = f"a name that ends with {', '.join(SUFFIXES)}"
    notice = Notice("", None, expected, path.name, message, "job file format")
    return [Finding(1, notice)]


def own_hosts(access: Access) -> Collection[str] | None:
    """Endpoints of the bucket; None over HTTP, where the API alone knows them."""
    if access.over_http:
        return None
    names = ("OSS_ENDPOINT", "OSS_PUBLIC_ENDPOINT")
    return hosts_of(*(access.environ.get(name, "") for name in names))


def run(access: Access, files: Sequence[Path], form: str, inputs: Path | None) -> int:
    """Print the findings; the exit code."""
    named = access.environ.get("OSS_BUCKET", "")
    images = Folder(inputs, named) if inputs else images_of(access)
    try:
        rules = rules_of(access.environ)
        reports, seen = check_files(files, images, own_hosts(access), rules)
    except StoreError as error:
        raise Trouble(str(error)) from None
    if form == "sarif":
        print_json(sarif(reports))
    elif form == "json":
        print_json(as_json(reports, seen))
    else:
        print_text(reports)
        say_prices([(str(report.file), report.prices) for report in reports])
    return NOT_SO if any(report.violations for report in reports) else 0


def check_files(
    files: Sequence[Path],
    images: Offline | Folder | Any,
    hosts: Collection[str] | None,
    rules: Rules | None = None,
) -> tuple[list[Report], bool]:
    """Reports of all files, and whether their images were looked at. Raises StoreError."""
    return checked(lambda one: [one.file(path) for path in files], images, hosts, rules)


def checked(
    work: Callable[[Checker], list[Report]],
    images: Offline | Folder | Any,
    hosts: Collection[str] | None,
    rules: Rules | None = None,
) -> tuple[list[Report], bool]:
    """What `work` reports with a checker, without images where the bucket does not answer."""
    catalogue = load_catalogue() if rules is None else rules.catalogue
    try:
        checker = Checker(catalogue, images, images.bucket, hosts, rules)
        return work(checker), not isinstance(images, Offline)
    except StoreError:
        if isinstance(images, Folder):
            raise
    return work(Checker(catalogue, Offline(images.bucket), images.bucket, hosts, rules)), False


@dataclass(frozen=True)
class Bucket:
    """The bucket itself."""

    reader: ObjectReader
    bucket: str

    def read_range(self, key: str, start: int, length: int) -> Slice:
        return self.reader.read_range(key, start, length)


def images_of(access: Access) -> Offline | Bucket:
    """The bucket, if there is one that can be reached; otherwise nothing to look at."""
    offline = Offline(access.environ.get("OSS_BUCKET", ""))
    if access.over_http or not access.has_bucket or not _answers(access.environ["OSS_ENDPOINT"]):
        return offline
    from cli.backends.bucket import open_bucket

    try:
        app = open_bucket(access.environ).app
    except click.ClickException:
        return offline
    return Bucket(app.store, app.settings.oss_bucket)


def _answers(endpoint: str) -> bool:
    """Whether anybody listens there; asked first, because a check must not hang."""
    parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    try:
        port = parts.port or (80 if parts.scheme == "http" else 443)
        with socket.create_connection((parts.hostname or "", port), KNOCK_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def print_text(reports: Sequence[Report]) -> None:
    """A line a finding, as compilers write them, and a line that counts."""
    for report in reports:
        for one in report.findings:
            say(_line(report, one), indent="    ")
    violations = sum(len(report.violations) for report in reports)
    notices = sum(len(report.notices) for report in reports)
    jobs = sum(report.documents for report in reports)
    looked, found = counted(len(reports), "file"), counted(violations, "violation")
    say(f"{looked}, {counted(jobs, 'job')}: {found}, {counted(notices, 'notice')}.")
    unseen = sum(report.unseen for report in reports)
    if unseen:
        text = f"{counted(unseen, 'image')} of the bucket could not be looked at"
        say(f"{text}; give --inputs DIR, or settings that reach the bucket.")


def _line(report: Report, one: Finding) -> str:
    found = one.violation
    place = f"{report.file}:{found.line or 1}"
    kind = "note" if one.is_notice else "error"
    job = f"job {one.document}, " if report.documents > 1 else ""
    message = said(found.to_dict())
    return f"{place}: {tell(kind)}: {tell(job)}{message} [{tell(found.source)}]"


def as_json(reports: Sequence[Report], seen: bool) -> dict[str, Any]:
    """The findings for programs; `seen`: images were looked at."""
    files = [
        {
            "file": str(report.file),
            "documents": report.documents,
            "violations": [one.to_dict() for one in report.violations],
            "notices": [one.to_dict() for one in report.notices],
            "images_not_looked_at": report.unseen,
            "jobs": [one.to_dict() for one in report.prices],
        }
        for report in reports
    ]
    return {
        "ok": not any(one.violations for one in reports),
        "files": files,
        "images": seen,
        "price_at_most": in_all([one for report in reports for one in report.prices]),
    }
