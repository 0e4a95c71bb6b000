"""Renders s.yaml as Serverless Devs does: variables, then templates merged into resources."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Node: TypeAlias = Any
"""A node of a YAML document: a mapping, a list or a scalar."""
EXPRESSION = re.compile(r"\$\{([^{}]*)\}")


class DeclarationError(Exception):
    """s.yaml, or the environment it asks for, is not usable; the message lists every finding."""


def render(
    path: Path,
    environ: Mapping[str, str],
    config: Mapping[str, str],
    variables: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The file with every variable replaced and every `extend` merged.

    `environ` answers `${env(...)}` (an empty value counts as none, as for Serverless Devs),
    `config` answers `${config(...)}` (the account of the `access` alias), `variables` is laid over
    the file's `vars`. A file with a top-level `extend` is laid over the file it names. The grammar
    is that of the Serverless Devs "yaml" page; outputs of deployed resources are left unresolved,
    as nothing is deployed here.

    Raises DeclarationError naming every expression that has no value.
    """
    document = _load(path)
    renderer = _Renderer(document, environ, config, path.parent)
    document["vars"] = merged(document.get("vars") or {}, variables or {})
    document["vars"] = renderer.resolve(document["vars"], "vars")
    templates = renderer.resolve(document.get("template") or {}, "template")
    resources = {
        name: renderer.resolve(_extended(name, resource, templates), f"resources.{name}")
        for name, resource in (document.get("resources") or {}).items()
    }
    if renderer.findings:
        lines = [f"{path}: {where}: {what}" for what, where in renderer.findings.items()]
        raise DeclarationError("\n".join(lines))
    document.update({"template": templates} if "template" in document else {})
    return {**document, "resources": resources}


def merged(base: Node, override: Node) -> Node:
    """`override` over `base`: mappings merge key by key, everything else (lists too) replaces."""
    if not (isinstance(base, dict) and isinstance(override, dict)):
        return override
    result = dict(base)
    for key, value in override.items():
        result[key] = merged(base[key], value) if key in base else value
    return result


def _load(path: Path, extending: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The file over the one it extends; `extending` are the files that led here."""
    document = _read(path)
    extended = document.pop("extend", None)
    if extended is not None:
        seen = (*extending, path.resolve())
        if not isinstance(extended, str) or (path.parent / extended).resolve() in seen:
            raise DeclarationError(
                f"{path}: extend: expected the path of another file, found {extended!r};"
                " a file cannot extend itself"
            )
        document = merged(_load(path.parent / extended, seen), document)
    if not isinstance(document.get("resources"), dict):
        raise DeclarationError(f"{path}: expected a mapping with a mapping `resources`")
    return document


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeclarationError(
            f"{path}: cannot be read ({error.strerror}); give the path of an s.yaml with --s-yaml"
        ) from None
    except yaml.YAMLError as error:
        raise DeclarationError(f"{path}: is not YAML: {error}") from None
    if not isinstance(document, dict):
        raise DeclarationError(f"{path}: expected a mapping with a mapping `resources`")
    return document


def _extended(name: str, resource: Node, templates: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(resource, dict):
        raise DeclarationError(f"resources.{name}: expected a mapping, found {resource!r}")
    extend = resource.get("extend")
    if not extend:
        return resource
    wanted = extend.get("name")
    if wanted not in templates:
        raise DeclarationError(
            f"resources.{name}.extend.name: there is no template {wanted!r}; "
            f"known: {', '.join(templates) or 'none'}"
        )
    ignored = set(extend.get("ignore") or ())
    base = {key: value for key, value in templates[wanted].items() if key not in ignored}
    return {**resource, "props": merged(base, resource.get("props") or {})}


class _NoValue(Exception):
    """An expression that cannot be given a value; the text says why."""


class _Renderer:
    """Walks the document and replaces `${...}`, collecting what has no value."""

    def __init__(
        self,
        document: dict[str, Any],
        environ: Mapping[str, str],
        config: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.document = document
        self.environ = environ
        self.config = config
        self.folder = folder
        self.findings: dict[str, str] = {}
        """What is wrong, to the first place where it is."""
        self._functions: dict[str, Callable[..., Any]] = {
            "env": self._env,
            "config": self._config,
            "file": self._file,
            "json": json.loads,
            "path": lambda relative: str((folder / relative).resolve()),
        }

    def resolve(self, node: Node, where: str) -> Node:
        if isinstance(node, dict):
            return {key: self.resolve(value, f"{where}.{key}") for key, value in node.items()}
        if isinstance(node, list):
            return [self.resolve(value, f"{where}[{i}]") for i, value in enumerate(node)]
        return self._text(node, where) if isinstance(node, str) else node

    def _text(self, text: str, where: str) -> Node:
        whole = EXPRESSION.fullmatch(text)
        if whole:
            return self._value(whole, where)
        return EXPRESSION.sub(lambda match: str(self._value(match, where)), text)

    def _value(self, match: re.Match[str], where: str) -> Node:
        if ".output." in match[1]:
            return match[0]
        try:
            return self._evaluate(ast.parse(match[1].strip(), mode="eval").body)
        except SyntaxError:
            reason = "is not an expression Serverless Devs knows"
        except (_NoValue, OSError, ValueError, TypeError) as error:
            reason = str(error)
        except RecursionError:
            reason = "refers to itself"
        self.findings.setdefault(f"{match[0]}: {reason}", where)
        return match[0]

    def _evaluate(self, node: ast.expr) -> Node:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            function = self._functions.get(node.func.id)
            if function is None:
                raise _NoValue(f"there is no function {node.func.id}(); known: env, config, file")
            return function(*[self._evaluate(argument) for argument in node.args])
        if isinstance(node, ast.Attribute):
            return self._lookup(node)
        raise _NoValue("expected env('NAME', 'default'), vars.NAME, config('AccountID') or file()")

    def _lookup(self, node: ast.expr) -> Node:
        """`vars.a.b` and `resources.x.props.y`: a path into this document."""
        if isinstance(node, ast.Name):
            if node.id not in ("vars", "resources"):
                raise _NoValue(f"{node.id}.… is not known here; expected vars.… or resources.…")
            return self.document.get(node.id) or {}
        if not isinstance(node, ast.Attribute):
            raise _NoValue("expected a dotted name such as vars.name")
        holder = self._lookup(node.value)
        if not isinstance(holder, dict) or node.attr not in holder:
            raise _NoValue(f"{ast.unparse(node)} is not defined in this file; define it there")
        return self.resolve(holder[node.attr], ast.unparse(node))

    def _env(self, name: str, default: str | None = None) -> str:
        value = self.environ.get(name) or default
        if value is None:
            raise _NoValue(
                f"the environment variable {name} is not set and there is no default; "
                f"set it: export {name}=…"
            )
        return value

    def _config(self, name: str) -> str:
        if name not in self.config:
            raise _NoValue(f"no such entry; known: {', '.join(self.config)}")
        return self.config[name]

    def _file(self, relative: str) -> str:
        return (self.folder / relative).read_text(encoding="utf-8")
