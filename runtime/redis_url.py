"""Parses and checks ``redis.url``.

    redis://[user[:password]@]host[:port][/database][?options]      rediss:// for TLS
    unix://[user[:password]@]/path/to/redis.sock[?db=1]
    redis+sentinel://[user[:password]@]host[:port],host[:port]…/master-name[/database]      rediss+sentinel://
    redis+cluster://[user[:password]@]host[:port],host[:port]…      rediss+cluster://

Refuses to connect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from runtime.hosts import check_host

REDIS_PORT, SENTINEL_PORT = 6379, 26379
SCHEMES = {
    "redis": "single",
    "rediss": "single",
    "unix": "single",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
SOCKET_PATH_BYTES = 107  # Source: unix(7): sun_path has 108 bytes, its end included
MAX_DATABASE_DIGITS = 9  # Redis reads an int
SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
TLS_OPTIONS = (
    "ssl_ca_certs",
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_keyfile",
    "ssl_min_version",
    "ssl_password",
)


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """``kind``: single | sentinel | cluster. ``hosts`` is empty for a Unix socket; IPv6 addresses are without brackets.

    ``tls`` holds the ssl_… options of redis-py as texts, or None without TLS.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...]
    path: str = ""
    master_name: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    tls: dict[str, str] | None = None
    sentinel_username: str = ""
    sentinel_password: str = field(default="", repr=False)


def parse_redis_url(text: str) -> RedisUrl:
    """Take the URL apart.

    Raises:
        ValueError: with a sentence that names the wrong part and quotes no secret.
    """
    scheme, separator, rest = text.strip().partition("://")  # files of secrets end with a line break
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"url must begin with one of {', '.join(f'{name}://' for name in SCHEMES)}")
    if "#" in rest:
        raise ValueError("url has a '#'; in a password it must be written as %23")
    address, _, query = rest.partition("?")
    if "@" in query and "@" not in address:
        raise ValueError("url has a '?' before its host; in a password it must be written as %3F")
    options = dict(parse_qsl(query, keep_blank_values=True))
    _refuse_unknown(options, scheme)
    credentials, at, place = address.rpartition("@")
    username, _, password = credentials.partition(":")
    netloc, slash, path = place.partition("/")
    if at and not netloc and scheme != "unix":
        raise ValueError("url has no host after its password")
    if not at and not netloc and scheme != "unix":
        raise ValueError("url names no host")
    kind = SCHEMES[scheme]
    master_name, database_text = "", path
    if kind == "sentinel":
        master_name, _, database_text = path.partition("/")
        if not master_name:
            raise ValueError("url must name the master that the Sentinels watch: …/mymaster")
    if scheme == "unix":
        database_text = ""
    database = _database(options.get("db", database_text))
    if kind == "cluster" and database:
        raise ValueError("url names a database, and a cluster has only database 0")
    return RedisUrl(
        kind=kind,
        hosts=() if scheme == "unix" else _hosts(netloc, SENTINEL_PORT if kind == "sentinel" else REDIS_PORT, kind),
        path=_socket_path(netloc, slash + path) if scheme == "unix" else "",
        master_name=_unquoted(master_name),
        username=_unquoted(username) or options.get("username", ""),
        password=_unquoted(password) or options.get("password", ""),
        database=database,
        tls={name: value for name, value in options.items() if name in TLS_OPTIONS} if scheme[:6] == "rediss" else None,
        sentinel_username=options.get("sentinel_username", ""),
        sentinel_password=options.get("sentinel_password", ""),
    )


def _refuse_unknown(options: dict[str, str], scheme: str) -> None:
    known = {"db", "username", "password"}
    known |= set(SENTINEL_OPTIONS) if "sentinel" in scheme else set()
    known |= set(TLS_OPTIONS) if scheme.startswith("rediss") else set()
    if unknown := sorted(set(options) - known):
        raise ValueError(f"url has an unknown option {unknown[0]!r}; {scheme}:// knows {', '.join(sorted(known))}")


def _hosts(netloc: str, default_port: int, kind: str) -> tuple[tuple[str, int], ...]:
    names = netloc.split(",")
    if kind == "single" and len(names) > 1:
        raise ValueError("url names several hosts; use redis+sentinel:// or redis+cluster://")
    hosts = []
    for name in names:
        try:
            parts = urlsplit(f"//{name}")
            host, port = unquote(parts.hostname or ""), default_port if parts.port is None else parts.port
        except ValueError:
            raise ValueError("url has no valid port; special characters in its password need %-encoding") from None
        if not host:
            raise ValueError("url has an empty host")
        if not port:
            raise ValueError("url names port 0, on which nothing listens")
        _check_host(host)
        hosts.append((host, port))
    return tuple(hosts)


def _check_host(host: str) -> None:
    try:
        check_host(host)
    except ValueError as exc:
        raise ValueError(f"url has {exc}") from None


def _socket_path(netloc: str, path: str) -> str:
    if netloc or not path.strip("/"):
        raise ValueError("url must name the socket by its whole path: unix:///run/redis.sock")
    path = _unquoted(path)
    if "\0" in path or len(path.encode()) > SOCKET_PATH_BYTES:
        raise ValueError(f"url has a path that no socket can have: {SOCKET_PATH_BYTES} bytes at most, and no NUL")
    return path


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("url has %-encoded bytes that are not UTF-8") from None


def _database(text: str) -> int:
    text = text.strip("/")
    if not text:
        return 0
    if not text.isdecimal() or len(text) > MAX_DATABASE_DIGITS:
        raise ValueError("url must name the database by its number: …/0")
    return int(text)
