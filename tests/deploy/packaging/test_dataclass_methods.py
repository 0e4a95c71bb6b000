"""A class with written-out methods behaves as the one that `dataclass` makes."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import shared
from deploy.packaging.dataclass_methods import ExpandingLoader, expand

HEAD = "from __future__ import annotations\nfrom dataclasses import dataclass, field\n"


def expanded(name: str, path: str) -> ModuleType:
    """The module as its bytecode in a package makes it; its imports are the usual ones."""
    loader = ExpandingLoader(name, path)
    module = ModuleType(name)
    module.__file__ = path
    sys.modules.setdefault(name, module)  # `dataclass` looks there
    exec(loader.source_to_code(loader.get_data(path), path), module.__dict__)
    return module


def classes(module: ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }


def pairs() -> Iterator[Any]:
    for info in pkgutil.walk_packages(shared.__path__, "shared."):
        module = importlib.import_module(info.name)
        written = expanded(info.name, str(module.__file__))
        for name, original in classes(module).items():
            if "__dataclass_fields__" in vars(original):
                yield pytest.param(original, vars(written)[name], id=f"{info.name}.{name}")


PAIRS = list(pairs())


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    sys.modules.pop("sample", None)


def outcome(action: Any, *arguments: Any) -> tuple[str, Any]:
    """What a call returns, or the kind and text of its error."""
    try:
        return "returns", action(*arguments)
    except Exception as error:  # what went wrong is compared, whatever it is
        return type(error).__name__, str(error)


def shown(value: object) -> str:
    """Its text, without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def described(cls: Any) -> dict[str, Any]:
    """What can be seen of a dataclass from outside."""
    parameters = inspect.signature(cls).parameters.values()
    given = {one.name: f"the {one.name}" for one in parameters}
    needed = {one.name: "x" for one in parameters if one.default is one.empty}
    made, least, other = cls(**given), cls(**needed), cls(**given)
    return {
        "parameters": [(one.name, one.kind, one.default is one.empty) for one in parameters],
        "fields": [shown(one) for one in dataclasses.fields(cls)],
        "match": cls.__match_args__,
        "made": held(made),
        "least": held(least),
        "shared by instances": [
            name for name, value in vars(cls(**needed)).items() if value is vars(least)[name]
        ],
        "too few": outcome(cls)[0] == "TypeError",
        "repr": outcome(repr, made),
        "equal": (made == other, made == least, made == "text", made.__eq__("text")),
        "hash": outcome(hash, made),
        "replaced": {name: differs(made, name) for name in given},
        "set": [outcome(setattr, cls(**given), name, 1) for name in (*given, "unknown")],
        "deleted": [outcome(delattr, cls(**given), name) for name in (*given, "unknown")],
    }


def held(made: Any) -> list[tuple[str, str]]:
    """What an instance holds; a lock is another one in each."""
    return [(name, shown(value)) for name, value in vars(made).items()]


def differs(made: Any, name: str) -> tuple[Any, bool, str]:
    changed = dataclasses.replace(made, **{name: "another"})
    return held(changed), changed == made, shown(outcome(repr, changed))


@pytest.mark.parametrize(("original", "written"), PAIRS)
def test_every_dataclass_of_shared_behaves_the_same(original: Any, written: Any) -> None:
    assert described(written) == described(original)


def test_no_dataclass_of_shared_has_generated_methods() -> None:
    generated = [
        written.__qualname__
        for _, written in (pair.values for pair in PAIRS)
        for method in vars(written).values()
        if inspect.isfunction(method) and method.__code__.co_filename == "<string>"
    ]
    assert len(PAIRS) > 100
    assert generated == []


SAMPLES = {
    "plain": "@dataclass\nclass One:\n    a: int\n    b: str = 'x'\n",
    "empty": "@dataclass(frozen=True)\nclass One:\n    '''Nothing.'''\n",
    "frozen": "@dataclass(frozen=True)\nclass One:\n    a: int\n    b: tuple[int, ...] = (1,)\n",
    "keywords": "@dataclass(kw_only=True)\nclass One:\n    a: int = 1\n    b: int\n",
    "hashed": "@dataclass(unsafe_hash=True)\nclass One(Exception):\n    a: int\n",
    "factory": "@dataclass\nclass One:\n    a: list = field(default_factory=list)\n"
    "    b: list = field(default_factory=lambda: [1], init=False)\n",
    "frozen factory": "@dataclass(frozen=True)\nclass One:\n"
    "    a: list = field(default_factory=list)\n",
    "hidden": "@dataclass(frozen=True)\nclass One:\n    a: int\n"
    "    c: int = field(repr=False)\n    b: int = field(default=2, repr=False, compare=False)\n"
    "@dataclass\nclass Two:\n    a: int = field(default=1, init=False)\n",
    "own methods": "@dataclass\nclass One:\n    a: int\n    b: int = field(default=0, init=False)\n"
    "    def __repr__(self):\n        return 'one'\n"
    "    def __post_init__(self):\n        self.b = self.a * 2\n",
    "own init": "@dataclass\nclass One:\n    a: int\n"
    "    def __init__(self, a):\n        self.a = [a]\n",
    "subclass without fields": "@dataclass(frozen=True)\nclass One:\n    a: int\n"
    "class Two(One):\n    pass\n",
}


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES.keys())
def test_each_way_to_write_a_dataclass(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(HEAD + text)
    plain = sys.modules["sample"] = ModuleType("sample")
    exec(compile(path.read_text(), str(path), "exec"), plain.__dict__)
    written = classes(expanded("sample", str(path)))
    assert "One" in expand(ast.parse(path.read_text()))
    for name, original in classes(plain).items():
        assert described(written[name]) == described(original)


def test_an_object_that_holds_itself_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(HEAD + "@dataclass\nclass Node:\n    inner: object\n")
    node = expanded("sample", str(path)).Node(None)
    node.inner = [node]
    assert repr(node) == "Node(inner=[...])"


LEFT = {
    "inherited": "@dataclass\nclass One:\n    a: int\n@dataclass\nclass Two(One):\n    b: int\n",
    "ordered": "@dataclass(order=True)\nclass One:\n    a: int\n",
    "slots": "@dataclass(slots=True)\nclass One:\n    a: int\n",
    "no equality": "@dataclass(eq=False)\nclass One:\n    a: int\n",
    "own equality": "@dataclass\nclass One:\n    a: int\n    def __eq__(self, other):\n"
    "        return True\n",
    "of the class": "@dataclass\nclass One:\n    a: ClassVar[int] = 1\n",
    "not kept": "@dataclass\nclass One:\n    a: InitVar[int]\n",
    "name of ours": "@dataclass(frozen=True)\nclass One:\n    object: int\n",
    "mangled": "@dataclass\nclass One:\n    __a: int\n",
    "hiding its factory": "@dataclass\nclass One:\n    dict: dict = field(default_factory=dict)\n",
    "metadata": "@dataclass\nclass One:\n    a: int = field(metadata={})\n",
    "worked out": "@dataclass\nclass One:\n    a: int = field(repr=not 1)\n",
    "another decorator": "@dataclass\n@other\nclass One:\n    a: int\n",
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT.keys())
def test_what_is_not_known_stays_as_it_is(text: str) -> None:
    tree = ast.parse(HEAD + text)
    before = ast.dump(tree)
    assert expand(tree) == []
    assert ast.dump(tree) == before


def test_a_module_whose_annotations_are_evaluated_stays_as_it_is() -> None:
    tree = ast.parse("from dataclasses import dataclass\n@dataclass\nclass One:\n    a: int\n")
    assert expand(tree) == []


def test_an_error_names_the_line_of_the_class(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(HEAD + "\n\n@dataclass(frozen=True)\nclass One:\n    a: int\n")
    one = expanded("sample", str(path)).One(1)
    with pytest.raises(dataclasses.FrozenInstanceError) as raised:
        one.a = 2
    assert raised.traceback[-1].path == path
    assert raised.traceback[-1].lineno + 1 == 6
