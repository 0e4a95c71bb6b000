"""A body on its way to becoming an object: a temporary file, hashed while it is written."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import crcmod

CHUNK = 1 << 20
# CRC-64 of ECMA-182, reflected; the service sends it as x-oss-hash-crc64ecma in decimal.
_POLYNOMIAL = 0x142F0E1EBA9EA3693
_ALL_ONES = 0xFFFFFFFFFFFFFFFF
# Building its table takes longer than hashing a small object: it is copied, not built anew.
_CRC64 = crcmod.Crc(_POLYNOMIAL, initCrc=0, rev=True, xorOut=_ALL_ONES)


def new_crc64(start: int = 0) -> Any:
    """Return a CRC-64 to be fed with ``update``; ``start`` continues an earlier value."""
    crc64 = _CRC64.copy()
    crc64.crcValue = start
    return crc64


def new_md5() -> Any:
    """Return an MD5, which ETags are made of, to be fed with ``update``."""
    return hashlib.md5(usedforsecurity=False)


def chunks(source: BinaryIO, length: int | None = None) -> Iterator[bytes]:
    """Yield the rest of a file, or ``length`` bytes of it, in pieces of bounded size."""
    left = length
    while left is None or left > 0:
        chunk = source.read(CHUNK if left is None else min(CHUNK, left))
        if not chunk:
            return
        left = None if left is None else left - len(chunk)
        yield chunk


class Draft:
    """Collects a body; used as a context manager it removes what was not placed."""

    def __init__(self, folder: Path, mode: int) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        os.fchmod(descriptor, mode)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._md5 = new_md5()
        self._crc64 = new_crc64()
        self.size = 0

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def write(self, data: bytes) -> None:
        """Append to the body."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._md5.update(data)
        self._crc64.update(data)
        self.size += len(data)

    def write_from(self, source: BinaryIO, length: int | None = None) -> None:
        """Append the rest of a file, or ``length`` bytes of it."""
        for chunk in chunks(source, length):
            self.write(chunk)

    @property
    def md5(self) -> bytes:
        """The MD5 digest of the body so far."""
        return bytes(self._md5.digest())

    @property
    def etag(self) -> str:
        """The MD5 as the service writes it: upper-case hexadecimal."""
        return str(self._md5.hexdigest()).upper()

    @property
    def crc64(self) -> int:
        """The CRC-64 of the body so far."""
        return int(self._crc64.crcValue)
