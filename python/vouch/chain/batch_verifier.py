"""The view of `contracts/verifiers/BatchVerifier.sol`."""

from vouch.chain.transaction import Call
from vouch.chain.view import Block, View
from vouch.protocol.batch import trust_in
from vouch.protocol.seal import Seal


class BatchVerifier(View):
    """Sealed Merkle roots."""

    ABI = "BatchVerifier"

    async def sealed_at(
        self, root: bytes, operator: str, inner_route: bytes, inner_trust: bytes, block: Block = "latest"
    ) -> int | None:
        """When the operator's root was sealed like this (unix seconds), or None."""
        policy = trust_in(inner_route, inner_trust)
        return int(await self._read("sealedAt", root, operator, policy, block=block)) or None

    def seal_root(self, root: bytes, operator: str, inner_trust: bytes, inner_seal: Seal) -> Call:
        """Seals a root for all proofs under it; anyone may. `inner_seal` proves protocol.batch.root_claim."""
        return self._call("sealRoot", root, operator, inner_trust, bytes(inner_seal))
