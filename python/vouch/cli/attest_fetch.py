"""Asking a node for a document of its enclave."""

from typing import Any

import aiohttp

from vouch.attestation.document import Document
from vouch.chain.hexes import to_hex
from vouch.cli.attest_input import document_of, unhex
from vouch.cli.enclave_chain import EnclaveChain
from vouch.cli.node_probe import NodeDown
from vouch.protocol.enclave import nonce
from vouch.protocol.errors import VouchError
from vouch.protocol.nesting import loads_bounded

SECONDS = 30


class NotAttested(VouchError):
    """The node gave no document."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url} gave no document: {why}")


async def fetch(chain: EnclaveChain, url: str, token: str | None) -> Document:
    """A document that the node's enclave has just made for this deployment; not verified.

    Raises NodeDown, NotAttested, Unreadable.
    """
    named = await chain.recent_block()
    asked = {
        "chainId": chain.deployment.chain_id,
        "keys": chain.keys.address,
        "blockNumber": named.block_number,
        "blockHash": to_hex(named.block_hash),
    }
    status, reply = await _post(f"{url.rstrip('/')}/vouch/v1/attestations", asked, token)
    if status != 200:
        error = reply.get("error")
        error = error if isinstance(error, dict) else {}
        why = f"{error.get('name', f'HTTP {status}')}: {error.get('message', 'it does not say why')}"
        raise NotAttested(url, why)
    raw = unhex(str(reply.get("document")))
    if raw is None:
        raise NotAttested(url, "its reply has none: is this a node of Vouch?")
    document = document_of(raw, f"what {url} gave")
    if document.nonce != nonce(named.block_number, named.block_hash):
        raise NotAttested(url, "its document names another block than the one that it was asked for")
    return document


async def _post(url: str, body: dict[str, Any], token: str | None) -> tuple[int, dict[str, Any]]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            async with http.post(url, json=body) as response:
                reply = loads_bounded(await response.read())
                return response.status, reply if isinstance(reply, dict) else {}
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise NodeDown(url, str(error) or type(error).__name__) from error
