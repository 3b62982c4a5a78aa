"""Where the server listens: IPv4, IPv6, both, or a Unix socket that no second process takes away."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runtime.settings import ServerSettings
from server.binding import bind


def answered(address: tuple[str, int] | str) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(5)
        return client.connect_ex(address) == 0


def closed(sockets: list[socket.socket]) -> None:
    for listening in sockets:
        listening.close()


@pytest.fixture
def ipv6() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError as exc:
            pytest.skip(f"no IPv6 on this machine: {exc.strerror}")


@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize(
    ("host", "url_host", "on_4", "on_6"),
    [
        ("127.0.0.1", "127.0.0.1", True, False),
        ("::1", "[::1]", False, True),
        ("::", "[::]", False, True),
        ("", "localhost", True, True),
    ],
)
def test_the_host_says_which_protocols_are_served(host: str, url_host: str, *, on_4: bool, on_6: bool) -> None:
    sockets, url = bind(ServerSettings(host=host, port=0))
    try:
        port = urlsplit(url).port
        assert port is not None
        assert url == f"http://{url_host}:{port}"
        assert (answered(("127.0.0.1", port)), answered(("::1", port))) == (on_4, on_6)
    finally:
        closed(sockets)


def test_a_second_process_does_not_take_a_unix_socket_that_is_served(tmp_path: Path) -> None:
    settings = ServerSettings(unix_socket=str(tmp_path / "s"))
    sockets, address = bind(settings)
    assert address == f"unix:{settings.unix_socket}"
    with pytest.raises(OSError, match="Address already in use"):
        bind(settings)
    assert answered(settings.unix_socket)
    closed(sockets)
    assert not answered(settings.unix_socket)


def test_a_unix_socket_that_its_process_left_behind_is_taken_over(tmp_path: Path) -> None:
    settings = ServerSettings(unix_socket=str(tmp_path / "s"))
    closed(bind(settings)[0])
    sockets, _ = bind(settings)
    assert answered(settings.unix_socket)
    closed(sockets)
