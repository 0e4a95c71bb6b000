"""python -m local.modelstudio: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from local.modelstudio.app import listening
from local.modelstudio.settings import Settings, SettingsError, read_settings
from local.own_computer import keep_files_private


def main() -> int:
    """Read arguments and environment, then serve. Exit code 2 where either is wrong."""
    options = _arguments()
    keep_files_private()
    keys = tuple(
        key.strip() for key in os.environ.get("DASHSCOPE_API_KEY", "").split(",") if key.strip()
    )
    if not keys:
        return _refuse(
            "DASHSCOPE_API_KEY is empty: expected the accepted API keys, separated by commas"
        )
    try:
        settings = Settings(read_settings(options.settings) if options.settings else {})
        if options.task_seconds is not None:
            settings.change({"task_seconds": options.task_seconds})
    except SettingsError as problem:
        return _refuse(str(problem))
    try:
        asyncio.run(serve(options.host, options.port, keys, settings))
    except (OSError, OverflowError) as problem:
        return _refuse(f"cannot listen on {options.host}:{options.port}: {problem}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.modelstudio",
        description="Model Studio on a laptop. DASHSCOPE_API_KEY: accepted keys, comma separated.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=0, help="0: any free one; the ready line names it"
    )
    parser.add_argument(
        "--settings", type=Path, help="a YAML or JSON file, see settings.schema.yaml"
    )
    parser.add_argument(
        "--task-seconds", type=float, help="how long every task runs, give or take a fifth"
    )
    return parser.parse_args()


def _refuse(text: str) -> int:
    print(f"modelstudio: {text}", file=sys.stderr)
    return 2


async def serve(host: str, port: int, keys: tuple[str, ...], settings: Settings) -> None:
    """Listen, say so on stdout, stay until told to stop. Raises OSError if the port is taken."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with listening(host, port, keys, settings) as address:
        print(f"modelstudio ready {address}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
