"""The facts of what runs code: machines, clusters, applications and what watches them; a row for each type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auditor.facts.applications import app_facts, component_facts
from auditor.facts.clusters import cluster_facts
from auditor.facts.look import TypeFacts
from auditor.facts.machines import machine_facts

COMPUTE: Final[Mapping[str, TypeFacts]] = {
    "microsoft.compute/virtualmachines": machine_facts,
    "microsoft.compute/virtualmachinescalesets": machine_facts,
    "microsoft.containerservice/managedclusters": cluster_facts,
    "microsoft.hybridcompute/machines": machine_facts,
    "microsoft.insights/components": component_facts,
    "microsoft.web/sites": app_facts,
    "microsoft.web/sites/slots": app_facts,
}
