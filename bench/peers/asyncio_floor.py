"""The least that Python can do for an HTTP request: asyncio.Protocol, httptools' parser, uvloop, one ready answer."""

import asyncio
import os

import httptools
import uvloop

BODY = (
    b'{"status":"processing","progress":50,"message":"Generating enhanced prompt with AI...",'
    b'"created_at":"2026-11-23T08:00:00Z","task_id":"00000000-0000-4000-8000-000000000000","attempt":1,"version":4}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(ANSWER)  # type: ignore[attr-defined]  # a TCP transport has it


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", int(os.environ["BENCH_PORT"]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
