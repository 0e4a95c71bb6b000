"""The WSGI application (falcon): built once for an instance, answered by each request's `App`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import falcon

from shared.api.context import ENVIRON_KEY
from shared.api.dashscope import RequestIds, add_dashscope_routes
from shared.api.jobs_api.access import Origins, Tokens
from shared.api.jobs_api.actions import (
    JobAdopt,
    JobCancel,
    JobErase,
    JobEvents,
    JobFile,
    JobHide,
    JobLostCall,
    JobRetry,
)
from shared.api.jobs_api.admin import Dead, Redrive, Resume, Runtime
from shared.api.jobs_api.carried import Carried
from shared.api.jobs_api.changes import Changes
from shared.api.jobs_api.export import EXPORTS
from shared.api.jobs_api.jobs import Job, JobCollection, JobResult
from shared.api.jobs_api.models import Convert, Models
from shared.api.jobs_api.openapi import Description
from shared.api.jobs_api.page import WEB, Page
from shared.api.jobs_api.problems import add_handlers
from shared.api.jobs_api.stream import JobStream
from shared.api.jobs_api.uploads import Uploads
from shared.api.jobs_api.webhooks import (
    JobRedeliver,
    WebhookCollection,
    WebhookEnable,
    WebhookSecret,
    WebhookTest,
)
from shared.api.openai import add_openai_routes
from shared.app import App
from shared.instance import Instance
from shared.platform.web_function import WsgiApp


def create_app(app: App, web: Path = WEB) -> WsgiApp:
    """The application, answering for `app`; `web` is the folder with the page's files."""
    whole = prepare(app.instance, web)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answered: Iterable[bytes] = whole({**environ, ENVIRON_KEY: app}, start_response)
        return answered

    return answer


def prepare(instance: Instance, web: Path = WEB) -> falcon.App[falcon.Request, falcon.Response]:
    """The instance's routes, built at the first call: that takes far longer than an
    answer. A server calls it before it listens, so that its first requests do not all build."""
    routes: falcon.App[falcon.Request, falcon.Response] = instance.once(
        instance.wsgi, web, partial(build, web)
    )
    return routes


def build(web: Path = WEB) -> falcon.App[falcon.Request, falcon.Response]:
    """All routes. Every request must bring its `App` in its environment."""
    steps: list[Any] = [RequestIds(), Origins(), Tokens(), Carried()]
    wsgi = falcon.App(middleware=steps)
    wsgi.resp_options.default_media_type = falcon.MEDIA_JSON
    wsgi.req_options.strip_url_path_trailing_slash = True
    _add_jobs(wsgi)
    wsgi.add_route("/changes", Changes())
    wsgi.add_route("/uploads", Uploads())
    wsgi.add_route("/models", Models())
    wsgi.add_route("/models/{name}/convert", Convert())
    wsgi.add_route("/models/{name}/resume", Resume())
    wsgi.add_route("/dead", Dead())
    wsgi.add_route("/dead/{name}/redrive", Redrive())
    wsgi.add_route("/webhooks", WebhookCollection())
    wsgi.add_route("/webhooks/test", WebhookTest())
    wsgi.add_route("/webhooks/enable", WebhookEnable())
    wsgi.add_route("/webhooks/secret", WebhookSecret())
    wsgi.add_route("/runtime", Runtime())
    wsgi.add_route("/openapi.json", Description())
    page = Page(web)
    wsgi.add_route("/", page)
    wsgi.add_route("/web", page)
    wsgi.add_route("/web/{name:path}", page)
    add_dashscope_routes(wsgi)
    add_openai_routes(wsgi)
    add_handlers(wsgi)
    return wsgi


def _add_jobs(wsgi: falcon.App[falcon.Request, falcon.Response]) -> None:
    wsgi.add_route("/jobs", JobCollection())
    for path, export in EXPORTS.items():
        wsgi.add_route(path, export)
    wsgi.add_route("/jobs/{job}", Job())
    wsgi.add_route("/jobs/{job}/result", JobResult())
    wsgi.add_route("/jobs/{job}/cancel", JobCancel())
    wsgi.add_route("/jobs/{job}/erase", JobErase())
    wsgi.add_route("/jobs/{job}/retry", JobRetry())
    wsgi.add_route("/jobs/{job}/hide", JobHide(True))
    wsgi.add_route("/jobs/{job}/unhide", JobHide(False))
    wsgi.add_route("/jobs/{job}/adopt/{task}", JobAdopt())
    wsgi.add_route("/jobs/{job}/lost-call/{decision}", JobLostCall())
    wsgi.add_route("/jobs/{job}/stream", JobStream())
    wsgi.add_route("/jobs/{job}/events", JobEvents())
    wsgi.add_route("/jobs/{job}/jobfile", JobFile())
    wsgi.add_route("/jobs/{job}/redeliver", JobRedeliver())
