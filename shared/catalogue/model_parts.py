"""Limits, prices and the other parts of a model file that say how a model is spoken to and paid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.catalogue.models import (
    Limits,
    MessagesForm,
    ModelNotice,
    Price,
    PriceTier,
    RegionPrice,
    Status,
)
from shared.catalogue.node import Node, title


def limits(node: Node) -> tuple[Limits, dict[str, Limits]]:
    """The limits, and by region those that differ."""
    return _limits(node), {name: _limits(one) for name, one in _by_region(node)}


def _by_region(node: Node) -> Iterator[tuple[str, Node]]:
    """A part of the file as it is in each region where something of it differs."""
    regions = node.maybe("by_region")
    if regions is not None:
        for name in regions.members():
            yield name, node.changed(regions[name])


def _limits(node: Node) -> Limits:
    at_once, pool = node.maybe("concurrent"), node.maybe("pool")
    return Limits(
        submissions=node["submissions"].of(int),
        per_seconds=node["per_seconds"].number(),
        concurrent=None if at_once is None else at_once.of(int),
        queue_ahead=node["queue_ahead"].of(int),
        pool=None if pool is None else pool.text(),
    )


def price(node: Node) -> Price:
    """The prices of all regions."""
    usual = _paid(node)
    return Price(
        currency=node["currency"].text(),
        per_image=usual.per_image,
        free_images=usual.free_images,
        payable=node["payable"].of(bool),
        checked=node["checked"].text(),
        by_region={name: _paid(one) for name, one in _by_region(node)},
        tiers=usual.tiers,
        per_input_image=usual.per_input_image,
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
    area, when = node.maybe("area_at_most"), node.maybe("when")
    return PriceTier(
        per_image=node["per_image"].number(),
        area_at_most=None if area is None else area.of(int),
        when=() if when is None else _conditions(when),
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
