"""Triggers, each by its type: the shape of its configuration and what no model of the API holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deploy.checks.fc_limits import rule
from deploy.checks.fc_models import component, models
from deploy.checks.fc_shape import Shape
from deploy.stack.cron import FORM, cron_problem
from deploy.stack.declared import DeclaredFunction, DeclaredTrigger
from deploy.stack.findings import Finding

TOKEN_SETTINGS = ("API_TOKEN_SHA256", "API_TOKENS")


def config_findings(trigger_type: str, config: Any, where: str) -> Iterator[Finding]:
    """A `triggerConfig` with the API's keys against the model of its type. An unknown type has
    no model; that is told where the type stands. Raises ToolsMissing."""
    model = component()["trigger_types"].get(trigger_type)
    if model:
        yield from Shape(models()).findings(config, model, where)
    if not isinstance(config, dict):
        return
    if trigger_type == "timer":
        yield from _timer(config, where)
    elif trigger_type == "http":
        yield from _http(config, where)
    elif trigger_type == "eventbridge":
        yield from _pattern(config, where)


def function_trigger_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """The triggers of one function: unique names, guarded HTTP endpoints."""
    seen: set[str] = set()
    for trigger in function.triggers:
        if trigger.name in seen:
            yield Finding(
                "duplicate-trigger",
                f"{trigger.where}.triggerName",
                f"{trigger.name!r} a second time",
                "names that are unique within the function",
                "Rename one: the second would replace the first.",
                "CreateTriggerInput, triggerName",
            )
        seen.add(trigger.name)
        yield from _guarded(function, trigger)


def _guarded(function: DeclaredFunction, trigger: DeclaredTrigger) -> Iterator[Finding]:
    if trigger.type != "http" or trigger.config.get("authType") != "anonymous":
        return
    declared = function.table("environmentVariables")
    if not any(name in declared for name in TOKEN_SETTINGS):
        yield Finding(
            "http-open",
            f"{trigger.where}.triggerConfig.authType",
            "anonymous, on a function that checks no tokens of its own",
            "function, or one of the settings " + " and ".join(TOKEN_SETTINGS),
            "Anybody could call it: use authType function.",
            "HTTPTriggerConfig",
        )


def _timer(config: dict[str, Any], where: str) -> Iterator[Finding]:
    expression = config.get("cronExpression")
    problem = cron_problem(expression) if isinstance(expression, str) else None
    if problem:
        yield Finding(
            "cron",
            f"{where}.cronExpression",
            f"{expression!r}: {problem}",
            FORM,
            "Mend the expression; it is read in UTC unless CRON_TZ= precedes it.",
            rule("timer").source,
        )


def _http(config: dict[str, Any], where: str) -> Iterator[Finding]:
    if config.get("methods") == []:
        yield Finding(
            "http-methods",
            f"{where}.methods",
            "no methods",
            "at least one",
            "Name the methods the function serves.",
            "HTTPTriggerConfig",
        )
    if config.get("authType") == "jwt" and not isinstance(config.get("authConfig"), dict):
        yield Finding(
            "http-jwt",
            where,
            "authType jwt without authConfig",
            "authConfig with jwks and tokenLookup",
            "Add the keys the tokens are signed with.",
            'Function Compute "HTTP triggers" page',
        )


def _pattern(config: dict[str, Any], where: str) -> Iterator[Finding]:
    text = config.get("eventRuleFilterPattern")
    if not isinstance(text, str) or _is_json_object(text):
        return
    yield Finding(
        "event-pattern",
        f"{where}.eventRuleFilterPattern",
        "a text that is not a JSON object",
        'a pattern such as {"source": ["acs.oss"]}',
        "Write the pattern as JSON.",
        'EventBridge "Event patterns" page',
    )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
