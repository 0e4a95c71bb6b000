"""Reads a template as ROS does (YAML 1.1), but reports a key that is there twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TemplateUnreadable(Exception):
    """The file cannot be read or is not a template."""


class _Loader(_Base):  # type: ignore[misc]  # either of PyYAML's two loaders
    """Without this the last of two resources of one name would count, and the other be gone."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                line = key.start_mark.line + 1
                raise TemplateUnreadable(f"line {line}: {name} a second time; rename or remove it")
            seen.add(name)
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


def read_template(path: Path) -> dict[str, Any]:
    """The template as a mapping. Raises TemplateUnreadable."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise TemplateUnreadable(f"{path}: cannot be read ({error.strerror})") from None
    except TemplateUnreadable as error:
        raise TemplateUnreadable(f"{path}: {error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        hint = "write functions in full, Fn::Sub instead of !Sub" if "tag" in str(error) else ""
        raise TemplateUnreadable(f"{path}: is not YAML: {error}; {hint}".rstrip("; ")) from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateUnreadable(f"{path}: expected a mapping with a mapping `Resources`")
    return document
