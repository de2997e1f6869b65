"""Make the plan of examples/contoso/terraform with Terraform itself, and a provider that has nothing behind it.

Needs Terraform on the PATH, and a Python with `tf==1.2.0`:
    python -m venv /tmp/stub && /tmp/stub/bin/pip install tf==1.2.0
    /tmp/stub/bin/python scripts/plan_contoso.py
The plan is checked in, so that the tests need neither.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CONTOSO = HERE.parent / "examples" / "contoso"
PLAN = CONTOSO / "contoso.plan.json"
VERSION = "4.40.0"
MADE = "2026-11-22T07:20:00Z"  # the estate's own day, so that the file changes with the configuration alone


def main() -> int:
    """Plan, and write what `terraform show -json` says."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        shutil.copytree(CONTOSO / "terraform", work)
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(configured(Path(folder)))}
        for command in (["init", "-input=false"], ["plan", "-input=false", "-out=plan.bin"]):
            subprocess.run(["terraform", *command], cwd=work, env=environment, check=True, stdout=sys.stderr)
        shown = subprocess.run(
            ["terraform", "show", "-json", "plan.bin"], cwd=work, env=environment, check=True, stdout=subprocess.PIPE
        )
    told: dict[str, Any] = json.loads(shown.stdout)
    told["timestamp"] = MADE
    PLAN.write_text(json.dumps(told, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{PLAN.relative_to(HERE.parent)}: {PLAN.stat().st_size // 1000} KB", file=sys.stderr)
    return 0


def configured(folder: Path) -> Path:
    """The file that leads Terraform to the provider beside this script."""
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    place = folder / f"mirror/registry.terraform.io/hashicorp/azurerm/{VERSION}/{sys.platform}_{machine}"
    place.mkdir(parents=True)
    stub = place / f"terraform-provider-azurerm_v{VERSION}"
    stub.write_text(f"#!{sys.executable}\n" + (HERE / "terraform_stub" / "provider.py").read_text())
    stub.chmod(0o755)
    shutil.copy(HERE / "terraform_stub" / "schemas.py", place)
    written = folder / "terraform.rc"
    written.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n')
    return written


if __name__ == "__main__":
    raise SystemExit(main())
