"""Write the files that are generated from the code, or with --check say which are not current."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import contoso_reports
import expected_logs
import msgspec
import question_page
import rule_pages

from auditor.acceptances import AcceptanceFile
from auditor.config import Configuration
from auditor.profile import ProfileFile
from auditor.rule_schema import findings_schema, rule_schema

ROOT = Path(__file__).parents[1]


def configuration_schema() -> str:
    """The JSON schema of `auditor.yaml`, for editors."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Azure Logging Auditor",
        **msgspec.json.schema(Configuration),
    }
    return json.dumps(schema, indent=2) + "\n"


def acceptances_schema() -> str:
    """The JSON schema of `acceptances.yaml`, for editors."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Accepted risks of the Azure Logging Auditor",
        **msgspec.json.schema(list[AcceptanceFile]),
    }
    return json.dumps(schema, indent=2) + "\n"


def profile_schema() -> str:
    """The JSON schema of profiles, for editors."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Profile of the Azure Logging Auditor",
        **msgspec.json.schema(ProfileFile),
    }
    return json.dumps(schema, indent=2) + "\n"


GENERATED = {
    "profiles/profile.schema.json": profile_schema,
    "rules/rule.schema.json": rule_schema,
    "reports/findings.schema.json": findings_schema,
    "reports/configuration.schema.json": configuration_schema,
    "reports/acceptances.schema.json": acceptances_schema,
    **contoso_reports.makers(),
    **rule_pages.makers(),
    expected_logs.FILE: expected_logs.page,
    question_page.FILE: question_page.page,
    "README.md": lambda: rule_pages.with_coverage(contoso_reports.readme()),
}


def main() -> int:
    """Write, or compare and exit 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    check = parser.parse_args().check
    stale = []
    for name, make in GENERATED.items():
        file, made = ROOT / name, make().encode()
        if file.is_file() and file.read_bytes() == made:
            continue
        stale.append(name)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(made)
    for name in rule_pages.left_over():
        stale.append(name)
        if not check:
            (ROOT / name).unlink()
    for name in stale:
        print(f"{'not current' if check else 'written'}: {name}", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
