"""Key sets from a real HTTP server: what arrives in parts, what does not belong, and what never arrives."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from accounts import IdentityUnavailable
from accounts.key_set import LARGEST_SET_BYTES, MAX_KEYS_TRIED, KeySet, open_key_set_session


def jwk(kid: str, algorithm: str = "RS256", **more: Any) -> dict[str, Any]:
    generate: dict[str, Callable[[], Any]] = {
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    }
    private = generate[algorithm]()
    kind: Any = jwt.get_algorithm_by_name(algorithm)
    return {**kind.to_jwk(private.public_key(), as_dict=True), "kid": kid, **more}


ONE, TWO, ELLIPTIC = jwk("one"), jwk("two"), jwk("elliptic", "ES256")


def body_of(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


class Provider:
    """An identity provider: its answer, in how many parts, and whether it answers at all (``answers``)."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.status = 200
        self.part_bytes = len(body)
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.location = ""
        self.policy = "none"
        self.headers = HTTPHeaders()


class ProviderHandler(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider

    async def get(self) -> None:
        provider = self.provider
        provider.asked += 1
        provider.headers = self.request.headers
        if provider.location:
            self.redirect(provider.location)
            return
        await provider.answers.wait()
        self.set_status(provider.status)
        self.set_header("Content-Security-Policy", provider.policy)
        for start in range(0, len(provider.body), provider.part_bytes):
            self.write(provider.body[start : start + provider.part_bytes])
            with contextlib.suppress(Exception):  # whoever asked may have gone away
                await self.flush()


@contextlib.asynccontextmanager
async def fetched_from(provider: Provider, ttl_s: float = 300.0) -> AsyncIterator[KeySet]:
    routes = [("/keys", ProviderHandler, {"provider": provider})]
    server = HTTPServer(Application(routes, log_function=lambda _handler: None))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/keys"
    try:
        async with open_key_set_session(None) as session:
            key_set = KeySet(url, "RS256", ttl_s, session)
            yield key_set
    finally:
        provider.answers.set()
        server.stop()
        await server.close_all_connections()


async def asked(provider: Provider, times: int) -> None:
    async with asyncio.timeout(180):
        while provider.asked < times:  # noqa: ASYNC110  # the provider counts what an event could not
            await asyncio.sleep(0.005)


@pytest.mark.gen_test
async def test_a_set_that_arrives_in_many_parts_is_whole() -> None:
    provider = Provider(body_of(ONE, TWO))
    provider.part_bytes = 16
    async with fetched_from(provider) as keys:
        [found] = await keys.keys("two")
        assert found is not None
        assert found.key_id == "two"


@pytest.mark.gen_test
async def test_keys_for_other_algorithms_and_for_encryption_are_not_there() -> None:
    provider = Provider(body_of(ONE, ELLIPTIC, TWO | {"use": "enc"}, jwk("long") | {"alg": "RS512"}))
    async with fetched_from(provider) as keys:
        assert await keys.keys("one")
        assert [await keys.keys(kid) for kid in ("elliptic", "two", "long", "unheard-of")] == [[]] * 4


@pytest.mark.gen_test
async def test_a_token_that_names_no_key_may_be_signed_by_any_and_a_key_without_a_name_may_sign_all() -> None:
    nameless = {name: value for name, value in TWO.items() if name != "kid"}
    async with fetched_from(Provider(body_of(ONE, nameless, ELLIPTIC))) as keys:
        assert [key.key_id for key in await keys.keys(None)] == ["one", None]
        assert [key.key_id for key in await keys.keys("one")] == ["one"]
        assert [key.key_id for key in await keys.keys("unheard-of")] == [None]


@pytest.mark.gen_test
async def test_of_an_entry_with_a_private_part_the_public_one_checks_tokens() -> None:
    private = rsa.generate_private_key(65537, 2048)
    kind: Any = jwt.get_algorithm_by_name("RS256")
    token = jwt.encode({"sub": "a"}, private, "RS256")
    async with fetched_from(Provider(body_of(kind.to_jwk(private, as_dict=True) | {"kid": "one"}))) as keys:
        [found] = await keys.keys("one")
        assert jwt.decode(token, found, ["RS256"]) == {"sub": "a"}


@pytest.mark.gen_test
async def test_of_many_keys_only_a_few_are_tried() -> None:
    many = [{**ONE, "kid": str(number)} for number in range(50)]
    async with fetched_from(Provider(body_of(*many))) as keys:
        assert len(await keys.keys(None)) == MAX_KEYS_TRIED


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "neighbour",
    [
        {"kty": "oct", "kid": "secret"},
        {"kty": "oct", "kid": "secret", "k": "AAAA", "alg": "HS256"},
        {"kty": "unheard-of"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "short"},
        {"kty": "RSA", "n": 1, "e": None},
        {"kty": "OKP", "crv": "Ed448", "x": "AA"},
        ONE | {"kid": ["one"]},
        ONE | {"kid": 1},
        1,
        None,
        [],
        "text",
    ],
)
async def test_an_entry_that_cannot_be_used_is_passed_over(neighbour: Any) -> None:
    body = json.dumps({"keys": [neighbour, ONE, neighbour]}).encode()
    async with fetched_from(Provider(body)) as keys:
        assert [key.key_id for key in await keys.keys("one")] == ["one"]
        assert [key.key_id for key in await keys.keys(None)] == ["one"]


@pytest.mark.gen_test
async def test_a_redirect_is_not_followed() -> None:
    elsewhere = Provider(body_of(ONE))
    async with fetched_from(elsewhere) as there:
        provider = Provider(b"")
        provider.location = there.url
        async with fetched_from(provider) as keys:
            with pytest.raises(IdentityUnavailable):
                await keys.keys("one")
        assert (provider.asked, elsewhere.asked) == (1, 0)


@pytest.mark.gen_test
async def test_the_head_of_the_answer_may_be_long() -> None:
    provider = Provider(body_of(ONE))
    provider.policy = "x" * 20_000
    async with fetched_from(provider) as keys:
        assert await keys.keys("one")


@pytest.mark.gen_test
async def test_no_password_of_a_netrc_file_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    provider = Provider(body_of(ONE))
    async with fetched_from(provider) as keys:
        assert await keys.keys("one")
    assert "Authorization" not in provider.headers


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        b"[]",
        b"{}",
        b"\xff\xfe",
        body_of(),
        b'{"keys": [1]}',
        b'{"keys": "one"}',
        body_of(ELLIPTIC),
        body_of(ONE | {"kid": ["one"]}),
        b" " * LARGEST_SET_BYTES + body_of(ONE),
    ],
    ids=["html", "list", "empty", "bytes", "no keys", "number", "text", "none fits", "kid a list", "too large"],
)
async def test_what_is_no_key_set_makes_identities_unavailable(body: bytes) -> None:
    async with fetched_from(Provider(body)) as keys:
        with pytest.raises(IdentityUnavailable):
            await keys.keys("one")


@pytest.mark.gen_test
async def test_an_unreachable_url_is_asked_once_for_many_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.key_set.FAILED_FETCH_PAUSE_S", 3_600.0)
    provider = Provider(body_of(ONE))
    provider.status = 500
    async with fetched_from(provider) as keys:
        outcomes = await asyncio.gather(*(keys.keys(f"kid-{number}") for number in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {IdentityUnavailable}
        with pytest.raises(IdentityUnavailable):
            await keys.keys("one")
        assert provider.asked == 1


@pytest.mark.gen_test
async def test_a_url_that_is_back_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.key_set.FAILED_FETCH_PAUSE_S", 0.0)
    provider = Provider(body_of(ONE))
    provider.status = 500
    async with fetched_from(provider) as keys:
        with pytest.raises(IdentityUnavailable):
            await keys.keys("one")
        provider.status = 200
        assert await keys.keys("one")


@pytest.mark.gen_test
async def test_a_url_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.key_set.FETCH_TIMEOUT_S", 0.05)
    provider = Provider(body_of(ONE))
    provider.answers.clear()
    async with fetched_from(provider) as keys:
        with pytest.raises(IdentityUnavailable):
            await keys.keys("one")


@pytest.mark.gen_test
async def test_a_url_that_hangs_holds_up_nobody_whose_key_is_known() -> None:
    provider = Provider(body_of(ONE))
    async with fetched_from(provider, ttl_s=0.0) as keys:
        await keys.keys("one")
        provider.answers.clear()
        renewing = asyncio.create_task(keys.keys("one"))
        await asked(provider, 2)
        for _ in range(20):
            assert await keys.keys("one")
        assert not renewing.done()
        provider.answers.set()
        assert await renewing is not None
        assert provider.asked == 2


@pytest.mark.gen_test
async def test_whoever_gives_up_waiting_does_not_end_the_others_wait() -> None:
    provider = Provider(body_of(ONE))
    provider.answers.clear()
    async with fetched_from(provider) as keys:
        first, second = asyncio.create_task(keys.keys("one")), asyncio.create_task(keys.keys("one"))
        await asked(provider, 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        provider.answers.set()
        assert await second is not None


@pytest.mark.gen_test
async def test_a_key_that_was_taken_out_is_trusted_no_more() -> None:
    provider = Provider(body_of(ONE, TWO))
    async with fetched_from(provider, ttl_s=0.0) as keys:
        assert await keys.keys("one")
        provider.body = body_of(TWO)
        assert not await keys.keys("one")
