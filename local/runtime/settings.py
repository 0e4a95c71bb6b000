"""The runtime's settings, and the clean environment it gives each instance."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.runtime.declaration import Function
from local.runtime.rights import Rights

ACCOUNT = "1000000000000000"
"""The account id s.yaml's `${config('AccountID')}` gets on a laptop."""
CREDENTIALS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "OSS_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "OSS_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "OSS_SESSION_TOKEN",
}
CREDENTIAL_HEADERS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "x-fc-access-key-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x-fc-access-key-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "x-fc-security-token",
}


@dataclass(frozen=True)
class Settings:
    """How the runtime runs; times in seconds."""

    data: Path
    layer: Path
    pythons: Mapping[str, Path] = field(default_factory=dict)
    """A Python for each runtime, to run built packages: with them an instance has no layer, and a
    code folder it cannot write."""
    instances: int = 4
    """Most instances of a function that reserves no concurrency."""
    retry_seconds: float = 1.0
    """Wait before the first retry of a failed event; doubles with each further one."""
    idle_seconds: float = 180.0
    """An instance unused for this long is ended, as in the cloud after 3 to 5 minutes."""
    minute: float = 60.0
    """Length of a minute in `@every 1m`."""
    duplicate_every: int = 0
    """Every n-th object event is delivered twice, as at-least-once allows; 0 never."""
    account: str = ACCOUNT
    verbose: bool = False
    address: str = ""
    """Where the runtime itself answers; functions that call functions do it there."""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    rights: Rights = field(default_factory=Rights)


def instance_environment(
    function: Function, settings: Settings, instance_id: str
) -> dict[str, str]:
    """What an instance finds in its environment: what Function Compute gives, nothing else.

    A web function's credentials come with each request, and here only so.
    """
    scratch = settings.data / "scratch" / instance_id
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": settings.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        **function.environment,
        **_called_here(function, settings),
        **({} if function.web else _credentials(function, settings)),
        "FC_FUNC_CODE_PATH": f"{function.code}/",
        "FC_ACCOUNT_ID": settings.account,
        "FC_FUNCTION_HANDLER": function.handler,
        "FC_FUNCTION_MEMORY_SIZE": str(function.memory),
        "FC_FUNCTION_NAME": function.name,
        "FC_REGION": function.region,
        "FC_INSTANCE_ID": instance_id,
        "FC_QUALIFIER": "LATEST",
    }


def _called_here(function: Function, settings: Settings) -> dict[str, str]:
    """Where a function calls functions that asks for it: at this runtime."""
    asked = "INVOKE_ENDPOINT" in function.environment and settings.address
    return {"INVOKE_ENDPOINT": settings.address} if asked else {}


def _credentials(function: Function, settings: Settings) -> dict[str, str]:
    """Those of the function's role; where roles are not enforced, the keys of the environment."""
    if not function.role:
        return {}
    role = settings.rights.identity(function.role)
    if role is None:
        environ = settings.environ
        return {theirs: environ[ours] for theirs, ours in CREDENTIALS.items() if environ.get(ours)}
    return dict(zip(CREDENTIALS, (role.key_id, role.secret, role.token), strict=True))


def worker_settings(function: Function, settings: Settings, request_id: str) -> dict[str, Any]:
    """The first frame an instance reads: what to load, and what its context says."""
    python = settings.pythons[function.runtime] if settings.pythons else None
    return {
        "request_id": request_id,
        "name": function.name,
        "handler": function.handler,
        "initializer": function.initializer.handler if function.initializer else None,
        "memory": function.memory,
        "timeout": function.timeout,
        "account": settings.account,
        "region": function.region,
        "runtime": function.runtime,
        "log_project": function.log_project,
        "log_store": function.log_store,
        "code": str(function.code),
        "layer": "" if python else str(settings.layer),
        "python": str(python) if python else None,
        "headers": _request_headers(function, settings) if function.web else {},
    }


def _request_headers(function: Function, settings: Settings) -> dict[str, str]:
    """What a web function gets with each request ("Context and log format" page)."""
    keys = _credentials(function, settings)
    return {
        **{header: keys[name] for name, header in CREDENTIAL_HEADERS.items() if name in keys},
        "x-fc-function-name": function.name,
        "x-fc-function-handler": function.handler,
        "x-fc-function-memory": str(function.memory),
        "x-fc-region": function.region,
        "x-fc-account-id": settings.account,
        "x-fc-qualifier": "LATEST",
    }
