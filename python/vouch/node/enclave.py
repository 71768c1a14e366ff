"""The enclave that a node runs in: its key, its image, and documents that bind the key to an operator."""

import logging
from dataclasses import dataclass
from hashlib import sha384
from typing import Final, Self

from vouch.attestation.document import Document, parse
from vouch.attestation.source import Attester
from vouch.node.enclave_key import EnclaveKind, EnclaveSeal, SealingKey, make_key
from vouch.node.errors import NotAttested
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import Curve, nonce, user_data
from vouch.protocol.errors import VouchError

DEV_PCRS: Final = {
    number: sha384(f"vouch dev enclave, PCR {number}".encode()).digest() for number in range(3)
}
"""What stands for a measured image in `--enclave dev`: the same on every machine."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Enclave:
    """What was made at the start. `image_id` is what consumers have to trust for the key's seals to count."""

    kind: EnclaveKind
    key: SealingKey
    attester: Attester
    image_id: bytes

    @classmethod
    async def start(cls, kind: EnclaveKind, curve: Curve, attester: Attester) -> Self:
        """A new key, and a first document, which says what image this is.

        Raises NotAttested.
        """
        key = make_key(curve)
        document = await _attest(kind, key, attester, b"", b"start")
        if document.image_id is None:
            raise NotAttested(f"{kind} enclave: the document names no image (PCRs 0, 1 and 2 of 48 bytes)")
        made = cls(kind, key, attester, document.image_id)
        _log.info("%s enclave: key %s, image 0x%s", kind, key.identity.id, made.image_id.hex())
        if kind == EnclaveKind.DEV:
            _log.warning(
                "dev enclave: this is an ordinary process, and whoever has the authority can attest any key"
            )
        if document.debug:
            _log.warning(
                "%s enclave: in debug mode, so its key is refused on chain (leave --debug-mode out)", kind
            )
        return made

    @property
    def curve(self) -> str:
        return self.key.identity.curve.name.lower()

    async def attest(
        self, operator: str, chain_id: int, keys: str, block_number: int, block_hash: bytes
    ) -> Document:
        """A new document for the EnclaveKeys contract `keys`, made after the block. Raises NotAttested."""
        bound, fresh = user_data(chain_id, keys, operator), nonce(block_number, block_hash)
        document = await _attest(self.kind, self.key, self.attester, bound, fresh)
        _log.info(
            "%s enclave: attested key %s for %s on chain %d after block %d",
            self.kind, self.key.identity.id, keys, chain_id, block_number,
        )  # fmt: skip
        return document

    def seal(self, claim: Claim, chain_id: int, hub: str) -> EnclaveSeal:
        """The key's seal. What it says on chain: this claim's output was made in here."""
        return EnclaveSeal(self.key.identity.id, self.kind, self.key.seal(claim, chain_id, hub))


async def _attest(
    kind: EnclaveKind, key: SealingKey, attester: Attester, bound: bytes, fresh: bytes
) -> Document:
    spki = key.identity.spki
    try:
        document = parse(await attester.attest(public_key=spki, user_data=bound, nonce=fresh))
    except VouchError as error:
        raise NotAttested(f"{kind} enclave: {error}") from error
    given = (document.public_key, document.user_data or b"", document.nonce)
    for name, asked, got in zip(
        ("public_key", "user_data", "nonce"), (spki, bound, fresh), given, strict=True
    ):
        if asked != got:
            raise NotAttested(f"{kind} enclave: the document's {name} is not the one that was asked for")
    return document
