"""Classic Storage Analytics logging: a switch of each storage service, told by the service itself alone."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from functools import partial
from typing import Any, Final
from xml.parsers import expat

from auditor import documents as d
from auditor.sources.azure.cloud import in_domain
from auditor.sources.azure.pipeline import Refused, send
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.reads import STORAGE_VERSION
from auditor.sources.azure.refusals import storage_refused
from auditor.sources.azure.transport import NoAnswer

_MAX_XML: Final = 2**20  # bytes; the real answer has about a thousand
_LOGGING: Final = ("StorageServiceProperties", "Logging")


class BadProperties(Exception):  # noqa: N818
    """Service properties that are not what the storage services send."""


async def read_classic(reader: Reader, account: Mapping[str, Any], service: str) -> None:
    """Ask one service of an account for its classic logging, with a token and never with a key; keep what came."""
    doc_id = d.storage_analytics_id(str(account["id"]), service)
    ask = partial(_classic, reader, account, service, doc_id)
    reader.keep(await reader.once(doc_id, d.STORAGE_ANALYTICS, STORAGE_VERSION, ask))


async def _classic(reader: Reader, account: Mapping[str, Any], service: str, doc_id: str) -> d.Document:
    reader.api_versions.setdefault(d.STORAGE_ANALYTICS, STORAGE_VERSION)

    def unknown(reason: str) -> d.Document:
        return d.unreadable(doc_id, d.STORAGE_ANALYTICS, reason=reason)

    properties = account.get("properties")
    endpoints = properties.get("primaryEndpoints") if isinstance(properties, Mapping) else None
    endpoint = endpoints.get(service) if isinstance(endpoints, Mapping) else None
    if not isinstance(endpoint, str) or not endpoint:
        return unknown("the account's answer does not say where the service is")
    if not in_domain(endpoint, reader.options.cloud.storage_domains):
        return unknown("the service's address is not one of this cloud's storage; no token was sent to it")
    headers = {"x-ms-version": STORAGE_VERSION, "x-ms-date": formatdate(usegmt=True), "Accept": "application/xml"}
    url = f"{endpoint.rstrip('/')}/?restype=service&comp=properties"
    try:
        answer = await send(reader.pipelines.storage, "GET", url, headers=headers)
    except (NoAnswer, Refused) as error:
        return unknown(str(error))
    if answer.status != 200:
        return storage_refused(doc_id, account, answer, reader.identity)
    try:
        logging = parse_logging(answer.body)
    except BadProperties as error:
        return unknown(str(error))
    return {"id": doc_id, "type": d.STORAGE_ANALYTICS, "properties": {"logging": logging}}


def parse_logging(body: bytes) -> dict[str, Any]:
    """The `Logging` element of service properties as a mapping.

    A document type is refused: entities could unfold without end, or fetch files.
    """
    if len(body) > _MAX_XML:
        raise BadProperties("the answer is too large for service properties")
    texts: dict[tuple[str, ...], str] = {}
    path: list[str] = []

    def start(name: str, _: Any) -> None:
        path.append(name)
        if len(path) > 20:
            raise BadProperties("the answer is nested too deep")
        texts.setdefault(tuple(path), "")

    def end(_: str) -> None:
        path.pop()

    def text(data: str) -> None:
        texts[tuple(path)] += data

    def doctype(*_: Any) -> None:
        raise BadProperties("the answer has a document type, which is not read")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise BadProperties("the answer is not XML") from error
    if _LOGGING not in texts:
        raise BadProperties("the answer says nothing about logging")

    def value(*names: str) -> str:
        return texts.get((*_LOGGING, *names), "").strip()

    def flag(*names: str) -> bool:
        said = value(*names).lower()
        if said not in ("true", "false"):
            raise BadProperties(f"the answer does not say whether {'.'.join(names)} is on")
        return said == "true"

    kept: dict[str, Any] = {"enabled": flag("RetentionPolicy", "Enabled")}
    if value("RetentionPolicy", "Days"):
        if not value("RetentionPolicy", "Days").isdecimal():
            raise BadProperties("the answer's days of retention are not a number")
        kept["days"] = int(value("RetentionPolicy", "Days")[:9])
    return {
        "version": value("Version"),
        "delete": flag("Delete"),
        "read": flag("Read"),
        "write": flag("Write"),
        "retentionPolicy": kept,
    }
