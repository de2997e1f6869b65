"""Small plans, written the way `terraform show -json` writes them."""

import json

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"


def made(kind, name="x", refs=None, /, **values):
    """A resource with its values; `refs` are the attributes that only the apply decides, and what they refer to."""
    return kind, name, {"name": name, "resource_group_name": "rg", "location": "westeurope", **values}, refs or {}


def plan(*resources):
    """The plan that makes these resources."""
    planned, changes, blocks = [], [], []
    for kind, name, values, refs in resources:
        address = f"{kind}.{name}"
        planned.append(
            {
                "address": address,
                "mode": "managed",
                "type": kind,
                "name": name,
                "values": values,
                "sensitive_values": {},
            }
        )
        unknown: dict = {"id": True}
        written: dict = {}
        for path, references in refs.items():
            _put(unknown, path, True)
            if references is not None:  # not written: Azure sets it
                _put(written, path, {"references": references})
        changes.append({"address": address, "change": {"actions": ["create"], "after_unknown": unknown}})
        blocks.append({"address": address, "mode": "managed", "type": kind, "name": name, "expressions": written,
                       "provider_config_key": "azurerm"})  # fmt: skip
    provider = {"name": "azurerm", "expressions": {"subscription_id": {"constant_value": SUBSCRIPTION}}}
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"provider_config": {"azurerm": provider}, "root_module": {"resources": blocks}},
    }


def _put(place, path, value):
    """`a.0.b` into dictionaries and lists of one."""
    *outer, last = path.split(".")
    for at, step in enumerate(outer):
        if step.isdigit():
            continue
        listed = at + 1 < len(outer) and outer[at + 1].isdigit()
        inner = place.setdefault(step, [{}] if listed else {})
        place = inner[0] if isinstance(inner, list) else inner
    if last.isdigit():
        return
    place[last] = value


def ref(address):
    """How a plan refers to the id of a resource."""
    return [f"{address}.id", address]


def write(tmp_path, *resources):
    """The file of a plan of these resources."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(*resources)))
    return path
