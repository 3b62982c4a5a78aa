"""Connections that cannot be made, that break, or that speak something else."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import aiohttp
import pytest

from generation.gemini import exchange
from generation.gemini.errors import (
    AnswerEmpty,
    AnswerTruncated,
    ConnectionFailed,
    MalformedAnswer,
    RateLimited,
    ServerFailed,
    TimedOut,
)
from standin import Behaviour, Standin
from tests.generation.gemini.conftest import MakeGemini, ask
from tests.generation.gemini.served import Recorded, Recorder, serve


@asynccontextmanager
async def _listening_without_accepting() -> AsyncIterator[str]:
    """A port whose queue of connections is full, so that connecting takes for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _filler in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.gen_test
async def test_connecting_is_bounded_by_itself(make_gemini: MakeGemini) -> None:
    async with _listening_without_accepting() as url:
        gemini = await make_gemini(base_url=url, connect_timeout_s=0.1, tries=2)
        with pytest.raises(TimedOut) as caught:
            await ask(gemini)
    assert caught.value.facts == {"limit": "connect", "phase": "connecting"}


@pytest.mark.gen_test
async def test_a_refused_connection_and_an_unknown_host_are_connections_that_failed(make_gemini: MakeGemini) -> None:
    for url in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        with pytest.raises(ConnectionFailed) as caught:
            await ask(await make_gemini(base_url=url, tries=1))
        assert caught.value.strikes


@pytest.mark.gen_test
async def test_a_server_that_does_not_speak_tls_is_a_connection_that_failed(make_gemini: MakeGemini) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionFailed):
            await ask(await make_gemini(base_url=url, tries=1))


@pytest.mark.gen_test
async def test_what_is_not_http_is_malformed(make_gemini: MakeGemini) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(MalformedAnswer):
            await ask(await make_gemini(base_url=url, tries=1))


@pytest.mark.gen_test
async def test_an_error_whose_body_breaks_off_is_named_by_its_status(make_gemini: MakeGemini) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 429 Too Many\r\nContent-Length: 1000\r\n\r\n{"error": {"code": 4')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(RateLimited):
            await ask(await make_gemini(base_url=url, tries=1))


@pytest.mark.gen_test
async def test_an_error_of_any_size_is_read_within_bounds(make_gemini: MakeGemini) -> None:
    async with serve(Recorded(b"x" * 5_000_000, http_status=503, piece=65_536)) as recorded:
        with pytest.raises(ServerFailed):
            await ask(await make_gemini(base_url=recorded.url, tries=1))


@pytest.mark.gen_test
async def test_connections_that_the_server_closed_meanwhile_cost_no_try(make_gemini: MakeGemini) -> None:
    answered, together = 0, asyncio.Barrier(3)

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        await reader.readuntil(b"\r\n\r\n")
        answered += 1
        if answered <= 3:
            await together.wait()  # so that each has a connection of its own
        body = b'{"candidates":[{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}]}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        await reader.read(1)
        writer.transport.abort()  # the next request meets a connection that is gone

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gemini = await make_gemini(base_url=url, stream=False, tries=1)
        await asyncio.gather(*(ask(gemini) for _ in range(3)))
        await ask(gemini)
    assert answered == 4


CANDIDATE = b'{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}'
GOOD = b'{"candidates":[%b],"usageMetadata":{"totalTokenCount":9}}' % CANDIDATE
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
Ending = Literal["reset", "close", "stay"]


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@asynccontextmanager
async def answering(*pieces: bytes, ending: Ending, pause_s: float = 0.0) -> AsyncIterator[str]:
    """A server that answers each request with these pieces, and then ends the connection in its way, or never.

    ``pause_s`` stands between two pieces, so that each is read alone.
    """
    over = asyncio.Event()
    answers: set[asyncio.Task[Any]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        answers.add(task)
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if ending == "stay":
            await over.wait()
        if ending == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(0.05)  # what was written shall arrive before the reset
            writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            over.set()
            await asyncio.wait(answers)


@pytest.mark.gen_test
@pytest.mark.parametrize("ending", ["reset", "close", "stay"])
@pytest.mark.parametrize(
    "pieces",
    [
        (SSE_HEAD + b"\r\n", chunked(b"data: " + GOOD + b"\r\n\r\n")),
        (SSE_HEAD + b"\r\n", chunked(b"data: " + GOOD + b"\r\n\r\ndata: [DONE]\r\n\r\n")),
        (SSE_HEAD + b"\r\n", chunked(b"data: " + GOOD + b"\r\n\r\ndata: {no JSON")),
        (SSE_HEAD + b"\r\n", chunked(b"data: " + GOOD + b'\r\n\r\ndata: {"error": {"code": 503}}\r\n\r\n')),
        (SSE_HEAD + b"\r\n", chunked(b"data: " + GOOD)),
        (SSE_HEAD + b"\r\n", chunked(GOOD)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", GOOD),
    ],
    ids=["event", "done", "no json", "error", "no empty line", "bare", "shorter than its length"],
)
async def test_once_text_and_stop_have_come_the_answer_stands(
    make_gemini: MakeGemini, pieces: tuple[bytes, ...], ending: Ending
) -> None:
    recorder = Recorder()
    async with answering(*pieces, ending=ending) as url:
        answer = await ask(await make_gemini(base_url=url, tries=1), within_s=20, observer=recorder)
    assert (answer.text, answer.total_tokens) == ("Hi.", 9)
    assert recorder.said == "Hi."


@pytest.mark.gen_test
@pytest.mark.parametrize("ending", ["reset", "close", "stay"])
async def test_without_a_stop_a_connection_that_breaks_leaves_a_fragment(
    make_gemini: MakeGemini, ending: Ending
) -> None:
    half = GOOD.replace(b',"finishReason":"STOP"', b"")
    async with answering(SSE_HEAD + b"\r\n", chunked(b"data: " + half + b"\r\n\r\n"), ending=ending) as url:
        with pytest.raises((AnswerTruncated, TimedOut)):
            await ask(await make_gemini(base_url=url, tries=1, silence_timeout_s=1.5))


@pytest.mark.gen_test
@pytest.mark.parametrize("ending", ["reset", "stay"])
async def test_a_stop_on_every_piece_is_no_end(make_gemini: MakeGemini, ending: Ending) -> None:
    event = chunked(b"data: " + GOOD + b"\r\n\r\n")
    async with answering(SSE_HEAD + b"\r\n", event, event, ending=ending) as url:
        with pytest.raises((AnswerTruncated, TimedOut)):
            await ask(await make_gemini(base_url=url, tries=1, silence_timeout_s=1.5))


@pytest.mark.gen_test
async def test_pieces_with_a_stop_each_may_come_slowly(make_gemini: MakeGemini) -> None:
    """The first STOP bounds the wait for an end; the text after it says that it was none."""
    event = chunked(b"data: " + GOOD + b"\r\n\r\n")
    pieces = (SSE_HEAD + b"\r\n", *[event] * 10, b"0\r\n\r\n")
    async with answering(*pieces, ending="close", pause_s=0.1) as url:
        assert (await ask(await make_gemini(base_url=url, tries=1))).text == "Hi." * 10


@pytest.mark.gen_test
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"])
async def test_bytes_after_the_end_of_an_answer_take_nothing_from_it(make_gemini: MakeGemini, before: bytes) -> None:
    """Also when all of it comes in one read."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GOOD)
    async with answering(before + head + GOOD + b"left over", ending="stay") as url:
        answer = await ask(await make_gemini(base_url=url, tries=1), within_s=20)
    assert (answer.text, answer.total_tokens) == ("Hi.", 9)


BROKEN_CHUNKS = {
    "a size that is none": b"zz\r\n",
    "a size beyond all": b"f" * 20 + b"\r\n",
    "no line end after the data": b"3\r\nabcd",
    "a trailer that is none": b"0\r\nno trailer\r\n\r\n",
}


@pytest.mark.gen_test
@pytest.mark.parametrize("reads", [1, 2, 3], ids=["with the head", "with the text", "after the text"])
@pytest.mark.parametrize("broken", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
async def test_a_chunk_that_is_broken_after_the_stop_changes_nothing(
    make_gemini: MakeGemini, broken: bytes, reads: int
) -> None:
    head, event = SSE_HEAD + b"\r\n", chunked(b"data: " + GOOD + b"\r\n\r\n")
    pieces = [(head + event + broken,), (head, event + broken), (head, event, broken)][reads - 1]
    async with answering(*pieces, ending="stay", pause_s=0.05) as url:
        answer = await ask(await make_gemini(base_url=url, tries=1), within_s=20)
    assert (answer.text, answer.total_tokens) == ("Hi.", 9)


@pytest.mark.gen_test
@pytest.mark.parametrize("together", [True, False], ids=["with other data", "alone"])
@pytest.mark.parametrize("broken", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
async def test_a_chunk_that_is_broken_before_the_stop_is_a_connection_that_failed(
    make_gemini: MakeGemini, broken: bytes, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library ends the connection and tells no reader: a wait for data alone would last to the deadline."""
    monkeypatch.setattr("generation.gemini.exchange.LOOK_S", 0.1)
    comment = chunked(b": nothing yet\r\n\r\n")
    pieces = (SSE_HEAD + b"\r\n", comment + broken) if together else (SSE_HEAD + b"\r\n", comment, broken)
    async with answering(*pieces, ending="stay", pause_s=0.05) as url:
        with pytest.raises((ConnectionFailed, AnswerEmpty)):
            await ask(await make_gemini(base_url=url, tries=1, silence_timeout_s=60.0))


@pytest.mark.gen_test
async def test_an_answer_that_ends_just_when_nothing_came_for_a_moment_is_no_lost_connection(
    make_gemini: MakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timer of the look and the last bytes come in the same turn of the event loop."""
    more, looks = exchange._more, 0

    async def timed_out_at_the_end(response: aiohttp.ClientResponse, within_s: float) -> bytes | None:
        nonlocal looks
        looks += 1
        if looks > 1:
            return await more(response, within_s)
        while not response.content.is_eof():  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0)
        return None

    monkeypatch.setattr(exchange, "_more", timed_out_at_the_end)
    event = chunked(b"data: " + GOOD + b"\r\n\r\n")
    async with answering(SSE_HEAD + b"\r\n", event, b"0\r\n\r\n", ending="stay") as url:
        answer = await ask(await make_gemini(base_url=url, tries=1), within_s=20)
    assert (answer.text, answer.total_tokens) == ("Hi.", 9)


@pytest.mark.gen_test
async def test_heads_of_answers_may_be_long(make_gemini: MakeGemini) -> None:
    head = SSE_HEAD + b"Content-Security-Policy: " + b"x" * 40_000 + b"\r\n\r\n"
    async with answering(head, chunked(b"data: " + GOOD + b"\r\n\r\n"), b"0\r\n\r\n", ending="close") as url:
        assert (await ask(await make_gemini(base_url=url, tries=1))).text == "Hi."


@pytest.mark.gen_test
async def test_the_wait_for_a_connection_is_not_geminis_time(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(delay_s=0.4))
    gemini = await make_gemini(connections=1, deadline_s=1.0)
    answers = await asyncio.gather(*(ask(gemini, within_s=30) for _call in range(6)))
    assert [answer.tries for answer in answers] == [1] * 6


@pytest.mark.gen_test
async def test_an_answer_that_streams_past_the_deadline_says_nothing_about_google(
    make_gemini: MakeGemini, standin: Standin
) -> None:
    standin.behave(Behaviour(tokens_per_second=20.0))
    gemini = await make_gemini(deadline_s=1.0, breaker_failures=1)
    with pytest.raises(TimedOut) as failure:
        await ask(gemini, "Sell bread. " * 200)
    assert failure.value.strikes is None
    assert gemini.breaker_state == "closed"
