"""Import oss2 and requests without their heavy unused dependencies: a faster cold start.

`import oss2` (2.19.1) imports pycryptodome, cryptography and the Alibaba Cloud SDK core, all for
CryptoBucket, which encrypts objects before they are sent; requests imports charset_normalizer, to
guess the encoding of texts that do not name theirs. Together that is a third of the CPU time of a
cold start. So empty modules replace those packages while oss2 is imported and are removed
afterwards: a later import gets the real ones (`shared.modelstudio.api_key`, which asks KMS, does).
requests does without charset_normalizer by itself where that is missing.

What does not work in such a process: oss2.CryptoBucket and its key providers (RsaProvider,
LocalRsaProvider, AliKMSProvider); and `Response.text` reads texts that declare no encoding as
UTF-8. A process that has imported oss2, requests or those packages before keeps them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["oss2", "requests"]

ENCRYPTION = ("Crypto", "aliyunsdkcore", "aliyunsdkkms")
DETECTION = ("chardet", "charset_normalizer")


class _Empty(ModuleType):
    """A module whose every attribute is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


class _Finder:
    """Finds an empty module for each name of the packages for encryption."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        loader: Any = self
        return ModuleSpec(name, loader, is_package=True) if _is_encryption(name) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


def _is_encryption(name: str) -> bool:
    return name.partition(".")[0] in ENCRYPTION


@contextmanager
def _without_encryption() -> Iterator[None]:
    finder: Any = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in filter(_is_encryption, list(sys.modules)):
            del sys.modules[name]


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


def _load_oss2() -> Any:
    if any(name in sys.modules for name in ("oss2", *ENCRYPTION)):
        return import_module("oss2")
    with _without_encryption():
        return import_module("oss2")


if TYPE_CHECKING:
    import oss2
    import requests
else:
    requests = _load_requests()
    oss2 = _load_oss2()
