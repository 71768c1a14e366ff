"""A contract said no: found in what a node answers, raised with the contract's own name for it."""

import re
from typing import Any

from vouch.chain.abi import ContractError, decode_error
from vouch.chain.errors import ChainError, RpcError
from vouch.chain.hexes import to_bytes, to_hex

_REVERT_TEXT = re.compile(r"revert", re.IGNORECASE)


class Reverted(ChainError):
    """A contract reverted a call or transaction, or would; `tx_hash` is None if nothing was sent."""

    def __init__(self, error: ContractError, tx_hash: bytes | None = None) -> None:
        self.error, self.tx_hash = error, tx_hash
        where = f" (transaction {to_hex(tx_hash)})" if tx_hash is not None else ""
        super().__init__(f"{error}{where}")


def reverted(error: RpcError) -> Reverted | None:
    """The revert in a node's refusal, or None if it refused for another reason.

    Nodes differ: code 3 with the data as hex (geth, Anvil, reth), an object around the data, no data at all.
    """
    data = _data(error.data)
    if error.code == 3 or data is not None or _REVERT_TEXT.search(error.message):
        return Reverted(decode_error(data or b""))
    return None


def _data(value: Any) -> bytes | None:
    match value:
        case {"data": inner} | {"originalError": inner}:
            return _data(inner)
        case str() if re.fullmatch(r"(?:Reverted )?0x(?:[0-9a-fA-F]{2})*", value):
            return to_bytes(value.removeprefix("Reverted "))
        case _:
            return None
