"""Where documents come from."""

from typing import Protocol


class Attester(Protocol):
    """Something that vouches for the program that asks: the module of an enclave, or one for development."""

    async def attest(self, *, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
        """A document (COSE_Sign1) over these, at most 1,024 bytes each.

        Raises:
            VouchError: there is no such module here, or it refuses.
        """
        ...
