"""How fast a live Azure is read: an emulator in a process of its own, as slow and as strict as Azure.

`python benchmarks/collect.py measure 20 500` prints one JSON object. Three processes take part, so that none of them
pays for another: the emulator (`serve`), the scan (`scan`), and bare aiohttp sending the same requests (`bare`).
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

LATENCY = 0.08  # seconds, the median
HERE = Path(__file__)


def estate(subscriptions: int, each: int) -> dict[str, Any]:
    """A synthetic estate file: so many subscriptions with so many resources each."""
    from cases import documents

    tenant = {"id": "11111111-2222-4333-8444-000000000001", "displayName": "Benchmark"}
    made = list(documents(subscriptions * each, subscriptions))
    return {"format": 1, "tenant": tenant, "pageSize": 1000, "documents": made}


def serve(subscriptions: int, each: int, *, strict: bool) -> None:
    """Serve until a line comes in; then tell what was asked."""
    from auditor.emulator import Limits, running

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "estate.json"
        file.write_text(json.dumps(estate(subscriptions, each)), encoding="utf-8")
        with running(file, limits=Limits() if strict else None, latency=LATENCY) as emulator:
            place = {
                key: str(getattr(emulator, key)) for key in ("url", "ca_file", "tenant", "client_id", "client_secret")
            }
            print(json.dumps(place), flush=True)
            sys.stdin.readline()
            print(json.dumps(emulator.asked), flush=True)


def scan(place: dict[str, str]) -> None:
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


def bare(place: dict[str, str], paths: list[str]) -> None:
    """Send the same GETs with nothing but aiohttp: no token renewed, nothing retried, nothing understood."""
    import aiohttp

    form = {"grant_type": "client_credentials", "client_id": place["client_id"], "client_secret": "x"}

    async def main() -> float:
        context = ssl.create_default_context(cafile=place["ca_file"])
        connector = aiohttp.TCPConnector(limit=64, ssl=context)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            tokens = {}
            for audience in ("https://management.azure.com", "https://storage.azure.com"):
                url = f"{place['url']}/{place['tenant']}/oauth2/v2.0/token"
                async with session.post(url, data={**form, "scope": f"{audience}/.default"}) as response:
                    tokens[audience] = (await response.json())["access_token"]
            queue = iter(paths)

            async def work() -> None:
                for path in queue:
                    audience = "https://storage.azure.com" if "$storage" in path else "https://management.azure.com"
                    headers = {"Authorization": f"Bearer {tokens[audience]}", "x-ms-version": "2021-12-02"}
                    async with session.get(place["url"] + path, headers=headers) as response:
                        await response.read()

            spent = time.process_time()
            await asyncio.gather(*(work() for _ in range(64)))
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


def measure(subscriptions: int, each: int) -> dict[str, float]:
    """A scan under Azure's limits, and the same GETs without them and with bare aiohttp."""
    strict, asked = _against(subscriptions, each, "scan", strict=True)
    gets = [line.partition(" ")[2] for line in asked if line.startswith("GET ") and "/v1.0/" not in line]
    plain, _ = _against(subscriptions, each, "bare", strict=False, paths=gets)
    return {
        **strict,
        "floor": floor(asked),
        "cpu_per_request": strict["cpu"] / strict["requests"],
        "bare_per_request": plain["cpu"] / len(gets),
        "per_resource": strict["requests"] / (subscriptions * each),
    }


def _against(
    subscriptions: int, each: int, what: str, *, strict: bool, paths: list[str] | None = None
) -> tuple[dict[str, float], Counter[str]]:
    """What a process says after it met an emulator of its own, and what that one was asked."""
    command = [sys.executable, str(HERE), "serve", str(subscriptions), str(each), str(int(strict))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        place = server.stdout.readline()
        client = subprocess.run(
            [sys.executable, str(HERE), what],
            input=json.dumps([json.loads(place), paths]),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        server.stdin.write("\n")
        server.stdin.flush()
        return json.loads(client.stdout), Counter(json.loads(server.stdout.readline()))


def main(arguments: list[str]) -> None:
    """Be one of the processes."""
    if arguments[0] == "serve":
        serve(int(arguments[1]), int(arguments[2]), strict=arguments[3] == "1")
    elif arguments[0] == "measure":
        print(json.dumps(measure(int(arguments[1]), int(arguments[2]))))
    else:
        place, paths = json.load(sys.stdin)
        scan(place) if arguments[0] == "scan" else bare(place, paths)


if __name__ == "__main__":
    main(sys.argv[1:])
