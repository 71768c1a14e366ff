"""How a request ended, read from the chain."""

import asyncio

from vouch.chain.errors import RpcError
from vouch.chain.events import RequestedLog, SettledLog, TypedLog, decode_log, get_logs
from vouch.chain.hexes import checksum, to_bytes, to_hex
from vouch.chain.transaction import Log, Receipt
from vouch.client.answer import Answer, Asked, Chain, Gas
from vouch.client.connection import Connection
from vouch.client.errors import BadAnswer, UnknownRequest
from vouch.client.fulfilment import find
from vouch.client.models import decode_output
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED, BadSeal, Seal, recover_signer


async def find_asked(chain: Connection, request_id: bytes) -> Asked:
    """What was asked under an id. Raises UnknownRequest, UnknownModel."""
    log = await _log_of(chain, RequestedLog, request_id, chain.deployment.block)
    if not isinstance(log, RequestedLog) or log.request.id(chain.chain_id, chain.hub.address) != request_id:
        raise UnknownRequest(request_id, chain.hub.address)
    manifest = await chain.models.manifest(log.model_id)
    return Asked(request_id, log.request, log.input, manifest, log.tx_hash, log.block_number)


async def read_answer(chain: Connection, asked: Asked, handle: Chain) -> Answer:
    """The answer of a settled request.

    Raises UnknownRequest if its event is gone, BadAnswer, the codec's errors.
    """
    log = await _log_of(chain, SettledLog, asked.id, asked.block)
    if not isinstance(log, SettledLog):
        raise UnknownRequest(asked.id, chain.hub.address)
    transaction, receipt, assurance, level = await asyncio.gather(
        chain.rpc.call("eth_getTransactionByHash", log.tx_hash),
        chain.rpc.call("eth_getTransactionReceipt", log.tx_hash),
        chain.hub.assurance_of(asked.id),
        chain.router.name_of(asked.request.route),
    )
    if transaction is None or receipt is None:
        raise UnknownRequest(asked.id, chain.hub.address)
    claim = claim_of(asked, log.operator, log.output)
    brought = find(to_bytes(transaction["input"]), asked.id, chain.chain_id, chain.hub.address)
    seal = None if brought is None else Seal.parse(brought.seal)
    if seal is not None:
        check_seal(seal, claim, chain.chain_id, chain.hub.address)
    return Answer(
        id=asked.id,
        request=asked.request,
        output=decode_output(asked.manifest, log.output),
        output_bytes=log.output,
        operator=log.operator,
        claim=claim,
        seal=seal,
        assurance=assurance,
        level=level,
        request_tx=asked.tx_hash,
        fulfil_tx=log.tx_hash,
        gas=Gas(asked.gas, Receipt.from_rpc(receipt).gas_used),
        asked=asked,
        chain=handle,
    )


def claim_of(asked: Asked, operator: str, output: bytes) -> Claim:
    """What the operator said with this output."""
    terms = asked.request
    return Claim(asked.id, terms.model_id, terms.input_hash, keccak(output), checksum(operator))


def check_seal(seal: Seal, claim: Claim, chain_id: int, hub: str) -> None:
    """Raises BadAnswer unless the claim's operator signed; other routes' seals are for their verifiers."""
    if seal.route != SIGNED:
        return
    try:
        signer = recover_signer(seal, claim, chain_id, hub)
    except (BadSeal, ValueError) as error:  # not the form of a signature, or no point of the curve
        raise BadAnswer("seal", f"0x{bytes(seal).hex()}", "a signature of the claim") from error
    if signer != claim.operator:
        raise BadAnswer("signer of the claim", signer, claim.operator)


async def _log_of(
    chain: Connection, kind: type[TypedLog], request_id: bytes, first_block: int
) -> TypedLog | None:
    """The newest event of a kind about a request."""
    query = {
        "address": chain.hub.address,
        "topics": [to_hex(kind.topic()), to_hex(request_id)],
        "fromBlock": hex(first_block),
        "toBlock": "latest",
    }
    try:
        found = [Log.from_rpc(log) for log in await chain.rpc.call("eth_getLogs", query)]
        logs = [decode_log(log, (kind,)) for log in found if not log.removed]
    except RpcError:
        # Providers limit the range of one query even when it names a single id: read in parts instead.
        last = int(await chain.rpc.call("eth_blockNumber"), 16)
        every = await get_logs(chain.rpc, chain.hub.address, first_block, last, (kind,))
        logs = [log for log in every if getattr(log, "id", None) == request_id]
    typed = [log for log in logs if isinstance(log, kind)]
    return typed[-1] if typed else None
