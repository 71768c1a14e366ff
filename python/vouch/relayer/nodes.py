"""The nodes behind this relayer: which of them can answer, and one question over HTTP."""

import itertools
import time
from collections.abc import Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from vouch.attestation.seal import sealer
from vouch.chain.hexes import to_bytes as from_hex
from vouch.chain.hexes import to_hex
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.protocol.zk import ZK
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.errors import NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.peers import Node, NodeInfo, Peers, Reach

__all__ = ["Node", "NodeInfo", "NodePool"]


class NodePool(Peers):
    """All nodes over one keep-alive session: `async with NodePool(...) as pool`."""

    def __init__(self, endpoints: Sequence[NodeEndpoint], reach: Reach) -> None:
        super().__init__(endpoints, reach)
        self._turn = itertools.count()

    def serving(self, model_id: bytes, route: bytes) -> list[Node]:
        """Nodes that say they have the model and answer on the route."""
        return [n for n in self.nodes if n.info and model_id in n.info.models and route in n.info.routes]

    def pick(self, among: Sequence[Node]) -> Node:
        """The next in turn among those that are not down, else among all."""
        up = [node for node in among if not node.down] or among
        return up[next(self._turn) % len(up)]

    async def ask(self, node: Node, job: Job) -> NodeAnswer:
        """One question to one node; the answer is checked against the terms before it is returned.

        Raises NodeUnavailable (no answer this time), NodeRefused (never one from this node), WrongNodeAnswer
        (it is another request's, or nobody's).
        """
        started = time.perf_counter_ns()
        status, body = await self._exchange(node, "POST", "/vouch/v1/answers", self._question(job))
        elapsed = time.perf_counter_ns() - started
        if status != 200:
            self._raise_error(node, status, body)
        answer = self._checked(node, job, body, elapsed)
        node.worked()
        return answer

    async def again(self, job: Job) -> NodeAnswer:
        """Our own node repeats what it signed, for an answer that only the chain told of.

        Raises NodeUnavailable, NodeRefused, WrongNodeAnswer (it says something else now).
        """
        answer = job.answer
        nodes = [node for node in self.nodes if answer is not None and node.operator == answer.operator]
        if answer is None or not nodes:
            raise NodeUnavailable("(none)", "no node of ours that answers for this operator was reached yet")
        again = await self.ask(self.pick(nodes), job)
        if again.output != answer.output:
            hashes = (f"0x{keccak(each.output).hex()}" for each in (again, answer))
            raise WrongNodeAnswer(again.node, "the output's hash", *hashes)
        return again

    async def seal_again(self, job: Job) -> bytes:
        """The same for the seal, on a route whose whole seal our own node makes."""
        again = await self.again(job)
        if again.seal is None:
            raise WrongNodeAnswer(again.node, "the seal", "missing", "a whole one")
        return again.seal

    def sealer_of(self, job: Job, answer: NodeAnswer) -> str:
        """Id of the enclave's key that made the seal of an answer, which was checked before."""
        hashes = (job.id, job.terms.model_id, job.terms.input_hash, keccak(answer.output))
        return sealer(answer.seal or b"", Claim(*hashes, answer.operator), self._chain_id, self._hub)

    async def attest(self, node: Node, keys: str, block_number: int, block_hash: bytes) -> bytes:
        """A fresh document that binds the key of the node's enclave to its operator; not checked here.

        keys: the EnclaveKeys contract; the document says that it was made after the block. Raises
        NodeUnavailable (not this time), NodeRefused, WrongNodeAnswer.
        """
        message = {"chainId": self._chain_id, "keys": keys, "blockNumber": block_number}
        path = "/vouch/v1/attestations"
        status, body = await self._exchange(node, "POST", path, message | {"blockHash": to_hex(block_hash)})
        if status != 200:
            self._raise_error(node, status, body)
        try:
            return from_hex(body["document"])
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise WrongNodeAnswer(node.url, "answer", repr(bad), "an attestation document") from bad

    def _checked(self, node: Node, job: Job, body: Any, elapsed: int) -> NodeAnswer:
        try:
            output = from_hex(body["output"])
            seal = None if body["seal"] is None else from_hex(body["seal"])
            operator = to_checksum_address(body["operator"])
            taken = int(float(body.get("elapsedMs", 0.0)) * 1e6)
            received = body["claim"]
            # With a seal that the node made alone, nobody needs the signature beside it.
            signature = from_hex(body["signature"]) if seal is None else None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as bad:
            raise WrongNodeAnswer(node.url, "answer", repr(bad), "output, operator, claim and seal") from bad
        terms = job.terms
        claim = Claim(job.id, terms.model_id, terms.input_hash, keccak(output), operator)
        self._check_claim(node, received, claim)
        if operator != node.operator:
            raise WrongNodeAnswer(node.url, "operator", operator, node.operator)
        if seal is not None:
            self._check_seal(node, seal, terms.route, claim)
        elif terms.route not in (QUORUM, ZK):
            raise WrongNodeAnswer(node.url, "the seal", "missing", f"one of route {to_hex(terms.route)}")
        if signature is not None:
            self._check_signature(node, signature, claim, operator)
        return NodeAnswer(operator, output, seal, signature, node.url, min(taken, elapsed) or elapsed)

    def _check_seal(self, node: Node, seal: bytes, route: bytes, claim: Claim) -> None:
        if route == ZK:
            # It takes long to make, so whoever gives one with the answer does not do what it should.
            raise WrongNodeAnswer(node.url, "the seal", f"{len(seal)} bytes", "null: provers make it")
        if seal[:4] != route:
            raise WrongNodeAnswer(node.url, "the seal's route", to_hex(seal[:4]), to_hex(route))
        if route == ENCLAVE:
            # Whether its key counts is the chain's to say.
            self._check_enclave_seal(node, seal, claim)
        if route != SIGNED:
            return
        try:
            signer = recover_signer(Seal.parse(seal), claim, self._chain_id, self._hub)
        except (VouchError, ValueError) as bad:
            raise WrongNodeAnswer(node.url, "the seal", f"{to_hex(seal)} ({bad})", "a signature") from bad
        if signer != claim.operator:
            raise WrongNodeAnswer(node.url, "the seal's signer", signer, claim.operator)

    def _check_enclave_seal(self, node: Node, seal: bytes, claim: Claim) -> None:
        try:
            sealer(seal, claim, self._chain_id, self._hub)
        except VouchError as bad:
            raise WrongNodeAnswer(node.url, "the seal", f"{to_hex(seal)} ({bad})", "an enclave's") from bad
