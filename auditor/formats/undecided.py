"""What a file does not tell, grouped by what would tell it: the way out of each unknown finding."""

from __future__ import annotations

from collections import Counter

from auditor.formats.gaps import EXAMPLES, Cause, Gap
from auditor.inventory import Unknown
from auditor.report import Finding, Report

NOT_KNOWN = "Not known"  # what would close a gap
_MOST = 5  # reasons of one group that are named


def undecided(report: Report) -> list[Gap]:
    """The unknown findings of a file by what would close them, most findings first; none where Azure was read."""
    if report.run.source == "azure":
        return []
    groups: dict[tuple[str, str], list[tuple[Finding, Unknown]]] = {}
    for finding in report.findings:
        for why in finding.why_unknown if finding.status == "unknown" else ():
            code = (why.code or "").partition("(")[0]
            groups.setdefault((why.grant or "", code), []).append((finding, why))
    found = [_gap(*key, members) for key, members in groups.items()]
    return sorted(found, key=lambda gap: (-gap.findings, gap.remedy, gap.where))


def _gap(grant: str, code: str, members: list[tuple[Finding, Unknown]]) -> Gap:
    reasons = Counter(why.reason for _, why in members)
    subjects: dict[str, set[str]] = {}
    for finding, why in members:
        subjects.setdefault(why.reason, set()).add(finding.subject.name)
    return Gap(
        scope="",
        where=code or "not told",
        causes=[
            Cause(reason=reason, action="", answer="", reads=number, examples=_few(sorted(subjects[reason])))
            for reason, number in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
        ],
        reads=0,
        unlisted_scope=False,
        sources=0,
        findings=len({finding.fingerprint for finding, _ in members}),
        remedy=f"{grant[:1].upper()}{grant[1:]}" or NOT_KNOWN,
        command="",
    )


def _few(names: list[str]) -> list[str]:
    return names[:EXAMPLES] + (["…"] if len(names) > EXAMPLES else [])
