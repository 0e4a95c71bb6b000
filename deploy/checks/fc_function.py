"""What one function's properties must fulfil together."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.checks.fc_limits import rule
from deploy.stack.declared import DeclaredFunction
from deploy.stack.findings import Finding


def function_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """Sizes, role, logs, network and hooks of one function."""
    yield from _ratio(function)
    yield from _disk(function)
    yield from _role(function)
    yield from _logs(function)
    yield from _network(function)
    yield from _hooks(function)
    yield from _tags(function)


def _ratio(function: DeclaredFunction) -> Iterator[Finding]:
    cpu, memory = function.number("cpu"), function.number("memorySize")
    if cpu is None or not memory:
        return
    limit = rule("cpu_to_memory")
    gigabytes = memory / 1024
    if not limit["min"] <= cpu / gigabytes <= limit["max"]:
        low, high = gigabytes * limit["min"], gigabytes * limit["max"]
        yield Finding(
            "cpu-memory-ratio",
            f"{function.where}.cpu",
            f"{cpu} vCPU with {memory:g} MB",
            f"cpu : memory in GB between 1:4 and 1:1, so {low:g} to {high:g} vCPU",
            "Change cpu or memorySize.",
            limit.source,
        )


def _disk(function: DeclaredFunction) -> Iterator[Finding]:
    if ("cpu" in function.props) != ("diskSize" in function.props):
        there, missing = ("cpu", "diskSize") if "cpu" in function.props else ("diskSize", "cpu")
        yield Finding(
            "cpu-and-disk",
            function.where,
            f"{there} without {missing}",
            "cpu and diskSize, both or neither",
            f"Add {missing}.",
            'Serverless Devs "fc3" page',
        )


def _role(function: DeclaredFunction) -> Iterator[Finding]:
    if "role" not in function.props:
        yield Finding(
            "role-missing",
            function.where,
            "no role",
            "the ARN of the function's own role",
            "Add role: without it the function has no credentials for the bucket.",
            "CreateFunctionInput, role",
        )


def _logs(function: DeclaredFunction) -> Iterator[Finding]:
    if not isinstance(function.props.get("logConfig"), dict):
        yield Finding(
            "log-missing",
            function.where,
            "no logConfig",
            "logConfig with project and logstore",
            "Add it: without logs an event function fails silently.",
            rule("logs").source,
        )


def _network(function: DeclaredFunction) -> Iterator[Finding]:
    if function.props.get("internetAccess") is False:
        yield Finding(
            "no-internet",
            f"{function.where}.internetAccess",
            "found false",
            "true",
            "Model Studio and its result hosts are reached through the Internet.",
            "CreateFunctionInput, internetAccess",
        )


def _hooks(function: DeclaredFunction) -> Iterator[Finding]:
    limit = rule("pre_stop_timeout")
    for name, hook in function.table("instanceLifecycleConfig").items():
        where = f"{function.where}.instanceLifecycleConfig.{name}"
        if not isinstance(hook, dict):
            continue
        if "handler" in hook and "command" in hook:
            yield Finding(
                "hook", where, "handler and command", "one of them", "Remove one.", "LifecycleHook"
            )
        timeout = hook.get("timeout")
        if name == "preStop" and isinstance(timeout, int) and timeout > limit["max"]:
            yield Finding(
                "hook",
                f"{where}.timeout",
                f"found {timeout}",
                f"at most {limit['max']} for preStop",
                "Shorten it.",
                limit.source,
            )


def _tags(function: DeclaredFunction) -> Iterator[Finding]:
    tags = function.props.get("tags")
    keys = [tag.get("key") for tag in tags or [] if isinstance(tag, dict)]
    for key in sorted({str(key) for key in keys if keys.count(key) > 1}):
        yield Finding(
            "duplicate-tag",
            f"{function.where}.tags",
            f"the key {key!r} twice",
            "each key once",
            "Remove one.",
            "ALIYUN::FC3::Function, Tags",
        )
