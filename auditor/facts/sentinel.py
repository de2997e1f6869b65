"""Is Microsoft Sentinel at work in a workspace, does it log its own health, whose alerts does it take in?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor.catalog import categories_of
from auditor.documents import SENTINEL_CONNECTORS, Document, marker, sentinel_health_id, settings_id
from auditor.facts.look import Look
from auditor.facts.settings import settings_of
from auditor.facts.shapes import entries, mapping, props, text
from auditor.facts.unread import unread
from auditor.facts.workspaces import sentinel_on
from auditor.inventory import UNPUBLISHED, Unknown

_HEALTH: Final = "Microsoft.SecurityInsights/settings"
_ONE_SUBSCRIPTION: Final = "azuresecuritycenter"
_WHOLE_TENANT: Final = "microsoftdefenderforcloudtenantbased"
_XDR: Final = "microsoftthreatprotection"


def sentinel_facts(workspace: str, _document: Document, look: Look) -> dict[str, Any]:
    """`sentinel`, and `sentinel_health_missing`: of Sentinel's own health and audit logs those that go nowhere."""
    on = sentinel_on(look.documents, workspace)
    if isinstance(on, Unknown) or not on:
        return {"sentinel": on, "sentinel_health_missing": on if isinstance(on, Unknown) else []}
    offered = frozenset(categories_of(_HEALTH))
    document = look.get(settings_id(sentinel_health_id(workspace)))
    settings = settings_of(document, _HEALTH, offered, {}, look.resolve)
    if isinstance(settings, Unknown):
        return {"sentinel": on, "sentinel_health_missing": settings}
    living = [setting for setting in settings if setting.living]
    lacking = offered - {category for setting in living for category in setting.categories}
    certain = lacking - {category for setting in living for category in setting.possible}
    if certain or not lacking:
        return {"sentinel": on, "sentinel_health_missing": sorted(certain)}
    doubts = [setting.doubt for setting in living if lacking & setting.possible and setting.doubt is not None]
    why = doubts[0] if doubts else UNPUBLISHED
    return {"sentinel": on, "sentinel_health_missing": why}


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """Whose Defender for Cloud alerts the readable Sentinel workspaces take in."""

    subscriptions: frozenset[str]
    tenant: bool
    doubt: Unknown | None


def connected(look: Look) -> Connected:
    """What the data connectors of all workspaces tell."""
    subscriptions: set[str] = set()
    tenant = False
    doubt: Unknown | None = None
    for key in look.of_type(SENTINEL_CONNECTORS):
        document = look.documents[key]
        if marker(document) == "$unknown":
            doubt = unread(document, "the data connectors of a Sentinel workspace")
        for item in entries(document.get("value")):
            kinds = {text(item.get("kind")).lower(), text(item.get("name")).lower()}
            inner = props(item)
            states = mapping(inner.get("dataTypes"))
            if _ONE_SUBSCRIPTION in kinds and _enabled(states, "alerts"):
                subscriptions.add(text(inner.get("subscriptionId")).lower())
            elif _WHOLE_TENANT in kinds:
                tenant = tenant or not states or _enabled(states, "alerts")
            elif _XDR in kinds and (_enabled(states, "incidents") or _enabled(states, "alerts")):
                why = "Sentinel takes in what Defender XDR shows, and whether that holds these alerts is not readable"
                doubt = Unknown(reason=why) if doubt is None else doubt
    return Connected(subscriptions=frozenset(subscriptions), tenant=tenant, doubt=doubt)


def _enabled(states: Mapping[str, Any], name: str) -> bool:
    return text(mapping(states.get(name)).get("state")).lower() == "enabled"
