from typing import Any

import pytest

from auditor.documents import Document, normal_id
from auditor.facts.look import Look
from auditor.facts.vaults import vault_facts
from auditor.inventory import Destination, Unknown

VAULT = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
BOTH = ("audit", "allLogs")


def setting(*groups: str, place: Any = "/w", enabled: Any = True, category: str = "") -> dict[str, Any]:
    logs: list[dict[str, Any]] = [{"categoryGroup": name, "enabled": enabled} for name in groups]
    logs += [{"category": category, "enabled": True}] if category else []
    return {"name": "-".join(groups), "properties": {"workspaceId": place, "logs": logs}}


def both(*settings: dict[str, Any], declared: bool = False, **marks: Any) -> Any:
    shown = f"{VAULT}/providers/{SETTINGS}"
    listed: Document = {"id": shown, "type": SETTINGS, **(marks or {"value": list(settings)})}
    documents = {} if declared else {normal_id(shown): listed}

    def resolve(kind: str, place: str, _part: str | None) -> Destination:
        return Destination(kind=kind, id=place, exists="gone" not in place)

    look = Look(documents=documents, resolve=resolve, declared=declared)
    found = vault_facts(VAULT, {"id": VAULT}, look)["both_groups"]
    return found.reason if isinstance(found, Unknown) else found


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        pytest.param([setting(*BOTH)], True, id="both"),
        pytest.param([setting("ALLLOGS", "Audit")], True, id="in any case and order"),
        pytest.param([setting("allLogs")], False, id="all logs are the same, but not the letter"),
        pytest.param([setting("audit")], False, id="audit alone"),
        pytest.param([setting("audit"), setting("allLogs")], False, id="in two settings"),
        pytest.param([setting("audit", category="AuditEvent")], False, id="a category is no group"),
        pytest.param([setting(*BOTH, place="")], False, id="nowhere"),
        pytest.param([setting(*BOTH, place="/gone")], False, id="to a place that is gone"),
        pytest.param([setting(*BOTH, enabled=False)], False, id="switched off"),
        pytest.param([setting(*BOTH, enabled={"$unknown": "later"})], "not decided yet: later", id="decided later"),
        pytest.param([setting(*BOTH), setting("audit", enabled={"$unknown": "later"})], True, id="one is certain"),
        pytest.param([], False, id="no setting"),
    ],
)
def test_both_groups(settings: list[dict[str, Any]], answer: Any) -> None:
    assert both(*settings) == answer


def test_settings_that_were_not_read() -> None:
    assert both(**{"$unknown": {"reason": "HTTP 403"}}) == "the diagnostic settings: HTTP 403"


def test_a_plan_without_a_setting_has_none() -> None:
    assert both(declared=True) is False
