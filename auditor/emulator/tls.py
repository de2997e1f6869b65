"""A certificate authority for one run of the emulator, and a certificate for the hosts it plays."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOSTS: Final = (
    "localhost",
    "management.azure.com",
    "login.microsoftonline.com",
    "graph.microsoft.com",
    *(f"*.{service}.core.windows.net" for service in ("blob", "queue", "table", "file", "dfs")),
)
ADDRESSES: Final = ("127.0.0.1", "::1")


class Certificates(msgspec.Struct, frozen=True):
    """An authority, and what a server that it vouches for needs; all in PEM."""

    authority: bytes
    chain: bytes
    key: bytes


def server_context(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A TLS context for the server, and the file of the authority that vouches for it, written into `folder`."""
    issued = issue(host)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(issued.authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = folder / "server.pem"  # Python reads certificates from files alone
    pair.touch(mode=0o600)
    try:
        pair.write_bytes(issued.key + issued.chain)
        context.load_cert_chain(pair)
    finally:
        pair.unlink()
    return context, ca_file


def issue(host: str = "127.0.0.1") -> Certificates:
    """A new authority and a certificate of it, with all that strict verification asks (Python 3.13 and newer)."""
    now = datetime.now(UTC)
    lasts = (now - timedelta(days=1), now + timedelta(days=30))
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Azure Logging Auditor emulator (local, temporary)")])
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), lasts)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(ca_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), ca_name, key.public_key(), lasts)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Certificates(
        authority=ca.public_bytes(Encoding.PEM),
        chain=leaf.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(lasts[0])
        .not_valid_after(lasts[1])
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(host: str) -> list[x509.GeneralName]:
    addresses = {ipaddress.ip_address(address) for address in ADDRESSES}
    hosts = dict.fromkeys(HOSTS)
    try:
        addresses.add(ipaddress.ip_address(host))
    except ValueError:
        hosts[host] = None
    return [
        *(x509.IPAddress(address) for address in sorted(addresses, key=str)),
        *(x509.DNSName(name) for name in hosts),
    ]
