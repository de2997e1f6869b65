"""Do the logs of a cluster's containers reach a place that is there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.documents import Document
from auditor.facts.collection_rules import Collected, collected, data_sources
from auditor.facts.look import Look
from auditor.facts.shapes import mapping, text
from auditor.facts.unread import properties_of, unclear, undecided
from auditor.inventory import Unknown
from auditor.truth import Truth

_STREAMS: Final = frozenset(
    {
        "microsoft-containerlog",
        "microsoft-containerlogv2",
        "microsoft-containerlogv2-highscale",
        "microsoft-containerinsights-group-default",
    }
)


def cluster_facts(cluster_id: str, document: Document, look: Look) -> Mapping[str, Any]:
    """`container_logs`, whether Container Insights collects them, and what is in the way of it."""
    found = _container_logs(cluster_id, document, look)
    return {"container_logs": found.truth, "container_gap": found.gap or None, "collection_rules": list(found.rules)}


def _container_logs(cluster_id: str, document: Document, look: Look) -> Collected:
    properties = properties_of(document, "the cluster")
    if isinstance(properties, Unknown):
        return Collected(properties)
    profiles = properties.get("addonProfiles")
    addons = {key.lower(): value for key, value in mapping(profiles).items()}
    addon = mapping(addons.get("omsagent"))
    for part in (profiles, addon, addon.get("enabled")):
        if undecided(part):
            return Collected(unclear("the addons of the cluster", part))
    if addon.get("enabled") is not True:
        return Collected(False, "Container Insights is not switched on")
    settings = {key.lower(): value for key, value in mapping(addon.get("config")).items()}
    if str(settings.get("useaadauth")).lower() == "true":
        return collected(cluster_id, look, _containers, "the logs of containers")
    workspace = text(settings.get("loganalyticsworkspaceresourceid"))
    if not workspace:
        return Collected(unclear("the workspace of Container Insights"))
    if look.resolve("log-analytics", workspace, None).exists is False:
        return Collected(False, f"its workspace {workspace.rpartition('/')[2]} was deleted")
    return Collected(True)


def _containers(properties: Mapping[str, Any]) -> Iterator[tuple[Truth, Mapping[str, Any]]]:
    for source in data_sources(properties, "extensions"):
        if text(source.get("extensionName")).lower() == "containerinsights":
            streams = source.get("streams")
            wanted = [s for s in streams if text(s).lower() in _STREAMS] if isinstance(streams, list) else []
            yield bool(wanted), {**source, "streams": wanted}
