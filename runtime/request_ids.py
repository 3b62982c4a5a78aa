"""How request ids are written: a client's own, when it is sane and no secret, or a new one."""

from __future__ import annotations

import re
import secrets

from runtime.logs import SECRET_TEXT

# What proxies make is told at once: of hexadecimal digits no secret is. The rest is held to the pattern of secrets, for
# an id goes to collectors and into answers too, not only into lines that are redacted.
SANE_REQUEST_ID = re.compile(rf"[0-9a-f-]{{1,64}}|(?!.*(?:{SECRET_TEXT.pattern}))[A-Za-z0-9._-]{{1,64}}")


def sane_request_id(given: str) -> str:
    """Return the id that the client gave when it is sane, else a new one."""
    return given if SANE_REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
