"""`auditor doctor` on Contoso and on worse: what is printed, and the exit code."""

import json
import os
import re
from pathlib import Path

import pytest
from conftest import CONTOSO

from auditor import __version__
from auditor.cli import main
from auditor.cli.doctor import exit_code, unlocked
from auditor.cli.doctor_text import render
from auditor.emulator import Fault, running
from auditor.rule import load_rules, parse_rule
from auditor.sources.azure import capabilities as c
from auditor.sources.azure.cloud import PUBLIC

GOLDEN = Path(__file__).with_name("doctor.txt")
RULES = load_rules()
NOTHING = {capability.key: [] for capability in c.CAPABILITIES}


@pytest.fixture
def doctor(monkeypatch, capsys, tmp_path):
    """Ask about Contoso with faults; gives (exit code, stdout, stderr, emulator)."""

    def run(*argv, faults=None):
        with running(CONTOSO / "estate.json", faults=faults) as azure:
            for name, value in azure.environment().items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("AUDITOR_CONFIG", str(azure.config_file))
            monkeypatch.chdir(tmp_path)
            code = main(["doctor", *argv])
        out, err = capsys.readouterr()
        return code, out, err, azure

    return run


def test_the_text_about_contoso(doctor):
    code, out, err, azure = doctor()
    text = out.replace(azure.url.removeprefix("https://"), "HOST").replace(__version__, "VERSION")
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
    assert (code, err) == (3, "")
    assert max(len(line) for line in out.splitlines()) <= 80
    assert out.isascii()
    assert azure.writes == []
    asked = azure.requests.total() - sum(n for key, n in azure.requests.items() if "oauth2" in key)
    assert asked <= 10 + 6, "one a subscription, and few besides"


def test_the_json_about_contoso(doctor):
    code, out, _, azure = doctor("-f", "json")
    told = json.loads(out)
    assert code == told["exit_code"] == 3
    assert told["principal"]["kind"] == "application" and told["principal"]["application"] == azure.client_id
    assert told["principal"]["object_id"] == "fcb532cc-75d1-5972-a471-b09002c4c456"
    assert told["tenant"] == azure.tenant
    checks = {check["capability"]: check for check in told["checks"]}
    assert set(checks) == set(NOTHING)
    assert [gap["what"] for gap in checks["subscriptions"]["gaps"]] == ["contoso-ma-legacy"]
    assert checks["entra-licence"]["reads"] == ["microsoft.graph/subscribedSkus"]
    assert {"entra-graph-activity-logs", "entra-sign-in-logs"} <= set(checks["entra-licence"]["rules"])
    assert "entra-audit-logs" not in checks["entra-licence"]["rules"]


def test_the_estimate_is_near_what_a_scan_asks(doctor, collection):
    told = json.loads(doctor("-f", "json")[1])["estimate"]
    assert told["reads"] == pytest.approx(collection.run.requests, rel=0.25)


def test_what_is_there_is_enough_without_the_denied_subscription(doctor):
    code, out, _, _ = doctor("--exclude-subscription", "contoso-ma-legacy")
    assert code == 0
    assert out.splitlines()[-1] == "Everything that a scan needs is there. Exit 0."
    code, _, err, _ = doctor("--exclude-subscription", "contoso-legacy")
    assert code == 2
    assert "contoso-ma-legacy" in err.partition("hint:")[2]


def test_an_azure_that_denies_everything(doctor):
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}

    def deny(method, path, count):
        return None if "oauth2" in path else Fault(status=403, body=body)

    code, out, _, azure = doctor(faults=deny)
    assert code == 3
    assert "  no         Subscriptions     0 of 0 can be read" in out
    assert "  no         Entra ID settings" in out
    assert "Estimate    unknown" in out
    assert azure.writes == []


def test_sign_in_that_is_refused(doctor):
    def refuse(method, path, count):
        wrong = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
        return Fault(status=401, body=wrong) if "oauth2" in path else None

    code, out, _, _ = doctor(faults=refuse)
    assert code == 4
    assert "AADSTS7000215" in out and "hint: az login" in out
    assert "reachable      Resource Manager" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_a_clock_that_is_off_is_a_warning(doctor):
    def late(method, path, count):
        old = {"Date": "Sun, 01 Jan 2023 00:00:00 GMT"}
        return Fault(status=200, body={}, headers=old) if "openid" in path else None

    _, out, _, _ = doctor(faults=late)
    assert re.search(r"^Clock +WARNING: [\d,]+ s ahead of Azure's", out, re.MULTILINE)


# --- which rules need what ---


def test_every_shipped_rule_needs_something():
    needed = {rule for capability in c.CAPABILITIES for rule in unlocked(capability, RULES)}
    assert needed == {rule.id for rule in RULES}


@pytest.mark.parametrize(
    ("capability", "wanted", "unwanted"),
    [
        (
            c.SUBSCRIPTIONS,
            {"keyvault-audit-logs", "resource-logs-exported", "activity-log-exported"},
            "entra-audit-logs",
        ),
        (c.ENTRA, {"entra-audit-logs", "entra-sign-in-logs"}, "resource-logs-exported"),
        (c.LICENCE, {"entra-sign-in-logs"}, "entra-audit-logs"),
        (c.MANAGEMENT_GROUPS, {"diagnostic-setting-without-logs"}, "resource-logs-exported"),
        (c.STORAGE, {"storage-classic-logging-only", "storage-blob-access-logs"}, "storage-file-access-logs"),
        (c.DESTINATIONS, {"workspace-retention", "log-destination-exists"}, "resource-audit-logs-exported"),
    ],
)
def test_rules_are_found_by_what_they_judge(capability, wanted, unwanted):
    found = set(unlocked(capability, RULES))
    assert wanted <= found
    assert unwanted not in found


def test_a_rule_of_ones_own_is_found_too():
    text = (CONTOSO.parents[1] / "rules/entra/entra-sign-in-logs.yaml").read_text(encoding="utf-8")
    own = parse_rule(text.replace("id: entra-sign-in-logs", "id: mine"), "mine.yaml")
    assert unlocked(c.LICENCE, [own]) == ["mine"]
    assert unlocked(c.SUBSCRIPTIONS, [own]) == []


# --- the text ---


def examination(*checks, **more):
    who = c.Principal(kind="user", name="ann", object_id="", application="", tenant="t")
    return c.Examination(tool_version="1", cloud=PUBLIC.name, tenant="t", principal=who, checks=list(checks), **more)


def missing(count):
    gaps = [c.Gap(what=f"sub-{n}", reason="not permitted") for n in range(count)]
    return c.Check(capability="subscriptions", state="partly", detail="some", gaps=gaps)


def test_many_gaps_are_cut_and_counted():
    text = render(examination(missing(12)), NOTHING, 3)
    assert text.count("Subscriptions: sub-") == 5
    assert "and 7 more of these (-f json lists all)" in text
    assert "Cannot be assessed: Subscriptions (sub-0, sub-1, sub-2 and 9 more). Exit 3." in text


def test_what_others_named_cannot_draw_on_the_terminal():
    evil = "\x1b[2J\u202eevil\nExit 0."
    gap = c.Gap(what=evil, reason=evil, grant=c.Grant(role=evil, scope=evil, command=f"az {evil}"))
    place = c.Place(name="storage", host=evil, state="not reachable", reason=evil)
    seen = c.Subscription(id="1", name=evil, state=evil, tenant="x", readable="no")
    check = c.Check(capability="subscriptions", state="no", detail=evil, gaps=[gap])
    text = render(examination(check, places=[place], subscriptions=[seen]), NOTHING, 3)
    assert "\x1b" not in text and "\u202e" not in text
    assert "\nExit 0." not in text


def test_subscriptions_of_other_tenants_are_counted():
    seen = [
        c.Subscription(id=tenant, name="s", state="Enabled", tenant=tenant, readable="yes")
        for tenant in ("t", "a", "b")
    ]
    text = render(examination(subscriptions=seen), NOTHING, 0)
    assert "Subscriptions: 3 to read (3 Enabled)\n  2 of them in 2 other tenants (Azure Lighthouse)\n" in text


def test_a_long_command_is_broken_before_options_alone():
    grant = c.Grant(role="r", scope="s", command=f"az x --one {'1' * 40} --two {'2' * 40} && az y --three 3")
    check = c.Check(
        capability="entra-settings", state="no", detail="no", gaps=[c.Gap(what="w", reason="r", grant=grant)]
    )
    text = render(examination(check), NOTHING, 3)
    lines = text[text.index("    az x") :].splitlines()[:2]
    assert " ".join(line.removesuffix(" \\").strip() for line in lines) == grant.command
    assert lines[0].endswith(" \\") and not lines[1].endswith("\\")
    assert max(len(line) for line in lines) <= 80


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ({"subscriptions": "yes", "resource-graph": "unknown"}, 0),
        ({"subscriptions": "yes", "storage-data-plane": "not probed"}, 0),
        ({"subscriptions": "partly"}, 3),
        ({"subscriptions": "yes", "entra-licence": "unknown"}, 3),
        ({"subscriptions": "yes", "entra-settings": "no"}, 3),
    ],
)
def test_the_exit_code(states, code):
    checks = [c.Check(capability=key, state=state, detail="") for key, state in states.items()]
    assert exit_code(examination(*checks)) == code


@pytest.mark.parametrize(("seconds", "told"), [(0, "a few seconds"), (59, "59 s"), (60, "1 minute"), (61, "2 minutes")])
def test_the_time_a_scan_takes(seconds, told):
    estimate = c.Estimate(resources=1, reads=2, seconds=seconds, fullest="1", fullest_reads=2)
    assert f"at least {told} " in " ".join(render(examination(estimate=estimate), NOTHING, 0).split())
