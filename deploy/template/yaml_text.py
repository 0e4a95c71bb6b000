"""YAML as it is written into template.yml: lists indented, no aliases, small parts on one line."""

from __future__ import annotations

from typing import Any

import yaml


def yaml_lines(node: Any) -> list[str]:
    """The lines of a node, its keys in their own order."""
    text = yaml.dump(
        node,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        width=1000,
        allow_unicode=True,
    )
    return str(text).splitlines()


class _Dumper(yaml.SafeDumper):
    """Lists are indented and nothing is an alias, as people write it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)
