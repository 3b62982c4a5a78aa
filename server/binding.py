"""Binds what the server listens on: a Unix socket, or a port on one or both Internet protocols.

Refuses to know what the sockets are used for.
"""

from __future__ import annotations

import errno
import os
import socket

from tornado.netutil import bind_sockets, bind_unix_socket

from runtime.settings import ServerSettings

BACKLOG = 4096
SOCKET_MODE = 0o660


def bind(settings: ServerSettings) -> tuple[list[socket.socket], str]:
    """Bind, and return the sockets and the address as clients on this host write it.

    Without a host they listen on IPv4 and IPv6. A Unix socket that no process serves any more is taken over.

    Raises:
        OSError: the address cannot be had; another process serves the Unix socket.
    """
    if settings.unix_socket:
        _refuse_when_served(settings.unix_socket)
        unix = bind_unix_socket(settings.unix_socket, mode=SOCKET_MODE, backlog=BACKLOG)
        return [unix], f"unix:{settings.unix_socket}"
    sockets = bind_sockets(settings.port, settings.host, backlog=BACKLOG)
    return sockets, _url(settings.host, sockets[0].getsockname()[1])


def _refuse_when_served(path: str) -> None:
    """Refuse a socket that another process serves: Tornado would remove its file."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except OSError:
            pass  # its queue is full
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host or 'localhost'}:{port}"
