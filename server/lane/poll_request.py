"""A status poll as bytes: one whole read that is one request, in the only form that the lane answers.

Knows the request line; the header block stays the bytes it is. Does not know who sent it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from generation import TASK_ID

TASK_ID_AS_BYTES = re.compile(TASK_ID.pattern.encode())
TASK_ID_BYTES = 36
LINE_END = b"/ HTTP/1.1\r\n"
HEAD_END = b"\r\n\r\n"
LONGEST_POLL = 4_096  # bytes: four times a browser's; with the number of entries it bounds the header cache


class PollRequest:
    """``data`` is the whole read; ``block`` is what follows the task's id: the rest of the line and the headers."""

    __slots__ = ("block", "data", "task_id")

    def __init__(self, data: bytes, task_id: bytes, block: bytes) -> None:
        self.data = data
        self.task_id = task_id
        self.block = block


WholePoll: TypeAlias = Callable[[bytes], PollRequest | None]


def whole_polls_of(status_path: str) -> WholePoll:
    """Return the function that recognises polls of ``status_path``, which ends with a slash.

    It returns None for every read that is not one poll from its first byte to its last. That no head ends in the middle
    is left to ``header_blocks.is_one_head``: a block in which one does is never cached.
    """
    line_begin = f"GET {status_path}".encode()
    id_begin = len(line_begin)
    id_end = id_begin + TASK_ID_BYTES
    is_task_id = TASK_ID_AS_BYTES.fullmatch

    def whole_poll(data: bytes) -> PollRequest | None:
        if (
            data.startswith(line_begin)
            and data.startswith(LINE_END, id_end)
            and data.endswith(HEAD_END)
            and len(data) <= LONGEST_POLL
            and is_task_id(data, id_begin, id_end)
        ):
            return PollRequest(data, data[id_begin:id_end], data[id_end:])
        return None

    return whole_poll
