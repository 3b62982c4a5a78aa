"""The stand-in over HTTP: keys, models, counters, control, and that it notices who leaves."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from tornado.testing import bind_unused_port

from standin import Behaviour, Standin, serve_standin
from tests.standin.conftest import DRAFT, KEY, Client, events, words


async def until(condition: Any, within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # plain counters have no event to wait for
            await asyncio.sleep(0)


@pytest.mark.gen_test
@pytest.mark.parametrize("version", ["v1beta", "v1"])
async def test_both_methods_answer_in_both_versions(client: Client, version: str) -> None:
    path = f"{version}/models/gemini-standin-1.0"
    _status, streamed = await client.ask(path=path)
    _status, array = await client.ask(method="streamGenerateContent", path=path)
    _status, whole = await client.ask(method="generateContent", path=path)
    assert words(events(streamed)) == words(json.loads(array)) == words([json.loads(whole)])
    assert "Bakery Sonne" in words(events(streamed))


@pytest.mark.gen_test
async def test_a_missing_key_is_403_and_a_wrong_one_is_400(client: Client, standin: Standin) -> None:
    status, body = await client.ask(key="")
    assert (status, json.loads(body)["error"]["status"]) == (403, "PERMISSION_DENIED")
    status, body = await client.ask(key="wrong")
    assert status == 400
    assert json.loads(body)["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    standin.api_key = ""
    assert (await client.ask(key="anything"))[0] == 200


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["v1/models/no-such-model", "v1beta/models/no-such-model"])
async def test_a_model_that_is_not_there_is_404(client: Client, path: str) -> None:
    status, body = await client.ask(path=path)
    assert (status, json.loads(body)["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.gen_test
async def test_models_are_listed_and_described(client: Client) -> None:
    async with client.session.get(client.url + "/v1beta/models") as response:
        names = [model["name"] for model in (await response.json())["models"]]
    assert "models/gemini-flash-latest" in names
    async with client.session.get(f"{client.url}/v1beta/{names[0]}") as response:
        assert (await response.json())["name"] == names[0]
    async with client.session.get(client.url + "/v1beta/models/other") as response:
        assert response.status == 404


@pytest.mark.gen_test
async def test_a_request_that_google_refuses_is_400(client: Client) -> None:
    status, body = await client.ask(body=b"{")
    assert (status, json.loads(body)["error"]["message"]) == (400, "Invalid JSON payload received.")
    status, _body = await client.ask(X_Server_Timeout="5")
    assert status == 400
    status, body = await client.ask(X_Standin_Fault="flood")
    assert status == 400
    assert "unknown fault 'flood'" in json.loads(body)["error"]["message"]


@pytest.mark.gen_test
async def test_a_fault_is_chosen_by_header_or_marker(client: Client, standin: Standin) -> None:
    assert (await client.ask(X_Standin_Fault="overloaded"))[0] == 503
    assert (await client.ask("x [[standin:fault=internal]]"))[0] == 500
    assert (await client.ask(json.dumps({"manual_prompt": "x [[standin:fault=gateway_timeout]]"})))[0] == 504
    assert standin.counters.faults == {"overloaded": 1, "internal": 1, "gateway_timeout": 1}


@pytest.mark.gen_test
async def test_a_rate_limit_asks_for_the_wait_that_was_set(client: Client) -> None:
    _status, body = await client.ask(X_Standin_Fault="rate_limited", X_Standin_Retry_After_S="34.4")
    assert json.loads(body)["error"]["details"][-1]["retryDelay"] == "34.4s"


@pytest.mark.gen_test
@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
async def test_an_answer_takes_its_delay(client: Client, standin: Standin, method: str) -> None:
    standin.behave(Behaviour(delay_s=1))
    began = time.monotonic()
    assert (await client.ask(method=method))[0] == 200
    assert 1.0 <= time.monotonic() - began < 60


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", ["reset", "reset_after_headers", "reset_mid_stream", "cut_mid_stream"])
@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
async def test_broken_connections_are_broken_and_not_counted_as_clients_that_left(
    client: Client, standin: Standin, fault: str, method: str
) -> None:
    with pytest.raises(aiohttp.ClientError):
        await client.ask(method=method, X_Standin_Fault=fault)
    await until(lambda: standin.counters.connections == 0)
    assert (standin.counters.disconnected, standin.counters.running) == (0, 0)


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", ["hang", "hang_mid_stream", "byte_a_second", ""])
async def test_a_client_that_leaves_is_noticed_at_once(client: Client, standin: Standin, fault: str) -> None:
    asking = asyncio.ensure_future(client.ask(f"{DRAFT} [[standin:fault={fault},delay=60]]"))
    await until(lambda: standin.counters.running == 1)
    left = time.time()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: standin.counters.disconnected == 1)
    assert standin.counters.running == 0
    assert left <= standin.counters.disconnected_at[0] <= time.time()


@pytest.mark.gen_test
async def test_connections_are_counted_also_when_nothing_is_asked(standin: Standin) -> None:
    port = int(standin.url.rpartition(":")[2])
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: standin.counters.connections == 1)
    writer.close()
    await writer.wait_closed()
    await until(lambda: standin.counters.connections == 0)
    assert standin.counters.accepted == 1


@pytest.mark.gen_test
async def test_behaviour_is_switched_and_counts_are_cleared_while_it_runs(client: Client) -> None:
    status, shown = await client.control("POST", {"fault": "overloaded", "first": 1})
    assert (status, shown["behaviour"]["fault"]) == (200, "overloaded")
    assert [(await client.ask())[0] for _request in range(2)] == [503, 200]
    _status, counted = await client.control()
    assert (counted["requests"], counted["faults"], counted["running"]) == (2, {"overloaded": 1}, 0)
    _status, cleared = await client.control("DELETE")
    assert (cleared["requests"], cleared["faults"]) == (0, {})
    assert cleared["connections"] == 1
    _status, shown = await client.control("POST", {})
    assert shown["behaviour"]["fault"] == ""


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [{"fault": "flood"}, {"unknown": 1}, [], 7])
async def test_a_behaviour_that_does_not_exist_is_refused_and_changes_nothing(client: Client, body: Any) -> None:
    await client.control("POST", {"delay_s": 0.01})
    status, answer = await client.control("POST", body)
    assert status == 400
    assert answer["error"]
    assert (await client.control())[1]["behaviour"]["delay_s"] == 0.01


@pytest.mark.gen_test
async def test_it_serves_at_the_given_address_and_ends_despite_hanging_requests(io_loop: object) -> None:
    held, port = bind_unused_port()
    held.close()
    async with aiohttp.ClientSession() as session:
        async with serve_standin(port=port, behaviour=Behaviour(fault="hang")) as standin:
            assert standin.url == f"http://127.0.0.1:{port}"
            hanging = asyncio.ensure_future(Client(session, standin.url).ask(key=KEY))
            await until(lambda: standin.counters.running == 1)
        with pytest.raises(aiohttp.ClientError):
            await hanging
        await until(lambda: standin.counters.running == 0)
