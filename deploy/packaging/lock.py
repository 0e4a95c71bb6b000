"""`python -m deploy.packaging.lock`: rewrites functions/lock-<python>.txt for every runtime."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from deploy.packaging.lockfile import expected_pins, lock_text
from deploy.packaging.settings import PackageError, load_package_settings
from deploy.packaging.wheelhouse import lock_pins


def main(arguments: list[str] | None = None) -> int:
    """0 when the locks are written; 1 with a message when a package cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m deploy.packaging.lock", description=__doc__)
    parser.add_argument("runtimes", nargs="*", help="those runtimes alone (default: all)")
    asked = parser.parse_args(arguments)
    try:
        settings = load_package_settings()
        for name in asked.runtimes or settings.targets:
            target = settings.target(name)
            pins = expected_pins(settings.root, target)
            with tempfile.TemporaryDirectory() as scratch:
                locked = lock_pins(Path(scratch, "files"), target, pins, settings.sources)
            path = settings.lock_path(target)
            path.write_text(lock_text(target, locked), "utf-8")
            print(f"{path.relative_to(settings.root)}: {len(locked)} packages")
    except PackageError as error:
        print(f"deploy.packaging.lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
