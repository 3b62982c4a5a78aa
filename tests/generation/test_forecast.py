"""How often the forecast is kept: four times of five, whatever the durations look like."""

from __future__ import annotations

import heapq
import random

import pytest

from generation.forecast import KNOWN_FROM, Forecast

ENDS = 10_000
SHAPES = {
    "evenly": lambda chance: chance.uniform(2, 9),
    "mostly short, some very long": lambda chance: chance.lognormvariate(1.5, 0.9),
    "of two kinds": lambda chance: chance.gauss(3, 0.3) if chance.random() < 0.6 else chance.gauss(20, 2),
    "all alike": lambda chance: 4 + chance.random() / 1000,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("running", [1, 40])
def test_four_of_five_generations_end_before_it(shape: str, running: int) -> None:
    chance, forecast = random.Random(7), Forecast()
    started, ends = 0.0, list[tuple[float, float]]()
    kept = told = 0
    while told < ENDS:
        started += chance.expovariate(running / 6)
        while ends and ends[0][0] <= started:
            forecast.ended(heapq.heappop(ends)[1])
        duration = max(0.05, SHAPES[shape](chance))
        heapq.heappush(ends, (started + duration, duration))
        if (expected := forecast.duration_s()) is not None:
            told += 1
            kept += duration <= expected
    assert 0.75 <= kept / told <= 0.85, kept / told


def test_it_follows_a_model_that_becomes_slower() -> None:
    chance, forecast = random.Random(7), Forecast()
    kept = 0
    for number in range(ENDS):
        duration = chance.uniform(2, 4) * (3 if number >= ENDS / 2 else 1)
        kept += duration <= (forecast.duration_s() or 0)
        forecast.ended(duration)
    assert 0.75 <= kept / ENDS <= 0.85


def test_nothing_is_said_before_enough_has_been_measured() -> None:
    forecast = Forecast()
    for _ in range(KNOWN_FROM - 1):
        forecast.ended(3.0)
        assert forecast.duration_s() is None
    forecast.ended(3.0)
    assert forecast.duration_s() == 3.0


def test_the_first_forecasts_are_as_good_as_later_ones() -> None:
    chance = random.Random(7)
    kept = 0
    for _ in range(ENDS):
        forecast = Forecast()
        for _ in range(KNOWN_FROM):
            forecast.ended(chance.random())
        kept += chance.random() <= (forecast.duration_s() or 0)
    assert 0.75 <= kept / ENDS <= 0.85
