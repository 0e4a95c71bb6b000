"""`wanx demo`: a few examples where one works, from the price to a page of images."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from mimetypes import guess_type
from pathlib import Path

import click

from cli.access import ROOT, Access
from cli.backends.protocol import Backend
from cli.commands import get
from cli.commands.check import Checker, Offline, print_text
from cli.commands.resolve import agreed
from cli.following import follow
from cli.language import said
from cli.output import clean, complain, say
from cli.prices import rules_of, say_prices
from cli.trouble import INTERRUPTED, NOT_SO, Trouble
from shared.jobs.gallery import Figure, write_gallery

EXAMPLES = ROOT / "examples"
NAMES = ("edit", "doodle", "poster", "expand", "style", "set", "story")
"""Examples whose models take pictures in the job itself: nothing is uploaded, and submitted again
they are the same jobs."""
USUAL = NAMES[:3]
PICTURE = re.compile(r"oss:///(inputs/[\w.-]+)")


def run(access: Access, names: Iterable[str], out: Path, sure: bool) -> int:
    """Say the price, ask, submit, wait and fetch; the exit code. Raises Trouble."""
    backend = access.backend()
    files = {f"{name}.yaml": _job_file(name) for name in names}
    if not _in_order(access, files):
        return NOT_SO
    say(f"They run in {backend.place}.")
    if not agreed(sure):
        say("Nothing was submitted.")
        return NOT_SO
    jobs, refused = _submit(backend, files)
    if not jobs:
        return NOT_SO
    code = follow(access, backend, list(jobs), made=True, fetched=True)
    if code == INTERRUPTED:
        return code
    say()
    code = get.run(access, list(jobs), out, False) or code
    _show(backend, jobs, out)
    return code or (NOT_SO if refused else 0)


def _job_file(name: str) -> bytes:
    """An example with its pictures in it. Raises Trouble."""
    try:
        text = (EXAMPLES / f"{name}.yaml").read_text("utf-8")
        return PICTURE.sub(lambda found: _inline(EXAMPLES / found[1]), text).encode()
    except OSError as error:
        raise Trouble(f"{error.filename} cannot be read: {error.strerror or error}.") from None


def _inline(picture: Path) -> str:
    return f"data:{guess_type(picture.name)[0]};base64,{b64encode(picture.read_bytes()).decode()}"


def _in_order(access: Access, files: dict[str, bytes]) -> bool:
    """Whether all could be submitted here; says what they cost, or what is wrong."""
    rules = rules_of(access.environ)
    checker = Checker(rules.catalogue, Offline(), "", None, rules)
    reports = [checker.body(Path(name), body) for name, body in files.items()]
    if any(report.violations for report in reports):
        print_text(reports)
        return False
    say_prices([(str(report.file), report.prices) for report in reports])
    return True


def _submit(backend: Backend, files: dict[str, bytes]) -> tuple[dict[str, str], bool]:
    """The jobs that were taken, each with the name of its file, and whether one was refused."""
    jobs, refused = dict[str, str](), False
    for name, body in files.items():
        for one in backend.submit(body, name):
            if not one.violations:
                jobs[one.job] = name
            for violation in one.violations:
                refused = True
                complain(f"{name}: error: {clean(said(violation))}")
    return jobs, refused


def _show(backend: Backend, jobs: dict[str, str], out: Path) -> None:
    """All images on one page. Raises Trouble."""
    figures, page = list(_figures(backend, jobs, out)), out / "gallery.html"
    if not figures:
        return
    try:
        write_gallery(page, figures)
    except OSError as error:
        raise Trouble(f"{page} cannot be written: {error.strerror or error}.") from None
    say("\nAll on one page:")
    click.echo(f"  {page.resolve().as_uri()}")


def _figures(backend: Backend, jobs: dict[str, str], out: Path) -> Iterator[Figure]:
    for job, name in jobs.items():
        prompt = str((backend.status(job) or {}).get("prompt") or "")
        for path in sorted((out / job).glob("image-*")):
            if path.suffix != ".part":
                yield Figure(path, name, prompt)
