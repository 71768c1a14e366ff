"""A seal that somebody else made, tried at the chain's own verifier before it counts."""

from vouch.chain.abi import function
from vouch.chain.errors import RpcError
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call
from vouch.protocol.claim import Claim

_ROUTES = ("UnknownRoute", "RouteIsTombstoned")


class SealCheck:
    """`router` is the address of the VerifierRouter."""

    def __init__(self, rpc: Rpc, router: str) -> None:
        self._rpc, self._router = rpc, router

    async def why_refused(self, seal: bytes, trust: bytes, claim: Claim) -> str:
        """What the verifier has against a seal on the newest block; empty if nothing.

        A dead route is nothing against the seal: what follows from it is decided elsewhere. Raises RpcError,
        RpcUnavailable.
        """
        fields = (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash, claim.operator)
        call = Call(self._router, function("VerifierRouter", "verify").encode((seal, trust, fields)))
        try:
            await self._rpc.call("eth_call", call.to_rpc(), "latest")
        except RpcError as refused:
            if (named := reverted(refused)) is None:
                raise
            return "" if named.error.name in _ROUTES else str(named)
        return ""
