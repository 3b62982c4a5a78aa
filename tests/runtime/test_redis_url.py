"""What redis.url may say, and the sentence for what it may not."""

from __future__ import annotations

import pytest

from runtime.redis_url import RedisUrl, parse_redis_url


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("redis://localhost", RedisUrl("single", (("localhost", 6379),))),
        (" redis://localhost/1\n", RedisUrl("single", (("localhost", 6379),), database=1)),
        ("redis://ann@db:6380/3", RedisUrl("single", (("db", 6380),), username="ann", database=3)),
        ("redis://:p%23%40w@[::1]:1/0", RedisUrl("single", (("::1", 1),), password="p#@w")),
        ("redis://:secret/x@db:6379/0", RedisUrl("single", (("db", 6379),), password="secret/x")),
        ("redis://:p@w@db/?db=2", RedisUrl("single", (("db", 6379),), password="p@w", database=2)),
        ("rediss://db?ssl_cert_reqs=none", RedisUrl("single", (("db", 6379),), tls={"ssl_cert_reqs": "none"})),
        ("unix:///run/redis.sock", RedisUrl("single", (), path="/run/redis.sock")),
        ("unix://a:b@/run/r%20s?db=1", RedisUrl("single", (), "/run/r s", username="a", password="b", database=1)),
        (
            "redis+sentinel://:pw@a,b:1/mymaster/2?sentinel_password=sp",
            RedisUrl(
                "sentinel",
                (("a", 26379), ("b", 1)),
                master_name="mymaster",
                password="pw",
                database=2,
                sentinel_password="sp",
            ),
        ),
        ("rediss+cluster://a:1,[::1]:2", RedisUrl("cluster", (("a", 1), ("::1", 2)), tls={})),
    ],
)
def test_a_url_is_taken_apart(text: str, meaning: RedisUrl) -> None:
    assert parse_redis_url(text) == meaning


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("http://localhost", "must begin with one of"),
        ("localhost:6379", "must begin with one of"),
        ("redis://:secr#et@db:6379/0", "'#'"),
        ("redis://:secr?et@db:6379/0", "'\\?'"),
        ("redis://db:port/0", "no valid port"),
        ("redis:///0", "names no host"),
        ("redis://db/zero", "by its number"),
        ("redis://db?socket_timeout=3", "'socket_timeout'"),
        ("redis://db?ssl_ca_certs=x", "'ssl_ca_certs'"),
        ("redis://a,b/0", "several hosts"),
        ("redis+sentinel://a,b", "must name the master"),
        ("redis+sentinel://a,,b/m", "empty host"),
        ("redis+cluster://a/1", "only database 0"),
        ("redis://:secret@a..b", "part between its dots"),
        ("redis+cluster://a,b" + "c" * 64 + ".example", "part between its dots"),
        ("redis://:secret@${REDIS_HOST}:6379/0", "'\\$' in its host"),
        ('redis://:secret@"db"', "'\"' in its host"),
        ("redis://:secret@a b", "' ' in its host"),
        ("redis://:secret@a%00b", "x00' in its host"),
        ("redis://:secret@db:0", "port 0"),
        ("redis://:secr%ff@db", "not UTF-8"),
        ("redis://db/99999999999", "by its number"),
        ("unix://run/redis.sock", "whole path"),
        ("unix://", "whole path"),
        ("unix:///run/" + "r" * 108, "path that no socket can have"),
        ("unix:///run/%00", "path that no socket can have"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_culprit_and_without_the_secret(text: str, culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit) as caught:
        parse_redis_url(text)
    assert "secr" not in str(caught.value)
