"""moto's S3 server behind a translation of OSS's wire into S3's: a second opinion, for tests only.

It is called in the process, without a socket, as the adapter of an ``oss2.Session``. Signatures
are not checked. Where S3 has nothing like it the request goes through as it is.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from xml.etree import ElementTree

import moto.s3.models
import oss2
import requests
from botocore.awsrequest import AWSPreparedRequest  # type: ignore[import-untyped]
from moto.core.botocore_stubber import BotocoreStubber

_SIGNED = "AWS4-HMAC-SHA256 Credential=x/20200101/us-east-1/s3/aws4_request, Signature=x"
_DROPPED = ("date", "content-sha256", "security-token", "forbid-overwrite", "range-behavior")
_NO_ERROR = "<Error><Code>FileAlreadyExists</Code><Message>exists</Message></Error>"
_MIN_PART_BYTES = 100 * 1024
_Answer = tuple[int, dict[str, str], bytes]


def moto_bucket(name: str) -> Any:
    """Return an ``oss2.Bucket`` whose requests moto answers; all of them share one state."""
    auth = oss2.AuthV4("x", "x")
    session = oss2.Session(adapter=_Adapter())
    # The server's address is an example's: nothing ever connects to it.
    address = "http://192.0.2.1"
    return oss2.Bucket(auth, address, name, region="cn-beijing", session=session, enable_crc=False)


class _Adapter(requests.adapters.BaseAdapter):
    """Answers requests of ``oss2`` out of moto."""

    def __init__(self) -> None:
        super().__init__()
        vars(moto.s3.models)["S3_UPLOAD_PART_MIN_SIZE"] = _MIN_PART_BYTES  # S3 asks for 5 MB
        self._moto = BotocoreStubber()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer a request."""
        method, url = str(request.method), str(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else bytes(_read(body))
        status, fields, content = self._translated(method, url, headers, data)
        return _response(request, status, fields, content)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _translated(self, method: str, url: str, headers: dict[str, str], body: bytes) -> _Answer:
        path = urlsplit(url).path
        query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        if headers.get("x-oss-forbid-overwrite") == "true" and self._exists(path):
            return 409, {"Content-Type": "application/xml"}, _NO_ERROR.encode()
        of_bucket = not path.removeprefix("/").partition("/")[2]
        first_form = method == "GET" and of_bucket and query.keys() <= _FIRST_FORM
        wanted = _s3_query(query, first_form)
        if method == "POST" and "uploadId" in query:
            body = _lower_etags(body)
        if method == "PUT" and of_bucket:
            body = b""  # OSS's storage class, where S3 expects a region
        status, fields, content = self._call(method, path, wanted, _s3_headers(headers), body)
        document = _document(content, fields)
        if document is None:
            return status, _oss_headers(fields), content
        return status, _oss_headers(fields, document), _oss_body(document, first_form)

    def _exists(self, path: str) -> bool:
        return self._call("HEAD", path, {}, {}, b"")[0] == 200

    def _call(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> _Answer:
        url = f"http://s3.amazonaws.com{path}" + (f"?{urlencode(query)}" if query else "")
        signed = {**headers, "host": "s3.amazonaws.com", "authorization": _SIGNED}
        signed["content-length"] = str(len(body))
        asked = AWSPreparedRequest(method, url, signed, body, stream_output=False)
        answer = self._moto.process_request(asked)
        assert answer is not None
        status, fields, content = answer
        return status, dict(fields), content.encode() if isinstance(content, str) else content


_FIRST_FORM = {"prefix", "delimiter", "marker", "max-keys", "encoding-type"}


def _s3_query(query: dict[str, str], first_form: bool) -> dict[str, str]:
    """Leave out empty parameters but sub-resources; S3's first form of listing is not used.

    There common prefixes neither count nor are left behind by the marker.
    """
    kept = {n: v for n, v in query.items() if v or n in ("uploads", "delete", "tagging")}
    if first_form:
        kept["list-type"] = "2"
        if "marker" in kept:
            kept["start-after"] = kept.pop("marker")
    return kept


def _s3_headers(headers: dict[str, str]) -> dict[str, str]:
    s3 = {}
    for name, value in headers.items():
        _, prefix, rest = name.rpartition("x-oss-")
        if name in ("authorization", "host", "content-length", "date") or rest in _DROPPED:
            continue
        conditional = name.endswith(("if-match", "if-none-match"))
        s3[f"x-amz-{rest}" if prefix else name] = value.lower() if conditional else value
    return s3


def _document(content: bytes, fields: dict[str, str]) -> ElementTree.Element | None:
    kind = next((value for name, value in fields.items() if name.lower() == "content-type"), "")
    if "xml" not in kind or not content.lstrip().startswith(b"<"):
        return None
    root = ElementTree.fromstring(content)
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
        if node.tag == "ETag":
            node.text = str(node.text).upper()
    return root


def _oss_headers(
    fields: dict[str, str], document: ElementTree.Element | None = None
) -> dict[str, str]:
    named = {name.lower().replace("x-amz-", "x-oss-"): value for name, value in fields.items()}
    if "etag" in named:
        named["etag"] = named["etag"].upper()
    # S3 says the ETag of a copy and of a completed upload in the document only.
    if document is not None and document.tag in _WITH_ETAG:
        named["etag"] = document.findtext("ETag") or ""
    return named


_WITH_ETAG = ("CopyObjectResult", "CompleteMultipartUploadResult")


def _oss_body(root: ElementTree.Element, first_form: bool) -> bytes:
    for entry in root.findall("Contents"):
        ElementTree.SubElement(entry, "Type").text = "Normal"
    if first_form and root.findtext("IsTruncated") == "true":
        ElementTree.SubElement(root, "NextMarker").text = _last_item(root)
    if root.tag == "ListMultipartUploadsResult":
        for name in ("NextKeyMarker", "NextUploadIdMarker"):
            if root.find(name) is None:
                ElementTree.SubElement(root, name)
    return bytes(ElementTree.tostring(root))


def _last_item(root: ElementTree.Element) -> str:
    names = [node.text or "" for node in root.iterfind("Contents/Key")]
    names += [node.text or "" for node in root.iterfind("CommonPrefixes/Prefix")]
    return quote(max(map(unquote, names), key=str.encode))


def _lower_etags(body: bytes) -> bytes:
    root = ElementTree.fromstring(body)
    for node in root.iter("ETag"):
        node.text = str(node.text).lower()
    return bytes(ElementTree.tostring(root))


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _read(body: Any) -> bytes:
    return bytes(body.read()) if hasattr(body, "read") else bytes(body)


def _response(
    request: requests.PreparedRequest, status: int, fields: dict[str, str], content: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update(fields)
    response.raw = BytesIO(content)
    response.url = str(request.url)
    response.request = request
    return response
