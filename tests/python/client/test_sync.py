"""The façade: the same client from a program without an event loop."""

import asyncio
import inspect
import threading
from pathlib import Path

import pytest

from tests.python.client.conftest import World
from vouch.client import Client, SyncClient
from vouch.client.errors import UnknownModel
from vouch.protocol.status import Status


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
    assert ours == theirs - {"settled", "refresh"}


def test_a_file_that_is_not_there() -> None:
    from vouch.chain.account import BadKey

    with pytest.raises(BadKey, match="neither"):
        SyncClient("http://127.0.0.1:9", Path("/nonexistent/key"))
