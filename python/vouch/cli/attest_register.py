"""Letting an enclave's key in: in one transaction, or certificate by certificate.

The chain keeps every certificate that was verified, so a run that was cut short goes on from there.
"""

from dataclasses import dataclass

from vouch.chain.errors import RpcError
from vouch.chain.hexes import to_hex
from vouch.chain.reverts import Reverted
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, Call, Receipt
from vouch.cli.attest_hints import HintBook, Progress
from vouch.cli.attest_words import moment
from vouch.cli.enclave_chain import Checked, EnclaveChain


@dataclass(frozen=True, slots=True)
class Registering:
    """`most_gas` is for one transaction; what needs more is done in steps, and so is all with `stepwise`."""

    chain: EnclaveChain
    sender: TxSender
    book: HintBook
    progress: Progress
    most_gas: int = MAX_TX_GAS
    stepwise: bool = False

    async def run(self, checked: Checked) -> None:
        """Returns when the key is in; sends nothing if it is already.

        Raises NotTrusted, and as TxSender.transact.
        """
        key, expiry = checked.key.id, checked.attestation.expiry
        if not checked.changes:
            self.progress(f"key {key} is registered until {moment(checked.known.expiry)}: nothing to do")
            return
        certificates = checked.attestation.certificates
        done = await self.chain.verified(certificates)
        self.progress(f"{done} of {len(certificates) - 1} certificates are verified on chain already")
        if self.stepwise or not await self._at_once(done):
            await self._step_by_step(done)
        self.progress(f"key {key} is registered until {moment(expiry)}")

    async def _at_once(self, done: int) -> bool:
        """False, and nothing was sent, if it takes too much gas."""
        call = self._register(await self.book.hints(done))
        limit = await self._limit()
        try:
            gas = await self.chain.gas(call, self.sender.address)
        except (Reverted, RpcError) as refused:
            if not _short_of_gas(refused):
                raise
            self.progress(f"it does not fit one transaction ({limit:,} gas): step by step")
            return False
        if gas > limit:
            self.progress(f"with {gas:,} gas it does not fit one transaction ({limit:,} gas): step by step")
            return False
        self._sent("key", await self.sender.transact(call, gas=gas, simulate=False))
        return True

    async def _step_by_step(self, done: int) -> None:
        chain = self.book.document.certificates
        for index in range(done + 1, len(chain)):
            hints = [b""] * (index - 1) + [await self.book.hint(index)]
            call = self.chain.attestation.verify_certificates(chain[: index + 1], hints)
            self._sent(self.book.name(index), await self._send(call))
        self._sent("key", await self._send(self._register(await self.book.hints(len(chain) - 1))))

    async def _send(self, call: Call) -> Receipt:
        gas = await self.chain.gas(call, self.sender.address)
        return await self.sender.transact(call, gas=gas, simulate=False)

    async def _limit(self) -> int:
        block = await self.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        return min(self.most_gas, MAX_TX_GAS, int(block["gasLimit"], 16))

    def _register(self, hints: list[bytes]) -> Call:
        return self.chain.keys.register(self.book.document.raw, hints)

    def _sent(self, what: str, receipt: Receipt) -> None:
        self.progress(f"{what}: {receipt.gas_used:,} gas, transaction {to_hex(receipt.tx_hash)}")


def _short_of_gas(refused: Reverted | RpcError) -> bool:
    """Whether an estimate failed because the chain's node does not give one call so much."""
    if isinstance(refused, Reverted):
        # All was checked before it was tried: without a reason, it is P384 that ran out of gas.
        return refused.error.name == "WrongSignature" and not any(refused.error.args["reason"])
    return "exceeds allowance" in refused.message or "out of gas" in refused.message.lower()
