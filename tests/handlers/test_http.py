"""What holds for every request: who asks, request ids, CORS, unknown paths, health, metrics."""

from __future__ import annotations

import asyncio
import re

import pytest

from composition import Service
from generation.lease import Lease
from tests.support.whole_server import BASE, Client

LIST = f"{BASE}/generate-prompt-async/"
ORIGIN = "https://app.example"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer pg_wrong", "Bearer a.b.c", "bearer  x"]
)
async def test_who_cannot_be_identified_gets_401_with_a_challenge(client: Client, value: str) -> None:
    answer = await client.ask("GET", LIST, headers={"Authorization": value})
    assert (answer.status, answer.json["error_code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json["error"]


@pytest.mark.gen_test
async def test_a_sane_request_id_is_taken_over(client: Client) -> None:
    answer = await client.ask("GET", LIST, headers={"X-Request-ID": "abc-123_x.y"})
    assert answer.headers["X-Request-ID"] == "abc-123_x.y"


@pytest.mark.gen_test
@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "é"])
async def test_any_other_request_id_is_replaced(client: Client, given: str) -> None:
    answer = await client.ask("GET", LIST, headers={"X-Request-ID": given})
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] != given


@pytest.mark.gen_test
async def test_an_unknown_path_is_404_in_the_shape_of_every_error(client: Client) -> None:
    answer = await client.ask("GET", "/api/v1/nothing")
    assert answer.status == 404
    assert set(answer.json) == {"success", "message", "error", "error_code", "request_id"}
    assert answer.json["error_code"] == "not_found"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", f"{BASE}/generate-prompt-async/", "GET, HEAD, POST, OPTIONS"),
        ("GET", f"{BASE}/generate-prompt/", "POST, OPTIONS"),
        ("POST", f"{BASE}/generate-prompt-async/status/x/", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_405_with_the_allowed_methods(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = await client.ask(method, path)
    assert (answer.status, answer.json["error_code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.gen_test
async def test_no_origin_is_allowed_unless_it_is_listed(client: Client) -> None:
    answer = await client.ask("GET", LIST, headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.gen_test
@pytest.mark.settings(server={"cors_allowed_origins": [ORIGIN]})
async def test_a_listed_origin_gets_its_preflight_and_reads_errors_too(client: Client) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Authorization": ""}
    preflight = await client.ask("OPTIONS", LIST, headers=asked)
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Idempotency-Key", "Last-Event-ID"):
        assert name in preflight.headers["Access-Control-Allow-Headers"]
    refused = await client.ask("GET", LIST, headers={"Origin": ORIGIN, "Authorization": ""})
    assert refused.status == 401
    assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]


@pytest.mark.gen_test
@pytest.mark.settings(server={"cors_allowed_origins": [ORIGIN]})
async def test_another_origin_learns_nothing(client: Client) -> None:
    answer = await client.ask("GET", LIST, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.gen_test
async def test_the_account_shows_its_balance_and_subscription(client: Client) -> None:
    account = (await client.ask("GET", "/api/v1/account/")).json
    assert account["success"] is True
    assert account["account_id"] == client.account_id
    assert (account["tokens_remaining"], account["tokens_held"], account["tokens_charged"]) == (100_000, 0, 0)
    assert account["subscription_active"] is True
    assert account["minimum_tokens"] == 700
    assert {"general", "restaurant", "clinic"} <= set(account["business_types"])


@pytest.mark.gen_test
async def test_the_ledger_names_the_task_behind_every_entry(client: Client) -> None:
    task_id = await client.start("Write a menu.")
    final = await client.finished(task_id)
    page = (await client.ask("GET", "/api/v1/account/ledger/")).json
    assert [entry["kind"] for entry in page["entries"]] == ["settle", "hold", "grant"]
    settle, hold, grant = page["entries"]
    assert settle["task_id"] == hold["task_id"] == task_id
    assert (settle["tokens"], grant["tokens"]) == (final["tokens_used"], 100_000)
    assert settle["tokens"] <= hold["tokens"] <= grant["tokens"]
    assert all(entry["reason"] for entry in page["entries"])
    first = (await client.ask("GET", "/api/v1/account/ledger/?limit=1")).json
    second = (await client.ask("GET", f"/api/v1/account/ledger/?limit=1&before={first['next']}")).json
    assert [first["entries"][0], second["entries"][0]] == [settle, hold]


@pytest.mark.gen_test
async def test_health_needs_no_credentials(client: Client) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = await client.ask("GET", path, headers={"Authorization": ""})
        assert (answer.status, answer.json["status"]) == (200, "ok")


@pytest.mark.gen_test
async def test_a_draining_process_is_not_ready_and_closes_its_connections(client: Client, service: Service) -> None:
    service.open_requests.draining = True
    answer = await client.ask("GET", "/health/ready")
    assert (answer.status, answer.json["status"]) == (503, "draining")
    assert answer.headers["Connection"] == "close"
    assert (await client.ask("GET", "/health/live")).status == 200


@pytest.mark.gen_test
@pytest.mark.settings(tasks={"renew_every_s": 0.05, "lease_s": 120, "deadline_s": 300})
async def test_a_process_whose_renewal_stands_still_is_not_ready_until_it_goes_on(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def standing(leases: list[Lease]) -> list[Lease]:
        await goes_on.wait()
        return await renew(leases)

    goes_on, tasks = asyncio.Event(), service.runner._tasks
    renew = tasks.renew
    monkeypatch.setattr("runtime.periodic.GRACE_S", 0.2)
    monkeypatch.setattr(tasks, "renew", standing)
    task_id = await client.start("Write a menu. [[standin:delay=200]]")
    while (answer := await client.ask("GET", "/health/ready")).status == 200:  # noqa: ASYNC110  # the server's state
        await asyncio.sleep(0.02)
    assert (answer.status, answer.json["status"]) == (503, "renewal_stands_still")
    age = re.search(r'prompt_periodic_work_age_seconds\{work="renewal"\} (\S+)', await metrics_of(client))
    assert age is not None
    assert float(age[1]) > 0.2
    goes_on.set()
    while (await client.ask("GET", "/health/ready")).status != 200:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert (await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")).status == 200


async def metrics_of(client: Client) -> str:
    return (await client.ask("GET", "/metrics")).body.decode()


@pytest.mark.gen_test
async def test_metrics_count_requests_tasks_and_tokens(client: Client) -> None:
    final = await client.finished(await client.start("Write a menu."))
    text = await metrics_of(client)
    assert 'prompt_tasks_finished_total{error_code="",outcome="completed"} 1.0' in text
    assert f"prompt_tokens_charged_total {float(final['tokens_used'])}" in text
    assert 'prompt_http_requests_total{method="POST",route="generations",status="202"} 1.0' in text
    assert 'prompt_submits_total{outcome="accepted"} 1.0' in text
    assert 'prompt_stage_duration_seconds_count{stage="waiting"} 1.0' in text


@pytest.mark.gen_test
async def test_answers_do_not_name_the_server_software(client: Client) -> None:
    assert "Server" not in (await client.ask("GET", LIST)).headers


@pytest.mark.gen_test
async def test_a_method_that_no_server_knows_is_405_at_every_kind_of_path(client: Client) -> None:
    task = "00000000-0000-4000-8000-000000000000"
    for path in (LIST, f"{LIST}status/{task}/", f"{LIST}events/{task}/", f"{LIST}cancel/{task}/", "/health/live"):
        answer = await client.ask("BREW", path)
        assert (answer.status, answer.json["error_code"]) == (405, "method_not_allowed"), path
