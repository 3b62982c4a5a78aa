"""Python's cyclic garbage collector, told what this process is like."""

from __future__ import annotations

import gc

# Young objects before a collection of them, then collections before one of the next older generation.
THRESHOLDS = (50_000, 50, 1_000)


def settle_garbage_collector() -> None:
    """Exempt what exists now, and look at the rest less often; call it once, when everything is constructed.

    Modules, classes and services live as long as the process, and every connection is a handful of objects that live
    for minutes: with Python's defaults each full collection walks all of them to find next to nothing, while no
    request is answered. Requests make few cycles, and what they make still goes, in larger portions.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
