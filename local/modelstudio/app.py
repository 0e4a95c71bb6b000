"""The web application: routes, and errors turned into the service's JSON."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from local import own_computer
from local.modelstudio import admin, api
from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.service import Service
from local.modelstudio.settings import Settings
from local.modelstudio.wire import json_answer, refusal

_LOG = logging.getLogger("modelstudio")
_GRACE_SECONDS = 1.0
_MAX_BODY = 64 * 2**20  # three inline images at the limit and room to spare


@web.middleware
async def speak_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure leaves as `{code, message, request_id}`."""
    try:
        if reason := own_computer.refusal(request, pages=False):
            raise service_error("foreign_page", reason=reason)
        return await handler(request)
    except ServiceError as problem:
        return json_answer(refusal(problem), problem.status)
    except web.HTTPException as problem:
        error = _translated(problem, request)
        return json_answer(refusal(error), error.status)
    except ConnectionError:
        raise
    except Exception as problem:
        _LOG.error("modelstudio: %s: %s: %s", request.path, type(problem).__name__, problem)
        error = service_error("internal")
        return json_answer(refusal(error), error.status)


def _translated(problem: web.HTTPException, request: web.Request) -> ServiceError:
    if problem.status == 413:
        return service_error("body_too_large")
    if problem.status == 405:
        return service_error("method_not_allowed", method=request.method, path=request.path)
    return service_error("not_found", path=request.path)


def make_app(keys: tuple[str, ...], settings: Settings, folder: Path) -> web.Application:
    """The application; images are kept in `folder`. Call inside a running event loop."""
    app = web.Application(middlewares=[speak_json], client_max_size=_MAX_BODY)
    app[api.SERVICE] = Service(keys, settings, folder)
    api.add_routes(app)
    admin.add_routes(app)
    app.on_cleanup.append(_close)
    return app


@asynccontextmanager
async def listening(
    host: str, port: int, keys: tuple[str, ...], settings: Settings
) -> AsyncIterator[str]:
    """The server's address, where it listens until the end of the block; port 0 takes any free one.

    Raises OSError if the port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="modelstudio-") as folder:
        app = make_app(keys, settings, Path(folder))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            app[api.SERVICE].address = f"http://{host}:{runner.addresses[0][1]}"
            yield app[api.SERVICE].address
        finally:
            await runner.cleanup()


async def _close(app: web.Application) -> None:
    await app[api.SERVICE].close()
