"""The pages of the rules, and the README's table of what is and is not covered."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from auditor.formats.rule_page import area_name, by_area, index, page
from auditor.formats.safe import m
from auditor.formats.words import count, type_label
from auditor.rule import Rule, load_rules
from auditor.strict_yaml import load

ROOT = Path(__file__).parents[1]
FOLDER = "docs/rules"
NOT_COVERED = ROOT / "docs" / "not-covered.yaml"
START, END = "<!-- coverage: made by scripts/make_generated.py -->\n", "<!-- end of coverage -->\n"


@cache
def rules() -> list[Rule]:
    """The shipped rules, from the folder they are written in."""
    return load_rules(ROOT / "rules")


def makers() -> dict[str, Callable[[], str]]:
    """Every page by its path, with what makes it."""
    pages = {
        f"{FOLDER}/{rule.id}.md": lambda rule=rule: page(rule, Path(rule.file).read_text(encoding="utf-8"))
        for rule in rules()
    }
    return {**pages, f"{FOLDER}/README.md": lambda: index(rules())}


def left_over() -> list[str]:
    """Pages of rules that are no more."""
    made = makers()
    return sorted(name for file in (ROOT / FOLDER).glob("*.md") if (name := f"{FOLDER}/{file.name}") not in made)


def with_coverage(readme: str) -> str:
    """The README with the table of what is covered, and what is not, as it is today."""
    head, _, rest = readme.partition(START)
    return head + START + coverage() + END + rest.partition(END)[2]


def coverage() -> str:
    """Areas with their rules and what these judge; then what nothing readable answers."""
    lines = ["| Area | Rules | What is judged |", "|-|-:|-|"]
    for key, members in by_area(rules()):
        kinds = dict.fromkeys(kind for rule in members for kind in rule.resources)
        named = ", ".join(sorted({"everything" if "*" in kind else type_label(kind) for kind in kinds}, key=str.lower))
        lines.append(
            f"| [{area_name(key)}]({FOLDER}/README.md#{_anchor(area_name(key))}) | {len(members)} | {m(named)} |"
        )
    optional = sum(rule.optional for rule in rules())
    lines += [
        "",
        f"{count(len(rules()), 'rule')} in all, {optional} of them optional. Which rule answers which question: "
        "[docs/questions.md](docs/questions.md); which log of which type is expected, and by which rule: "
        "[docs/expected-logs.md](docs/expected-logs.md).",
        "",
        "Not covered, because nothing that a reader may see answers it:",
        "",
    ]
    lines += ["| Not covered | Why | Instead |", "|-|-|-|"]
    listed, _ = load(NOT_COVERED.read_text(encoding="utf-8"), str(NOT_COVERED))
    lines += [f"| {m(one['what'])} | {m(one['why'])} | {m(one['instead'])} |" for one in listed]
    return "\n".join(lines) + "\n"


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")
