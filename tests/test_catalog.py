import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import catalog as rooms
from auditor.catalog import (
    can_log,
    canonical_type,
    catalog,
    categories_of,
    category,
    known_category,
    relevance,
    tables,
)

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "make_catalog.py"


@pytest.mark.parametrize(
    ("resource_type", "answer"),
    [
        ("Microsoft.KeyVault/vaults", True),
        ("microsoft.keyvault/VAULTS", True),
        ("Microsoft.Storage/storageAccounts/blobServices", True),
        ("Microsoft.Storage/storageAccounts", False),  # trap 16: the account carries metrics only
        ("Microsoft.Sql/servers", False),  # trap 17: SQL audit events are set on databases/master
        ("Microsoft.Sql/servers/databases", True),
        ("Microsoft.Resources/subscriptions", False),
        ("microsoft.aadiam/tenants", False),
        ("Microsoft.Management/managementGroups", False),
        ("Microsoft.Network/networkInterfaces", False),
        ("", False),
    ],
)
def test_can_log(resource_type: str, answer: bool) -> None:
    assert can_log(resource_type) is answer


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("microsoft.keyvault/vaults", "Microsoft.KeyVault/vaults"),
        ("MICROSOFT.NETWORK/NETWORKINTERFACES", "Microsoft.Network/networkInterfaces"),
        ("microsoft.network/networkwatchers/flowlogs", "Microsoft.Network/networkWatchers/flowLogs"),
        ("microsoft.resources/subscriptions", "Microsoft.Resources/subscriptions"),
        ("auditor/logdestinations", "Auditor/logDestinations"),
        ("contoso.Own/things", "contoso.Own/things"),
    ],
)
def test_canonical_type(given: str, shown: str) -> None:
    assert canonical_type(given) == shown


def test_silent_types_are_not_in_the_catalog() -> None:
    assert [name for name in rooms._SILENT_TYPES if name.lower() in catalog()] == []


def test_category_names_compare_without_regard_to_case() -> None:
    found = category("microsoft.keyvault/VAULTS", "auditevent")
    assert found is not None
    assert (found.name, found.display_name, found.relevance) == ("AuditEvent", "Audit Logs", "audit")
    assert found.audit is True  # documented for Key Vault, though no list publishes it
    assert category("Microsoft.KeyVault/vaults", "Nonsense") is None
    assert category("Contoso/things", "AuditEvent") is None
    assert relevance("Contoso/things", "AuditEvent") == "operational"


@pytest.mark.parametrize(
    ("resource_type", "name", "dedicated", "landing"),
    [
        ("Microsoft.KeyVault/vaults", "AuditEvent", True, ("AZKVAuditLogs",)),
        ("Microsoft.KeyVault/vaults", "AuditEvent", False, ("AzureDiagnostics",)),
        ("Microsoft.KeyVault/managedHSMs", "AuditEvent", True, ("AzureDiagnostics",)),
        ("Microsoft.Storage/storageAccounts/blobServices", "StorageRead", False, ("StorageBlobLogs",)),
        ("Microsoft.Storage/storageAccounts/blobServices", "StorageRead", True, ("StorageBlobLogs",)),
        ("Microsoft.Cache/redis", "ConnectedClientList", False, ("ACRConnectedClientList",)),
        ("Microsoft.Network/azureFirewalls", "AZFWThreatIntel", False, ("AzureDiagnostics",)),
        ("Microsoft.Network/azureFirewalls", "AZFWThreatIntel", True, ("AZFWThreatIntel",)),
        ("Microsoft.Resources/subscriptions", "Administrative", False, ("AzureActivity",)),
        ("microsoft.aadiam/tenants", "SignInLogs", False, ("SigninLogs",)),
        ("Microsoft.Network/virtualNetworks", "VMProtectionAlerts", False, ()),  # not documented
        ("Microsoft.Network/virtualNetworks", "FlowLog", False, ()),
    ],
)
def test_tables(resource_type: str, name: str, dedicated: bool, landing: tuple[str, ...]) -> None:
    assert tables(resource_type, name, dedicated) == landing


def test_flow_logs_are_offered_by_networks_and_their_security_groups_but_not_by_settings() -> None:
    for resource_type in ("Microsoft.Network/networkSecurityGroups", "Microsoft.Network/virtualNetworks"):
        assert categories_of(resource_type)[-1] == "FlowLog"
        found = category(resource_type, "flowlog")
        assert found is not None
        assert found.own
        assert found.relevance == "traffic"
    assert not known_category("NetworkSecurityGroupFlowEvent")


@pytest.mark.parametrize("name", ["AuditEvent", "auditevent", "Administrative", "SignInLogs", "FlowLog", "kube-audit"])
def test_known_category(name: str) -> None:
    assert known_category(name)


def test_unknown_category() -> None:
    assert not known_category("AuditEvents")


def test_every_type_is_keyed_by_its_lower_case_name_and_has_no_category_twice() -> None:
    for key, known in catalog().items():
        assert known.name.lower() == key
        names = [c.name.lower() for c in known.categories]
        assert len(names) == len(set(names)), key


def test_the_sources_are_named_with_their_licences() -> None:
    assert {source.licence for source in rooms.sources()} >= {"CC-BY-4.0", "MIT"}
    assert rooms.as_of() >= "2026-11-22"


# --- scripts/make_catalog.py ----------------------------------------------------------------------------------------

DATA = {
    "as_of": "2026-01-02",
    "generated_from": [{"name": "some docs", "licence": "MIT"}],
    "types": {
        "contoso/things": {
            "name": "Contoso/things",
            "categories": [
                {"name": "Zulu", "display_name": None, "table": None, "audit_group": False, "export_costs": None},
                {"name": "Audit", "display_name": "Audit", "table": "T", "audit_group": True, "export_costs": True},
            ],
            "category_groups": ["audit", "allLogs"],
            "builtin_policies": {"storage": {"allLogs": "id-1", "audit": None}, "event_hub": {"audit": None}},
        },
        "microsoft.network/networksecuritygroups": {
            "name": "Microsoft.Network/networkSecurityGroups",
            "categories": [{"name": "NetworkSecurityGroupFlowEvent", "display_name": "x", "table": None}],
            "category_groups": None,
        },
    },
}
RELEVANCE = [("contoso/things", "zulu", "operational"), ("contoso/things", "Audit", "audit")]


def run(folder: Path, data: object, relevance: list[tuple[str, str, str]] = RELEVANCE) -> tuple[int, str, Path]:
    folder.mkdir(exist_ok=True)
    (folder / "azure-log-categories.json").write_text(data if isinstance(data, str) else json.dumps(data))
    with (folder / "audit-relevance.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("type", "category", "relevance"), *relevance])
    output = folder / "catalog.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), "-o", str(output)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr, output


def test_the_catalog_is_made_one_type_per_line_and_the_same_again(tmp_path: Path) -> None:
    code, _, output = run(tmp_path / "a", DATA)
    assert code == 0
    lines = output.read_text().splitlines()
    assert lines[6].startswith('"contoso/things":{"name":"Contoso/things"')
    made = json.loads(output.read_text())
    thing = made["types"]["contoso/things"]
    assert [c["name"] for c in thing["categories"]] == ["Audit", "Zulu"]
    assert thing["groups"] == ["allLogs", "audit"]
    assert thing["policies"] == {"storage": {"allLogs": "id-1"}}
    assert made["types"]["microsoft.network/networksecuritygroups"]["categories"] == []
    assert made["sources"] == [{"name": "some docs", "licence": "MIT"}]
    types = dict(reversed(list(DATA["types"].items())))  # type: ignore[attr-defined]
    assert run(tmp_path / "b", {**DATA, "types": types})[2].read_bytes() == output.read_bytes()


def _with(**changes: object) -> dict[str, object]:
    return {**DATA, "types": {"contoso/things": {**DATA["types"]["contoso/things"], **changes}}}  # type: ignore[index]


@pytest.mark.parametrize(
    ("data", "relevance", "message"),
    [
        ("{", RELEVANCE, "error:"),
        ([], RELEVANCE, "expected dict"),
        ({**DATA, "types": {}}, RELEVANCE, "types: empty"),
        (_with(name="Contoso/others"), RELEVANCE, "its name is 'Contoso/others'"),
        (_with(categories={}), RELEVANCE, "categories: expected list, found dict"),
        (_with(categories=[{"name": 7}]), RELEVANCE, "name: expected str, found int"),
        (_with(), RELEVANCE[:1], "no line for contoso/things Audit"),
        (_with(), [("contoso/things", "Audit", "vital")], "'vital' is not known"),
        (_with(), [*RELEVANCE, RELEVANCE[0]], "stands twice"),
    ],
)
def test_malformed_input_is_refused_and_nothing_is_written(
    tmp_path: Path, data: object, relevance: list[tuple[str, str, str]], message: str
) -> None:
    code, said, output = run(tmp_path, data, relevance)
    assert (code, output.exists()) == (2, False)
    assert message in said
