"""Every path of the server without a parameter, and the prefix of all of them.

Refuses to know which handler answers (``routes.py``).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

BASE = "/api/v1/web-knowledge"
GENERATIONS = f"{BASE}/generate-prompt-async"
STATUS = f"{GENERATIONS}/status/"
EVENTS = f"{GENERATIONS}/events/"
CANCEL = f"{GENERATIONS}/cancel/"
SYNCHRONOUS = f"{BASE}/generate-prompt"
ACCOUNT = "/api/v1/account"
ADMIN = "/api/v1/admin"
HEALTH = "/health"
METRICS = "/metrics"
# A prefix of all paths: it is repeated in answers, so it must not lead to another host.
PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}){1,8}")


def status_url(prefix: str, task_id: str) -> str:
    """Return the path at which a client reads the task's status; ``prefix`` is '' or like ``/prompts``."""
    return f"{prefix}{STATUS}{task_id}/"


def client_prefix(request: HTTPServerRequest, configured: str, *, trust_proxy: bool) -> str:
    """Return the prefix that the client sees before our paths: a trusted proxy's, else the configured one.

    A proxy on this machine is trusted with this one header: it changes nothing but addresses in its own answer.
    """
    forwarded = request.headers.get("X-Forwarded-Prefix", "").rstrip("/")
    if forwarded and PREFIX.fullmatch(forwarded) and (trust_proxy or _is_loopback(request.remote_ip)):
        return forwarded
    return configured


def origin_form(request: HTTPServerRequest) -> None:
    """Rewrite a target such as ``http://host/path`` to ``/path``. Source: RFC 9112, 3.2.2: every server accepts it."""
    target = request.uri or ""
    if not target.lower().startswith(("http://", "https://")):
        return
    try:
        host = urlsplit(target).netloc.rpartition("@")[2]
    except ValueError:
        return
    if not host:
        return
    rest = target.partition("://")[2]
    ends = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    request.uri = rest[ends:] if rest[ends:].startswith("/") else "/" + rest[ends:]
    request.path, _, request.query = request.uri.partition("?")
    request.host = host  # the Host header is to be ignored then


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
