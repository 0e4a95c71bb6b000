"""The WSGI application (falcon) over one service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import falcon

from shared.api.dashscope import RequestIds, add_dashscope_routes
from shared.api.jobs_api.access import Origins, Tokens
from shared.api.jobs_api.actions import JobCancel, JobEvents, JobFile, JobRetry
from shared.api.jobs_api.admin import Dead, Redrive, Resume
from shared.api.jobs_api.export import exports
from shared.api.jobs_api.jobs import Job, JobCollection, JobResult
from shared.api.jobs_api.models import Models
from shared.api.jobs_api.openapi import Description
from shared.api.jobs_api.page import WEB, Page
from shared.api.jobs_api.problems import add_handlers
from shared.api.jobs_api.uploads import Uploads
from shared.app import App


def create_app(app: App, web: Path = WEB) -> falcon.App[falcon.Request, falcon.Response]:
    """The application; `web` is the folder with the page's files."""
    settings = app.settings
    steps: list[Any] = [
        RequestIds(app.rng),
        Origins(settings.cors_origin),
        Tokens(settings),
    ]
    wsgi = falcon.App(middleware=steps)
    wsgi.resp_options.default_media_type = falcon.MEDIA_JSON
    wsgi.req_options.strip_url_path_trailing_slash = True
    _add_jobs(wsgi, app)
    wsgi.add_route("/uploads", Uploads(app))
    wsgi.add_route("/models", Models(app))
    wsgi.add_route("/models/{name}/resume", Resume(app))
    wsgi.add_route("/dead", Dead(app))
    wsgi.add_route("/dead/{name}/redrive", Redrive(app))
    wsgi.add_route("/openapi.json", Description(app))
    page = Page(app, web)
    wsgi.add_route("/", page)
    wsgi.add_route("/web", page)
    wsgi.add_route("/web/{name:path}", page)
    add_dashscope_routes(wsgi, app)
    add_handlers(wsgi)
    return wsgi


def _add_jobs(wsgi: falcon.App[falcon.Request, falcon.Response], app: App) -> None:
    wsgi.add_route("/jobs", JobCollection(app))
    for path, export in exports(app).items():
        wsgi.add_route(path, export)
    wsgi.add_route("/jobs/{job}", Job(app))
    wsgi.add_route("/jobs/{job}/result", JobResult(app))
    wsgi.add_route("/jobs/{job}/cancel", JobCancel(app))
    wsgi.add_route("/jobs/{job}/retry", JobRetry(app))
    wsgi.add_route("/jobs/{job}/events", JobEvents(app))
    wsgi.add_route("/jobs/{job}/jobfile", JobFile(app))
