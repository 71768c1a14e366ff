"""What can go wrong between Vouch and a chain. "Refused" and "unknown" are different errors on purpose."""

from typing import Any

from vouch.chain.hexes import to_hex
from vouch.protocol.errors import VouchError


class ChainError(VouchError):
    """Root of the errors of this package."""


class RpcError(ChainError):
    """The chain's node answered with a JSON-RPC error: the call was received and refused."""

    def __init__(self, code: int, message: str, data: Any, method: str) -> None:
        self.code, self.message, self.data, self.method = code, message, data, method
        super().__init__(f"{method}: {message} (code {code})")


class RpcUnavailable(ChainError):
    """No usable answer came: the outcome is unknown, never "failed". Retry a read, re-query a send."""

    def __init__(self, url: str, method: str, reason: str) -> None:
        self.url, self.method, self.reason = url, method, reason
        super().__init__(
            f"{method}: no answer from {url} ({reason}); is the chain's node up and the URL right?"
        )


class UnsupportedUrl(ChainError):
    """The URL names no transport that Rpc speaks."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"{url!r} is no RPC address: use http(s)://, ws(s)://, or the path of an IPC socket")


class WrongChain(VouchError):
    """The RPC address leads to a chain without our hub, or one that is younger than it.

    No ChainError: asking again does not help.
    """

    def __init__(self, what: str, received: str, expected: str) -> None:
        self.what, self.received, self.expected = what, received, expected
        super().__init__(f"{what} is {received}, not {expected}: check the RPC address and the deployment")


class NonceUsed(ChainError):
    """Another transaction of the account has this nonce, in a block or in the pool."""

    def __init__(self, tx_hash: bytes, nonce: int, message: str) -> None:
        self.tx_hash, self.nonce, self.message = tx_hash, nonce, message
        super().__init__(f"nonce {nonce} is taken ({message}): does another process use this key?")


class Unfunded(RpcError):
    """The account cannot pay value and gas."""

    def __init__(self, address: str, refused: RpcError) -> None:
        super().__init__(refused.code, refused.message, refused.data, refused.method)
        self.address = address
        self.args = (f"{address} cannot pay for this transaction: send it native tokens ({refused.message})",)


class NotMined(ChainError):
    """No receipt within the time given. It may still be mined: wait again with the same SentTx."""

    def __init__(self, tx_hash: bytes, waited: float, reason: str) -> None:
        self.tx_hash, self.waited, self.reason = tx_hash, waited, reason
        super().__init__(
            f"no receipt of {to_hex(tx_hash)} in {waited:.1f} s ({reason}); its outcome is unknown"
        )


class TransactionReplaced(ChainError):
    """Another transaction of the account used up the nonce; this one can never be mined."""

    def __init__(self, tx_hash: bytes, nonce: int) -> None:
        self.tx_hash, self.nonce = tx_hash, nonce
        super().__init__(
            f"another transaction than {to_hex(tx_hash)} used nonce {nonce}: is this key used elsewhere, too?"
        )


class GasOverCap(ChainError):
    """A transaction of this much gas is not valid on the chain (EIP-7825)."""

    def __init__(self, received: int, cap: int) -> None:
        self.received, self.cap = received, cap
        super().__init__(f"{received} gas is over the cap of {cap} for one transaction: split it")


class FeeOverCap(ChainError):
    """The next block asks for more per gas, in wei, than may be offered: nothing was sent."""

    def __init__(self, received: int, cap: int) -> None:
        self.received, self.cap = received, cap
        super().__init__(
            f"gas costs at least {received / 10**9:g} gwei, and the cap is {cap / 10**9:g} gwei (--max-fee): "
            "transactions wait until it falls"
        )
