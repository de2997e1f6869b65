"""How fast a live Azure is read: an emulator in a process of its own, as slow and as strict as Azure.

`python benchmarks/collect.py measure 20 500 graph` prints one JSON object. Several processes take part, so that none
pays for another: the emulator (`serve`), the scan (`scan`), and bare aiohttp sending the same requests (`bare`).
`python benchmarks/collect.py peer 20 500 SCOUT` has ScoutSuite scan the same estate.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LATENCY = 0.08  # seconds, the median
WORKERS = 64  # of bare aiohttp
PACE = 25  # reads a second that Azure allows a subscription
SAMPLE = 300  # reads at that pace
SERVICES = ("keyvault", "loggingmonitoring", "network", "storageaccounts")  # where ScoutSuite asks what we ask
HOSTS = ("management.azure.com", "login.microsoftonline.com", "graph.microsoft.com", "graph.windows.net")
HERE = Path(__file__)


def estate(subscriptions: int, each: int) -> dict[str, Any]:
    """A synthetic estate file: so many subscriptions with so many resources each."""
    from cases import documents

    tenant = {"id": "11111111-2222-4333-8444-000000000001", "displayName": "Benchmark"}
    made = [whole(document) for document in documents(subscriptions * each, subscriptions)]
    return {"format": 1, "tenant": tenant, "pageSize": 1000, "documents": made}


def whole(document: dict[str, Any]) -> dict[str, Any]:
    """A resource with what ScoutSuite stumbles over where it is missing; Azure always shows it."""
    more = {
        "microsoft.storage/storageaccounts": {
            "networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"},
            "encryption": {"keySource": "Microsoft.Storage"},
        },
        "microsoft.network/networksecuritygroups": {"defaultSecurityRules": []},
        "microsoft.keyvault/vaults": {"accessPolicies": []},
    }.get(str(document["type"]).lower())
    return {**document, "properties": {**document["properties"], **more}} if more else document


def serve(subscriptions: int, each: int, *, strict: bool, port: int) -> None:
    """Serve until a line comes in; then tell what was asked."""
    from auditor.emulator import Limits, running

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "estate.json"
        file.write_text(json.dumps(estate(subscriptions, each)), encoding="utf-8")
        with running(file, port=port, limits=Limits() if strict else None, latency=LATENCY) as emulator:
            place = {
                key: str(getattr(emulator, key)) for key in ("url", "ca_file", "tenant", "client_id", "client_secret")
            }
            print(json.dumps(place), flush=True)
            sys.stdin.readline()
            print(json.dumps(emulator.asked), flush=True)


def scan(place: dict[str, str], listed_by: str) -> None:
    """Read it all, and tell how that went."""
    from auditor.sources.azure.cloud import Options, custom_cloud
    from auditor.sources.azure.collect import collect_now

    options = Options(
        cloud=custom_cloud(resource_manager=place["url"], authority=place["url"], graph=place["url"]),
        tenant=place["tenant"],
        auth="client-secret",
        client_id=place["client_id"],
        client_secret=place["client_secret"],
        ca_file=place["ca_file"],
        inventory=listed_by,
    )
    began, spent = time.perf_counter(), time.process_time()
    collection = collect_now(options)
    wall, cpu = time.perf_counter() - began, time.process_time() - spent
    unknown = [doc["$unknown"] for doc in collection.documents if "$unknown" in doc]
    print(
        json.dumps(
            {
                "wall": wall,
                "cpu": cpu,
                "requests": collection.run.requests,
                "throttled": collection.run.throttled,
                "lost": sum(why.get("status") != 403 for why in unknown),  # the estate itself denies a few
                "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def bare(place: dict[str, str], paths: list[str], pace: float) -> None:
    """Send the same GETs with nothing but aiohttp: no token renewed, nothing retried, nothing understood.

    As fast as it can, or so many a second.
    """
    import aiohttp

    form = {"grant_type": "client_credentials", "client_id": place["client_id"], "client_secret": "x"}

    async def main() -> float:
        context = ssl.create_default_context(cafile=place["ca_file"])
        connector = aiohttp.TCPConnector(limit=WORKERS, ssl=context)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            tokens = {}
            for audience in ("https://management.azure.com", "https://storage.azure.com"):
                url = f"{place['url']}/{place['tenant']}/oauth2/v2.0/token"
                async with session.post(url, data={**form, "scope": f"{audience}/.default"}) as response:
                    tokens[audience] = (await response.json())["access_token"]
            queue = iter(paths)
            begun = [False] * WORKERS

            async def work(number: int) -> None:
                for path in queue:
                    if pace:
                        await asyncio.sleep(WORKERS / pace if begun[number] else number / pace)
                        begun[number] = True
                    audience = "https://storage.azure.com" if "$storage" in path else "https://management.azure.com"
                    headers = {"Authorization": f"Bearer {tokens[audience]}", "x-ms-version": "2021-12-02"}
                    async with session.get(place["url"] + path, headers=headers) as response:
                        await response.read()

            spent = time.process_time()
            await asyncio.gather(*(work(number) for number in range(WORKERS)))
            return time.process_time() - spent

    print(json.dumps({"cpu": asyncio.run(main())}))


def floor(asked: Counter[str]) -> float:
    """Seconds that Azure's buckets alone allow for these requests, were everything else free."""
    from auditor.documents import subscription_of

    buckets: Counter[str] = Counter()
    for line, count in asked.items():
        path = line.partition(" ")[2]
        if path.lower().startswith(("/subscriptions", "/providers", "/tenants")):
            buckets[subscription_of(path.partition("?")[0])] += count
    return max(0.0, (max(buckets.values()) - 250) / 25)


def measure(subscriptions: int, each: int, listed_by: str) -> dict[str, float]:
    """A scan under Azure's limits, and the same GETs without them and with bare aiohttp, at full speed and at Azure's."""
    strict, asked = _against(subscriptions, each, "scan", listed_by, strict=True)
    gets = [line.partition(" ")[2] for line in asked if line.startswith("GET ") and "/v1.0/" not in line]
    plain, _ = _against(subscriptions, each, "bare", gets, 0, strict=False)
    slow, _ = _against(subscriptions, each, "bare", gets[:SAMPLE], PACE, strict=False)
    return {
        **strict,
        "floor": floor(asked),
        "cpu_per_request": strict["cpu"] / strict["requests"],
        "bare_per_request": plain["cpu"] / len(gets),
        "bare_paced": slow["cpu"] / min(SAMPLE, len(gets)),
        "per_resource": strict["requests"] / (subscriptions * each),
    }


def peer(subscriptions: int, each: int, scout: str) -> dict[str, float]:
    """ScoutSuite against the same estate under the same limits.

    It knows Azure's own addresses alone. So the emulator stands on port 443, and for this one process, in a mount
    namespace of its own, those names lead to this machine: only root on Linux can do that.
    """
    with _served(subscriptions, each, strict=True, port=443) as (place, asked), tempfile.TemporaryDirectory() as folder:
        hosts = Path(folder) / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {' '.join(HOSTS)}\n", encoding="utf-8")
        sign_in = ("-s", "--tenant", place["tenant"], "--client-id", place["client_id"])
        secret = ("--client-secret", place["client_secret"], "--all-subscriptions")
        output = ("--no-browser", "-f", "--report-dir", f"{folder}/out", "--services", *SERVICES)
        isolated = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts))
        trusted = {"SSL_CERT_FILE": place["ca_file"], "REQUESTS_CA_BUNDLE": place["ca_file"]}
        direct = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        began = time.perf_counter()
        done = subprocess.run(
            [*isolated, scout, "azure", *sign_in, *secret, *output],
            env={**direct, **trusted},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        # Of children only those count that have ended; the emulator has not.
        wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        said = asked()
    if not said.total() or "Running post-processing engine" not in done.stdout:
        raise SystemExit(f"ScoutSuite did not run to its end:\n{done.stdout[-2000:]}")
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "requests": said.total(),
        "megabytes": used.ru_maxrss / 1024,
        "errors": done.stdout.count(" ERROR "),
    }


def _against(
    subscriptions: int, each: int, what: str, *given: Any, strict: bool
) -> tuple[dict[str, float], Counter[str]]:
    """What a process says after it met an emulator of its own, and what that one was asked."""
    with _served(subscriptions, each, strict=strict) as (place, asked):
        client = subprocess.run(
            [sys.executable, str(HERE), what],
            input=json.dumps([place, *given]),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(client.stdout), asked()


@contextmanager
def _served(
    subscriptions: int, each: int, *, strict: bool, port: int = 0
) -> Iterator[tuple[dict[str, str], Callable[[], Counter[str]]]]:
    """An emulator in a process of its own: where it is, and how to end it and learn what it was asked."""
    command = [sys.executable, str(HERE), "serve", str(subscriptions), str(each), str(int(strict)), str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        talk_in, talk_out = server.stdin, server.stdout
        assert talk_in is not None
        assert talk_out is not None
        place = talk_out.readline()
        if not place:
            raise SystemExit(f"the emulator could not be started on port {port}")

        def asked() -> Counter[str]:
            talk_in.write("\n")
            talk_in.flush()
            return Counter(json.loads(talk_out.readline()))

        yield json.loads(place), asked


def main(arguments: list[str]) -> None:
    """Be one of the processes."""
    if arguments[0] == "serve":
        serve(int(arguments[1]), int(arguments[2]), strict=arguments[3] == "1", port=int(arguments[4]))
    elif arguments[0] in ("measure", "peer"):
        does = {"measure": measure, "peer": peer}[arguments[0]]
        print(json.dumps(does(int(arguments[1]), int(arguments[2]), arguments[3])))
    else:
        {"scan": scan, "bare": bare}[arguments[0]](*json.load(sys.stdin))


if __name__ == "__main__":
    main(sys.argv[1:])
