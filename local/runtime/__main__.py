"""`python -m local.runtime`: runs the functions of an s.yaml until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from deploy.stack.render import DeclarationError
from local.own_computer import keep_files_private
from local.ram import PolicyError, read_identities
from local.runtime.declaration import Function
from local.runtime.load import load_functions
from local.runtime.packaged import mismatch
from local.runtime.rights import Rights
from local.runtime.runtime import Runtime
from local.runtime.server import make_app
from local.runtime.settings import ACCOUNT, Settings
from local.runtime.sign_in import SignIn

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Runs until SIGINT or SIGTERM; a declaration that cannot run ends it with a message."""
    arguments = _parser().parse_args()
    keep_files_private()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(arguments))
    except (DeclarationError, PolicyError, OSError) as error:
        sys.exit(f"local.runtime: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.runtime", description=__doc__)
    add = parser.add_argument
    add("--s-yaml", type=Path, default=ROOT / "s.yaml", help="what to run (default: %(default)s)")
    add("--data", type=Path, required=True, help="folder for the queue, logs and scratch")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--layer", type=Path, default=ROOT, help="folder that stands for the functions' layer")
    add(
        "--python",
        action="append",
        default=[],
        metavar="RUNTIME=PATH",
        help="runs built packages, those of RUNTIME with this Python, and nothing else",
    )
    add("--watch-bucket", action="store_true", help="list the bucket instead of being notified")
    add("--instances", type=int, default=4, help="most instances of a function")
    add("--retry-seconds", type=float, default=1.0, help="wait before a first retry")
    add("--idle-seconds", type=float, default=180.0, help="life of an unused instance")
    add("--timer-minute", type=float, default=60.0, help="seconds in a minute of '@every 1m'")
    add("--duplicate-every", type=int, default=0, help="deliver every n-th object event twice")
    add("--identities", type=Path, help="roles with credentials and policies, as local.oss reads")
    add("--verbose", action="store_true", help="functions' logs to stderr as well")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        data=arguments.data.resolve(),
        layer=arguments.layer.resolve(),
        pythons={
            name: Path(path) for name, _, path in (p.partition("=") for p in arguments.python)
        },
        instances=arguments.instances,
        retry_seconds=arguments.retry_seconds,
        idle_seconds=arguments.idle_seconds,
        minute=arguments.timer_minute,
        duplicate_every=arguments.duplicate_every,
        verbose=arguments.verbose,
        rights=Rights(read_identities(arguments.identities), ACCOUNT),
    )


async def _serve(arguments: argparse.Namespace) -> None:
    listener = socket.create_server((arguments.host, arguments.port))
    address = f"http://{arguments.host}:{listener.getsockname()[1]}"
    settings = replace(_settings(arguments), address=address)
    functions = load_functions(arguments.s_yaml.resolve(), dict(os.environ), ACCOUNT)
    if settings.pythons:
        _refuse_other_builds(functions)
    settings.rights.check_declared(functions)
    settings.data.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Runtime(functions, settings, arguments.watch_bucket) as runtime:
        runner = web.AppRunner(
            make_app(runtime, _sign_in(os.environ)),
            shutdown_timeout=1,
            auto_decompress=False,  # Function Compute hands a body on as it comes
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            print(f"runtime ready {address}", flush=True)
            await stop.wait()
        finally:
            await runner.cleanup()


def _sign_in(environ: Mapping[str, str]) -> SignIn | None:
    """As `local.up` asks for it."""
    code, token = environ.get("SIGN_IN_CODE", ""), environ.get("API_TOKEN", "")
    return SignIn(code, token, time.monotonic) if code and token else None


def _refuse_other_builds(functions: list[Function]) -> None:
    findings = [mismatch(function.code, function.runtime) for function in functions]
    if any(findings):
        raise DeclarationError("\n".join(finding for finding in findings if finding))


if __name__ == "__main__":
    main()
