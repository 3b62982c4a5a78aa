"""What storage relies on of redis-py and hiredis beyond their documentation: a version that breaks it fails here."""

from __future__ import annotations

import ssl
from pathlib import Path

import hiredis
import pytest
from redis import exceptions as redis_errors
from redis._parsers import BaseParser
from redis.asyncio.connection import SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from storage.errors import StorageMisconfigured
from storage.login import tls_context

NOTHING = object()


def reader() -> hiredis.Reader:
    return hiredis.Reader(
        protocolError=redis_errors.InvalidResponse, replyError=BaseParser.parse_error, notEnoughData=NOTHING
    )


def replies(data: bytes) -> list[object]:
    made = reader()
    made.feed(data)
    found = []
    while (reply := made.gets()) is not NOTHING:
        found.append(reply)
    return found


def test_hiredis_hands_on_values_as_resp3_has_them() -> None:
    data = b"$2\r\nab\r\n:7\r\n_\r\n*2\r\n+a\r\n$-1\r\n%1\r\n+k\r\n:1\r\n=7\r\ntxt:a:b\r\n"
    assert replies(data) == [b"ab", 7, None, [b"a", None], {b"k": 1}, b"a:b"]


def test_hiredis_tells_pushes_from_replies() -> None:
    push, reply = replies(b">2\r\n+invalidate\r\n*1\r\n+key\r\n*1\r\n+key\r\n")
    assert isinstance(push, hiredis.PushNotification)
    assert list(push) == [b"invalidate", [b"key"]]
    assert not isinstance(reply, hiredis.PushNotification)


def test_hiredis_says_when_a_reply_is_not_whole_and_when_it_is_no_reply() -> None:
    made = reader()
    made.feed(b"$10\r\nabc")
    assert made.gets() is NOTHING
    with pytest.raises(redis_errors.InvalidResponse):
        replies(b"HTTP/1.1 400 Bad Request\r\n")


def test_hiredis_packs_texts_bytes_and_numbers() -> None:
    packed = hiredis.pack_command(("SET", b"k", 7, "ü"))  # type: ignore[arg-type]  # its stub means tuple[…, ...]
    assert packed == b"*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n7\r\n$2\r\n\xc3\xbc\r\n"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("NOSCRIPT No matching script.", redis_errors.NoScriptError),
        ("READONLY You can't write against a read only replica.", redis_errors.ReadOnlyError),
        ("MOVED 7 127.0.0.1:7001", redis_errors.MovedError),
        ("ASK 7 127.0.0.1:7001", redis_errors.AskError),
        ("TRYAGAIN Multiple keys request during rehashing of slot", redis_errors.TryAgainError),
        ("CLUSTERDOWN The cluster is down", redis_errors.ClusterDownError),
        ("MASTERDOWN Link with MASTER is down", redis_errors.MasterDownError),
        ("LOADING Redis is loading the dataset in memory", redis_errors.BusyLoadingError),
        ("OOM command not allowed when used memory > 'maxmemory'.", redis_errors.OutOfMemoryError),
        ("NOPERM this user has no permissions", redis_errors.NoPermissionError),
        ("WRONGPASS invalid username-password pair", redis_errors.AuthenticationError),
    ],
)
def test_redis_py_names_an_error_by_its_code(line: str, kind: type[Exception]) -> None:
    assert type(BaseParser.parse_error(line)) is kind
    assert isinstance(replies(f"-{line}\r\n".encode())[0], kind)


def test_a_redirection_says_where_to() -> None:
    moved = BaseParser.parse_error("MOVED 3999 127.0.0.1:6381")
    assert (moved.slot_id, moved.host, moved.port) == (3999, "127.0.0.1", 6381)
    assert isinstance(moved, redis_errors.AskError), "one case handles both"
    assert issubclass(redis_errors.MasterDownError, redis_errors.ClusterDownError), "one case handles both"


def test_the_slot_of_a_key_is_that_of_its_hash_tag() -> None:
    assert REDIS_CLUSTER_HASH_SLOTS == 16384
    assert key_slot(b"123456789") == 12739  # Source: Redis cluster specification, "Appendix A"
    assert key_slot(b"pg:{a}:x") == key_slot(b"a")


def test_redis_py_makes_a_tls_context_of_a_urls_options(tmp_path: Path) -> None:
    assert SSLConnection().ssl_context.get().verify_mode is ssl.CERT_REQUIRED
    careless = tls_context({"ssl_cert_reqs": "none"})
    assert careless.verify_mode is ssl.CERT_NONE
    strict = tls_context({"ssl_min_version": str(int(ssl.TLSVersion.TLSv1_3)), "ssl_check_hostname": "false"})
    assert strict.minimum_version is ssl.TLSVersion.TLSv1_3
    assert not strict.check_hostname
    for options in ({"ssl_ca_certs": str(tmp_path / "none.pem")}, {"ssl_cert_reqs": "sometimes"}):
        with pytest.raises(StorageMisconfigured, match="refused") as caught:
            tls_context(options)
        assert "TLS options of redis.url" in caught.value.sentence


@pytest.mark.gen_test
async def test_a_sentinels_clients_are_reached_one_by_one() -> None:
    sentinel = Sentinel([("127.0.0.1", 1), ("127.0.0.1", 2)], sentinel_kwargs={"retry": Retry(NoBackoff(), 0)})
    assert len(sentinel.sentinels) == 2
    with pytest.raises(redis_errors.ConnectionError):
        await sentinel.discover_master("mymaster")
    for client in sentinel.sentinels:
        await client.aclose()
