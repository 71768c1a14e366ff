"""Sources of documents that go wrong."""

from dataclasses import dataclass

from vouch.attestation.source import Attester


@dataclass
class Twisted:
    """Asks the real source for something else than it was asked for."""

    source: Attester
    part: str = ""

    async def attest(self, *, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
        parts = {"public_key": public_key, "user_data": user_data, "nonce": nonce}
        if self.part:
            parts[self.part] = parts[self.part][:-1] + bytes([parts[self.part][-1] ^ 1])
        return await self.source.attest(**parts)


@dataclass
class Cut:
    """Loses the end of each document."""

    source: Attester

    async def attest(self, *, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
        made = await self.source.attest(public_key=public_key, user_data=user_data, nonce=nonce)
        return made[:-1]
