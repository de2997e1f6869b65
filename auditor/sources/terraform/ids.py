"""The ARM id of each resource of a plan: its own once it is known, else one made of its names and its address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from auditor.documents import NO_SUBSCRIPTION, normal_id
from auditor.sources.terraform.plan import Instance, Plan, shortest
from auditor.sources.terraform.references import resolve
from auditor.sources.terraform.shape import Row
from auditor.sources.terraform.types import AZAPI, ROWS

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GROUP: Final = "azurerm_resource_group"
_PARTS: Final = re.compile(r"{(\w+)}")
_DEEPEST: Final = 8  # children of children


class Ids:
    """The ids of a plan's instances, each worked out when first asked."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[str, str] = {}
        self._taken: dict[str, str] = {}  # normal id → address
        self._groups = _groups(plan)
        self._subscriptions: dict[str, str] = {}
        self._loose: set[str] = set()

    def of(self, instance: Instance, depth: int = 0) -> str:
        """The id of an instance; never that of another one."""
        if instance.address not in self._known:
            made = self._made(instance, depth)
            if self._taken.setdefault(normal_id(made), instance.address) != instance.address:
                made = f"{made}~{escaped(instance.address)}"  # the same names twice, as with two providers
                self._taken[normal_id(made)] = instance.address
            self._known[instance.address] = made
        return self._known[instance.address]

    def linked(self, instance: Instance, *path: str | int) -> str:
        """The id that an attribute holds, or will hold for certain; empty where that cannot be told."""
        found: Any = instance.values
        for step in path:
            inside = isinstance(found, Mapping) or (
                isinstance(found, list) and isinstance(step, int) and step < len(found)
            )
            found = (found.get(step) if isinstance(found, Mapping) else found[step]) if inside else None
        if isinstance(found, str):
            return found
        if not isinstance(found, Mapping):
            return ""
        only = resolve(self._plan, instance, *path).only
        return self.of(only) if only is not None and (only.type in ROWS or only.type in (AZAPI, _GROUP)) else ""

    def meant(self, instance: Instance, kind: str, *path: str | int) -> str:
        """The id of the one resource of an ARM type (lower case) that an attribute is made from; empty if not one."""
        found = resolve(self._plan, instance, *path)
        fitting = [one for one in found.instances if one.type in ROWS and ROWS[one.type].type.lower() == kind]
        return self.of(fitting[0]) if len(fitting) == 1 and not found.open else ""

    def is_loose(self, instance: Instance) -> bool:
        """Whether the id is made up because it is not known what the resource is a part of."""
        self.of(instance)
        return instance.address in self._loose

    def group(self, instance: Instance) -> str:
        """The id of the resource group that an instance is in."""
        name = instance.values.get("resource_group_name")
        if isinstance(name, str) and name.lower() in self._groups:
            return self._groups[name.lower()]
        shown = name if isinstance(name, str) and name else "known-after-apply"
        return f"/subscriptions/{self.subscription(instance)}/resourceGroups/{shown}"

    def subscription(self, instance: Instance) -> str:
        """The subscription that an instance's provider works in; zeros where the plan does not tell."""
        key = str(instance.block.get("provider_config_key") or "")
        if key not in self._subscriptions:
            self._subscriptions[key] = self._told(key) or self._only() or self._plan.subscription or NO_SUBSCRIPTION
        return self._subscriptions[key]

    def _told(self, key: str) -> str:
        provider = self._plan.providers.get(key)
        expressions = provider.get("expressions") if isinstance(provider, Mapping) else None
        told = expressions.get("subscription_id") if isinstance(expressions, Mapping) else None
        value = told.get("constant_value") if isinstance(told, Mapping) else None
        refs = shortest(told)
        if value is None and len(refs) == 1 and refs[0].startswith("var.") and ":" not in key:
            value = self._plan.variables.get(refs[0].removeprefix("var."))
        return value.lower() if isinstance(value, str) and _GUID.fullmatch(value) else ""

    def _only(self) -> str:
        """The one subscription that anything in the plan tells of, if there is but one."""
        keys = [key for key, provider in self._plan.providers.items() if _is_azure(provider)]
        told = {self._told(key) for key in keys} - {""}
        if not told:
            for source in self._plan.data:
                values = source.get("values")
                if source.get("type") in ("azurerm_client_config", "azurerm_subscription") and isinstance(
                    values, Mapping
                ):
                    value = values.get("subscription_id")
                    told |= {value.lower()} if isinstance(value, str) and _GUID.fullmatch(value) else set()
        return told.pop() if len(told) == 1 else ""

    def _made(self, instance: Instance, depth: int) -> str:
        own = instance.values.get("id")
        if isinstance(own, str) and own.startswith("/"):
            return own
        name = instance.values.get("name")
        shown = name if isinstance(name, str) and name else escaped(instance.address)
        if instance.type == _GROUP:
            return f"/subscriptions/{self.subscription(instance)}/resourceGroups/{shown}"
        if instance.type == AZAPI:
            return self._azapi(instance, shown, depth)
        row = ROWS[instance.type]
        shown = _shown(instance, row)
        if row.of_subscription:
            return f"/subscriptions/{self.subscription(instance)}/providers/{row.type}/{shown}"
        if row.on or (row.under and (not row.names or instance.values.get(row.under) is not None)):
            return below(row, self._under(instance, row, depth), shown)
        if row.names:
            return below(row, self._by_names(instance, row), shown)
        return f"{self.group(instance)}/providers/{row.type}/{shown}"

    def _by_names(self, instance: Instance, row: Row) -> str:
        """The id of the parent, of which attributes give the names."""
        provider, *kinds = row.type.split("/")
        attribute = row.names[-1]
        if not isinstance(instance.values.get(attribute), str):
            parent = self.meant(instance, row.type.rpartition("/")[0].lower(), attribute)
            if parent:
                return parent.rstrip("/")
        steps = []
        for kind, attribute in zip(kinds, row.names, strict=False):
            name = instance.values.get(attribute)
            if not isinstance(name, str) or not name:
                self._loose.add(instance.address)
                name = escaped(instance.address)
            steps.append(f"{kind}/{name}")
        return f"{self.group(instance)}/providers/{provider}/{'/'.join(steps)}"

    def _under(self, instance: Instance, row: Row, depth: int) -> str:
        parent = self.linked(instance, row.on or row.under) if depth < _DEEPEST else ""
        if parent:
            return parent.rstrip("/")
        self._loose.add(instance.address)
        kind = row.extends[0] if row.extends else row.type.rpartition("/")[0]
        return f"{self.group(instance)}/providers/{kind}/{escaped(instance.address)}"

    def _azapi(self, instance: Instance, name: str, depth: int) -> str:
        kind = str(instance.values.get("type") or "").partition("@")[0]
        parent = (self.linked(instance, "parent_id") if depth < _DEEPEST else "").rstrip("/")
        head, last = kind.rpartition("/")[::2]
        if kind.count("/") > 1:
            return f"{parent or f'{self.group(instance)}/providers/{head}/{escaped(instance.address)}'}/{last}/{name}"
        return f"{parent or self.group(instance)}/providers/{kind}/{name}"


def below(row: Row, parent: str, name: str) -> str:
    """The id of a child of a resource, or of what extends it."""
    if row.called.startswith("/"):
        return parent + row.called
    return f"{parent}/providers/{row.type}/{name}" if row.on else f"{parent}/{row.type.rpartition('/')[2]}/{name}"


def _shown(instance: Instance, row: Row) -> str:
    """The name of a resource; where it has none, its address stands for it."""
    if row.called:
        return row.called
    parts = _PARTS.findall(row.named) or [row.named]
    told = {part: instance.values.get(part) for part in parts}
    if not all(isinstance(value, str) and value for value in told.values()):
        return escaped(instance.address)
    return row.named.format(**told) if row.named not in told else str(told[row.named])


def _groups(plan: Plan) -> dict[str, str]:
    """The ids of those resource groups that exist already, by name; only where a name means one of them."""
    found: dict[str, set[str]] = {}
    for instance in plan.instances:
        own, name = instance.values.get("id"), instance.values.get("name")
        if instance.type == _GROUP and isinstance(own, str) and isinstance(name, str):
            found.setdefault(name.lower(), set()).add(own)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


def _is_azure(provider: object) -> bool:
    return isinstance(provider, Mapping) and provider.get("name") in ("azurerm", "azapi")


def escaped(address: str) -> str:
    """An address as one part of an id."""
    return quote(address, safe="[]=-_.~ ").replace("%22", "'")
