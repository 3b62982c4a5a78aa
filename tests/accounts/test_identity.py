"""From an Authorization header to an account: API keys, JWTs of every kind, and what attackers send."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from accounts import (
    AccountClosed,
    Accounts,
    ApiKeys,
    Caller,
    Callers,
    Identity,
    IdentityUnavailable,
    PublicKeyUnusable,
    SubjectUnusable,
    Unauthorized,
    UnknownAccount,
)
from accounts.jwts import LONGEST_TOKEN, Jwts
from handlers.errors import answer_for
from runtime.settings import IdentitySettings, JwtSettings
from tests.support.storage import OpenStorage

SECRET = "a secret that is long enough for HS256, which wants 32 bytes"
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
OTHER_RSA = rsa.generate_private_key(65537, 2048)


def public_pem(algorithm: str) -> bytes:
    pem: bytes = (
        KEYS[algorithm]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pem


def claims(**changes: Any) -> dict[str, Any]:
    made = {"sub": "user-1", "exp": time.time() + 60} | changes
    return {name: value for name, value in made.items() if value is not ...}


def hs256(**changes: Any) -> str:
    return "Bearer " + jwt.encode(claims(**changes), SECRET, "HS256")


@contextlib.asynccontextmanager
async def identity(storage: OpenStorage, **settings: Any) -> AsyncIterator[Identity]:
    checked = IdentitySettings.model_validate(settings)
    async with aiohttp.ClientSession() as session:
        callers = Callers(storage, None, checked.remembered_tokens)
        yield Identity(ApiKeys(storage), Accounts(storage), callers, checked, session)


def remembered_by(who: Identity) -> list[Caller]:
    return list(who._callers._remembered.values())


async def asking_until_refused(who: Identity, header: str) -> None:
    while True:
        await who.authenticate(header)
        await asyncio.sleep(0)


def with_secret(**jwt_settings: Any) -> dict[str, Any]:
    return {"jwt": {"algorithm": "HS256", "secret": SECRET, "leeway_s": 0} | jwt_settings}


@pytest.mark.gen_test
async def test_an_api_key_names_its_account_and_stops_within_its_recheck(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="a")
    key = await ApiKeys(storage).create("a")
    async with identity(storage, key_recheck_s=0.2) as who:
        caller = await who.authenticate(f"Bearer {key.key}")
        assert caller.account_id == "a"
        assert caller.valid_until <= time.monotonic() + 0.2
        await ApiKeys(storage).revoke("a", key.key_id)
        with pytest.raises(Unauthorized, match="revoked_key"):
            await asking_until_refused(who, f"Bearer {key.key}")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing"),
        ("", "missing"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Basic dTpw", "malformed"),
        ("Bearer a b", "malformed"),
        ("Bearer é", "malformed"),
        ("Bearer pg_" + "a" * 43, "malformed"),
        ("Bearer x.y.z", "invalid_token"),
    ],
)
async def test_headers_that_identify_nobody(storage: OpenStorage, header: str | None, reason: str) -> None:
    async with identity(storage, **with_secret()) as who:
        with pytest.raises(Unauthorized, match=reason):
            await who.authenticate(header)


@pytest.mark.gen_test
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_token_signed_with_the_right_private_key_is_accepted(
    storage: OpenStorage, tmp_path: Path, algorithm: str
) -> None:
    await Accounts(storage).create(account_id="user-1")
    pem = tmp_path / "public.pem"
    pem.write_bytes(public_pem(algorithm))
    token = jwt.encode(claims(), KEYS[algorithm], algorithm)
    async with identity(storage, jwt={"algorithm": algorithm, "public_key_file": str(pem)}) as who:
        assert (await who.authenticate(f"Bearer {token}")).account_id == "user-1"


@pytest.mark.gen_test
async def test_a_token_is_remembered_until_it_expires_and_not_longer(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret()) as who:
        header = hs256(exp=time.time() + 1.2)
        caller = await who.authenticate(header)
        assert caller.valid_until <= time.monotonic() + 1.2
        await storage.redis.delete(storage.key("user-1", "account"))
        assert await who.authenticate(header) == caller  # remembered: nobody is asked
        with pytest.raises(Unauthorized, match="expired_token"):
            await asking_until_refused(who, header)


def forged(header: dict[str, Any], key: bytes, payload: dict[str, Any]) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = f"{part(json.dumps(header).encode())}.{part(json.dumps(payload).encode())}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).digest() if key else b""
    return f"Bearer {text}.{part(signature)}"


@pytest.mark.gen_test
@pytest.mark.parametrize("alg", ["HS256", "none", "NONE", "HS512", "ES256"])
async def test_the_token_does_not_choose_its_algorithm(storage: OpenStorage, tmp_path: Path, alg: str) -> None:
    await Accounts(storage).create(account_id="user-1")
    pem = tmp_path / "public.pem"
    pem.write_bytes(public_pem("RS256"))
    key = b"" if alg.lower() == "none" else public_pem("RS256")
    async with identity(storage, jwt={"algorithm": "RS256", "public_key_file": str(pem)}) as who:
        with pytest.raises(Unauthorized, match="wrong_algorithm"):
            await who.authenticate(forged({"alg": alg, "typ": "JWT"}, key, claims()))


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": ...}, "missing_claim"),
        ({"exp": 1}, "expired_token"),
        ({"exp": "soon"}, "absurd_time"),
        ({"exp": str(int(time.time()) + 36_000)}, "absurd_time"),
        ({"exp": None}, "missing_claim"),
        ({"exp": True}, "absurd_time"),
        ({"exp": 1e308}, "absurd_time"),
        ({"exp": 10**400}, "absurd_time"),
        ({"exp": float("inf")}, "absurd_time"),
        ({"exp": float("nan")}, "absurd_time"),
        ({"exp": [1]}, "absurd_time"),
        ({"exp": time.time() * 1e9}, "absurd_time"),
        ({"nbf": time.time() + 3_600}, "token_not_yet_valid"),
        ({"nbf": float("inf")}, "absurd_time"),
        ({"nbf": "soon"}, "absurd_time"),
        ({"nbf": time.time() * 1_000}, "absurd_time"),
        ({"iat": time.time() + 3_600}, "token_not_yet_valid"),
        ({"iat": 10**400}, "absurd_time"),
        ({"iat": "soon"}, "absurd_time"),
        ({"iat": [1]}, "absurd_time"),
        ({"sub": ...}, "missing_claim"),
        ({"sub": None}, "missing_claim"),
        ({"iss": "https://other.example"}, "foreign_token"),
        ({"iss": ...}, "missing_claim"),
        ({"aud": "another"}, "foreign_token"),
        ({"aud": ...}, "missing_claim"),
        ({"padding": "x" * 13_000}, "token_too_large"),
    ],
)
async def test_claims_that_do_not_fit_are_refused(storage: OpenStorage, changes: dict[str, Any], reason: str) -> None:
    await Accounts(storage).create(account_id="user-1")
    right = {"iss": "https://id.example", "aud": "prompts"}
    async with identity(storage, **with_secret(issuer="https://id.example", audience="prompts")) as who:
        assert (await who.authenticate(hs256(**right))).account_id == "user-1"
        with pytest.raises(Unauthorized, match=reason):
            await who.authenticate(hs256(**(right | changes)))


@pytest.mark.gen_test
@pytest.mark.parametrize("subject", [True, ["user-1"], {"id": 1}, 1.5, "", "x" * 256, "a\nb", "a\0b", "a\u2028b"])
async def test_a_valid_token_whose_subject_names_no_account_is_not_told_to_sign_in_again(
    storage: OpenStorage, subject: object
) -> None:
    async with identity(storage, **with_secret(), new_accounts={"create_on_first_use": True}) as who:
        with pytest.raises(SubjectUnusable) as refused:
            await who.authenticate(hs256(sub=subject))
    answer = answer_for(refused.value)
    assert (answer.status, answer.error_code) == (403, "unusable_subject")
    assert "valid" in answer.sentence
    assert "Sign in" not in answer.sentence


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "subject",
    [
        "o'brien@example.com",
        "Jörg Müller",
        "auth0|1~2",
        "{a}:{b}",
        "}",
        "50%",
        "%7B",
        "*",
        "李",
        "x" * 255,
        42,
        "a/b?c#d",
    ],
)
async def test_a_subject_of_printable_characters_is_an_account_in_a_slot_of_its_own(
    storage: OpenStorage, subject: str | int
) -> None:
    new = {"create_on_first_use": True, "tokens": 5}
    async with identity(storage, **with_secret(), new_accounts=new) as who:
        caller = await who.authenticate(hs256(sub=subject))
    assert caller.account_id == str(subject)
    accounts = Accounts(storage)
    assert (await accounts.grants.add(caller.account_id, 5)).tokens_remaining == 10
    assert [account_id async for account_id in accounts.ids()] == [caller.account_id]
    assert await accounts.audit() == []


@pytest.mark.gen_test
async def test_a_token_of_sixteen_kilobytes_is_accepted(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    header = hs256(groups="x" * 12_000)
    assert 16_000 < len(header) < LONGEST_TOKEN
    async with identity(storage, **with_secret()) as who:
        assert (await who.authenticate(header)).account_id == "user-1"


@pytest.mark.gen_test
async def test_a_token_may_not_live_longer_than_the_setting(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret(longest_lifetime_s=3_600)) as who:
        await who.authenticate(hs256(exp=time.time() + 3_590))
        with pytest.raises(Unauthorized, match="token_lives_too_long"):
            await who.authenticate(hs256(exp=time.time() + 4_000))


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", [{"token_type": "refresh"}, {"typ": "Refresh"}], ids=["SimpleJWT", "Keycloak"])
async def test_a_refresh_token_is_refused_whatever_the_settings_say(storage: OpenStorage, kind: dict[str, str]) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret()) as who:
        await who.authenticate(hs256(token_type="access", typ="Bearer"))
        with pytest.raises(Unauthorized, match="wrong_kind_of_token") as refused:
            await who.authenticate(hs256(**kind))
    answer = answer_for(refused.value)
    assert answer.status == 401
    assert "access token" in answer.sentence


@pytest.mark.gen_test
@pytest.mark.parametrize("value", ["sliding", ..., None, True, ["access"], 1])
async def test_a_token_must_have_the_required_claims_with_their_values(storage: OpenStorage, value: object) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret(required_claims={"token_type": "access", "tenant": 1})) as who:
        await who.authenticate(hs256(token_type="access", tenant=1))
        with pytest.raises(Unauthorized, match="wrong_kind_of_token"):
            await who.authenticate(hs256(token_type=value, tenant=1))
        with pytest.raises(Unauthorized, match="wrong_kind_of_token"):
            await who.authenticate(hs256(token_type="access", tenant=True))


@pytest.mark.gen_test
async def test_a_token_is_checked_again_after_the_time_a_key_set_is_kept(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret(jwks_ttl_s=0.2)) as who:
        before = time.monotonic()
        caller = await who.authenticate(hs256(exp=time.time() + 50 * 31_536_000))
        assert caller.valid_until < before + 1


@pytest.mark.gen_test
async def test_a_wrong_signature_is_refused(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret()) as who:
        with pytest.raises(Unauthorized, match="invalid_token"):
            await who.authenticate(hs256()[:-4] + "AAAA")


@pytest.mark.gen_test
async def test_without_a_setting_no_jwt_is_accepted(storage: OpenStorage) -> None:
    async with identity(storage) as who:
        with pytest.raises(Unauthorized, match="tokens_not_accepted"):
            await who.authenticate(hs256())


@pytest.mark.gen_test
async def test_the_account_may_stand_in_another_claim_and_be_a_number(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="42")
    async with identity(storage, **with_secret(account_claim="user_id")) as who:
        assert (await who.authenticate(hs256(user_id=42))).account_id == "42"


@pytest.mark.gen_test
@pytest.mark.parametrize("name", [7, ["a"], {"a": 1}, None])
async def test_a_tokens_own_name_may_be_of_any_kind(storage: OpenStorage, name: Any) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret()) as who:
        assert (await who.authenticate(hs256(jti=name))).account_id == "user-1"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "times",
    [{"nbf": None}, {"iat": None}, {"nbf": 0}, {"nbf": time.time() - 0.5, "iat": time.time() - 0.5}],
    ids=["nbf null", "iat null", "nbf zero", "fractions"],
)
async def test_times_that_say_nothing_or_have_fractions_make_no_token_wrong(
    storage: OpenStorage, times: dict[str, Any]
) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret()) as who:
        assert (await who.authenticate(hs256(**times))).account_id == "user-1"


@pytest.mark.gen_test
async def test_an_account_that_does_not_exist_is_unknown_or_made_once(storage: OpenStorage) -> None:
    async with identity(storage, **with_secret()) as who:
        with pytest.raises(UnknownAccount):
            await who.authenticate(hs256(sub="new"))
    new = {"create_on_first_use": True, "tokens": 900, "subscription_days": 7, "business_type": "clinic"}
    async with identity(storage, **with_secret(), new_accounts=new) as who:
        headers = [hs256(sub="new", exp=time.time() + 60 + number) for number in range(50)]
        callers = await asyncio.gather(*(who.authenticate(header) for header in headers))
        assert {caller.account_id for caller in callers} == {"new"}
    made = await Accounts(storage).show("new")
    assert (made.tokens_granted, made.business_type, made.subscription_active) == (900, "clinic", True)


@pytest.mark.gen_test
@pytest.mark.parametrize("keep_ledger", [True, False], ids=["ledger kept", "ledger deleted"])
async def test_a_deleted_account_does_not_come_back_with_its_users_token_and_a_fresh_balance(
    storage: OpenStorage, keep_ledger: bool
) -> None:
    accounts = Accounts(storage)
    new = {"create_on_first_use": True, "tokens": 900, "subscription_days": 7}
    async with identity(storage, **with_secret(), new_accounts=new) as who:
        await who.authenticate(hs256(sub="anna"))
        await accounts.forget("anna", keep_ledger=keep_ledger)
        for expires_in_s in (3_600, 3_601):  # the token that was accepted before, and one of a new sign-in
            with pytest.raises(AccountClosed):
                await who.authenticate(hs256(sub="anna", exp=time.time() + expires_in_s))
        assert await accounts.exists("anna") is keep_ledger
        if not keep_ledger:
            keys = storage.redis.scan_iter(f"{storage.prefix}:*anna*")
            assert not [key async for key in keys]
            await accounts.create(account_id="anna", tokens=5)  # by the backend, which knows why
            assert (await who.authenticate(hs256(sub="anna"))).account_id == "anna"
            assert (await accounts.show("anna")).tokens_remaining == 5


@pytest.mark.gen_test
async def test_what_is_remembered_is_bounded_and_only_what_was_valid(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret(), remembered_tokens=3) as who:
        for number in range(10):
            await who.authenticate(hs256(exp=time.time() + 60 + number))
        with pytest.raises(Unauthorized):
            await who.authenticate("Bearer x.y.z")
        assert len(remembered_by(who)) == 3


class KeySet:
    """A JWKS URL of our own: which keys it has, how often it was asked, whether it answers."""

    def __init__(self, **keys: Any) -> None:
        self.keys = keys
        self.more: list[dict[str, Any]] = []
        self.asked = 0
        self.away = False

    def body(self) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name("RS256")
        return {
            "keys": [
                json.loads(algorithm.to_jwk(key.public_key())) | {"kid": kid, "use": "sig"}
                for kid, key in self.keys.items()
            ]
            + self.more
        }


class KeySetHandler(RequestHandler):
    def initialize(self, key_set: KeySet) -> None:
        self.key_set = key_set

    async def get(self) -> None:
        self.key_set.asked += 1
        await asyncio.sleep(0)
        self.set_status(500 if self.key_set.away else 200)
        self.write(self.key_set.body())


@contextlib.asynccontextmanager
async def served(key_set: KeySet) -> AsyncIterator[str]:
    server = HTTPServer(
        Application([("/keys", KeySetHandler, {"key_set": key_set})], log_function=lambda _handler: None)
    )
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}/keys"
    finally:
        server.stop()
        await server.close_all_connections()


def rs256(key: Any, kid: str, **changes: Any) -> str:
    return "Bearer " + jwt.encode(claims(**changes), key, "RS256", headers={"kid": kid})


@pytest.mark.gen_test
async def test_keys_of_a_jwks_url_are_fetched_once_for_all_waiting_callers(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    key_set = KeySet(one=KEYS["RS256"])
    async with served(key_set) as url, identity(storage, jwt={"algorithm": "RS256", "jwks_url": url}) as who:
        headers = [rs256(KEYS["RS256"], "one", exp=time.time() + 60 + number) for number in range(20)]
        await asyncio.gather(*(who.authenticate(header) for header in headers))
        assert key_set.asked == 1


@pytest.mark.gen_test
async def test_strangers_cannot_make_us_fetch_again_and_again(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    key_set = KeySet(one=KEYS["RS256"])
    async with served(key_set) as url, identity(storage, jwt={"algorithm": "RS256", "jwks_url": url}) as who:
        await who.authenticate(rs256(KEYS["RS256"], "one"))
        for number in range(20):
            with pytest.raises(Unauthorized, match="invalid_token"):
                await who.authenticate(rs256(OTHER_RSA, f"stranger-{number}"))
        with pytest.raises(Unauthorized, match="invalid_token"):
            await who.authenticate(rs256(OTHER_RSA, "one"))
        assert key_set.asked <= 2


@pytest.mark.gen_test
async def test_a_rotated_key_is_found_and_an_old_one_goes_on_while_the_url_is_away(
    storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.key_set.UNKNOWN_KID_PAUSE_S", 0.0)
    await Accounts(storage).create(account_id="user-1")
    key_set = KeySet(one=KEYS["RS256"])
    jwt_settings = {"algorithm": "RS256", "jwks_url": "", "jwks_ttl_s": 0.001}
    async with served(key_set) as url, identity(storage, jwt=jwt_settings | {"jwks_url": url}) as who:
        await who.authenticate(rs256(KEYS["RS256"], "one"))
        key_set.keys["two"] = OTHER_RSA
        assert (await who.authenticate(rs256(OTHER_RSA, "two"))).account_id == "user-1"
        key_set.away = True
        assert (await who.authenticate(rs256(KEYS["RS256"], "one", iat=1))).account_id == "user-1"
        with pytest.raises(IdentityUnavailable):
            await who.authenticate(rs256(KEYS["RS256"], "three"))


@pytest.mark.gen_test
async def test_a_token_may_name_a_key_of_another_kind_and_is_refused(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    key_set = KeySet(one=KEYS["RS256"])
    elliptic = jwt.get_algorithm_by_name("ES256")
    key_set.more = [json.loads(elliptic.to_jwk(KEYS["ES256"].public_key())) | {"kid": "other"}]
    async with served(key_set) as url, identity(storage, jwt={"algorithm": "RS256", "jwks_url": url}) as who:
        await who.authenticate(rs256(KEYS["RS256"], "one"))
        for algorithm, reason in (("RS256", "invalid_token"), ("ES256", "wrong_algorithm")):
            token = jwt.encode(claims(), KEYS[algorithm], algorithm, headers={"kid": "other"})
            with pytest.raises(Unauthorized, match=reason):
                await who.authenticate(f"Bearer {token}")


@pytest.mark.gen_test
async def test_what_is_remembered_holds_no_token_and_no_key(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    made = await ApiKeys(storage).create("user-1")
    async with identity(storage, **with_secret()) as who:
        header = hs256()
        await who.authenticate(header)
        await who.authenticate(f"Bearer {made.key}")
        assert len(remembered_by(who)) == 2
        held = repr([[getattr(caller, slot) for slot in Caller.__slots__] for caller in remembered_by(who)])
        assert header.removeprefix("Bearer ") not in held
        assert made.key not in held


@pytest.mark.gen_test
async def test_what_was_used_last_is_forgotten_last(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="user-1")
    async with identity(storage, **with_secret(), remembered_tokens=2) as who:
        first, second, third = (hs256(exp=time.time() + 60 + number) for number in range(3))
        kept = await who.authenticate(first)
        await who.authenticate(second)
        await who.authenticate(first)
        await who.authenticate(third)  # second has to go
        await storage.redis.delete(storage.key("user-1", "account"))
        assert await who.authenticate(first) == kept
        with pytest.raises(UnknownAccount):
            await who.authenticate(second)


@pytest.mark.gen_test
async def test_a_public_key_file_must_hold_the_public_key_of_the_algorithm(tmp_path: Path) -> None:
    private = OTHER_RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    longer_curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    wrong = {
        "RS256": [private, public_pem("ES256"), b"", b"\xff", b"secret"],
        "ES256": [
            public_pem("RS256"),
            longer_curve.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        ],
        "EdDSA": [public_pem("RS256")],
    }
    path = tmp_path / "key.pem"
    async with aiohttp.ClientSession() as session:
        for algorithm, files in wrong.items():
            for content in files:
                path.write_bytes(content)
                settings = JwtSettings(algorithm=algorithm, public_key_file=str(path))  # type: ignore[arg-type]  # of three
                with pytest.raises(PublicKeyUnusable, match="public key"):
                    Jwts(settings, session)
        with pytest.raises(PublicKeyUnusable, match="cannot be read"):
            Jwts(JwtSettings(algorithm="RS256", public_key_file=str(tmp_path)), session)
