"""Python starts with this where its folder is on PYTHONPATH: the wall clock is off by what a file says, at any time.

``WALL_CLOCK_OFFSET`` names the file; it holds seconds. The monotonic clock stays as it is, as when an operator or NTP
sets the machine's time.
"""

from __future__ import annotations

import os
import time

_real = time.time
_real_ns = time.time_ns
_path = os.environ["WALL_CLOCK_OFFSET"]


def _offset_s() -> float:
    with open(_path) as file:
        return float(file.read() or 0)


time.time = lambda: _real() + _offset_s()
time.time_ns = lambda: _real_ns() + int(_offset_s() * 1e9)
