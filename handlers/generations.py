"""The endpoints of generations: start, status, cancel, list, and the synchronous one of old clients."""

from __future__ import annotations

import json
from typing import Any

from tornado.httputil import HTTPServerRequest

from generation import Document, Origin, SubmitKey, SubmitsLeft, WaitScope
from generation.errors import GenerationFailed, TaskNotFound
from handlers.base import AuthenticatedHandler, BodyHandler, name_task
from handlers.bodies import parse_prompt
from handlers.paths import CANCEL, GENERATIONS, SYNCHRONOUS, client_prefix, status_url
from handlers.rate_limit import left_of_submits
from handlers.services import Services
from handlers.status_errors import members_of_error

LONGEST_WAIT_S = 25
MAX_TASKS_PER_PAGE = 100  # in one page of the list
LEARNED = (200, 404, 429)  # the express lane answers the next of the kind
MAX_VERSION, THE_LATEST = 999_999_999, -1
RETRY_AFTER_S = 1  # while a document is not terminal
STARTED = "Prompt generation started. Use task_id to check status."


def submit_key(request: HTTPServerRequest) -> SubmitKey:
    """Read the client's own key, and the one that our nginx.conf adds for its own retries."""
    return SubmitKey(request.headers.get("Idempotency-Key"), request.headers.get("X-Proxy-Submit-Key"))


class SubmitHandler(BodyHandler):
    """Accepts a draft; its answers say how many more the account may send."""

    @property
    def origin(self) -> Origin:
        return Origin(self.request_id, self.trace)

    def set_left(self, left: SubmitsLeft) -> None:
        for name, value in left_of_submits(left).items():
            self.set_header(name, value)


class StartHandler(SubmitHandler):
    """POST generate-prompt-async/ and GET generate-prompt-async/?limit=N&before=ID"""

    traced_as = f"{GENERATIONS}/"

    async def post(self) -> None:
        manual_prompt, steering, watched = parse_prompt(self.request.headers, self.body())
        key = submit_key(self.request)
        signer = await self.services.watch_tokens.signer() if watched else None  # may fail: before the start
        started = await self.services.generations.start(
            self.caller.account_id, manual_prompt, key, steering, self.origin
        )
        services = self.services
        prefix = client_prefix(self.request, services.path_prefix, trust_proxy=services.trust_proxy)
        address = status_url(prefix, started.task_id)
        self.set_status(202)
        self.set_header("Location", address)
        self.set_left(started.left)
        self.set_header("Retry-After", str(RETRY_AFTER_S))
        if started.replayed:
            self.set_header("Idempotent-Replayed", "true")
            self.outcome = "replayed"
        self.write_json(
            {
                "success": True,
                "task_id": started.task_id,
                "status": "queued",
                "message": STARTED,
                "status_url": address,
            }
            | ({"watch_token": signer.make(self.caller.account_id, started.task_id)} if signer else {})
        )

    async def get(self) -> None:
        limit = max(1, self.whole_number("limit", MAX_TASKS_PER_PAGE, MAX_TASKS_PER_PAGE))
        before = self.get_query_argument("before", None)
        documents, following = await self.services.generations.page(self.caller.account_id, limit, before)
        tasks, next_page = b",".join(documents), json.dumps(following).encode()
        self.write(b'{"success":true,"tasks":[' + tasks + b'],"next":' + next_page + b"}")


class TaskHandler(AuthenticatedHandler):
    """A handler for one task, whose id may come in capitals. Source: RFC 9562, 4."""

    async def prepare(self) -> None:
        self.path_args = [task_id.lower() for task_id in self.path_args]
        name_task(self.path_args[0])
        await super().prepare()

    def check_reach(self) -> None:
        """Answer 404 to a watch token for another task.

        Raises:
            TaskNotFound
        """
        if not self.caller.may_ask_about(self.path_args[0]):
            raise TaskNotFound

    def write_document(self, document: Document) -> None:
        if document.terminal:
            self.services.seen(self.caller.account_id, self.path_args[0])
        else:
            self.set_header("Retry-After", str(RETRY_AFTER_S))
        self.write(document.body)


class WaitingHandler(TaskHandler):
    """A handler that may wait for a task: the wait ends with its connection, or when the process drains."""

    def initialize(self, services: Services) -> None:
        super().initialize(services)
        self.wait_scope = WaitScope()

    async def prepare(self) -> None:
        await super().prepare()
        self.services.open_requests.waiting.add(self.wait_scope)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.wait_scope.end()

    def on_finish(self) -> None:
        self.services.open_requests.waiting.discard(self.wait_scope)
        super().on_finish()


class StatusHandler(WaitingHandler):
    """GET generate-prompt-async/status/{task_id}/[?wait=S&after=VERSION]"""

    async def get(self, task_id: str) -> None:
        self.services.polls.admit(self.caller.account_id)
        account_id, generations = self.caller.account_id, self.services.generations
        timeout_s = self.whole_number("wait", 0, LONGEST_WAIT_S)
        after = self.whole_number("after", THE_LATEST, MAX_VERSION)
        document = await generations.status(account_id, task_id)
        if timeout_s:
            known = document.version if after == THE_LATEST else after
            with self.services.open_streams.place(account_id, "poll"):
                document = await generations.wait(
                    account_id, task_id, self.wait_scope, after_version=known, timeout_s=timeout_s
                )
            await self.authenticate()
        self.write_document(document)

    def members_of_error(self, status: int) -> dict[str, Any]:
        caller = getattr(self, "caller", None)  # none when it could not be established
        path_args = getattr(self, "path_args", ())  # none yet when Tornado does not know the method
        task_id = path_args[0] if path_args else ""
        last_known = self.services.polls.last_known(self.request, caller, task_id)
        return members_of_error(status, None if last_known is None else last_known.progress)

    def on_finish(self) -> None:
        status = self.get_status()
        if self.request.method == "GET":
            self.services.polls.answered(status)
            if status == 401:
                self.services.polls.remember_refused(self.request)
            elif status in LEARNED and hasattr(self, "caller"):
                self.services.polls.remember(self.request, self.caller)
        super().on_finish()


class CancelHandler(TaskHandler):
    """POST generate-prompt-async/cancel/{task_id}/"""

    traced_as = f"{CANCEL}{{task_id}}/"

    async def post(self, task_id: str) -> None:
        self.write_document(await self.services.generations.cancel(self.caller.account_id, task_id))


class SynchronousHandler(SubmitHandler):
    """POST generate-prompt/: answers when the prompt is there; cancels it when the client goes away before."""

    traced_as = f"{SYNCHRONOUS}/"

    def initialize(self, services: Services) -> None:
        super().initialize(services)
        self.wait_scope = WaitScope()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        closed_by_server = getattr(self.request.connection.stream, "closed_by_server", False)  # type: ignore[union-attr]  # HTTP/1 has one
        self.wait_scope.end(by_server=closed_by_server)

    async def post(self) -> None:
        manual_prompt, steering, _watched = parse_prompt(self.request.headers, self.body())
        key = submit_key(self.request)
        account_id = self.caller.account_id
        try:
            generated = await self.services.generations.generate(
                account_id, manual_prompt, key, self.wait_scope, steering, self.origin
            )
        except GenerationFailed as exc:
            self.services.seen(account_id, exc.task_id)
            raise
        self.services.seen(account_id, generated.task_id)
        self.set_left(generated.left)
        if generated.replayed:
            self.set_header("Idempotent-Replayed", "true")
            self.outcome = "replayed"
        shown = (
            "prompt",
            "message",
            "generated_by_ai",
            "warning",
            "warning_code",
            "fallback_reason",
            "fidelity",
            "missing_facts",
            "invented_facts",
            "instruction_version",
            "task_id",
            "model",
            "tokens_used",
        )
        document = generated.document
        self.write_json({"success": True} | {name: document[name] for name in shown if name in document})
