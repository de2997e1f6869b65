"""Which agents does a machine have, and do its security events reach a place that is there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.documents import Document, marker, normal_id, parent_of, resource_group_of, subscription_of
from auditor.facts.collection_rules import Collected, collected, data_sources
from auditor.facts.look import Look
from auditor.facts.shapes import entries, mapping, props, text
from auditor.facts.unread import properties_of, undecided
from auditor.inventory import Unknown
from auditor.truth import Truth

_KINDS: Final = {  # type of extension → agent; the last four have been retired
    "azuremonitorwindowsagent": "azure-monitor-agent",
    "azuremonitorlinuxagent": "azure-monitor-agent",
    "microsoftmonitoringagent": "log-analytics-agent",
    "omsagentforlinux": "log-analytics-agent",
    "iaasdiagnostics": "diagnostics-extension",
    "linuxdiagnostic": "diagnostics-extension",
}
_CURRENT: Final = "azure-monitor-agent"
_EXTENSIONS: Final = ("microsoft.compute/virtualmachines/extensions", "microsoft.hybridcompute/machines/extensions")
# Clusters and workspaces whose nodes Azure runs, in a resource group of their own: what names that group.
_RUN_BY_AZURE: Final = {
    "microsoft.containerservice/managedclusters": "nodeResourceGroup",
    "microsoft.databricks/workspaces": "managedResourceGroupId",
}
_NO_AGENT: Final = "it has no Azure Monitor Agent"
_EXTENSION_UNCLEAR: Final = Unknown(reason="an extension: its kind could not be read")
_FAILED: Final = Unknown(reason="the Azure Monitor Agent: its extension did not provision, so it may or may not run")
_LOGINS: Final = frozenset({"auth", "authpriv"})


def machine_facts(machine_id: str, document: Document, look: Look) -> Mapping[str, Any]:
    """What rules read of a machine or a scale set: its system, its agents, and whether its security events arrive."""
    installed = _agents(machine_id, document, look)
    facts: dict[str, Any] = {
        "os": _os(document),
        "run_by_azure": _run_by_azure(machine_id, look),
        "machines_apart": _is_shell(document),
    }
    told = facts["agent"] = _of(installed, _CURRENT)
    unclear = next((state for kind, state in installed if not kind), None)
    kinds = {kind for kind, _ in installed}
    facts["agents"] = sorted(kinds) if unclear is None else unclear
    facts["retired_agents"] = sorted(kinds - {_CURRENT}) if unclear is None else unclear
    found = _events(machine_id, facts["os"], look) if told is not False else Collected(False, _NO_AGENT)
    truth = found.truth
    if isinstance(told, Unknown) and truth is not False:
        truth = told
    facts["security_events"] = truth
    facts["security_gap"] = found.gap or None
    facts["collection_rules"] = list(found.rules)
    return facts


# --- agents -----------------------------------------------------------------------------------------------------------

Installed = list[tuple[str, bool | Unknown]]
"""(agent, whether it is there); an extension of which not even the kind is known has the agent ""."""


def _agents(machine_id: str, document: Document, look: Look) -> Installed:
    children = look.once(_extensions).get(normal_id(machine_id), ())
    found = [_agent(look.documents[key]) for key in children]
    profile = mapping(mapping(props(document).get("virtualMachineProfile")).get("extensionProfile"))
    found += [_agent(extension) for extension in entries(profile.get("extensions"))]
    if _is_scale_set(document) and isinstance(properties_of(document, "the scale set"), Unknown):
        found.append(("", _EXTENSION_UNCLEAR))
    return [agent for agent in found if agent is not None]


def _extensions(look: Look) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for kind in _EXTENSIONS:
        for key in look.of_type(kind):
            index.setdefault(normal_id(parent_of(key)), []).append(key)
    return index


def _agent(extension: Mapping[str, Any]) -> tuple[str, bool | Unknown] | None:
    properties = extension.get("properties")
    if marker(extension) == "$absent":
        return None
    if not isinstance(properties, Mapping) or undecided(properties) or undecided(properties.get("type")):
        return "", _EXTENSION_UNCLEAR
    kind = _KINDS.get(text(properties.get("type")).lower())
    if kind is None:
        return None
    failed = text(properties.get("provisioningState")).lower() in ("failed", "canceled")
    return kind, _FAILED if failed else True


def _of(installed: Installed, agent: str) -> bool | Unknown:
    states = [state for kind, state in installed if kind in (agent, "")]
    if any(state is True for state in states):
        return True
    return next((state for state in states if isinstance(state, Unknown)), False)


# --- what they collect ------------------------------------------------------------------------------------------------


def _events(machine_id: str, system: str | Unknown, look: Look) -> Collected:
    if system == "windows":
        return collected(machine_id, look, _windows, "the Security event log")
    if system == "linux":
        return collected(machine_id, look, _linux, "the facilities auth and authpriv")
    both = [collected(machine_id, look, sources, "security events") for sources in (_windows, _linux)]
    if both[0].truth == both[1].truth:  # whatever the system is
        return both[0]
    why = system if isinstance(system, Unknown) else Unknown(reason="the operating system of the machine is not known")
    return Collected(why, both[0].gap, both[0].rules)


def _windows(properties: Mapping[str, Any]) -> Iterator[tuple[Truth, Mapping[str, Any]]]:
    for source in data_sources(properties, "windowsEventLogs"):
        queries = source.get("xPathQueries")
        if undecided(queries):
            yield None, source
        else:
            told = [text(query).lower() for query in queries] if isinstance(queries, list) else []
            yield any(query.startswith("security!") for query in told), source


def _linux(properties: Mapping[str, Any]) -> Iterator[tuple[Truth, Mapping[str, Any]]]:
    """Logins are told at the level Info, to auth by some distributions and to authpriv by others."""
    for source in data_sources(properties, "syslog"):
        facilities, levels = source.get("facilityNames"), source.get("logLevels")
        if undecided(facilities) or undecided(levels):
            yield None, source
            continue
        names = _lower(facilities)
        yield (("*" in names or names >= _LOGINS) and not _lower(levels).isdisjoint({"*", "info"})), source


def _lower(values: object) -> set[str]:
    return {text(value).lower() for value in values if text(value)} if isinstance(values, list) else set()


# --- the machine ------------------------------------------------------------------------------------------------------


def _os(document: Document) -> str | Unknown:
    """`windows`, `linux`, or why that is not known."""
    properties = props(document)
    profile = mapping(properties.get("virtualMachineProfile")) or properties
    disk = mapping(mapping(profile.get("storageProfile")).get("osDisk"))
    system = text(disk.get("osType")) or text(properties.get("osType"))
    told = mapping(profile.get("osProfile"))
    if not system and told:
        system = "windows" if "windowsConfiguration" in told else "linux" if "linuxConfiguration" in told else ""
    if system.lower() in ("windows", "linux"):
        return system.lower()
    return Unknown(reason="the operating system of the machine is not known")


def _is_scale_set(document: Document) -> bool:
    return text(document.get("type")).lower().endswith("/virtualmachinescalesets")


def _is_shell(document: Document) -> bool | Unknown:
    """A flexible scale set: its machines are resources by themselves, with agents of their own."""
    if not _is_scale_set(document):
        return False
    properties = properties_of(document, "the scale set")
    if isinstance(properties, Unknown):
        return properties
    return text(properties.get("orchestrationMode")).lower() == "flexible"


def _group(resource_id: str) -> str:
    return f"{subscription_of(resource_id)}/{resource_group_of(resource_id)}".lower()


def _run_by_azure(machine_id: str, look: Look) -> bool | Unknown:
    groups, unclear_in = look.once(_groups_run_by_azure)
    if _group(machine_id) in groups:
        return True
    return unclear_in.get(subscription_of(machine_id), False)


def _groups_run_by_azure(look: Look) -> tuple[frozenset[str], Mapping[str, Unknown]]:
    """The resource groups of nodes; by subscription, why not all of them are known."""
    found: set[str] = set()
    unclear_in: dict[str, Unknown] = {}
    for kind, key in _RUN_BY_AZURE.items():
        for doc_id in look.of_type(kind):
            properties = properties_of(look.documents[doc_id], "whose node the machine may be")
            if isinstance(properties, Unknown):
                unclear_in.setdefault(subscription_of(doc_id), properties)
                continue
            group = text(properties.get(key)).rstrip("/").rpartition("/")[2]
            if group:
                found.add(f"{subscription_of(doc_id)}/{group}".lower())
    return frozenset(found), unclear_in
