"""What an account used is counted where it is settled, by day and by month."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts import Accounts, InvalidPeriod, UsageReport
from generation.documents import completed_head
from generation.gemini.usage import Usage
from generation.lease import Lease
from generation.stages import CHECKING, COMPLETED, FINALIZING, GENERATING, INITIALIZING
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from tests.support.storage import OpenStorage

ACCOUNT = "a"


async def begun(tasks: Tasks) -> Lease:
    lease = await tasks.submit(ACCOUNT, "Be kind.", None)
    assert isinstance(lease, Lease)
    for stage in (INITIALIZING, CHECKING):
        await tasks.advance(lease, stage)
    await tasks.hold(lease)
    await tasks.advance(lease, GENERATING)
    return lease


@pytest.mark.gen_test
async def test_every_end_adds_to_its_day_and_month_in_the_settling_step(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id=ACCOUNT, tokens=100_000, subscription_days=1)
    tasks = Tasks(
        storage,
        "owner",
        lambda _account_id, _task_id, _document: None,
        Metrics(),
        tasks=TaskSettings(),
        limits=LimitSettings(submits_per_second_per_account=0),
        money=MoneySettings(),
    )
    report = UsageReport(storage)
    assert await report.days(ACCOUNT) == []
    before = datetime.now(UTC)
    done, stopped = await begun(tasks), await begun(tasks)
    await tasks.advance(done, FINALIZING)
    kinds = Usage(input=100, output=20, thoughts=3, cached=40)
    await tasks.endings.complete(done, COMPLETED, completed_head("better", "m"), 163, "generated", kinds)
    await tasks.publish(stopped, 1, b"", 50, Usage(input=50))
    await tasks.endings.cancel(ACCOUNT, stopped.task_id)
    after = datetime.now(UTC)
    numbers = {
        "generations": 2,
        "completed": 1,
        "fallback": 0,
        "failed": 0,
        "cancelled": 1,
        "tokens": 213,
        "input": 150,
        "output": 20,
        "thoughts": 3,
        "cached": 40,
        "tool": 0,
    }
    if before.date() != after.date():
        pytest.skip("midnight came between")
    assert [each.as_dict() for each in await report.days(ACCOUNT)] == [{"period": f"{before:%Y-%m-%d}", **numbers}]
    assert [each.as_dict() for each in await report.months(ACCOUNT)] == [{"period": f"{before:%Y-%m}", **numbers}]
    assert await report.days(ACCOUNT, "2001-02") == []
    settles = [entry for entry in (await Accounts(storage).ledger(ACCOUNT, limit=10))[0] if entry.kind == "settle"]
    assert [dict(entry.usage) for entry in settles] == [
        {"input": 50},
        {"input": 100, "output": 20, "thoughts": 3, "cached": 40},
    ]


@pytest.mark.gen_test
async def test_what_is_no_month_is_refused(storage: OpenStorage) -> None:
    for wrong in ("2025", "2025-13", "2025-00", "0000-01", "2025-1", "2025-01-01", "now"):
        with pytest.raises(InvalidPeriod):
            await UsageReport(storage).days(ACCOUNT, wrong)
    assert await UsageReport(storage).months(ACCOUNT, "0001-01") == []
