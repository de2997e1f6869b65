"""Drop and turn round every part of every rule: one of the rule's own tests must notice each time.

A survivor is a line that could be wrong without any test failing. Give the rule a test that tells the difference, or,
where the changed rule truly means the same, write it into `tests/equivalent_mutants.yaml` with the reason.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from auditor.rule_mutants import survivors
from auditor.strict_yaml import load

ROOT = Path(__file__).parents[1]
EQUIVALENT = ROOT / "tests" / "equivalent_mutants.yaml"


def equivalent() -> dict[str, dict[str, str]]:
    """Rule → change that changes nothing → why."""
    raw, _ = load(EQUIVALENT.read_text(encoding="utf-8"), str(EQUIVALENT))
    return raw or {}


def check(files: list[Path], known: dict[str, dict[str, str]]) -> tuple[int, list[str]]:
    """How many changes were tried, and a line for each that nothing noticed and each exception nobody needs."""
    total, problems = 0, []
    for file in files:
        tried, found = survivors(file.read_text(encoding="utf-8"), str(file))
        total += tried
        allowed = known.get(file.stem, {})
        problems += [f"{file}:{m.line}: no test notices: {m.name}   ({m.was})" for m in found if m.name not in allowed]
        needless = sorted(set(allowed) - {m.name for m in found})
        problems += [f"{EQUIVALENT.name}: {file.stem}: a test notices by now: {name}" for name in needless]
    stems = {file.stem for file in files}
    problems += [f"{EQUIVALENT.name}: there is no rule {rule}" for rule in sorted(set(known) - stems)]
    return total, problems


def main() -> int:
    """Check the rules of a folder; exit 1 if something survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of rules (default: the shipped ones)")
    folder = parser.parse_args().folder
    files = sorted((folder or ROOT / "rules").rglob("*.yaml"))
    start = time.perf_counter()
    total, problems = check(files, {} if folder else equivalent())
    for line in problems:
        print(line.removeprefix(f"{ROOT}/"))
    took = time.perf_counter() - start
    print(f"{len(files)} rules, {total:,} changes, {len(problems)} not noticed, {took:.1f} s", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
