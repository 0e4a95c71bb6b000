"""Which code runs here, so that instances of two deployments can tell each other apart."""

from __future__ import annotations

import json
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
"""The folder that holds `shared`: in the cloud the function's package."""
BUILD = "BUILD.json"


def running_code(package: Path = PACKAGE) -> str:
    """The digest of the sources that the package was built from (deploy/packaging/stamp.py), the
    same for all functions of one build; empty where code runs that no package holds."""
    try:
        code = json.loads((package / BUILD).read_bytes()).get("code")
    except (OSError, ValueError, AttributeError):
        return ""
    return code if isinstance(code, str) else ""
