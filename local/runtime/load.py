"""From a rendered s.yaml to functions: the rules Function Compute checks when one is created."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.stack.render import DeclarationError, render
from local.runtime.declaration import (
    AsyncPolicy,
    Function,
    HttpTrigger,
    Initializer,
    OssTrigger,
    TimerTrigger,
)
from local.runtime.schedule import Schedule

RUNTIMES = ("python3.9", "python3.10", "python3.12")
RESERVED = re.compile(r"FC_.*|accessKeyID|accessKeySecret|securityToken|topic")
ENVIRONMENT_BYTES = 4096
METHODS = frozenset({"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"})


def load_functions(path: Path, environ: Mapping[str, str], account: str) -> list[Function]:
    """The functions s.yaml declares. Raises DeclarationError with every finding."""
    document = render(path, environ, {"AccountID": account})
    functions: list[Function] = []
    findings: list[str] = []
    for name, resource in document["resources"].items():
        if resource.get("component") != "fc3":
            continue
        try:
            functions.append(_function(name, resource.get("props") or {}, path.parent))
        except ValueError as error:
            findings.append(f"{path}: resources.{name}.props: {error}")
    findings += [f"{path}: {finding}" for finding in _across(functions)]
    if findings:
        raise DeclarationError("\n".join(findings))
    return functions


def _function(resource: str, props: dict[str, Any], folder: Path) -> Function:
    log = props.get("logConfig")
    log = log if isinstance(log, dict) else {}
    triggers = props.get("triggers") or []
    return Function(
        resource=resource,
        name=_required(props, "functionName"),
        region=_required(props, "region"),
        runtime=_one_of(_required(props, "runtime"), RUNTIMES),
        handler=_dotted(_required(props, "handler")),
        code=_code(_required(props, "code"), folder),
        environment=_environment(props.get("environmentVariables") or {}),
        timeout=_number(props, "timeout", 3, 1, 86400),
        memory=int(_number(props, "memorySize", 512, 128, 65536)),
        role=props.get("role"),
        log_project=log.get("project", ""),
        log_store=log.get("logstore", ""),
        initializer=_initializer(props),
        reserved_concurrency=_reserved(props),
        policy=_policy(props.get("asyncInvokeConfig") or {}),
        oss_triggers=tuple(_oss(t) for t in triggers if t.get("triggerType") == "oss"),
        timer_triggers=tuple(_timer(t) for t in triggers if _is_live_timer(t)),
        http_trigger=next((_http(t) for t in triggers if t.get("triggerType") == "http"), None),
    )


def _across(functions: list[Function]) -> list[str]:
    findings = []
    names = {function.name for function in functions}
    for function in functions:
        for destination in (function.policy.on_failure, function.policy.on_success):
            if destination and destination not in names:
                findings.append(
                    f"resources.{function.resource}: the destination function {destination!r} is "
                    f"not in this file; known: {', '.join(sorted(names))}"
                )
    if sum(function.http_trigger is not None for function in functions) > 1:
        findings.append("two functions have an http trigger; the laptop has one address, keep one")
    return findings


def _required(props: dict[str, Any], key: str) -> str:
    value = props.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: expected a text, found {value!r}")
    return value


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"runtime: {value!r} does not run here; expected {', '.join(allowed)}")
    return value


def _dotted(handler: str) -> str:
    if handler.count(".") != 1:
        raise ValueError(f"handler: expected FILE.FUNCTION such as index.handler, not {handler!r}")
    return handler


def _code(code: str, folder: Path) -> Path:
    path = (folder / code).resolve()
    if not path.is_dir():
        raise ValueError(f"code: {path} is not a folder; build it, or correct the path")
    return path


def _number(props: dict[str, Any], key: str, default: int, low: int, high: int) -> float:
    value = props.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{key}: expected a number from {low} to {high}, found {value!r}")
    return value


def _environment(variables: dict[str, Any]) -> dict[str, str]:
    for name, value in variables.items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or RESERVED.fullmatch(name):
            raise ValueError(f"environmentVariables: the name {name!r} is reserved or not allowed")
        if not isinstance(value, str):
            raise ValueError(f"environmentVariables.{name}: expected a text, quote the value")
    size = sum(len(name) + len(value.encode()) for name, value in variables.items())
    if size > ENVIRONMENT_BYTES:
        raise ValueError(f"environmentVariables: {size} bytes, at most {ENVIRONMENT_BYTES} allowed")
    return dict(variables)


def _initializer(props: dict[str, Any]) -> Initializer | None:
    hook = (props.get("instanceLifecycleConfig") or {}).get("initializer") or {}
    if not hook.get("handler"):
        return None
    return Initializer(_dotted(hook["handler"]), _number(hook, "timeout", 3, 1, 300))


def _reserved(props: dict[str, Any]) -> int | None:
    config = props.get("concurrencyConfig") or {}
    if "reservedConcurrency" not in config:
        return None
    return int(_number(config, "reservedConcurrency", 0, 0, 300))


def _policy(config: dict[str, Any]) -> AsyncPolicy:
    destinations = config.get("destinationConfig") or {}
    return AsyncPolicy(
        retries=int(_number(config, "maxAsyncRetryAttempts", 3, 0, 8)),
        max_age=_number(config, "maxAsyncEventAgeInSeconds", 86400, 1, 604800),
        on_success=_destination(destinations.get("onSuccess")),
        on_failure=_destination(destinations.get("onFailure")),
    )


def _destination(declared: dict[str, Any] | None) -> str | None:
    arn = (declared or {}).get("destination")
    if not arn:
        return None
    match = re.fullmatch(r"acs:fc:[^:]*:[^:]*:functions/([A-Za-z_][A-Za-z0-9_-]*)", arn)
    if match is None:
        raise ValueError(
            f"asyncInvokeConfig: the destination {arn!r} does not exist on a laptop; "
            "expected acs:fc:REGION::functions/NAME"
        )
    return match[1]


def _oss(trigger: dict[str, Any]) -> OssTrigger:
    name = trigger.get("triggerName", "?")
    config = trigger.get("triggerConfig") or {}
    key = (config.get("filter") or {}).get("key") or {}
    if not config.get("events") or "prefix" not in key or "suffix" not in key:
        raise ValueError(f"trigger {name}: expected events, filter.key.prefix, filter.key.suffix")
    arn = trigger.get("sourceArn")
    bucket = arn.rsplit(":", 1)[1] if arn else None
    role = trigger.get("invocationRole")
    return OssTrigger(name, tuple(config["events"]), key["prefix"], key["suffix"], bucket, role)


def _is_live_timer(trigger: dict[str, Any]) -> bool:
    return (
        trigger.get("triggerType") == "timer"
        and (trigger.get("triggerConfig") or {}).get("enable") is True
    )


def _timer(trigger: dict[str, Any]) -> TimerTrigger:
    name = trigger.get("triggerName", "?")
    config = trigger["triggerConfig"]
    try:
        schedule = Schedule.parse(str(config.get("cronExpression", "")))
    except ValueError as error:
        raise ValueError(f"trigger {name}: {error}") from None
    return TimerTrigger(name, schedule, str(config.get("payload", "")))


def _http(trigger: dict[str, Any]) -> HttpTrigger:
    name = trigger.get("triggerName", "?")
    config = trigger.get("triggerConfig") or {}
    methods = tuple(config.get("methods") or ())
    if not methods or not METHODS.issuperset(methods):
        raise ValueError(f"trigger {name}: methods: expected some of {', '.join(sorted(METHODS))}")
    if config.get("authType") != "anonymous":
        raise ValueError(
            f"trigger {name}: authType: the laptop runtime checks no signatures; expected anonymous"
        )
    return HttpTrigger(name, methods)
