"""The messages that are written in code and in schemas, as the words of schemas/words.zh.yaml."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.catalogue.words import Template

ROOT = Path(__file__).resolve().parents[2]

Literals = tuple[str, ...]
"""The texts around the places of a message."""

LOGS = frozenset(f"log.{name}" for name in ("debug", "info", "warning", "error", "exception"))


def literals_of(text: str) -> Literals:
    """The literals of a template of the words' file."""
    return Template.of(text).literals


def in_code(*paths: str) -> dict[Literals, str]:
    """The texts in the code of these files and folders, with the place of one of each."""
    found: dict[Literals, str] = {}
    for path in (file for name in paths for file in _files(ROOT / name)):
        for literals, line in _texts(ast.parse(path.read_text("utf-8"))):
            found.setdefault(literals, f"{_shown(path)}:{line}")
    return found


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _texts(tree: ast.AST) -> Iterator[tuple[Literals, int]]:
    left_out = _no_messages(tree)
    for node in ast.walk(tree):
        if node not in left_out and (literals := _literals(node)):
            lines = "\0".join(literals).split("\n")
            for line in lines if len(lines) > 1 else ():
                yield tuple(line.lstrip(" ").split("\0")), node.lineno  # type: ignore[attr-defined]
            yield literals, node.lineno  # type: ignore[attr-defined]


def _no_messages(tree: ast.AST) -> set[ast.AST]:
    """Docstrings, what only a log says, and the pieces of f-strings."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            found |= {one for one in node.values if isinstance(one, ast.Constant)}
            found |= {one for inner in node.values for one in _format_of(inner)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in LOGS:
            found |= set(ast.walk(node))
    return found


def _format_of(node: ast.AST) -> list[ast.AST]:
    spec = getattr(node, "format_spec", None)
    return [spec] if isinstance(spec, ast.AST) else []


def _literals(node: ast.AST) -> Literals | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if not isinstance(node, ast.JoinedStr):
        return None
    pieces = [""]
    for one in node.values:
        if isinstance(one, ast.Constant):
            pieces[-1] += str(one.value)
        elif pieces[-1] or len(pieces) == 1:  # places side by side are one place
            pieces.append("")
    return tuple(pieces)


def in_schemas() -> set[Literals]:
    """The texts of all YAML files below schemas/, whose {places} are those of str.format."""
    from shared.catalogue.files import SCHEMAS, load_file

    files = (one for one in SCHEMAS.rglob("*.yaml") if one.name != "words.zh.yaml")
    texts = (text for path in files for text in leaves(load_file(path)))
    return {tuple(re.split(r"\{[a-z_]+\}", text)) for text in texts}


def leaves(value: Any) -> Iterator[str]:
    """All texts in what a YAML file holds."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


def is_sentence(literals: Literals) -> bool:
    """Whether it has words of English, so that a person is meant to read it."""
    return any(re.search(r"[A-Za-z]{2,} [a-z(`]", one) for one in literals) or bool(
        len(literals) > 1
        and re.search(r"[a-z]{3,}", " ".join(literals))
        and " " in "".join(literals)
    )


_NOT_OURS = re.compile(
    r'"[^"]*"?|“[^”]*”|`[^`]*`|\[[^\]]*\]|\{[^}]*\}|\S*[/:_.*|<>=-]\S*|\bdata:\S*'
)
"""What a message quotes: values, names of fields and addresses."""


def english_in(said: Mapping[str, Any]) -> list[str]:
    """The texts of a violation with sentences of English that its Chinese text has as well."""
    found = []
    for name in ("message", "expected", "found"):
        text = str(said.get(f"{name}_zh") or said.get(name) or "")
        if re.search(r"\b[a-z]{2,} [a-z]{2,}\b", _NOT_OURS.sub("", text)):
            found.append(text)
    return found
