"""Writes out the methods of dataclasses, so that no cold start generates and compiles them.

`@dataclass` writes each class's methods as text and compiles it at import: 4 million instructions
for five fields, and for all classes here a quarter of a cold start. The same methods, added to a
module's syntax tree before it becomes bytecode, cost next to nothing. What `fields`, `replace` and
`asdict` need is a thirtieth more; the decorator makes it when it is asked for
(`shared.platform.late_fields`). It stays where a class has a `field(...)`, whose place it fills, or
`kw_only`. What is not known here stays as it is: a dataclass that has a base or is one of another
dataclass, rare options of `dataclass` and `field`.

Runs in the Python of a runtime, from 3.10 on, and imports the standard library alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from typing import Any

OPTIONS = frozenset({"frozen", "unsafe_hash", "kw_only"})
FIELD_OPTIONS = frozenset({"default", "default_factory", "init", "repr", "compare"})
RESERVED = frozenset({"self", "other", "object", "type", "super", "hash"})
"""What the written methods call; a field of that name would hide it."""
HARMLESS_BASES = frozenset({"Exception"})
"""Bases without fields and without a `__post_init__`."""
DECISIVE = frozenset({"__eq__", "__hash__", "__setattr__", "__delattr__"})
"""Methods of a class that decide what `dataclass` makes or refuses."""
NAMES = (
    "import dataclasses as _dataclasses, reprlib as _reprlib\n"
    "from shared.platform.late_fields import LateFields as _LateFields"
)
LATER = "__dataclass_fields__ = _LateFields()"
"""Instead of the decorator, whose work few classes of a process need; see there."""


class ExpandingLoader(SourceFileLoader):
    """Compiles a module with its dataclasses' methods written out; lines stay the source's."""

    def source_to_code(  # type: ignore[override]  # typeshed has that of its base, which is static
        self, data: Any, path: Any, **options: Any
    ) -> Any:
        """Raises SyntaxError."""
        tree = ast.parse(data, path)
        expand(tree)
        return super().source_to_code(tree, path, **options)


class _Unknown(Exception):
    """This class stays as it is."""


@dataclass
class _Field:
    name: str
    options: dict[str, ast.expr]
    has_default: bool
    is_call: bool
    """Whether the class body holds `field(...)` under this name."""

    def says(self, option: str) -> bool:
        """Whether `init`, `repr` or `compare` is on. Raises _Unknown if it is not written as is."""
        given = self.options.get(option, ast.Constant(True))
        if not isinstance(given, ast.Constant):
            raise _Unknown
        return bool(given.value)

    @property
    def factory(self) -> str | None:
        given = self.options.get("default_factory")
        return f"({ast.unparse(given)})()" if given else None

    @property
    def parameter(self) -> str:
        if self.factory:
            return f"{self.name}=_dataclasses.MISSING"
        if not self.has_default:
            return self.name
        return f"{self.name}={self.name}{'.default' * self.is_call}"

    @property
    def value(self) -> str | None:
        """What `__init__` assigns; None if it leaves the class's attribute."""
        if not self.says("init"):
            return self.factory
        if self.factory:
            return f"{self.factory} if {self.name} is _dataclasses.MISSING else {self.name}"
        return self.name


def expand(tree: ast.Module) -> list[str]:
    """Write out the methods of the dataclasses of a module; the names of those classes."""
    imports = {
        (node.module, alias.name, alias.asname)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    if not {("dataclasses", "dataclass", None), ("__future__", "annotations", None)} <= imports:
        return []
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bases = {ast.unparse(base) for one in classes if one.decorator_list for base in one.bases}
    done = [one.name for one in classes if one.name not in bases and _expand_class(one)]
    if done:
        _import_names(tree)
    return done


def _import_names(tree: ast.Module) -> None:
    """After the last import from __future__, which nothing but the docstring may precede."""
    future = [
        place
        for place, node in enumerate(tree.body)
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    tree.body[future[-1] + 1 : future[-1] + 1] = _parsed(NAMES, tree.body[future[-1]])


def _parsed(text: str, place: ast.stmt) -> list[ast.stmt]:
    """The statements of a text, as if all of it were in the line of `place`."""
    body = ast.parse(text).body
    for node in body:
        for inner in ast.walk(node):
            ast.copy_location(inner, place)
    return body


def _expand_class(node: ast.ClassDef) -> bool:
    defined = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    try:
        options = _options(node)
        fields = [_field(one) for one in node.body if isinstance(one, ast.AnnAssign)]
        if defined & DECISIVE or _globals(fields) & (defined | {field.name for field in fields}):
            raise _Unknown
        methods = dict(_methods(fields, options, post="__post_init__" in defined))
    except _Unknown:
        return False
    for name, text in methods.items():
        node.body += _parsed(text, node) if name not in defined else []
    if ast.get_docstring(node) is None:  # or `dataclass` works out a signature for it
        text = f"{node.name}({', '.join(field.name for field in fields)})"
        node.body[:0] = _parsed(repr(text), node)
    if "kw_only" in options or any(field.is_call for field in fields):
        node.decorator_list = [_decorator(node, options)]
    else:
        names = tuple(field.name for field in fields)
        node.decorator_list = []
        node.body += _parsed(f"__match_args__ = {names!r}\n{LATER}", node)
    return True


def _options(node: ast.ClassDef) -> set[str]:
    """Which options of `dataclass` are on. Raises _Unknown."""
    bases = {ast.unparse(base) for base in node.bases}
    if len(node.decorator_list) != 1 or bases - HARMLESS_BASES or node.keywords:
        raise _Unknown
    decorator: ast.expr = node.decorator_list[0]
    keywords: list[ast.keyword] = []
    if isinstance(decorator, ast.Call):
        keywords, decorator = decorator.keywords, decorator.func
    known = all(one.arg in OPTIONS and ast.unparse(one.value) == "True" for one in keywords)
    if ast.unparse(decorator) != "dataclass" or not known:
        raise _Unknown
    return {str(one.arg) for one in keywords}


def _decorator(node: ast.ClassDef, options: set[str]) -> ast.expr:
    kept = "".join(", kw_only=True" for _ in options & {"kw_only"})
    (made,) = _parsed(f"dataclass(init=False, repr=False, eq=False{kept})", node.body[0])
    assert isinstance(made, ast.Expr)
    return made.value


def _field(statement: ast.AnnAssign) -> _Field:
    name, kind = ast.unparse(statement.target), ast.unparse(statement.annotation)
    if name in RESERVED or name.startswith("__") or "ClassVar" in kind or "InitVar" in kind:
        raise _Unknown
    value = statement.value
    if not isinstance(value, ast.Call) or ast.unparse(value.func) != "field":
        return _Field(name, {}, value is not None, is_call=False)
    options = {str(one.arg): one.value for one in value.keywords}
    if not FIELD_OPTIONS.issuperset(options):
        raise _Unknown
    return _Field(name, options, "default" in options, is_call=True)


def _globals(fields: list[_Field]) -> set[str]:
    """The names that factories look up in the module, where a written method does too."""
    factories = [one.options["default_factory"] for one in fields if one.factory]
    nodes = [node for factory in factories for node in ast.walk(factory)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _methods(fields: list[_Field], options: set[str], post: bool) -> Iterator[tuple[str, str]]:
    """The methods as `dataclass` of Python 3.10 to 3.12 makes them, by name. Raises _Unknown."""
    compared = [one.name for one in fields if one.says("compare")]
    mine, others = ("".join(f"{of}.{name}, " for name in compared) for of in ("self", "other"))
    yield "__init__", _init(fields, options, post)
    yield "__repr__", _repr([one.name for one in fields if one.says("repr")])
    yield (
        "__eq__",
        "def __eq__(self, other):\n"
        "    if other.__class__ is self.__class__:\n"
        f"        return ({mine}) == ({others})\n"
        "    return NotImplemented",
    )
    if options & {"frozen", "unsafe_hash"}:
        yield "__hash__", f"def __hash__(self):\n    return hash(({mine}))"
    if "frozen" in options:
        yield from _frozen(tuple(field.name for field in fields))


def _repr(names: list[str]) -> str:
    shown = ", ".join(f"{name}={{self.{name}!r}}" for name in names)
    return (
        "@_reprlib.recursive_repr('...')\n"
        "def __repr__(self):\n"
        f"    return self.__class__.__qualname__ + f'({shown})'"
    )


def _init(fields: list[_Field], options: set[str], post: bool) -> str:
    parameters = [field.parameter for field in fields if field.says("init")]
    star = ["*"] if "kw_only" in options and parameters else []
    lines = [
        f"object.__setattr__(self, {field.name!r}, {field.value})"
        if "frozen" in options
        else f"self.{field.name} = {field.value}"
        for field in fields
        if field.value is not None
    ]
    lines += ["self.__post_init__()"] if post else []
    body = "\n    ".join(lines or ["pass"])
    return f"def __init__({', '.join(['self', *star, *parameters])}):\n    {body}"


def _frozen(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for method, verb, value in (("setattr", "assign to", ", value"), ("delattr", "delete", "")):
        yield (
            f"__{method}__",
            f"def __{method}__(self, name{value}):\n"
            f"    if type(self) is __class__ or name in {names!r}:\n"
            f"        raise _dataclasses.FrozenInstanceError(f'cannot {verb} field {{name!r}}')\n"
            f"    super().__{method}__(name{value})",
        )
