"""Which data collection rules are associated with a machine or a cluster, and what do they send to where?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import COLLECTION_RULE_ASSOCIATIONS, Document, marker, normal_id
from auditor.facts.look import Look
from auditor.facts.shapes import entries, mapping, name, text
from auditor.facts.unread import listed, unclear, undecided, unread
from auditor.inventory import Unknown
from auditor.named import places_of_rule
from auditor.truth import Truth

Sources = Callable[[Mapping[str, Any]], Iterator[tuple[Truth, Mapping[str, Any]]]]
"""A rule's properties → its data sources of the kind that is looked for, and whether each takes in what is wanted."""

Obstacle = str | Unknown | None
"""What keeps records from a place that is there: nothing (None), something certain, or something not known."""

_WHAT: Final = "the data collection rule associations"
_DEEPEST: Final = 6  # a rule's own structure has no more levels
_TRANSFORMED: Final = Unknown(reason="the rule transforms what it collects, and may drop the wanted records")


class Collected(msgspec.Struct, frozen=True):
    """Whether something is collected and sent to a place not known to be gone; otherwise what is in the way."""

    truth: bool | Unknown
    gap: str = ""
    rules: tuple[str, ...] = ()  # names of the associated rules


def collected(resource_id: str, look: Look, sources: Sources, wanted: str) -> Collected:
    """Whether the rules associated with a resource collect what `sources` looks for, named `wanted` in words."""
    found = _associated(resource_id, look)
    if isinstance(found, Unknown):
        return Collected(found)
    if not found:
        return Collected(False, "no data collection rule is associated with it")
    names = tuple(sorted(rule_id.rpartition("/")[2] for rule_id in found))
    reasons: list[Unknown] = []
    gap = f"no associated data collection rule collects {wanted}"
    for rule_id in sorted(found):
        told = _sends(rule_id, look, sources)
        if told is None:
            return Collected(True, "", names)
        if isinstance(told, Unknown):
            reasons.append(told)
        elif told:
            gap = told
    return Collected(reasons[0] if reasons else False, gap, names)


def _associated(resource_id: str, look: Look) -> set[str] | Unknown:
    """Normal ids of the rules; associations with an endpoint only are none."""
    document = look.get(f"{resource_id}/providers/{COLLECTION_RULE_ASSOCIATIONS}")
    if document is not None and marker(document) in ("$absent", "$unsupported"):
        return set()
    if document is None and look.declared:
        return _declared(resource_id, look)
    items = listed(document, _WHAT)
    if isinstance(items, Unknown):
        return items
    return _rules_in(items)


def _declared(resource_id: str, look: Look) -> set[str] | Unknown:
    """A template declares each association as a resource of its own."""
    below = f"{normal_id(resource_id)}/providers/"
    mine = [look.documents[key] for key in look.of_type(COLLECTION_RULE_ASSOCIATIONS) if key.startswith(below)]
    return _rules_in(mine)


def _rules_in(items: Iterable[Any]) -> set[str] | Unknown:
    found: set[str] = set()
    for item in items:
        properties = mapping(item).get("properties")
        if not isinstance(properties, Mapping) or undecided(properties):
            return unclear(_WHAT, properties)
        rule = properties.get("dataCollectionRuleId")
        if undecided(rule):
            return unclear(_WHAT, rule)
        if text(rule):
            found.add(normal_id(text(rule)))
    return found


def _sends(rule_id: str, look: Look, sources: Sources) -> Obstacle:
    """What is in the way of one rule; "" where it collects something else."""
    rule = look.get(rule_id)
    if rule is None or marker(rule):
        if rule is not None and marker(rule) == "$absent":
            return "the data collection rule associated with it was deleted"
        return unread(rule, f"the data collection rule {rule_id.rpartition('/')[2]}")
    properties = rule.get("properties")
    if not isinstance(properties, Mapping) or undecided(properties):
        return unclear("the data collection rule", properties)
    gap: str | Unknown = ""
    for takes, source in sources(properties):
        if takes is False:
            continue
        flows = list(_flows(properties, source))
        told = _least(_obstacle(rule, properties, flow, look) for flow in flows) if flows else "its stream goes nowhere"
        if told is None and takes is True:
            return None
        if told is None:
            told = Unknown(reason="what a data collection rule collects is not decided yet")
        gap = gap if isinstance(gap, Unknown) else told
    if not isinstance(gap, Unknown) and _is_open(properties):
        return Unknown(reason="what a data collection rule collects is not decided yet")
    return gap


def _is_open(properties: Mapping[str, Any]) -> bool:
    """Whether any part of what a rule collects, and where it sends it, is not decided yet."""
    waiting = [(properties.get(key), 0) for key in ("dataSources", "dataFlows", "destinations")]
    while waiting:
        value, depth = waiting.pop()
        if undecided(value):
            return True
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        waiting += [(one, depth + 1) for one in inner] if depth < _DEEPEST else []
    return False


def _least(several: Iterable[Obstacle]) -> Obstacle:
    """Of several ways one is enough, and one that is not known may be enough."""
    found = list(several)
    if None in found:
        return None
    return next((one for one in found if isinstance(one, Unknown)), found[0])


def _flows(properties: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The data flows that take up a stream of a data source."""
    streams = {text(s).lower() for s in source.get("streams") or () if text(s)}
    for flow in entries(properties.get("dataFlows")):
        if streams & {text(s).lower() for s in flow.get("streams") or () if text(s)}:
            yield flow


def _obstacle(rule: Document, properties: Mapping[str, Any], flow: Mapping[str, Any], look: Look) -> Obstacle:
    wanted = {text(d).lower() for d in flow.get("destinations") or () if text(d)}
    transform = flow.get("transformKql")
    found: list[Obstacle] = []
    for kind, place_id in places_of_rule(properties, wanted):
        if look.resolve(kind, place_id, None).exists is False:
            found.append(f"{name(rule)} sends to {place_id.rpartition('/')[2]}, which was deleted")
        elif undecided(transform) or (text(transform) and text(transform).lower() != "source"):
            found.append(_TRANSFORMED)
        else:
            found.append(None)  # a place that could not be read is not known to be gone
    return _least(found) if found else f"{name(rule)} names no place that keeps logs"


def data_sources(properties: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """A rule's data sources of a kind: `windowsEventLogs`, `syslog`, `extensions`."""
    return entries(mapping(properties.get("dataSources")).get(kind))
