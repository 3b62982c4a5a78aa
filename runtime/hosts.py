"""What can be the host of a URL: the check that every setting with a URL makes at the start.

A resolver raises exceptions of Python's own for other names, in the middle of a request. Refuses to resolve.
"""

from __future__ import annotations

import re

NO_HOST = re.compile(r"""[\s\x00-\x1f"'`$<>{}()|\\^,;=&!*]""")


def check_host(host: str) -> None:
    """Pass when ``host`` can be a name or an address.

    Raises:
        ValueError: a sentence's end that says why not; it quotes one character at most.
    """
    if strange := NO_HOST.search(host):
        raise ValueError(f"{strange[0]!r} in its host")
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError("a host with a part between its dots that is empty or too long") from None
