"""A collection that is cut off goes on where it stood, and ends as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from conftest import CONTOSO

from auditor.cli import main
from auditor.completeness import count_reads
from auditor.emulator import Fault, running
from auditor.errors import ConnectionLostError, IdentityError
from auditor.sources import journal as journals
from auditor.sources import open_file
from auditor.sources.azure.cloud import Options
from auditor.sources.azure.collect import DECIDES, collect_now

TENANT = "11111111-bbbb-4bbb-8bbb-000000000001"
SUBSCRIPTIONS = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]
HIDDEN = "aaaaaaaa-0000-4000-8000-000000000003"
ELSEWHERE = "/subscriptions/eeeeeeee-0000-4000-8000-00000000000e/resourceGroups/soc/providers"
CENTRAL = f"{ELSEWHERE}/Microsoft.OperationalInsights/workspaces/central"
GONE = f"{ELSEWHERE}/Microsoft.OperationalInsights/workspaces/gone"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
VAULTS = 20


def group(guid):
    return f"/subscriptions/{guid}/resourceGroups/rg/providers"


def vault(guid, n):
    return f"{group(guid)}/Microsoft.KeyVault/vaults/kv-{n:02}"


def thing(resource_id, of_type, **rest):
    return {"id": resource_id, "type": of_type, "name": resource_id.rpartition("/")[2], "location": "westeurope",
            "properties": {}, **rest}  # fmt: skip


def documents():
    for number, guid in enumerate([*SUBSCRIPTIONS, HIDDEN]):
        yield {"id": f"/subscriptions/{guid}", "type": "Microsoft.Resources/subscriptions",
               "displayName": f"Sub {number}", "state": "Enabled"}  # fmt: skip
    yield {"id": f"/subscriptions/{HIDDEN}/resources", "type": "Microsoft.Resources/subscriptions/resources",
           "$unknown": {"reason": "no", "status": 403, "code": "AuthorizationFailed"}}  # fmt: skip
    for guid in SUBSCRIPTIONS:
        yield thing(f"{group(guid)}/Microsoft.Compute/disks/d", "Microsoft.Compute/disks")
        watcher = f"{group(guid)}/Microsoft.Network/networkWatchers/nw"
        yield thing(watcher, "Microsoft.Network/networkWatchers")
        account = f"{group(guid)}/Microsoft.Storage/storageAccounts/st{guid[-1]}"
        endpoints = {s: f"https://st{guid[-1]}.{s}.core.windows.net/" for s in ("blob", "queue", "table", "file")}
        yield thing(account, "Microsoft.Storage/storageAccounts", kind="StorageV2", sku={"name": "Standard_LRS"},
                    properties={"primaryEndpoints": endpoints})  # fmt: skip
        for n in range(VAULTS):
            yield thing(vault(guid, n), "Microsoft.KeyVault/vaults")
            to = {"workspaceId": CENTRAL if n % 3 else GONE, "storageAccountId": account if n % 2 else None}
            named = {"id": f"{vault(guid, n)}/providers/{SETTINGS}/s", "type": SETTINGS, "name": "s", "properties": to}
            yield {"id": f"{vault(guid, n)}/providers/{SETTINGS}", "type": SETTINGS, "value": [named]}
    yield thing(CENTRAL, "Microsoft.OperationalInsights/workspaces")
    yield {"id": f"{CENTRAL}/tables", "type": "Microsoft.OperationalInsights/workspaces/tables",
           "value": [{"id": f"{CENTRAL}/tables/T", "name": "T"}]}  # fmt: skip
    yield {"id": GONE, "type": "Microsoft.OperationalInsights/workspaces",
           "$absent": {"status": 404, "code": "ResourceNotFound"}}  # fmt: skip


class Azure:
    """The emulated estate, with what the test makes of each request."""

    def __init__(self):
        self.asked = Counter()  # requests of a run, by method and path in lower case
        self.count = 0
        self.answer = lambda path, count: None
        self.emulator = None

    def fault(self, method, path, nth):
        self.count += 1
        if "oauth2" not in path:
            self.asked[f"{method} {path.lower()}"] += 1
        return self.answer(path.lower(), self.count)

    def fresh(self, answer=lambda path, count: None):
        self.asked, self.count, self.answer = Counter(), 0, answer


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    file = tmp_path_factory.mktemp("estate") / "estate.json"
    tenant = {"id": TENANT, "displayName": "Small", "defaultDomain": "small.example"}
    file.write_text(json.dumps({"format": 1, "tenant": tenant, "documents": list(documents())}))
    azure = Azure()
    with running(file, faults=azure.fault) as emulator:
        azure.emulator = emulator
        yield azure


@pytest.fixture(scope="module")
def whole(azure):
    """What an uninterrupted run collects."""
    azure.fresh()
    return collect_now(azure.emulator.scan_options(retry_backoff=0.001))


@pytest.fixture
def signed_in(azure, monkeypatch, tmp_path):
    for name, value in azure.emulator.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUDITOR_CONFIG", str(azure.emulator.config_file))
    monkeypatch.chdir(tmp_path)


def collect(azure, output, **options):
    """Collect in this process, as `auditor collect` does; None where it was interrupted."""
    with journals.open_journal(output) as journal:
        collection = collect_now(azure.emulator.scan_options(retry_backoff=0.001, **options), journal=journal)
        if not collection.run.interrupted:
            journal.finish()
        return collection


def stop_at(count):
    """Ctrl-C when this many requests have come."""
    return lambda path, seen: os.kill(os.getpid(), signal.SIGINT) if seen == count else None


def settings_of(guid, n):
    return f"{vault(guid, n)}/providers/{SETTINGS}".lower()


def same(run):
    """A run without what differs from one to the next."""
    return msgspec.structs.replace(run, started_at="", finished_at="", requests=0, throttled=0, resumed=0)


# --- cut off ---


def test_killed_at_ten_random_moments_and_continued(azure, whole, tmp_path):
    output, chance = tmp_path / "small.snapshot", random.Random(3)
    command = [sys.executable, "-m", "auditor", "collect", "-q", "--concurrency", "3", "-o", str(output),
               "-c", str(azure.emulator.config_file)]  # fmt: skip
    environment = {**os.environ, **azure.emulator.environment()}

    def run(kill_at=0):
        child, ready = None, threading.Event()

        def kill(path, count):
            if count == kill_at:
                ready.wait()
                child.kill()
            return Fault(delay=0.002)

        azure.fresh(kill)
        child = subprocess.Popen(command, env=environment, cwd=CONTOSO.parents[1], stderr=subprocess.PIPE, text=True)
        ready.set()
        _, said = child.communicate(timeout=60)
        return child.returncode, said

    for _ in range(10):
        code, said = run(chance.randint(8, 14))
        assert code == -signal.SIGKILL, said
        assert not output.exists()
    code, said = run()

    assert code == 0, said
    assert "note: continuing the collection of" in said
    read = open_file(output)
    assert read.documents == whole.documents
    assert same(read.run) == same(whole.run)
    assert read.run.resumed == 10
    assert [file.name for file in tmp_path.iterdir()] == ["small.snapshot"]


def test_answers_are_not_asked_for_again(azure, whole, tmp_path):
    azure.fresh(stop_at(60))
    first = collect(azure, tmp_path / "s", concurrency=2)
    asked = azure.asked
    azure.fresh()
    second = collect(azure, tmp_path / "s", concurrency=2)

    assert first.run.interrupted and not second.run.interrupted
    assert second.documents == whole.documents
    assert same(second.run) == same(whole.run)
    unanswered = {str(doc["id"]).lower() for doc in first.documents if "$unknown" in doc}
    again = {request.partition(" ")[2] for request in asked.keys() & azure.asked.keys()}
    graph = "/providers/microsoft.resourcegraph/resources"
    assert again <= unanswered | {"/providers/microsoft.management/managementgroups", graph}, (
        "an empty list is asked for again"
    )
    assert azure.asked[f"POST {graph}"] == 1, "of the subscription of which it shows nothing"
    assert "GET /subscriptions" not in azure.asked


def test_what_failed_in_passing_or_was_refused_is_asked_for_again(azure, whole, tmp_path):
    passing = {
        settings_of(SUBSCRIPTIONS[0], 0): Fault(status=503),
        settings_of(SUBSCRIPTIONS[0], 1): Fault(status=429, headers={"Retry-After": "100000"}),
        settings_of(SUBSCRIPTIONS[0], 2): Fault(reset=True),
        settings_of(SUBSCRIPTIONS[0], 3): Fault(status=403),
        settings_of(SUBSCRIPTIONS[1], 0): Fault(truncate=True),
    }

    def fail(path, count):
        if path.endswith(f"{GONE}/tables".lower()) or path == CENTRAL.lower():
            os.kill(os.getpid(), signal.SIGINT)
        return passing.get(path)

    azure.fresh(fail)
    first = collect(azure, tmp_path / "s")
    unknown = {str(doc["id"]).lower(): doc["$unknown"]["reason"] for doc in first.documents if "$unknown" in doc}
    azure.fresh()
    second = collect(azure, tmp_path / "s")

    assert first.run.interrupted
    assert passing.keys() <= unknown.keys()
    assert all("interrupted" not in unknown[path] for path in passing)
    assert passing.keys() <= {request.partition(" ")[2] for request in azure.asked}
    assert f"GET {settings_of(SUBSCRIPTIONS[1], 1)}" not in azure.asked
    assert f"GET /subscriptions/{HIDDEN}/resources" in azure.asked, "it was refused: the permission may be there now"
    assert second.documents == whole.documents


def test_a_permission_granted_in_between_counts(azure, whole, tmp_path):
    def fault(path, count):
        if count == 70:
            os.kill(os.getpid(), signal.SIGINT)
        return Fault(status=403) if "kv-0" in path else None

    azure.fresh(fault)
    first = collect(azure, tmp_path / "s", concurrency=2)
    azure.fresh()
    assert first.run.interrupted and first.run.denied
    assert collect(azure, tmp_path / "s").documents == whole.documents


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_torn_journal_is_continued_from_its_good_part(azure, whole, tmp_path, keep):
    azure.fresh(stop_at(90))
    collect(azure, tmp_path / "s", concurrency=2)
    partial = tmp_path / "s.partial"
    data = partial.read_bytes()
    partial.write_bytes(data[: int(len(data) * keep)])
    azure.fresh()
    assert collect(azure, tmp_path / "s").documents == whole.documents
    assert azure.count > 5


def test_every_option_is_known_to_decide_what_is_read_or_not():
    in_another_form = {"cloud", "tenant"}
    whatever_they_are = {"auth", "client_id", "client_secret", "concurrency", "page_size", "ca_file", "arm_batch"}
    waiting = {"connect_timeout", "read_timeout", "retry_backoff", "retry_after_cap"}
    assert set(Options.__struct_fields__) == {*DECIDES, *in_another_form, *whatever_they_are, *waiting}


# --- the connection, the sign-in ---


def test_a_lost_connection_keeps_the_journal(azure, whole, tmp_path):
    azure.fresh(lambda path, count: Fault(reset=True) if count > 30 else None)
    with pytest.raises(ConnectionLostError, match="connection to Azure was lost"):
        collect(azure, tmp_path / "s", concurrency=2)
    assert (tmp_path / "s.partial").exists()
    in_vain = [request for request in azure.asked if request.endswith("diagnosticsettings")]
    assert len(in_vain) < 2 * VAULTS, "it does not go on asking"
    azure.fresh()
    assert collect(azure, tmp_path / "s").documents == whole.documents


def test_a_place_that_never_answers_stops_nothing(azure, tmp_path):
    azure.fresh(lambda path, count: Fault(reset=True) if "/vaults/" in path else None)
    collection = collect(azure, tmp_path / "s")
    failed = [doc for doc in collection.documents if "broken off" in doc.get("$unknown", {}).get("reason", "")]
    assert len(failed) > 2 * VAULTS
    assert not (tmp_path / "s.partial").exists()


def test_a_sign_in_that_ends_keeps_the_journal(azure, whole, tmp_path):
    azure.fresh(lambda path, count: Fault(status=401) if count > 50 else None)
    with pytest.raises(IdentityError, match="in the middle of the collection") as error:
        collect(azure, tmp_path / "s", concurrency=8)
    assert error.value.exit_code == 4
    assert "az login" in error.value.hint and "the same command continues" in error.value.hint
    azure.fresh()
    assert collect(azure, tmp_path / "s").documents == whole.documents


# --- the command line ---


def test_ctrl_c_says_how_to_go_on(azure, signed_in, whole, capsys):
    azure.fresh(stop_at(60))
    assert main(["collect", "-q", "-o", "s", "--concurrency", "2"]) == 130
    said = capsys.readouterr().err
    assert "answers are kept in s.partial; the same command continues" in said
    assert not Path("s").exists()

    assert main(["collect", "-q", "-o", "s", "-s", "Sub 0"]) == 2
    said = capsys.readouterr().err
    assert "belongs to another collection (subscriptions none, now Sub 0)" in said
    assert main(["collect", "-q", "-o", "s", "--type", "Microsoft.KeyVault"]) == 2
    said = capsys.readouterr().err
    assert 'belongs to another collection (focus none, now {"types":["Microsoft.KeyVault"]})' in said
    assert "hint: delete s.partial (or give --fresh)" in said

    with journals.open_journal(Path("s")):
        assert main(["collect", "-q", "-o", "s"]) == 2
    assert "another process is collecting into this file" in capsys.readouterr().err

    Path(".s.killed.partial").write_text("left by a process killed while it wrote the snapshot")
    azure.fresh()
    assert main(["collect", "-q", "-o", "s"]) == 0
    said = capsys.readouterr().err
    assert "note: continuing the collection of" in said
    run = whole.run
    assert f"{run.planned:,} reads: {run.answered:,} answered, {run.not_supported:,} not supported, " in said
    assert open_file(Path("s")).documents == whole.documents
    assert [file.name for file in Path().iterdir()] == ["s"]


def test_fresh_asks_for_everything(azure, signed_in, whole, capsys):
    azure.fresh(stop_at(60))
    assert main(["collect", "-q", "-o", "s", "--concurrency", "2"]) == 130
    azure.fresh()
    assert main(["collect", "-q", "-o", "s", "--fresh"]) == 0
    assert "continuing" not in capsys.readouterr().err
    assert "POST /providers/microsoft.resourcegraph/resources" in azure.asked
    assert open_file(Path("s")).run.resumed == 0


def test_a_scan_cut_off_reports_what_there_is(azure, signed_in, capsys):
    azure.fresh(stop_at(60))
    assert main(["scan", "-q", "-f", "json", "--concurrency", "2"]) == 130
    out, said = capsys.readouterr()
    told = json.loads(out)
    assert told["run"]["interrupted"]
    assert "interrupted: the report covers what was read" in said
    assert any(unread["why"]["reason"] == "interrupted before it was read" for unread in told["unread"])
    assert not list(Path().iterdir())


def test_a_mistake_leaves_nothing_to_stumble_over(azure, signed_in, capsys):
    azure.fresh()
    assert main(["collect", "-q", "-o", "s", "-s", "no such"]) == 2
    assert "no such" in capsys.readouterr().err
    assert not list(Path().iterdir())


# --- completeness ---


def no_graph(path, count):
    return Fault(status=403) if "resourcegraph" in path else None


def storm(path, count):
    kinds = [None, Fault(status=403), None, Fault(status=404), Fault(truncate=True), Fault(status=400), None]
    quiet = ("/token", "/tenants", "/subscriptions", "/resources")
    return None if path.endswith(quiet) else kinds[sum(path.encode()) % len(kinds)]


FAULTS = {
    "none": lambda path, count: None,
    "Resource Graph refused": no_graph,
    "all sorts": storm,
    "all settings refused": lambda path, count: Fault(status=403) if path.endswith("diagnosticsettings") else None,
    "only the list of subscriptions": lambda path, count: (
        Fault(status=403) if "oauth2" not in path and path not in ("/subscriptions", "/v1.0/subscribedskus") else None
    ),
    **{f"interrupted at {count}": stop_at(count) for count in (3, 5, 8, 12, 20, 60, 85)},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_three_ends_add_up_to_the_plan(azure, fault):
    azure.fresh(FAULTS[fault])
    collection = collect_now(azure.emulator.scan_options(retry_backoff=0.001, concurrency=2))
    run = collection.run

    assert run.interrupted == fault.startswith("interrupted")
    assert run.planned == run.answered + run.not_supported + run.unknown > 0
    assert count_reads(collection.documents) == {
        "answered": run.answered,
        "not_supported": run.not_supported,
        "unknown": run.unknown,
    }
    never = [doc for doc in collection.documents if "interrupted" in doc.get("$unknown", {}).get("reason", "")]
    assert bool(never) == run.interrupted


def test_an_interruption_loses_nothing_of_the_plan_that_was_known(azure, whole):
    azure.fresh(stop_at(40))
    collection = collect_now(azure.emulator.scan_options(concurrency=2))
    shown = {(doc["id"].lower(), doc["type"].lower()) for doc in collection.documents}
    settings = [doc for doc in whole.documents if doc["type"] == SETTINGS]
    assert len(settings) > 2 * VAULTS
    assert {(doc["id"].lower(), SETTINGS.lower()) for doc in settings} <= shown


def test_what_was_listed_when_it_was_cut_off_is_unknown_not_forgotten(azure, whole):
    def interrupt(path, count):
        if path == f"/subscriptions/{HIDDEN}/resources":
            os.kill(os.getpid(), signal.SIGINT)
        return Fault(delay=0.05)  # the answer must not outrun the signal

    azure.fresh(interrupt)
    collection = collect_now(azure.emulator.scan_options(concurrency=2))
    shown = {doc["id"].lower(): doc.get("$unknown", {}).get("reason", "read") for doc in collection.documents}
    assert collection.run.interrupted
    told = Counter(shown[settings_of(guid, n)] for guid in SUBSCRIPTIONS for n in range(VAULTS))
    assert told.keys() <= {"read", "interrupted before it was read"}
    assert told["interrupted before it was read"] > VAULTS


def test_contoso_adds_up(collection):
    run = collection.run
    assert (run.answered, run.not_supported, run.unknown) == tuple(count_reads(collection.documents).values())
    assert run.planned == sum(count_reads(collection.documents).values()) > 900
