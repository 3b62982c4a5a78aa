"""Every error that a room can raise has an answer, and the answers have one shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import accounts.errors
import generation.errors
from handlers.answers import HTTP_STATUSES, Answer
from handlers.errors import ANSWERS, BadRequest, answer_for
from storage.errors import StorageUnavailable
from tests.support.error_facts import FACTS
from tests.support.rate_limit_fields import limit_of


def subclasses(base: type[Exception]) -> Iterator[type[Exception]]:
    for kind in base.__subclasses__():
        yield kind
        yield from subclasses(kind)


ERRORS = [
    *subclasses(accounts.errors.AccountsError),
    *subclasses(generation.errors.GenerationError),
    StorageUnavailable,
    BadRequest,
]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_has_an_answer_of_its_own_or_of_its_base(kind: type[Exception]) -> None:
    assert any(base in ANSWERS for base in kind.__mro__)


def _name(kind: object) -> str:
    assert isinstance(kind, type)
    return kind.__name__


@pytest.mark.parametrize("kind", sorted(ANSWERS, key=_name), ids=_name)
def test_every_answer_is_complete(kind: type[Exception]) -> None:
    answer = answer_for(kind(*FACTS.get(kind.__name__, ())))
    assert 400 <= answer.status < 600
    assert answer.error_code.replace("_", "").isalpha()
    assert answer.error_code.islower()
    assert answer.message
    assert answer.sentence
    headers = answer.headers or {}
    if answer.status == 429:
        _, limit = limit_of(headers)
        assert limit["r"] == 0
        assert int(headers["Retry-After"]) >= 1
    if answer.status in (429, 503):
        assert int((answer.headers or {})["Retry-After"]) > 0
    if answer.status == 401:
        assert (answer.headers or {})["WWW-Authenticate"].startswith("Bearer")


def test_a_defect_of_ours_tells_nothing_about_itself() -> None:
    answer = answer_for(ZeroDivisionError("secret detail"))
    assert (answer.status, answer.error_code) == (500, "internal_error")
    assert "secret" not in answer.sentence + answer.message


@pytest.mark.parametrize(
    "error_code", ["insufficient_tokens", "subscription_inactive", "cancelled", "interrupted", "record_unreadable"]
)
def test_a_failed_task_has_a_status_for_the_synchronous_endpoint(error_code: str) -> None:
    answer = answer_for(generation.errors.GenerationFailed("short", "long", error_code))
    assert answer.status in (402, 409, 503)
    assert isinstance(answer, Answer)


def test_what_tornado_raises_itself_is_in_our_shape_too() -> None:
    assert {404, 405, 400} <= set(HTTP_STATUSES)
