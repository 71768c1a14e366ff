"""A chain without P256VERIFY (before EIP-7951): P-256 keys are refused by name, all else works."""

from dataclasses import replace

from tests.contracts.enclaves import SEED, Enclave, Enclaves
from tests.contracts.quorums import claim_of
from tests.support.world import World, refused
from vouch.attestation.deploy import deploy_enclaves
from vouch.attestation.dev import DevAuthority
from vouch.chain.anvil import Anvil
from vouch.chain.deploy import deploy
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.protocol.enclave import Curve

PRECOMPILE = "0x0000000000000000000000000000000000000100"


async def test_p256_keys_are_refused_by_name() -> None:
    async with Anvil(hardfork="prague") as anvil, Rpc(anvil.http_url) as rpc:
        owner = TxSender(rpc, anvil.accounts[0])
        root = DevAuthority.create(seed=SEED).fingerprint
        bare = await deploy(rpc, owner)
        made = await deploy_enclaves(rpc, owner, replace(bare, name="dev"), root=root)
        world = World(rpc, made, anvil.accounts, lambda key: TxSender(rpc, key))
        enclaves, claim = Enclaves(world, made), claim_of(world)
        for _ in range(3):
            await rpc.call("evm_mine")

        p256 = Enclave(Curve.P256)
        document = await enclaves.document(p256)
        await refused(enclaves.attempt(document), "MissingPrecompile", arg0=PRECOMPILE)
        await refused(enclaves.verify(p256.seal(world, claim), claim), "MissingPrecompile", arg0=PRECOMPILE)
        await enclaves.register(Enclave())
        await enclaves.verify(Enclave().seal(world, claim), claim)
