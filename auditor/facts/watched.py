"""Does Defender for Cloud watch this storage account or SQL server: by its subscription's plan, or by itself?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import Document, marker, parent_of, subscription_of
from auditor.facts.answers import Answer
from auditor.facts.defender import plans
from auditor.facts.look import Look
from auditor.facts.shapes import text
from auditor.facts.unread import fields, unclear, undecided, unread
from auditor.inventory import Unknown

_STORAGE: Final = "Defender's settings of the account"
_SQL: Final = "Defender's settings of the server"


def blob_facts(key: str, _document: Document, look: Look) -> dict[str, Any]:
    """`defender` of a blob service: whether Defender for Storage watches its account."""
    account = parent_of(key)
    plan = _plan("StorageAccounts", key, look)
    document = look.get(f"{account}/providers/Microsoft.Security/defenderForStorageSettings/current")
    properties = _properties(document, _STORAGE, look)
    if properties is None:
        return {"defender": plan}
    if isinstance(properties, Unknown):
        return {"defender": properties}
    on, own = properties.get("isEnabled"), properties.get("overrideSubscriptionLevelSettings")
    if undecided(on) or not isinstance(on, bool):
        return {"defender": unclear(_STORAGE, on)}
    if not on and own is not True and plan is True:
        # A plan of the older kind, or an account that is exempt by a tag: the two tell different things.
        return {"defender": Unknown(reason="Defender for Storage is on for the subscription, and off at the account")}
    return {"defender": on}


def server_facts(key: str, _document: Document, look: Look) -> dict[str, Any]:
    """`defender` of a SQL server: whether Defender for SQL watches it."""
    properties = _properties(look.get(f"{key}/advancedThreatProtectionSettings/Default"), _SQL, look)
    if properties is None:
        return {"defender": _plan("SqlServers", key, look)}
    if isinstance(properties, Unknown):
        return {"defender": properties}
    state = properties.get("state")
    if undecided(state):
        return {"defender": unclear(_SQL, state)}
    own = {"enabled": True, "disabled": False}.get(text(state).lower())
    return {"defender": _plan("SqlServers", key, look) if own is None else own}


def _plan(name: str, key: str, look: Look) -> Answer:
    found = plans(f"/subscriptions/{subscription_of(key)}", look)
    return found if isinstance(found, Unknown) else name in found


def _properties(document: Document | None, what: str, look: Look) -> Mapping[str, Any] | Unknown | None:
    """What a resource's own settings say; None where it has none."""
    if (document is None and look.declared) or (
        document is not None and marker(document) in ("$absent", "$unsupported")
    ):
        return None
    if document is None or marker(document):
        return unread(document, what)
    found = fields(document.get("properties"))
    return unclear(what, document.get("properties")) if found is None else found
