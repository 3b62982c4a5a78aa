"""Resolves names to public addresses only: a name that a user chose must not lead into the operator's network."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


class PublicAddresses(AbstractResolver):
    """A resolver for a connector; a name without a public address has none."""

    def __init__(self) -> None:
        self._any = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            OSError: it is unknown, or stands for no public address.
        """
        found = await self._any.resolve(host, port, family)
        public = [each for each in found if ip_address(each["host"].partition("%")[0]).is_global]
        if not public:
            raise OSError(None, f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._any.close()
