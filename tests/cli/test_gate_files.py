"""The gate on files: what counts, what is told, and which exit code comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import sources
from auditor.cli import main
from auditor.documents import Collection, Run
from auditor.sources.comments import acceptances_in

APP = Path(__file__).parents[1] / "sources/terraform/app.plan.json"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"


def vault(name, comment="", line=7):
    shown = f"{GROUP}/providers/Microsoft.KeyVault/vaults/{name}"
    origin = {"file": "main.tf", "line": line, "address": f"azurerm_key_vault.{name}"}
    accept = acceptances_in(comment, "main.tf", line - 1)
    return {"id": shown, "type": "Microsoft.KeyVault/vaults", "name": name, "properties": {}, "$origin": origin,
            "$accept": accept}  # fmt: skip


@pytest.fixture
def scan(monkeypatch, capsys):
    """Scan documents as if a file of code had given them: (exit code, stdout, stderr)."""

    def run(documents, *options, source="terraform"):
        run = Run(source=source, finished_at="2026-11-22T00:00:00Z")
        collection = Collection(documents=list(documents), run=run)
        monkeypatch.setitem(sources.SOURCES, "terraform", (lambda _: True, lambda _: collection))
        code = main(["scan", str(APP), "--select", "keyvault-audit-logs", *options])
        return code, *capsys.readouterr()

    return run


def test_an_acceptance_in_code_satisfies_the_gate_and_a_mistake_in_one_is_told(scan):
    good = '# auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31'
    code, out, err = scan([vault("kv", good)], "--fail-on", "low")
    assert (code, "1 accepted" in out, "warning" in err) == (0, True, False)
    code, _, err = scan([vault("kv", good.replace("audit-logs", "audit-log"))] * 2, "--fail-on", "low")
    assert code == 1
    assert err.count("warning: ") == 1
    assert 'warning: main.tf:6: auditor:accept: there is no rule "keyvault-audit-log" (did you mean' in err
