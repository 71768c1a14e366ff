"""NitroDocumentHarness: what documents say to the contract."""

from collections.abc import Sequence
from typing import Any

from tests.contracts.attestation.document_rules import Said
from tests.support.batched import Batched, Refusal


class Harness(Batched):
    NAME = "NitroDocumentHarness"
    GAS = 50_000_000
    SIZE = 200_000
    """About half of the gas."""

    async def parse(self, documents: Sequence[bytes]) -> list[Said | Refusal]:
        """What the documents say to the contract: its positions, cut out."""
        answers = await self.many("parse", [(document,) for document in documents])
        return [
            answer if isinstance(answer, Refusal) else said(document, *answer)
            for document, answer in zip(documents, answers, strict=True)
        ]


def span(start: int, length: int) -> int:
    return start << 128 | length


def cut(data: bytes, part: int) -> bytes:
    start, length = part >> 128, part & (1 << 128) - 1
    assert start + length <= len(data)
    return data[start : start + length]


def said(document: bytes, message: tuple[int, ...], fields: tuple[Any, ...]) -> Said:
    """The contract's structs, cut out of the document."""
    _, payload, signature = message
    module_id, timestamp, pcrs, certificate, cabundle, *optional = fields
    public_key, user_data, nonce = (cut(document, part) if part else None for part in optional)
    return Said(
        payload=cut(document, payload),
        signature=cut(document, signature),
        module_id=cut(document, module_id),
        timestamp=timestamp,
        pcrs=tuple(cut(document, pcr) for pcr in pcrs),
        certificate=cut(document, certificate),
        cabundle=tuple(cut(document, part) for part in cabundle),
        public_key=public_key,
        user_data=user_data,
        nonce=nonce,
    )
