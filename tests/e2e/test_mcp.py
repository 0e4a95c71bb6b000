"""`wanx mcp` with the protocol package's own client, against the whole laptop cloud."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ImageContent, TextContent

from tests.e2e.conftest import HIDDEN, ROOT, THROTTLED, Cloud, faults

pytestmark = pytest.mark.slow
PATIENCE = 60.0
TOOLS = {
    *("list_models", "check_job", "submit_job", "wait_for_job"),
    *("get_images", "cancel_job", "list_jobs"),
}


@dataclass
class Assistant:
    """A client of the tools; it has seen every text that came."""

    client: Client
    seen: list[str] = field(default_factory=list)
    progress: list[tuple[float, str]] = field(default_factory=list)

    async def raw(self, tool: str, **arguments: Any) -> CallToolResult:
        done = await self.client.call_tool(tool, arguments, progress_callback=self._progressed)
        self.seen += [one.text for one in done.content if isinstance(one, TextContent)]
        return done

    async def __call__(self, tool: str, **arguments: Any) -> Any:
        done = await self.raw(tool, **arguments)
        assert not done.is_error, done.content
        return json.loads(self.seen[-1])

    async def refused(self, tool: str, **arguments: Any) -> str:
        done = await self.raw(tool, **arguments)
        assert done.is_error, done.content
        return self.seen[-1]

    async def _progressed(self, progress: float, total: float | None, message: str | None) -> None:
        assert total == 100
        self.progress.append((progress, message or ""))


Story = Callable[[Assistant], Awaitable[None]]


@dataclass(frozen=True)
class Talk:
    """Tells a story to an assistant whose `wanx mcp` works on the bucket, or over the API."""

    kind: str
    command: StdioServerParameters

    def __call__(self, story: Story) -> Assistant:
        return anyio.run(_told, self.command, story)


@pytest.fixture(params=["bucket", "api"])
def talk(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Talk:
    (tmp_path / "cloud.env").write_text("".join(f"{k}={v}\n" for k, v in cloud.env.items()))
    kept = {name: text for name, text in os.environ.items() if not name.startswith(HIDDEN)}
    environ = {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), kept.get("PYTHONPATH", "")])}
    where = ["--env", "cloud.env"]
    if request.param == "api":
        where = ["--api", cloud.env["API_URL"]]
        environ["API_TOKEN"] = cloud.env["API_TOKEN"]
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "cli", *where, "mcp"], env=environ, cwd=tmp_path
    )
    return Talk(request.param, command)


async def _told(command: StdioServerParameters, story: Story) -> Assistant:
    with anyio.fail_after(PATIENCE):
        async with Client(command) as client:
            assistant = Assistant(client)
            await story(assistant)
            return assistant


def painting(job: str, **parameters: Any) -> dict[str, Any]:
    return {
        "model": "wan2.5-i2i-preview",
        "job": {"id": job},
        "input": {"prompt": "a sunset", "images": ["oss:///inputs/rocket.jpg"]},
        "parameters": {"n": 1, **parameters},
    }


def test_from_a_question_to_an_image(talk: Talk, cloud: Cloud) -> None:
    job = f"mcp-whole-{talk.kind}"
    creates = cloud.creates()

    async def story(ask: Assistant) -> None:
        tools = (await ask.client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        (submit,) = [tool for tool in tools if tool.name == "submit_job"]
        assert (submit.description or "").startswith("COSTS MONEY")
        (model,) = [m for m in await ask("list_models") if m["name"] == "wan2.5-i2i-preview"]
        assert model["an_image"] == "CNY 0.20"
        assert model["guidance"]
        whole = await ask("list_models", name="wan2.5-i2i-preview")
        assert "prompt" in whole["input"]["properties"]
        assert "model: wan2.5-i2i-preview" in whole["job_file_to_fill_in"]

        checked = await ask("check_job", job=painting(job))
        assert checked["ok"]
        assert checked["price_at_most"] == [{"currency": "CNY", "total": 0.2}]
        assert cloud.creates() == creates
        sent = await ask("submit_job", job=painting(job))
        assert (sent["job"], sent["price_at_most"]["total"]) == (job, 0.2)
        assert (await ask("submit_job", job=painting(job)))["job"] == job

        over = await ask("wait_for_job", job=job)
        assert (over["state"], over["price"]["total"]) == ("SUCCEEDED", 0.2)
        assert job in [one["job"] for one in (await ask("list_jobs", limit=100))["jobs"]]
        await images(ask, cloud, job, over["images"])

    heard = talk(story)
    assert cloud.creates() == creates + 1
    assert [share for share, _ in heard.progress] == sorted(share for share, _ in heard.progress)
    assert heard.progress[-1] == (100.0, "SUCCEEDED")
    told_nothing_secret(heard, cloud)


async def images(ask: Assistant, cloud: Cloud, job: str, keys: list[str]) -> None:
    """As content with the manifest's bytes; as a link where they do not fit."""
    about, image = (await ask.raw("get_images", job=job)).content
    assert isinstance(about, TextContent)
    assert isinstance(image, ImageContent)
    assert (image.mime_type, json.loads(about.text)["key"]) == ("image/png", keys[0])
    manifest = json.loads(cloud.bucket.get_object(f"results/{job}/result.json").read())
    digest = hashlib.sha256(base64.b64decode(image.data)).hexdigest()
    assert digest == manifest["images"][0]["sha256"]
    linked = await ask("get_images", job=job, most_bytes=100)
    assert linked["link_for_an_hour"].startswith("http")
    assert linked["or_run"].endswith(f"get {job}")


def told_nothing_secret(heard: Assistant, cloud: Cloud) -> None:
    said = "\n".join(heard.seen)
    assert "Traceback" not in said
    for name, secret in cloud.env.items():
        if name.endswith(("SECRET", "TOKEN", "API_KEY")):
            assert secret not in said


def test_what_cannot_be_is_refused_in_words_and_costs_nothing(talk: Talk, cloud: Cloud) -> None:
    creates = cloud.creates()
    wrong = painting("mcp-wrong", n=99)
    wrong["input"]["images"] = []

    async def story(ask: Assistant) -> None:
        checked = await ask("check_job", job=wrong)
        assert not checked["ok"]
        assert {one["pointer"] for one in checked["violations"]} == {
            "/parameters/n",
            "/input/images",
        }
        said = await ask.refused("submit_job", job=wrong)
        assert "nothing was submitted: at /" in said
        assert "/parameters/n" in said
        assert "/input/images" in said
        assert "did you mean" in await ask.refused("list_models", name="wan2.5-i2i-previev")
        assert "is not a state" in await ask.refused("list_jobs", states=["DONE"])
        for tool in ("wait_for_job", "get_images", "cancel_job"):
            said = await ask.refused(tool, job={})
            assert f"{tool}: `job` must be a text of at most 200 characters" in said
            assert f"{tool}: `job` is missing; it is a text" in await ask.refused(tool)
            assert "there is no such job" in await ask.refused(tool, job="mcp-none")
            assert "there is no such job" in await ask.refused(tool, job="../records")
        said = await ask.refused("list_jobs", state="FAILED")
        assert "has no argument `state`. Did you mean `states`?" in said
        said = await ask.refused("wait_for_job", job="mcp-none", seconds=0)
        assert "`seconds` must be a whole number from 1 to 600" in said
        assert "must be a list of texts" in await ask.refused("list_jobs", states=7, limit="x")
        assert "an object, as in a job file" in await ask.refused("submit_job", job=[wrong])
        assert "mistake in wanx" not in "".join(ask.seen)
        assert "pydantic" not in "".join(ask.seen)

    told_nothing_secret(talk(story), cloud)
    assert cloud.creates() == creates


def test_a_job_that_waits_is_told_and_canceled(talk: Talk, cloud: Cloud) -> None:
    job = f"mcp-waits-{talk.kind}"

    async def story(ask: Assistant) -> None:
        await ask("submit_job", job=painting(job))
        waited = await ask("wait_for_job", job=job, seconds=1)
        assert "call wait_for_job again" in waited["not_over"]
        assert "no images yet" in await ask.refused("get_images", job=job)
        assert (await ask("cancel_job", job=job))["state"] == "CANCELED"
        assert "is CANCELED" in await ask.refused("cancel_job", job=job)
        assert "no images, it is CANCELED" in await ask.refused("get_images", job=job)

    with faults(cloud, THROTTLED):
        heard = talk(story)
    assert any("s to wait" in said for _, said in heard.progress)
