"""The page of a rule, and the list of all of them."""

from pathlib import Path

from markdown_it import MarkdownIt

from auditor.formats.rule_page import area, by_area, index, page
from auditor.rule import load_rules, parse_rule

RULE = """\
# what this is
id: my-rule
title: Things are on | <b>really</b>
severity: medium
severity_when: [{where: {tags.env: prod}, severity: high, because: it is *productive*}]
resource: Microsoft.Test/things
where:
  # not those of others
  facts.in_scope: true

require:
  match: {properties.on: true}
message: $name is off.
rationale: |
  Because <script>alert(1)</script> and `so`.
remediation:
  cli: az resource update --ids "$id" --set "$$WHAT"
  portal: Open $name.
params: {env: [a, b]}
tests:
  - name: both ways | pipes
    given: [{name: a, properties: {on: true}, facts: {in_scope: true}}, {name: b, facts: {in_scope: true}}]
    expect: {a: pass, b: fail}
references: ["https://learn.microsoft.com/x", "javascript:alert(1)"]
"""


def parsed(file="rules/mine/my-rule.yaml"):
    return parse_rule(RULE, file)


def test_a_page_shows_what_is_asked_as_it_is_written():
    text = page(parsed(), RULE)
    assert (
        """```yaml
severity_when: [{where: {tags.env: prod}, severity: high, because: it is *productive*}]
resource: Microsoft.Test/things
where:
  # not those of others
  facts.in_scope: true
require:
  match: {properties.on: true}
params: {env: [a, b]}
```"""
        in text
    )
    assert "- `env`: a, b" in text
    assert "- both ways" in text
    assert "`my-rule` · medium · Mine" in text


def test_places_are_marked_and_variables_stay():
    text = page(parsed(), RULE)
    assert 'az resource update --ids "<id>" --set "$WHAT"' in text
    assert "Open &lt;name&gt;." in text


def test_no_markup_of_a_rule_s_text_gets_through():
    html = MarkdownIt("commonmark").enable("table").render(page(parsed(), RULE))
    assert "<script" not in html and "<b>" not in html and "<em>" not in html
    assert 'href="javascript' not in html
    assert 'href="https://learn.microsoft.com/x"' in html


def test_every_shipped_rule_has_a_page_with_the_same_headings():
    for rule in load_rules():
        text = page(rule, Path(rule.file).read_text(encoding="utf-8"))
        heads = [line for line in text.splitlines() if line.startswith("## ")]
        assert heads == [
            "## What is asked", "## What nobody can answer without it", "## How to mend it", "## What counts",
            "## What it maps to", "## References",
        ]  # fmt: skip


def test_areas_stand_in_their_order_and_one_s_own_last():
    rules = [parsed(f"x/{folder}/my-rule.yaml") for folder in ("zoo", "storage", "activity", "apes")]
    assert [key for key, _ in by_area(rules)] == ["activity", "storage", "apes", "zoo"]
    assert [area(rule) for rule in rules] == ["zoo", "storage", "activity", "apes"]
    text = index(rules)
    assert text.index("## Activity Log") < text.index("## Storage") < text.index("## Apes")
    assert "| [my-rule](my-rule.md) | Things are on \\| &lt;b&gt;really&lt;/b&gt; | medium (or high) |" in text
