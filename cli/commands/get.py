"""`wanx get`: images and manifest to a folder, verified, going on where it was cut off."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from cli.access import Access
from cli.backends.protocol import Backend, View
from cli.language import said, tell
from cli.output import clean, complain, console, print_json
from cli.trouble import INTERRUPTED, NOT_SO, Refused, Trouble
from shared.ledger.record import SUCCEEDED
from shared.storage.layout import is_job_id

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PIECE = 1024 * 1024


@dataclass
class Fetched:
    """What was fetched of one job: files that are there now, what is wrong, and what the service
    remarked on a success."""

    job: str
    files: list[dict[str, Any]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    message: str | None = None


def run(access: Access, jobs: Sequence[str], out: Path, as_json: bool) -> int:
    """Download; the exit code. Raises Trouble."""
    backend = access.backend()
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn())
    where = console(stderr=True)
    quiet = as_json or not where.is_terminal
    fetched = []
    try:
        for job in dict.fromkeys(jobs):
            with Progress(*columns, console=where, transient=True, disable=quiet) as progress:
                fetched.append(_Getting(backend, out, progress).job(job))
            if not as_json:
                _print(fetched[-1])
    except KeyboardInterrupt:
        more = ["--json"] if as_json else []
        complain("\nStopped. What is complete stays; the rest goes on where it stopped with:")
        again = access.command("get", "--out", str(out), *more, *dict.fromkeys(jobs))
        click.echo(f"  {again}", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    if as_json:
        print_json([vars(one) for one in fetched])
    return NOT_SO if any(one.trouble for one in fetched) else 0


def _print(one: Fetched) -> None:
    for file in one.files:
        click.echo(f"{file['file']}  {tell(str(file['note']))}")
    if one.message:
        click.echo(f"{clean(one.job)}: {clean(one.message)}")
    for text in one.trouble:
        complain(f"{clean(one.job)}: {tell(clean(text))}")


@dataclass
class _Getting:
    backend: Backend
    out: Path
    progress: Progress

    def job(self, job: str) -> Fetched:
        """Fetch everything of one job; a failure of one image does not stop the others."""
        fetched = Fetched(job)
        view = self.backend.status(job) if is_job_id(job) else None
        if view is None:
            fetched.trouble.append(f"there is no such job in {self.backend.place}")
            return fetched
        manifest = view.get("result")
        if not manifest:
            fetched.trouble.append(f"no result yet, it is {view['state']}; try again later")
            return fetched
        folder = self.out / job
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._images(fetched, view, manifest, folder)
            self._manifest(fetched, manifest, folder / "result.json")
        except OSError as error:
            raise Trouble(f"{folder} cannot be written: {error.strerror or error}.") from None
        return fetched

    def _images(
        self, fetched: Fetched, view: View, manifest: Mapping[str, Any], folder: Path
    ) -> None:
        images = manifest.get("images") or []
        fetched.message = manifest.get("message")
        if manifest.get("erased_at"):
            fetched.trouble.append(f"no images: it was erased at {manifest['erased_at']}")
        elif not images and view["state"] != SUCCEEDED:
            error = manifest.get("error") or {}
            why = said(error) or "see result.json"
            fetched.trouble.append(f"no images, it is {view['state']}: {why}")
        for image in images:
            path = folder / _name(image)
            try:
                note = self._image(view, image, path)
            except Refused as error:
                fetched.trouble.append(error.message)
                continue
            size = {"bytes": image["bytes"], "sha256": image["sha256"]}
            fetched.files.append({"file": str(path), "note": note, **size})

    def _image(self, view: View, image: Mapping[str, Any], path: Path) -> str:
        """What was done, in words. Raises Refused if the bytes are not those of the manifest."""
        facts = f"{image['width']}x{image['height']}, {image['bytes']} bytes"
        if _sha256(path) == image["sha256"]:
            return f"{facts}, there already"
        aside = path.with_name(f"{path.name}.part")
        start = aside.stat().st_size if aside.exists() else 0
        if start > image["bytes"]:
            start = 0
        if start < image["bytes"]:
            self._download(view, image, aside, start)
        if _sha256(aside) != image["sha256"]:
            aside.unlink()
            raise Refused(
                f"{path} came with another SHA-256 than the manifest's and was thrown away;"
                " the image was changed in the bucket, or on the way: try again"
            )
        aside.replace(path)
        note = f"{facts}, sha256 ok"
        return f"{note}, went on where it stopped" if start else note

    def _download(self, view: View, image: Mapping[str, Any], aside: Path, start: int) -> None:
        name = f"{view['job'][:30]} {_name(image)}"
        bar = self.progress.add_task(name, total=image["bytes"], completed=start)
        with aside.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            self._copy(view, image, file, start, bar)
        self.progress.remove_task(bar)

    def _copy(
        self, view: View, image: Mapping[str, Any], file: Any, start: int, bar: TaskID
    ) -> None:
        """At most as many bytes as the manifest says, whatever is sent."""
        left = int(image["bytes"]) - start
        for piece in self.backend.image(view, image, start):
            file.write(piece[:left])
            left -= len(piece)
            self.progress.advance(bar, len(piece))
            if left <= 0:
                return

    def _manifest(self, fetched: Fetched, manifest: Mapping[str, Any], path: Path) -> None:
        aside = path.with_name(f"{path.name}.part")
        text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
        fetched.files.append({"file": str(path), "note": "manifest"})


def image_bytes(backend: Backend, view: View, image: Mapping[str, Any]) -> bytes:
    """An image as the manifest has it, in memory. Raises Refused, Trouble."""
    body = bytearray()
    for piece in backend.image(view, image, 0):
        body += piece
        if len(body) >= image["bytes"]:
            break
    if hashlib.sha256(body).hexdigest() != image["sha256"]:
        raise Refused(f"{image['key']} came with another SHA-256 than the manifest's: try again")
    return bytes(body)


def _name(image: Mapping[str, Any]) -> str:
    """The file name an image's key ends with. Raises Trouble for one that could lead elsewhere."""
    name = PurePosixPath(str(image.get("key"))).name
    if not SAFE_NAME.fullmatch(name) or name == "result.json":
        raise Trouble(f"the manifest names an image {clean(name)!r}, which is not an image's name.")
    return name


def _sha256(path: Path) -> str | None:
    """The digest of a file; None if there is none."""
    if not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
