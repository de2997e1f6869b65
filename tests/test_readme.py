"""The README's table of facts, against what Contoso's resources have."""

import re
from pathlib import Path

import pytest

from auditor.assemble import assemble

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| ((?:Microsoft|microsoft|Auditor)[\w./]+|anything that can log) \| (`.*) \|$", README, re.MULTILINE
)


@pytest.fixture(scope="module")
def inventory(collection):
    return assemble(collection)


def test_every_row_of_the_table_is_read():
    table = README.partition("| Of | Facts |\n")[2].partition("\n\n")[0]
    assert len(ROWS) == len(table.splitlines()) - 1 >= 20


@pytest.mark.parametrize(("kind", "names"), ROWS, ids=[kind for kind, _ in ROWS])
def test_every_fact_is_one_that_resources_have(kind, names, inventory):
    resources = inventory.by_type["microsoft.keyvault/vaults" if kind.startswith("any") else kind.lower()]
    known = set().union(*(resource.facts for resource in resources))
    assert set(re.findall(r"`(\w+)`", names)) <= known
