"""Putting Vouch on a chain."""

from vouch.chain.abi import artefact
from vouch.chain.contracts import Hub, VerifierRouter
from vouch.chain.deployment import Deployment
from vouch.chain.errors import ChainError
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.batch import BATCHED
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED
from vouch.protocol.zk import ZK

VERIFIERS = {
    SIGNED: ("SignatureVerifier", "Signed"),
    QUORUM: ("QuorumVerifier", "Quorum"),
    BATCHED: ("BatchVerifier", "Batched"),
    ZK: ("ZkVerifier", "Proven"),
}
"""Route -> contract (created with the hub's address) and what its results are worth."""

UNBOND_DELAY = 7 * 24 * 3600
"""Seconds that stake stays at risk after an operator asks for it back, unless said otherwise."""


class NotOwner(ChainError):
    """Only the owner can add routes, so the sender has to be the owner while it deploys."""

    def __init__(self, sender: str, owner: str) -> None:
        self.sender, self.owner = sender, owner
        super().__init__(
            f"{sender} cannot add routes for {owner}: deploy with the owner's key, then hand over"
        )


async def create(sender: TxSender, name: str, *args: object) -> Receipt:
    """Creates a contract that ships with Vouch; its address is the receipt's `contract`.

    Raises:
        UnknownAbi, BadAbiData: no such contract, or arguments that do not fit its constructor.
        Others as TxSender.transact.
    """
    return await sender.transact(Call(None, artefact(name).creation(*args)))


async def deploy(
    rpc: Rpc,
    sender: TxSender,
    *,
    owner: str | None = None,
    unbond_delay: int = UNBOND_DELAY,
    publisher: str | None = None,
    name: str = "vouch",
) -> Deployment:
    """Router, model registry, hub (which creates the node registry) and the routes of VERIFIERS.

    Args:
        owner: who may add and tombstone routes; must be the sender's account (default).
        unbond_delay: seconds.
        publisher: whose model names the deployment means; default: the owner.

    Raises:
        NotOwner: the sender is not the owner.
        Others as TxSender.transact.
    """
    owner = owner or sender.address
    if owner != sender.address:
        raise NotOwner(sender.address, owner)
    first = await create(sender, "VerifierRouter", owner)
    router, models = _address(first), _address(await create(sender, "ModelRegistry"))
    hub = _address(await create(sender, "InferenceHub", router, models, unbond_delay))
    verifiers = {}
    for route, (contract, level) in VERIFIERS.items():
        verifier = _address(await create(sender, contract, hub))
        await sender.transact(VerifierRouter(rpc, router).add(route, verifier, level))
        verifiers[route.decode()] = verifier
    return Deployment(
        chain_id=await sender.chain_id(),
        hub=hub,
        router=router,
        models=models,
        nodes=await Hub(rpc, hub).nodes(),
        verifiers=verifiers,
        publisher=publisher or owner,
        block=first.block_number,
        name=name,
    )


def _address(receipt: Receipt) -> str:
    assert receipt.contract is not None, "a successful creation has an address"
    return receipt.contract
