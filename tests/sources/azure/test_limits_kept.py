"""An Azure that counts: the scan stays below its limits, and where others use them up it waits and loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faulty import ONE, TENANT, TWO, Faulty, group, resource, settings

from auditor.emulator import Limits, running
from auditor.sources.azure.progress import Progress

SPEED = 10  # ten seconds of Azure's are one of ours
VAULTS = 400


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """More resources than a bucket holds in one subscription, a few in another."""
    documents: list[dict[str, Any]] = []
    for subscription, count in ((ONE, VAULTS), (TWO, 5)):
        documents.append({"id": f"/subscriptions/{subscription}", "type": "Microsoft.Resources/subscriptions"})
        for n in range(count):
            vault = f"{group(subscription)}/Microsoft.KeyVault/vaults/kv-{n}"
            documents += [resource(vault, "Microsoft.KeyVault/vaults"), settings(vault, on=False)]
    file = tmp_path / "estate.json"
    tenant = {"id": TENANT, "displayName": "Tiny"}
    file.write_text(json.dumps({"format": 1, "tenant": tenant, "pageSize": 100, "documents": documents}), "utf-8")
    return file


def test_a_scan_alone_is_never_refused(estate: Path) -> None:
    limits = Limits(reads_a_second=25 * SPEED, queries_a_second=3 * SPEED)
    faulty = Faulty(SPEED)

    with running(estate, limits=limits) as faulty.emulator:
        report = faulty.scan()

    assert report.run.throttled == 0
    assert report.completeness.unknown == 0
    assert report.completeness.answered > VAULTS


def test_where_others_ask_too_it_waits_and_loses_nothing(estate: Path) -> None:
    """A fifth of the allowance is left for us."""
    limits = Limits(reads_at_once=30, reads_a_second=5 * SPEED * 4, queries_at_once=2, queries_a_second=SPEED)
    faulty = Faulty(SPEED)

    with running(estate, limits=limits) as faulty.emulator:
        report = faulty.scan()

    assert report.completeness.unknown == 0
    assert report.completeness.answered > VAULTS
    # Most waiting happens on our side: what is left is told with each answer, and the first refusal stops the rest.
    assert report.run.throttled < report.run.requests / 4


def test_the_outlook_counts_the_fullest_subscription(estate: Path) -> None:
    told: list[Progress] = []
    faulty = Faulty()

    with running(estate) as faulty.emulator:
        faulty.scan(progress=told.append)

    first = next(progress for progress in told if progress.stage == "settings")
    assert first.total >= VAULTS + 5
    about_one = 1 + 7  # categories, and what is read of a subscription
    assert first.floor == pytest.approx((VAULTS + about_one - 225) / 24, abs=0.1)
    assert max(progress.done for progress in told if progress.stage == "settings") == first.total
