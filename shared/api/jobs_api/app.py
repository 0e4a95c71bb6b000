"""The WSGI application (falcon) over one service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import falcon

from shared.api.dashscope import RequestIds, add_wire
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
from shared.app import Service


def create_app(service: Service, web: Path = WEB) -> falcon.App[falcon.Request, falcon.Response]:
    """The application; `web` is the folder with the page's files."""
    settings = service.settings
    steps: list[Any] = [
        RequestIds(service.chance),
        Origins(settings.cors_origin),
        Tokens(settings),
    ]
    app = falcon.App(middleware=steps)
    app.resp_options.default_media_type = falcon.MEDIA_JSON
    app.req_options.strip_url_path_trailing_slash = True
    _add_jobs(app, service)
    app.add_route("/uploads", Uploads(service))
    app.add_route("/models", Models(service))
    app.add_route("/models/{name}/resume", Resume(service))
    app.add_route("/dead", Dead(service))
    app.add_route("/dead/{name}/redrive", Redrive(service))
    app.add_route("/openapi.json", Description(service))
    page = Page(service, web)
    app.add_route("/", page)
    app.add_route("/web", page)
    app.add_route("/web/{name:path}", page)
    add_wire(app, service)
    add_handlers(app)
    return app


def _add_jobs(app: falcon.App[falcon.Request, falcon.Response], service: Service) -> None:
    app.add_route("/jobs", JobCollection(service))
    for path, export in exports(service).items():
        app.add_route(path, export)
    app.add_route("/jobs/{job}", Job(service))
    app.add_route("/jobs/{job}/result", JobResult(service))
    app.add_route("/jobs/{job}/cancel", JobCancel(service))
    app.add_route("/jobs/{job}/retry", JobRetry(service))
    app.add_route("/jobs/{job}/events", JobEvents(service))
    app.add_route("/jobs/{job}/jobfile", JobFile(service))
