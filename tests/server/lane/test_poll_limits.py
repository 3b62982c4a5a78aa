"""Token buckets: how often an account may poll."""

from __future__ import annotations

import pytest

from server.lane import poll_limits
from server.lane.poll_limits import PollLimits


def test_a_second_of_polls_may_come_at_once_and_then_as_many_as_flow_in() -> None:
    bucket = PollLimits(5).bucket("a")
    assert [bucket.take(100.0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(100.4) for _ in range(3)] == [True, True, False]
    assert [bucket.take(200.0) for _ in range(6)] == [True] * 5 + [False]  # a long pause saves up no more than before


def test_less_than_one_poll_a_second_still_allows_one() -> None:
    limits = PollLimits(0.25)
    bucket = limits.bucket("a")
    assert [bucket.take(now) for now in (10.0, 11.0, 13.9, 14.1)] == [True, False, False, True]
    assert limits.window_s == 4


@pytest.mark.parametrize("now", [0.0, 1e9])
def test_zero_is_no_limit(now: float) -> None:
    bucket = PollLimits(0).bucket("a")
    assert all(bucket.take(now) for _ in range(10_000))


def test_accounts_do_not_share_a_bucket_but_each_keeps_its_own() -> None:
    limits = PollLimits(1)
    assert limits.bucket("a").take(5.0)
    assert limits.bucket("b").take(5.0)
    assert not limits.bucket("a").take(5.0)


def test_a_bucket_that_is_in_use_is_never_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_limits, "MAX_BUCKETS", 3)
    limits = PollLimits(1)
    used = limits.bucket("a")
    assert used.take(5.0)
    for number in range(10):
        limits.bucket(f"other {number}")
    assert not limits.bucket("a").take(5.0)
