"""A real nginx with the configuration that is shipped, on free ports of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.ports import free_ports
from tests.support.waiting import eventually

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
UPSTREAM_SERVERS = re.compile(r"(    server 127\.0\.0\.1:\d+ max_fails=0;\n)+")

AROUND = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;  # as Debian ships it
    include {folder}/shipped.conf;
}}
"""


def find_nginx() -> str:
    """Return nginx's path; skip where there is none, fail where there must be one."""
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        assert not os.environ.get("CI"), "nginx is not installed"
        pytest.skip("nginx is not installed")
    return path


class Nginx:
    """Runs in front of ports or ``unix:`` sockets; a context manager with ``url``.

    Of the shipped file only addresses are changed; without ``tls`` its lines are left out; unless ``limited`` an
    address may ask as often as it likes: all the clients of a test come from one.
    """

    def __init__(self, folder: Path, backends: Sequence[int | str], *, tls: bool = False, limited: bool = True) -> None:
        self._folder = folder
        self._binary = find_nginx()
        self.port, self.redirecting_port = free_ports(2)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.certificate = folder / "fullchain.pem"
        shipped = SHIPPED.read_text("utf-8")
        addresses = [backend if isinstance(backend, str) else f"127.0.0.1:{backend}" for backend in backends]
        servers = "".join(f"    server {address} max_fails=0;\n" for address in addresses)
        shipped, replaced = UPSTREAM_SERVERS.subn(servers, shipped)
        assert replaced == 1
        if not limited:
            shipped = shipped.replace("rate=200r/s", "rate=1000000r/s").replace("burst=400", "burst=1000000")
        (folder / "shipped.conf").write_text(self._with_addresses(shipped, tls))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))

    def _with_addresses(self, shipped: str, tls: bool) -> str:
        """Put ports and certificate in; without ``tls`` leave out what belongs to it."""
        for line in ("    listen 80;\n", "    listen 443 ssl;\n", "    http2 on; "):
            assert shipped.count(line) == 1, line
        http2 = tls and self.version() >= (1, 25, 1)
        secured = (" ssl" if http2 else " ssl http2") if tls else ""
        changes = [
            (r"    listen 80;", f"    listen 127.0.0.1:{self.redirecting_port};"),
            (r"    listen 443 ssl;", f"    listen 127.0.0.1:{self.port}{secured};"),
            (r"/etc/ssl/prompt-server", str(self._folder)),
            # Whose answer it is, the last one's when several were asked.
            (r"    (?=add_header Strict)", "    add_header X-Upstream $upstream_addr always;\n    "),
        ]
        changes += [] if http2 else [(r"    http2 on;.*\n", "")]
        changes += [] if tls else [(r"    ssl_.*\n", "")]
        for pattern, text in changes:
            shipped = re.sub(pattern, text, shipped)
        if tls:
            write_certificate(self.certificate, self._folder / "privkey.pem")
        return shipped

    def version(self) -> tuple[int, ...]:
        done = subprocess.run([self._binary, "-v"], capture_output=True, text=True, check=True)
        [found] = re.findall(r"nginx/(\d+)\.(\d+)\.(\d+)", done.stderr)
        return tuple(int(part) for part in found)

    @property
    def command(self) -> list[str]:
        return [self._binary, "-e", str(self._folder / "error.log"), "-c", str(self._folder / "nginx.conf")]

    def check(self) -> str:
        """Return what ``nginx -t`` says when it approves of the configuration."""
        done = subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=True)
        return done.stderr

    def errors(self) -> str:
        """Return what nginx logged as an error or worse."""
        lines = (self._folder / "error.log").read_text().splitlines()
        return "\n".join(line for line in lines if re.search(r"\[(error|crit|alert|emerg)\]", line))

    def __enter__(self) -> Nginx:
        self._process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert eventually(lambda: accepts(self.port) or self._process.poll() is not None), self.errors()
        assert self._process.poll() is None, self.errors()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=180)


def write_certificate(certificate: Path, private_key: Path) -> None:
    """Write a certificate for 127.0.0.1 that nobody but the test trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
