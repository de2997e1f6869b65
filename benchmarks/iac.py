"""Measure scans of infrastructure code, each from the start of its process, beside Checkov on the same input.

`python benchmarks/iac.py [--checkov PATH]` prints the table of benchmarks/README.md; without Checkov it is left out.
`python benchmarks/iac.py plan|tree|template FILE` only writes an input.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
RESOURCES, FILES, IN_TEMPLATE = 2000, 500, 800
CHECKOV_VERSION = "3.3"
Made = tuple[str, str, dict[str, Any], dict[str, str]]  # type, name, values, attribute → what it refers to


def resources(count: int) -> list[Made]:
    """Vaults, accounts, networks, apps and databases, about two thirds of them with a diagnostic setting."""
    found: list[Made] = []
    number = 0
    while len(found) < count - 1:
        number += 1
        kind, more = _KINDS[number % len(_KINDS)]
        name = f"r{number}"
        found.append((kind, name, {"name": f"{name}-{kind[8:16]}", **more}, {}))
        if number % 3:
            logs = {"name": "audit", "enabled_log": [{"category_group": "allLogs"}]}
            refs = {"target_resource_id": f"{kind}.{name}", "log_analytics_workspace_id": f"{_WORKSPACE}.law"}
            found.append(("azurerm_monitor_diagnostic_setting", name, logs, refs))
    return [(_WORKSPACE, "law", {"name": "law", "retention_in_days": 365}, {}), *found]


_WORKSPACE = "azurerm_log_analytics_workspace"
_KINDS: list[tuple[str, dict[str, Any]]] = [
    ("azurerm_key_vault", {"sku_name": "standard", "tenant_id": SUBSCRIPTION}),
    ("azurerm_storage_account", {"account_tier": "Standard", "account_replication_type": "LRS"}),
    ("azurerm_network_security_group", {"security_rule": []}),
    ("azurerm_virtual_network", {"address_space": ["10.0.0.0/16"]}),
    ("azurerm_servicebus_namespace", {"sku": "Premium"}),
    ("azurerm_postgresql_flexible_server", {"version": "16"}),
    ("azurerm_container_registry", {"sku": "Premium"}),
    ("azurerm_cosmosdb_account", {"offer_type": "Standard"}),
]


def plan(count: int = RESOURCES) -> dict[str, Any]:
    """A plan of so many resources, as Terraform shows it."""
    planned, changes, blocks = [], [], []
    for kind, name, values, refs in resources(count):
        whole = {"resource_group_name": "rg", "location": "westeurope", "tags": {"env": "prod"}, **values}
        head = {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name}
        provider = {"provider_name": "registry.terraform.io/hashicorp/azurerm"}
        planned.append({**head, **provider, "schema_version": 0, "values": whole, "sensitive_values": {}})
        unknown = {"id": True, **dict.fromkeys(refs, True)}
        change = {
            "actions": ["create"],
            "before": None,
            "after": whole,
            "after_unknown": unknown,
            "after_sensitive": {},
        }
        changes.append({**head, **provider, "change": change})
        written = {key: {"constant_value": value} for key, value in values.items() if not isinstance(value, list)}
        written |= {key: {"references": [f"{target}.id", target]} for key, target in refs.items()}
        blocks.append({**head, "provider_config_key": "azurerm", "expressions": written, "schema_version": 0})
    provider_config = {
        "azurerm": {"name": "azurerm", "expressions": {"subscription_id": {"constant_value": SUBSCRIPTION}}}
    }
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"provider_config": provider_config, "root_module": {"resources": blocks}},
    }


def write_plan(file: Path) -> None:
    """The plan as a file."""
    file.write_text(json.dumps(plan()), encoding="utf-8")


def write_tree(folder: Path) -> None:
    """A root module of so many files, four resources in each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_text(
        f'provider "azurerm" {{\n  subscription_id = "{SUBSCRIPTION}"\n  features {{}}\n}}\n', encoding="utf-8"
    )
    every = resources(4 * FILES)
    for number in range(FILES):
        text = "\n".join(_hcl(one) for one in every[number * 4 : number * 4 + 4])
        (folder / f"part{number:03d}.tf").write_text(text, encoding="utf-8")


def _hcl(made: Made) -> str:
    kind, name, values, refs = made
    lines = [f'resource "{kind}" "{name}" {{']
    for key, value in {"resource_group_name": "rg", "location": "westeurope", **values}.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"  {key} {{", *(f"    {k} = {json.dumps(v)}" for k, v in value[0].items()), "  }"]
        elif value != []:
            lines.append(f"  {key} = {json.dumps(value)}")
    return "\n".join([*lines, *(f"  {key} = {target}.id" for key, target in refs.items()), "}", ""])


def write_template(file: Path) -> None:
    """An ARM template of so many resources, half of them settings of the other half."""
    found: list[dict[str, Any]] = []
    for number in range(IN_TEMPLATE // 2):
        vault = f"kv-{number}"
        found.append({"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": vault,
                      "location": "[resourceGroup().location]", "properties": {"sku": {"name": "standard"}}})  # fmt: skip
        found.append({"type": "Microsoft.Insights/diagnosticSettings", "apiVersion": "2021-05-01-preview", "name": "audit",
                      "scope": f"[resourceId('Microsoft.KeyVault/vaults', '{vault}')]",
                      "properties": {"workspaceId": "[parameters('workspace')]",
                                     "logs": [{"categoryGroup": "audit", "enabled": True}]}})  # fmt: skip
    told = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "parameters": {"workspace": {"type": "string"}}, "resources": found}  # fmt: skip
    file.write_text(json.dumps(told, indent=2), encoding="utf-8")


# --- measuring --------------------------------------------------------------------------------------------------------

INPUTS = {
    "plan": ("plan.json", write_plan, f"Terraform plan of {RESOURCES:,} resources", "under 1.5 s"),
    "tree": ("tree", write_tree, f"Terraform code in {FILES} files, {4 * FILES:,} resources", "–"),
    "template": ("azuredeploy.json", write_template, f"ARM template of {IN_TEMPLATE} resources", "–"),
}


def main() -> int:
    """Write one input, or measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=INPUTS)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument(
        "--checkov", default=shutil.which("checkov") or "", help="Checkov's command, in a venv of its own"
    )
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.what:
        INPUTS[arguments.what][1](arguments.file or Path(INPUTS[arguments.what][0]))
        return 0
    print(table(arguments.runs, arguments.checkov))
    return 0


def table(runs: int, checkov: str = "") -> str:
    """What every input takes, as Markdown."""
    head = ["", "| Input, from process start to findings.json | Wall | CPU | Memory | Aim | Checkov: wall, CPU | CPU ratio |",
            "|---|---|---|---|---|---|---|"]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for name, write, what, aim in INPUTS.values():
            place = Path(folder) / name
            write(place)
            ours = measured(
                [sys.executable, "-m", "auditor", "scan", str(place), "-q", "-f", f"json={folder}/out.json"], runs
            )
            theirs = _peer(place, checkov)
            other = f"{theirs[0]:.1f} s, {theirs[1]:.1f} s | {ours[1] / theirs[1]:.2f} ×" if theirs else "– | –"
            head.append(f"| {what} | {ours[0]:.2f} s | {ours[1]:.2f} s | {ours[2]:.0f} MB | {aim} | {other} |")
    said = [
        "", "`python benchmarks/iac.py --checkov CHECKOV` writes this table: medians of ours, Checkov once, in the same session",
        "on the same inputs. The ratio compares CPU time.",
    ]  # fmt: skip
    return "\n".join([*head, *said])


def _peer(place: Path, checkov: str) -> tuple[float, float, float] | None:
    if not checkov:
        return None
    flag = "-d" if place.is_dir() else "-f"
    return measured([checkov, flag, str(place), "-o", "json", "--quiet", "--compact", "--skip-download"], 1)


def measured(command: list[str], runs: int) -> tuple[float, float, float]:
    """Median seconds, CPU seconds and peak megabytes of a command."""
    wall, spent, memory = [], [], []
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONHASHSEED": "0"}
    environment |= {} if "auditor" in command else {"PYTHONPATH": ""}
    for _ in range(runs):
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):  # 1: something failed its checks
            raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
        wall.append(time.monotonic() - began)
        spent.append(usage.ru_utime + usage.ru_stime)
        memory.append(usage.ru_maxrss / 1024)
    return statistics.median(wall), statistics.median(spent), statistics.median(memory)


if __name__ == "__main__":
    raise SystemExit(main())
