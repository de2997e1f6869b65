"""An estate file served as a local Azure over HTTPS: what `auditor demo` scans, and what the tests scan.

It plays Resource Manager, Resource Graph, Entra sign-in, Microsoft Graph and the storage data plane, as far as an audit
of logging asks them. It only answers reads; anything else is refused and kept in `Emulator.writes`.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from auditor.emulator.estate import Estate, load_estate
from auditor.emulator.limits import Limits
from auditor.emulator.server import Fault, Faults, Server
from auditor.emulator.tls import server_context
from auditor.errors import AuditorError
from auditor.sources.azure.cloud import Options, custom_cloud

__all__ = ["Emulator", "Fault", "Faults", "Limits", "running", "serve"]


class Emulator(msgspec.Struct, frozen=True, kw_only=True):
    """A running emulator: where it is, and how to sign in to it."""

    url: str  # https://127.0.0.1:8443
    ca_file: Path  # the authority that vouches for it, in PEM
    config_file: Path  # holds `configuration()`
    tenant: str
    client_id: str
    client_secret: str
    as_of: str  # the time at which the estate stands, RFC 3339, or empty
    requests: Counter[str]  # "GET /subscriptions/*/locations" → how often
    asked: Counter[str]  # "GET /subscriptions?api-version=2022-12-01" → how often
    batched: Counter[str]  # likewise, of requests that came in a batch
    writes: list[str]  # "PUT /…": what was refused for not being a read

    def environment(self) -> dict[str, str]:
        """The environment variables with which Azure's own tools and the auditor sign in here, and nowhere else."""
        return {
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": self.client_secret,
            "SSL_CERT_FILE": str(self.ca_file),
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
        }

    def scan_options(self, **more: Any) -> Options:
        """How the live source reads this tenant; `more` are further options."""
        return Options(
            cloud=custom_cloud(resource_manager=self.url, authority=self.url, graph=self.url),
            tenant=self.tenant,
            auth="client-secret",
            client_id=self.client_id,
            client_secret=self.client_secret,
            ca_file=str(self.ca_file),
            **more,
        )

    def configuration(self) -> str:
        """The configuration file (YAML) that points the auditor here."""
        lines = ["endpoints:", *(f"  {key}: {self.url}" for key in ("authority", "resource_manager", "graph"))]
        return "\n".join(lines) + "\n"


@contextmanager
def running(
    estate: Path | str | Traversable,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: Faults | None = None,
    limits: Limits | None = None,
    latency: float = 0,
) -> Iterator[Emulator]:
    """Serve an estate file until the block is left; port 0 is any free one.

    `limits` throttles as Azure does, `latency` is the median of the seconds that an answer takes; by default neither.

    Only this machine can reach the default host. Whoever can reach it can read the estate: any secret is accepted.
    """
    loaded = load_estate(estate)
    folder = Path(tempfile.mkdtemp(prefix="auditor-emulator-"))  # readable by this user alone
    try:
        context, ca_file = server_context(folder, host)
        server = Server(loaded, context, faults, limits, latency)
        try:
            try:
                bound = server.start(host, port)
            except (OSError, OverflowError) as problem:
                raise AuditorError(
                    f"cannot listen on {host}, port {port}: {problem}", "Choose another port; 0 takes any free one."
                ) from problem
            emulator = _emulator(loaded, server, folder, ca_file, host, bound)
            emulator.config_file.write_text(emulator.configuration(), encoding="utf-8")
            yield emulator
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _emulator(estate: Estate, server: Server, folder: Path, ca_file: Path, host: str, port: int) -> Emulator:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared with, not bound to)
    shown = f"[{reached}]" if ":" in reached else reached
    return Emulator(
        url=f"https://{shown}:{port}",
        ca_file=ca_file,
        config_file=folder / "auditor.yaml",
        tenant=estate.tenant.id,
        client_id=estate.principal.app_id,
        client_secret=secrets.token_urlsafe(16),
        as_of=estate.as_of,
        requests=server.requests,
        asked=server.asked,
        batched=server.batched,
        writes=server.writes,
    )


def serve(estate: Path | str | Traversable, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve an estate file until Ctrl-C (or a polite kill), after announcing how to reach it."""
    stop = threading.Event()
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set()) if main else None
    try:
        with running(estate, host=host, port=port) as emulator:
            for line in _settings(emulator):
                announce(line)
            while not stop.wait(0.5):  # short waits: on Windows a long one cannot be interrupted
                pass
    except KeyboardInterrupt:
        pass
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _settings(emulator: Emulator) -> Iterator[str]:
    yield f"A local Azure answers at {emulator.url} until Ctrl-C. In another terminal:"
    yield ""
    for name, value in emulator.environment().items():
        yield f"export {name}={shlex.quote(value)}"
    yield f"auditor scan azure --config {shlex.quote(str(emulator.config_file))}"
    yield ""
    yield f"The configuration file says:\n{emulator.configuration()}"
