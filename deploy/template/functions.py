"""The functions of s.yaml as resources of template.yml.

s.yaml is rendered with a mark for everything that is open until it is deployed; where a mark is
left, the template gets the expression that settings.yaml has for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.stack.render import render
from deploy.template.generated import TemplateError
from deploy.template.yaml_text import yaml_lines

SETTINGS = Path(__file__).with_name("settings.yaml")
READS = re.compile(r"\$\{env\('(\w+)'")
MARK = re.compile(r"«(\w+)»")
BESIDE = {
    "asyncInvokeConfig": ("AsyncInvokeConfig", "Async"),
    "concurrencyConfig": ("ConcurrencyConfig", "Concurrency"),
    "provisionConfig": ("ProvisionConfig", "Provision"),
}
"""Props that are resources of their own: the type, and what its name ends with."""
VERBATIM = ("environmentVariables", "triggerConfig")
"""Their keys are not ROS's and stay as they are."""
FIRST = ("functionName", "description")
"""What people look for first in a resource."""
NAMED_BY = {
    "ALIYUN::RAM::Role": ("RoleName", "Arn"),
    "ALIYUN::SLS::Project": ("Name", "Name"),
    "ALIYUN::SLS::Logstore": ("LogstoreName", "LogstoreName"),
}
"""The property that names a resource people wrote, and the attribute functions take of it."""


def function_lines(serverless: Path, template: str) -> list[str]:
    """The resources as lines of YAML, given the template with the resources people wrote.

    Raises DeclarationError, and TemplateError where the template cannot say what s.yaml says.
    """
    table = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    _all_known(serverless.read_text(encoding="utf-8"), table)
    marks = {name: f"«{name}»" for name in [*table["settings"], *table["elsewhere"]]}
    account, name = "«account»", "«name»"
    rendered = render(serverless, marks, {"AccountID": account}, {"name": name})
    generator = _Generator(table, yaml.safe_load(template)["Resources"])
    try:
        made = dict(generator.resources(rendered["resources"]))
    except KeyError as error:
        raise TemplateError(
            f"s.yaml: {error.args[0]} is missing, or is a setting without an expression in"
            " deploy/template/settings.yaml; make check-deploy says more about s.yaml"
        ) from None
    text = "\n".join(yaml_lines(made))
    spaced = re.sub(r"^(?=\w+Function:$)", "\n", text, flags=re.MULTILINE)
    return ["# Made from s.yaml: make template", *spaced.splitlines()]


def _all_known(text: str, table: Mapping[str, Any]) -> None:
    known = {*table["settings"], *table["elsewhere"]}
    for name in sorted(known ^ set(READS.findall(text))):
        what = "no longer reads" if name in known else "reads"
        raise TemplateError(
            f"s.yaml {what} {name}: correct deploy/template/settings.yaml, which has the expression"
            " of template.yml for each setting"
        )


class _Generator:
    """Makes the resources of all functions, one after the other."""

    def __init__(self, table: Mapping[str, Any], written: Mapping[str, Any]) -> None:
        self._settings = {**table["settings"], "account": table["account"], "name": table["name"]}
        self._bucket = table["bucket"]
        self._trigger_names = table["triggers"]
        self._named = dict(_named(written))
        self._last_oss_trigger = ""

    def resources(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Name and resource, for the functions among the resources of a rendered s.yaml."""
        functions = {
            key: one["props"] for key, one in declared.items() if one["component"] == "fc3"
        }
        logical = {one["functionName"]: f"{pascal(key)}Function" for key, one in functions.items()}
        for key, props in functions.items():
            owner = {
                "FunctionName": {"Fn::GetAtt": [logical[props["functionName"]], "FunctionName"]}
            }
            yield logical[props["functionName"]], self._function(props)
            for prop, (kind, suffix) in BESIDE.items():
                if prop in props:
                    after = [
                        logical[name] for name in _destinations(props[prop]) if name in logical
                    ]
                    own = {**owner, **self._pascal(props[prop])}
                    yield f"{pascal(key)}{suffix}", _resource(kind, own, *after)
            for trigger in props.get("triggers", []):
                yield self._trigger(trigger, owner)

    def _function(self, props: Mapping[str, Any]) -> dict[str, Any]:
        ordered = {**{key: props[key] for key in FIRST if key in props}, **props}
        special: Mapping[str, Callable[[Any], Any]] = {
            "code": _package,
            "role": self._role,
            "logConfig": self._log,
        }
        return _resource(
            "Function",
            {
                first_upper(key): special[key](value)
                if key in special
                else self._property(key, value)
                for key, value in ordered.items()
                if key not in {"region", "triggers", *BESIDE}
            },
        )

    def _role(self, arn: str) -> Any:
        return self._attribute("ALIYUN::RAM::Role", arn.rpartition("/")[2])

    def _log(self, log: Mapping[str, Any]) -> dict[str, Any]:
        project = self._attribute("ALIYUN::SLS::Project", log["project"])
        store = self._attribute("ALIYUN::SLS::Logstore", log["logstore"])
        return {**self._pascal(log), "Project": project, "Logstore": store}

    def _trigger(self, trigger: Mapping[str, Any], owner: Mapping[str, Any]) -> tuple[str, Any]:
        name = self._trigger_names.get(trigger["triggerName"]) or pascal(trigger["triggerName"])
        made = {**owner, **self._pascal(trigger)}
        if trigger["triggerType"] != "oss":
            return name, _resource("Trigger", made)
        made["InvocationRole"] = self._role(trigger["invocationRole"])
        arn = trigger["sourceArn"].replace("«OSS_BUCKET»", "${Source}")
        made["SourceArn"] = {"Fn::Sub": [self._sub(arn), {"Source": self._bucket}]}
        # One after the other: each writes the bucket's notification rules, and whether they could
        # be made at once is not documented.
        after, self._last_oss_trigger = self._last_oss_trigger, name
        return name, _resource("Trigger", made, *([after] if after else []))

    def _pascal(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {first_upper(key): self._property(key, value) for key, value in node.items()}
        return [self._pascal(one) for one in node] if isinstance(node, list) else self._value(node)

    def _property(self, key: str, value: Any) -> Any:
        return self._value(value) if key in VERBATIM else self._pascal(value)

    def _value(self, node: Any) -> Any:
        """The node with the expressions of its marks; its keys stay."""
        if isinstance(node, dict):
            return {key: self._value(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._value(one) for one in node]
        if not isinstance(node, str) or not MARK.search(node):
            return node
        whole = MARK.fullmatch(node)
        return self._settings[whole[1]] if whole else {"Fn::Sub": self._sub(node)}

    def _sub(self, text: str) -> str:
        return MARK.sub(lambda mark: f"${{{self._parameter(mark[1])}}}", text)

    def _parameter(self, setting: str) -> str:
        expression = self._settings[setting]
        if list(expression) != ["Ref"]:
            raise TemplateError(
                f"s.yaml has {setting} within a text, but settings.yaml has more than a parameter"
                " for it; give it a value of its own, or a parameter"
            )
        return str(expression["Ref"])

    def _attribute(self, kind: str, name: str) -> Any:
        """The attribute of the resource of this type and name, so that a function waits for it."""
        expression = self._value(name)
        found = self._named.get((kind, json.dumps(expression)))
        if found is None:
            raise TemplateError(
                f"s.yaml names {name!r}, but template.yml makes no {kind} of that name"
                f" ({json.dumps(expression)}); add it, or correct s.yaml"
            )
        return found


def pascal(name: str) -> str:
    """`every-minute` as the template names a resource: EveryMinute."""
    return "".join(first_upper(part) for part in name.split("-"))


def first_upper(key: str) -> str:
    """`memorySize` as ROS writes it: MemorySize."""
    return key[:1].upper() + key[1:]


def _package(folder: str) -> dict[str, Any]:
    """The zip of a folder that s.yaml names, where `make publish` puts it."""
    key = f"${{CodePrefix}}{folder.rpartition('/')[2]}.zip"
    return {"OssBucketName": {"Ref": "CodeBucket"}, "OssObjectName": {"Fn::Sub": key}}


def _resource(kind: str, properties: Mapping[str, Any], *after: str) -> dict[str, Any]:
    depends = {"DependsOn": after[0] if len(after) == 1 else list(after)} if after else {}
    kind = f"ALIYUN::FC3::{kind}"
    return {"Type": kind, "Condition": "Deploy", **depends, "Properties": dict(properties)}


def _named(written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for logical, resource in written.items():
        if resource["Type"] in NAMED_BY:
            naming, attribute = NAMED_BY[resource["Type"]]
            name = json.dumps(resource["Properties"][naming])
            yield (resource["Type"], name), {"Fn::GetAtt": [logical, attribute]}


def _destinations(config: Mapping[str, Any]) -> list[str]:
    """The functions that receive the outcome of a function's events."""
    targets = config.get("destinationConfig", {}).values()
    return sorted({one["destination"].rpartition("/")[2] for one in targets})
