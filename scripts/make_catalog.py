"""Make auditor/catalog.json from a folder of facts about what Azure's resource types can log.

    python scripts/make_catalog.py DATA_DIR [-o auditor/catalog.json]

DATA_DIR holds `azure-log-categories.json` (types and their categories) and `audit-relevance.csv` (what each category
is good for). The same input gives the same bytes: one type per line, sorted.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

CATEGORIES_FILE = "azure-log-categories.json"
RELEVANCE_FILE = "audit-relevance.csv"
RELEVANCES = ("audit", "security", "traffic", "operational")
# Flow logs are resources of their own (networkWatchers/flowLogs); no diagnostic setting ever carries this category.
NOT_IN_SETTINGS = {("microsoft.network/networksecuritygroups", "networksecuritygroupflowevent")}


class MalformedError(Exception):
    """The input is not what this script understands."""


def need(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """The value, if it is of this kind."""
    if not isinstance(value, kind):
        wanted = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
        raise MalformedError(f"{where}: expected {wanted}, found {type(value).__name__}")
    return value


def read_relevance(path: Path) -> dict[tuple[str, str], str]:
    """(type, category) in lower case → relevance."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = {"type", "category", "relevance"} - set(rows.fieldnames or ())
        if missing:
            raise MalformedError(f"{path.name}: column {sorted(missing)[0]!r} is missing")
        relevance: dict[tuple[str, str], str] = {}
        for row in rows:
            if row["relevance"] not in RELEVANCES:
                raise MalformedError(f"{path.name}:{rows.line_num}: relevance {row['relevance']!r} is not known")
            key = (str(row["type"]).lower(), str(row["category"]).lower())
            if key in relevance:
                raise MalformedError(f"{path.name}:{rows.line_num}: {row['type']} {row['category']} stands twice")
            relevance[key] = row["relevance"]
    return relevance


def make_category(raw: Mapping[str, Any], where: str, relevance: str) -> dict[str, Any]:
    """One category as the catalog holds it; what is not known is left out."""
    flags = {"audit": raw.get("audit_group"), "export_costs": raw.get("export_costs")}
    for key, value in flags.items():
        need(value, (bool, type(None)), f"{where}: {key}")
    made = {
        "name": need(raw.get("name"), str, f"{where}: name"),
        "display_name": need(raw.get("display_name"), (str, type(None)), f"{where}: display_name"),
        "relevance": relevance,
        "table": need(raw.get("table"), (str, type(None)), f"{where}: table"),
        "alt_tables": sorted(need(raw.get("alt_tables", []), list, f"{where}: alt_tables")),
        **flags,
        "licence": need(raw.get("licence"), (str, type(None)), f"{where}: licence"),
    }
    kept = {key: value for key, value in made.items() if value not in (None, "", [])}
    if raw.get("documented") is False:
        kept["documented"] = False
    return kept


def make_policies(raw: Any, where: str) -> dict[str, dict[str, str]]:
    """Destination kind → category group → id of the built-in policy that sets it up."""
    policies = {
        sink: {group: policy for group, policy in sorted(need(groups, dict, f"{where}: {sink}").items()) if policy}
        for sink, groups in sorted(need(raw, dict, where).items())
    }
    return {sink: groups for sink, groups in policies.items() if groups}


def make_type(key: str, raw: Any, relevance: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """One resource type as the catalog holds it."""
    need(raw, dict, key)
    name = need(raw.get("name"), str, f"{key}: name")
    if name.lower() != key:
        raise MalformedError(f"{key}: its name is {name!r}")
    categories: dict[str, dict[str, Any]] = {}
    for index, category in enumerate(need(raw.get("categories"), list, f"{key}: categories")):
        where = f"{key}: categories[{index}]"
        need(category, dict, where)
        pair = (key, need(category.get("name"), str, f"{where}: name").lower())
        if pair in NOT_IN_SETTINGS:
            continue
        if pair not in relevance:
            raise MalformedError(f"{RELEVANCE_FILE}: no line for {key} {category['name']}")
        if pair[1] in categories:
            raise MalformedError(f"{where}: {category['name']!r} stands twice")
        categories[pair[1]] = make_category(category, where, relevance[pair])
    groups = need(raw.get("category_groups"), (list, type(None)), f"{key}: category_groups")
    others = need(raw.get("other_builtin_policies", []), list, f"{key}: other_builtin_policies")
    made: dict[str, Any] = {"name": name}
    if raw.get("pseudo"):
        made["pseudo"] = True
    made["categories"] = [categories[k] for k in sorted(categories)]
    if groups is not None:
        made["groups"] = sorted(groups)
    if raw.get("category_groups_partial"):
        made["groups_partial"] = True
    if raw.get("categories_incomplete"):
        made["incomplete"] = True
    policies = make_policies(raw.get("builtin_policies", {}), f"{key}: builtin_policies")
    if policies:
        made["policies"] = policies
    if others:
        made["other_policies"] = sorted(need(other, dict, f"{key}: policy")["id"] for other in others)
    return made


def compact(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make_catalog(data: Any, relevance: Mapping[tuple[str, str], str]) -> Iterable[str]:
    """The lines of the catalog file."""
    need(data, dict, CATEGORIES_FILE)
    types = need(data.get("types"), dict, "types")
    if not types:
        raise MalformedError("types: empty")
    sources = [
        {"name": need(s.get("name"), str, "generated_from"), "licence": need(s.get("licence"), str, "generated_from")}
        for s in need(data.get("generated_from"), list, "generated_from")
    ]
    yield "{"
    yield f'"as_of":{compact(need(data.get("as_of"), str, "as_of"))},'
    yield '"sources":['
    yield ",\n".join(compact(source) for source in sources)
    yield "],"
    yield '"types":{'
    yield ",\n".join(f"{compact(key)}:{compact(make_type(key, types[key], relevance))}" for key in sorted(types))
    yield "}"
    yield "}"


def main(argv: list[str] | None = None) -> int:
    """Write the catalog; 2 when the input is malformed, and then nothing is written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA_DIR")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[1] / "auditor" / "catalog.json")
    arguments = parser.parse_args(argv)
    try:
        relevance = read_relevance(arguments.data / RELEVANCE_FILE)
        data = json.loads((arguments.data / CATEGORIES_FILE).read_text(encoding="utf-8"))
        text = "\n".join(make_catalog(data, relevance)) + "\n"
    except (OSError, ValueError, KeyError, MalformedError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    arguments.output.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
