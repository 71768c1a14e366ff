"""Provers that are down, slow or lying, and proofs that nobody needs any more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from tests.e2e.relayer_quorum import kinds, says
from tests.e2e.relayer_world import get_json
from tests.e2e.zk_world import BOND, EXPOSURE, reached, soon, zk_world
from tests.support.server import listening
from tests.support.terms import FEE
from vouch.chain.hexes import to_bytes
from vouch.protocol.status import Status
from vouch.prover.files import CircuitFiles
from vouch.prover.service.client import ProofState, ProverClient
from vouch.relayer.job import JobStatus, TxKind
from vouch.web.ports import free_port

pytestmark = pytest.mark.slow


class Liar:
    """A service in front of the real one that puts other bytes in the place of a seal, while it has any."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.lie: bytes | None = None
        self.flip = False
        self.told = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        async with listening(app) as url:
            yield url

    async def _handle(self, http: web.Request) -> web.Response:
        async with (
            ClientSession() as session,
            session.request(http.method, self._target + http.path, data=await http.read()) as reply,
        ):
            body = await reply.json()
        return web.json_response(self._spoilt(body), status=reply.status)

    def _spoilt(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("seal") is None or not (self.flip or self.lie):
            return body
        self.told += 1
        seal = self.lie or bytearray(to_bytes(body["seal"]))
        if self.flip:
            seal = bytes([*seal[:-1], seal[-1] ^ 1])
        return body | {"seal": f"0x{seal.hex()}"}


async def test_a_prover_that_comes_later_is_waited_for(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z, z.w.relayer(z.config()) as store:
        asked = await z.ask()
        await soon(lambda: says(store, asked, "what can be proven is not known: prover "))
        assert await z.w.hub.status_of(asked) is Status.REQUESTED
        async with z.prover.running():
            await reached(store, asked)
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]


async def test_while_the_prover_is_down_no_stake_is_put_at_risk(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    port = free_port()
    async with zk_world(tmp_path, circuit) as z:
        async with z.prover.running():
            await z.warm()
            relayer = z.w.relayer(z.config(status_port=port))
            store = await relayer.__aenter__()
        try:
            requests = [await z.ask(), await z.ask(window=1_000)]
            for asked in requests:
                await soon(partial(says, store, asked, "proof first (prover http://127.0.0.1:"))
            await soon(partial(_in_trouble, port))
            assert await z.exposed() == 0
            async with z.prover.running():
                for asked in requests:
                    await reached(store, asked)
                    assert kinds(store, asked) == [TxKind.FULFIL]
        finally:
            await relayer.__aexit__(None, None, None)


async def _in_trouble(port: int) -> bool:
    status, told = await get_json(f"http://127.0.0.1:{port}/healthz")
    return status == 503 and "ClientConnectorError" in told["prover"]["trouble"]


@pytest.mark.parametrize("kind", ["flipped", "another's"])
async def test_a_forged_seal_costs_nothing_but_time(tmp_path: Path, circuit: CircuitFiles, kind: str) -> None:
    port = free_port()
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        liar = Liar(z.prover.url)
        async with liar.serve() as url, z.w.relayer(z.config(prover=url, status_port=port)) as store:
            if kind == "flipped":
                liar.flip = True
            else:
                # The same input and output, so that only the claim differs.
                other = await z.ask(prove_within=0, exposure=0, bond=0)
                done = await reached(store, other)
                assert done.answer is not None
                liar.lie = done.answer.seal
            asked = await z.ask()
            await soon(lambda: says(store, asked, "stake at risk: the chain refuses the proof of "))
            assert kinds(store, asked) == [TxKind.DELIVER], "no gas is spent on it"
            assert await z.exposed() == EXPOSURE + BOND
            status, told = await get_json(f"http://127.0.0.1:{port}/healthz")
            assert (status, told["ok"]) == (503, False)
            assert f"0x{asked.hex()}" in told["atRisk"]
            assert liar.told >= 1
            liar.flip, liar.lie = False, None
            job = await reached(store, asked)
            assert job.reason == "settled by us"
            assert (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]["atRisk"] == {}


async def test_a_forged_seal_of_what_was_not_delivered_is_a_failure(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        liar = Liar(z.prover.url)
        liar.flip = True
        async with liar.serve() as url, z.w.relayer(z.config(prover=url)) as store:
            asked = await z.ask(prove_within=0, exposure=0, bond=0)
            job = await reached(store, asked, JobStatus.FAILED)
            assert job.reason.startswith(f"no proof: the chain refuses the proof of {url}: ")
            assert store.transactions(asked) == []


async def test_a_proof_that_somebody_else_brought_is_cancelled(tmp_path: Path, circuit: CircuitFiles) -> None:
    """Two services: ours is slow, and whoever has a seal can settle with it."""
    async with zk_world(tmp_path, circuit) as z, z.prover.running(), z.prover.client() as ours:
        await z.warm()
        z.prover.hold()
        async with z.w.relayer(z.config()) as store:
            asked = await z.ask()
            await soon(lambda: says(store, asked, "proof is due: the proof is being made"))
            job = await reached(store, asked, JobStatus.DELIVERED)
            assert job.answer is not None
            assert (await ours.get(z.task(job).id)).state is ProofState.PROVING
            second = z.second_prover()
            async with second.running(), second.client() as theirs:
                seal = await z.prove(theirs, z.task(job))
            settle = z.w.hub.settle(job.terms, z.w.operator, job.answer.output, seal)
            await z.w.sender(5).transact(settle)
            assert (await reached(store, asked)).reason == f"lost race: settled by {z.w.operator}"
            await soon(lambda: _is(ours, z.task(job).id, ProofState.CANCELLED))
            assert kinds(store, asked) == [TxKind.DELIVER]
            assert await z.w.hub.credit_of(z.w.operator) == FEE
            z.prover.release()


async def test_a_proof_that_comes_too_late_is_cancelled(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running(), z.prover.client() as ours:
        z.prover.hold()
        async with z.w.relayer(z.config()) as store:
            asked = await z.ask(prove_within=0, exposure=0, bond=0)
            await soon(lambda: says(store, asked, "proof first (the terms allow no gap): the proof is being"))
            (job,) = store.open_jobs()
            await z.later(700)
            await reached(store, asked, JobStatus.EXPIRED)
            await soon(lambda: _is(ours, z.task(job).id, ProofState.CANCELLED))
            assert store.transactions(asked) == []
            z.prover.release()


async def _is(client: ProverClient, proof: str, state: ProofState) -> bool:
    return (await client.get(proof)).state is state
