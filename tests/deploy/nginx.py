"""A real nginx with the configuration that is shipped, on free ports of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pytest

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
    add_header X-Upstream $upstream_addr always;  # whose answer it is, the last one's when several were asked
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

    Of the shipped file only addresses are changed.
    """

    def __init__(self, folder: Path, backends: Sequence[int | str]) -> None:
        self._folder = folder
        self._binary = find_nginx()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        shipped = SHIPPED.read_text("utf-8")
        addresses = [backend if isinstance(backend, str) else f"127.0.0.1:{backend}" for backend in backends]
        servers = "".join(f"    server {address} max_fails=0;\n" for address in addresses)
        shipped, replaced = UPSTREAM_SERVERS.subn(servers, shipped)
        assert replaced == 1
        assert shipped.count("listen 80;") == 1
        (folder / "shipped.conf").write_text(shipped.replace("listen 80;", f"listen 127.0.0.1:{self.port};"))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))

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
        assert eventually(lambda: accepts(self.port)), (self._folder / "error.log").read_text()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
