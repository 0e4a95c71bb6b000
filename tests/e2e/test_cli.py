"""`wanx` as a person types it, against the whole laptop cloud."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oss2
import pytest
import yaml

from cli.access import load_access
from cli.commands.doctor import checks
from tests.e2e.conftest import HIDDEN, ROOT, THROTTLED, Cloud, faults

PATIENCE = 60


class Wanx:
    """The command in a process of its own, with nothing of this one's settings."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        lines = [f"{name}={value}\n" for name, value in cloud.env.items()]
        (folder / "cloud.env").write_text("".join(lines), "utf-8")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(HIDDEN)}
        self.environ = {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TZ": "UTC"}
        self.where = ["--env", "cloud.env"]

    def over_http(self) -> Wanx:
        """The same, with nothing but address and token of the API."""
        self.environ |= {"API_TOKEN": self.cloud.env["API_TOKEN"]}
        self.where = ["--api", self.cloud.env["API_URL"]]
        return self

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A test runner in the background ignores Ctrl-C, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def raw(self, *words: str, code: int = 0) -> str:
        """Output and errors together; no line is a traceback, no line holds a secret."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        for name, secret in self.cloud.env.items():
            if name.endswith(("SECRET", "TOKEN", "API_KEY")):
                assert secret not in out + err
        return out + err

    def __call__(self, *words: str, code: int = 0) -> str:
        return self.raw(*self.where, *words, code=code)

    def job_file(self, job: str, **more: Any) -> str:
        """A job file of the slow kind: one at a time, one submission every two seconds."""
        body = yaml.safe_load((ROOT / "examples/inpainting.yaml").read_text("utf-8"))
        body["parameters"]["n"] = 1
        body["job"] = {"id": job, **more}
        (self.folder / f"{job}.yaml").write_text(yaml.safe_dump(body), "utf-8")
        return f"{job}.yaml"


@pytest.fixture
def direct(cloud: Cloud, tmp_path: Path) -> Wanx:
    return Wanx(cloud, tmp_path)


@pytest.fixture(params=["bucket", "api"])
def wanx(request: pytest.FixtureRequest, direct: Wanx) -> Iterator[Wanx]:
    yield direct if request.param == "bucket" else direct.over_http()


def kind(wanx: Wanx) -> str:
    return "bucket" if "--env" in wanx.where else "api"


def test_from_job_file_to_images(wanx: Wanx) -> None:
    job = f"cli-whole-{kind(wanx)}"
    creates = wanx.cloud.creates()
    done = wanx("submit", wanx.job_file(job, labels={"who": "cli"}), "--wait")
    assert f"SUCCEEDED        {job}" in done
    assert f"get {job}" in done
    again = wanx("submit", f"{job}.yaml")
    assert "SUCCEEDED" in again
    assert wanx.cloud.creates() == creates + 1

    (view,) = json.loads(wanx("status", job, "--json"))
    assert (view["state"], view["result"]["job"]) == ("SUCCEEDED", job)
    shown = wanx("status", job)
    assert all(word in shown for word in ("SUCCEEDED", "who=cli", "red glasses", "image-1"))
    listed = json.loads(wanx("list", "--json", "--since", "1h", "--limit", "1000"))
    assert job in [one["job"] for one in listed]
    assert job in wanx("list", "--state", "succeeded", "--limit", "1000")
    assert job not in wanx("list", "--state", "FAILED", "--limit", "1000")
    story = wanx("logs", job)
    for state in ("QUEUED", "SUBMITTING", "PENDING", "SUCCEEDED"):
        assert state in story
    assert view["task_id"] in story
    assert max(len(line) for line in story.splitlines()) <= 80


def test_the_demo_shows_its_images_and_is_paid_once(wanx: Wanx) -> None:
    creates = wanx.cloud.creates()
    done = wanx("demo", "doodle", "--yes", "--out", "made")
    assert "At most CNY 0.14 for 1 job" in done
    assert "To download" not in done
    page = wanx.folder / "made" / "gallery.html"
    assert page.as_uri() in done
    shown = re.findall(r'<img src="([^"]+)"', page.read_text("utf-8"))
    assert [(page.parent / one).read_bytes()[:4] for one in shown] == [b"\x89PNG"]
    assert "cosy cottage" in page.read_text("utf-8")
    once = wanx.cloud.creates()
    assert once <= creates + 1, "another test may have run this example"
    assert "there already" in wanx("demo", "doodle", "--yes", "--out", "made")
    assert wanx.cloud.creates() == once


def test_an_erased_job_leaves_neither_prompt_nor_picture_in_the_bucket(wanx: Wanx) -> None:
    """Jobs from a file in the bucket, from the command line, and with an uploaded picture."""
    mark = f"a kite of {kind(wanx)} flying over Aberystwyth"
    jobs = [f"cli-erased-{kind(wanx)}-{number}" for number in (1, 2)]
    upload = f"inputs/{'e' * 31}{len(kind(wanx)) % 10}/cat.jpg"
    wanx.cloud.bucket.put_object(upload, (ROOT / "examples/inputs/cat.jpg").read_bytes())
    for job in jobs:
        wanx.job_file(job, labels={"erase": kind(wanx)})
        body = yaml.safe_load((wanx.folder / f"{job}.yaml").read_text("utf-8"))
        body["input"] |= {"prompt": mark, "base_image_url": f"oss:///{upload}"}
        (wanx.folder / f"{job}.yaml").write_text(yaml.safe_dump(body), "utf-8")
    wanx.cloud.drop(f"{jobs[0]}.yaml", (wanx.folder / f"{jobs[0]}.yaml").read_bytes())
    wanx.cloud.manifest(jobs[0])
    wanx("submit", f"{jobs[1]}.yaml", "--wait")
    assert _holding(wanx.cloud, mark)

    assert "add --yes" in wanx("erase", jobs[0], code=2)
    said = wanx("erase", jobs[0], "--yes")
    assert f"kept {upload}: {jobs[1]} uses it" in said
    assert "Log Service" in said
    done = json.loads(wanx("erase", "--label", f"erase={kind(wanx)}", "--yes", "--json"))
    assert [one["job"] for one in done] == jobs[1:], "the other one is erased already"
    assert upload in done[0]["removed"]
    assert _holding(wanx.cloud, mark) == []
    left = [one.key for one in oss2.ObjectIterator(wanx.cloud.bucket, prefix=f"results/{jobs[0]}")]
    assert left == [f"results/{jobs[0]}/result.json"]
    assert "No job of" in wanx("erase", "--prefix", f"cli-erased-{kind(wanx)}", "--yes")
    assert "SUCCEEDED" in wanx("status", jobs[0])
    assert "was erased" in wanx("retry", jobs[0], code=1)
    assert "was erased" in wanx("get", jobs[0], code=1)


def _holding(cloud: Cloud, text: str) -> list[str]:
    """The objects of the bucket that hold a text."""
    keys = [one.key for one in oss2.ObjectIterator(cloud.bucket) if not one.key.endswith("/")]
    return [key for key in keys if text.encode() in cloud.bucket.get_object(key).read()]


def test_a_job_file_is_converted_with_the_images_of_the_bucket(direct: Wanx) -> None:
    said = direct("convert", direct.job_file("cli-converted"), "--out", "new.yaml")
    assert "made black and white" in said
    assert "enlarged from 902x508 pixels to 910x512 pixels" in said
    assert "0 violations" in direct("check", "new.yaml")
    new = yaml.safe_load((direct.folder / "new.yaml").read_text("utf-8"))
    assert new["input"]["mask_image_url"].startswith("data:image/png;base64,")
    assert "job" not in new, "another model's job cannot have its id"


def test_no_call_was_lost(wanx: Wanx) -> None:
    assert "No job of" in wanx("resolve", "--lost-calls")


def test_the_same_file_is_the_same_job(wanx: Wanx) -> None:
    body = yaml.safe_load((ROOT / "examples/edit.yaml").read_text("utf-8"))
    body["input"]["prompt"] = f"once, {kind(wanx)}"
    name = f"cli-once-{kind(wanx)}.yaml"
    (wanx.folder / name).write_text(yaml.safe_dump(body), "utf-8")
    creates = wanx.cloud.creates()
    job = wanx("submit", name).splitlines()[1].split()[0]
    assert job.startswith(f"cli-once-{kind(wanx)}-" if kind(wanx) == "bucket" else "job-")
    assert job in wanx("submit", name, "--wait")
    assert wanx.cloud.creates() == creates + 1
    if kind(wanx) == "bucket":
        wanx.cloud.drop(name, (wanx.folder / name).read_bytes())
        wanx.cloud.drop("cli-after.yaml", "model: nope\ninput: {}\n")
        wanx.cloud.manifest("cli-after")
        assert wanx.cloud.creates() == creates + 1


def test_get_verifies_and_goes_on_where_it_stopped(wanx: Wanx) -> None:
    job = f"cli-get-{kind(wanx)}"
    wanx("submit", wanx.job_file(job), "--wait")
    first = wanx("get", job)
    assert "sha256 ok" in first
    image = wanx.folder / "results" / job / "image-1.png"
    manifest = json.loads((image.parent / "result.json").read_text("utf-8"))
    whole = image.read_bytes()
    assert hashlib.sha256(whole).hexdigest() == manifest["images"][0]["sha256"]
    assert "there already" in wanx("get", job)

    image.unlink()
    (image.parent / "image-1.png.part").write_bytes(whole[:1000])
    assert "went on where it stopped" in wanx("get", job)
    assert image.read_bytes() == whole

    image.write_bytes(b"something else")
    (report,) = json.loads(wanx("get", job, "--json"))
    assert report["trouble"] == []
    assert image.read_bytes() == whole

    image.unlink()
    wanx.cloud.bucket.put_object(manifest["images"][0]["key"], whole[:-1] + b"?")
    assert "another SHA-256" in wanx("get", job, code=1)
    assert [path.name for path in image.parent.iterdir()] == ["result.json"]


def test_cancel_and_retry(wanx: Wanx) -> None:
    stem = f"cli-back-{kind(wanx)}"
    files = [wanx.job_file(f"{stem}-{number}", priority=9) for number in (1, 2, 3)]
    with faults(wanx.cloud, THROTTLED):  # so that all of them wait
        wanx("submit", *files)
        assert f"{stem}-3: CANCELED" in wanx("cancel", f"{stem}-3")
        assert "not canceled: it is" in wanx("cancel", f"{stem}-3", code=1).replace("The job", "it")
        assert "there is no such job" in wanx("cancel", "cli-no-such-job", code=1)
        assert f"runs again as {stem}-3-retry-1\n" in wanx("retry", f"{stem}-3")
        assert f"runs again as {stem}-3-retry-1 already\n" in wanx("retry", f"{stem}-3")
        assert "not tried again" in wanx("retry", "cli-no-such-job", code=1)
    done = wanx("status", "--wait", f"{stem}-1", f"{stem}-2", f"{stem}-3-retry-1")
    assert done.count("SUCCEEDED  ") >= 3
    assert f"{stem}-3" in wanx("status", f"{stem}-3-retry-1")
    again = wanx("retry", f"{stem}-3")
    assert f"was run again as {stem}-3-retry-1 already, with success\n" in again
    assert "not tried again" in wanx("retry", f"{stem}-1", code=1)
    wanx("status", "--wait", f"{stem}-3", code=1)


def test_ctrl_c_leaves_the_jobs_going_and_says_how_to_go_on(direct: Wanx) -> None:
    files = [direct.job_file(f"cli-ctrl-c-{number}") for number in (1, 2, 3)]
    process = direct.start(*direct.where, "submit", *files, "--wait")
    assert process.stdout is not None
    for line in process.stdout:
        if "PENDING" in line or "RUNNING" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Stopped waiting" in err
    go_on = shlex.split(err.strip().splitlines()[-1])
    assert go_on[:5] == ["wanx", "--env", "cloud.env", "status", "--wait"]
    done = direct.raw(*go_on[1:])
    assert "cli-ctrl-c-3" in done
    creates = direct.cloud.creates()
    assert direct("submit", *files, "--wait").count("(known)") == 3
    assert direct.cloud.creates() == creates


def test_a_mistake_keeps_everything_back(wanx: Wanx) -> None:
    good = wanx.job_file(f"cli-held-{kind(wanx)}")
    wrong = wanx.folder / "wrong.yaml"
    wrong.write_text(yaml.safe_dump({"model": "nope", "input": {}}), "utf-8")
    said = wanx("submit", good, "wrong.yaml", code=1)
    assert "wrong.yaml:2: error: at /model" in said
    assert "Nothing was submitted." in said
    assert "no such job" in wanx("status", f"cli-held-{kind(wanx)}", code=1)


def test_images_of_the_bucket_are_looked_at(direct: Wanx) -> None:
    (direct.folder / "missing.yaml").write_text(
        yaml.safe_dump(
            {
                "model": "wan2.5-i2i-preview",
                "input": {"prompt": "x", "images": ["oss:///inputs/no.png"]},
            }
        ),
        "utf-8",
    )
    assert "no.png does not exist in the bucket" in direct("check", "missing.yaml", code=1)
    assert "0 violations" in direct.raw("check", "missing.yaml")


def test_an_id_that_is_taken_is_told(wanx: Wanx) -> None:
    job = f"cli-taken-{kind(wanx)}"
    wanx("submit", wanx.job_file(job))
    other = yaml.safe_load((wanx.folder / f"{job}.yaml").read_text("utf-8"))
    other["input"]["prompt"] = "another prompt"
    (wanx.folder / "other.yaml").write_text(yaml.safe_dump(other), "utf-8")
    assert "belongs to another job" in wanx("submit", "other.yaml", code=1)
    wanx("status", "--wait", job)


def test_a_person_repairs_a_live_system(direct: Wanx) -> None:
    direct("submit", direct.job_file("cli-mended"), "--wait")
    direct.cloud.bucket.delete_object("results/cli-mended/result.json")
    assert "manifests made: 0" not in direct("repair")
    assert direct.cloud.bucket.object_exists("results/cli-mended/result.json")
    assert re.search(r"\d+ dead events? put back", direct("redrive"))
    assert direct("resume", "wanx-x-painting") == "wanx-x-painting: was not paused\n"
    assert direct("resume", "--key") == "the API key: was not paused\n"
    for words in (["repair"], ["redrive"], ["resume", "--key"]):
        where = ["--api", direct.cloud.env["API_URL"]]
        assert "works on the bucket" in direct.raw(*where, *words, code=3)


def test_doctor_finds_nothing(wanx: Wanx) -> None:
    said = wanx("doctor")
    assert "All is well." in said
    assert "failed" not in said
    checks = ["API"]
    if kind(wanx) == "bucket":
        checks += ["settings", "endpoint", "key and bucket", "versioning", "clock"]
        checks += ["public endpoint", "delayed calls", "model service"]
    assert all(f"ok     {what}:" in said for what in checks), said
    assert not list_keys(wanx.cloud, "state/doctor/")


@pytest.mark.parametrize(
    ("changed", "what", "advice"),
    [
        ({"OSS_ACCESS_KEY_SECRET": "wrong"}, "key and bucket", "OSS_ACCESS_KEY_SECRET does not"),
        ({"OSS_ACCESS_KEY_ID": "nobody"}, "key and bucket", "does not know OSS_ACCESS_KEY_ID"),
        ({"OSS_BUCKET": "No_Bucket"}, "settings", "expected 3 to 63 lower-case letters"),
        ({"OSS_BUCKET": "no-such-bucket"}, "key and bucket", "correct OSS_BUCKET"),
        ({"OSS_ENDPOINT": "http://127.0.0.1:1"}, "endpoint", "nobody answers at OSS_ENDPOINT"),
        ({"OSS_PUBLIC_ENDPOINT": "http://127.0.0.1:1"}, "public endpoint", "INPUT_DELIVERY"),
        ({"DASHSCOPE_API_KEY": "sk-wrong"}, "model service", "refuses DASHSCOPE_API_KEY"),
        ({"API_TOKEN": "wrong"}, "API", "refuses the token"),
        ({"API_URL": "http://127.0.0.1:1"}, "API", "check API_URL"),
    ],
)
def test_doctor_finds_what_is_wrong(
    direct: Wanx, changed: dict[str, str], what: str, advice: str
) -> None:
    lines = [f"{name}={value}\n" for name, value in {**direct.cloud.env, **changed}.items()]
    (direct.folder / "cloud.env").write_text("".join(lines), "utf-8")
    said = " ".join(direct("doctor", code=1).split())
    assert f"failed {what}:" in said
    assert advice in said
    assert "1 check failed." in said


def test_doctor_sees_a_wrong_clock(direct: Wanx, monkeypatch: pytest.MonkeyPatch) -> None:
    from time import time as true_time

    monkeypatch.setattr("cli.commands.doctor.time.time", lambda: true_time() + 120)
    found = {one.what: one for one in checks(load_access(direct.folder / "cloud.env", None, None))}
    assert found["clock"].ok is False
    assert re.search(r"12[01] s ahead of the store", found["clock"].text)


def list_keys(cloud: Cloud, prefix: str) -> list[str]:
    return [one.key for one in cloud.bucket.list_objects_v2(prefix=prefix).object_list]
