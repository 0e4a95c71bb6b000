"""Who is asking: checks signatures of version 1 and 4, in headers and in presigned URLs."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from local.oss import signature_v1, signature_v4
from local.oss.errors import OssError, access_denied, invalid_argument, not_implemented

MAX_SKEW_SECONDS = 900
MAX_V4_EXPIRES_SECONDS = 604800
_V4_TIME = "%Y%m%dT%H%M%SZ"
_V4_HEADER = re.compile(
    r"OSS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+)"
    r"(?:,\s*AdditionalHeaders=(?P<additional>[^,\s]*))?"
    r",\s*Signature=(?P<signature>[0-9a-fA-F]+)"
    r"(?:,\s*AdditionalHeaders=(?P<additional_last>[^,\s]*))?\s*"
)


@dataclass(frozen=True)
class Credentials:
    """An access key pair; with a token it is temporary and good only together with it.

    `role` is the role whose policy limits what they may do; the account's own have none.
    """

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    role: str = ""


@dataclass(frozen=True)
class SignedCall:
    """What a signature covers. Header names are lower-case, query values decoded."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def resource(self) -> str:
        """The path signed in every addressing style."""
        return f"/{self.bucket}/{self.key}" if self.bucket else "/"


@dataclass(frozen=True)
class _V4Form:
    """What a version 4 request says of its signature."""

    signer: Credentials
    scope: signature_v4.Scope
    date_time: str
    additional: str
    given: str


class Authenticator:
    """Checks requests against the account's key pair and those of its roles, for one region."""

    def __init__(
        self, credentials: Credentials, region: str, of_roles: Iterable[Credentials] = ()
    ) -> None:
        self.root = credentials
        self.region = region
        self._known = {one.key_id: one for one in (*of_roles, credentials)}

    def check(self, call: SignedCall, now: float) -> Credentials | None:
        """Return None for an anonymous request, whose it is for a well-signed one.

        Raises OssError (403, or 400 for what is no signature at all) otherwise. ``now`` is Unix
        time in seconds.
        """
        header = call.headers.get("authorization", "")
        _refuse_other_schemes(header, call.query)
        if header.startswith("OSS4-"):
            return self._v4_header(call, header, now)
        if header.startswith("OSS "):
            return self._v1_header(call, header, now)
        if header:
            raise invalid_argument(
                "The Authorization header begins neither with OSS nor with OSS4-HMAC-SHA256."
            )
        if "x-oss-signature-version" in call.query or "x-oss-signature" in call.query:
            return self._v4_url(call, now)
        if "Signature" in call.query or "OSSAccessKeyId" in call.query:
            return self._v1_url(call, now)
        return None

    def check_key(self, key_id: str, token: str) -> Credentials:
        """Refuse an unknown access key and a token that is missing, wrong or not asked for."""
        known = self._known.get(key_id)
        if known is None:
            text = f"The OSS Access Key Id {key_id!r} does not exist; check OSS_ACCESS_KEY_ID."
            raise OssError(403, "InvalidAccessKeyId", text)
        if hmac.compare_digest(token.encode(), known.token.encode()):
            return known
        if not token:
            text = "This access key is temporary and needs its security token; none was sent."
            raise OssError(403, "InvalidAccessKeyId", text)
        raise OssError(
            403, "InvalidSecurityToken", "The security token does not belong to the access key."
        )

    def compare(self, signer: Credentials, expected: str, given: str, signed: str) -> None:
        """Refuse a signature that is not the expected one, showing what should have been signed."""
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            text = (
                "The request signature does not match; check the key secret and that nothing was "
                f"changed after signing. The server signed: {_redacted(signed, signer.token)!r}"
            )
            raise OssError(403, "SignatureDoesNotMatch", text)

    def _v1_header(self, call: SignedCall, header: str, now: float) -> Credentials:
        key_id, colon, given = header[len("OSS ") :].strip().rpartition(":")
        if not colon:
            raise invalid_argument(
                "The Authorization header is not of the form 'OSS KEYID:SIGNATURE'."
            )
        # alibabacloud-oss-v2 sends the token of a version 1 request under the shorter name.
        token = call.headers.get("x-oss-security-token") or call.headers.get("security-token", "")
        signer = self.check_key(key_id, token)
        date = call.headers.get("x-oss-date") or call.headers.get("date", "")
        _check_skew(_http_time(date), now)
        return self._compare_v1(call, signer, date, given)

    def _v1_url(self, call: SignedCall, now: float) -> Credentials:
        query = call.query
        missing = [n for n in ("OSSAccessKeyId", "Expires", "Signature") if not query.get(n)]
        if missing:
            raise access_denied(f"The presigned URL lacks the query parameter {missing[0]}.")
        signer = self.check_key(query["OSSAccessKeyId"], query.get("security-token", ""))
        if not re.fullmatch(r"\d{1,12}", query["Expires"]):
            raise access_denied("Expires of the presigned URL is not a Unix time in seconds.")
        if now > int(query["Expires"]):
            raise access_denied(f"Request has expired: Expires={query['Expires']}; sign a new URL.")
        return self._compare_v1(call, signer, query["Expires"], query["Signature"])

    def _compare_v1(
        self, call: SignedCall, signer: Credentials, date: str, given: str
    ) -> Credentials:
        text = signature_v1.string_to_sign(
            call.method, call.headers, date, call.bucket, call.key, call.query
        )
        self.compare(signer, signature_v1.sign(signer.secret, text), given, text)
        return signer

    def _v4_header(self, call: SignedCall, header: str, now: float) -> Credentials:
        match = _V4_HEADER.fullmatch(header)
        if not match:
            raise invalid_argument("The Authorization header is not a version 4 signature.")
        date_time = call.headers.get("x-oss-date", "")
        signer, scope = self.scope(
            match["credential"], date_time, call.headers.get("x-oss-security-token", "")
        )
        _check_skew(v4_time(date_time), now)
        additional = match["additional"] or match["additional_last"] or ""
        form = _V4Form(signer, scope, date_time, additional, match["signature"])
        return self._compare_v4(call, call.query, form)

    def _v4_url(self, call: SignedCall, now: float) -> Credentials:
        query = dict(call.query)
        given = query.pop("x-oss-signature", "")
        if query.get("x-oss-signature-version") != signature_v4.ALGORITHM:
            raise invalid_argument(f"x-oss-signature-version must be {signature_v4.ALGORITHM}.")
        date_time = query.get("x-oss-date", "")
        token = query.get("x-oss-security-token", "")
        signer, scope = self.scope(query.get("x-oss-credential", ""), date_time, token)
        seconds = v4_expires(query.get("x-oss-expires", ""))
        start = v4_time(date_time)
        if start > now + MAX_SKEW_SECONDS:
            raise access_denied(
                "The presigned URL is not valid yet: x-oss-date lies in the future."
            )
        if now > start + seconds:
            raise access_denied(
                f"Request has expired: {seconds} s after {date_time}; sign a new URL."
            )
        additional = query.get("x-oss-additional-headers", "")
        form = _V4Form(signer, scope, date_time, additional, given)
        return self._compare_v4(call, query, form)

    def scope(
        self, credential: str, date_time: str, token: str
    ) -> tuple[Credentials, signature_v4.Scope]:
        """Check a ``Credential``: whose it is and its scope; raises OssError if not ours."""
        parts = credential.rsplit("/", 4)
        if len(parts) != 5 or parts[3:] != ["oss", signature_v4.TERMINATOR]:
            raise invalid_argument(
                "The credential is not of the form KEYID/yyyymmdd/REGION/oss/aliyun_v4_request."
            )
        signer = self.check_key(parts[0], token)
        if parts[1] != date_time[:8]:
            raise access_denied("The date in the credential is not the date of x-oss-date.")
        if parts[2] != self.region:
            text = f"Invalid signing region {parts[2]!r}; this server is in {self.region!r}."
            raise OssError(403, "SignatureDoesNotMatch", text)
        return signer, signature_v4.Scope(parts[1], parts[2], parts[3])

    def _compare_v4(self, call: SignedCall, query: Mapping[str, str], form: _V4Form) -> Credentials:
        names = [name for name in form.additional.lower().split(";") if name]
        canonical = signature_v4.canonical_request(
            call.method, call.resource, query, call.headers, names
        )
        expected = signature_v4.sign(form.signer.secret, form.scope, form.date_time, canonical)
        self.compare(form.signer, expected, form.given.lower(), canonical)
        return form.signer


def _refuse_other_schemes(header: str, query: Mapping[str, str]) -> None:
    """Raise OssError 501 for signatures that the service knows and this server does not."""
    if header.startswith("AWS") or {"X-Amz-Algorithm", "AWSAccessKeyId"} & query.keys():
        raise not_implemented(
            "This server does not offer S3-compatible signing (AWS4-HMAC-SHA256), which rclone, "
            "s3cmd and s3fs use; take a client of OSS's own API, such as oss2 or ali-oss."
        )
    if header.startswith("OSS2") or query.get("x-oss-signature-version") == "OSS2":
        raise not_implemented(
            "This server does not offer signature version 2 (OSS2); sign with version 1 or 4."
        )


def _redacted(text: str, token: str) -> str:
    if not token:
        return text
    return text.replace(token, "***").replace(quote(token, safe="~"), "***")


def v4_time(text: str) -> float:
    """Return Unix seconds of ``yyyymmddThhmmssZ``; raises OssError (403) for anything else."""
    try:
        return datetime.strptime(text, _V4_TIME).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise access_denied(f"x-oss-date {text!r} is not of the form yyyymmddThhmmssZ.") from None


def v4_expires(text: str) -> int:
    """Return the validity in seconds, which has to lie in 1 to 604800."""
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= MAX_V4_EXPIRES_SECONDS:
        raise access_denied(f"x-oss-expires must be 1 to {MAX_V4_EXPIRES_SECONDS}; it is {text!r}.")
    return int(text)


def _http_time(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        raise access_denied(
            f"The request needs a Date or x-oss-date in GMT; it has {text!r}."
        ) from None


def _check_skew(then: float, now: float) -> None:
    if abs(now - then) > MAX_SKEW_SECONDS:
        text = (
            "The difference between the request time and the server's time is too large "
            f"({round(now - then)} s, allowed {MAX_SKEW_SECONDS} s); set the clock."
        )
        raise OssError(403, "RequestTimeTooSkewed", text)
