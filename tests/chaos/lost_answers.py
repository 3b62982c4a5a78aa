"""Submits whose answer from Redis is lost, through the shipped nginx: told to try again or charged, never both."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AsyncExitStack
from itertools import cycle, islice, product
from random import Random
from urllib.parse import urlsplit

from storage.scripts import Script, load_scripts
from tests.chaos.clients import Client
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import Verdict, ended, judge, paid_in_vain
from tests.chaos.world import REAL_LEASES, a_world
from tests.deploy.nginx import Nginx
from tests.support.redis_proxy import Proxy
from wiring.storage import SCRIPT_FOLDERS

SUBMIT = Script.of(load_scripts(SCRIPT_FOLDERS)["submit"])
TIMEOUT_S = 0.5
TRIED_AGAIN_WITHIN_S = 30.0
PAUSE_S = 0.1
ACCEPTED = 202
KEYS = (True, False)


async def submits_lose_their_answers(rounds: int, random: Random) -> Outcome:
    """Behind nginx with one process, and with a second that nginx asks next; clients with a key and without."""
    async with a_world(settings=REAL_LEASES) as world, Proxy(world.redis_port) as proxy, AsyncExitStack() as stack:
        hit = await world.serve(redis_port=proxy.port, redis__timeout_s=TIMEOUT_S)
        well = await world.serve()
        fronts = []
        for number, servers in enumerate(((hit,), (hit, well))):
            folder = world.folder / f"nginx-{number}"
            folder.mkdir()
            ports = [urlsplit(server.url).port or 0 for server in servers]
            fronts.append(stack.enter_context(Nginx(folder, ports, limited=False)))
        client, verdict, refused = await world.client(), Verdict(), 0
        kinds = list(product(fronts, KEYS))
        random.shuffle(kinds)
        for front, with_key in islice(cycle(kinds), rounds):
            world.front = front.url
            await client.ask("GET", "/health/live")
            await world.storage.redis.script_load(SUBMIT.text)  # so that it is not sent twice
            headers = {"Idempotency-Key": str(uuid.uuid4())} if with_key else {}
            proxy.falls_silent_at = SUBMIT.sha1.encode()
            refused += await _until_accepted(client, headers, proxy)
            proxy.falls_silent_at, proxy.silent = b"", False
        world.front = ""
        await ended(world)
        verdict.doubled += await paid_in_vain(world, client.account_id)
        account = await world.accounts.show(client.account_id)
        missed = [] if refused else ["no client was told to try again"]
        missed += [] if account.tokens_charged else ["nothing was charged"]
        accepted = len(world.witness.tasks)
        missed += [] if accepted == rounds else [f"{accepted} tasks for {rounds} wishes"]
        remarks = f"{accepted} accepted, {refused} told to try again, {account.tokens_charged} tokens charged"
        return Outcome(f"{rounds} submits", await judge(world, verdict), remarks, missed)


async def _until_accepted(client: Client, headers: dict[str, str], proxy: Proxy) -> int:
    """Try again as one is told; return how often that was said."""
    refused = 0
    async with asyncio.timeout(TRIED_AGAIN_WITHIN_S):
        while (await client.submit_once("Be kind to all.", headers=headers)).status != ACCEPTED:
            refused += 1
            proxy.silent = False
            await asyncio.sleep(PAUSE_S)
    return refused
