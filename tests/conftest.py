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
from auditor.sources.azure.cloud import Options, custom_cloud
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


def options_for(emulator: Emulator, **more) -> Options:
    """How to read an emulated tenant."""
    return Options(
        cloud=custom_cloud(resource_manager=emulator.url, authority=emulator.url, graph=emulator.url),
        tenant=emulator.tenant,
        auth="client-secret",
        client_id=emulator.client_id,
        client_secret=emulator.client_secret,
        ca_file=str(emulator.ca_file),
        **more,
    )


@pytest.fixture(scope="session")
def collection(contoso):
    """Contoso, read over real HTTPS by the live source."""
    return collect_now(options_for(contoso), clock=lambda: AS_OF)


@pytest.fixture(scope="session")
def report(collection):
    """Contoso, judged by every shipped rule."""
    return judge(assemble(collection), load_rules())
