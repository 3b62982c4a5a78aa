"""Google's own client against the stand-in: if it is content, the protocol is right enough.

It is imported where it is used: that takes seconds, and every worker of a test run collects this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from standin import Standin
from tests.standin.conftest import DRAFT, KEY

if TYPE_CHECKING:
    from google import genai
    from google.genai import types

T = TypeVar("T")
# Google's client builds on aiohttp in a way that aiohttp discourages: theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
VERSIONS = [("v1beta", "gemini-flash-latest"), ("v1", "gemini-standin-1.0")]


def config() -> types.GenerateContentConfig:
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction="Rewrite.",
        max_output_tokens=4_000,
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
            )
        ],
    )


def client_of(standin: Standin, api_version: str = "v1beta", key: str = KEY) -> genai.Client:
    from google import genai
    from google.genai import types

    return genai.Client(
        vertexai=False, api_key=key, http_options=types.HttpOptions(base_url=standin.url, api_version=api_version)
    )


def vertex_client_of(standin: Standin, **credentials: Any) -> genai.Client:
    from google import genai
    from google.genai import types

    return genai.Client(vertexai=True, http_options=types.HttpOptions(base_url=standin.url), **credentials)


async def in_a_thread(call: Callable[[], T]) -> T:
    """Run Google's blocking client beside the stand-in's event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, call)


@pytest.mark.gen_test
@pytest.mark.parametrize(("api_version", "model"), VERSIONS)
async def test_a_whole_answer_is_understood(standin: Standin, api_version: str, model: str) -> None:
    from google.genai import types

    def call() -> Any:
        with client_of(standin, api_version) as client:
            return client.models.generate_content(model=model, contents=DRAFT, config=config())

    answer = await in_a_thread(call)
    assert "Bakery Sonne" in answer.text
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.candidates[0].content.parts[0].thought is True
    usage = answer.usage_metadata
    assert usage.total_token_count == (
        usage.prompt_token_count + usage.candidates_token_count + usage.thoughts_token_count
    )
    assert answer.model_version == "gemini-standin-1.0"


@pytest.mark.gen_test
@pytest.mark.parametrize(("api_version", "model"), VERSIONS)
async def test_a_stream_is_understood_piece_by_piece(standin: Standin, api_version: str, model: str) -> None:
    from google.genai import types

    def call() -> list[Any]:
        with client_of(standin, api_version) as client:
            return list(client.models.generate_content_stream(model=model, contents=DRAFT, config=config()))

    pieces = await in_a_thread(call)
    assert len(pieces) > 20
    assert "Bakery Sonne" in "".join(piece.text or "" for piece in pieces)
    assert pieces[-1].candidates[0].finish_reason is types.FinishReason.STOP
    assert pieces[-1].usage_metadata.total_token_count > 0


@pytest.mark.gen_test
@pytest.mark.parametrize("express", [True, False])
async def test_vertex_ai_is_understood_with_a_token_and_with_an_express_key(standin: Standin, express: bool) -> None:
    from google.genai import types
    from google.oauth2 import credentials as oauth2_credentials

    token = oauth2_credentials.Credentials(token=standin.issue_token())  # type: ignore[no-untyped-call]  # theirs
    given = {"api_key": KEY} if express else {"project": "p", "location": "eu", "credentials": token}

    def call() -> tuple[Any, str]:
        with vertex_client_of(standin, **given) as client:
            answer = client.models.generate_content(model="gemini-3.8-flash", contents=DRAFT, config=config())
            stream = client.models.generate_content_stream(model="gemini-3.8-flash", contents=DRAFT, config=config())
            return answer, "".join(piece.text or "" for piece in stream)

    answer, streamed = await in_a_thread(call)
    assert answer.text == streamed
    assert "Bakery Sonne" in streamed
    assert answer.usage_metadata.traffic_type is types.TrafficType.ON_DEMAND


@pytest.mark.gen_test
async def test_its_coroutines_are_served_too(standin: Standin) -> None:
    client = client_of(standin)
    try:
        answer = await client.aio.models.generate_content(model="gemini-flash-latest", contents=DRAFT)
        stream = await client.aio.models.generate_content_stream(model="gemini-flash-latest", contents=DRAFT)
        streamed = "".join([piece.text or "" async for piece in stream])
    finally:
        await client.aio.aclose()
        client.close()
    assert answer.text == streamed


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("fault", "kind", "code", "status"),
    [
        ("overloaded", "ServerError", 503, "UNAVAILABLE"),
        ("quota_per_day", "ClientError", 429, "RESOURCE_EXHAUSTED"),
        ("not_found", "ClientError", 404, "NOT_FOUND"),
        ("failed_precondition", "ClientError", 400, "FAILED_PRECONDITION"),
    ],
)
async def test_errors_are_understood_as_googles(
    standin: Standin, fault: str, kind: str, code: int, status: str
) -> None:
    from google.genai import errors

    def call() -> None:
        with client_of(standin) as client:
            client.models.generate_content(model="gemini-flash-latest", contents=f"x [[standin:fault={fault}]]")

    with pytest.raises(getattr(errors, kind)) as caught:
        await in_a_thread(call)
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.gen_test
async def test_a_wrong_key_is_understood(standin: Standin) -> None:
    from google.genai import errors

    def call() -> None:
        with client_of(standin, key="wrong") as client:
            client.models.generate_content(model="gemini-flash-latest", contents="x")

    with pytest.raises(errors.ClientError) as caught:
        await in_a_thread(call)
    assert "API key not valid" in str(caught.value)


@pytest.mark.gen_test
async def test_a_blocked_prompt_and_a_model_list_are_understood(standin: Standin) -> None:
    from google.genai import types

    def call() -> tuple[Any, list[str | None]]:
        with client_of(standin) as client:
            answer = client.models.generate_content(
                model="gemini-flash-latest", contents="x [[standin:fault=blocked_prompt]]"
            )
            return answer, [model.name for model in client.models.list()]

    answer, models = await in_a_thread(call)
    assert answer.prompt_feedback.block_reason is types.BlockedReason.SAFETY
    assert answer.candidates is None
    assert "models/gemini-flash-latest" in models
