"""The functions of a stack as the rules see them, whatever the document they come from.

Values of a wrong type are left out here: that is a finding of its own (function.schema.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DeclaredTrigger:
    """A trigger at `where`; `config` has the API's keys."""

    where: str
    function: str
    name: str
    type: str
    config: dict[str, Any]
    role: str
    source_arn: str

    @property
    def events(self) -> tuple[str, ...]:
        """The OSS events it fires on."""
        return tuple(each for each in _listed(self.config.get("events")) if isinstance(each, str))

    @property
    def prefix(self) -> str:
        """Keys it fires for begin with this."""
        return _text(self._filter().get("prefix"))

    @property
    def suffix(self) -> str:
        """Keys it fires for end with this."""
        return _text(self._filter().get("suffix"))

    def _filter(self) -> dict[str, Any]:
        return _table(_table(self.config.get("filter")).get("key"))


@dataclass(frozen=True)
class DeclaredFunction:
    """A function, a `resource` of the document; `props` as s.yaml has them."""

    resource: str
    props: dict[str, Any]

    @property
    def where(self) -> str:
        """Its place in the document."""
        return f"resources.{self.resource}.props"

    @property
    def name(self) -> str:
        """functionName."""
        return _text(self.props.get("functionName"))

    @property
    def region(self) -> str:
        """The region it lies in."""
        return _text(self.props.get("region"))

    @property
    def environment(self) -> dict[str, str]:
        """environmentVariables that are texts."""
        items = _table(self.props.get("environmentVariables")).items()
        return {key: value for key, value in items if isinstance(value, str)}

    @property
    def triggers(self) -> list[DeclaredTrigger]:
        """Its triggers."""
        return list(self._triggers())

    @property
    def policy(self) -> dict[str, Any]:
        """asyncInvokeConfig."""
        return _table(self.props.get("asyncInvokeConfig"))

    @property
    def destinations(self) -> dict[str, str]:
        """Kind of destination to its ARN."""
        declared = _table(self.policy.get("destinationConfig")).items()
        arns = {kind: _table(target).get("destination") for kind, target in declared}
        return {kind: arn for kind, arn in arns.items() if isinstance(arn, str)}

    @property
    def tag_keys(self) -> list[Any]:
        """The keys of its tags."""
        return [_table(tag).get("key") for tag in _listed(self.props.get("tags"))]

    def number(self, key: str) -> float | None:
        """A property that is a number; None if it is absent or something else."""
        value = self.props.get(key)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def table(self, key: str) -> dict[str, Any]:
        """A property that is a mapping; empty if it is absent or something else."""
        return _table(self.props.get(key))

    def _triggers(self) -> Iterator[DeclaredTrigger]:
        for place, trigger in enumerate(_listed(self.props.get("triggers"))):
            if isinstance(trigger, dict):
                yield DeclaredTrigger(
                    where=f"{self.where}.triggers[{place}]",
                    function=self.name,
                    name=_text(trigger.get("triggerName")),
                    type=_text(trigger.get("triggerType")),
                    config=_table(trigger.get("triggerConfig")),
                    role=_text(trigger.get("invocationRole")),
                    source_arn=_text(trigger.get("sourceArn")),
                )


@dataclass(frozen=True)
class DeclaredStack:
    """All functions that are deployed together."""

    functions: list[DeclaredFunction]

    @property
    def triggers(self) -> list[DeclaredTrigger]:
        """The triggers of all functions."""
        return [trigger for function in self.functions for trigger in function.triggers]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def declared_stack(document: Mapping[str, Any]) -> DeclaredStack:
    """The functions of a rendered s.yaml."""
    return DeclaredStack(
        [
            DeclaredFunction(str(name), _table(resource.get("props")))
            for name, resource in document["resources"].items()
            if isinstance(resource, dict) and resource.get("component") == "fc3"
        ]
    )
