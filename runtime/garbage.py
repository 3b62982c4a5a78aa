"""Tunes Python's cyclic garbage collector for a process that lives long and keeps most of its objects."""

from __future__ import annotations

import gc

# Young objects before a collection of them, then collections before one of the next older generation.
THRESHOLDS = (50_000, 50, 1_000)


def settle_garbage_collector() -> None:
    """Exempt the objects that exist now, and collect the rest less often; call it once, when everything is constructed.

    Modules, classes and services live as long as the process, and every connection is a handful of objects that live
    for minutes: with Python's defaults each full collection walks all of them, finds next to nothing, and delays every
    request meanwhile. Requests make few cycles; those are still collected, in larger batches.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
