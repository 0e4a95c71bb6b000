"""Cross-origin rules: what a page from elsewhere may ask of a bucket ("PutBucketCors" page)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from local.oss import xml
from local.oss.errors import OssError


@dataclass(frozen=True)
class Rule:
    """One CORSRule; origins and headers may hold one ``*``."""

    origins: list[str]
    methods: list[str]
    headers: list[str]
    exposed: list[str]
    max_age: str

    def allows(self, origin: str, method: str, asked: list[str]) -> bool:
        """Tell whether origin, method and all headers asked for are allowed."""
        return (
            any(_fits(origin, pattern) for pattern in self.origins)
            and method in self.methods
            and all(any(_fits(name, p.lower()) for p in self.headers) for name in asked)
        )


def varies(document: str | None) -> bool:
    """Tell whether every answer has to say that it depends on the origin (ResponseVary)."""
    if not document:
        return False
    root = xml.parse(document.encode(), "CORSConfiguration")
    return xml.text_of(root, "ResponseVary", "false").lower() == "true"


def find_rule(document: str | None, origin: str, method: str, headers: str = "") -> Rule | None:
    """Return the first rule of a CORSConfiguration that allows the request."""
    if not document or not origin:
        return None
    asked = [name.strip().lower() for name in headers.split(",") if name.strip()]
    root = xml.parse(document.encode(), "CORSConfiguration")
    rules = (_rule(node) for node in root.findall("CORSRule"))
    return next((rule for rule in rules if rule.allows(origin, method, asked)), None)


def preflight_headers(rule: Rule | None, origin: str, headers: str) -> dict[str, str]:
    """Return the headers of the answer to OPTIONS; raises OssError 403 without a rule."""
    if rule is None:
        text = (
            "CORSResponse: no CORS rule of the bucket allows this origin, method and headers; "
            "add one with PutBucketCors."
        )
        raise OssError(403, "AccessForbidden", text)
    answer = {
        **answer_headers(rule, origin),
        "Access-Control-Allow-Methods": ", ".join(rule.methods),
    }
    if headers:
        answer["Access-Control-Allow-Headers"] = headers
    if rule.max_age:
        answer["Access-Control-Max-Age"] = rule.max_age
    return answer


def answer_headers(rule: Rule, origin: str) -> dict[str, str]:
    """Return the headers that let a page read an answer."""
    headers = {"Access-Control-Allow-Origin": "*" if rule.origins == ["*"] else origin}
    if headers["Access-Control-Allow-Origin"] != "*":
        headers["Vary"] = "Origin"
    if rule.exposed:
        headers["Access-Control-Expose-Headers"] = ", ".join(rule.exposed)
    return headers


def _rule(node: xml.Element) -> Rule:
    def texts(tag: str) -> list[str]:
        return [found.text or "" for found in node.findall(tag)]

    return Rule(
        texts("AllowedOrigin"),
        texts("AllowedMethod"),
        texts("AllowedHeader"),
        texts("ExposeHeader"),
        xml.text_of(node, "MaxAgeSeconds", ""),
    )


def _fits(value: str, pattern: str) -> bool:
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatchcase(value, literal)
