"""Gas of P384 as whole transactions: python -m scripts.p384.measure [SIGNATURES]

Prints name and figure like tests/gas.json. `nitro.p384Verify` is of one fixed signature, so that it changes
only with the contract or the prover; how far other signatures are from it is printed behind.
"""

import asyncio
import sys
from random import Random

from scripts.p384.chain import Deployed, deployed
from vouch.attestation.p384 import Signed, curve, prove
from vouch.chain.hexes import to_bytes

FIXED = 384
"""Seed of the signature that the figure is of."""


def signature(seed: int) -> Signed:
    """A valid signature made of a seed: of a random digest, with a random key and nonce."""
    random = Random(seed)
    d, k, digest = random.randrange(1, curve.N), random.randrange(1, curve.N), random.getrandbits(384)
    key, point = curve.multiply(d, curve.G), curve.multiply(k, curve.G)
    assert key is not None, "d is below the order"
    assert point is not None, "k is below the order"
    r = point[0] % curve.N
    return Signed(digest, key, r, (digest + r * d) * pow(k, -1, curve.N) % curve.N)


async def gas_of(on: Deployed, signed: Signed) -> tuple[int, int]:
    """Gas of the transaction, and what of it is for calldata."""
    call = on.call(*signed.to_bytes(), prove(signed))
    receipt = await on.sender.transact(call)
    return receipt.gas_used, sum(16 if byte else 4 for byte in call.data)


async def main(count: int) -> None:
    async with deployed() as on:
        for name, receipt in zip(("P384Low", "P384High", "P384"), on.receipts, strict=True):
            assert receipt.contract is not None, "these transactions create"
            code = to_bytes(await on.rpc.call("eth_getCode", receipt.contract, "latest"))
            print(f"deploy.{name} {receipt.gas_used}\nsize.{name} {len(code)}")
        gas, data = await gas_of(on, signature(FIXED))
        print(f"nitro.p384Verify {gas}")
        print(f"# of it 21000 for a transaction, {data} for calldata, {gas - 21_000 - data} for execution")
        found = [(await gas_of(on, signature(seed)))[0] for seed in range(count)]
        if found:
            print(f"# {count} others: {min(found)} to {max(found)}, mean {sum(found) // count}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
