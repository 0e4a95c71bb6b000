"""`make demo`: four job files through the laptop cloud, with progress bars and a table.

It does what any user does: uploads photographs and masks with oss2, drops job files into the
bucket, and asks the HTTP endpoint how the jobs are.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oss2
import requests
import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.up import LaptopCloud, UpError
from shared.jobfile.written import prompt_of
from shared.jobs.gallery import Figure, write_gallery
from shared.jobs.intake import Source
from shared.ledger.record import FINAL
from shared.platform.clock import from_iso

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
RUNS = ROOT / ".local" / "demo"
JOB_FILES = ("inpainting.yaml", "sketch.yaml", "edit.yaml", "fusion.yaml")
PATIENCE = 120.0
"""Seconds after which the demo gives up and says where to look."""
SHARE_OF_STATE = {"QUEUED": 5, "SUBMITTING": 15, "PENDING": 25, "RUNNING": 40}


@dataclass
class DemoJob:
    """One job as the demo follows it: `name` for people, `status` the endpoint's last answer."""

    name: str
    job: str
    dropped: float
    status: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return str(self.status.get("state", "QUEUED"))

    @property
    def done(self) -> bool:
        return self.state in FINAL

    @property
    def result(self) -> dict[str, Any]:
        return self.status.get("result") or {}


def main() -> int:
    """Run the demo; 0 if every job succeeded."""
    console = Console()
    data = RUNS / time.strftime("%Y%m%d-%H%M%S")
    console.print("Starting the laptop cloud: OSS, Model Studio, Function Compute ...")
    try:
        with LaptopCloud(data=data, ports=0) as cloud:
            return _run(console, cloud)
    except UpError as error:
        console.print(f"[red]The laptop cloud did not start:[/red] {error}")
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130


def _run(console: Console, cloud: LaptopCloud) -> int:
    env = cloud.env
    bucket = _bucket(env)
    photographs = sorted(p for p in (EXAMPLES / "inputs").iterdir() if p.suffix != ".md")
    for path in photographs:
        bucket.put_object_from_file(f"inputs/{path.name}", str(path))
    console.print(f"Uploaded {len(photographs)} photographs, masks and sketches to inputs/.")
    jobs = _drop(bucket)
    console.print(f"Dropped {len(JOB_FILES)} job files into jobs/: {len(jobs)} jobs.\n")
    _follow(console, env, jobs)
    console.print(_table(jobs))
    return _closing(console, cloud.results_folder, jobs)


def _bucket(env: Mapping[str, str]) -> Any:
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    return oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])


def _drop(bucket: Any) -> list[DemoJob]:
    """Upload the job files; their jobs' ids follow from key and ETag, or stand in the file."""
    jobs = []
    for name in JOB_FILES:
        body = (EXAMPLES / name).read_bytes()
        key = f"jobs/{name}"
        etag = bucket.put_object(key, body).etag
        documents = [one for one in yaml.safe_load_all(body) if one is not None]
        source = Source(key, etag, len(documents))
        for index, document in enumerate(documents):
            job = (document.get("job") or {}).get("id") or source.job_id(index)
            label = f"{name} {index + 1}" if len(documents) > 1 else name
            jobs.append(DemoJob(label, job, time.monotonic()))
    return jobs


def _follow(console: Console, env: Mapping[str, str], jobs: list[DemoJob]) -> None:
    columns = (
        TextColumn("{task.description:<15}"),
        TextColumn("{task.fields[state]:<11}"),
        BarColumn(bar_width=28),
        TimeElapsedColumn(),
    )
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {env['API_TOKEN']}"
    end = time.monotonic() + PATIENCE
    with Progress(*columns, console=console) as progress:
        bars = {job.job: progress.add_task(job.name, state="QUEUED", total=100) for job in jobs}
        while not all(job.done for job in jobs) and time.monotonic() < end:
            for job in [job for job in jobs if not job.done]:
                answer = session.get(f"{env['API_URL']}/jobs/{job.job}", timeout=30)
                job.status = answer.json() if answer.status_code == 200 else job.status
                _show(progress, bars[job.job], job)
            time.sleep(0.2)


def _show(progress: Progress, bar: TaskID, job: DemoJob) -> None:
    """The state says how far a job is; within RUNNING the bar creeps on with time."""
    if job.done:
        progress.update(bar, completed=100, state=job.state)
        progress.stop_task(bar)
        return
    share = float(SHARE_OF_STATE.get(job.state, 0))
    elapsed = time.monotonic() - job.dropped
    creeping = share + (95 - share) * (1 - 1 / (1 + elapsed / 12))
    progress.update(bar, completed=creeping, state=job.state)


def _table(jobs: list[DemoJob]) -> Table:
    """At most 80 columns wide, so that no id is cut off on a usual terminal."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold underline")
    for heading in ("job", "model", "state"):
        table.add_column(heading, no_wrap=True)
    for heading in ("images", "took", "price"):
        table.add_column(heading, justify="right", no_wrap=True)
    for job in jobs:
        price = job.result.get("price")
        table.add_row(
            job.job,
            str(job.status.get("model") or "-"),
            job.state,
            str(len(job.result.get("images", ()))),
            _seconds(job.result),
            f"{price['currency']} {price['total']:.2f}" if price else "-",
        )
    return table


def _seconds(result: Mapping[str, Any]) -> str:
    """From the job file's arrival to the manifest, both as the manifest says."""
    try:
        return f"{from_iso(result['finished_at']) - from_iso(result['created_at']):.1f} s"
    except (KeyError, TypeError):
        return "-"


def _closing(console: Console, folder: Path | None, jobs: list[DemoJob]) -> int:
    """Where the images lie; with an OSS that is not ours, under which keys."""
    place = os.path.relpath(folder / "results") if folder else "results"
    console.print(f"\nImages in {place}/", soft_wrap=True, highlight=False)
    for job in jobs:
        for image in job.result.get("images", ()):
            console.print("  " + image["key"].partition("/")[2], soft_wrap=True, highlight=False)
        if job.state != "SUCCEEDED":
            error = job.result.get("error") or {}
            violations = job.result.get("violations") or [{}]
            reason = error.get("message") or violations[0].get("message") or "see the logs"
            console.print(f"[red]{job.name}: {job.state}:[/red] {reason}")
    if folder:
        sheet = _contact_sheet(folder, jobs).resolve().as_uri()
        console.print(f"\nAll on one page: {sheet}", soft_wrap=True, highlight=False)
    console.print("\nA stand-in on this computer painted these images, not the Wanx models.")
    return 0 if all(job.state == "SUCCEEDED" for job in jobs) else 1


def _contact_sheet(folder: Path, jobs: list[DemoJob]) -> Path:
    """A page with every image and its prompt, to look at in a browser."""
    page = folder.parents[1] / "gallery.html"
    figures = [
        Figure(folder / image["key"], job.name, prompt_of(job.status.get("spec")) or "")
        for job in jobs
        for image in job.result.get("images", ())
    ]
    write_gallery(page, figures)
    return page


if __name__ == "__main__":
    sys.exit(main())
