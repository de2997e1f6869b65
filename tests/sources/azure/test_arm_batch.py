"""Reads sent in batches, to an endpoint that nobody vouches for: the same findings, nothing written, nothing lost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import AS_OF, CONTOSO
from faulty import RULES, changes, documents, serving, sum_is_intact

from auditor.cli import main
from auditor.cli.run import judged
from auditor.documents import Collection, marker, settings_id
from auditor.emulator import Fault, Limits, running
from auditor.formats.json import render
from auditor.sources.azure.batch_form import MOST, batch_of, fits, only_reads
from auditor.sources.azure.collect import collect_now
from auditor.sources.azure.pipeline import Counts, Pipelines, Refused, send
from auditor.sources.azure.transport import open_transport

VERSION = "?api-version=2021-05-01-preview"
URL = "https://management.azure.com/batch?api-version=2020-06-01"
BATCH = "/batch"


def report_of(collection: Collection) -> str:
    report = judged(collection, RULES, "Contoso")
    run = msgspec.structs.replace(report.run, requests=0, throttled=0)
    return render(msgspec.structs.replace(report, run=run))


def vaults(azure: Any, number: int = 3) -> list[str]:
    """So many vaults, each with a setting that bears its name."""
    made = [azure.vault(f"kv{n}") for n in range(number)]
    azure.resources(*made)
    for one in made:
        setting = {"id": f"{settings_id(one['id'])}/s", "name": one["name"], "properties": {}}
        azure[settings_id(one["id"])] = {"value": [setting]}
    return [one["id"] for one in made]


def in_order(azure: Any, change: Any = lambda item: item) -> Any:
    """The batch endpoint, answering from the answers to single reads, last first; `change` makes of each what it likes."""

    def answer(seen: Any) -> Any:
        responses = []
        for one in reversed(seen.body["requests"]):
            found = azure.answers.get(one["relativeUrl"].partition("?")[0].lower(), (404, {"error": {"code": "No"}}))
            status, content = found if isinstance(found, tuple) else (200, found)
            item = change({"name": one["name"], "httpStatusCode": status, "headers": {}, "content": content})
            responses += [] if item is None else item if isinstance(item, list) else [item]
        return {"responses": responses}

    return answer


def asked(azure: Any) -> Counter[str]:
    return Counter(f"{seen.method} {seen.path}" for seen in azure.seen)


def named(collection: Collection, vault: str) -> list[str]:
    (found,) = [doc for doc in collection.documents if doc["id"] == settings_id(vault)]
    return [setting["name"] for setting in found["value"]]


# --- the same ---


def test_contoso_gives_the_same_report(contoso: Any, collection: Collection) -> None:
    batched, requests = Counter(contoso.batched), Counter(contoso.requests)

    other = collect_now(contoso.scan_options(arm_batch=True), clock=lambda: AS_OF)

    assert report_of(other) == report_of(collection)
    assert contoso.writes == []
    inside, sent = contoso.batched - batched, contoso.requests - requests
    assert inside.total() > 500
    assert sent["POST /batch"] < inside.total() / 5
    assert other.run.requests < collection.run.requests - 400
    assert all(request.endswith(("diagnosticsettings", "diagnosticsettingscategories")) for request in inside)


def test_it_is_off_unless_asked_for(collection: Collection, contoso: Any) -> None:
    requests = Counter(contoso.requests)
    collect_now(contoso.scan_options(), clock=lambda: AS_OF)
    assert (contoso.requests - requests)["POST /batch"] == 0


def test_answers_are_told_apart_by_name(azure: Any) -> None:
    ids = vaults(azure, 30)
    azure[BATCH] = in_order(azure)

    collection = azure.scan(arm_batch=True)

    assert [named(collection, one) for one in ids] == [[f"kv{n}"] for n in range(30)]
    sizes = [len(seen.body["requests"]) for seen in azure.seen if seen.path == BATCH]
    assert max(sizes) == MOST and sum(sizes) >= 31
    assert not [seen for seen in azure.seen if seen.method == "GET" and seen.path == settings_id(ids[0]).lower()]


# --- never believed in doubt ---


ODD: dict[str, Any] = {
    "throttled": lambda item: {**item, "httpStatusCode": 429, "content": {"error": {"code": "TooManyRequests"}}},
    "failed": lambda item: {**item, "httpStatusCode": 503, "content": {"error": {"code": "ServerBusy"}}},
    "signed out": lambda item: {**item, "httpStatusCode": 401, "content": {"error": {"code": "Expired"}}},
    "not there": lambda item: {**item, "httpStatusCode": 404, "content": {"error": {"code": "ResourceNotFound"}}},
    "refused without a name": lambda item: {**item, "httpStatusCode": 403, "content": {}},
    "left out": lambda item: None,
    "twice": lambda item: [item, {**item, "content": {"value": []}}],
    "of another name": lambda item: {**item, "name": "x"},
    "without a name": lambda item: {key: value for key, value in item.items() if key != "name"},
    "without content": lambda item: {key: value for key, value in item.items() if key != "content"},
    "as text": lambda item: {**item, "content": json.dumps(item["content"])},
    "with a status in words": lambda item: {**item, "httpStatusCode": "OK"},
    "later": lambda item: {**item, "httpStatusCode": 202, "content": None},
    "no object": lambda item: 7,
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("whose", ["one", "all"])
def test_an_answer_that_is_not_a_plain_one_is_asked_for_again(azure: Any, odd: str, whose: str) -> None:
    ids = vaults(azure)
    hit = [settings_id(ids[1]).lower()] if whose == "one" else None

    def change(item: dict[str, Any]) -> Any:
        value = item["content"].get("value") or [{}]
        about = value[0].get("id", "").lower()
        return ODD[odd](item) if hit is None or about.startswith(hit[0]) else item

    azure[BATCH] = in_order(azure, change)

    collection = azure.scan(arm_batch=True)

    assert [named(collection, one) for one in ids] == [["kv0"], ["kv1"], ["kv2"]]
    assert asked(azure)[f"GET {settings_id(ids[1]).lower()}"] == 1
    assert collection.run.unknown == azure.scan().run.unknown


def test_a_refusal_in_a_batch_is_a_refusal(azure: Any) -> None:
    ids = vaults(azure)
    azure[settings_id(ids[0])] = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    azure[settings_id(ids[1])] = (400, {"code": "ResourceTypeNotSupported", "message": "no"})
    azure[BATCH] = in_order(azure)

    found = {doc["id"]: doc for doc in azure.scan(arm_batch=True).documents}

    assert found[settings_id(ids[0])]["$unknown"]["status"] == 403
    assert marker(found[settings_id(ids[1])]) == "$unsupported"
    assert asked(azure)[f"GET {settings_id(ids[0]).lower()}"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((404, {"error": {"code": "NotFound", "message": "no"}}), id="not there"),
        pytest.param((405, ""), id="not allowed"),
        pytest.param((403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), id="refused"),
        pytest.param((202, "", {"Location": "https://elsewhere.example/"}), id="later, elsewhere"),
        pytest.param((302, "", {"Location": "https://elsewhere.example/"}), id="elsewhere"),
        pytest.param((500, ""), id="broken"),
        pytest.param("reset", id="broken off"),
        pytest.param("cut", id="cut short"),
    ],
)
def test_an_endpoint_that_is_refused_or_odd_is_not_used_any_more(azure: Any, answer: Any) -> None:
    ids, told = vaults(azure, 50), []
    azure[BATCH] = answer

    collection = azure.scan(arm_batch=True, notice=told.append, concurrency=8)

    assert [named(collection, one) for one in ids] == [[f"kv{n}"] for n in range(50)]
    assert len(told) == 1 and "batch endpoint is not used any more" in told[0]
    assert asked(azure)["POST /batch"] <= 8


@pytest.mark.parametrize("answer", [{}, {"responses": 7}, (200, "<html>"), (200, ""), {"responses": []}])
def test_an_endpoint_of_no_use_is_not_used_any_more(azure: Any, answer: Any) -> None:
    ids, told = vaults(azure, 60), []
    azure[BATCH] = answer

    collection = azure.scan(arm_batch=True, notice=told.append, concurrency=8)

    assert [named(collection, one) for one in ids] == [[f"kv{n}"] for n in range(60)]
    assert len(told) == 1 and "its answers could not be used" in told[0]
    assert asked(azure)["POST /batch"] <= 6


@pytest.mark.parametrize("share", [3, 2])
def test_faults_inside_batches_change_no_finding_but_to_unknown(tmp_path: Path, share: int) -> None:
    kinds = [Fault(status=403), Fault(status=500), Fault(truncate=True), Fault(reset=True),
             Fault(status=429, headers={"Retry-After": "1"}), Fault(status=404), Fault(status=200, body="<html>")]  # fmt: skip

    def storm(method: str, path: str, nth: int) -> Fault | None:
        place = sum(path.encode())
        return kinds[place % len(kinds)] if "diagnosticsettings" in path.lower() and place % share == 0 else None

    with serving(tmp_path) as faulty:
        calm, single = faulty.scan(arm_batch=True), faulty.scan()
        stormy = faulty.scan(storm, arm_batch=True)
        passing = faulty.scan(lambda m, p, nth: storm(m, p, nth) if nth == 1 else None, arm_batch=True)
        assert faulty.emulator.batched and faulty.emulator.writes == []

    assert changes(single, calm) == changes(calm, single) == {}
    assert changes(calm, stormy) == {}
    assert sum_is_intact(stormy) and sum_is_intact(passing)


def test_reads_in_batches_keep_to_the_speed_limits(tmp_path: Path) -> None:
    estate = tmp_path / "estate.json"
    tenant = {"id": "11111111-aaaa-4aaa-8aaa-000000000001", "displayName": "Tiny", "defaultDomain": "tiny.example"}
    estate.write_text(json.dumps({"format": 1, "tenant": tenant, "documents": list(documents())}), encoding="utf-8")

    with running(estate, limits=Limits(reads_at_once=40, reads_a_second=100)) as emulator:
        collection = collect_now(emulator.scan_options(arm_batch=True, retry_backoff=0.01))

    assert emulator.batched.total() > 20
    assert collection.run.unknown == 0
    assert not [doc for doc in collection.documents if doc.get("$unknown", {}).get("status") == 429]


# --- nothing is written ---


VAULT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
GOOD = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings{VERSION}"


@pytest.mark.parametrize(
    ("relative", "fine"),
    [
        (GOOD, True),
        (GOOD.replace("Settings?", "SettingsCategories?"), True),
        (f"{VAULT}{VERSION}", False),
        (f"{VAULT}/listKeys{VERSION}", False),
        (GOOD.replace("?", "/x?"), False),
        (GOOD.replace("?", "?$filter=x&"), False),
        (GOOD + "&x=1", False),
        (GOOD.partition("?")[0], False),
        (f"https://management.azure.com{GOOD}", False),
        (f"//evil.example{GOOD}", False),
        (GOOD.replace("/kv/", "/../"), False),
        (GOOD.replace("/kv/", "/%2e%2e/"), False),
        (GOOD.replace("/kv/", "/k?v/"), False),
        (GOOD.replace("/kv/", "/k\\v/"), False),
        (GOOD.replace("/kv/", "/k v/"), False),
        (GOOD + "\n", False),
    ],
)
def test_only_our_own_reads_go_in_a_batch(relative: str, fine: bool) -> None:
    assert fits(relative) is fine
    assert only_reads("POST", URL, batch_of({"a": relative})) is fine


READ = {"httpMethod": "GET", "name": "a", "relativeUrl": GOOD}


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", URL, {"requests": [READ]}),
        ("POST", URL.replace("/batch", "/batch/x"), {"requests": [READ]}),
        ("POST", URL.replace("/batch", "/x/batch"), {"requests": [READ]}),
        ("POST", URL, {"requests": [READ, {**READ, "httpMethod": "PUT"}]}),
        ("POST", URL, {"requests": [{**READ, "httpMethod": "get"}]}),
        ("POST", URL, {"requests": [{**READ, "content": {}}]}),
        ("POST", URL, {"requests": [{**READ, "url": "/subscriptions/s/register"}]}),
        ("POST", URL, {"requests": [{**READ, "requestHeaderDetails": {"x-http-method-override": "PUT"}}]}),
        ("POST", URL, {"requests": [{**READ, "relativeUrl": 7}]}),
        ("POST", URL, {"requests": [READ] * 21}),
        ("POST", URL, {"requests": []}),
        ("POST", URL, {"requests": [READ], "more": 1}),
        ("POST", URL, {}),
        ("POST", URL, []),
        ("POST", URL, "{"),
    ],
)
def test_a_batch_that_does_more_than_read_is_none(method: str, url: str, body: Any) -> None:
    assert only_reads("POST", URL, msgspec.json.encode({"requests": [READ]}))
    assert not only_reads(method, url, body.encode() if isinstance(body, str) else msgspec.json.encode(body))
    assert not only_reads("POST", URL, None)


@pytest.mark.parametrize(
    ("on", "body", "leaves"),
    [
        (True, {"requests": [READ]}, True),
        (False, {"requests": [READ]}, False),
        (True, {"requests": [{**READ, "httpMethod": "DELETE"}]}, False),
    ],
)
def test_the_guard_looks_into_batches(azure: Any, on: bool, body: Any, leaves: bool) -> None:
    class Token:
        async def get_token(self, *_: str, **__: Any) -> Any:
            from azure.core.credentials import AccessToken

            return AccessToken("a.eyJhdWQiOiJ4In0.c", 2**40)

    async def post() -> int:
        async with azure.serving():
            azure[BATCH] = {"responses": []}
            options = azure.options(arm_batch=on)
            transport = open_transport(options)
            try:
                pipelines = Pipelines(options, Token(), transport, Counts())
                url = f"{azure.urls['manager']}/batch?api-version=2020-06-01"
                way = pipelines.resource_manager
                return (await send(way, "POST", url, content=msgspec.json.encode(body))).status
            finally:
                await transport.session.close()

    if leaves:
        assert asyncio.run(post()) == 200
    else:
        with pytest.raises(Refused, match="would not be a read"):
            asyncio.run(post())
    assert len(azure.seen) == leaves


# --- by flag and configuration ---


def test_the_command_line_says_that_it_is_not_documented(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--arm-batch" in said and "Microsoft does not document" in said
    assert main(["scan", str(CONTOSO / "no.snapshot"), "--arm-batch"]) == 2
    assert "--arm-batch says how to read Azure" in capsys.readouterr().err
