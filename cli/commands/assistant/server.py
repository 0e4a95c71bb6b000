"""The tools as the Model Context Protocol has them; this alone needs the package `mcp`.

What a tool says of itself is for a model that decides whether to call it: first what it costs.
Source: https://modelcontextprotocol.io/specification (tools, progress).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any

import anyio
import click
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import Field, ValidationError

from cli.access import Access
from cli.commands.assistant.arguments import misfit, unknown
from cli.commands.assistant.jobs import AssistantJobs

MOST_BYTES = 8_000_000
LONGEST_WAIT = 600
SILENCE = 10.0
"""Seconds after which progress is sent though nothing has changed."""
ABOUT = (
    "Makes and edits images with the models that list_models names. Usual order: list_models (with"
    " a name for its fields), check_job (free, says the price), submit_job (costs money),"
    " wait_for_job, get_images. Tell the person the price before you submit."
)
READS = ToolAnnotations(read_only_hint=True)

JobFile = Annotated[
    dict[str, Any],
    Field(
        description="The job as in a job file: model, input, parameters and, if wanted, job: {id,"
        " labels}. Images: https://…, oss:///KEY of the bucket, or data:image/…;base64,…"
    ),
]
JobId = Annotated[str, Field(description="The id that submit_job returned.", max_length=200)]
Wait = Annotated[int, Field(ge=1, le=LONGEST_WAIT, description="Seconds to wait at most.")]
Bytes = Annotated[
    int, Field(ge=0, le=MOST_BYTES, description="Bytes of all images together; more become links.")
]
Limit = Annotated[int, Field(ge=1, le=100)]

log = logging.getLogger(__name__)


def make_server(access: Access, clock: Callable[[], float] = time.monotonic) -> MCPServer[Any]:
    """The server with its tools. `clock`: monotonic seconds."""
    tools, server = Tools(AssistantJobs(access), clock), _Server("wanx", instructions=ABOUT)
    costs = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True)
    for tool in (tools.list_models, tools.check_job, tools.get_images, tools.list_jobs):
        server.add_tool(tool, annotations=READS, structured_output=False)
    server.add_tool(tools.wait_for_job, annotations=READS, structured_output=False)
    server.add_tool(tools.submit_job, annotations=costs, structured_output=False)
    server.add_tool(
        tools.cancel_job,
        annotations=ToolAnnotations(read_only_hint=False, destructive_hint=True),
        structured_output=False,
    )
    return server


class _Server(MCPServer[Any]):
    """Refuses arguments in words; the package passes over those that a tool does not have."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Raises ToolError."""
        schemas = {tool.name: tool.input_schema for tool in await self.list_tools()}
        schema = schemas.get(name, {})
        if name in schemas and (wrong := unknown(name, arguments, schema)):
            raise ToolError(wrong)
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            names = [str(one["loc"][0]) for one in error.__cause__.errors()]
            raise ToolError(misfit(name, names, arguments, schema)) from None


class Tools:
    """One method a tool; its docstring is what the assistant reads."""

    def __init__(self, jobs: AssistantJobs, clock: Callable[[], float]) -> None:
        self._jobs, self._clock = jobs, clock

    def list_models(self, name: str | None = None) -> str:
        """Free. All models with the price of an image and what each is for; with a name, all about
        one: its fields, limits, price, and a job file to fill in."""
        with in_words():
            return _text(self._jobs.models(name))

    def check_job(self, job: JobFile) -> str:
        """Free, sends nothing. Everything that is wrong with a job, and what it costs at most."""
        with in_words():
            return _text(self._jobs.check(job))

    def submit_job(self, job: JobFile) -> str:
        """COSTS MONEY: the images are billed to the person's account, up to price_at_most of the
        answer. Checks the job first; with any violation nothing is submitted. The same job again is
        the same job and costs nothing; for another try of it give another job.id."""
        with in_words():
            return _text(self._jobs.submit(job))

    async def wait_for_job(self, job: JobId, context: Context, seconds: Wait = 60) -> str:
        """Free. Waits until a job is over, and tells its state and progress meanwhile. If it is not
        over in time, its state is the answer; the job goes on, call again."""
        end, steps, view = self._clock() + seconds, self._jobs.follow(job), dict[str, Any]()
        step, news = partial(next, steps, None), _News(self._clock)
        with in_words():
            while look := await anyio.to_thread.run_sync(step, abandon_on_cancel=True):
                share, view = look
                if news.is_due((share == 100, view.get("state"), view.get("position"))):
                    await context.report_progress(share, 100, _progress(view))
                if share < 100 and self._clock() >= end:
                    return _text({**view, "not_over": "it goes on; call wait_for_job again"})
        return _text(view)

    def get_images(self, job: JobId, most_bytes: Bytes = 4_000_000) -> list[Any]:
        """Free. The images of a job that is over, and what is known of each. Images beyond
        most_bytes come as links that hold for an hour, and the command that downloads them."""
        content = list[Any]()
        with in_words():
            for one in self._jobs.images(job, most_bytes):
                content.append(_text(one.about))
                if one.data is not None:
                    suffix = PurePosixPath(one.about["key"]).suffix.removeprefix(".").lower()
                    content.append(Image(data=one.data, format=FORMATS.get(suffix, suffix)))
        return content

    def cancel_job(self, job: JobId) -> str:
        """Takes back a job that still waits; what already runs is made and billed."""
        with in_words():
            return _text(self._jobs.cancel(job))

    def list_jobs(
        self, states: list[str] | None = None, model: str | None = None, limit: Limit = 20
    ) -> str:
        """Free. The newest jobs; states such as QUEUED, RUNNING, SUCCEEDED, FAILED."""
        with in_words():
            return _text(self._jobs.listed(states or [], model, limit))


@dataclass
class _News:
    """When progress is sent: something has changed, or nothing was sent for a while."""

    clock: Callable[[], float]
    sent: tuple[Any, ...] = ()
    at: float = 0.0

    def is_due(self, what: tuple[Any, ...]) -> bool:
        if what == self.sent and self.clock() - self.at < SILENCE:
            return False
        self.sent, self.at = what, self.clock()
        return True


FORMATS = {"jpg": "jpeg"}
"""Suffixes that are no subtype of image/ (RFC 2046)."""


@contextmanager
def in_words() -> Iterator[None]:
    """Every end in words, as `cli.ends` has them for a person."""
    try:
        yield
    except click.ClickException as error:
        raise ToolError(error.format_message()) from None
    except Exception as error:
        log.info("where it happened", exc_info=True)
        what = type(error).__name__
        raise ToolError(f"this is a mistake in wanx itself ({what}); -v shows where.") from None


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


def _progress(view: dict[str, Any]) -> str:
    place = view.get("position")
    seconds = view.get("estimated_wait_seconds")
    said = [str(view.get("state"))]
    if place:
        said.append(f"number {place} in the queue")
    if seconds:
        said.append(f"about {seconds:.0f} s to wait")
    return ", ".join(said)
