"""``python -m local.oss``: serve a folder as an Object Storage Service."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from local.oss import keys
from local.oss.app import build_application, build_service
from local.oss.authentication import Credentials
from local.oss.delivery import Delivery
from local.oss.errors import OssError
from local.oss.service import Service
from local.oss.watcher import Watcher
from local.own_computer import keep_files_private
from local.ram import PolicyError, read_identities

_HEADER_BYTES = 65536


def arguments(values: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local.oss",
        description="Serve a folder as an Object Storage Service.",
        epilog="The keys come from OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, with "
        "OSS_SESSION_TOKEN the key is temporary.",
    )
    parser.add_argument(
        "--root", type=Path, required=True, help="the folder that holds the buckets"
    )
    parser.add_argument(
        "--bucket", action="append", default=[], help="a bucket to create if absent"
    )
    parser.add_argument("--region", default="cn-beijing")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--notify", metavar="URL", help="where events are posted")
    parser.add_argument(
        "--identities",
        type=Path,
        metavar="FILE",
        help="roles that act within their policies: JSON list of name, key_id, secret, token, "
        "policy; the keys above may do anything",
    )
    return parser.parse_args(values)


def credentials() -> Credentials:
    """Read the keys from the environment; exits with a message where they are missing."""
    names = ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        sys.exit(f"local.oss: set {' and '.join(missing)} in the environment; any value will do.")
    key_id, secret = (os.environ[name] for name in names)
    return Credentials(key_id, secret, os.environ.get("OSS_SESSION_TOKEN", ""))


async def serve(options: argparse.Namespace, service: Service) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        build_application(service),
        access_log=None,
        auto_decompress=False,  # a body is stored as it comes, whatever its Content-Encoding
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
        shutdown_timeout=3.0,
    )
    await runner.setup()
    listening = listen(options.host, options.port)
    await web.SockSite(runner, listening).start()
    watcher, delivery = start_notifying(service, options.notify)
    host, port = listening.getsockname()[:2]
    print(f"oss ready http://{host}:{port}", flush=True)
    await stop.wait()
    await runner.cleanup()
    if watcher and delivery:
        await asyncio.to_thread(watcher.stop)
        delivery.cancel()
        with suppress(asyncio.CancelledError):
            await delivery


def start_notifying(
    service: Service, url: str | None
) -> tuple[Watcher | None, asyncio.Task[None] | None]:
    """Start watching and delivering where there is somebody to notify."""
    if not url:
        return None, None
    store = service.store
    delivery = asyncio.create_task(Delivery(store.layout, store.database, url).run())
    watcher = Watcher(store, service.lister)
    watcher.start()
    return watcher, delivery


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises OSError where the address is taken."""
    return socket.create_server((host, port), backlog=256, reuse_port=False)


def main() -> None:
    """Run the command."""
    options = arguments()
    keep_files_private()
    logging.basicConfig(level=logging.WARNING, format="local.oss: %(message)s", stream=sys.stderr)
    try:
        for bucket in options.bucket:
            keys.check_bucket_name(bucket)
        notify, roles = bool(options.notify), read_identities(options.identities)
        service = build_service(
            options.root, options.region, credentials(), notify=notify, roles=roles
        )
        for bucket in options.bucket:
            service.store.create_bucket(bucket)
        asyncio.run(serve(options, service))
    except OssError as error:
        sys.exit(f"local.oss: {error.message}")
    except (OSError, PolicyError) as error:
        sys.exit(f"local.oss: {error}")


if __name__ == "__main__":
    main()
