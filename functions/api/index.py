"""api: programs and people over HTTP (a web function with a server of its own)."""

from __future__ import annotations

import os

from shared.api.jobs_api import create_app, prepare
from shared.app import for_invocation
from shared.instance import INSTANCE
from shared.platform.web_function import RequestContext, WsgiApp, web_function


def answering(context: RequestContext) -> WsgiApp:
    """The application for one request, under the credentials that came with it."""
    app = for_invocation(os.environ, context)
    app.say_code()
    return create_app(app)


if __name__ == "__main__":
    from shared.platform.web_server import serve  # the tests load this file without a server

    prepare(INSTANCE)
    serve(web_function(answering), os.environ)
