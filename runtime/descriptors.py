"""File descriptors: each connection needs one, and so do Redis, Gemini and the logs."""

from __future__ import annotations

import contextlib
import resource

import structlog

MACOS_MAX = 10_240  # OPEN_MAX
OWN = 1_280  # for everything but clients: up to 1,000 connections to Gemini, Redis' pool, listeners, logs

log = structlog.get_logger(__name__)


def connections_within_limit(wanted: int) -> int:
    """Raise the soft limit of open files for this many connections, up to the hard limit; return how many fit.

    A connection beyond the limit gets an answer that says so; without a descriptor it could only wait.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + OWN:
        asked = wanted + OWN if hard == resource.RLIM_INFINITY else min(wanted + OWN, hard)
        for limit in (asked, min(asked, MACOS_MAX)):
            with contextlib.suppress(OSError, ValueError):  # macOS calls its hard limit infinite, and it is not
                resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
                soft = max(soft, limit)
                break
    fitting = min(wanted, max(soft - OWN, soft // 2))
    if fitting < wanted:
        log.warning("few_file_descriptors", limit=soft, connections=fitting, wanted=wanted)
    return fitting
