"""Collecting signatures from co-signers over real HTTP: who is asked, how often, and when it ends."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web
from coincurve import PrivateKey

from tests.python.relayer.making import CHAIN_ID, HUB, KEEP, block, delivered, requested
from tests.python.relayer.proving import until
from tests.support.server import listening
from vouch.chain.hexes import to_hex
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import Request
from vouch.protocol.seal import Seal, address_of, sign_claim
from vouch.relayer.collection import Collection
from vouch.relayer.config import CosignerEndpoint, NodeEndpoint, Patience, QuorumConfig
from vouch.relayer.cosigners import CosignerPool
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import Reach
from vouch.relayer.quorum import Quorum
from vouch.relayer.quorum_prover import QuorumProver
from vouch.relayer.store import Store

OWN, *OTHERS = (PrivateKey(bytes([n]) * 32) for n in (1, 2, 3))
OPERATOR, ONE, TWO = (address_of(key.public_key) for key in (OWN, *OTHERS))
POLICY = Policy.of(2, (OPERATOR, ONE, TWO))
OUTPUT = b"output"
REACH = Reach(CHAIN_ID, HUB, timeout=90.0, pause=0.02)
QUICK = Patience(retry_first=0.02, retry_most=0.05)


@dataclass
class Others:
    """Nodes of three operators; `refusals` are answered instead of a signature, (status, error name)."""

    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    hangs: set[str] = field(default_factory=set)
    urls: dict[str, str] = field(default_factory=dict)
    repeats: bytes = OUTPUT
    """What the operator's own node says it answered."""

    async def answer(self, key: PrivateKey, http: web.Request, kind: str) -> web.Response:
        signer = address_of(key.public_key)
        self.asked[f"{kind} {signer}"] += 1
        if signer in self.hangs:
            await asyncio.sleep(90)  # longer than any test waits
        if signer in self.refusals:
            status, name = self.refusals[signer]
            return web.json_response({"error": {"name": name, "message": "no"}}, status=status)
        body = await http.json()
        output = bytes.fromhex(body["output"][2:]) if "output" in body else self.repeats
        claim = claim_of(Request.from_bytes(bytes.fromhex(body["terms"][2:])), output)
        named = {"requestId": claim.request_id, "modelId": claim.model_id, "inputHash": claim.input_hash}
        told = {name: to_hex(value) for name, value in (named | {"outputHash": claim.output_hash}).items()}
        made = {"signature": to_hex(sign_claim(key, claim, CHAIN_ID, HUB).proof), "operator": OPERATOR}
        made["output"] = to_hex(output)
        return web.json_response(made | {"claim": told | {"operator": OPERATOR}, "seal": None})

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Others"]:
        async with AsyncExitStack() as stack:
            for key in (OWN, *OTHERS):
                self.urls[address_of(key.public_key)] = await stack.enter_async_context(
                    listening(self._app(key))
                )
            yield self

    def _app(self, key: PrivateKey) -> web.Application:
        async def cosign(http: web.Request) -> web.Response:
            return await self.answer(key, http, "cosign")

        async def answers(http: web.Request) -> web.Response:
            return await self.answer(key, http, "answer")

        async def info(_: web.Request) -> web.Response:
            about = {"operator": address_of(key.public_key), "models": [], "routes": ["QRUM"]}
            return web.json_response(about | {"cosigns": True})

        app = web.Application()
        app.router.add_post("/vouch/v1/cosignatures", cosign)
        app.router.add_post("/vouch/v1/answers", answers)
        app.router.add_get("/vouch/v1/info", info)
        return app


def claim_of(terms: Request, output: bytes = OUTPUT) -> Claim:
    return Claim(terms.id(CHAIN_ID, HUB), terms.model_id, terms.input_hash, keccak(output), OPERATOR)


@asynccontextmanager
async def prover(store: Store, others: Others) -> AsyncIterator[QuorumProver]:
    """With a quorum of the operator's own node and two others, of which two are needed."""
    members = tuple(CosignerEndpoint(url) for url in others.urls.values())
    async with (
        CosignerPool(members, REACH) as pool,
        NodePool([NodeEndpoint(others.urls[OPERATOR])], REACH) as nodes,
    ):
        await pool.refresh_all(0.0)
        await nodes.refresh_all(0.0)
        quorum = Quorum(QuorumConfig(2, members), pool, store)
        quorum.learn()
        assert quorum.policy == POLICY
        yield QuorumProver(CHAIN_ID, HUB, store, quorum, nodes, QUICK, questions=1)


def answered(store: Store, *, signed: bool = True) -> Job:
    """A request on the quorum route whose answer is here, or was read from the chain."""
    log = requested(block(2), route=QUORUM, trust=POLICY.trust)
    store.advance([block(2)], [log], KEEP)
    if signed:
        signature = sign_claim(OWN, claim_of(log.request), CHAIN_ID, HUB).proof
        store.answered(log.id, NodeAnswer(OPERATOR, OUTPUT, None, signature, "http://own", 0))
    else:
        came = replace(delivered(block(3), log.id, b"\1" * 32, OUTPUT), operator=OPERATOR)
        store.advance([block(3)], [came], KEEP)
    job = store.get(log.id)
    assert job is not None
    return job


def with_output(job: Job, output: bytes) -> Job:
    assert job.answer is not None
    return replace(job, answer=replace(job.answer, output=output))


async def fill(made: QuorumProver, job: Job, *, patient: bool = True) -> Collection:
    found = made.open(job, patient=patient)
    assert found is not None
    async with asyncio.timeout(30):
        await made.fill(found, asyncio.Event(), lambda _: None)
    return found


def check(found: Collection) -> None:
    assert found.seal is not None
    QuorumSeal.parse(Seal.parse(found.seal)).check(POLICY.trust, found.claim, CHAIN_ID, HUB)


async def test_our_own_signature_and_the_first_other_one_are_enough(store: Store) -> None:
    async with Others().serve() as others, prover(store, others) as made:
        others.hangs.add(ONE)
        found = await fill(made, answered(store))
        check(found)
        assert set(found.signed) == {OPERATOR, TWO}
        assert others.asked[f"cosign {OPERATOR}"] == 0


async def test_what_came_once_is_not_asked_for_again(store: Store) -> None:
    async with Others().serve() as others:
        job = answered(store)
        async with prover(store, others) as made:
            check(await fill(made, job))
        others.asked.clear()
        async with prover(store, others) as made:
            check(await fill(made, job))
        assert others.asked == {}


async def test_a_refusal_of_the_output_is_final(store: Store) -> None:
    async with Others({ONE: (409, "Disagrees")}).serve() as others:
        job = answered(store)
        async with prover(store, others) as made:
            check(await fill(made, job))
        assert others.asked[f"cosign {ONE}"] <= 1
        others.refusals[TWO] = (409, "AlreadySigned")
        fresh = with_output(job, b"else")
        async with prover(store, others) as made:
            found = await fill(made, fresh, patient=False)
            assert found.hopeless
            others.asked.clear()
            again = made.open(fresh, patient=False)
            assert again is not None
            assert (again.open, again.hopeless) == ([], True)
        assert others.asked == {}


async def test_whoever_is_away_is_asked_again(store: Store) -> None:
    refusals = {ONE: (503, "Overloaded"), TWO: (500, "")}
    async with Others(refusals).serve() as others, prover(store, others) as made:
        job = answered(store)
        found = made.open(job, patient=False)
        assert found is not None
        told: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(made.fill(found, asyncio.Event(), lambda at: told.append(str(at))))
            await until(lambda: others.asked[f"cosign {TWO}"] >= 3)
            assert not found.hopeless
            del others.refusals[TWO]
            await filling
        check(found)
        assert any("Overloaded" in line for line in told)


async def test_other_refusals_are_final_only_while_nothing_is_at_stake(store: Store) -> None:
    refusals = {ONE: (404, "UnknownModel"), TWO: (404, "UnknownModel")}
    async with Others(refusals).serve() as others, prover(store, others) as made:
        job = answered(store)
        found = await fill(made, job, patient=False)
        assert (found.hopeless, found.seal) == (True, None)
        patient = made.open(job, patient=True)
        assert patient is not None
        assert not patient.hopeless, "nothing of it was stored"
        async with asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(made.fill(patient, asyncio.Event(), lambda _: None))
            await until(lambda: others.asked[f"cosign {ONE}"] >= 4)
            others.refusals.clear()
            await filling
        check(patient)


async def test_it_ends_when_it_is_told_to(store: Store) -> None:
    async with Others().serve() as others, prover(store, others) as made:
        others.hangs |= {ONE, TWO}
        found = made.open(answered(store), patient=True)
        assert found is not None
        wake = asyncio.Event()
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(made.fill(found, wake, lambda _: None))
            await until(lambda: bool(others.asked))
            wake.set()
            await filling
        assert found.seal is None


async def test_a_signer_that_hangs_holds_nobody_else_up(store: Store) -> None:
    """One question at a time for each: the second request still gets its signature from the other one."""
    async with Others().serve() as others, prover(store, others) as made:
        first, second = (signer for signer in POLICY.signers if signer != OPERATOR)
        others.hangs.add(first)
        job = answered(store)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            for each in (job, with_output(job, b"else")):
                found = made.open(each, patient=True)
                assert found is not None
                tasks.create_task(made.fill(found, asyncio.Event(), lambda _: None))
        assert others.asked[f"cosign {second}"] == 2


async def test_our_node_repeats_a_signature_that_the_database_lost(store: Store) -> None:
    async with Others({ONE: (503, ""), TWO: (503, "")}).serve() as others, prover(store, others) as made:
        job = answered(store, signed=False)
        found = made.open(job, patient=True)
        assert found is not None
        assert found.signed == {}
        async with asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(made.fill(found, asyncio.Event(), lambda _: None))
            await until(lambda: OPERATOR in found.signed)
            others.refusals.clear()
            await filling
        check(found)
        again = store.get(job.id)
        assert again is not None
        assert again.answer is not None
        assert again.answer.signature == found.signed[OPERATOR]
        assert again.status is job.status


async def test_our_node_that_says_something_else_now_is_not_believed(store: Store) -> None:
    """Its journal was lost: what was delivered is another output, and only that one is signed here."""
    async with Others({ONE: (503, ""), TWO: (503, "")}, repeats=b"else").serve() as others:
        async with prover(store, others) as made:
            found = made.open(answered(store, signed=False), patient=True)
            assert found is not None
            wake = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(made.fill(found, wake, lambda _: None))
                await until(lambda: "the output's hash is 0x" in found.troubles.get(OPERATOR, ""))
                wake.set()
            assert found.signed == {}


async def test_terms_of_a_quorum_that_was_never_ours(store: Store) -> None:
    async with Others().serve() as others, prover(store, others) as made:
        job = answered(store)
        assert made.open(replace(job, terms=replace(job.terms, trust=bytes(32))), patient=True) is None
