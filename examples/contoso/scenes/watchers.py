"""Network watchers and their flow logs, each with what the four rules about flow logs must say of it."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.cables import NET
from scenes.estate import Doc, Estate, Place, Status, guid, rid
from scenes.places import LAW_NET

FLOW = f"{NET}/networkWatchers/flowLogs"
# Rules about networks, and what is most often said of flow logs.
VNETS = "virtual-network-flow-logs"
OPEN = "public-nsg-flow-logs"
WATCHERS = "network-watcher-per-region"
GOOD = "enabled, and everything it needs is there"


@dataclass
class Watcher:
    """A network watcher with its flow logs."""

    estate: Estate
    subscription: str
    region: str
    id: str
    items: list[Doc]


def watcher(estate: Estate, subscription: str, region: str, state: str = "Succeeded") -> Watcher:
    """Place a network watcher, where Azure puts it by itself."""
    name = f"NetworkWatcher_{region}"
    watcher_id = rid(subscription, "NetworkWatcherRG", f"{NET}/networkWatchers", name)
    document = {"id": watcher_id, "type": f"{NET}/networkWatchers", "name": name, "location": region, "tags": {}}
    estate.add({**document, "properties": {"provisioningState": state, "runningOperationIds": []}})
    return Watcher(estate, subscription, region, watcher_id, [])


RULES = ("flow-log-delivers", "flow-log-traffic-analytics", "flow-log-retention", "nsg-flow-log-retirement")
WORDS: dict[str, Status] = {"p": "pass", "f": "fail", "u": "unknown"}


def flow_log(
    of: Watcher,
    name: str,
    target: str,
    storage: Place,
    answers: str,
    why: str,
    *,
    enabled: bool = True,
    state: str = "Succeeded",
    retention: tuple[bool, int] | None = (False, 0),
    analytics: Place | None = LAW_NET,
    analytics_on: bool = True,
    filtering: str = "",
    records: str = "",
) -> str:
    """Add a flow log; `answers` has a letter for each of RULES (`-`: the rule does not ask)."""
    log_id = f"{of.id}/flowLogs/{name}"
    of.estate.name_place(storage)
    properties: Doc = {
        "provisioningState": state,
        "targetResourceId": target,
        "targetResourceGuid": guid(f"target/{target}"),
        "storageId": storage.id,
        "enabled": enabled,
        "retentionPolicy": {"enabled": retention[0], "days": retention[1]} if retention else None,
        "format": {"type": "JSON", "version": 2},
        "enabledFilteringCriteria": filtering,
        "recordTypes": records or "B,C,E,D",
        "flowAnalyticsConfiguration": {},
    }
    if analytics:
        properties["flowAnalyticsConfiguration"] = {
            "networkWatcherFlowAnalyticsConfiguration": {
                "enabled": analytics_on,
                "workspaceId": guid(f"workspace/{analytics.id.rpartition('/')[2]}"),
                "workspaceRegion": "westeurope",
                "workspaceResourceId": analytics.id,
                "trafficAnalyticsInterval": 10,
            }
        }
    of.items.append({"id": log_id, "type": FLOW, "name": name, "location": of.region, "properties": properties})
    lost = analytics is not None and analytics_on  # it is meant to be analysed, and nothing arrives
    for rule, letter in zip(RULES, answers, strict=True):
        if letter != "-":
            grave = lost and letter == "f" and rule == "flow-log-traffic-analytics"
            of.estate.answer(rule, log_id, WORDS[letter], why, "medium" if grave else "")
    return log_id


def close(of: Watcher) -> None:
    """Put the list of a watcher's flow logs into the estate."""
    of.estate.listing(f"{of.id}/flowLogs", FLOW, of.items)
