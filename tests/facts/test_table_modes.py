from typing import Any

import pytest

from auditor.catalog import catalog, has_own_table
from auditor.facts.table_modes import table_facts
from auditor.inventory import Destination, LogSetting, Unknown
from auditor.rule import load_rules

VAULT = "Microsoft.KeyVault/vaults"
CLUSTER = "Microsoft.ContainerService/managedClusters"
BLOB = "Microsoft.Storage/storageAccounts/blobServices"
AUDIT, POLICY = "AuditEvent", "AzurePolicyEvaluationDetails"


def place(kind: str = "log-analytics", exists: Any = True) -> Destination:
    return Destination(kind=kind, id="/w", exists=exists)


def sends(*categories: str, to: Destination = place(), **more: Any) -> LogSetting:  # noqa: B008
    return LogSetting(id="/s", name="s", categories=frozenset(categories), destinations=(to,), **more)


def written(mode: Any = None) -> dict[str, Any]:
    return {"value": [{"id": "/s", "name": "s", "properties": {"logAnalyticsDestinationType": mode}}]}


LATER = {"$unknown": {"reason": "decided later"}}


@pytest.mark.parametrize(
    ("kind", "mode", "setting", "answer"),
    [
        pytest.param(VAULT, None, sends(AUDIT), "shared", id="nothing asked for"),
        pytest.param(VAULT, "AzureDiagnostics", sends(AUDIT), "shared", id="the shared one asked for"),
        pytest.param(VAULT, "dedicated", sends(AUDIT), "own", id="in any case"),
        pytest.param(VAULT, None, sends(AUDIT, to=place("storage")), None, id="no workspace"),
        pytest.param(VAULT, None, sends(AUDIT, to=place(exists=False)), None, id="a workspace that is gone"),
        pytest.param(VAULT, None, sends(), None, id="no log"),
        pytest.param(VAULT, None, sends(AUDIT, kind="other"), None, id="no diagnostic setting"),
        pytest.param(BLOB, None, sends("StorageRead"), None, id="a type without choice"),
        pytest.param(CLUSTER, None, sends("cluster-autoscaler"), "shared", id="a type with some tables"),
        pytest.param(VAULT, LATER, sends(AUDIT), "decided later", id="a mode to come"),
        pytest.param(BLOB, LATER, sends("StorageRead"), None, id="a mode to come that makes no difference"),
        pytest.param(VAULT, None, sends(possible=frozenset({AUDIT})), "not published", id="perhaps something"),
        pytest.param(VAULT, None, sends(POLICY, possible=frozenset({AUDIT})), "shared", id="certainly something"),
        pytest.param(VAULT, "Dedicated", sends(possible=frozenset({AUDIT})), None, id="nothing certain, asked rightly"),
    ],
)
def test_table_mode(kind: str, mode: Any, setting: LogSetting, answer: str | None) -> None:
    found = table_facts(written(mode), (setting,), kind).get("table_mode")
    if isinstance(found, Unknown):
        assert answer and found.reason.endswith(answer)
    else:
        assert found == answer


def test_what_is_in_the_shared_table_is_named() -> None:
    assert table_facts(written(), (sends(POLICY, AUDIT),), VAULT)["in_shared_table"] == [AUDIT, POLICY]


def test_settings_that_were_not_read() -> None:
    why = Unknown(reason="HTTP 403")
    assert table_facts(None, why, VAULT)["table_mode"] == why
    assert table_facts(None, why, BLOB) == {}


def test_the_rule_knows_every_type_with_a_choice() -> None:
    chosen = {
        known.name
        for key, known in catalog().items()
        if any(has_own_table(key, category.name) for category in known.categories)
    }
    [rule] = [rule for rule in load_rules() if rule.id == "resource-logs-own-tables"]
    assert set(rule.resources) == chosen
