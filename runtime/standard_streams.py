"""The standard streams of a process whose parent closed some of them.

The next socket would get such a stream's number, and what is printed or logged would go to that socket's peer.
"""

from __future__ import annotations

import os
import sys

MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


def open_standard_streams() -> None:
    """Lead each closed one to nowhere. Call this before anything is opened for good."""
    for name, mode in MODES.items():  # in the order of their numbers: each gets its own, the lowest that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
