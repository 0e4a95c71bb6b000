"""What `local.up` works out before it starts anything: keys, ports, endpoints, environments."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORT = 9480
"""OSS; Model Studio and the runtime take the two ports after it."""
LAST_PORT = 65535
SERVERS = ("oss", "modelstudio", "runtime")
ENDPOINTS = {
    "oss": "OSS_ENDPOINT",
    "modelstudio": "DASHSCOPE_HTTP_BASE_URL",
    "runtime": "API_URL",
}
KEYS_OF = {
    "oss": ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"),
    "modelstudio": ("DASHSCOPE_API_KEY",),
    "runtime": ("API_TOKEN",),
}

WEBHOOKS = ("WEBHOOK_KEY", "WEBHOOK_HOSTS", "WEBHOOKS")
"""Settings that the command line needs as well: on the bucket it notifies receivers itself."""


class UpError(Exception):
    """The laptop cloud cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What will run where. `ports` holds the servers that are started; the rest is in use as is."""

    ports: dict[str, int]
    env: dict[str, str]
    """The lines of the env file: endpoints, bucket and keys."""


def make_plan(data: Path, first_port: int, environ: Mapping[str, str]) -> Plan:
    """Raises UpError when an endpoint is given in the environment but its keys are not."""
    own = [server for server in SERVERS if not environ.get(ENDPOINTS[server])]
    ports = dict(zip(own, _ports(own, first_port), strict=True))
    made = _keys(data / "keys.json")
    env = {
        "OSS_BUCKET": environ.get("OSS_BUCKET") or "wanx-local",
        "OSS_REGION": environ.get("OSS_REGION") or "cn-beijing",
    }
    if environ.get("RESULTS_BUCKET"):
        env["RESULTS_BUCKET"] = environ["RESULTS_BUCKET"]
    for server in SERVERS:
        env[ENDPOINTS[server]] = _endpoint(server, ports, environ)
        env.update(_chosen_keys(server, server in ports, made, environ))
    if "runtime" in ports:
        env["INVOKE_ENDPOINT"] = env["API_URL"]
    if "oss" not in ports and environ.get("OSS_SESSION_TOKEN"):
        env["OSS_SESSION_TOKEN"] = environ["OSS_SESSION_TOKEN"]
    env |= {name: environ[name] for name in WEBHOOKS if environ.get(name)}
    return Plan(ports, dict(sorted(env.items())))


def env_line(name: str, value: str) -> str:
    """A line of the env file: for a shell, and for `wanx`, which knows no quotes within quotes."""
    value = " ".join(value.splitlines())
    if name == "WEBHOOKS":
        value = value.replace("'", "\\u0027")
    return f"{name}={shlex.quote(value)}\n"


def server_environment(
    server: str, plan: Plan, environ: Mapping[str, str], code: Path | None = None
) -> dict[str, str]:
    """The environment of one server; the runtime's holds what s.yaml asks for as well.

    `code` holds a folder for each function; None stands for functions/.
    """
    # The user's temporary token belongs to the user's keys, not to those made here; and the key of
    # the model service is in the plan, so that it is not to be fetched from KMS.
    dropped = {"DASHSCOPE_API_KEY_SECRET"}
    if "oss" in plan.ports:
        dropped.add("OSS_SESSION_TOKEN")
    common = {name: value for name, value in environ.items() if name not in dropped} | plan.env
    if server != "runtime":
        return common
    public = environ.get("OSS_PUBLIC_ENDPOINT") if "oss" not in plan.ports else None
    return {
        **common,
        "OSS_PUBLIC_ENDPOINT": public or plan.env["OSS_ENDPOINT"],
        "API_TOKEN_SHA256": hashlib.sha256(plan.env["API_TOKEN"].encode()).hexdigest(),
        "WANX_CODE": str(code or ROOT / "functions"),
    }


def packaged_pythons(packages: Path, environ: Mapping[str, str]) -> dict[str, Path]:
    """The Python of each runtime that the packages are built for.

    Raises UpError, saying what to do, if one is not here.
    """
    # Here, as only the laptop cloud that runs packages needs them.
    from deploy.packaging.interpreters import find_interpreter, how_to_get
    from deploy.packaging.settings import PackageError
    from deploy.packaging.stamp import read_stamp

    pythons: dict[str, Path] = {}
    for function in ("submit", "api"):
        try:
            stamp = read_stamp(packages / function)
            python = str(stamp.get("python") or stamp["runtime"])
            found = find_interpreter(python, environ)
        except PackageError as error:
            raise UpError(str(error)) from None
        if found is None:
            raise UpError(
                f"the packages in {packages} need {python}, which is not here: {how_to_get(python)}"
            )
        pythons[str(stamp["runtime"])] = found.path
    return pythons


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for its owner's eyes alone (mode 600)."""
    aside = path.with_name(f"{path.name}.part")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(path)


def _endpoint(server: str, ports: Mapping[str, int], environ: Mapping[str, str]) -> str:
    if server not in ports:
        return environ[ENDPOINTS[server]].rstrip("/")
    path = "/api/v1" if server == "modelstudio" else ""
    return f"http://127.0.0.1:{ports[server]}{path}"


def _chosen_keys(
    server: str, is_own: bool, made: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Our own server gets keys we made, never the user's; a foreign one needs the user's."""
    names = KEYS_OF[server]
    if is_own:
        return {name: made[name] for name in names}
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise UpError(
            f"{ENDPOINTS[server]} is set, so {server} is not started but used where it is; "
            f"then the environment must hold {', '.join(missing)} too. Set it, or unset "
            f"{ENDPOINTS[server]} to start our own."
        )
    return {name: environ[name] for name in names}


def _keys(path: Path) -> dict[str, str]:
    """Made at the first start, the same ever after."""
    if not path.exists():
        write_private(path, json.dumps(_new_keys(), indent=2) + "\n")
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(keys[name]) for names in KEYS_OF.values() for name in names}
    except (ValueError, KeyError, TypeError):
        raise UpError(
            f"{path} is damaged; delete it, new keys are made at the next start"
        ) from None


def _new_keys() -> dict[str, str]:
    return {
        "OSS_ACCESS_KEY_ID": f"LAPTOP{secrets.token_hex(9).upper()}",
        "OSS_ACCESS_KEY_SECRET": secrets.token_hex(20),
        "DASHSCOPE_API_KEY": f"sk-{secrets.token_hex(16)}",
        "API_TOKEN": secrets.token_hex(24),
    }


def _ports(servers: list[str], first: int) -> list[int]:
    """A port for each: its fixed one, or any free one where `first` is 0. Raises UpError."""
    last_first = LAST_PORT + 1 - len(SERVERS)
    if not 0 <= first <= last_first:
        raise UpError(
            f"{first} is no first port of three: use one from 1 to {last_first}, for example"
            " make up PORT=9580 (./wanx up --ports 9580; 0 takes any free ones)"
        )
    held: list[socket.socket] = []
    try:
        for server in servers:
            held.append(_bind(server, first + SERVERS.index(server) if first else 0))
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()


def _bind(server: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise UpError(
            f"port {port}, where {server} would listen, cannot be used on 127.0.0.1 ({error});"
            " stop what uses it, or name the first of three free ports:"
            " make up PORT=9580 (./wanx up --ports 9580; 0 takes any free ones)"
        ) from None
    return listener
