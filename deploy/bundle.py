"""`python -m deploy.bundle`: what browsers get of the page, from web/js and web/css by esbuild.

One script and one style sheet instead of a request for each module. They are kept in web/build, so
that neither the laptop nor a package needs Node.js. --write brings them up to date; --check says
whether they are.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.checks.tools import ToolsMissing, node_command
from deploy.template.generated import ROOT, bring_up_to_date

ENTRIES = ("js/main.js", "css/main.css")
OPTIONS = (
    "--bundle",
    "--format=esm",
    "--minify",
    "--charset=utf8",
    "--entry-names=page",
    "--banner:js=// Made from web/js by `make page`.",
    "--banner:css=/* Made from web/css by `make page`. */",
    "--log-level=warning",
    "--color=false",
)
"""Nothing is rewritten for older browsers. Comments with a licence stay: esbuild's default."""


class BundleError(Exception):
    """The sources cannot be bundled; the text is esbuild's, with file and line."""


def bundled(web: Path) -> dict[Path, str]:
    """The files of web/build as esbuild makes them. Raises BundleError, ToolsMissing."""
    esbuild = str(node_command("esbuild"))
    with tempfile.TemporaryDirectory() as folder:
        command = [esbuild, *ENTRIES, *OPTIONS, f"--outdir={folder}"]
        done = subprocess.run(command, cwd=web, capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            raise BundleError(f"esbuild could not bundle {web}:\n{done.stderr.strip()}")
        return {web / "build" / one.name: one.read_text("utf-8") for one in Path(folder).iterdir()}


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with a message: stale files, sources that esbuild refuses, no esbuild."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bundle", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="rewrite web/build")
    choice.add_argument("--check", action="store_true", help="rc 1 if it is stale")
    options = parser.parse_args(arguments)
    try:
        made = bundled(ROOT / "web")
        return bring_up_to_date(made, "web/js or web/css", "make page", write=options.write)
    except (BundleError, ToolsMissing, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
