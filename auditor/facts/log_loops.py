"""Do the access logs of a storage service come back to its own account, directly or through other accounts?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import (
    STORAGE_SERVICES,
    Document,
    marker,
    normal_id,
    settings_id,
    storage_service_id,
    subscription_of,
)
from auditor.facts.look import Look, TypeFacts
from auditor.facts.shapes import entries, mapping, props, same_id, short, text
from auditor.facts.unread import listed
from auditor.inventory import Unknown

_ACCOUNTS: Final = "/providers/microsoft.storage/storageaccounts/"
_WHAT: Final = "where the account sends its own logs"


def loop_facts(service_id: str, account: Document, look: Look) -> dict[str, Any]:
    """`log_loop` of a storage service: the accounts through which its logs come back to it, its own last; none at best.

    Logs are written as blobs. So those of any service can come back at once, but go round only where the blob service
    of each account on the way logs as well. Only accounts of the same subscription are followed.
    """
    own = normal_id(text(account.get("id")))
    sent = _sends_to(service_id, look)
    if isinstance(sent, Unknown):
        return {"log_loop": sent}
    if own in sent:
        return {"log_loop": [short(own)]}
    if not service_id.endswith("/blobservices/default"):
        return {"log_loop": []}
    return {"log_loop": _round(own, sent, look)}


def _round(own: str, first: list[str], look: Look) -> list[str] | Unknown:
    """The shortest way from the accounts that logs go to first back to the account itself."""
    seen, ways = set(first), [[account] for account in first]
    doubt: Unknown | None = None
    for way in ways:  # grows as it is walked: nearest first
        account = way[-1]
        if subscription_of(account) != subscription_of(own) or look.get(account) is None:
            continue
        sent = _sends_to(normal_id(storage_service_id(account, "blob")), look)
        if isinstance(sent, Unknown):
            doubt = sent if doubt is None else doubt
            continue
        if own in sent:
            return [short(step) for step in (*way, own)]
        ways += [[*way, further] for further in sent if further not in seen]
        seen.update(sent)
    return [] if doubt is None else doubt


def _sends_to(service_id: str, look: Look) -> list[str] | Unknown:
    """The storage accounts that a service's diagnostic settings send any log to."""
    document = look.get(settings_id(service_id))
    if (document is None and look.declared) or (
        document is not None and marker(document) in ("$absent", "$unsupported")
    ):
        return []
    found = listed(document, _WHAT)
    if isinstance(found, Unknown):
        return found
    targets = set()
    for setting in entries(found):
        properties = props(setting)
        target = same_id(text(properties.get("storageAccountId")))
        logs = any(mapping(log).get("enabled") is True for log in entries(properties.get("logs")))
        if _ACCOUNTS in target and logs:
            targets.add(target)
    return sorted(targets)


LOOP_FACTS: Final[Mapping[str, TypeFacts]] = {
    f"microsoft.storage/storageaccounts/{part}".lower(): loop_facts for part in STORAGE_SERVICES.values()
}
