"""Import libraries without their heavy unused dependencies: a faster cold start.

`import oss2` (2.19.1) imports pycryptodome, cryptography and the Alibaba Cloud SDK core, all for
CryptoBucket, which encrypts objects before they are sent; requests imports charset_normalizer, to
guess the encoding of texts that do not name theirs. Together that is a third of the CPU time of a
cold start. So empty modules replace those packages while oss2 is imported and are removed
afterwards: a later import gets the real ones (`shared.modelstudio.api_key`, which asks KMS, does).
requests does without charset_normalizer by itself where that is missing.

What does not work in such a process: oss2.CryptoBucket and its key providers (RsaProvider,
LocalRsaProvider, AliKMSProvider); and `Response.text` reads texts that declare no encoding as
UTF-8. A process that has imported oss2, requests or those packages before keeps them.

`import falcon` (4.4.0) imports asyncio, a tenth of what api imports, for applications that are
asynchronous; ours are not. `load_falcon` imports it likewise with an empty asyncio; then
falcon.asgi and the functions of falcon.util.sync do not work.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["load_falcon", "oss2", "requests"]

ENCRYPTION = frozenset({"Crypto", "aliyunsdkcore", "aliyunsdkkms"})
ASYNCHRONY = frozenset({"asyncio"})
DETECTION = ("chardet", "charset_normalizer")


class _Absent:
    """Stands for anything: falcon makes an asyncio.Runner at import and never uses it."""


class _Empty(ModuleType):
    """A module whose every attribute is a class that has nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent


class _Finder:
    """Finds an empty module for each name of some packages."""

    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages

    def has(self, name: str) -> bool:
        return name.partition(".")[0] in self._packages

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        loader: Any = self
        return ModuleSpec(name, loader, is_package=True) if self.has(name) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


def _without(packages: frozenset[str], name: str) -> Any:
    """Import `name` while `packages` are empty, unless one of them is there already."""
    if not sys.modules.keys().isdisjoint({name, *packages}):
        return import_module(name)
    finder: Any = _Finder(packages)
    sys.meta_path.insert(0, finder)
    try:
        return import_module(name)
    finally:
        sys.meta_path.remove(finder)
        for found in filter(finder.has, list(sys.modules)):
            del sys.modules[found]


@contextmanager
def _without_detection() -> Iterator[None]:
    missing: dict[str, Any] = dict.fromkeys(DETECTION)
    sys.modules.update(missing)  # None: importing it fails
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # requests says that it has none
            yield
    finally:
        for name in missing:
            del sys.modules[name]


def _load_requests() -> Any:
    if any(name in sys.modules for name in ("requests", *DETECTION)):
        return import_module("requests")
    with _without_detection():
        return import_module("requests")


@contextmanager
def _without_collection() -> Iterator[None]:
    """Imports leave no garbage, and looking for it among them is a thirtieth of a cold start: it is
    not looked for meanwhile, nor later among what they have made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def load_falcon() -> None:
    """What imports falcon afterwards, gets it without asyncio."""
    with _without_collection():
        _without(ASYNCHRONY, "falcon")


if TYPE_CHECKING:
    import oss2
    import requests
else:
    with _without_collection():
        requests = _load_requests()
        oss2 = _without(ENCRYPTION, "oss2")
