"""Write contoso.template.json: what the Terraform code of Contoso makes, as an ARM template, in every spelling.

Generated from the estate, so that it cannot differ from it. It deploys to a tenant of several subscriptions: a nested
deployment for each resource group. Diagnostic settings take turns in the ways in which templates write them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from auditor.documents import normal_id, type_of
from auditor.sources import terraform

HERE = Path(__file__).parent
FILE = HERE / "contoso.template.json"
SCHEMA = "https://schema.management.azure.com/schemas/2019-08-01/{}deploymentTemplate.json#"
VERSION = "2024-01-01"  # of every resource: templates name one, and it decides nothing here
SETTINGS = "microsoft.insights/diagnosticsettings"
KEPT = ("location", "kind", "sku", "tags", "identity", "properties")
MADE_BY_AZURE = ("/databases/master", "/tables")

Json = dict[str, Any]


def main() -> int:
    """Write the template, or check that it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = json.dumps(template(), indent=1, ensure_ascii=False) + "\n"
    if parser.parse_args().check:
        current = FILE.read_text(encoding="utf-8") == text
        print(f"{FILE.name}: {'current' if current else 'not current: run ' + Path(__file__).name}")
        return 0 if current else 1
    FILE.write_text(text, encoding="utf-8")
    return 0


def template() -> Json:
    """The template of the whole tenant."""
    groups: dict[tuple[str, str], list[Json]] = {}
    for document in sorted(written(), key=lambda d: str(d["id"]).lower()):
        parts = str(document["id"]).split("/")
        groups.setdefault((parts[2], parts[4]), []).append(document)
    ways = cycle((scoped, below, beside))
    return {
        "$schema": SCHEMA.format("tenant"),
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                "type": "Microsoft.Resources/deployments",
                "apiVersion": VERSION,
                "name": f"deploy-{group}",
                "subscriptionId": subscription,
                "resourceGroup": group,
                "properties": {
                    "mode": "Incremental",
                    "template": {
                        "$schema": SCHEMA.format(""),
                        "contentVersion": "1.0.0.0",
                        "resources": list(resources(documents, ways)),
                    },
                },
            }
            for (subscription, group), documents in sorted(groups.items())
        ],
    }


def written() -> Iterator[Json]:
    """What the estate tells of all that the Terraform code makes, and of what is below that."""
    plan = terraform.read(HERE / "contoso.plan.json")
    made = [normal_id(str(document["id"])) for document in plan.documents if "properties" in document]
    made += [normal_id(str(item["id"])) for document in plan.documents for item in document.get("value", ())]
    estate = json.loads((HERE / "estate.json").read_text(encoding="utf-8"))
    for document in estate["documents"]:
        for item in document["value"] if isinstance(document.get("value"), list) else [document]:
            key = normal_id(str(item.get("id") or ""))
            whole = isinstance(item.get("properties"), Mapping) and not any(name.startswith("$") for name in item)
            by_azure = any(key.endswith(end) for end in MADE_BY_AZURE)
            if whole and not by_azure and any(key == one or key.startswith(f"{one}/") for one in made):
                yield item


def resources(documents: list[Json], ways: Iterator[Any]) -> Iterator[Json]:
    """The resources of one group, each setting in the way whose turn it is."""
    made = {normal_id(str(document["id"])): resource(document) for document in documents if not is_setting(document)}
    settings = []
    for document in filter(is_setting, documents):
        target = normal_id(str(document["id"])).rpartition(f"/providers/{SETTINGS}")[0]
        more = next(ways)(document, made.get(target))
        settings += [more] if more else []
    yield from made.values()
    yield from settings


def is_setting(document: Json) -> bool:
    """Whether a document is a diagnostic setting."""
    return type_of(str(document["id"])).lower() == SETTINGS


def resource(document: Json) -> Json:
    """A resource as a template writes it: its type, its names from the provider on, and its body."""
    kind = type_of(str(document["id"]))
    shown = str(document["id"])
    scope, _, path = shown.rpartition("/providers/")
    name = "/".join(path.split("/")[2::2])
    body = {key: document[key] for key in KEPT if document.get(key) is not None}
    extends = {"scope": scope.partition("/providers/")[2]} if "/providers/" in scope else {}
    return {"type": kind, "apiVersion": VERSION, "name": name, **extends, **body}


def scoped(document: Json, _: Json | None) -> Json:
    """A setting as an extension resource with a scope."""
    target, name = where(document)
    return {
        "type": "Microsoft.Insights/diagnosticSettings",
        "apiVersion": "2021-05-01-preview",
        "scope": target.partition("/providers/")[2],
        "name": name,
        "properties": document["properties"],
    }


def below(document: Json, parent: Json | None) -> Json | None:
    """A setting inside of what it is set on, where that is in the template."""
    if parent is None:
        return scoped(document, parent)
    _, name = where(document)
    child = {
        "type": "providers/diagnosticSettings",
        "apiVersion": "2021-05-01-preview",
        "name": f"Microsoft.Insights/{name}",
        "properties": document["properties"],
    }
    parent.setdefault("resources", []).append(child)
    return None


def beside(document: Json, _: Json | None) -> Json:
    """A setting by the composite type and name that templates had before there were scopes."""
    target, name = where(document)
    names = target.rpartition("/providers/")[2].split("/")[2::2]
    return {
        "type": f"{type_of(target)}/providers/diagnosticSettings",
        "apiVersion": "2017-05-01-preview",
        "name": "/".join([*names, "Microsoft.Insights", name]),
        "properties": document["properties"],
    }


def where(document: Json) -> tuple[str, str]:
    """The id of what a setting is set on, and its name."""
    shown = str(document["id"])
    return shown[: shown.lower().rindex(f"/providers/{SETTINGS}")], shown.rpartition("/")[2]


if __name__ == "__main__":
    raise SystemExit(main())
