"""Hosts and addresses: which one a URL names, which one was dialled, which are public."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import urlsplit

METADATA = ipaddress.ip_address("100.100.100.200")
"""Alibaba Cloud's metadata service, which hands out the role's credentials."""
_UNICAST = ipaddress.ip_network("2000::/3")
"""What the internet has of IPv6 (RFC 4291). Outside are site-local addresses and those that hold an
IPv4 address, which may be a private one: of translators (RFC 6052, 8215) and compatible ones."""
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
"""Holds IPv4 addresses as well (RFC 3056)."""
PORTS = {"https": 443, "http": 80}
_AFTER_HOST = re.compile("[/?#]")
_INSIDE = (".localhost", ".local", ".internal", ".lan", ".home", ".home.arpa", ".corp")
"""Ends of names that no public DNS answers (RFC 6761, 6762 and 8375; ICANN's reserved ones)."""
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Scheme, host and port of a URL; the host in lower case, without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port as text."""
        return f"{self.scheme}://{self.host}:{self.port}"


def address_of(url: str) -> Address | None:
    """Where a URL leads; None where it holds no valid host, or a user name, or signs for which two
    parsers could read different hosts."""
    scheme, found, rest = url.partition("://")
    authority = _AFTER_HOST.split(rest, maxsplit=1)[0]
    if not found or "\\" in url or not url.isascii() or not url.isprintable() or " " in url:
        return None
    if any(sign in authority for sign in '@"<>%'):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port if parts.port is not None else PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if not parts.hostname or not port or parts.scheme != scheme.lower():
        return None
    return Address(parts.scheme, parts.hostname, port)


def is_public_name(host: str) -> bool:
    """Whether a host may be one of the internet, by its text alone."""
    name = host.lower().rstrip(".")
    try:
        return _is_global(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        pass
    if _NUMERIC.match(name.rpartition(".")[2]):  # 127.1 and 0x7f000001 are addresses as well
        try:
            return _is_global(ipaddress.ip_address(socket.inet_aton(name)))
        except (OSError, ValueError):
            return False
    return "." in name and not name.endswith(_INSIDE)


def may_answer(peer: str, *, public: bool) -> bool:
    """Whether a connection may lead to an address. `public`: to the internet alone."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if public and not _is_global(address):
        return False
    return not (address.is_loopback or address.is_link_local or address == METADATA)


def peer_of(answer: Any) -> str | None:
    """The address that an answer of requests came from; None where that cannot be told.

    The connection has let go of its socket where the server closes it after the answer; the answer
    reads from it all the same.
    """
    raw = getattr(answer, "raw", None)
    if raw is None:
        return None
    held = getattr(getattr(raw, "connection", None), "sock", None)
    try:
        if held is not None:
            return str(held.getpeername()[0])
        with socket.socket(fileno=os.dup(raw.fileno())) as read_from:
            return str(read_from.getpeername()[0])
    except (OSError, ValueError, AttributeError):
        return None


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address in _SIX_TO_FOUR):
        return False
    return address.is_global and not address.is_multicast
