"""An estate with something of everything, scanned through faults and judged: what the fault tests share."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from auditor.cli.run import judged
from auditor.emulator import Emulator, Fault, running
from auditor.report import Report
from auditor.rule import load_rules
from auditor.sources.azure.cloud import Options, custom_cloud
from auditor.sources.azure.collect import collect_now
from auditor.sources.azure.pipeline import Pipelines
from auditor.sources.azure.throttle import Time

TENANT = "11111111-aaaa-4aaa-8aaa-000000000001"
ONE = "aaaaaaaa-0000-4000-8000-000000000001"
TWO = "aaaaaaaa-0000-4000-8000-000000000002"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
RULES = load_rules()
Plan = Callable[[str, str, int], Fault | None]


def fast(speed: float) -> Time:
    """A clock that goes so many times as fast as the one on the wall."""
    return Time(now=lambda: time.monotonic() * speed, sleep=lambda seconds: asyncio.sleep(seconds / speed))


def group(subscription: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg/providers"


VAULT = f"{group(ONE)}/Microsoft.KeyVault/vaults/kv-0"
WORKSPACE = f"{group(ONE)}/Microsoft.OperationalInsights/workspaces/law"


def resource(resource_id: str, of_type: str, **rest: Any) -> dict[str, Any]:
    name = resource_id.rpartition("/")[2]
    return {"id": resource_id, "type": of_type, "name": name, "location": "westeurope", "properties": {}, **rest}


def settings(of: str, *, on: bool) -> dict[str, Any]:
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    one = {"id": f"{of}/providers/{SETTINGS}/all", "type": SETTINGS, "name": "all",
           "properties": {"workspaceId": WORKSPACE, "logs": logs}}  # fmt: skip
    return {"id": f"{of}/providers/{SETTINGS}", "type": SETTINGS, "value": [one] if on else []}


def documents() -> Iterator[dict[str, Any]]:
    """Two subscriptions; of everything something that logs well and something that does not."""
    for subscription, name in ((ONE, "One"), (TWO, "Two")):
        yield {"id": f"/subscriptions/{subscription}", "type": "Microsoft.Resources/subscriptions", "displayName": name}
        yield settings(f"/subscriptions/{subscription}", on=subscription == ONE)
        at = group(subscription)
        for n in range(5):
            vault = f"{at}/Microsoft.KeyVault/vaults/kv-{n}"
            yield resource(vault, "Microsoft.KeyVault/vaults")
            yield settings(vault, on=n % 2 == 0)
        for n in range(2):
            named = f"st{subscription[-1]}{n}"
            account = f"{at}/Microsoft.Storage/storageAccounts/{named}"
            endpoints = {s: f"https://{named}.{s}.core.windows.net/" for s in ("blob", "queue", "table", "file")}
            yield resource(account, "Microsoft.Storage/storageAccounts", kind="StorageV2",
                           sku={"name": "Standard_LRS"}, properties={"primaryEndpoints": endpoints})  # fmt: skip
            yield settings(f"{account}/blobServices/default", on=n == 0)
        yield resource(f"{at}/Microsoft.Compute/disks/disk", "Microsoft.Compute/disks")
        watcher = f"{at}/Microsoft.Network/networkWatchers/nw"
        network = f"{at}/Microsoft.Network/virtualNetworks/vnet"
        yield resource(watcher, "Microsoft.Network/networkWatchers")
        yield resource(network, "Microsoft.Network/virtualNetworks")
        flow = {"id": f"{watcher}/flowLogs/f", "name": "f", "type": "Microsoft.Network/networkWatchers/flowLogs",
                "properties": {"enabled": True, "targetResourceId": network,
                               "storageId": f"{group(ONE)}/Microsoft.Storage/storageAccounts/st10"}}  # fmt: skip
        yield {"id": f"{watcher}/flowLogs", "type": "Microsoft.Network/networkWatchers/flowLogs",
               "value": [flow] if subscription == ONE else []}  # fmt: skip
    yield resource(WORKSPACE, "Microsoft.OperationalInsights/workspaces", properties={"retentionInDays": 90})
    tables = [{"id": f"{WORKSPACE}/tables/{n}", "name": n, "properties": {"totalRetentionInDays": 400}}
              for n in ("AzureActivity", "AZKVAuditLogs", "AzureDiagnostics")]  # fmt: skip
    yield {"id": f"{WORKSPACE}/tables", "type": "Microsoft.OperationalInsights/workspaces/tables", "value": tables}
    entra = settings("/providers/microsoft.aadiam", on=True)["value"][0]["properties"]
    yield {"id": "/providers/microsoft.aadiam/diagnosticSettings", "type": "microsoft.aadiam/diagnosticSettings",
           "value": [{"name": "all", "properties": {"workspaceId": entra["workspaceId"], "logs": [
               {"category": c, "enabled": True} for c in ("AuditLogs", "SignInLogs")]}}]}  # fmt: skip
    yield {"id": "/providers/microsoft.graph/subscribedSkus", "type": "microsoft.graph/subscribedSkus",
           "value": [{"skuPartNumber": "SPE_E5", "capabilityStatus": "Enabled"}]}  # fmt: skip


class Faulty:
    """One running emulator, scanned again and again with other faults, by a clock that goes fast."""

    def __init__(self, speed: float = 200) -> None:
        self._time = fast(speed)
        self.emulator: Emulator
        self.calm: Report  # what a scan without faults gave
        self._plan: Plan | None = None
        self._seen: Counter[tuple[str, str]] = Counter()

    def fault(self, method: str, path: str, _: int) -> Fault | None:
        """What the plan of the scan under way has for a request; sign-in always works."""
        self._seen[method, path] += 1
        if self._plan is None or "oauth2" in path:
            return None
        return self._plan(method, path, self._seen[method, path])

    def scan(self, plan: Plan | None = None, **options: Any) -> Report:
        """Scan and judge, with all waiting sped up."""
        self._plan, self._seen = plan, Counter()
        progress = options.pop("progress", None)
        place = self.emulator
        given = {
            "cloud": custom_cloud(resource_manager=place.url, authority=place.url, graph=place.url),
            "tenant": place.tenant,
            "auth": "client-secret",
            "client_id": place.client_id,
            "client_secret": place.client_secret,
            "ca_file": str(place.ca_file),
            "read_timeout": 0.5,
            **options,
        }
        with patch("auditor.sources.azure.collect.Pipelines", partial(Pipelines, time=self._time)):
            return judged(collect_now(Options(**given), progress=progress), RULES, "Faults")


@contextmanager
def serving(folder: Path) -> Iterator[Faulty]:
    """Serve the estate, through faults that each scan brings."""
    file = folder / "estate.json"
    tenant = {"id": TENANT, "displayName": "Tiny", "defaultDomain": "tiny.example"}
    file.write_text(json.dumps({"format": 1, "tenant": tenant, "documents": list(documents())}), encoding="utf-8")
    faulty = Faulty()
    with running(file, faults=faulty.fault) as faulty.emulator:
        yield faulty


def statuses(report: Report) -> dict[tuple[str, str], str]:
    """What was found: (rule, id) → status."""
    return {(finding.rule, finding.subject.id.lower()): finding.status for finding in report.findings}


def changes(calm: Report, stormy: Report) -> dict[tuple[str, str], tuple[str, str]]:
    """What a scan through faults claims and the one without does not: a status other than `unknown` that differs.

    A rule that may not be about a resource at all passes where its requirement holds either way; that claims nothing.
    """
    before = statuses(calm)
    return {
        key: (before.get(key, "pass"), status)
        for key, status in statuses(stormy).items()
        if status not in ("unknown", before.get(key, "pass"))
    }


def sum_is_intact(report: Report) -> bool:
    """Whether every planned read ended as one of the three."""
    done = report.completeness
    return done.planned > 0 and done.answered + done.not_supported + done.unknown == done.planned
