"""Whom alert rules call: the ids that are looked up where they were not listed."""

import pytest

from auditor.named import Named

GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/actionGroups/ag"


def alert(actions, kind="Microsoft.Insights/activityLogAlerts"):
    return {"id": "/x", "type": kind, "properties": {"actions": actions}}


def names_of(*documents):
    named = Named()
    for document in documents:
        named.add(document)
    return named


@pytest.mark.parametrize(
    ("document", "called"),
    [
        pytest.param(alert({"actionGroups": [{"actionGroupId": GROUP}]}), [GROUP], id="an alert rule"),
        pytest.param(alert({"actionGroups": [{"actionGroupId": f" {GROUP}/ "}]}), [GROUP], id="untidy"),
        pytest.param(
            alert([{"actionGroupIds": [GROUP, None]}], "Microsoft.AlertsManagement/actionRules"), [GROUP], id="added"
        ),
        pytest.param(alert([{"actionType": "x"}], "Microsoft.AlertsManagement/actionRules"), [], id="nobody"),
        pytest.param(alert({"actionGroups": "text"}), [], id="no list"),
        pytest.param(alert(None), [], id="no actions"),
        pytest.param(alert({"actionGroups": [{"actionGroupId": "/subscriptions/s"}]}), [], id="no action group"),
        pytest.param(alert({"actionGroups": [{"actionGroupId": GROUP}]}, "x/y"), [], id="not an alert rule"),
    ],
)
def test_called_groups(document, called):
    assert names_of(document).called() == called


def test_of_several_spellings_one_is_taken():
    documents = [alert({"actionGroups": [{"actionGroupId": spelt}]}) for spelt in (GROUP, GROUP.upper())]
    assert names_of(*documents).called() == names_of(*documents[::-1]).called() == [GROUP.upper()]


WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/law"


def test_a_continuous_export_names_where_alerts_go():
    actions = [{"workspaceResourceId": f"{WORKSPACE}/"}, {"logicAppResourceId": "/x"}, "text"]
    export = alert(actions, "Microsoft.Security/automations")
    assert names_of(export).destinations() == {WORKSPACE.lower(): ("log-analytics", WORKSPACE)}
    assert list(names_of(export).destinations().values()) == [("log-analytics", WORKSPACE)]
