"""What watches a subscription, as a plan writes it: alert rules, who is called, Defender for Cloud and its exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.terraform.shape import (
    Link,
    Row,
    Values,
    arm,
    attribute,
    blocks,
    each,
    later,
    one,
    some,
    value_at,
)

# --- alert rules ------------------------------------------------------------------------------------------------------

_CONDITIONS: Final = {  # attribute → field of an event
    "category": "category",
    "caller": "caller",
    "operation_name": "operationName",
    "resource_provider": "resourceProvider",
    "resource_providers": "resourceProvider",
    "resource_type": "resourceType",
    "resource_types": "resourceType",
    "resource_group": "resourceGroup",
    "resource_groups": "resourceGroup",
    "resource_id": "resourceId",
    "resource_ids": "resourceId",
    "level": "level",
    "levels": "level",
    "status": "status",
    "statuses": "status",
    "sub_status": "subStatus",
    "sub_statuses": "subStatus",
    "recommendation_type": "properties.recommendationType",
    "recommendation_category": "properties.recommendationCategory",
    "recommendation_impact": "properties.recommendationImpact",
    "service_health.events": "properties.incidentType",
    "service_health.locations": "properties.impactedServices[*].ImpactedRegions[*].RegionName",
    "service_health.services": "properties.impactedServices[*].ServiceName",
    "resource_health.current": "properties.currentHealthStatus",
    "resource_health.previous": "properties.previousHealthStatus",
    "resource_health.reason": "properties.cause",
}


def _condition(v: Values, _: Link) -> Any:
    """The parts of a condition; every event meets one that is not written."""
    written = v.get("criteria")
    if later(written) or not one(written):
        return written if later(written) else {"$unknown": {"reason": "the alert rule's criteria are not told"}}
    parts: list[dict[str, Any]] = []
    for name, field in _CONDITIONS.items():
        value = value_at(v, f"criteria.{name}")
        if value in (None, "", []):
            continue
        if isinstance(value, list):
            parts.append({"anyOf": [{"field": field, "equals": item} for item in value]})
        else:
            parts.append({"field": field, "equals": value})
    return {"allOf": parts}


def _scopes(v: Values, link: Link) -> Any:
    written = v.get("scopes")
    if not isinstance(written, list):
        return written
    told = [scope if isinstance(scope, str) else link("scopes", at) for at, scope in enumerate(written)]
    return next((scope for scope in told if not isinstance(scope, str)), told)


def _groups(v: Values, link: Link) -> Any:
    written = v.get("action")
    if later(written):
        return written
    found = []
    for at, item in enumerate(blocks(written)):
        group = item if later(item) else link("action", at, "action_group_id")
        if not isinstance(group, str):
            return group
        found.append({"actionGroupId": group})
    return found


_ALERT: Final = arm(
    {
        "properties.enabled": attribute("enabled", otherwise=True),
        "properties.scopes": _scopes,
        "properties.condition": _condition,
        "properties.actions.actionGroups": _groups,
    }
)
_RECEIVERS: Final = {
    "arm_role_receiver": "armRoleReceivers",
    "automation_runbook_receiver": "automationRunbookReceivers",
    "azure_app_push_receiver": "azureAppPushReceivers",
    "azure_function_receiver": "azureFunctionReceivers",
    "email_receiver": "emailReceivers",
    "event_hub_receiver": "eventHubReceivers",
    "itsm_receiver": "itsmReceivers",
    "logic_app_receiver": "logicAppReceivers",
    "sms_receiver": "smsReceivers",
    "voice_receiver": "voiceReceivers",
    "webhook_receiver": "webhookReceivers",
}


def _receivers(v: Values, _: Link) -> dict[str, Any]:
    """Who is called, by name alone: addresses and numbers are nobody's business."""
    found: dict[str, Any] = {"enabled": v.get("enabled", True)}
    for name, field in _RECEIVERS.items():
        written = v.get(name)
        if later(written):
            found[field] = written
        elif blocks(written):
            found[field] = [item if later(item) else {"name": item.get("name")} for item in blocks(written)]
    return {"properties": found}


def _processing(action: str) -> Any:
    """A rule that mutes alerts, or calls more groups for them."""

    def build(v: Values, link: Link) -> dict[str, Any]:
        told: dict[str, Any] = {"actionType": action}
        groups = v.get("add_action_group_ids")
        if isinstance(groups, list):
            ids = (link("add_action_group_ids", at) for at in range(len(groups)))
            told["actionGroupIds"] = [group for group in ids if isinstance(group, str)]
        condition, schedule = v.get("condition"), v.get("schedule")
        return {
            "properties": some(
                enabled=v.get("enabled", True),
                scopes=_scopes(v, link),
                actions=[told],
                conditions=[{"field": "any"}] if later(condition) or one(condition) else None,
                schedule={"written": True} if later(schedule) or one(schedule) else None,
            )
        }

    return build


# --- Defender for Cloud -----------------------------------------------------------------------------------------------


def _export_action(block: Values, link: Any) -> dict[str, Any]:
    kind, place = str(block.get("type") or "").lower(), link("resource_id")
    field = {"workspace": "workspaceResourceId", "eventhub": "eventHubResourceId"}.get(kind, "logicAppResourceId")
    return {"actionType": block.get("type"), field: place}


def _rule_set(block: Values) -> dict[str, Any]:
    rules = [
        {
            "propertyJPath": rule.get("property_path"),
            "expectedValue": rule.get("expected_value"),
            "operator": rule.get("operator"),
        }
        for rule in blocks(block.get("rule"))
    ]
    return {"rules": rules}


def _export_source(block: Values, _: Any) -> dict[str, Any]:
    sets = block.get("rule_set")
    return some(
        eventSource=block.get("event_source"),
        ruleSets=sets if later(sets) else [_rule_set(one) for one in blocks(sets)],
    )


_EXPORT: Final = arm(
    {
        "properties.isEnabled": attribute("enabled", otherwise=True),
        "properties.scopes": lambda v, link: (
            [{"scopePath": scope} for scope in told] if isinstance(told := _scopes(v, link), list) else told
        ),
        "properties.sources": each("source", _export_source),
        "properties.actions": each("action", _export_action),
    }
)

ROWS: Final[Mapping[str, Row]] = {
    "azurerm_monitor_activity_log_alert": Row(type="Microsoft.Insights/activityLogAlerts", build=_ALERT),
    "azurerm_monitor_action_group": Row(type="Microsoft.Insights/actionGroups", build=_receivers),
    "azurerm_monitor_alert_processing_rule_suppression": Row(
        type="Microsoft.AlertsManagement/actionRules", build=_processing("RemoveAllActionGroups")
    ),
    "azurerm_monitor_alert_processing_rule_action_group": Row(
        type="Microsoft.AlertsManagement/actionRules", build=_processing("AddActionGroups")
    ),
    "azurerm_security_center_subscription_pricing": Row(
        type=d.DEFENDER_PLANS,
        build=arm({"properties.pricingTier": attribute("tier")}),
        named="resource_type",
        of_subscription=True,
    ),
    "azurerm_security_center_automation": Row(type="Microsoft.Security/automations", build=_EXPORT),
}
