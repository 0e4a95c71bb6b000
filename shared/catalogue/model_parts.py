"""The parts of a model file: limits, prices, how a model is spoken to, what its images must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.catalogue.index import numbers_of
from shared.catalogue.models import (
    AspectAdvice,
    ImageNumber,
    ImageRule,
    Limits,
    Marks,
    MessagesForm,
    Price,
    PriceTier,
    Reading,
    RegionPrice,
    Remark,
    SideBounds,
)
from shared.catalogue.node import Node, title
from shared.catalogue.status import ModelNotice, Status

READ = ("price", "limits", "lifecycle")
"""The parts that change at the service, and say when they were last read."""


def limits(node: Node) -> tuple[Limits, dict[str, Limits]]:
    """The limits, and by region those that differ."""
    return _limits(node), {name: _limits(one) for name, one in node.in_regions()}


def _limits(node: Node) -> Limits:
    pool = node.maybe("pool")
    return Limits(**numbers_of(node), pool=None if pool is None else pool.text())


def price(node: Node) -> Price:
    """The prices of all regions."""
    usual, empty = _paid(node), node.maybe("billed_without_images")
    return Price(
        currency=node["currency"].text(),
        per_image=usual.per_image,
        free_images=usual.free_images,
        payable=node["payable"].of(bool),
        checked=node["checked"].text(),
        by_region={name: _paid(one) for name, one in node.in_regions()},
        tiers=usual.tiers,
        per_input_image=usual.per_input_image,
        billed_without_images=empty is not None and empty.of(bool),
    )


def _paid(node: Node) -> RegionPrice:
    tiers, inputs = node.maybe("tiers"), node.maybe("per_input_image")
    return RegionPrice(
        per_image=node["per_image"].number(),
        free_images=node["free_images"].of(int),
        tiers=() if tiers is None else tuple(_tier(tier) for tier in tiers.items()),
        per_input_image=0.0 if inputs is None else inputs.number(),
    )


def _tier(node: Node) -> PriceTier:
    area, when, after = (node.maybe(key) for key in ("area_at_most", "when", "after_images"))
    return PriceTier(
        per_image=node["per_image"].number(),
        area_at_most=None if area is None else area.of(int),
        when=() if when is None else _conditions(when),
        after_images=None if after is None else after.of(int),
    )


def numbers(node: Node | None) -> tuple[ImageNumber, ...]:
    """Which fields say how many images are made."""
    return () if node is None else tuple(_number(one) for one in node.items())


def _number(node: Node) -> ImageNumber:
    when, fewer = node.maybe("when"), node.maybe("fewer")
    return ImageNumber(
        node["at"].text(),
        () if when is None else _conditions(when),
        fewer is not None and fewer.of(bool),
    )


def _conditions(node: Node) -> tuple[Mapping[str, Any], ...]:
    if isinstance(node.value, dict):
        return (node.members(),)
    return tuple(item.members() for item in node.items())


def messages(node: Node | None) -> MessagesForm | None:
    """How the one message is made, if there is one."""
    if node is None:
        return None
    images, parameters = node.maybe("images"), node.maybe("parameters")
    return MessagesForm(
        text=node["text"].text(),
        images=None if images is None else images.text(),
        parameters=() if parameters is None else parameters.texts(),
    )


def status(node: Node | None, sources: Mapping[str, str]) -> Status | None:
    """What is said of a model that is going, or gone."""
    if node is None:
        return None
    successor = node.maybe("successor")
    conversion = successor and successor.maybe("conversion")
    return Status(
        state=node["state"].text(),
        since=node["since"].text(),
        reason=node["reason"]["en"].text(),
        reason_zh=node["reason"]["zh"].text(),
        source=title(node, sources),
        successor=None if successor is None else successor["model"].text(),
        conversion={} if conversion is None else conversion.members(),
    )


def notice(node: Node, sources: Mapping[str, str]) -> ModelNotice:
    """A notice, with the title of its source."""
    return ModelNotice(node["en"].text(), node["zh"].text(), title(node, sources))


def reading(node: Node, sources: Mapping[str, str]) -> Reading:
    """When a part of the file was last read, and where."""
    return Reading(node["checked"].day(), title(node, sources))


def image_rule(node: Node, sources: Mapping[str, str]) -> ImageRule:
    """The rule for the images at one place of the request."""
    formats, alpha = node["formats"], node.maybe("alpha")
    inline, same_size = node.maybe("inline_warn_above"), node.maybe("same_size_as")
    advice, forbidden = node.maybe("aspect"), alpha and alpha.maybe("forbidden")
    least = node.maybe("min_bytes")
    return ImageRule(
        at=node["at"].text(),
        accept=formats["accept"].texts(),
        warn=_warnings(formats, sources),
        formats_source=title(formats, sources),
        side=_side(node.maybe("side"), sources),
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
        min_bytes=1 if least is None else least.of(int),
        rgba=bool(alpha and alpha.maybe("required")),
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


def _side(node: Node | None, sources: Mapping[str, str]) -> SideBounds:
    if node is None:
        return SideBounds(1, None, False, "")
    smallest, shorter, advised = (node.maybe(key) for key in ("min", "shorter_max", "advised"))
    return SideBounds(
        smallest=1 if smallest is None else smallest.of(int),
        largest=node["max"].of(int),
        exclusive=node["exclusive"].of(bool),
        source=title(node, sources),
        advised=advised is not None and advised.of(bool),
        shorter=None if shorter is None else shorter.of(int),
    )


def _aspect(node: Node, sources: Mapping[str, str]) -> AspectAdvice:
    bounds = [node.maybe(key) for key in ("min", "max", "below")]
    smallest, largest, below = (None if bound is None else bound.number() for bound in bounds)
    refused, source = node.maybe("refused"), title(node, sources)
    reason = node["reason"].text()
    return AspectAdvice(smallest, largest, below, reason, source, refused is not None)
