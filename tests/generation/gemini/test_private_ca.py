"""A certificate authority of the operator's own, as of a proxy that looks into TLS: SSL_CERT_FILE names it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from standin import Standin
from tests.support.probe_command import line_of, probe

MODEL = "gemini-3.8-flash"


def certificate(name: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder(subject_name=subject, public_key=public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )


def make_authority(folder: Path) -> ssl.SSLContext:
    """Write ``ca.pem`` into the folder, and return the context of a server on 127.0.0.1 that this CA vouches for."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A CA of our own")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    ca = (
        certificate("A CA of our own", ca_key.public_key())
        .issuer_name(issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = (
        certificate("gemini", key.public_key())
        .issuer_name(issuer)
        .add_extension(here, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(server.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def behind_tls(standin: Standin, context: ssl.SSLContext) -> AsyncIterator[str]:
    """Serve the stand-in over TLS as well, and yield that address."""
    port = int(standin.url.rpartition(":")[2])

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, to_writer), pipe(to_reader, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.gen_test
async def test_a_private_ca_is_believed_when_ssl_cert_file_names_it_and_only_then(
    standin: Standin, tmp_path: Path
) -> None:
    async with behind_tls(standin, make_authority(tmp_path)) as url:
        given = {"PROMPT_GEMINI__BASE_URL": url, "PROMPT_GEMINI__MODELS": MODEL, "NO_PROXY": "127.0.0.1"}
        (known, says, _), (unknown, complains, _) = await asyncio.gather(
            # aiohttp reads the variable when it is imported
            probe(standin, warm=False, **given, SSL_CERT_FILE=str(tmp_path / "ca.pem")),
            probe(standin, warm=False, **given, SSL_CERT_FILE=""),
        )
    assert known == 0, says
    assert "answers in" in line_of(MODEL, says)
    assert unknown == 1
    assert "does not answer: ConnectionFailed (reason ClientConnectorCertificateError)" in line_of(MODEL, complains)
    assert standin.counters.requests == 1
