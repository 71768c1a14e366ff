"""Gas limits against what real transactions on a real chain use: enough, and not absurdly much."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from coincurve import PrivateKey

from tests.python.relayer.making import OTHER_TX
from tests.support.terms import deadline_in, make_terms
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import Request
from vouch.protocol.seal import address_of, sign_claim
from vouch.relayer.batch import Batch
from vouch.relayer.errands import Errand
from vouch.relayer.job import Job, JobStatus, NodeAnswer, TxKind

QUESTION = b"how much?"
SECRET = b"\x11" * 32
OPERATOR = address_of(PrivateKey(SECRET).public_key)
KEYS = {address_of(key.public_key): key for key in (PrivateKey(bytes([0x22, n]) * 16) for n in range(1, 65))}


class Gas:
    """Requests of account 0, answered by an operator with a stake."""

    def __init__(self, rpc: Rpc, hub: Hub, chain_id: int, sender: TxSender) -> None:
        self._rpc, self._hub, self._chain_id, self._sender = rpc, hub, chain_id, sender
        self._salt = 0

    async def job(self, output: bytes, threshold: int, signers: int, **changes: object) -> Job:
        """An asked and answered request, whose seal has `threshold` signatures."""
        policy = Policy.of(threshold, list(KEYS)[:signers])
        self._salt += 1
        plain = {"route": QUORUM, "trust": policy.trust, "prove_within": 1_000, "exposure": 10, "bond": 1}
        plain |= {"consumer": self._sender.address, "deliver_by": deadline_in(3_600), "salt": self._salt}
        terms = make_terms(QUESTION, **plain | changes)
        await self._sender.transact(self._hub.request(terms, QUESTION))
        claim = self._claim(terms, output)
        where = (self._chain_id, self._hub.address)
        own = sign_claim(PrivateKey(SECRET), claim, *where).proof
        signed = {s: sign_claim(KEYS[s], claim, *where).proof for s in policy.signers[:threshold]}
        seal = bytes(QuorumSeal(policy, signed).seal)
        answer = NodeAnswer(OPERATOR, output, seal, own, "", 0)
        return Job(
            claim.request_id,
            terms,
            bytes(terms),
            QUESTION,
            JobStatus.ANSWERED,
            "",
            False,
            0,
            bytes(32),
            OTHER_TX,
            0,
            answer,
            None,
            None,
            None,
        )

    async def sent(self, kind: TxKind, job: Job) -> tuple[int, int]:
        """Gas used, and the limit that the relayer gives it; the transaction is sent with that limit."""
        errand = Errand(kind, job, lambda *_: None)
        call = errand.call(self._hub)
        return await self._used(call, errand.gas(call))

    async def fulfilled(self, *jobs: Job) -> tuple[int, int]:
        batch = Batch(self._hub, jobs)
        return await self._used(batch.call(), batch.gas())

    async def _used(self, call: Call, limit: int) -> tuple[int, int]:
        receipt = await self._sender.transact(call, gas=limit)
        return receipt.gas_used, limit

    def _claim(self, terms: Request, output: bytes) -> Claim:
        request_id = terms.id(self._chain_id, self._hub.address)
        return Claim(request_id, terms.model_id, terms.input_hash, keccak(output), OPERATOR)


@pytest.fixture
async def gas(
    anvil: Anvil,
    rpc: Rpc,
    hub: Hub,
    nodes: NodeRegistry,
    sender: TxSender,
    sender_of: Callable[[LocalKey], TxSender],
) -> Gas:
    await rpc.call("anvil_setBalance", OPERATOR, hex(10**21))
    own = sender_of(LocalKey(SECRET))
    await own.transact(nodes.register("http://node.invalid"))
    await own.transact(nodes.stake(10**6))
    return Gas(rpc, hub, anvil.chain_id, sender)


OUTPUTS = [b"", bytes(32), b"\xff" * 4_096, bytes(range(256)) * 256]


@pytest.mark.parametrize("output", OUTPUTS, ids=len)
@pytest.mark.parametrize(("threshold", "signers"), [(1, 1), (3, 5), (64, 64)])
async def test_the_limits_are_enough(gas: Gas, output: bytes, threshold: int, signers: int) -> None:
    job = await gas.job(output, threshold, signers)
    results = [await gas.sent(kind, job) for kind in (TxKind.DELIVER, TxKind.SETTLE)]
    results.append(await gas.fulfilled(await gas.job(output, threshold, signers)))
    unproven = await gas.job(output, threshold, signers, window=1, prove_within=0)
    results.append(await gas.sent(TxKind.DELIVER, unproven))
    for used, limit in results:
        assert used <= limit <= 3 * used


async def test_a_quorums_fulfilments_share_a_transaction(gas: Gas) -> None:
    jobs = [await gas.job(b"answer", 20, 40) for _ in range(10)]
    used, limit = await gas.fulfilled(*jobs)
    assert used <= limit <= 3 * used


async def test_an_errand_about_an_answer_needs_one(gas: Gas, hub: Hub) -> None:
    job = replace(await gas.job(b"", 1, 1), answer=None)
    with pytest.raises(ValueError, match="deliver is about an answer"):
        Errand(TxKind.DELIVER, job, lambda *_: None).call(hub)
