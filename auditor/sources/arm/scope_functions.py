"""Functions that ask for more than their arguments: parameters, loops, the place of the deployment, other resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, Final

from auditor.sources.arm.expressions import Call, Literal
from auditor.sources.arm.functions import truth
from auditor.sources.arm.place import key_of, resource_id
from auditor.sources.arm.values import Later, Sym, Value, joined, known, may_be_nothing, show, token

if TYPE_CHECKING:
    from auditor.sources.arm.evaluate import Env


def _name(env: Env, node: Call) -> str:
    found = env.node(node.arguments[0])
    if not isinstance(found, str):
        raise Later
    return found


def _parameters(env: Env, node: Call) -> Value:
    name = _name(env, node)
    if env.own is not None:
        return env.own[name.lower()]
    return env.frame.parameter(name)


def _variables(env: Env, node: Call) -> Value:
    return env.frame.variable(_name(env, node))


def _copy_index(env: Env, node: Call) -> Value:
    given = [env.node(argument) for argument in node.arguments]
    name = given.pop(0).lower() if given and isinstance(given[0], str) else ""
    offset = given[0] if given else 0
    found = env.copies[name]
    if isinstance(found, Sym):
        return found if offset == 0 else token(f"add({found.words}, {show(offset)})")
    return found + offset


def _id(of: str) -> Callable[[Env, Call], Value]:
    def made(env: Env, node: Call) -> Value:
        found = resource_id(env.frame.place, [env.node(argument) for argument in node.arguments], of=of)
        if found is None:
            raise Later
        return found

    return made


def _resource_group(env: Env, _: Call) -> Value:
    place = env.frame.place
    if place.level != "resourceGroup":
        raise Later
    own = "resourceGroup()" if isinstance(place.group, Sym) and place.group.words == "resourceGroup().name" else (
        f"resourceGroup({show(place.group)})"
    )  # fmt: skip
    return {
        "id": place.scope,
        "name": place.group,
        "location": token(f"{own}.location"),
        "tags": token(f"{own}.tags"),
        "type": "Microsoft.Resources/resourceGroups",
        "managedBy": token(f"{own}.managedBy"),
        "properties": {"provisioningState": "Succeeded"},
    }


def _subscription(env: Env, _: Call) -> Value:
    own = env.frame.place.subscription
    return {
        "id": joined(["/subscriptions/", own]),
        "subscriptionId": own,
        "tenantId": token("tenant().tenantId"),
        "displayName": token("subscription().displayName"),
    }


def _management_group(env: Env, _: Call) -> Value:
    own = env.frame.place.management_group
    scope = joined(["/providers/Microsoft.Management/managementGroups/", own])
    return {"id": scope, "name": own, "type": "Microsoft.Management/managementGroups"}


def _tenant(_: Env, __: Call) -> Value:
    return {"tenantId": token("tenant().tenantId"), "id": "/", "displayName": token("tenant().displayName")}


def _deployment(env: Env, _: Call) -> Value:
    own = f"{env.frame.path}deployment()"
    return {
        "name": token(f"{own}.name"),
        "location": token(f"{own}.location"),
        "properties": token(f"{own}.properties"),
    }


def _once_only(env: Env, node: Call) -> Value:
    return token(f"{env.frame.path}{node.spelled}() of parameters({show(env.asked)})")


def _reference(env: Env, node: Call) -> Value:
    given = [env.node(argument) for argument in node.arguments]
    what = given[0]
    if isinstance(what, str | Sym):
        deployment = env.frame.deployments.get(key_of(what))
        if deployment is not None and len(given) < 3:
            return {"outputs": deployment(), "provisioningState": "Succeeded"}
        symbol = env.frame.symbols.get(what.lower()) if isinstance(what, str) else None
        if symbol is not None:
            what = symbol()
    return token(f"{env.frame.path}reference({', '.join(show(one) for one in [what, *given[2:]])})")


def _resource_info(env: Env, node: Call) -> Value:
    name = _name(env, node)
    found = env.frame.symbols[name.lower()]()
    return {"id": found, "name": token(f"{env.frame.path}resourceInfo({show(name)}).name")}


# --- lambdas --------------------------------------------------------------------------------------------------------


class _Lambda:
    def __init__(self, env: Env, node: object) -> None:
        if not isinstance(node, Call) or node.name != "lambda":
            raise Later
        *names, self._body = node.arguments
        self.names = [str(name.value) for name in names if isinstance(name, Literal)]
        self._env = env

    def __call__(self, *given: Value) -> Value:
        names = {**self._env.names, **{n.lower(): v for n, v in zip(self.names, given, strict=False)}}
        return self._env.deeper(names=names).node(self._body)


def _lambda_variables(env: Env, node: Call) -> Value:
    return env.names[_name(env, node).lower()]


def _listed(env: Env, node: Call) -> tuple[list[Value], _Lambda]:
    values = env.node(node.arguments[0])
    if not isinstance(values, list):
        raise Later
    return values, _Lambda(env, node.arguments[-1])


def _map(env: Env, node: Call) -> Value:
    values, each = _listed(env, node)
    return [each(value, at) for at, value in enumerate(values)]


def _filter(env: Env, node: Call) -> Value:
    values, each = _listed(env, node)
    return [value for at, value in enumerate(values) if truth(each(value, at))]


def _reduce(env: Env, node: Call) -> Value:
    values, each = _listed(env, node)
    found = env.node(node.arguments[1])
    for at, value in enumerate(values):
        found = each(found, value, at)
        env.frame.budget.weigh(found)
    return found


def _sort(env: Env, node: Call) -> Value:
    values, less = _listed(env, node)
    return sorted(values, key=cmp_to_key(lambda a, b: -1 if truth(less(a, b)) else 1 if truth(less(b, a)) else 0))


def _each_key(env: Env, node: Call) -> tuple[list[Value], list[str]]:
    values = env.node(node.arguments[0])
    each = _Lambda(env, node.arguments[1])
    if not isinstance(values, list):
        raise Later
    keys = [each(value) for value in values]
    if not all(isinstance(key, str) for key in keys):
        raise Later
    return values, keys


def _to_object(env: Env, node: Call) -> Value:
    values, keys = _each_key(env, node)
    made = _Lambda(env, node.arguments[2]) if len(node.arguments) > 2 else None
    return {key: made(value) if made else value for key, value in zip(keys, values, strict=True)}


def _group_by(env: Env, node: Call) -> Value:
    values, keys = _each_key(env, node)
    found: dict[str, list[Value]] = {}
    for key, value in zip(keys, values, strict=True):
        found.setdefault(key, []).append(value)
    return found


def _map_values(env: Env, node: Call) -> Value:
    of, each = env.node(node.arguments[0]), _Lambda(env, node.arguments[1])
    if not isinstance(of, Mapping):
        raise Later
    return {key: each(value) for key, value in of.items()}


def _symbolic_name(env: Env, node: Call) -> Value:
    """`references('vaults')`: all of a loop."""
    return token(f"{env.frame.path}{node.spelled}({', '.join(show(env.node(a)) for a in node.arguments)})")


def _coalesce(env: Env, node: Call) -> Value:
    """The first that is something; where one may be nothing, one of these."""
    options: list[Value] = []
    given: list[Any] = []
    for argument in node.arguments:
        value = env.node(argument)
        given.append(value)
        if isinstance(value, Sym) and value.only:
            options.append(value)
        elif value is not None:
            options.append(value)
            break
    if len(options) == 1 and (known(options[0]) or not isinstance(options[0], Sym) or options[0].only is None):
        return options[0]
    if not options:
        return None
    env.frame.budget.weigh(given)
    words = f"coalesce({', '.join(map(show, given))})"
    return token(words, options=tuple(options), nothing=may_be_nothing(options[-1]))


SPECIAL: Final[Mapping[str, Callable[[Env, Call], Value]]] = {
    "parameters": _parameters,
    "variables": _variables,
    "copyindex": _copy_index,
    "coalesce": _coalesce,
    "resourceid": _id("resource"),
    "subscriptionresourceid": _id("subscription"),
    "tenantresourceid": _id("tenant"),
    "extensionresourceid": _id("extension"),
    "managementgroupresourceid": _id("managementGroup"),
    "resourcegroup": _resource_group,
    "subscription": _subscription,
    "managementgroup": _management_group,
    "tenant": _tenant,
    "deployment": _deployment,
    "newguid": _once_only,
    "utcnow": _once_only,
    "reference": _reference,
    "references": _symbolic_name,
    "resourceinfo": _resource_info,
    "lambdavariables": _lambda_variables,
    "map": _map,
    "filter": _filter,
    "reduce": _reduce,
    "sort": _sort,
    "toobject": _to_object,
    "groupby": _group_by,
    "mapvalues": _map_values,
}
