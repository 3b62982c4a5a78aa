"""Types of settings: what each value must be, and the sentence that says so. Refuses to know which setting has one."""

from __future__ import annotations

import json
import re
from base64 import b64decode, urlsafe_b64decode
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from runtime.hosts import check_host


def by_commas(value: object) -> object:
    """A variable of the environment is one string: names with commas between them, or a JSON array."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            pass  # its parts are looked at as names, and refused
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Network = IPv4Network | IPv6Network
AtLeastOne = Annotated[int, Field(ge=1)]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]


def _origin(value: str) -> str:
    """Return the origin as browsers write it: in small letters."""
    if "*" in value:
        raise ValueError("name each origin: * would let every page on the web call the API")
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", value.lower()):
        raise ValueError("an origin is scheme://host or scheme://host:port, without a path or a slash at its end")
    return value.lower()


def _base_url(value: str) -> str:
    """Return the URL without the white space that files of secrets put around it.

    Raises:
        ValueError: nothing can be asked below it.
    """
    url = value.strip()
    expected = "expected http(s)://[user:password@]host[:port][/path]; special characters in a password need %-encoding"
    if not re.fullmatch(r"https?://[^\s?#]+", url, re.IGNORECASE):
        raise ValueError(expected)
    try:
        parts = urlsplit(url)
        names_a_host = bool(parts.hostname) and parts.port != 0
        check_host(parts.hostname or "")
    except ValueError:
        raise ValueError(expected) from None
    if not names_a_host:
        raise ValueError(expected)
    return url


Origin = Annotated[str, AfterValidator(_origin)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]


def is_loopback(host: str) -> bool:
    """Tell whether a host of a URL is this machine, without asking for its address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _webhook_url(value: str) -> str:
    """Take https, or http on this machine: the body names accounts and tasks."""
    url = urlsplit(value)
    if value and not (url.hostname and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname)))):
        raise ValueError("must be https://host/path, or http on this machine")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    try:
        long_enough = 24 <= len(b64decode(value.get_secret_value().removeprefix("whsec_"), validate=True)) <= 64
    except ValueError:
        long_enough = False
    if not long_enough or not value.get_secret_value().startswith("whsec_"):
        raise ValueError("must be whsec_ and 24 to 64 bytes in base64; `main.py webhooks secret` makes one")
    return value


WebhookUrl = Annotated[str, AfterValidator(_webhook_url)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
WebhookEvent = Literal["task.completed", "task.failed", "account.low_balance"]


def _vapid_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    try:
        usable = len(urlsafe_b64decode(text + "=" * (-len(text) % 4))) == 32
    except ValueError:
        usable = False
    if text and not usable:
        raise ValueError("must be a private key as `main.py web-push keys` makes it")
    return value


VapidKey = Annotated[SecretStr, AfterValidator(_vapid_key)]
