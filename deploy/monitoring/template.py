"""The index, the dashboard and the alarms as parts of template.yml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.monitoring.declared import Alarm, Chart, Lines, Monitoring
from deploy.template.yaml_text import yaml_lines

MADE = "# Made from deploy/logs.yaml and deploy/alarms.yaml: make template"
SWITCH, SAFETY_NET = "Watched", "SafetyNet"
"""Conditions of template.yml."""
SEVERITIES = {"report": 2, "low": 4, "medium": 6, "high": 8, "critical": 10}
"""ROS "ALIYUN::SLS::Alert" page."""
WIDTH = HEIGHT = 5
"""Of a chart in the dashboard's grid, which is two of them wide."""


def blocks(declared: Monitoring) -> dict[str, list[str]]:
    """The lines of each block by the block's name."""
    resources = dict(_resources(declared))
    return {
        "monitoring index": [MADE, *yaml_lines(_index(declared.lines))],
        "monitoring alarms": [MADE, *yaml_lines(resources)],
    }


def _index(lines: Lines) -> list[dict[str, Any]]:
    return [
        {"Name": field.name, "Type": field.type, "EnableAnalytics": True}
        for field in lines.fields.values()
        if field.indexed
    ]


def _resources(declared: Monitoring) -> Iterator[tuple[str, dict[str, Any]]]:
    charts = [_chart(number, chart) for number, chart in enumerate(declared.charts)]
    yield "Dashboard", _resource("Dashboard", {**declared.dashboard, "Charts": charts})
    for alarm in declared.alarms:
        name = alarm.title.title().replace(" ", "")
        detail = _detail(alarm, declared)
        rule = {"Project": declared.rule["project"], "Detail": detail}
        yield f"{name}Alarm", _resource("Alert", rule)


def _resource(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": f"ALIYUN::SLS::{kind}",
        "Condition": SWITCH,
        "DependsOn": "LogIndex",  # a query without it fails
        "Properties": properties,
    }


def _chart(number: int, chart: Chart) -> dict[str, Any]:
    """A chart as the "CreateDashboard" page has it; its times are in seconds before now."""
    row, column = divmod(number, 2)
    return {
        "title": f"chart-{number + 1:02}",
        "type": chart.type,
        "action": {},
        "search": {
            "logstore": {"Fn::GetAtt": ["LogStore", "LogstoreName"]},
            "topic": "",
            "query": chart.text,
            "start": f"-{chart.days * 86400}s",
            "end": "now",
        },
        "display": {
            "displayName": chart.name,
            "xAxis": [*chart.x],
            "yAxis": [*chart.y],
            "xPos": column * WIDTH,
            "yPos": row * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
        },
    }


def _detail(alarm: Alarm, declared: Monitoring) -> dict[str, Any]:
    rule, severity = declared.rule, SEVERITIES[alarm.severity]
    said = f"{alarm.why}. What to do: {alarm.do}.".replace("`", "")
    return {
        "Name": alarm.name,
        "DisplayName": {"Fn::Sub": f"${{Name}}: {alarm.title}"},
        **rule["detail"],
        "Configuration": {
            **rule["configuration"],
            "QueryList": [{**rule["query"], "Query": alarm.text, "Start": _start(alarm)}],
            "SeverityConfigurations": [
                {
                    "Severity": severity,
                    "EvalCondition": {"Condition": alarm.fires, "CountCondition": ""},
                }
            ],
            **_no_data(alarm, severity),
            "Annotations": [
                {"Key": "title", "Value": alarm.title},
                {"Key": "desc", "Value": said},
            ],
        },
    }


def _start(alarm: Alarm) -> Any:
    start = f"-{alarm.minutes}m"
    if not alarm.minutes_with_safety_net:
        return start
    return {"Fn::If": [SAFETY_NET, f"-{alarm.minutes_with_safety_net}m", start]}


def _no_data(alarm: Alarm, severity: int) -> dict[str, Any]:
    """An answer without a row is below any number, and above none."""
    silence = " < " in alarm.fires
    return {"NoDataFire": silence, **({"NoDataSeverity": severity} if silence else {})}
