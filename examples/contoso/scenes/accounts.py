"""Storage accounts: one call places an account, how its services log, and its classic logging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scenes.estate import Doc, Estate, Place, Plan, Status, rid
from scenes.places import ACCOUNT, NOTHING

SERVICES = {"blob": "blobServices", "queue": "queueServices", "table": "tableServices", "file": "fileServices"}
_BY_KIND = {"BlobStorage": ("blob",), "BlockBlobStorage": ("blob",), "FileStorage": ("file",)}


@dataclass(frozen=True)
class Classic:
    """The classic (Storage Analytics) logging of one service; `denied` is the code of the data plane's 403."""

    read: bool = False
    write: bool = False
    delete: bool = False
    days: int | None = None
    denied: str = ""
    unsupported: bool = False

    @property
    def on(self) -> bool:
        """Whether anything at all is logged."""
        return self.read or self.write or self.delete


OFF = Classic()
FULL = Classic(read=True, write=True, delete=True, days=30)


@dataclass(frozen=True)
class Service:
    """How one storage service logs, and what must be said of its access logs and of its classic logging."""

    plan: Plan
    access: Status
    why: str = ""
    classic: Classic = OFF
    classic_only: Status | None = None  # "fail": its only access logs are classic ones; None: classic logging is off
    loop: Status = "pass"  # "fail": what it sends to storage comes back to its own account


def silent(why: str = "neither Azure Monitor nor classic logging records who reads it") -> Service:
    """Nothing is logged."""
    return Service(NOTHING, "fail", why)


def exporting(plan: Plan) -> Service:
    """Azure Monitor exports all three categories."""
    return Service(plan, "pass")


def account(
    estate: Estate,
    subscription: str,
    group: str,
    name: str,
    region: str,
    services: Service | dict[str, Service],
    *,
    kind: str = "StorageV2",
    sku: str = "Standard_LRS",
    tags: dict[str, str] | None = None,
    shown_id: str | None = None,
    grave: tuple[str, ...] = (),
    **properties: Any,
) -> str:
    """Place a storage account; `services` is one answer for all its services, or one for each.

    For the services in `grave` it is of high severity when their access is not logged.
    """
    account_id = shown_id or rid(subscription, group, ACCOUNT, name)
    held = _services(kind, sku)
    endpoints = {s: f"https://{name}.{s}.core.windows.net/" for s in held}
    if kind not in ("BlobStorage", "FileStorage", "Storage"):
        endpoints |= {"dfs": f"https://{name}.dfs.core.windows.net/", "web": f"https://{name}.z6.web.core.windows.net/"}
    document: Doc = {
        "id": account_id,
        "type": ACCOUNT,
        "name": name,
        "location": region,
        "kind": kind,
        "sku": {"name": sku, "tier": sku.partition("_")[0]},
        "tags": tags or {},
        "properties": {
            "provisioningState": "Succeeded",
            "creationTime": "2023-03-14T09:26:53.5897932Z",
            "primaryLocation": region,
            "statusOfPrimary": "available",
            "supportsHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
            "allowBlobPublicAccess": False,
            "allowSharedKeyAccess": True,
            "publicNetworkAccess": "Enabled",
            "networkAcls": {
                "bypass": "AzureServices",
                "defaultAction": "Allow",
                "ipRules": [],
                "virtualNetworkRules": [],
            },
            "primaryEndpoints": endpoints,
            **properties,
        },
    }
    estate.add(document)
    for service in held:
        answer = services if isinstance(services, Service) else services[service]
        _service(estate, account_id, service, answer, "high" if service in grave else "")
    return account_id


def _services(kind: str, sku: str) -> tuple[str, ...]:
    if kind == "StorageV2" and sku.startswith("Premium"):
        return ("blob",)
    return _BY_KIND.get(kind, tuple(SERVICES))


def _service(estate: Estate, account_id: str, service: str, answer: Service, severity: str) -> None:
    service_id = f"{account_id}/{SERVICES[service]}/default"
    why = answer.why or answer.plan.why
    estate.log(service_id, f"{ACCOUNT}/{SERVICES[service]}", answer.plan)
    graver = severity if answer.access in ("fail", "unknown") else ""
    estate.answer(f"storage-{service}-access-logs", service_id, answer.access, why, graver)
    if answer.classic_only:
        estate.answer("storage-classic-logging-only", service_id, answer.classic_only, why)
    archived = any(place.kind == "storage" for one in answer.plan.settings for place in one.places)
    if answer.plan.denied:
        estate.answer("storage-log-loop", service_id, "unknown", why)
    elif archived:
        estate.answer("storage-log-loop", service_id, answer.loop, why)
    if service == "blob" and answer.access != "not-applicable":
        hidden = answer.plan.denied or answer.classic.denied
        logged: Status = "pass" if answer.plan.logs == "pass" or answer.classic.on else "unknown" if hidden else "fail"
        estate.blobs.append((account_id, logged, why))
    classic, document = answer.classic, f"{service_id}/storageAnalytics"
    if classic.denied:
        action = f"{ACCOUNT}/{SERVICES[service]}/read"
        detail = {"reason": f"HTTP 403 {classic.denied}", "status": 403, "code": classic.denied, "action": action}
        estate.put({"id": document, "type": "Auditor/storageAnalytics", "$unknown": detail})
    elif classic.unsupported:
        absent = {"status": 400, "code": "FeatureNotSupportedForAccount"}
        estate.put({"id": document, "type": "Auditor/storageAnalytics", "$unsupported": absent})
    elif classic.on:
        policy = {"enabled": classic.days is not None, "days": classic.days}
        logging = {"version": "2.0", "delete": classic.delete, "read": classic.read, "write": classic.write}
        estate.put(
            {
                "id": document,
                "type": "Auditor/storageAnalytics",
                "properties": {"logging": {**logging, "retentionPolicy": policy}},
            }
        )


def lifecycle(estate: Estate, place: Place, *rules: Doc) -> None:
    """Give an account lifecycle rules."""
    estate.put(
        {
            "id": f"{place.id}/managementPolicies/default",
            "type": f"{ACCOUNT}/managementPolicies",
            "name": "DefaultManagementPolicy",
            "properties": {"lastModifiedTime": "2025-06-02T08:11:40.0000000Z", "policy": {"rules": list(rules)}},
        }
    )


def delete_after(name: str, days: int, *, prefix: str = "", append: bool = True, enabled: bool = True) -> Doc:
    """A lifecycle rule that deletes blobs when they are this many days old."""
    filters: Doc = {"blobTypes": ["blockBlob", "appendBlob"] if append else ["blockBlob"]}
    if prefix:
        filters["prefixMatch"] = [prefix]
    actions = {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": days}}}
    return {
        "enabled": enabled,
        "name": name,
        "type": "Lifecycle",
        "definition": {"actions": actions, "filters": filters},
    }
