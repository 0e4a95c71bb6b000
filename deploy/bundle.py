"""`python -m deploy.bundle`: what browsers get of the page, from web/js and web/css by esbuild.

One script and one style sheet instead of a request for each module, and a second script for what
few visits need. They are kept in web/build, so that neither the laptop nor a package needs Node.js.
--write brings them up to date; --check says whether they are.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.checks.tools import ToolsMissing, node_command, node_package
from deploy.template.generated import ROOT, Generator

ENTRIES = ("page=js/main.js", "page=css/main.css", "zip=js/zip.js")
LATER = "./zip.js"
"""What the page's script loads when it is needed: a file beside it, and no part of it."""
LIBRARIES = ("client-zip",)
OPTIONS = (
    "--bundle",
    "--format=esm",
    "--minify",
    "--charset=utf8",
    f"--external:{LATER}",
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
    libraries = [f"--alias:{name}={node_package(name)}" for name in LIBRARIES]
    with tempfile.TemporaryDirectory() as folder:
        command = [esbuild, *ENTRIES, *OPTIONS, *libraries, f"--outdir={folder}"]
        done = subprocess.run(command, cwd=web, capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            raise BundleError(f"esbuild could not bundle {web}:\n{done.stderr.strip()}")
        return {web / "build" / one.name: one.read_text("utf-8") for one in Path(folder).iterdir()}


def made_files() -> dict[Path, str]:
    """What web/build should hold. Raises BundleError, ToolsMissing, OSError."""
    return bundled(ROOT / "web")


ERRORS = (BundleError, ToolsMissing, OSError)
main = Generator(
    "deploy.bundle", __doc__, "web/js or web/css", "make page", made_files, ERRORS
).main

if __name__ == "__main__":
    sys.exit(main())
