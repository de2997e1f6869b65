"""Which of the logs that are evidence does a resource lack?"""

from types import MappingProxyType

import pytest

from auditor.catalog import catalog
from auditor.coverage import coverage_rows
from auditor.documents import Run
from auditor.facts.evidence import evidence_of, expected_when, with_evidence
from auditor.inventory import Destination, Inventory, LogSetting, Resource, Unknown
from auditor.match import Scope
from auditor.rule import AllOf, AnyOf, Logs, load_rules

U = Unknown(reason="403")
DOUBT = Unknown(reason="classic logging: 403")
NGINX = "nginx.nginxplus/nginxDeployments"
EVIDENCE = ["NginxLogs", "NginxSecurityLogs"]
HERE = (Destination(kind="log-analytics", id="/w"),)
GONE = (Destination(kind="log-analytics", id="/w", exists=False),)


def sends(*names, to=HERE, **more):
    return LogSetting(id="s", name="s", categories=frozenset(names), destinations=to, **more)


def perhaps(*names, doubt=None):
    return LogSetting(id="p", name="p", possible=frozenset(names), destinations=HERE, doubt=doubt)


def resource(
    *settings, offers=("NginxUpstreamUpdateLogs", *EVIDENCE), kind=NGINX, properties=MappingProxyType({}), **facts
):
    given = settings[0] if settings and isinstance(settings[0], Unknown) else settings
    named = {"id": "/r", "shown_id": "/r", "type": kind, "name": "r", "properties": properties}
    return Resource(**named, offers=frozenset(offers), settings=given, facts=facts)


def told(*settings, ddos=False, **more):
    one = resource(*settings, **more)
    found = with_evidence(one, ddos=ddos).facts
    return found.get("security_expected"), found.get("security_missing")


UNPUBLISHED = "which categories a setting's group contains is not published"
CASES = [
    ("nothing is sent", told(), (EVIDENCE, EVIDENCE)),
    ("all of it", told(sends(*EVIDENCE)), (EVIDENCE, [])),
    ("in two settings", told(sends(EVIDENCE[0]), sends(EVIDENCE[1])), (EVIDENCE, [])),
    ("some of it", told(sends(EVIDENCE[0])), (EVIDENCE, EVIDENCE[1:])),
    ("to a place that is gone", told(sends(*EVIDENCE, to=GONE)), (EVIDENCE, EVIDENCE)),
    ("to no place", told(sends(*EVIDENCE, to=())), (EVIDENCE, EVIDENCE)),
    ("only in part", told(sends(*EVIDENCE, partial="filtered")), (EVIDENCE, EVIDENCE)),
    ("settings not read", told(U), (EVIDENCE, U)),
    ("a group of which it is not known", told(perhaps(*EVIDENCE)), (EVIDENCE, Unknown(reason=UNPUBLISHED))),
    ("with the reason, where there is one", told(perhaps(*EVIDENCE, doubt=DOUBT)), (EVIDENCE, DOUBT)),
    ("one perhaps, one certainly not", told(perhaps(EVIDENCE[0])), (EVIDENCE, EVIDENCE[1:])),
    ("one in the group audit", told(audit_offered=EVIDENCE[:1]), (EVIDENCE[1:], EVIDENCE[1:])),
    ("all of them there", told(U, audit_offered=EVIDENCE), ([], [])),
    ("a group audit that was not read", told(audit_offered=U), (EVIDENCE, EVIDENCE)),
    ("only operational logs", told(offers=["NginxUpstreamUpdateLogs"]), ([], [])),
    ("no logs", told(offers=[]), (None, None)),
    ("a stand-in", told(stand_in=True), (None, None)),
    ("a category that nobody knows", told(offers=["Brand-new"]), ([], [])),
    (
        "either of two that tell the same",
        told(sends("kube-audit-admin"), offers=["kube-audit", "kube-audit-admin"], kind="Microsoft.ContainerService/fleets"),
        (["kube-audit-admin"], []),
    ),
    (
        "an address that nobody protects",
        told(offers=["DDoSMitigationReports"], kind="Microsoft.Network/publicIPAddresses"),
        ([], []),
    ),
    (
        "in an estate with protection",
        told(offers=["DDoSMitigationReports"], kind="Microsoft.Network/publicIPAddresses", ddos=True),
        (["DDoSMitigationReports"], ["DDoSMitigationReports"]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("found", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_missing(found, wanted):
    assert found == wanted


COSMOS = {"kind": "Microsoft.DocumentDB/databaseAccounts", "offers": ["CassandraRequests", "DataPlaneRequests"]}
LATER = {"capabilities": {"$unknown": {"reason": "known after apply"}}}


def test_what_only_an_api_of_the_account_can_log_is_unknown_where_its_apis_are():
    data, both = ["DataPlaneRequests"], ["CassandraRequests", "DataPlaneRequests"]
    why = Unknown(reason="r's capabilities: known after apply")
    assert told(**COSMOS) == (data, data)
    assert told(**COSMOS, properties=U) == (both, data), "what is certainly missing is"
    assert told(sends(*data), **COSMOS, properties=U) == (both, U)
    assert told(sends(*data), **COSMOS, properties=LATER) == (both, why)
    assert told(sends(*both), **COSMOS, properties=U) == (both, [])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Microsoft.DocumentDB/databaseAccounts", "MongoRequests"),
        ("Microsoft.Network/virtualNetworks", "VMProtectionAlerts"),
        ("Microsoft.Network/publicIPAddresses", "DDoSMitigationReports"),
    ],
)
def test_no_source_is_missing_that_perhaps_cannot_log(kind, name):
    def states(properties):
        one = resource(kind=kind, offers=[name], properties=properties, observable=False)
        return [cell.state for row in coverage_rows(Inventory(resources=(one,), run=Run())) for cell in row.cells]

    assert states(U) == ["unassessed"]
    assert states({"unread": "by nothing"}) == []


def names_logs(require):
    if isinstance(require, AllOf | AnyOf):
        return any(map(names_logs, require.parts))
    return isinstance(require, Logs) and bool(require.categories)


def test_no_type_is_judged_by_the_general_rule_and_by_one_of_its_own():
    rules = load_rules()
    [general] = [rule for rule in rules if rule.id == "resource-security-logs-exported"]
    of_its_own = {kind for rule in rules if names_logs(rule.require) for kind in rule.resources}
    facts = {"in_scope": True, "security_expected": ["X"], "security_missing": ["X"]}

    def judged(kind):
        one = Resource(id="/r", shown_id="/r", type=kind, name="r", facts=facts)
        return general.where(one, Scope(one)) is True

    assert sorted(kind for kind in of_its_own if judged(kind)) == []
    assert judged(NGINX) and len(of_its_own) > 20


def of_one(kind, category, properties, name, ddos, **facts):
    named = {"id": "/r", "shown_id": "/r", "type": kind, "name": name, "properties": properties, "settings": ()}
    return evidence_of(Resource(**named, offers=frozenset({category}), facts=facts), ddos=ddos) == [category]


def test_what_people_are_told_to_be_expected_is_what_counts():
    """Of every category of the catalog, where all is as it has to be, and where nothing is."""
    for kind, known in catalog().items():
        for one in known.categories:
            told = expected_when(kind, one.name)
            if one.own:  # flow logs are counted with their network, by facts
                assert bool(told) == kind.endswith("/virtualnetworks")
                continue
            best = of_one(kind, one.name, U, "master", ddos=True)
            bare = of_one(kind, one.name, {}, "r", ddos=False, workspace=True)
            assert best == bool(told), (kind, one.name)
            assert bare == (told == "always" or told.startswith("it or ")), (kind, one.name)


def test_of_two_that_tell_of_the_same_either_will_do():
    assert expected_when("Microsoft.ContainerService/managedClusters", "kube-audit-admin") == "it or kube-audit"
    assert expected_when("microsoft.documentdb/databaseaccounts", "DataPlaneRequests") == (
        "it or DataPlaneRequests5M or DataPlaneRequests15M"
    )
    assert expected_when("Microsoft.ContainerService/managedClusters", "no such category") == ""
