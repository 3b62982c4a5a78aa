"""The base of every handler under /api/v1/admin: admin key, allowed networks, bodies, and the audit log.

Refuses to know any single endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, ClassVar

import structlog

from accounts import Account, ApiKey, NetworkNotAllowed
from accounts.account import LONGEST_ACCOUNT_ID
from accounts.admin_keys import ADMIN_KEY_PREFIX
from accounts.audit_trail import note_change
from accounts.errors import AdminKeyRequired
from accounts.identity import scheme_and_token
from handlers.admin.errors import ADMIN_ANSWERS
from handlers.answers import Answer
from handlers.base import CHANGING, BodyHandler
from handlers.errors import BadRequest
from runtime.logs import logged_path

MAX_PER_PAGE = 200
PAGED = {"GET": ("limit", "before")}


class AdminHandler(BodyHandler):
    """A handler for requests with an admin key. ``parameters`` are those that a query may have, by the method.

    ``of_account``: the path's first part is the id of the account that the request is about.
    """

    of_account = True
    parameters: ClassVar[Mapping[str, Sequence[str]]] = {}
    admin: ApiKey
    _may_change = _noted = False
    _about: Mapping[str, Any] = {}  # replaced, never changed

    async def prepare(self) -> None:
        await super().prepare()
        self._may_change = self.request.method in CHANGING

    async def authenticate(self) -> None:
        """Establish that the request has an admin key and comes from an allowed network.

        Raises:
            NetworkNotAllowed, AdminKeyRequired: a valid identity of an account; Unauthorized, StorageUnavailable
        """
        networks = self.services.admin_networks
        if networks:
            client = client_address(self.request.remote_ip or "0.0.0.0")  # noqa: S104  # a client that has none
            if not any(client in network for network in networks):
                raise NetworkNotAllowed
        header = self.request.headers.get("Authorization", "")
        scheme, token = scheme_and_token(header)
        if scheme.lower() == "bearer" and token.startswith(ADMIN_KEY_PREFIX):
            self.admin = await self.services.admin_keys.find(token)
            structlog.contextvars.bind_contextvars(by=self.admin.key_id)
            if self.path_args and self.of_account:
                self.is_about(self.path_args[0])
        else:
            await self.services.identity.authenticate(header)
            raise AdminKeyRequired

    def check_reach(self) -> None:
        """Accept every admin key: none is for one task only. A parameter with a typing error changes nothing unseen.

        Raises:
            BadRequest: the query has a parameter that there is not.
        """
        method = self.request.method or ""
        known = self.parameters.get("GET" if method == "HEAD" else method, ())
        if self._answers(method.lower()) and not self.request.query_arguments.keys() <= set(known):
            told = f"Send no other parameters than these: {', '.join(known)}." if known else "Send no parameters."
            raise BadRequest(400, "invalid_parameter", "Parameter is not valid", told)

    def answer_for(self, exc: BaseException | None) -> Answer:
        known = ADMIN_ANSWERS.get(type(exc))
        if known is None:
            return super().answer_for(exc)
        return known(exc) if callable(known) else known

    def limit(self) -> int:
        """Return the size of a page: 1 to 200."""
        return max(1, self.whole_number("limit", 50, MAX_PER_PAGE))

    def write_answer(self, answer: Answer) -> None:
        if answer.status >= 500 and self._may_change and not self._noted:  # its repetition may find the change made
            path_id = _logged_id(self.path_args[0]) if self.path_args else None
            about = {"account_id": path_id, **self._about}
            asked = f"{self.request.method} {logged_path(self.request.path)}"
            note_change(self.admin.key_id, "unsure", **about, request=asked, status=answer.status)
        super().write_answer(answer)

    def about(self, **facts: Any) -> None:
        """Say what a change is about that the path does not name: should its answer fail, its line has that."""
        self._about = facts

    def is_about(self, account_id: str) -> None:
        """Let every line of the log about this request name the account, which may be anything that was in a path."""
        structlog.contextvars.bind_contextvars(account_id=_logged_id(account_id))

    def did(self, action: str, account_id: str, **facts: Any) -> None:
        """Write a change to the audit log; what was repeated and changed nothing is none."""
        self._noted = True
        note_change(self.admin.key_id, action, account_id, **facts)

    def write_account(self, account: Account) -> None:
        self.is_about(account.account_id)  # no path names a new one
        self.write_json({"success": True, "account": account.as_dict()})


def _logged_id(account_id: str) -> str:
    return logged_path(account_id, LONGEST_ACCOUNT_ID)


def client_address(remote_ip: str) -> IPv4Address | IPv6Address:
    """Return the address; of an IPv4 client of a socket for both protocols (``::ffff:10.0.0.1``) the IPv4 one."""
    address = ip_address(remote_ip)
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
