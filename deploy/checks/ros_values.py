"""A template worked out for given parameters, as far as that is known before anything is made.

What cannot be worked out is a finding: a name that is not there, a resource that these parameters
do not make, a function of another form. Forms: ROS "Functions" and "Conditions" pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from deploy.stack.findings import Finding, listed, shown
from deploy.stack.schema import Unknown

Node: TypeAlias = Any
"""A node of a template: a mapping, a list or a scalar."""
PLACEHOLDER = re.compile(r"\$\{(!?)([^{}]*)\}")
PSEUDO: Mapping[str, str] = {
    "ALIYUN::Region": "cn-beijing",
    "ALIYUN::TenantId": "1234567890123456",
    "ALIYUN::AccountId": "1234567890123456",
    "ALIYUN::StackName": "wanx",
    "ALIYUN::StackId": "00000000-0000-0000-0000-000000000000",
}
"""Where and by whom a template is worked out when it is checked."""
NO_VALUE = "ALIYUN::NoValue"
PROPERTIES = {("ALIYUN::OSS::Bucket", "Name"): "BucketName"}
"""Attributes that are a property of another name."""
PAGE = 'ROS "Functions" page'


class Absent:
    """Ref of ALIYUN::NoValue: the property is left out."""


ABSENT = Absent()


class Malformed(ValueError):
    """A function that does not have the form it must have."""


class Resolver:
    """Works a template out for given parameters. `attributes` are those of each resource type."""

    def __init__(
        self,
        template: Mapping[str, Any],
        values: Mapping[str, Node],
        attributes: Mapping[str, frozenset[str]],
    ) -> None:
        declared = template.get("Parameters") or {}
        defaults = {name: one.get("Default", "") for name, one in declared.items()}
        self.findings: list[Finding] = []
        self._template = template
        self._values = {**PSEUDO, **defaults, **values}
        self._attributes = attributes
        self._functions: Mapping[str, Callable[[Node, str], Node]] = {
            "Ref": self._ref,
            "Fn::If": self._if,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Str": lambda argument, where: text(self.value(argument, where)),
            "Fn::Add": self._add,
        }

    def made(self, section: str) -> dict[str, Node]:
        """The entries of `Resources` or `Outputs` that these parameters make, each worked out."""
        return {
            name: self.value(entry, f"{section}.{name}")
            for name, entry in (self._template.get(section) or {}).items()
            if self.holds(entry.get("Condition", True), f"{section}.{name}.Condition")
        }

    def value(self, node: Node, where: str) -> Node:
        """The node with every function replaced by its value."""
        if isinstance(node, dict):
            name, argument = next(iter(node.items())) if len(node) == 1 else ("", None)
            if name == "Ref" or str(name).startswith("Fn::"):
                return self._call(name, argument, where)
            worked = {key: self.value(one, f"{where}.{key}") for key, one in node.items()}
            return {key: one for key, one in worked.items() if one is not ABSENT}
        if isinstance(node, list):
            items = [self.value(one, f"{where}[{place}]") for place, one in enumerate(node)]
            return [one for one in items if one is not ABSENT]
        return node

    def holds(self, condition: Node, where: str) -> bool:
        """Whether a condition, by name or written out, holds for these parameters."""
        try:
            return self._holds(condition, where)
        except RecursionError:
            self._tell("ros.cycle", where, f"{shown(condition)} needs itself", "no circle")
        except (TypeError, ValueError, LookupError, AttributeError):
            expected = "Fn::Equals of two, Fn::And and Fn::Or of several, Fn::Not of one condition"
            self._tell("ros.condition", where, shown(condition), expected)
        return True

    def _holds(self, condition: Node, where: str) -> bool:
        if isinstance(condition, bool):
            return condition
        if isinstance(condition, str):
            known = self._template.get("Conditions") or {}
            if condition not in known:
                self._unknown(condition, known, "ros.condition", where)
                return True
            return self._holds(known[condition], f"Conditions.{condition}")
        ((name, argument),) = condition.items()
        if name == "Fn::Equals":
            left, right = (self.value(part, where) for part in argument)
            return bool(text(left) == text(right))
        if name == "Fn::Not":
            return not self._holds(argument, where)
        combined = {"Fn::And": all, "Fn::Or": any}[name]
        if not isinstance(argument, list) or len(argument) < 2:
            raise Malformed
        return combined([self._holds(part, where) for part in argument])

    def _call(self, name: str, argument: Node, where: str) -> Node:
        try:
            return self._functions[name](argument, where)
        except (TypeError, ValueError, LookupError, AttributeError):
            expected = f"one of {listed(self._functions)}, in its documented form"
            self._tell("ros.function", where, f"{name} of {shown(argument)}", expected)
        except RecursionError:
            self._tell("ros.cycle", where, f"{name} of {shown(argument)} needs itself", "no circle")
        return Unknown()

    def _ref(self, name: str, where: str) -> Node:
        if name == NO_VALUE:
            return ABSENT
        if name in self._template["Resources"]:
            return self._attribute(name, "", where)
        if name not in self._values:
            self._unknown(name, [*self._values, *self._template["Resources"]], "ros.name", where)
        return self._values.get(name, Unknown())

    def _if(self, argument: Node, where: str) -> Node:
        condition, yes, no = argument
        return self.value(yes if self.holds(condition, where) else no, where)

    def _get_att(self, argument: Node, where: str) -> Node:
        name, attribute = argument
        return self._attribute(name, attribute, where)

    def _attribute(self, name: str, attribute: str, where: str) -> Node:
        """An attribute named as a property is that property; a role's Arn follows from its name."""
        resource = self._template["Resources"].get(name)
        if resource is None:
            self._unknown(name, self._template["Resources"], "ros.name", where)
            return Unknown()
        kind = str(resource.get("Type"))
        if attribute and attribute not in self._attributes.get(kind, {attribute}):
            self._unknown(attribute, self._attributes[kind], "ros.attribute", where)
        if not self.holds(resource.get("Condition", True), where):
            expected = f"Fn::If: [{resource['Condition']}, …], or the same Condition"
            found = f"{name}, which is not made with these parameters"
            self._tell("ros.not-made", where, found, expected)
        properties = resource.get("Properties") or {}
        own = PROPERTIES.get((kind, attribute), attribute)
        if own in properties:
            return self.value(properties[own], where)
        if kind == "ALIYUN::RAM::Role" and attribute == "Arn":
            role = self.value(properties.get("RoleName"), where)
            return f"acs:ram::{self._values['ALIYUN::TenantId']}:role/{role}"
        return Unknown(attribute)

    def _sub(self, argument: Node, where: str) -> Node:
        template, own = (argument, {}) if isinstance(argument, str) else argument
        names = dict(self._placeholders(template, own, where))
        if set(own) - set(names) or len(PLACEHOLDER.findall(template)) != template.count("${"):
            raise Malformed  # a variable that is not used, a brace that is not closed
        return PLACEHOLDER.sub(
            lambda match: f"${{{match[2]}}}" if match[1] else names[match[2].strip()], template
        )

    def _placeholders(self, template: str, own: Node, where: str) -> Iterator[tuple[str, str]]:
        for literal, padded in PLACEHOLDER.findall(template):
            name = padded.strip()
            resource, _, attribute = name.partition(".")
            if literal:
                continue
            if name in own:
                found = self.value(own[name], where)
            elif attribute:
                found = self._attribute(resource, attribute, where)
            else:
                found = self._ref(name, where)
            if isinstance(found, dict | list):
                raise Malformed
            yield name, text(found)

    def _add(self, argument: Node, where: str) -> Node:
        return sum(self.value(part, where) for part in argument)

    def _unknown(self, name: object, known: Any, id: str, where: str) -> None:
        expected = f"one of {listed(known)}"
        self._tell(id, where, f"{name!r}, which this template does not have", expected)

    def _tell(self, id: str, where: str, found: str, expected: str) -> None:
        advice = "Correct the name, or add what it names."
        self.findings.append(Finding(id, where, found, expected, advice, PAGE))


def text(value: Node) -> str:
    """A scalar as text, as ROS puts it into one."""
    return str(value).lower() if isinstance(value, bool) else str(value)
