import asyncio
import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.python.prover.service.asking import BATCH, HUB, MODEL, OPERATOR, SINGLE, item, served, task, words
from tests.python.prover.service.conftest import RunProver, burning, ended, is_proving, pids_in, runs, until
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import Seal
from vouch.protocol.zk import ZkSeal
from vouch.prover.service.app import serve
from vouch.prover.service.client import Item, ProofState, ProverRefused, ProverUnavailable
from vouch.prover.service.config import ProverConfig
from vouch.prover.service.errors import DatabaseInUse, MixedStrings
from vouch.prover.service.store import REFUSED, Store
from vouch.prover.service.wire import task_json


async def test_a_proof(run_prover: RunProver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vouch.prover.service")
    asked = task(value=30)
    async with run_prover() as client:
        first = await client.submit(asked)
        done = await ended(client, asked.id)
    assert (first.id, done.id) == (asked.id, asked.id)
    assert (done.state, done.reason, done.place, done.eta_seconds) == (ProofState.DONE, "", 0, None)
    assert done.cpu_seconds >= 0.03
    assert done.peak_bytes > 1_000_000
    assert done.seal is not None
    seal = ZkSeal.parse(Seal.parse(done.seal), SINGLE)
    assert seal.row == SINGLE.row(words(30), words(30))
    assert len(seal.proof) == 32
    (line,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("proof ")]
    for part in (
        f"{asked.id} done",
        f"circuit=0x{SINGLE.id.hex()}",
        "queue_s=",
        "cpu_s=",
        "peak_mb=",
        "srs=dev-srs",
    ):
        assert part in line


async def test_asking_twice_proves_once(run_prover: RunProver, folder: Path) -> None:
    async with run_prover() as client:
        await client.submit(task(value=30))
        done = await ended(client, task(value=30).id)
        assert await client.submit(task(value=30, prove_by=5)) == done
        await client.submit(task(2, value=30))
        await ended(client, task(2, value=30).id)
    assert len(await burning(folder)) == 2


@pytest.mark.parametrize("which", ["circuit", "model"])
async def test_unknown_circuit(run_prover: RunProver, which: str) -> None:
    asked = task_json(task())
    asked["circuitId" if which == "circuit" else "modelId"] = "0x" + "77" * 32
    async with run_prover() as client, httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
        reply = await http.post("/vouch/v1/proofs", json=asked)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (404, "UnknownCircuit", False)
    assert error["details"]["received"] == asked["circuitId"]


async def test_an_output_that_the_model_does_not_give(run_prover: RunProver) -> None:
    asked = task_json(task(value=30))
    asked["items"][0]["output"] = "0x" + words(31).hex()
    async with run_prover() as client, httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
        reply = await http.post("/vouch/v1/proofs", json=asked)
        info = await client.info()
    error = reply.json()["error"]
    assert (reply.status_code, error["name"]) == (422, "OutputMismatch")
    assert error["details"]["received"] == "0x" + keccak(words(31)).hex()
    assert error["details"]["expected"] == "0x" + keccak(words(30)).hex()
    assert info.queued == 0


async def test_validating_queues_nothing(run_prover: RunProver, folder: Path) -> None:
    false = replace(task(value=30), items=(replace(item(1, 30), output=words(31)),))
    wrong = {
        "OutputMismatch": false,
        "InputOutOfRange": task(value=1 << 23),
        "UnknownCircuit": replace(task(), circuit_id=b"x" * 32),
        "BadTask": replace(task(circuit=SINGLE), items=(item(1), item(2))),
    }
    async with run_prover(max_queue=1) as client:
        await client.validate(task(value=30))
        await client.validate(task(circuit=BATCH))
        for name, asked in wrong.items():
            with pytest.raises(ProverRefused) as refused:
                await client.validate(asked)
            assert refused.value.name == name
        with pytest.raises(ProverRefused, match="UnknownProof"):
            await client.get(task(value=30).id)
        await client.submit(task(1, value=60_000))
        await burning(folder)
        await client.submit(task(2, value=60_000))
        with pytest.raises(ProverUnavailable, match="QueueFull"):
            await client.validate(task(3))
        await client.cancel(task(2, value=60_000).id)
        await client.validate(task(3))
    assert len(pids_in(folder)) == 1


async def test_a_refused_seal_is_made_again(run_prover: RunProver, folder: Path) -> None:
    asked = task(value=30)
    async with run_prover(attempts=2) as client:
        await client.submit(asked)
        done = await ended(client, asked.id)
        assert await client.submit(asked) == done
        assert (await client.submit(asked, again=True)).state is ProofState.QUEUED
        second = await ended(client, asked.id)
        assert (second.state, second.seal is None) == (ProofState.DONE, False)
        for again in (True, True, False):
            refused = await client.submit(asked, again=again)
            assert (refused.state, refused.reason) == (ProofState.FAILED, REFUSED.format(2))
        assert (await client.get(asked.id)).state is ProofState.FAILED
        assert len(pids_in(folder)) == 2
    async with run_prover(attempts=2) as client:
        await client.submit(asked)
        assert (await ended(client, asked.id)).state is ProofState.DONE


async def test_an_input_out_of_range(run_prover: RunProver) -> None:
    asked = task(value=1 << 23)
    async with run_prover() as client:
        with pytest.raises(ProverRefused, match="24 bits") as refused:
            await client.submit(asked)
        assert refused.value.name == "InputOutOfRange"
        with pytest.raises(ProverRefused) as unknown:
            await client.get(asked.id)
    assert unknown.value.name == "UnknownProof"


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"chainId": NaN}', b"{}"])
async def test_malformed_bodies(run_prover: RunProver, body: bytes) -> None:
    async with run_prover() as client, httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
        reply = await http.post("/vouch/v1/proofs", content=body)
    assert (reply.status_code, reply.json()["error"]["name"]) == (400, "MalformedBody")


async def test_a_body_too_large(run_prover: RunProver) -> None:
    async with run_prover(max_body_bytes=500) as client:
        with pytest.raises(ProverRefused) as refused:
            await client.submit(task())
    assert refused.value.name == "BodyTooLarge"


async def test_the_token(run_prover: RunProver) -> None:
    async with run_prover(token="secret") as client:
        assert (await client.info()).queued == 0
        async with httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
            assert (await http.get("/vouch/v1/info")).status_code == 401
            wrong = {"authorization": "Bearer other"}
            assert (await http.post("/vouch/v1/proofs", json={}, headers=wrong)).status_code == 401
            assert (await http.delete("/vouch/v1/proofs/0", headers=wrong)).status_code == 401
            assert (await http.get("/health/ready")).status_code == 200
            assert (await http.get("/health/live")).status_code == 200


async def test_info(run_prover: RunProver) -> None:
    async with run_prover() as client:
        before = await client.info()
        await client.submit(task(value=30))
        await ended(client, task(value=30).id)
        after = await client.info()
    assert before.models == {MODEL: {SINGLE.id: 1, BATCH.id: 4}}
    assert (before.srs, before.queued) == ("dev-srs", 0)
    assert (before.eta, before.seconds) == ({}, {})
    assert before.knows(MODEL, SINGLE.id)
    assert not before.knows(SINGLE.id, MODEL)
    assert after.eta.keys() == after.seconds.keys() == {SINGLE.id}
    assert after.eta == after.seconds
    assert 0.03 <= after.eta[SINGLE.id] < 30


async def test_unknown_paths_are_json(run_prover: RunProver) -> None:
    async with run_prover() as client, httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
        assert (await http.get("/nothing")).json()["error"]["name"] == "HttpError"
        assert (await http.put("/vouch/v1/proofs")).status_code == 405


async def test_not_ready_without_its_database(run_prover: RunProver, tmp_path: Path) -> None:
    async with run_prover() as client, httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
        with closing(sqlite3.connect(tmp_path / "proofs.sqlite", isolation_level=None)) as other:
            other.execute("PRAGMA journal_mode = WAL")
            other.execute("DROP TABLE tasks")
        sick = await http.get("/health/ready")
        with pytest.raises(ProverUnavailable, match="StoreUnavailable"):
            await client.submit(task())
    assert sick.status_code == 503
    assert "no such table" in sick.json()["database"]


async def test_not_ready_without_processes(run_prover: RunProver) -> None:
    async with run_prover(worker=("/nowhere/to/be/found",)) as client:
        await client.submit(task())
        async with httpx.AsyncClient(base_url=client.url, trust_env=False) as http, asyncio.timeout(10):
            while (sick := await http.get("/health/ready")).status_code == 200:  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(0.01)
        assert "/nowhere" in sick.json()["workers"]
        status = await client.get(task().id)
    assert not status.state.ended


async def test_a_database_is_one_services(run_prover: RunProver, tmp_path: Path) -> None:
    config = ProverConfig(tmp_path / "proofs.sqlite", port=0)
    async with run_prover():
        with pytest.raises(DatabaseInUse, match="another prover works"):
            await serve(config, [], stop=asyncio.Event())
    with Store(config.database):
        pass


async def test_two_reference_strings(folder: Path, tmp_path: Path) -> None:
    both = [served(folder, SINGLE), served(folder, BATCH, srs="canonical")]
    with pytest.raises(MixedStrings, match="canonical, dev-srs"):
        await serve(ProverConfig(tmp_path / "db", port=0), both, stop=asyncio.Event())


async def test_shutdown_puts_back_what_is_being_proven(
    run_prover: RunProver, folder: Path, tmp_path: Path
) -> None:
    async with run_prover(attempts=1) as client:
        await client.submit(task(value=60_000))
        (pid,) = await burning(folder)
    assert not runs(pid)
    assert not (tmp_path / "proofs.sqlite.tmp").exists()
    with Store(tmp_path / "proofs.sqlite") as store:
        job = store.get(task(value=60_000).id)
    assert job is not None
    assert (job.status.state, job.attempts) == (ProofState.QUEUED, 0)
    # Even with one attempt allowed: it was not the proof's fault.
    async with run_prover(attempts=1) as client:
        await burning(folder, 2)
        await client.cancel(task(value=60_000).id)


async def test_cancelling_ends_the_proving_program(run_prover: RunProver, folder: Path) -> None:
    asked = task(value=60_000)
    async with run_prover() as client:
        await client.submit(asked)
        (pid,) = await burning(folder)
        assert runs(pid)
        assert (await client.cancel(asked.id)).state is ProofState.CANCELLED
        assert not runs(pid)
        # The next one is proven, and the cancelled one is if somebody wants it again.
        await client.submit(task(2, value=20))
        assert (await ended(client, task(2, value=20).id)).state is ProofState.DONE
        assert (await client.get(asked.id)).state is ProofState.CANCELLED
        await client.submit(asked)
        await until(client, asked.id, is_proving)
        assert len(await burning(folder, 3)) == 3


async def test_cancelling_what_is_not_there_or_over(run_prover: RunProver) -> None:
    async with run_prover() as client:
        with pytest.raises(ProverRefused) as refused:
            await client.cancel("00" * 32)
        assert refused.value.name == "UnknownProof"
        await client.submit(task(value=20))
        done = await ended(client, task(value=20).id)
        assert await client.cancel(done.id) == done


async def test_a_batch(run_prover: RunProver) -> None:
    asked = task(circuit=BATCH)
    items = tuple(Item(bytes([n]) * 32, words(20 + n), words(20 + n)) for n in (3, 1, 2))
    asked = type(asked)(asked.chain_id, HUB, OPERATOR, MODEL, BATCH.id, items)
    async with run_prover() as client:
        await client.submit(asked)
        done = await ended(client, asked.id)
    assert done.state is ProofState.DONE
    assert done.seal is not None
    assert done.seal[4:36] == MODEL
