"""Tornado's own hello world: no token is read, no Redis is asked, the body is a document's size."""

import asyncio
import os

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

BODY = (
    b'{"status":"processing","progress":50,"message":"Generating enhanced prompt with AI...",'
    b'"created_at":"2026-11-23T08:00:00Z","task_id":"00000000-0000-4000-8000-000000000000","attempt":1,"version":4}'
)


class HelloHandler(RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(BODY)


async def main() -> None:
    app = Application([(r"/.*", HelloHandler)], log_function=lambda _handler: None)
    server = HTTPServer(app)
    server.listen(int(os.environ["BENCH_PORT"]), "127.0.0.1", backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
