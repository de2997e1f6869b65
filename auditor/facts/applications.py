"""On which plan does an app run, and is it linked to Application Insights that keeps what it is sent?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import Document, marker
from auditor.facts.look import Look
from auditor.facts.shapes import entries, mapping, props, text
from auditor.facts.sku_limits import plan_tier
from auditor.facts.unread import properties_of, unclear, undecided, unread
from auditor.inventory import Unknown

_LINK: Final = "/app-insights-resource-id"  # the tag by which the portal links an app, after `hidden-link:`
_SETTINGS: Final = frozenset({"applicationinsights_connection_string", "appinsights_instrumentationkey"})
# Live, the app settings take a POST that hands out secrets too, and Reader does not allow it.
_NOT_READ: Final = Unknown(
    reason="whether its app settings name Application Insights, which only its secrets' readers see"
)


def app_facts(app_id: str, document: Document, look: Look) -> Mapping[str, Any]:
    """`app_kind` and `plan_tier` of an app or a slot; of a function app also `app_insights`, whether it is linked."""
    kind = _kind(document)
    facts: dict[str, Any] = {"app_kind": kind, "plan_tier": plan_tier(document, look.get) or None}
    if isinstance(kind, Unknown) or kind == "function":
        facts["app_insights"] = _linked(app_id, document, look)
    return facts


def _kind(document: Document) -> str | Unknown:
    """`web`, `function`, or `workflow` for a Logic App (Standard), which is a function app underneath."""
    kind = text(document.get("kind")).lower()
    if not kind and marker(document):
        return unread(document, "the kind of the app")
    return "workflow" if "workflowapp" in kind else "function" if "functionapp" in kind else "web"


def _linked(app_id: str, document: Document, look: Look) -> bool | Unknown:
    for key, value in mapping(document.get("tags")).items():
        if isinstance(key, str) and key.replace(" ", "").lower() == f"hidden-link:{_LINK}":
            component = look.get(text(value)) if text(value) else None
            if component is not None and marker(component) is None:
                return True
    if not look.declared:
        return _NOT_READ
    return _declared(app_id, document, look)


def _declared(app_id: str, document: Document, look: Look) -> bool | Unknown:
    """A template says its app settings, in the app or beside it."""
    beside = look.get(f"{app_id}/config/appsettings")
    inside = mapping(props(document).get("siteConfig")).get("appSettings")
    for part in (
        document.get("properties"),
        props(document).get("siteConfig"),
        inside,
        mapping(beside).get("properties"),
    ):
        if undecided(part):
            return unclear("its app settings", part)
    names = {text(entry.get("name")).lower() for entry in entries(inside)}
    names |= {str(key).lower() for key in props(mapping(beside))}
    return bool(names & _SETTINGS)


def component_facts(_: str, document: Document, look: Look) -> Mapping[str, Any]:
    """`workspace`: whether Application Insights keeps its data in a workspace that is not known to be gone."""
    properties = properties_of(document, "Application Insights")
    if isinstance(properties, Unknown):
        return {"workspace": properties}
    workspace = properties.get("WorkspaceResourceId", properties.get("workspaceResourceId"))
    if undecided(workspace):
        return {"workspace": unclear("the workspace of Application Insights", workspace)}
    named = text(workspace)
    return {"workspace": bool(named) and look.resolve("log-analytics", named, None).exists is not False}
