"""The garbage collector after a start."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from runtime.garbage import settle_garbage_collector


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_exists_is_exempt_and_new_cycles_still_go() -> None:
    settle_garbage_collector()
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1
