"""What many tests share: Contoso served, collected and judged once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.assemble import assemble
from auditor.emulator import Emulator, running
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources.azure.collect import collect_now

pytest.register_assert_rewrite("estates")  # so that a case that fails says how

CONTOSO = Path(__file__).parents[1] / "examples" / "contoso"
AS_OF = datetime(2026, 11, 22, 7, 14, tzinfo=UTC)
LEFT_ALONE = ("AZURE_", "AUDITOR_", "SSL_CERT_", "SOURCE_DATE_", "IDENTITY_", "MSI_", "HTTP_PROXY", "HTTPS_PROXY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No test depends on who runs it."""
    for name in list(os.environ):
        if name.upper().startswith(LEFT_ALONE):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def contoso() -> Iterator[Emulator]:
    """Contoso as a local Azure."""
    with running(CONTOSO / "estate.json") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def collection(contoso):
    """Contoso, read over real HTTPS by the live source."""
    return collect_now(contoso.scan_options(), clock=lambda: AS_OF)


@pytest.fixture(scope="session")
def report(collection):
    """Contoso, judged by every shipped rule."""
    return judge(assemble(collection), load_rules())
