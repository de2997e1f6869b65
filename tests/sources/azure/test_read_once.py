"""A scan asks only what it needs, and nothing twice."""

from __future__ import annotations

from collections import Counter

import pytest
from conftest import CONTOSO

from auditor.catalog import can_log
from auditor.documents import type_of
from auditor.emulator import running
from auditor.sources.azure.collect import collect_now

SETTINGS = "/providers/microsoft.insights/diagnosticsettings"
CATEGORIES = "/providers/microsoft.insights/diagnosticsettingscategories"


@pytest.fixture(scope="module")
def asked() -> Counter[str]:
    """Every GET of a scan of Contoso, by address."""
    with running(CONTOSO / "estate.json") as azure:
        collection = collect_now(azure.scan_options())
    assert collection.run.throttled == 0
    return Counter({line.removeprefix("GET "): n for line, n in azure.asked.items() if line.startswith("GET ")})


def of(asked: Counter[str], ending: str) -> list[str]:
    """Ids of what was asked for its settings or categories."""
    paths = [address.partition("?")[0].lower() for address in asked]
    return [path.removesuffix(ending) for path in paths if path.endswith(ending)]


def test_nothing_is_read_twice(asked: Counter[str]) -> None:
    assert len(asked) > 300
    assert {address: count for address, count in asked.items() if count > 1} == {}
    assert max(Counter(address.lower() for address in asked).values()) == 1, "however it is spelt"


def test_what_cannot_log_is_not_asked_for_settings(asked: Counter[str]) -> None:
    kinds = {type_of(resource).lower() for resource in of(asked, SETTINGS) if type_of(resource)}
    # Subscriptions, management groups and Entra ID log by other settings; a storage account's services by their own.
    scopes = {"microsoft.resources/subscriptions", "microsoft.management/managementgroups"}
    scopes |= {"fabrikam.ledger/ledgers"}  # which the catalog does not know, and whose own categories say that it logs

    assert len(kinds) > 5
    assert {kind for kind in kinds - scopes if not can_log(kind) and "microsoft.storage/" not in kind} == set()
    assert "microsoft.storage/storageaccounts" not in kinds


def test_categories_are_asked_once_for_each_kind_and_not_for_each_resource(asked: Counter[str]) -> None:
    settings, categories = of(asked, SETTINGS), of(asked, CATEGORIES)

    assert 0 < len(categories) < len(settings) / 3
