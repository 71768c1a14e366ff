"""The smallest transaction there is, and how many arrived."""

from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call

NOBODY = "0x000000000000000000000000000000000000bEEF"
PAY = Call(NOBODY, b"", 1)


async def balance(rpc: Rpc, address: str = NOBODY) -> int:
    return int(await rpc.call("eth_getBalance", address, "latest"), 16)


async def mined(rpc: Rpc, address: str) -> int:
    return int(await rpc.call("eth_getTransactionCount", address, "latest"), 16)
