"""Connections to receivers: to public addresses alone, and for a bounded time.

A name is looked up once, and what is dialled is one of the addresses that were looked at, so a name
that leads elsewhere a moment later deceives nobody. Whatever a receiver does, an answer is over
after `READ` seconds: a time-out of requests is one for each piece that arrives.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from shared.platform.addresses import Address, address_of, may_answer
from shared.platform.slim_imports import requests

CONNECT, READ = 5.0, 15.0
"""Seconds for a connection, and for an answer as a whole (Standard Webhooks: 15 to 30 s)."""
MOST_ADDRESSES = 3
"""Addresses of a name that are tried."""
POOL = 16


class NotPublic(NewConnectionError):
    """The receiver's address is one inside a network."""


class _InTime(io.RawIOBase):
    """What arrives at a socket until a moment."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock, self._raw = sock, socket.SocketIO(sock, "r")
        self._end = time.monotonic() + READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer is not whole in time")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def fileno(self) -> int:
        return self._sock.fileno()


class _Answer(HTTPResponse):
    """An answer that is read for so long and no longer."""

    def __init__(self, sock: Any, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_InTime(sock))


class _Dialled(HTTPConnection):
    """Dials what it has looked at."""

    response_class = _Answer
    public = False

    def _new_conn(self) -> socket.socket:
        error: Exception = NewConnectionError(self, "the name has no address")
        found = self._addresses()
        for family, kind, protocol, _, address in found[:MOST_ADDRESSES]:
            if self.public and not may_answer(str(address[0]), public=True):
                error = NotPublic(self, f"the address {address[0]} is not one of the internet")
                continue
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(CONNECT)
                made.connect(address)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return made
            except OSError as failure:
                made.close()
                error = NewConnectionError(self, f"the connection failed: {failure}")
        raise error

    def _addresses(self) -> list[Any]:
        try:
            return socket.getaddrinfo(self._dns_host, self.port or 0, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as failure:
            raise NewConnectionError(self, f"the name is not found: {failure}") from None


class _DialledTls(_Dialled, HTTPSConnection):
    """The same, with TLS."""


class _Public(_DialledTls):
    public = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Dialled


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _DialledTls


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _Public


class Adapter(requests.adapters.HTTPAdapter):
    """Sends over connections of these kinds, by scheme."""

    def __init__(self, **pools: type[HTTPConnectionPool]) -> None:
        self._pools = pools
        super().__init__(pool_maxsize=POOL)

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools


class ReceiverSession(requests.Session):
    """Asks no proxy and no .netrc. `trusts`: which addresses may be told whatever they are."""

    def __init__(self, trusts: Callable[[Address], bool]) -> None:
        super().__init__()
        self.trust_env = False
        self._trusts = trusts
        self._public = Adapter(https=_PublicPool)
        self._trusted = Adapter(http=_PlainPool, https=_TlsPool)

    def get_adapter(self, url: Any) -> Any:
        """The way to an address."""
        address = address_of(str(url))
        if address is not None and self._trusts(address):
            return self._trusted
        if urlsplit(str(url)).scheme != "https":
            raise requests.exceptions.InvalidSchema("receivers are told over https alone")
        return self._public
