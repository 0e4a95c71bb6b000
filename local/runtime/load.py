"""From s.yaml to the functions the runtime runs: what the cloud takes, and what a laptop can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.stack.declared import DeclaredFunction, DeclaredStack, DeclaredTrigger, declared_stack
from deploy.stack.findings import Finding
from deploy.stack.render import DeclarationError, render
from deploy.stack.rules import FUNCTION_ARN, stack_findings
from local.runtime.declaration import (
    AsyncPolicy,
    Function,
    HttpTrigger,
    Initializer,
    OssTrigger,
    TimerTrigger,
    WebServer,
)
from local.runtime.schedule import Schedule

SOURCE = "the laptop's runtime"


def load_functions(path: Path, environ: Mapping[str, str], account: str) -> list[Function]:
    """The functions s.yaml declares. Raises DeclarationError with every finding."""
    document = render(path, environ, {"AccountID": account})
    stack = declared_stack(document)
    findings = stack_findings(stack) or list(_cannot_run(stack, path.parent))
    if findings:
        raise DeclarationError("\n".join(f"{path}: {finding}" for finding in findings))
    return [_function(function, path.parent) for function in stack.functions]


def _cannot_run(stack: DeclaredStack, folder: Path) -> Iterator[Finding]:
    """What the cloud takes and a laptop does not."""
    for function in stack.functions:
        yield from _lacks(function, folder)
        yield from _cannot_serve(function)
    for trigger in stack.triggers:
        try:
            _timers(trigger)
        except ValueError as error:
            yield _finding(trigger.where, str(error), "a time that comes")
    serving = [one for one in stack.triggers if one.type == "http"]
    for trigger in serving[1:]:
        yield _finding(trigger.where, "a second http trigger", "one: the laptop has one address")
    for trigger in serving:
        if trigger.config["authType"] != "anonymous":
            where = f"{trigger.where}.triggerConfig.authType"
            yield _finding(
                where, "calls that are signed", "anonymous: no signature is checked here"
            )


def _lacks(function: DeclaredFunction, folder: Path) -> Iterator[Finding]:
    code = _code(function, folder)
    if not code.is_dir():
        yield _finding(f"{function.where}.code", f"no folder {code}", "the built code")
    for kind, arn in function.destinations.items():
        if not FUNCTION_ARN.fullmatch(arn):
            where = f"{function.where}.asyncInvokeConfig.destinationConfig.{kind}"
            yield _finding(where, f"found {arn!r}", "acs:fc:REGION::functions/NAME")


def _cannot_serve(function: DeclaredFunction) -> Iterator[Finding]:
    server = function.table("customRuntimeConfig")
    command = server.get("command", ["python3"])
    if server and command[0] != "python3":
        where = f"{function.where}.customRuntimeConfig.command"
        yield _finding(where, f"found {command[0]!r}", "python3, for which a Python here stands")
    if not server and any(one.type == "http" for one in function.triggers):
        where = f"{function.where}.runtime"
        yield _finding(
            where, "HTTP events for a handler", "a custom runtime behind an http trigger"
        )


def _finding(where: str, found: str, expected: str) -> Finding:
    advice = "Change it, or run this in the cloud."
    return Finding("not-on-a-laptop", where, found, expected, advice, SOURCE)


def _function(function: DeclaredFunction, folder: Path) -> Function:
    props, log = function.props, function.table("logConfig")
    triggers = function.triggers
    return Function(
        resource=function.resource,
        name=function.name,
        region=function.region,
        runtime=props["runtime"],
        handler=props["handler"],
        code=_code(function, folder),
        environment=function.environment,
        timeout=props.get("timeout", 3),
        memory=props.get("memorySize", 512),
        role=props.get("role"),
        log_project=log.get("project", ""),
        log_store=log.get("logstore", ""),
        initializer=_initializer(function.table("instanceLifecycleConfig")),
        reserved_concurrency=function.table("concurrencyConfig").get("reservedConcurrency"),
        policy=_policy(function),
        oss_triggers=tuple(_oss(one) for one in triggers if one.type == "oss"),
        timer_triggers=tuple(timer for one in triggers for timer in _timers(one)),
        http_trigger=next((_http(one) for one in triggers if one.type == "http"), None),
        web=_web(function),
    )


def _web(function: DeclaredFunction) -> WebServer | None:
    server = function.table("customRuntimeConfig")
    words = tuple(server.get("command", ())) + tuple(server.get("args", ()))
    return WebServer(words, function.props.get("instanceConcurrency", 1)) if server else None


def _code(function: DeclaredFunction, folder: Path) -> Path:
    return (folder / str(function.props["code"])).resolve()


def _initializer(hooks: Mapping[str, Any]) -> Initializer | None:
    hook = hooks.get("initializer", {})
    return Initializer(hook["handler"], hook.get("timeout", 3)) if hook.get("handler") else None


def _policy(function: DeclaredFunction) -> AsyncPolicy:
    named = {kind: arn.rpartition("/")[2] for kind, arn in function.destinations.items()}
    return AsyncPolicy(
        retries=function.policy.get("maxAsyncRetryAttempts", 3),
        max_age=function.policy.get("maxAsyncEventAgeInSeconds", 86400),
        on_success=named.get("onSuccess"),
        on_failure=named.get("onFailure"),
    )


def _oss(trigger: DeclaredTrigger) -> OssTrigger:
    bucket = trigger.source_arn.rpartition(":")[2] or None
    return OssTrigger(
        trigger.name, trigger.events, trigger.prefix, trigger.suffix, bucket, trigger.role or None
    )


def _timers(trigger: DeclaredTrigger) -> list[TimerTrigger]:
    """The trigger, if it is a timer that is switched on. Raises ValueError if it never fires."""
    if trigger.type != "timer" or not trigger.config["enable"]:
        return []
    schedule = Schedule.parse(trigger.config["cronExpression"])
    return [TimerTrigger(trigger.name, schedule, trigger.config.get("payload", ""))]


def _http(trigger: DeclaredTrigger) -> HttpTrigger:
    return HttpTrigger(trigger.name, tuple(trigger.config["methods"]))
