"""The image rules of a model file."""

from __future__ import annotations

from collections.abc import Mapping

from shared.catalogue.models import AspectAdvice, ImageRule, Marks, Remark, SideBounds
from shared.catalogue.node import Node, title


def image_rule(node: Node, sources: Mapping[str, str]) -> ImageRule:
    """The rule for the images at one place of the request."""
    formats, alpha = node["formats"], node.maybe("alpha")
    inline, same_size = node.maybe("inline_warn_above"), node.maybe("same_size_as")
    advice, forbidden = node.maybe("aspect"), alpha and alpha.maybe("forbidden")
    return ImageRule(
        at=node["at"].text(),
        accept=formats["accept"].texts(),
        warn=_warnings(formats, sources),
        formats_source=title(formats, sources),
        side=_side(node["side"], sources),
        aspect=() if advice is None else tuple(_aspect(item, sources) for item in advice.items()),
        max_bytes=node["max_bytes"].of(int),
        alpha_forbidden=() if forbidden is None else forbidden.texts(),
        inline=node["inline"].of(bool),
        inline_warn_above=None if inline is None else inline["characters"].of(int),
        inline_source="" if inline is None else title(inline, sources),
        ascii_url=node["ascii_url"].of(bool),
        same_size_as=None if same_size is None else same_size.text(),
        source=title(node, sources),
        alpha_remark=_alpha_remark(alpha, sources),
        marks=_marks(node.maybe("marks"), sources),
    )


def _alpha_remark(node: Node | None, sources: Mapping[str, str]) -> Remark | None:
    notice = node and node.maybe("notice")
    return Remark(notice.text(), title(node, sources)) if node and notice else None


def _marks(node: Node | None, sources: Mapping[str, str]) -> Marks | None:
    if node is None:
        return None
    colours, unless = node.maybe("colours"), node.maybe("unless")
    return Marks(
        node["what"].text(),
        node["colour"].text(),
        None if colours is None else colours.text(),
        None if unless is None else unless.text(),
        title(node, sources),
    )


def _warnings(formats: Node, sources: Mapping[str, str]) -> dict[str, Remark]:
    warn = formats.maybe("warn")
    if warn is None:
        return {}
    remarks = ((name, warn[name]) for name in warn.members())
    return {name: Remark(node["reason"].text(), title(node, sources)) for name, node in remarks}


def _side(node: Node, sources: Mapping[str, str]) -> SideBounds:
    smallest, largest = node["min"].of(int), node["max"].of(int)
    exclusive, advised = node["exclusive"].of(bool), node.maybe("advised")
    source, notice = title(node, sources), advised is not None and advised.of(bool)
    return SideBounds(smallest, largest, exclusive, source, notice)


def _aspect(node: Node, sources: Mapping[str, str]) -> AspectAdvice:
    bounds = [node.maybe(key) for key in ("min", "max", "below")]
    smallest, largest, below = (None if bound is None else bound.number() for bound in bounds)
    return AspectAdvice(smallest, largest, below, node["reason"].text(), title(node, sources))
