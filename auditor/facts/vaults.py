"""Facts of key vaults: is Defender on for them, and do their settings say what a benchmark wants to the letter?"""

from __future__ import annotations

from typing import Any, Final

from auditor.catalog import categories_of
from auditor.documents import Document, settings_id
from auditor.facts.defender import plan_facts
from auditor.facts.look import Look
from auditor.facts.settings import settings_of
from auditor.inventory import Unknown

_VAULT: Final = "microsoft.keyvault/vaults"
_BOTH: Final = frozenset({"audit", "alllogs"})
_defender: Final = plan_facts("KeyVaults")


def vault_facts(key: str, document: Document, look: Look) -> dict[str, Any]:
    """`defender`, and `both_groups`: whether one setting exports the groups audit and allLogs by their names."""
    return {**_defender(key, document, look), "both_groups": _both_groups(key, look)}


def _both_groups(key: str, look: Look) -> bool | Unknown:
    document = look.get(settings_id(key))
    if document is None and look.declared:
        return False
    settings = settings_of(document, _VAULT, frozenset(categories_of(_VAULT)), {}, look.resolve)
    if isinstance(settings, Unknown):
        return settings
    living = [setting for setting in settings if setting.living]
    if any({group.lower() for group in setting.groups} >= _BOTH for setting in living):
        return True
    return next((setting.doubt for setting in living if setting.doubt is not None), False)
