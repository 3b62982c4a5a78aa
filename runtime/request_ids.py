"""How request ids are written: a client's own, when it is sane, or a new one."""

from __future__ import annotations

import re
import secrets

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def sane_request_id(given: str) -> str:
    """Return the id that the client gave when it is sane, else a new one."""
    return given if SANE_REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
