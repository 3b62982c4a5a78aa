"""Vertex AI: hosts and paths, Application Default Credentials, express keys. Its answers: test_recorded_answers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from generation.gemini import CredentialsUnusable, Gemini, backends, open_session, open_tokens
from generation.gemini.credentials import TokenRequests
from generation.gemini.errors import ConnectionFailed, Misconfigured
from runtime.settings import GeminiSettings
from standin import Behaviour, Standin
from tests.generation.gemini.conftest import ask, settings_for, until
from tests.generation.gemini.served import Recorded, serve
from tests.support.warm_start import run_main

exceptions = pytest.importorskip("google.auth.exceptions", reason="google-auth is an extra")
PROJECT = {"backend": "vertex", "project": "a-project", "api_key": ""}


@pytest.fixture
def service_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, standin: Standin) -> Path:
    """Application Default Credentials whose tokens come from the stand-in."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "credentials.json"
    members = {
        "type": "service_account",
        "project_id": "another-project",
        "private_key_id": "1",
        "private_key": private.decode(),
        "client_email": "server@a-project.example",
        "token_uri": f"{standin.url}/token",
        "quota_project_id": "pays-for-it",
    }
    path.write_text(json.dumps(members))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


async def opened(stack: AsyncExitStack, standin: Standin, **changes: Any) -> Gemini:
    settings = settings_for(**({"url": standin.url} | changes))
    session = await stack.enter_async_context(open_session(settings))
    return Gemini(session, settings, tokens=await stack.enter_async_context(open_tokens(settings)))


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        (
            {"project": "p", "location": "global"},
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google",
        ),
        (
            {"project": "p", "location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google",
        ),
        (
            {"project": "p", "location": "eu"},
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google",
        ),
        ({"api_key": "k"}, "https://aiplatform.googleapis.com/v1/publishers/google"),
    ],
)
def test_every_location_has_a_host_and_a_path_of_its_own(changes: dict[str, str], address: str) -> None:
    settings = GeminiSettings.model_validate({"backend": "vertex"} | changes)
    assert backends.url(settings, "m", streamed=True) == f"{address}/models/m:streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"project": "p", "store": True},
        {"project": "p", "location": "europe-west4", "service_tier": "flex"},
        {"api_key": "k", "location": "europe-west4"},
    ],
)
def test_what_vertex_cannot_do_is_refused_at_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="vertex"):
        GeminiSettings.model_validate({"backend": "vertex"} | wrong)


@pytest.mark.gen_test
@pytest.mark.parametrize("stream", [True, False])
async def test_a_project_is_asked_with_a_token_of_its_credentials(
    service_account: Path, standin: Standin, stack: AsyncExitStack, stream: bool
) -> None:
    gemini = await opened(stack, standin, **PROJECT, stream=stream)
    answers = await asyncio.gather(*(ask(gemini) for _ in range(5)))
    assert all("Sell bread" in answer.text for answer in answers)
    assert {answer.tier for answer in answers} == {"standard"}
    assert standin.counters.token_requests == 1


@pytest.mark.gen_test
async def test_an_express_key_needs_no_project_and_no_token(standin: Standin, stack: AsyncExitStack) -> None:
    gemini = await opened(stack, standin, backend="vertex", service_tier="priority")
    assert (await ask(gemini)).tier == "priority"
    assert standin.counters.token_requests == 0


@pytest.mark.gen_test
async def test_a_token_is_renewed_before_it_ends_without_being_asked_for(
    service_account: Path, standin: Standin, stack: AsyncExitStack
) -> None:
    standin.token_lasts_s = 2
    await opened(stack, standin, **PROJECT)
    await until(lambda: standin.counters.token_requests >= 2)


@pytest.mark.gen_test
async def test_a_token_server_out_of_reach_is_a_failed_connection(
    service_account: Path, standin: Standin, stack: AsyncExitStack
) -> None:
    members = json.loads(service_account.read_text()) | {"token_uri": "http://127.0.0.1:9/token"}
    service_account.write_text(json.dumps(members))
    gemini = await opened(stack, standin, **PROJECT, tries=1)
    with pytest.raises(ConnectionFailed) as failed:
        await ask(gemini)
    assert "token" in str(failed.value.facts["reason"])
    assert standin.counters.requests == 0


@pytest.mark.gen_test
async def test_a_token_without_an_end_is_refused_and_the_next_one_is_taken(
    service_account: Path, standin: Standin, stack: AsyncExitStack
) -> None:
    standin.token_lasts_s = None
    gemini = await opened(stack, standin, **PROJECT, tries=1)
    with pytest.raises(Misconfigured):
        await ask(gemini)
    standin.token_lasts_s = 3_599
    assert "Sell bread" in (await ask(gemini)).text


@pytest.mark.gen_test
async def test_refused_credentials_are_the_operators_problem(
    service_account: Path, standin: Standin, stack: AsyncExitStack
) -> None:
    members = json.loads(service_account.read_text()) | {"token_uri": f"{standin.url}/nowhere"}
    service_account.write_text(json.dumps(members))
    gemini = await opened(stack, standin, **PROJECT, tries=1)
    with pytest.raises(Misconfigured):
        await ask(gemini)


@pytest.mark.gen_test
async def test_without_credentials_the_start_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stack: AsyncExitStack, standin: Standin
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(CredentialsUnusable, match="Application Default Credentials"):
        await opened(stack, standin, **PROJECT)


@pytest.mark.gen_test
async def test_without_google_auth_the_start_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, stack: AsyncExitStack, standin: Standin
) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(CredentialsUnusable, match=r"requirements-vertex\.lock"):
        await opened(stack, standin, **PROJECT)


@pytest.mark.gen_test
async def test_a_whole_process_takes_its_token_from_the_metadata_server(standin: Standin) -> None:
    standin.behave(Behaviour(model_stage="STABLE"))
    host = standin.url.removeprefix("http://")
    given = {
        "PROMPT_GEMINI__BASE_URL": standin.url,
        "PROMPT_GEMINI__BACKEND": "vertex",
        "PROMPT_GEMINI__PROJECT": "a-project",
        "PROMPT_GEMINI__LOCATION": "eu",
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "HOME": "/nonexistent",
        "CLOUDSDK_CONFIG": "/nonexistent",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "GEMINI_"))}
    done = await asyncio.to_thread(run_main, "check-config", "--probe", environment=environment | given)
    assert done.returncode == 0, done.stderr
    assert "gemini-3.8-flash: answers in" in done.stdout
    assert standin.counters.token_requests >= 1
    assert "ya29." not in done.stdout + done.stderr


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
async def test_tokens_are_asked_for_through_the_environments_proxy_unless_there_is_to_be_none(
    io_loop: object, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        for spelt in (other, other.lower()):
            monkeypatch.delenv(spelt, raising=False)
    async with serve(Recorded(b"{}")) as proxy:
        monkeypatch.setenv(name, proxy.url)
        through, past = TokenRequests(through_proxies=True), TokenRequests(through_proxies=False)
        answer = await asyncio.to_thread(through, "http://tokens.example/token", "POST", b"x")
        with pytest.raises(exceptions.TransportError):
            await asyncio.to_thread(past, "http://127.0.0.1:1/token", "POST", b"x")
    assert (answer.status, answer.data) == (200, b"{}")
    assert [request.partition(b" HTTP")[0] for request in proxy.requests] == [b"POST http://tokens.example/token"]
