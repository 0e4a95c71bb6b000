"""The roles' temporary credentials on the laptop, each bound to the role's policy."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.policies.documents import Stack, role_documents
from local.up_settings import ROOT, write_private

FILE = "identities.json"
ACCOUNT = "1000000000000000"
_CREDENTIALS = ("key_id", "secret", "token")


def write_identities(data: Path, env: Mapping[str, str]) -> Path:
    """Write the file that OSS server and runtime read, for its owner's eyes alone.

    The policies are made anew from deploy/permissions.yaml; the credentials stay the same, so that
    presigned URLs outlive a restart.
    """
    path = data / FILE
    known = _known(path)
    bucket, results = env["OSS_BUCKET"], env.get("RESULTS_BUCKET", "")
    other = "" if results == bucket else results
    stack = Stack(_stack_name(), bucket, env["OSS_REGION"], ACCOUNT, results=other)
    rows = [
        {"name": role, **known.get(role, _new_credentials()), "policy": policy}
        for role, policy in role_documents(stack).items()
    ]
    write_private(path, json.dumps(rows, indent=2) + "\n")
    return path


def _stack_name() -> str:
    """What s.yaml names functions and roles after."""
    document = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
    return str(document["vars"]["name"])


def _known(path: Path) -> Mapping[str, dict[str, Any]]:
    """The credentials of an earlier start; a file that cannot be read is made anew."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {str(row["name"]): {name: str(row[name]) for name in _CREDENTIALS} for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _new_credentials() -> dict[str, str]:
    return {
        "key_id": f"STS.LAPTOP{secrets.token_hex(9).upper()}",
        "secret": secrets.token_hex(20),
        "token": secrets.token_urlsafe(96),
    }
