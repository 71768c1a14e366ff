"""Operators' nodes are asked what was delivered: a real one, and ones that say something else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from coincurve import PrivateKey

from tests.e2e.watch_world import BOND, ETHER, RISK, World, until, world
from tests.support.server import listening
from vouch.node.config import NodeConfig
from vouch.node.service import serve as serve_node
from vouch.protocol.request import Request
from vouch.protocol.status import Status
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.onnx import OnnxRuntime
from vouch.watcher.config import Believed
from vouch.watcher.finding import Kind
from vouch.watcher.store import Store

OPERATOR = PrivateKey(bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"))
"""Anvil's account 1."""


@asynccontextmanager
async def real_node(folder: Path) -> AsyncIterator[str]:
    """The operator's own node, with the risk model; gives its URL."""
    runtime = OnnxRuntime(RISK, manifest_from_onnx(RISK, "risk"))
    journal = folder / "journal.sqlite"
    config = NodeConfig(models=(("risk", runtime),), journal=journal, key=OPERATOR, port=0)
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_node(config, ready=url.set_result, stop=stop))
        try:
            yield await url
        finally:
            stop.set()


async def test_a_real_node_convicts_an_operator_that_delivered_something_else(tmp_path: Path) -> None:
    async with real_node(tmp_path) as url, world(tmp_path, endpoint=url) as w:
        config = w.config(ask_nodes=True, believed=Believed())
        async with w.watcher(config) as watched:
            honest = await w.deliver(await w.ask(), w.honest)
            lie = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.REPORT, lie, f"(node {url})")
            await until(lambda: w.has(lie, Status.REJECTED))
            assert await w.hub.credit_of(w.account.address) == BOND
            assert set(watched.kinds(honest)) == {Kind.SAME}
            assert await w.hub.status_of(honest) is Status.DELIVERED


@pytest.mark.parametrize("bond", [BOND, 1])
async def test_a_node_that_signs_something_else_is_reported_if_that_pays(tmp_path: Path, bond: int) -> None:
    async with _node() as (node, url), world(tmp_path, endpoint=url) as w:
        node.world, node.output = w, w.moved(0.2)
        config = w.config(ask_nodes=True, believed=Believed())
        async with w.watcher(config) as watched:
            terms = await w.ask(bond=bond)
            request = await w.deliver(terms, w.honest)
            line = await watched.said(Kind.REPORT, request)
            assert f"(node {url})" in line.text
            if bond == 1:
                assert "left to others" in line.text
                assert await w.sent(w.account) == 0
            else:
                await until(lambda: w.has(request, Status.REJECTED))
                assert await w.hub.credit_of(w.account.address) == BOND
                assert (
                    await w.nodes.stake_of(w.operator.address)
                ).bonded == 10 * ETHER - terms.exposure - BOND


async def test_a_node_that_repeats_itself_or_talks_nonsense_is_left_alone(tmp_path: Path) -> None:
    async with _node() as (node, url), world(tmp_path, endpoint=url) as w:
        node.world = w
        async with w.watcher(w.config(ask_nodes=True)) as watched:
            for output, raw, status in (
                (w.honest, None, 200),
                (w.moved(0.2), b"no json", 200),
                (w.moved(0.2), b"[" * 100_000, 200),
                (w.moved(0.2), b'{"output": 1, "signature": []}', 200),
                (w.moved(0.2), b" " * (2 << 20), 200),
                (w.moved(0.2), None, 307),
                (w.moved(0.2), None, 404),
            ):
                node.output, node.raw, node.status = output, raw, status
                asked = node.asked
                request = await w.deliver(await w.ask(), w.honest)
                await watched.said(Kind.SAME, request)
                await until(lambda before=asked: _more(node, before))  # type: ignore[misc]
            # A signature by somebody else proves nothing about the operator.
            node.output, node.raw, node.status, node.forged = w.moved(0.2), None, 200, True
            asked = node.asked
            request = await w.deliver(await w.ask(), w.honest)
            await until(lambda: _more(node, asked))
            await watched.said(Kind.SAME, request)
            await asyncio.sleep(0.3)
            with Store(w.folder / "watch.sqlite") as store:
                assert len(store.statements(request, w.operator.address)) == 1  # the delivery's own
            assert not {Kind.REPORT, Kind.TROUBLE} & {finding.kind for finding in watched.findings}
            assert await w.sent(w.account) == 0


class _Node:
    """What an operator's node would say; here it says what a test wants."""

    def __init__(self) -> None:
        self.world: World | None = None
        self.output, self.status, self.asked, self.forged = b"", 200, 0, False
        self.raw: bytes | None = None

    async def answer(self, http: web.Request) -> web.Response:
        body = json.loads(await http.read())
        w = self.world
        assert w is not None
        assert (body["chainId"], body["hub"]) == (w.anvil.chain_id, w.hub.address)
        assert body["input"] == f"0x{w.input.hex()}"
        terms = Request.from_bytes(bytes.fromhex(body["terms"][2:]))
        self.asked += 1
        if self.raw is not None:
            return web.Response(body=self.raw, status=self.status)
        signature = w.signature(terms, self.output, w.anvil.accounts[3] if self.forged else None)
        said = {"output": f"0x{self.output.hex()}", "signature": f"0x{signature.hex()}", "seal": None}
        headers = {"location": str(http.url)} if self.status == 307 else {}
        return web.json_response(said, status=self.status, headers=headers)


@asynccontextmanager
async def _node() -> AsyncIterator[tuple[_Node, str]]:
    node = _Node()
    app = web.Application()
    app.router.add_post("/vouch/v1/answers", node.answer)
    async with listening(app) as url:
        yield node, url


async def _more(node: _Node, before: int) -> bool:
    return node.asked > before
