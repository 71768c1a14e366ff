"""Other operators' nodes that put their names under our answers."""

from collections.abc import Sequence

from vouch.chain.hexes import to_bytes as from_hex
from vouch.protocol.claim import Claim
from vouch.relayer.config import CosignerEndpoint
from vouch.relayer.errors import WrongNodeAnswer
from vouch.relayer.job import Job
from vouch.relayer.peers import Node, Peers, Reach


class CosignerPool(Peers):
    """All co-signers over one keep-alive session: `async with CosignerPool(...) as pool`."""

    def __init__(self, endpoints: Sequence[CosignerEndpoint], reach: Reach) -> None:
        super().__init__(endpoints, reach)
        self.named = {node.url: endpoint.signer for node, endpoint in zip(self.nodes, endpoints, strict=True)}
        """By address, who shall sign there; None: whoever it says."""

    async def cosign(self, node: Node, signer: str, job: Job, claim: Claim, output: bytes) -> bytes:
        """One signature (65 bytes r, s, v), checked to be `signer`'s of this claim.

        Raises NodeUnavailable (not this time), NodeRefused, WrongNodeAnswer (of another claim, or another
        account's).
        """
        message = self._question(job) | {"operator": claim.operator, "output": f"0x{output.hex()}"}
        status, body = await self._exchange(node, "POST", "/vouch/v1/cosignatures", message)
        if status != 200:
            self._raise_error(node, status, body)
        try:
            signature, received = from_hex(body["signature"]), body["claim"]
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise WrongNodeAnswer(node.url, "answer", repr(bad), "claim and signature") from bad
        self._check_claim(node, received, claim)
        self._check_signature(node, signature, claim, signer)
        node.worked()
        return signature
