"""What the user of redis.url may do: the least that is needed, and what is said about less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import structlog

from accounts import Accounts, ApiKeys
from generation.lease import Lease
from storage.errors import StorageMisconfigured
from storage.redis_server import RedisServer
from storage.start import wait_until_ready, warn_about_redis
from tests.storage.redis_clients import another_client, command, opened, port_of, reason_of, write
from tests.support.task_owner import owner

ROOT = Path(__file__).parents[2]
LEAST = re.search(r"^ +ACL SETUSER prompt on >PASSWORD (.*)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
ROOMS = ("accounts", "generation", "notifications", "storage")
OF_THE_CONNECTION = {
    "evalsha",
    "script|load",
    "ping",
    "select",
    "info",
    "client|tracking",
    "client|caching",
    "cluster|slots",
}
IN_PYTHON = re.compile(r'(?:command|commands|read_tracked|_tracked|_after)\(\s*"([A-Z]+)"|\("(PTTL|GET|TYPE|RENAME)",')


def least_rights() -> list[str]:
    assert LEAST, "docs/operations.md says what the least rights are"
    return LEAST[1].split()


async def make_user(server: RedisServer, *rights: str) -> str:
    """Give the user of this name exactly these rights; return its URL."""
    async with another_client(server.url) as redis:
        await command(redis, "ACL", "SETUSER", "prompt", "reset", "on", ">word", *rights)
    return f"redis://prompt:word@127.0.0.1:{port_of(server.url)}/0"


def test_the_documented_rights_are_the_commands_that_are_used_and_no_others() -> None:
    used = set(OF_THE_CONNECTION)
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.lua"):
            used |= {name.lower() for name in re.findall(r"redis\.p?call\('(\w+)'", path.read_text())}
        for path in (ROOT / room).rglob("*.py"):
            used |= {(one or two).lower() for one, two in IN_PYTHON.findall(path.read_text())}
    used -= {"client", "script", "hello", "cluster"}  # a subcommand of each; HELLO needs no right
    allowed = {right[1:] for right in least_rights() if right.startswith("+")}
    assert allowed == used


@pytest.mark.gen_test
async def test_a_start_and_an_account_need_no_more_than_the_documented_rights(server: RedisServer) -> None:
    url = await make_user(server, *least_rights())
    async with opened(url) as storage:
        with structlog.testing.capture_logs() as lines:
            await wait_until_ready(storage, 1)
            await warn_about_redis(storage)
        assert lines == []
        account = await Accounts(storage).create(tokens=1_000, subscription_days=1)
        key = await ApiKeys(storage).create(account.account_id)
        assert await ApiKeys(storage).find(key.key) == account.account_id
        assert await Accounts(storage).audit() == []


@pytest.mark.gen_test
async def test_the_rights_of_the_version_before_suffice_for_what_moves_money(server: RedisServer) -> None:
    url = await make_user(server, *least_rights(), "-type", "-hrandfield", "-hsetnx")
    async with opened(url) as storage:
        accounts, tasks = Accounts(storage), owner(storage, "one")
        account_id = (await accounts.create(tokens=1_000, subscription_days=1)).account_id
        old = [word for number in range(1_000) for word in (f"call-{number}", "1 ")]  # so many that some are looked at
        async with another_client(server.url) as redis:
            await command(redis, "HSET", storage.key(account_id, "calls"), *old)
        lease = await tasks.submit(account_id, "Be kind.", None)
        assert isinstance(lease, Lease)
        await tasks.draw_as_unable(lease, 1_000)
        assert (await accounts.grants.add(account_id, 100)).tokens_remaining == 1_100
        assert await accounts.audit() == []


@pytest.mark.gen_test
async def test_a_command_that_a_script_may_not_use_is_a_refusal_of_redis(server: RedisServer) -> None:
    async with opened(await make_user(server, *least_rights(), "-zadd")) as storage:
        assert await reason_of(storage) == "refused"


@pytest.mark.parametrize(
    ("taken", "event"),
    [
        ("-info", "redis_info_refused"),
        ("-client|tracking", "redis_tracking_refused"),
        ("-client", "redis_tracking_refused"),
    ],
)
@pytest.mark.gen_test
async def test_what_redis_may_not_tell_costs_a_warning(server: RedisServer, taken: str, event: str) -> None:
    async with opened(await make_user(server, *least_rights(), taken)) as storage:
        with structlog.testing.capture_logs() as lines:
            await wait_until_ready(storage, 1)
            await warn_about_redis(storage)
        assert [line["event"] for line in lines] == [event]
        assert await write(storage) == 1


@pytest.mark.parametrize(
    "rights", [("~other:*", "+@all"), ("~*", "+@read", "+@connection", "+@scripting"), ("~*", "+@write")]
)
@pytest.mark.gen_test
async def test_a_redis_user_without_write_permission_is_detected_at_the_start(
    server: RedisServer, rights: tuple[str, ...]
) -> None:
    async with opened(await make_user(server, *rights)) as storage:
        with pytest.raises(StorageMisconfigured) as caught:
            await wait_until_ready(storage, 5)
        assert "the user of redis.url may not" in caught.value.sentence


@pytest.mark.gen_test
async def test_a_user_without_a_password_logs_in(server: RedisServer) -> None:
    async with another_client(server.url) as redis:
        await command(redis, "ACL", "SETUSER", "app", "on", "nopass", "~*", "&*", "+@all")
    async with opened(f"redis://app@127.0.0.1:{port_of(server.url)}/0") as storage:
        assert await write(storage) == 1


@pytest.mark.gen_test
async def test_a_wrong_password_ends_the_start_at_once_and_is_not_shown(server: RedisServer) -> None:
    await make_user(server, "~*", "+@all")
    async with opened(f"redis://prompt:wrong@127.0.0.1:{port_of(server.url)}/0") as storage:
        with pytest.raises(StorageMisconfigured, match="refused") as caught:
            await wait_until_ready(storage, 5)
        assert "refuses the user or password" in caught.value.sentence
        assert "wrong@" not in caught.value.sentence


@pytest.mark.gen_test
async def test_a_database_that_does_not_exist_is_named(server: RedisServer) -> None:
    async with opened(server.url.removesuffix("/0") + "/99") as storage:
        with pytest.raises(StorageMisconfigured) as caught:
            await wait_until_ready(storage, 5)
        assert "database 99" in caught.value.sentence


@pytest.mark.gen_test
async def test_a_unix_socket_serves(binary: str, tmp_path: Path) -> None:
    socket = tmp_path / "redis.sock"
    with RedisServer(binary=binary, options=("--unixsocket", str(socket))) as server:
        password = server.url.split(":")[2].split("@")[0]
        async with opened(f"unix://:{password}@{socket}?db=3") as storage:
            await wait_until_ready(storage, 1)
            assert await write(storage) == 1
