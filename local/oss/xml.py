"""XML as the service writes and reads it: without namespaces."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timezone
from urllib.parse import quote

from local.oss.errors import malformed_xml

Element = ElementTree.Element
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What a key may hold and XML 1.0 may not: raw, or as a reference such as "&#1;".
_UNWRITABLE = re.compile(
    r"&#(?:0*(?P<decimal>\d{1,7})|x0*(?P<hex>[0-9a-fA-F]{1,6}));"
    r"|[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|(?P<mark>\U0010fffd)"
)
_MARK, _BASE = "\U0010fffd", 0xE000
_MARKED = re.compile(f"{_MARK}(.)")
_LAST_TEXT = re.compile(r">[^<>]*</")


def element(tag: str, *children: Element | None, text: str | int | bool | None = None) -> Element:
    """Build an element; children that are None are left out."""
    node = Element(tag)
    if isinstance(text, bool):
        node.text = "true" if text else "false"
    elif text is not None:
        node.text = printable(str(text))
    node.extend(child for child in children if child is not None)
    return node


def printable(text: str) -> str:
    """Replace what XML 1.0 cannot hold; such keys come through with ``encoding-type=url`` only."""
    return _NOT_IN_XML.sub("\ufffd", text)


def leaf(tag: str, text: str | int | bool) -> Element:
    """Build an element with text."""
    return element(tag, text=text)


def document(root: Element) -> bytes:
    """Return a whole document."""
    body: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return body


def parse(body: bytes, root: str) -> Element:
    """Read a document with the given root; raises OssError 400 ``MalformedXML``.

    Texts may hold what a key may hold, control characters too: clients send them as they are,
    although XML 1.0 has no place for them.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise malformed_xml("The body has a document type declaration; leave it out.")
    try:
        node = ElementTree.fromstring(_marked(body.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise malformed_xml("The body is not UTF-8.") from None
    except (ElementTree.ParseError, ValueError) as error:
        raise malformed_xml(f"The body is not well-formed XML: {error}.") from None
    for part in node.iter():
        part.tag = part.tag.rpartition("}")[2]
        part.text = _MARKED.sub(_unmarked, part.text or "")
    if node.tag != root:
        raise malformed_xml(f"The body's root is <{node.tag}>; expected <{root}>.")
    return node


def _marked(text: str) -> str:
    """Put a mark and a letter for what the parser would refuse, or change ("\\r" to "\\n")."""
    kept = _LAST_TEXT.sub(lambda found: found[0].replace("\r", "&#13;"), text)
    return _UNWRITABLE.sub(_mark, kept)


def _mark(found: re.Match[str]) -> str:
    character = found[0]
    if found["decimal"] or found["hex"]:
        code = int(found["decimal"] or found["hex"], 10 if found["decimal"] else 16)
        character = chr(min(code, 0x10FFFF))
        if not _UNWRITABLE.fullmatch(character):
            return found[0]
    return _MARK + chr(_BASE + (ord(character) & 0xFF)) if character != _MARK else _MARK * 2


def _unmarked(found: re.Match[str]) -> str:
    low = ord(found[1]) - _BASE
    if not 0 <= low <= 0xFF:
        return _MARK
    return chr(low if low < 0x20 else 0xFF00 + low)


def text_of(node: Element, path: str, default: str | None = None) -> str:
    """Return the text at ``path``; raises OssError 400 where it is absent and has no default."""
    found = node.find(path)
    if found is not None:
        return found.text or ""
    if default is None:
        raise malformed_xml(f"<{node.tag}> lacks the element <{path}>.")
    return default


def timestamp(seconds: float) -> str:
    """Return Unix seconds as ``YYYY-MM-DDThh:mm:ss.000Z``: whole seconds, as the service keeps."""
    moment = datetime.fromtimestamp(int(seconds), timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def encode_name(name: str, encoding: str) -> str:
    """Percent-encode a key where the client asked for ``encoding-type=url``."""
    return quote(name, safe="/") if encoding == "url" else name
