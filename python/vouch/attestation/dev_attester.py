"""An attester without an enclave, for development."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import Variant


class DevAttester:
    """Documents of one made-up machine, by the authority that a folder keeps.

    Certificates are new for each attester, as after a boot; the leaf is replaced before it expires, and
    after a day the machine's whole chain. `pcrs` are 48 bytes each by number; those not given are zero, and
    without PCR 0 it is the document of an enclave in debug mode. `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        pcrs: Mapping[int, bytes],
        *,
        clock: Callable[[], float] = time.time,
        variant: Variant = Variant.Y2026,
    ) -> None:
        """Raises NoAuthority, BadAuthority."""
        self.authority = DevAuthority.open(folder)
        self._pcrs, self._clock, self._variant = dict(pcrs), clock, variant
        self._instance = self.authority.instance(at=int(clock()), variant=variant)

    async def attest(self, *, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
        """Raises NotADocument if no document may have such fields."""
        at_ms = int(1000 * self._clock())
        if not self._instance.lasts(at_ms // 1000):
            self._instance = self.authority.instance(at=at_ms // 1000, variant=self._variant)
        return self._instance.document(
            self._pcrs, public_key=public_key, user_data=user_data, nonce=nonce, at_ms=at_ms
        )
