"""The façade: the same client from a program without an event loop."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.python.client.conftest import World
from tests.python.client.gaps import BOND, EXPOSURE, Gaps
from vouch.client import Client, SyncClient
from vouch.client.errors import UnknownModel
from vouch.client.terms import Options
from vouch.protocol.errors import VouchError
from vouch.protocol.quorum import QUORUM
from vouch.protocol.status import Status

T = TypeVar("T")


async def test_ask_and_wait(live: World) -> None:
    live.deployment.save(live.folder)

    def program() -> None:
        with SyncClient(live.anvil.http_url, live.anvil.accounts[4], deployments=live.folder) as client:
            answer = client.infer("echo", "hello", timeout=20)
            assert answer.output == "hello"
            assert client.settled(answer).status is Status.SETTLED
            assert client.refresh(answer).assurance == answer.assurance
            asked = client.request("echo", "twice")
            assert client.wait(asked, timeout=20).output == "twice"
            assert live.url is not None
            assert client.ask_node(live.url, "echo", "pulled").output == "pulled"
            assert {model.name for model in client.models()} == {"risk", "echo"}
            assert client.resolve("risk") == live.risk.model_id
            client.deposit(1000)
            assert client.credit() == 1000
            client.withdraw()
            assert client.credit() == 0
            with pytest.raises(UnknownModel):
                client.infer("nope", "x")

    await asyncio.to_thread(program)


async def test_the_trust_gap(world: World, gaps: Gaps) -> None:
    """The same calls; the test delivers and proves meanwhile, as a relayer would."""
    world.deployment.save(world.folder)
    client = SyncClient(world.anvil.http_url, world.anvil.accounts[4], deployments=world.folder)

    def run(work: Callable[..., T], *args: Any, **options: Any) -> Awaitable[T]:
        return asyncio.to_thread(work, *args, **options)

    try:
        terms: Options = {"route": QUORUM, "trust": gaps.policy.trust, "exposure": EXPOSURE, "bond": BOND}
        asked = await run(client.request, "echo", "hello", window=100, **terms)
        await gaps.deliver(asked)
        answer = await run(client.wait, asked, timeout=20)
        assert answer.status is Status.DELIVERED
        await run(client.challenge, answer)
        gap = await run(client.gap, answer)
        assert gap is not None
        assert gap.challenger == world.anvil.accounts[4].address
        await run(client.settle, answer, gaps.seal(asked))
        assert (await run(client.settled, answer)).proven

        second = await run(client.request, "echo", "hello", prove_within=60, **terms)
        await gaps.deliver(second)
        answer = await run(client.wait, second, timeout=20)
        for refused in (client.reject, client.expire_delivered):
            with pytest.raises(VouchError):
                await run(refused, answer)
        await run(client.report_equivocation, answer, gaps.pulled(second, b"lie"))
        assert (await run(client.refresh, answer)).status is Status.REJECTED
    finally:
        await run(client.close)


async def test_closing_ends_the_thread(world: World) -> None:
    def program() -> None:
        before = threading.active_count()
        client = SyncClient(world.anvil.http_url, deployment=world.deployment)
        client.models()
        assert threading.active_count() == before + 1
        client.close()
        client.close()
        assert threading.active_count() == before

    await asyncio.to_thread(program)


def test_every_call_of_the_client_is_there() -> None:
    extra = {"connection", "address", "prepare", "find", "end_of", "assurance_of", "manifest", "offers"}
    ours = {name for name, _ in inspect.getmembers(Client) if not name.startswith("_")} - extra
    theirs = {name for name, _ in inspect.getmembers(SyncClient) if not name.startswith("_")}
    assert ours == theirs


def test_a_file_that_is_not_there() -> None:
    from vouch.chain.account import BadKey

    with pytest.raises(BadKey, match="neither"):
        SyncClient("http://127.0.0.1:9", Path("/nonexistent/key"))
