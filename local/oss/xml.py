"""XML as the service writes and reads it: without namespaces."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timezone
from urllib.parse import quote

from local.oss.errors import malformed_xml

Element = ElementTree.Element
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    """Read a document with the given root; raises OssError 400 ``MalformedXML``."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise malformed_xml("The body has a document type declaration; leave it out.")
    try:
        node = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise malformed_xml(f"The body is not well-formed XML: {error}.") from None
    for part in node.iter():
        part.tag = part.tag.rpartition("}")[2]
    if node.tag != root:
        raise malformed_xml(f"The body's root is <{node.tag}>; expected <{root}>.")
    return node


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
